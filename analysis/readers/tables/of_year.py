"""Residents of one year out of a table that tells several.

A column says its year in its title (``population_2030``, ``2030年人口``, ``pop_65_2030``); a row
that people move into later (``move_in_year``) holds nobody before.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Final

import numpy as np

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.quantities import BoolArray
from lifecircle.analysis.readers.records.aliases import aliases_of, fold, title_keys
from lifecircle.analysis.readers.records.cells import read_numbers
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.records import Records

_YEAR: Final = r"((?:19|20|21)\d\d)年?末?"
_BRACKETED: Final = re.compile(rf"[(\[（【]\s*{_YEAR}\s*[)\]）】]")
_FIRST: Final = re.compile(rf"{_YEAR}[\s_\-]*(.+)")
_LAST: Final = re.compile(rf"(.+?[\s_\-]+|.*?[^\d\s_\-]){_YEAR}")
_GROUP: Final = re.compile(r"pop_[a-z0-9][a-z0-9_+]*?")
_PEOPLE: Final = ("population", "pop_0_3", "pop_65", "households")
MOVE_IN: Final = "move_in_year"


def of_year(records: Records, year: int | None) -> Records:
    """The table with the residents of a year alone, under titles without a year.

    A table without such columns stays as it is. Without a `year` columns that name none count;
    where there are none the only year there is does.

    Raises
    ------
    InputError : the table does not tell the year, or tells several and none is asked for; rows
        with a year of moving in, and no year is asked for.
    """
    dated = {i: said for i, one in enumerate(records.columns) if (said := _dated(one)) is not None}
    years = sorted({told for _, told in dated.values()})
    plain = {i for i, one in enumerate(records.columns) if i not in dated and _is_people(one)}
    totals = {told for what, told in dated.values() if _field(what) == "population"}
    asked = year
    if totals and year is None and not any(_named(records.columns[i]) for i in plain):
        if len(totals) > 1:
            raise InputError([_fault("input_year_which", records, years=_listed(totals))])
        asked = next(iter(totals))
    if asked is not None and totals:
        if asked not in totals:
            known = _listed(totals)
            raise InputError([_fault("input_year_absent", records, year=asked, years=known)])
        dropped = plain | {i for i, (_, told) in dated.items() if told != asked}
        columns = tuple(
            _undated(one, dated[i][0]) if i in dated else one
            for i, one in enumerate(records.columns)
            if i not in dropped
        )
        remark = _fault("input_year_taken", records, "note", year=asked, years=_listed(years))
        records = replace(records, columns=columns, remarks=(*records.remarks, remark))
    return _moved_in(records, asked)


def last_year(records: Records) -> int | None:
    """The last year that a table tells residents of; None where it names none."""
    years = {said[1] for one in records.columns if (said := _dated(one)) is not None}
    column = _moving(records)
    if not years and column is not None:
        told = read_numbers(column.values)
        years = {int(value) for value in told.value[told.known]}
    return max(years, default=None)


def _moving(records: Records) -> Column | None:
    """The column of the years of moving in."""
    names = {fold(alias) for alias in aliases_of("population")[MOVE_IN]}
    for one in records.columns:
        if MOVE_IN in one.fields or (not one.fields and fold(one.title) in names):
            return one
    return None


def _moved_in(records: Records, year: int | None) -> Records:
    """The rows where people live in a year: nobody does before the year of moving in."""
    column = _moving(records)
    if column is None:
        return records
    told = read_numbers(column.values)
    if year is None:
        if not told.known.any():
            return records
        raise InputError([_fault("input_year_moving", records, column=column.title)])
    later: BoolArray = told.known & (np.nan_to_num(told.value) > year)
    if not later.any():
        return records
    params = {"count": int(later.sum()), "year": year}
    remark = _fault("input_year_later", records, "warning", column=column.title, **params)
    kept = records.take(~later)
    return replace(kept, remarks=(*kept.remarks, remark))


def _dated(column: Column) -> tuple[str, int] | None:
    """What a column of residents holds, and of which year; None for any other column."""
    if column.fields:
        return None
    title = _BRACKETED.sub(r"_\1", unicodedata.normalize("NFKC", column.title)).strip()
    first, last = _FIRST.fullmatch(title), _LAST.fullmatch(title)
    if first is not None and _field(first[2]) is not None:
        return first[2], int(first[1])
    if last is not None and _field(what := last[1].rstrip(" _-")) is not None:
        return what, int(last[2])
    return None


def _field(title: str) -> str | None:
    """The field of residents that a title without a year names."""
    keys = {key for key, _ in title_keys(title)}
    known = aliases_of("population")
    for field in _PEOPLE:
        if any(fold(alias) in keys for alias in known[field]):
            return field
    plain = re.sub(r"[\s\-.]+", "_", title.casefold()).strip("_")
    return plain if _GROUP.fullmatch(plain) else None


def _is_people(column: Column) -> bool:
    return any(one in _PEOPLE for one in column.fields) or (
        not column.fields and _field(column.title) is not None
    )


def _named(column: Column) -> bool:
    """Whether a column without a year holds all residents."""
    return "population" in column.fields or (
        not column.fields and _field(column.title) == "population"
    )


def _undated(column: Column, what: str) -> Column:
    field = _field(what)
    if field in _PEOPLE:
        return replace(column, also=(*column.also, what))
    return replace(column, fields=(str(field),))


def _listed(years: set[int] | list[int]) -> str:
    return ", ".join(map(str, sorted(years)))


def _fault(key: str, records: Records, severity: str = "error", **params: object) -> Fault:
    column = params.pop("column", None)
    told = None if column is None else str(column)
    if severity == "note":
        return Fault(key, records.file, column=told, params=params, severity="note")
    if severity == "warning":
        return Fault(key, records.file, column=told, params=params, severity="warning")
    return Fault(key, records.file, column=told, params=params)
