"""Tables without geometry of their own: text with separators, and workbooks.

The first row is the header. Wholly empty rows are skipped but counted, so that a row number
is the one a spreadsheet shows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from analysis.errors import Fault, InputError
from analysis.sources.columns_in import Column, is_blank, objects
from analysis.sources.files_in import decoded, refuse, steady
from analysis.sources.findings import LISTED
from analysis.sources.records import Records

_SEPARATORS: Final = (",", "\t", ";", "|", "\N{FULLWIDTH COMMA}")
_LONGEST_CELL: Final = 64 * 1024 * 1024  # characters: a polygon as text may be long


def read_text_table(path: Path) -> Records:
    """Records of a CSV or TSV file; encoding and separator are found out."""
    with steady(path):
        raw = path.read_bytes()
    text = decoded(path, raw)
    if "\x00" in text:
        raise refuse(path, "input_really", suffix=path.suffix, really="binary")
    header = next((line for line in text.splitlines() if line.strip()), "")
    separator = "\t" if path.suffix.lower() == ".tsv" else max(_SEPARATORS, key=header.count)
    if csv.field_size_limit() < _LONGEST_CELL:
        csv.field_size_limit(_LONGEST_CELL)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise refuse(path, "input_broken", detail=str(error)) from None
    return _records(path, lines, ())


def read_workbook(path: Path) -> Records:
    """Records of the first sheet of a workbook that holds anything (.xlsx, .xls, .ods)."""
    import python_calamine

    with steady(path):
        raw = path.read_bytes()
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        names = list(workbook.sheet_names)
        sheets = [workbook.get_sheet_by_name(n).to_python(skip_empty_area=False) for n in names]
    except python_calamine.PasswordError:
        raise refuse(path, "input_password") from None
    except Exception as error:  # calamine raises many kinds, panics among them
        raise refuse(path, "input_broken", detail=str(error)) from error
    filled = [
        (name, rows)
        for name, rows in zip(names, sheets, strict=True)
        if any(not is_blank(cell) for row in rows for cell in row)
    ]
    if not filled:
        raise refuse(path, "input_no_rows")
    remarks: tuple[Fault, ...] = ()
    if len(filled) > 1:
        params = {"sheet": filled[0][0], "others": ", ".join(name for name, _ in filled[1:])}
        remarks = (Fault("input_sheets", path.name, params=params, severity="warning"),)
    return _records(path, filled[0][1], remarks)


def _records(path: Path, lines: Sequence[Sequence[Any]], remarks: tuple[Fault, ...]) -> Records:
    """The header and the records of rows as they stand in the file."""
    filled = [
        (row, line)
        for row, line in enumerate(lines, start=1)
        if not all(is_blank(cell) for cell in line)
    ]
    if len(filled) < 2:
        raise refuse(path, "input_no_rows")
    titles = ["" if is_blank(cell) else str(cell).strip() for cell in filled[0][1]]
    width = len(titles)
    body = filled[1:]
    long = [row for row, line in body if any(not is_blank(cell) for cell in line[width:])]
    if long:
        faults = [Fault("input_row_long", path.name, row, None, {"columns": width}) for row in long]
        more = [Fault("input_more", path.name, params={"count": len(faults) - LISTED})]
        raise InputError(faults[:LISTED] + (more if len(faults) > LISTED else []))
    padded = [[*line[:width], *([None] * (width - len(line)))] for _, line in body]
    columns = tuple(
        Column(title, objects(list(cells)))
        for title, cells in zip(titles, zip(*padded, strict=True), strict=True)
        if title
    )
    return Records(path, columns, np.array([row for row, _ in body], np.int64), remarks=remarks)
