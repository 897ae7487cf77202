"""Excel workbooks written sheet by sheet: whole, or an error of the system and nothing left."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from lifecircle.analysis.writing import has_no_room

if TYPE_CHECKING:
    from openpyxl import Workbook

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
