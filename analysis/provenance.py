"""Where a number came from: digests of inputs, the policy and the code that ran."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file that went into a run: its role, its name (no folder), bytes and SHA-256."""

    role: str
    name: str
    size_bytes: int
    sha256: str


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def describe_input(role: str, path: Path) -> InputFile:
    """Size and digest of an input file under its role (``network``, ``units`` ...)."""
    return InputFile(role, path.name, path.stat().st_size, sha256_of(path))


@cache
def code_version() -> str:
    """Version of the installed distribution, ``0+source`` when it is not installed."""
    try:
        return version("lifecircle")
    except PackageNotFoundError:
        return "0+source"
