"""Documents as JSON bytes, for HTTP, files and jobs alike; files as bytes, and their names."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson
import pandas as pd

AIMS: Final = 3  # of siting with capacities: the unserved, the underload, the walks


class Unkept(bytes):
    """An answer for those who wait for it, kept nowhere: the clock ended the work on it."""


def unkept_if_cut(document: Mapping[str, Any], used_s: float, limit_s: float) -> Any:
    """The document of siting; as `Unkept` bytes where an aim of it is not proven and the time for
    the exact solver (0: it was not asked) was used up.
    """
    aims = (document.get("loads") or {}).get("aims_proven", AIMS)
    if not 0 < limit_s <= used_s or (document.get("proven", True) and aims == AIMS):
        return document
    return Unkept(encode(document))


def encode(document: Any) -> bytes:
    """JSON bytes: NaN and missing values become null, numpy values plain numbers."""
    return orjson.dumps(
        document, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    )


def disposition(name: str) -> str:
    """A ``Content-Disposition`` that keeps a Chinese file name (RFC 6266)."""
    plain = "".join(sign if sign.isascii() else "_" for sign in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"


def file_bytes(name: str, write: Callable[[Path], object]) -> bytes:
    """What is written into a file of that name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


def _plain(value: Any) -> Any:
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (tuple, set, frozenset)):
        return list(value)
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    raise TypeError
