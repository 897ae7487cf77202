"""An OpenStreetMap file as it was given: its form is told by its content, not by its name."""

from __future__ import annotations

import bz2
import errno
import gzip
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import IO, Final

import osmium

from lifecircle.analysis.errors import Fault, InputError

_HEAD_BYTES: Final = 1024
_MARK: Final = b"\xef\xbb\xbf"  # byte-order mark of UTF-8
_O5M: Final = b"\xff\xe0\x04o5m2"
_PACKINGS: Final = ((b"\x1f\x8b", ".gz"), (b"BZh", ".bz2"))
_PACKED_OTHERWISE: Final = (b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!")
_HISTORY: Final = tuple(f".osh{more}" for more in ("", ".pbf", ".xml", ".gz", ".bz2", ".xml.gz"))
_WEB_PAGE: Final = re.compile(
    rb"\s*(?:<\?xml.*?\?>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked where it is packed."""
    with path.open("rb") as handle:
        packing = _packing(handle)
        if packing == ".gz":
            yield gzip.GzipFile(fileobj=handle)  # type: ignore[misc]
        elif packing == ".bz2":
            yield bz2.BZ2File(handle)
        else:
            yield handle


def _packing(handle: IO[bytes]) -> str:
    """How a file is packed, as its suffix would say it; it is wound back."""
    magic = handle.read(3)
    handle.seek(0)
    return next((suffix for sign, suffix in _PACKINGS if magic.startswith(sign)), "")


def head_of(path: Path) -> bytes:
    """The first bytes of a file, unpacked where it is packed; empty where that fails."""
    try:
        with unpacked(path) as handle:
            return handle.read(_HEAD_BYTES)
    except (OSError, EOFError):
        return b""


def is_pbf(path: Path) -> bool:
    """Whether a file is a ``.pbf`` by its content."""
    return _form(head_of(path)) == "pbf"


def is_xml(path: Path) -> bool:
    """Whether a file is XML by its content, packed or not."""
    return _form(head_of(path)) == "osm"


def _form(head: bytes) -> str | None:
    """The form of a file by its first bytes, as osmium calls it; None where it is no OSM file."""
    if b"OSMHeader" in head[:64]:
        return "pbf"
    if head.startswith(_O5M):
        return "o5m"
    start = head.removeprefix(_MARK).lstrip()
    return "osm" if start.startswith((b"<?xml", b"<osm")) else None


def opened(path: Path) -> osmium.io.File:
    """A file for osmium, which would believe its suffix."""
    form = _form(head_of(path)) or ""
    with path.open("rb") as handle:
        packing = "" if form == "pbf" else _packing(handle)
    return osmium.io.File(str(path), form + packing)


def check_osm_file(path: Path) -> None:
    """Refuse a path that is not a readable OSM file before a reader stumbles over it.

    Raises
    ------
    InputError
        The file is missing, empty, no OSM file, a history or a file of changes.
    """
    if not path.is_file():
        raise InputError([Fault("file_missing", path.name)])
    if path.stat().st_size == 0:
        raise InputError([Fault("file_empty", path.name)])
    head = head_of(path)
    form = _form(head)
    if _WEB_PAGE.match(head.removeprefix(_MARK)):
        raise InputError([Fault("osm_web_page", path.name)])
    if form is None:
        raise InputError([Fault(_other(head), path.name)])
    if form == "osm" and (b"<osmChange" in head or b"<osmAugmentedDiff" in head):
        raise InputError([Fault("osm_changes", path.name)])
    if path.name.endswith(_HISTORY) or _holds_versions(path):
        raise InputError([Fault("osm_history", path.name)])


def _other(head: bytes) -> str:
    """What is said of a file that is no OpenStreetMap file."""
    start = head.removeprefix(_MARK).lstrip()
    if start.startswith((b"{", b"[")):
        return "osm_json"
    if start.startswith(_PACKED_OTHERWISE):
        return "osm_packed"
    return "osm_zip" if start.startswith(b"PK\x03\x04") else "osm_not_osm"


def _holds_versions(path: Path) -> bool:
    """Whether a file says that it holds every version of its objects."""
    try:
        return bool(header_of(path).has_multiple_object_versions)
    except RuntimeError:
        return False  # what is wrong with it is told by who reads it


def header_of(path: Path) -> osmium.io.Header:
    """What a file says of itself, whatever its suffix; none of its objects is read.

    Raises
    ------
    RuntimeError : the file says nothing.
    MemoryError, OSError : as `blame_machine`.
    """
    try:
        return osmium.io.Reader(opened(path), osmium.osm.NOTHING).header()
    except RuntimeError as error:
        blame_machine(error)
        raise


def broken_file(path: Path, error: Exception) -> InputError:
    """The error for a file that breaks off or cannot be decoded.

    Raises
    ------
    MemoryError, OSError : as `blame_machine`.
    """
    blame_machine(error)
    return InputError([Fault("osm_unreadable", path.name, params={"detail": str(error)})])


def blame_machine(error: Exception) -> None:
    """Raise what osmium stumbled over where that was no fault of the file.

    Raises
    ------
    MemoryError, OSError : there was no memory (nor room for one more thread), or no room to write.
    """
    if any(os.strerror(code) in str(error) for code in (errno.ENOMEM, errno.EAGAIN)):
        raise MemoryError(str(error)) from error
    for code in (errno.ENOSPC, errno.EDQUOT):
        if (said := os.strerror(code)) in str(error):
            raise OSError(code, said, gettempdir()) from error
