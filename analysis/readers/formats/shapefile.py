"""Shapefiles: three files at least, words in an encoding that is often not told.

GDAL opens one only after its first bytes and the size its .dbf promises were checked.
"""

from __future__ import annotations

import codecs
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.cells import CellArray, object_array
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.files import guard_gdal, refuse, watch_file
from lifecircle.analysis.readers.records.frames import pyogrio_errors, read_layer
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.records.titles import complete_titles

_SHAPE_PARTS: Final = (".shx", ".dbf")
_CUT_BYTES: Final = 4  # the longest sign of UTF-8 and of GB18030


def read_shapefile(path: Path) -> Records:
    """Records of a shapefile with its .shx and .dbf beside it."""
    guard_gdal()
    missing = [part for part in _SHAPE_PARTS if not _find_beside(path, part).exists()]
    if missing:
        raise refuse(path, "input_shape_parts", missing=", ".join(missing))
    with watch_file(path):
        table = _find_beside(path, ".dbf")
        _check_dbf(path, table)
        encoding, told = _tell_encoding(path, table)
        try:
            # Latin-1 keeps every byte as it is: words are decoded here, where one that the
            # format cut off in the middle of a sign is forgiven
            records = read_layer(path, path, encoding="ISO-8859-1")
        except pyogrio_errors() as error:
            raise refuse(path, "input_broken", detail=str(error)) from error
    try:
        plain = [
            Column(_decode_word(column.title, encoding), _decode_words(column.values, encoding))
            for column in records.columns
        ]
    except UnicodeError:
        raise refuse(path, "input_encoding") from None
    columns, cut = complete_titles(plain, encoding, path.name)
    return replace(records, columns=columns, remarks=(told, *cut, *records.remarks))


def _decode_words(cells: CellArray, encoding: str) -> CellArray:
    if cells.dtype != np.object_:
        return cells
    return object_array([_decode_word(c, encoding) if isinstance(c, str) else c for c in cells])


def _decode_word(latin: str, encoding: str) -> str:
    """A word of a dbf, handed over byte by byte as Latin-1, in its own encoding."""
    raw = latin.encode("latin-1")
    for short in range(min(_CUT_BYTES, len(raw))):
        try:
            return raw[: len(raw) - short].decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode(encoding)


def _tell_encoding(path: Path, table: Path) -> tuple[str, Fault]:
    """Encoding of a shapefile's words, and a note or a warning on how it was told.

    UTF-8 where the bytes allow it (no other text does by chance), else what the .cpg says, else
    GB18030.
    """
    label = ""
    if _find_beside(path, ".cpg").exists():
        label = _find_beside(path, ".cpg").read_bytes()[:32].decode("ascii", "replace").strip()
    try:
        known = codecs.lookup(label).name if label else ""
    except (LookupError, ValueError):  # no encoding of that name, or no name
        known = "utf-8" if label.endswith("65001") else ""
    known = "gb18030" if known in ("gbk", "gb2312") else known
    raw = table.read_bytes()
    found = _tell_dbf_encoding(raw)
    if found != "UTF-8" and known and not known.startswith("utf"):
        found = known.upper()
    wrong = bool(label) and known.startswith("utf") != (found == "UTF-8")
    wrong = wrong and not raw[32:].isascii()
    params = {"encoding": found, "label": label if wrong else ".cpg" if label else ".dbf"}
    key = "input_cpg_wrong" if wrong else "input_dbf_encoding"
    severity: Any = "warning" if wrong else "note"
    return found, Fault(key, path.name, params=params, severity=severity)


def _check_dbf(path: Path, table: Path) -> None:
    """Refuse a dbf whose header promises another size than it has."""
    head = table.read_bytes()[:32]
    if len(head) < 32:
        raise refuse(path, "input_broken", detail=".dbf")
    count = int.from_bytes(head[4:8], "little")
    start, width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
    if start < 33 or width < 1 or start + count * width > table.stat().st_size + width:
        raise refuse(path, "input_broken", detail=".dbf")
    columns = (start - 33) // 32
    if count > limits.ROWS or columns * count > limits.CELLS:
        raise refuse(path, "input_table_large", most=f"{limits.ROWS:,}", cells=f"{limits.CELLS:,}")


def _find_beside(path: Path, suffix: str) -> Path:
    """The companion of a shapefile, whatever the case of its suffix."""
    upper = path.with_suffix(suffix.upper())
    return upper if upper.exists() else path.with_suffix(suffix)


def _tell_dbf_encoding(raw: bytes) -> str:
    """Encoding by the bytes of a dbf: UTF-8 where every word allows it, else GB18030.

    A word that its column cuts off in the middle of a sign is forgiven.
    """
    start = int.from_bytes(raw[8:10], "little")
    fields = [raw[at : at + 32] for at in range(32, start - 1, 32) if raw[at : at + 1] != b"\r"]
    names = all(_is_utf8(field[:11].split(b"\x00")[0]) for field in fields)
    return "UTF-8" if names and _holds_utf8(raw, start, fields) else "GB18030"


def _holds_utf8(raw: bytes, start: int, fields: list[bytes]) -> bool:
    """Whether every text cell of a dbf is UTF-8, perhaps cut off at its width."""
    try:
        raw[start:].decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return True
    count, width = int.from_bytes(raw[4:8], "little"), int.from_bytes(raw[10:12], "little")
    at = 1
    for field in fields:
        size = field[16]
        places = range(start + at, start + at + count * width, width)
        texts = field[11:12] == b"C"
        if texts and not all(_is_utf8(raw[p : p + size].rstrip(b" \x00")) for p in places):
            return False
        at += size
    return True


def _is_utf8(cell: bytes) -> bool:
    """Whether bytes are UTF-8, the last sign perhaps cut off."""
    for short in range(min(4, len(cell) + 1)):
        try:
            cell[: len(cell) - short].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return True
    return False
