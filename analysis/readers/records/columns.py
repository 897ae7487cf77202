"""Columns by meaning: which column of a table holds what.

The names people use are data: `aliases`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from lifecircle.analysis.policy.sections.plausible import plausible
from lifecircle.analysis.quantities import BoolArray, FloatArray
from lifecircle.analysis.readers.records.aliases import (
    aliases_of,
    fold,
    refused_groups,
    title_keys,
)
from lifecircle.analysis.readers.records.attributes import attribute_kind
from lifecircle.analysis.readers.records.cells import (
    CellArray,
    Percent,
    Uncalculated,
    is_date,
    is_sheet_error,
    read_number,
    read_numbers,
    read_texts,
    show_value,
    whole_where_near,
)
from lifecircle.analysis.readers.records.findings import Findings

_CODES: Final = ("code", "unit_code", "parent_code")
_COUNTED: Final = ("population", "households")
_NUMBERS: Final = (*_COUNTED, "lon", "lat", "value", "year")
_DAYS: Final = ("end_date", "start_date")
_ROUNDED: Final = re.compile(r"\d(?:\.\d+)?e\+?\d{1,2}")
_GROUP = re.compile(r"pop_[a-z0-9][a-z0-9_+]*")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title as written in the file, and its cells (n,).

    `also`: further names it may be looked up by (the lines of a header of two lines).
    `fields`: the fields the user says it holds; then its title says nothing any more.
    """

    title: str
    values: CellArray
    also: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def pick_columns(columns: Sequence[Column], kind: str, found: Findings) -> dict[str, Column]:
    """The columns of a table by field; other columns are left alone.

    What the user says goes first. Two columns of the same title are a fault; two titles for one
    field are a warning, and so is a column whose title says a scale (``人口(万人)``): its numbers
    come scaled.
    """
    by_key: dict[str, list[tuple[Column, float]]] = {}
    for column in columns:
        if column.fields:
            continue
        for title in (column.title, *column.also):
            for key, scale in title_keys(title):
                by_key.setdefault(key, []).append((column, scale))
    picked: dict[str, Column] = {}
    for field, aliases in aliases_of(kind).items():
        said = next((column for column in columns if field in column.fields), None)
        if said is not None:
            picked[field] = said
            continue
        named = [by_key[fold(alias)] for alias in aliases if fold(alias) in by_key]
        if not named:
            continue
        first, scale = named[0][0]
        picked[field] = first if scale == 1 else _scale_column(first, scale, found)
        if sum(column.title.strip() == first.title.strip() for column in columns) > 1:
            found.add("input_column_twice", column=first.title)
        others = {c.title: None for group in named for c, _ in group if c.title != first.title}
        if others and field != "id":
            found.add(
                "input_column_chosen",
                column=first.title,
                severity="warning",
                others=", ".join(others),
            )
    return picked


def _scale_column(column: Column, scale: float, found: Findings) -> Column:
    """A column whose plain numbers are multiplied; a cell with a unit of its own stays."""
    values = column.values.astype(np.object_)
    for index, cell in enumerate(values):
        number = read_number(cell, units=False)
        if number is not None:
            values[index] = number * scale
    found.add("input_scaled", column=column.title, severity="warning", scale=f"{scale:,.10g}")
    return replace(column, values=values)


def refuse_strange_cells(picked: Mapping[str, Column], found: Findings) -> None:
    """Faults of cells that say nothing though they are not empty, whatever the field.

    Codes that a spreadsheet rounded (``5.30102E+11``) are some: their digits are lost.

    Errors of a spreadsheet, formulas saved without their values, dates and times where a number
    or a code has to stand, percent where persons or things are counted. A date in any other text
    is a remark.
    """
    for field, column in picked.items():
        if column.values.dtype != np.object_:
            continue
        if field in _CODES:
            refuse_rounded_codes(column, found)
        strange = [_tell_strange(cell) for cell in column.values]
        for key in dict.fromkeys(strange):
            where = np.fromiter((one == key for one in strange), np.bool_, count=len(strange))
            counted = field.startswith("pop_") or field in _COUNTED
            measured = attribute_kind(field) in ("number", "count")
            if key == "input_cell_date" and field in _DAYS:
                continue
            if key is None or (key == "input_cell_percent" and not (counted or measured)):
                continue
            if key == "input_cell_date" and not (
                counted or measured or field in (*_NUMBERS, *_CODES)
            ):
                first = show_value(column.values[int(np.argmax(where))])
                found.remark("input_cells_dated", where, column=column.title, value=first)
            else:
                found.explain(key, where, column=column.title, values=column.values)


def refuse_rounded_codes(column: Column, found: Findings) -> BoolArray:
    """Faults of division codes that a spreadsheet rounded; which cells (n,) they are."""
    said = [None if t is None else unicodedata.normalize("NFKC", t).strip().casefold()
            for t in read_texts(column.values)]  # fmt: skip
    rounded = np.array([t is not None and bool(_ROUNDED.fullmatch(t)) for t in said], np.bool_)
    found.explain("check_code_damaged", rounded, column=column.title, values=column.values)
    return rounded


def _tell_strange(cell: Any) -> str | None:
    """What is wrong with a cell by its type, whatever it should hold."""
    if isinstance(cell, str):
        if isinstance(cell, Uncalculated):
            return "input_cell_formula"
        return "input_cell_error" if is_sheet_error(cell) else None
    if isinstance(cell, Percent):
        return "input_cell_percent"
    return "input_cell_date" if is_date(cell) else None


def pick_groups(
    columns: Sequence[Column], picked: Mapping[str, Column], found: Findings
) -> dict[str, Column]:
    """Population groups by name (``pop_0_3``, ``pop_65``, any other ``pop_*``), and households."""
    taken = {id(column) for column in picked.values()}
    groups = {
        field: column
        for field, column in picked.items()
        if field.startswith("pop_") or field == "households"
    }
    for column in columns:
        said = next((field for field in column.fields if field.startswith("pop_")), None)
        plain = unicodedata.normalize("NFKC", said or column.title).casefold()
        name = re.sub(r"[\s\-.]+", "_", plain).strip("_")
        known = _GROUP.fullmatch(name) and not refused_groups().fullmatch(name)
        if id(column) in taken or not known:
            continue
        if name in groups:
            found.add("input_column_twice", column=column.title)
            continue
        parsed = read_numbers(column.values)
        if parsed.known.any() or not parsed.bad.any():
            groups[name] = column
        else:
            found.add("input_group_not_numbers", column=column.title, severity="warning")
    return groups


def read_persons(column: Column, found: Findings, *, required: bool) -> FloatArray:
    """A column of persons (or households), numbers ≥ 0 that may be fractions; NaN unknown.

    Faults: text, negative, more than there are people; blank cells too where `required`.
    """
    parsed = read_numbers(column.values)
    title, cells = column.title, column.values
    found.each("input_number_text", parsed.bad, column=title, values=cells)
    if required:
        found.each("input_count_blank", parsed.blank, column=title)
    value = np.where(parsed.known, parsed.value, 0.0)
    found.each("input_count_negative", value < 0, column=title, values=cells)
    most = plausible().most_persons.value
    too_many = value > most
    found.each("input_persons_impossible", too_many, column=title, values=cells, most=most)
    sound = parsed.known & (value >= 0) & ~too_many
    persons = whole_where_near(np.where(sound, value, np.nan))
    broken = int(np.count_nonzero(sound & (persons != np.rint(persons))))
    if broken:
        found.add("input_fractions", severity="warning", column=title, count=broken,
                  persons=float(np.nansum(persons)))  # fmt: skip
    return persons
