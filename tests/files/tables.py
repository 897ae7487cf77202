"""Writing small input files in tests, and reading the faults they give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations

HEADER = "id,lon,lat,population\n"
GOOD = HEADER + "a,102.70,25.04,10\nb,102.71,25.05,20\n"


def writer(folder: Path) -> Callable[..., Path]:
    """A function that writes text or bytes into a file of the folder."""

    def write(content: str | bytes, name: str = "cells.csv") -> Path:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def faults(call: Callable[[], Any]) -> tuple[Fault, ...]:
    """The faults a reading raises; each can be said in both languages."""
    with pytest.raises(InputError) as caught:
        call()
    for fault in caught.value.faults:
        assert fault.text("en")
        assert fault.text("zh")
    return caught.value.faults


def keyed(call: Callable[[], Any]) -> list[tuple[str, int | None, str | None]]:
    """The faults a reading raises as (key, row, column)."""
    return [(f.key, f.row, f.column) for f in faults(call)]


def said(datum: str) -> Declarations:
    """What a user says of all files with ``--datum``."""
    return Declarations(Declaration(datum=datum))
