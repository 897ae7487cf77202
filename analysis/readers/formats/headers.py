"""Where a table begins and ends on a sheet: titles above, one or two header lines, notes below.

A sheet is a list of rows of raw cells. What is found here is told as notes, so that nobody has
to guess what was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.aliases import fold, is_known_title, row_words
from lifecircle.analysis.readers.records.cells import is_blank, object_array, read_numbers
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.files import refuse
from lifecircle.analysis.readers.records.findings import LISTED, ROWS_NAMED
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.texts import first_of

_SEARCHED: Final = 30  # filled rows among which the header is looked for
_KNOWN_ENOUGH: Final = 2  # recognised titles that make a row a header
_USUAL: Final = 0.75  # of the rows fill a column that a row of sums leaves blank
_CELLS_SHOWN: Final = 4  # of a row that is no header
_NOTE_CELLS: Final = 2  # a note below the data fills no more cells than that

Cells = Sequence[Any]
Merged = tuple[tuple[int, int], tuple[int, int]]  # first and last (row, column), from 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its rows (the first is row 1), its name, its merged ranges.

    `hidden`: rows, from 0, that the program does not show. `struck`: rows with cells struck out.
    """

    name: str
    lines: Sequence[Cells]
    merged: Sequence[Merged] = ()
    hidden: frozenset[int] = frozenset()
    struck: frozenset[int] = frozenset()
    remarks: tuple[Fault, ...] = ()


@dataclass(slots=True)
class _Body:
    """The rows of data on the way, and what was left out."""

    rows: list[tuple[int, Cells]]
    told: list[Fault] = field(default_factory=list)


def count_known_titles(sheet: Sheet) -> int:
    """How many cells of the header of a sheet are titles we know."""
    filled = _keep_filled(sheet.lines)
    return max((_count_known(line) for _, line in filled[:_SEARCHED]), default=0)


def find_records(path: Path, sheet: Sheet) -> Records:
    """The records of a sheet.

    Raises
    ------
    InputError
        There is no row below the header, or rows are longer than the header.
    """
    filled = _keep_filled(sheet.lines)
    if len(filled) < 2:
        raise refuse(path, "input_no_rows")
    at = _find_header(filled)
    row, top = filled[at]
    _refuse_data_as_header(path, row, top)
    told: list[Fault] = list(sheet.remarks)
    if at:
        told.append(_make_note("input_header_row", path, row=row))
    titles: list[tuple[str, tuple[str, ...]]]
    titles = [("" if is_blank(cell) else " ".join(str(cell).split()), ()) for cell in top]
    body = filled[at + 1 :]
    if body and _is_second_line(top, body[0][1]):
        titles = _join_titles(titles, body[0][1])
        told.append(_make_note("input_header_two", path, row=row, second=body[0][0]))
        body = body[1:]
    filled_down, note = _fill_merged(sheet, body, path)
    data = _drop_notes(_Body(filled_down, [*told, *note]), len(titles), path)
    if not data.rows:
        raise refuse(path, "input_no_rows")
    data.told.extend(_tell_unseen(path, sheet, data.rows))
    _refuse_long(path, data.rows, len(titles))
    width = len(titles)
    padded = [[*line[:width], *([None] * (width - len(line)))] for _, line in data.rows]
    columns = tuple(
        Column(title, object_array(list(cells)), also)
        for (title, also), cells in zip(titles, zip(*padded, strict=True), strict=True)
        if title
    )
    rows = np.array([row for row, _ in data.rows], np.int64)
    return Records(path, columns, rows, remarks=tuple(data.told))


def _make_note(key: str, path: Path, severity: Any = "note", **params: Any) -> Fault:
    return Fault(key, path.name, params=params, severity=severity)


def _keep_filled(lines: Sequence[Cells]) -> list[tuple[int, Cells]]:
    return [
        (row, line)
        for row, line in enumerate(lines, start=1)
        if not all(is_blank(cell) for cell in line)
    ]


def _count_known(line: Cells) -> int:
    return len({cell for cell in line if isinstance(cell, str) and is_known_title(cell)})


def _find_header(filled: Sequence[tuple[int, Cells]]) -> int:
    """Index of the header: the first row with two titles we know, else the first wide row."""
    searched = filled[:_SEARCHED]
    for at, (_, line) in enumerate(searched[:-1] if len(searched) == len(filled) else searched):
        if _count_known(line) >= _KNOWN_ENOUGH:
            return at
    sizes = [sum(not is_blank(cell) for cell in line) for _, line in searched]
    return next(at for at, size in enumerate(sizes) if 2 * size >= max(sizes))


def _refuse_data_as_header(path: Path, row: int, top: Cells) -> None:
    """A header with numbers such as coordinates and no title we know is a row of data."""
    full = [cell for cell in top if not is_blank(cell)]
    numbers = read_numbers(object_array(full))
    broken = numbers.known & (numbers.value != np.rint(np.nan_to_num(numbers.value)))
    if not _count_known(top) and (broken.sum() >= 2 or numbers.known.all()):
        shown = first_of([str(cell) for cell in full], _CELLS_SHOWN)
        raise refuse(path, "input_header_missing", row=row, cells=shown)


def _is_second_line(top: Cells, below: Cells) -> bool:
    """Whether the row below a header is its second line."""
    if bool(read_numbers(object_array([c for c in below if not is_blank(c)])).known.any()):
        return False
    added = False
    for place, cell in enumerate(below):
        if is_blank(cell):
            continue
        over = top[place] if place < len(top) else None
        known = isinstance(cell, str) and is_known_title(cell)
        if not is_blank(over) and is_known_title(str(over)):
            return False
        added = added or known
    return added


def _join_titles(
    titles: Sequence[tuple[str, tuple[str, ...]]], below: Cells
) -> list[tuple[str, tuple[str, ...]]]:
    """Titles of a header of two lines: ``over/under``, to be looked up by each of them."""
    joined: list[tuple[str, tuple[str, ...]]] = []
    last = ""
    for place in range(max(len(titles), len(below))):
        over = titles[place][0] if place < len(titles) else ""
        under = "" if place >= len(below) or is_blank(below[place]) else str(below[place]).strip()
        last = over or (last if under else "")
        if under and last:
            joined.append((f"{last}/{under}", (under, last + under)))
        else:
            joined.append((under or over, ()))
    return joined


def _fill_merged(
    sheet: Sheet, body: list[tuple[int, Cells]], path: Path
) -> tuple[list[tuple[int, Cells]], list[Fault]]:
    """The words of cells merged over several rows, in each of these rows; numbers stay single."""
    words: dict[tuple[int, int], Any] = {}
    if sum(last - first for (first, _), (last, _) in sheet.merged) > limits.CELLS:
        raise refuse(path, "input_table_large", most=f"{limits.ROWS:,}", cells=f"{limits.CELLS:,}")
    for (first, left), (last, right) in sheet.merged:
        cell = sheet.lines[first][left] if left < len(sheet.lines[first]) else None
        single = not isinstance(cell, str) or bool(read_numbers(object_array([cell])).known[0])
        if last == first or right != left or single or not cell:
            continue
        words |= {(row + 1, left): cell for row in range(first + 1, last + 1)}
    touched = sorted({row for row, _ in words} & {row for row, _ in body})
    if not touched:
        return body, []
    filled: list[tuple[int, Cells]] = []
    for row, line in body:
        cells = list(line)
        for place in range(len(cells)):
            if (row, place) in words and is_blank(cells[place]):
                cells[place] = words[row, place]
        filled.append((row, cells))
    rows = _name_rows(touched)
    return filled, [_make_note("input_merged_filled", path, count=len(touched), rows=rows)]


def _drop_notes(body: _Body, width: int, path: Path) -> _Body:
    """The rows without sums (anywhere) and without notes below the last row of data."""
    totals, notes = row_words("totals"), row_words("notes")
    kept = list(body.rows)
    left: list[tuple[int, str]] = []
    while len(kept) > 1:
        row, line = kept[-1]
        full = [cell for cell in line if not is_blank(cell)]
        words = fold(str(full[0]))
        short = len(full) <= _NOTE_CELLS < width and isinstance(full[0], str)
        if not (short and words.startswith(notes)):
            break
        left.append((row, str(full[0])))
        kept.pop()
    sums = [
        place
        for place, (_, line) in enumerate(kept)
        if fold(str(_first_filled(line))).rstrip(":()") in totals
    ]
    others = _without_places(kept, sums)
    usual = _find_usual(others, width) if sums else ()
    dropped = [
        place
        for place in sums
        if any(at >= len(kept[place][1]) or is_blank(kept[place][1][at]) for at in usual)
    ]
    left += [(kept[p][0], str(_first_filled(kept[p][1]))) for p in dropped]
    data = _without_places(kept, dropped)
    if not left:
        return replace(body, rows=data)
    shown = [f"{row} ({text[:20]})" for row, text in sorted(left)[:ROWS_NAMED]]
    said = ", ".join(shown) + (" ..." if len(left) > ROWS_NAMED else "")
    remark = replace(
        _make_note("input_rows_left", path, "warning", count=len(left), rows=said),
        rows=tuple(sorted(row for row, _ in left)),
    )
    return _Body(data, [*body.told, remark])


def _tell_unseen(path: Path, sheet: Sheet, rows: Sequence[tuple[int, Cells]]) -> Iterator[Fault]:
    """Remarks on rows of data that are hidden or struck out: they are read like any other."""
    for key, which in (("input_rows_hidden", sheet.hidden), ("input_rows_struck", sheet.struck)):
        named = tuple(row for row, _ in rows if row - 1 in which)
        if named:
            params = {"count": len(named), "rows": _name_rows(named)}
            yield Fault(key, path.name, None, None, params, "warning", named)


def _first_filled(line: Cells) -> Any:
    """The first cell of a row that is not blank."""
    return next(cell for cell in line if not is_blank(cell))


def _without_places(
    rows: Sequence[tuple[int, Cells]], places: Sequence[int]
) -> list[tuple[int, Cells]]:
    """The rows that do not stand at some places."""
    gone = set(places)
    if not gone:
        return list(rows)
    return [record for place, record in enumerate(rows) if place not in gone]


def _find_usual(rows: Sequence[tuple[int, Cells]], width: int) -> tuple[int, ...]:
    """Columns that nearly every row fills."""
    full = np.zeros(width, np.int64)
    for _, line in rows:
        full[: len(line)] += [not is_blank(cell) for cell in line[:width]]
    return tuple(np.flatnonzero(full >= _USUAL * len(rows)).tolist())


def _name_rows(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows[:ROWS_NAMED])) + (" ..." if len(rows) > ROWS_NAMED else "")


def _refuse_long(path: Path, rows: Sequence[tuple[int, Cells]], width: int) -> None:
    long = [row for row, line in rows if any(not is_blank(cell) for cell in line[width:])]
    if long:
        faults = [Fault("input_row_long", path.name, row, None, {"columns": width}) for row in long]
        rest = {"count": len(faults) - LISTED}
        more = [Fault("input_more", path.name, params=rest, rows=tuple(long[LISTED:]))]
        raise InputError(faults[:LISTED] + (more if len(faults) > LISTED else []))
