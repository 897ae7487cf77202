"""Marks of the cells of a binary workbook (.xls): errors, percent, hidden and struck-out rows.

Formulas always have a value there. Damaged files give no marks: whether they can be read at all
is for the library to say that reads their values.

Source: [MS-CFB] 2.2-2.6 (compound files), [MS-XLS] 2.4 (records).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lifecircle.analysis.readers.formats.cell_marks import CellMarks

_FREE: Final = 0xFFFFFFFA  # from here on a sector number is none
_STREAMS: Final = ("Workbook", "Book")
_EOF, _FORMULA, _XF, _FONT, _BOUNDSHEET = 0x000A, 0x0006, 0x00E0, 0x0031, 0x0085
_NUMBER, _RK, _MULRK, _BOOLERR, _ROW, _FORMAT = 0x0203, 0x027E, 0x00BD, 0x0205, 0x0208, 0x041E
_TEXTS: Final = (0x00FD, 0x0204)
_ROW_HIDDEN: Final = 0x20
_FONT_STRUCK: Final = 0x08
_NO_FONT: Final = 4  # this number is left out
_PERCENT_IDS: Final = frozenset({9, 10})
_ERRORS: Final = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!",
                  42: "#N/A"}  # fmt: skip
_QUOTED = re.compile(r'"[^"]*"|\\.')

Record = tuple[int, bytes]


def read_xls_marks(path: Path, place: int) -> CellMarks:
    """Marks of the sheet that stands at a place (from 0) of the workbook."""
    try:
        stream = _read_stream(path.read_bytes())
        starts, percent, struck = _read_globals(stream)
        return _read_sheet(stream, starts[place], percent, struck)
    except (struct.error, IndexError, UnicodeDecodeError, MemoryError):
        return CellMarks()


def _read_stream(raw: bytes) -> bytes:
    """The workbook inside a compound file; nothing where there is none."""
    size, small = 1 << min(raw[30], 16), 1 << min(raw[32], 16)
    table = list(struct.unpack_from("<109I", raw, 76))
    (link,) = struct.unpack_from("<I", raw, 68)
    while link < _FREE and len(table) * size <= len(raw) + 109 * size:
        more = struct.unpack_from(f"<{size // 4}I", raw, (link + 1) * size)
        table, link = [*table, *more[:-1]], more[-1]
    chain: list[int] = []
    for sector in table:
        if sector < _FREE:
            chain += struct.unpack_from(f"<{size // 4}I", raw, (sector + 1) * size)

    def join(first: int, follow: list[int], source: bytes, step: int, skip: int) -> bytes:
        parts, seen = [], 0
        while first < len(follow) and seen <= len(follow):
            parts.append(source[(first + skip) * step : (first + skip + 1) * step])
            first, seen = follow[first], seen + 1
        return b"".join(parts)

    folder = join(struct.unpack_from("<I", raw, 48)[0], chain, raw, size, 1)
    (least,) = struct.unpack_from("<I", raw, 56)
    minis = join(struct.unpack_from("<I", raw, 60)[0], chain, raw, size, 1)
    follow = list(struct.unpack(f"<{len(minis) // 4}I", minis))
    held = b""
    for at in range(0, len(folder) - 127, 128):
        entry = folder[at : at + 128]
        name = entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le")
        first, length = struct.unpack_from("<II", entry, 116)
        if at == 0:
            held = join(first, chain, raw, size, 1)
        if name in _STREAMS:
            if length < least:
                return join(first, follow, held, small, 0)[:length]
            return join(first, chain, raw, size, 1)[:length]
    return b""


def _records(stream: bytes, at: int) -> Iterator[Record]:
    """Records from a place of the stream to the end of that part."""
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if kind == _EOF:
            return
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _read_globals(stream: bytes) -> tuple[list[int], set[int], set[int]]:
    """Where each sheet begins; numbers of the styles that show percent, and that strike out."""
    starts: list[int] = []
    percent_ids, struck_fonts = set(_PERCENT_IDS), set[int]()
    percent, struck = set[int](), set[int]()
    fonts = styles = 0
    for kind, body in _records(stream, 0):
        if kind == _BOUNDSHEET:
            starts.append(struct.unpack_from("<I", body)[0])
        elif kind == _FONT:
            fonts += fonts == _NO_FONT
            if struct.unpack_from("<H", body, 2)[0] & _FONT_STRUCK:
                struck_fonts.add(fonts)
            fonts += 1
        elif kind == _FORMAT:
            text = body[5:].decode("utf-16-le" if body[4] & 1 else "latin-1", "replace")
            if "%" in _QUOTED.sub("", text):
                percent_ids.add(struct.unpack_from("<H", body)[0])
        elif kind == _XF:
            font, shown = struct.unpack_from("<HH", body)
            if shown in percent_ids:
                percent.add(styles)
            if font in struck_fonts:
                struck.add(styles)
            styles += 1
    return starts, percent, struck


def _read_sheet(stream: bytes, start: int, percent: set[int], struck: set[int]) -> CellMarks:
    marks = CellMarks()
    for kind, body in _records(stream, start):
        if kind == _ROW:
            if struct.unpack_from("<H", body, 12)[0] & _ROW_HIDDEN:
                marks.hidden.add(struct.unpack_from("<H", body)[0])
            continue
        if kind == _MULRK:
            row, first = struct.unpack_from("<HH", body)
            cells = [(row, first + i, struct.unpack_from("<H", body, 4 + 6 * i)[0])
                     for i in range((len(body) - 6) // 6)]  # fmt: skip
        elif kind in (_NUMBER, _RK, _BOOLERR, _FORMULA, *_TEXTS):
            cells = [struct.unpack_from("<HHH", body)]
        else:
            continue
        error = _find_error(kind, body)
        for row, column, style in cells:
            if error is not None:
                marks.errors[row, column] = error
            elif style in percent and kind not in _TEXTS:
                marks.percents.add((row, column))
            if style in struck:
                marks.struck.add(row)
    return marks


def _find_error(kind: int, body: bytes) -> str | None:
    if kind == _BOOLERR and body[7]:
        return _ERRORS.get(body[6], "#N/A")
    if kind == _FORMULA and body[12:14] == b"\xff\xff" and body[6] == 2:
        return _ERRORS.get(body[8], "#N/A")
    return None
