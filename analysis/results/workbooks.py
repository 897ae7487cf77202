"""Excel workbooks written sheet by sheet: whole, or an error of the system and nothing left."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pandas as pd

from lifecircle.analysis.writing import has_no_room

if TYPE_CHECKING:
    from openpyxl import Workbook

NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SYSTEM: Final = "IO_"  # what libxml2 puts before the system's name of an error


@contextmanager
def new_workbook(target: IO[bytes]) -> Iterator[Workbook]:
    """A write-only workbook, written into `target` when the block ends.

    openpyxl keeps each sheet in the folder for temporary files until then. What fails there or in
    `target` leaves nothing half open, which Python would try to end once more, and no such file.

    Raises
    ------
    OSError : a disk is full, or takes nothing.
    """
    from openpyxl import Workbook
    from openpyxl.writer.excel import ExcelWriter

    book, archive = Workbook(write_only=True), ZipFile(target, "w", ZIP_DEFLATED)
    try:
        yield book
        ExcelWriter(book, archive).save()
    except BaseException as fault:
        archive.fp = None  # nothing more is written by who collects it
        for sheet in book.worksheets:
            _end(sheet)
        if type(fault).__name__ == "SerialisationError":  # lxml's, where openpyxl finds it
            code = _code(str(fault))
            raise OSError(code, os.strerror(code)) from fault
        raise


def add_sheet(
    book: Workbook,
    title: str,
    heads: Iterable[Any],
    rows: Iterable[Iterable[Any]] = (),
    *,
    freeze: str = "A2",
    width: float | None = None,
) -> Any:
    """A new sheet of a write-only workbook: its heading, then its rows; more may be appended.

    `freeze`: the first cell that moves; `width` of each column, in characters.
    """
    sheet, heads = book.create_sheet(title), list(heads)
    sheet.freeze_panes = freeze
    if width is not None:
        for i in range(len(heads)):
            sheet.column_dimensions[chr(ord("A") + i)].width = width
    sheet.append(sheet_row(sheet, heads, heading=True))
    for row in rows:
        sheet.append(sheet_row(sheet, row))
    return sheet


def _heading(sheet: Any, texts: Iterable[Any]) -> list[Any]:
    from openpyxl.styles import Font

    cells = [_cell(sheet, str(text)) for text in texts]
    for cell in cells:
        cell.font = Font(bold=True)
    return cells


def sheet_row(sheet: Any, values: Iterable[Any], *, heading: bool = False) -> list[Any]:
    """Cells of a row for a write-only sheet: texts stay texts, unknown is empty."""
    return _heading(sheet, values) if heading else [_cell(sheet, value) for value in values]


def _cell(sheet: Any, value: Any) -> Any:
    """A cell; a text stays a text whatever sign it starts with, a number keeps every digit."""
    from openpyxl.cell import WriteOnlyCell

    plain = or_none(value)
    if isinstance(plain, np.generic):
        plain = plain.item()
    if isinstance(plain, float):  # openpyxl itself would keep 16 digits
        cell = WriteOnlyCell(sheet, repr(plain))
        cell.data_type = "n"
        return cell
    if not isinstance(plain, str):
        return plain
    cell = WriteOnlyCell(sheet, NOT_XML.sub("", plain))
    cell.data_type = "s"
    return cell


def or_none(value: Any) -> Any:
    """A value, None where it is unknown."""
    return None if value is None or value is pd.NA or value != value else value  # noqa: PLR0124


def _end(sheet: Any) -> None:
    """End what a half-written sheet holds open, and remove its file."""
    writer = sheet._writer
    for half in (sheet._rows, getattr(writer, "xf", None)):
        if half is not None:
            with suppress(Exception):
                half.close()
    if writer is not None and Path(writer.out).exists():
        with suppress(OSError):
            writer.cleanup()


def _code(said: str) -> int:
    """The number of the error that libxml2 names."""
    known: int | None = getattr(errno, said.removeprefix(_SYSTEM), None)
    if known is not None:
        return known
    return errno.ENOSPC if has_no_room(Path(tempfile.gettempdir())) else errno.EIO
