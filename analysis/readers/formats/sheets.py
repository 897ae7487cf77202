"""Tables without geometry of their own: text with separators, and workbooks.

Wholly empty rows are skipped but counted, so that a row number is the one a spreadsheet shows.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.readers.formats.cell_marks import CellMarks, mark_cells
from lifecircle.analysis.readers.formats.headers import Sheet, count_known_titles, find_records
from lifecircle.analysis.readers.formats.marks_of_ods import read_ods_marks
from lifecircle.analysis.readers.formats.marks_of_xls import read_xls_marks
from lifecircle.analysis.readers.formats.marks_of_xlsx import read_xlsx_marks
from lifecircle.analysis.readers.formats.workbook_size import check_extent
from lifecircle.analysis.readers.formats.written_text import (
    tell_lost_letters,
    undo_decimal_commas,
    undo_second_encoding,
)
from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.archives import check_members
from lifecircle.analysis.readers.records.cells import is_blank
from lifecircle.analysis.readers.records.declarations import Declaration
from lifecircle.analysis.readers.records.files import decode_text, refuse, watch_file
from lifecircle.analysis.readers.records.records import Records

_SEPARATORS: Final = (",", "\t", ";", "|", "\N{FULLWIDTH COMMA}")
_SAMPLED: Final = 30  # lines from which the separator is told
_QUOTED = re.compile(r'"[^"]*"')


def read_text_table(path: Path) -> Records:
    """Records of a CSV or TSV file; encoding and separator are found out."""
    with watch_file(path):
        raw = path.read_bytes()
    text, encoding = decode_text(path, raw)
    if "\x00" in text:
        raise refuse(path, "input_really", suffix=path.suffix, really="binary")
    text, told = undo_second_encoding(path, text)
    told += tell_lost_letters(path, text)
    separator = "\t" if path.suffix.lower() == ".tsv" else _tell_separator(text)
    if csv.field_size_limit() != limits.CELL_CHARACTERS:
        csv.field_size_limit(limits.CELL_CHARACTERS)
    lines: list[Sequence[Any]] = []
    cells = 0
    try:
        for line in csv.reader(_refuse_wide(path, text, separator), delimiter=separator):
            lines.append(line)
            cells += len(line)
            if len(lines) > limits.ROWS or cells > limits.CELLS:
                raise refuse(path, "input_table_large", most=f"{limits.ROWS:,}",
                             cells=f"{limits.CELLS:,}")  # fmt: skip
    except csv.Error as error:
        raise refuse(path, "input_broken", detail=str(error)) from None
    if separator != ",":
        lines, commas = undo_decimal_commas(path, lines)
        told += commas
    plain = encoding == "utf-8"
    opened = Fault("input_encoding_told", path.name, severity="note",
                 params={"encoding": encoding.upper().removesuffix("-SIG"),
                         "separator": {"\t": "tab"}.get(separator, separator)})  # fmt: skip
    remarks = told if plain and separator == "," else (opened, *told)
    return find_records(path, Sheet("", lines, remarks=remarks))


def _tell_separator(text: str) -> str:
    """The sign that most evenly parts the first lines; the comma where none does.

    WKT and decimal commas fill the rows of a file parted by semicolons with commas, its header not.
    """
    lines = [line for _, line in zip(range(_SAMPLED), io.StringIO(text), strict=False)]
    plain = [_QUOTED.sub("", line) for line in lines if line.strip()]
    counts = {sign: sorted(line.count(sign) for line in plain) for sign in _SEPARATORS}
    middle = {sign: many[len(many) // 2] for sign, many in counts.items() if many}
    most = {sign: many[-1] for sign, many in counts.items() if many}
    even = {sign: max(Counter(filter(None, many)).values(), default=0)
            for sign, many in counts.items()}  # fmt: skip

    def weigh(sign: str) -> tuple[bool, int, int, int]:
        parted = middle.get(sign, 0)
        return parted > 0, even[sign], parted, most.get(sign, 0)

    return max(_SEPARATORS, key=weigh)


def _refuse_wide(path: Path, text: str, separator: str) -> Iterator[str]:
    """The lines of a text, refused as soon as one has more cells than a table may have columns."""
    for line in io.StringIO(text, newline=""):
        wide = line.count(separator) >= limits.COLUMNS
        if wide and _QUOTED.sub("", line).count(separator) >= limits.COLUMNS:
            raise refuse(path, "input_columns_many", most=limits.COLUMNS)
        yield line


def read_workbook(path: Path, said: Declaration) -> Records:
    """Records of one sheet of a workbook (.xlsx, .xls, .ods).

    The sheet that is said; else the only one whose header has titles we know; else the first
    that holds anything. Several such sheets are refused by their names: none is left out in
    silence.
    """
    import python_calamine

    with watch_file(path):
        check_extent(path)
        raw = path.read_bytes()
        try:
            workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
            wanted = _list_sheets(path, workbook, said.sheet)
            sheets = [_read_sheet(path, workbook, name) for name in wanted[: limits.SHEETS]]
        except python_calamine.PasswordError:
            raise refuse(path, "input_password") from None
        except (python_calamine.CalamineError, OSError, ValueError, OverflowError) as error:
            raise _broken_error(path, error) from None
        except BaseException as error:  # a panic of calamine is no Exception
            if type(error).__name__ != "PanicException":
                raise
            raise _broken_error(path, error) from None
    filled = [sheet for sheet in sheets if any(not is_blank(c) for row in sheet.lines for c in row)]
    if not filled:
        raise refuse(path, "input_no_rows")
    chosen = _choose_sheet(path, filled)
    return find_records(
        path, _note_hidden(path, workbook, chosen) if said.sheet is None else chosen
    )


def _note_hidden(path: Path, workbook: Any, chosen: Sheet) -> Sheet:
    """The sheet with a note on those that nobody sees, where there are any."""
    hidden = [one.name for one in workbook.sheets_metadata if not _is_seen(one)]
    if not hidden:
        return chosen
    params = {"others": ", ".join(hidden)}
    note = Fault("input_sheets_hidden", path.name, params=params, severity="note")
    return replace(chosen, remarks=(*chosen.remarks, note))


def _is_seen(sheet: Any) -> bool:
    return str(sheet.visible).endswith("Visible")


def _broken_error(path: Path, error: BaseException) -> BaseException:
    if isinstance(error, InputError):
        return error
    return refuse(path, "input_broken", detail=str(error))


def _list_sheets(path: Path, workbook: Any, sheet: str | None) -> list[str]:
    """Names of the sheets to look at: the one that is said, else all that a person sees."""
    names = [
        one.name
        for one in workbook.sheets_metadata
        if _is_seen(one) and str(one.typ).endswith("WorkSheet")
    ]
    if sheet is None:
        return names
    if sheet not in workbook.sheet_names:
        raise refuse(path, "input_sheet_unknown", sheet=sheet, sheets=", ".join(names))
    return [sheet]


def _read_sheet(path: Path, workbook: Any, name: str) -> Sheet:
    """One sheet of a workbook; rows that its first filled row is not the first of are kept."""
    sheet = workbook.get_sheet_by_name(name)
    if sheet.total_width > limits.COLUMNS:
        raise refuse(path, "input_columns_many", most=limits.COLUMNS)
    marks = _read_marks(path, name, workbook.sheet_names.index(name))
    lines = mark_cells(sheet.to_python(skip_empty_area=False), marks)
    merged = tuple(sheet.merged_cell_ranges or ())
    inside = [((a, b), (c, d)) for (a, b), (c, d) in merged if c < len(lines)]
    return Sheet(name, lines, inside, frozenset(marks.hidden), frozenset(marks.struck))


def _read_marks(path: Path, sheet: str, place: int) -> CellMarks:
    """What a workbook of any kind says of the cells of a sheet beside their values."""
    with path.open("rb") as handle:
        packed = handle.read(2) == b"PK"
    if not packed:
        return read_xls_marks(path, place)
    office = any(member.filename.startswith("xl/") for member in check_members(path))
    return (read_xlsx_marks if office else read_ods_marks)(path, sheet)


def _choose_sheet(path: Path, filled: Sequence[Sheet]) -> Sheet:
    """The sheet that is meant, with a remark on the others."""
    if len(filled) == 1:
        return filled[0]
    tables = [sheet for sheet in filled if count_known_titles(sheet) > 1] or list(filled[:1])
    if len(tables) > 1:
        names = ", ".join(sheet.name for sheet in tables)
        raise refuse(path, "input_sheets_many", sheets=names, first=tables[0].name)
    others = ", ".join(sheet.name for sheet in filled if sheet is not tables[0])
    params = {"sheet": tables[0].name, "others": others}
    remark = Fault("input_sheets", path.name, params=params, severity="warning")
    return replace(tables[0], remarks=(remark,))
