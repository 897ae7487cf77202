"""What a checker hands back: the table with its faults marked, and a copy with safe mends made."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from lifecircle.analysis.errors import Fault, Language, ParameterError, say
from lifecircle.analysis.readers.checker.check import Checked
from lifecircle.analysis.readers.checker.cleaning import Mend, mend_records
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.results.export import EXCEL_ROWS, FORMULA_SIGNS
from lifecircle.analysis.results.workbooks import NOT_XML

COPY_SUFFIXES: Final = (".xlsx", ".csv")
SHEET_SUFFIXES: Final = (".xlsx",)

_RED, _YELLOW, _GREY = "FFF4B6B0", "FFFFF0B3", "FFEDEFF0"
_LONGEST_CELL: Final = 32_000
_WIDEST, _NARROWEST = 48, 9
_MEASURED_ROWS: Final = 200


def write_error_sheet(checked: Checked, target: Path | IO[bytes], lang: Language = "zh") -> None:
    """The table as it came, faulty cells coloured with the reason as a comment, and a list.

    A file that could not be opened gives the list alone. Rows keep their number in the first
    column; no value of the file becomes a formula.

    Raises
    ------
    ParameterError : the name does not end in .xlsx, or there are more rows than a sheet holds.
    """
    _refuse_suffix(target, SHEET_SUFFIXES)
    book = Workbook()
    book.remove(book.active)
    if checked.records is not None:
        _refuse_long(checked.records)
        _marked(book, checked, checked.records, lang)
    _listed(book, checked, lang)
    book.save(target)


def clean_copy(checked: Checked, target: Path, lang: Language = "zh") -> tuple[Mend, ...]:
    """Write the table with its safe mends made as .xlsx (with a list of them) or .csv.

    Raises
    ------
    ParameterError : a layer, or a name with another suffix.
    """
    suffix = _refuse_suffix(target, COPY_SUFFIXES)
    with target.open("wb") as handle:
        return write_clean_copy(checked, handle, suffix, lang)


def write_clean_copy(
    checked: Checked, target: IO[bytes], suffix: str, lang: Language = "zh"
) -> tuple[Mend, ...]:
    """The same into an open file."""
    records = checked.records
    if records is None or records.geometry is not None:
        raise ParameterError("check_not_table")
    _refuse_long(records)
    clean, mends = mend_records(records, checked.kind)
    titles = [column.title for column in clean.columns]
    rows = zip(*(column.values for column in clean.columns), strict=True)
    if suffix == ".csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([_no_formula(title) for title in titles])
        writer.writerows([_no_formula(_plain(cell)) for cell in row] for row in rows)
        target.write(text.getvalue().encode("utf-8-sig"))
        return mends
    book = Workbook()
    sheet = book.active
    sheet.title = say("sheet_data", lang)
    _head(sheet, titles)
    for number, row in enumerate(rows, start=2):
        for place, value in enumerate(row, start=1):
            _put(sheet, number, place, value)
    _fit(sheet)
    listed = book.create_sheet(say("sheet_mends", lang))
    _head(
        listed, [say(f"sheet_{key}", lang) for key in ("row", "column", "before", "after", "why")]
    )
    for number, mend in enumerate(mends, start=2):
        cells = (mend.row, mend.column, mend.before, mend.after, mend.text(lang))
        for place, value in enumerate(cells, start=1):
            _put(listed, number, place, value)
    _fit(listed)
    book.save(target)
    return mends


def _marked(book: Workbook, checked: Checked, records: Records, lang: Language) -> None:
    sheet = book.create_sheet(say("sheet_checked", lang))
    titles = [column.title for column in records.columns]
    problem = len(titles) + 2
    _head(sheet, [say("sheet_row", lang), *titles, say("sheet_problem", lang)])
    at = {title: place for place, title in reversed(list(enumerate(titles, start=2)))}
    by_row: dict[int, list[Fault]] = {}
    for fault in checked.faults:
        if fault.row is not None:
            by_row.setdefault(fault.row, []).append(fault)
    cells = zip(*(column.values for column in records.columns), strict=True)
    for number, (row, values) in enumerate(zip(records.rows, cells, strict=True), start=2):
        _put(sheet, number, 1, int(row))
        for place, value in enumerate(values, start=2):
            _put(sheet, number, place, value)
        mine = by_row.get(int(row), [])
        if mine:
            _mark(sheet, number, problem, mine, at, lang)
    sheet.freeze_panes = "B2"
    _fit(sheet, widest={problem: 70})


def _mark(
    sheet: Any, number: int, problem: int, faults: Sequence[Fault], at: Mapping[str, int],
    lang: Language,
) -> None:  # fmt: skip
    """Colour the cells of a row's faults and write the reasons beside them."""
    told: dict[int, list[Fault]] = {}
    for fault in faults:
        for title in (fault.column or "").split(", "):
            place = at.get(fault.column or "") or at.get(title)
            if place is not None:
                told.setdefault(place, []).append(fault)
    for place, mine in told.items():
        cell = sheet.cell(number, place)
        cell.fill = _fill(mine)
        text = NOT_XML.sub("", "\n".join(dict.fromkeys(_why(fault, lang) for fault in mine)))
        cell.comment = Comment(text[:_LONGEST_CELL], "lifecircle", width=320, height=110)
    reasons = [
        f"{fault.column}: {_why(fault, lang)}" if fault.column else _why(fault, lang)
        for fault in faults
    ]
    _put(sheet, number, problem, "\n".join(reasons)[:_LONGEST_CELL])
    cell = sheet.cell(number, problem)
    cell.fill = _fill(faults)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.cell(number, 1).fill = _fill(faults)


def _listed(book: Workbook, checked: Checked, lang: Language) -> None:
    sheet = book.create_sheet(say("sheet_faults", lang))
    _head(sheet, [say(f"sheet_{key}", lang) for key in ("row", "column", "kind", "problem")])
    for number, fault in enumerate(checked.faults, start=2):
        told = (fault.row, fault.column, say(f"sheet_{fault.severity}", lang), _why(fault, lang))
        for place, value in enumerate(told, start=1):
            _put(sheet, number, place, value)
        sheet.cell(number, 3).fill = _fill([fault])
        sheet.cell(number, 4).alignment = Alignment(wrap_text=True, vertical="top")
    last = len(checked.faults) + 3
    _put(sheet, last, 4, say("sheet_about", lang))
    sheet.cell(last, 4).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.cell(last, 4).font = Font(italic=True)
    _fit(sheet, widest={4: 90})


def _why(fault: Fault, lang: Language) -> str:
    return fault.problem(lang)


def _fill(faults: Iterable[Fault]) -> PatternFill:
    colour = _RED if any(fault.severity == "error" for fault in faults) else _YELLOW
    return PatternFill("solid", start_color=colour, end_color=colour)


def _head(sheet: Any, titles: Sequence[str]) -> None:
    for place, title in enumerate(titles, start=1):
        _put(sheet, 1, place, title)
        cell = sheet.cell(1, place)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", start_color=_GREY, end_color=_GREY)
    sheet.freeze_panes = "A2"


def _put(sheet: Any, row: int, column: int, value: Any) -> None:
    """A value into a cell; a text stays a text whatever sign it starts with."""
    plain = _plain(value)
    if plain is None:
        return
    cell = sheet.cell(row, column)
    if isinstance(plain, str):
        cell.value = NOT_XML.sub("", plain)[:_LONGEST_CELL]
        cell.data_type = "s"
        if plain.isdigit():
            cell.number_format = "@"
    else:
        cell.value = plain


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 2**53
        return int(value) if whole else value if value == value else None  # noqa: PLR0124
    return str(value)


def _no_formula(value: Any) -> Any:
    harmless = isinstance(value, str) and value.startswith(FORMULA_SIGNS) and not _is_number(value)
    return f"'{value}" if harmless else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _fit(sheet: Any, widest: Mapping[int, int] | None = None) -> None:
    """Columns about as wide as their first cells; Chinese signs count two."""
    for place in range(1, sheet.max_column + 1):
        lines = (
            line
            for row in range(1, min(sheet.max_row, _MEASURED_ROWS) + 1)
            for line in str(sheet.cell(row, place).value or "").split("\n")
        )
        wide = max((sum(2 if ord(c) > 0x2E80 else 1 for c in line) for line in lines), default=0)
        most = (widest or {}).get(place, _WIDEST)
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = min(max(wide + 2, _NARROWEST), most)


def _refuse_suffix(target: Path | IO[bytes], known: Sequence[str]) -> str:
    if not isinstance(target, Path):
        return ""
    suffix = target.suffix.lower()
    if suffix not in known:
        raise ParameterError("check_copy_suffix", name=target.name, known=" ".join(known))
    return suffix


def _refuse_long(records: Records) -> None:
    if len(records) > EXCEL_ROWS:
        raise ParameterError(
            "export_too_long", name=records.file, rows=len(records), most=EXCEL_ROWS
        )
