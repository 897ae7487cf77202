"""Marks of the cells of a binary workbook (.xls): errors, percent, hidden and struck-out rows.

Formulas always have a value there. Damaged files give no marks: whether they can be read at all
is for the library to say that reads their values.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lifecircle.analysis.readers.formats.cell_marks import CellMarks

if TYPE_CHECKING:
    import xlrd

_QUOTED: Final = re.compile(r'"[^"]*"|\\.')


def read_xls_marks(path: Path, place: int) -> CellMarks:
    """Marks of the sheet that stands at a place (from 0) of the workbook."""
    import xlrd  # few workbooks are of its kind

    try:
        book = xlrd.open_workbook(str(path), formatting_info=True, logfile=io.StringIO())
        return _read_sheet(book, book.sheet_by_index(place))
    except Exception:
        return CellMarks()


def _read_sheet(book: xlrd.Book, sheet: xlrd.sheet.Sheet) -> CellMarks:
    import xlrd

    marks = CellMarks()
    marks.hidden.update(row for row, told in sheet.rowinfo_map.items() if told.hidden)
    struck = [bool(book.font_list[style.font_index].struck_out) for style in book.xf_list]
    percent = [
        "%" in _QUOTED.sub("", book.format_map[style.format_key].format_str)
        for style in book.xf_list
    ]
    for row in range(sheet.nrows):
        for column, kind in enumerate(sheet.row_types(row)):
            style = sheet.cell_xf_index(row, column)
            if kind == xlrd.XL_CELL_ERROR:
                code = sheet.cell_value(row, column)
                marks.errors[row, column] = xlrd.error_text_from_code.get(code, "#N/A")
            elif kind == xlrd.XL_CELL_NUMBER and percent[style]:
                marks.percents.add((row, column))
            if kind not in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK) and struck[style]:
                marks.struck.add(row)
    return marks
