"""Statistics of units from long tables: one row per unit, attribute and year."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.policy.attributes import attributes, unit_attribute_names
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray
from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.columns import (
    WHOLE_TOLERANCE,
    Column,
    folded,
    known_values,
    numbers,
    objects,
    pick,
    texts,
)
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations
from lifecircle.analysis.readers.records.findings import Findings, ObjectArray, absent, frame_of
from lifecircle.analysis.readers.records.records import Records

UNKNOWN_YEAR: Final = -1

_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2200
_NAMES_OFFERED: Final = 5
_ALIKE: Final = 0.4


@dataclass(frozen=True, slots=True)
class StatisticsTable:
    """Rows that passed (`frame`) and what was remarked.

    `frame`: `unit_code`, `unit_name` (text or None), `attribute` (a name of the vocabulary),
    `value` float64 (flags 1 or 0), `year` int64 (-1 unknown), `source` (text or None), `file`.
    """

    frame: pd.DataFrame
    warnings: tuple[Fault, ...]


def read_statistics(path: Path, declared: Declarations = SILENT) -> StatisticsTable:
    """Figures about units from one long table; `declared`: what is said of the file.

    Blank values are left out: absent means unknown.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    return statistics_of(read_records(path, declared))


def statistics_of(records: Records) -> StatisticsTable:
    """The same from a file that is already open."""
    found = records.findings()
    picked = pick(records.columns, "statistics", found)
    for name in ("attribute", "value"):
        if name not in picked:
            found.add("statistics_column_missing", name=name, columns=records.titles)
    if "unit_code" not in picked and "unit_name" not in picked:
        found.add("statistics_column_missing", name="unit_code", columns=records.titles)
    found.stop_on_errors()
    code = _words(picked.get("unit_code"), records)
    named = _words(picked.get("unit_name"), records)
    found.each("statistics_unit_blank", absent(code) & absent(named))
    attribute = _attributes(picked["attribute"], found)
    value, known = _values(picked["value"], attribute, found)
    year = _years(picked.get("year"), records, found)
    frame = frame_of(
        {
            "unit_code": code,
            "unit_name": named,
            "attribute": attribute,
            "value": value,
            "year": year,
            "source": _words(picked.get("source"), records),
            "file": objects([records.file] * len(records)),
        }
    )
    _repeats(frame, known, found)
    found.stop_on_errors()
    return StatisticsTable(frame[known].reset_index(drop=True), found.warnings())


def _words(column: Column | None, records: Records) -> ObjectArray:
    return objects([None] * len(records)) if column is None else texts(column.values)


def _attributes(column: Column, found: Findings) -> ObjectArray:
    """Names of the vocabulary; a word it lacks is a fault that offers the nearest."""
    names = unit_attribute_names()
    said = texts(column.values)
    found.each("statistics_attribute_blank", absent(said), column=column.title)
    known = objects([None if s is None else names.get(folded(s)) for s in said])
    for word in dict.fromkeys(
        s for s, name in zip(said, known, strict=True) if s is not None and name is None
    ):
        found.each(
            "statistics_attribute_unknown",
            np.equal(said, word),
            column=column.title,
            values=column.values,
            near=", ".join(_nearest(word)),
        )
    return known


def _nearest(word: str) -> list[str]:
    names = unit_attribute_names()
    key = folded(word)
    near = get_close_matches(key, names, n=_NAMES_OFFERED * 2, cutoff=_ALIKE)
    near += [name for name in names if len(key) > 1 and (key in name or name in key)]
    listed = attributes()["unit"]
    found = dict.fromkeys(names[name] for name in near or list(names))
    return [f"{listed[name].zh} ({name})" for name in found][:_NAMES_OFFERED]


def _values(
    column: Column, attribute: ObjectArray, found: Findings
) -> tuple[FloatArray, BoolArray]:
    """Values and where they are known; what fits the attribute's kind is a fault otherwise."""
    parsed = numbers(column.values)
    value = parsed.value.copy()
    flags = known_values("flag")
    kinds = objects(
        [None if name is None else attributes()["unit"][name].dtype for name in attribute]
    )
    said = texts(column.values)
    blank = parsed.blank
    is_flag = np.equal(kinds, "flag")
    for index in np.flatnonzero(is_flag & ~blank):
        word = flags.get(folded(str(said[index]))) if said[index] is not None else None
        value[index] = {"yes": 1.0, "no": 0.0}.get(word or "", np.nan)
    held = np.nan_to_num(value, nan=-1.0)
    whole = np.abs(held - np.rint(held)) <= WHOLE_TOLERANCE
    wrong = ~blank & ~absent(kinds) & ((held < 0) | (np.equal(kinds, "count") & ~whole))
    found.each("statistics_value", wrong, column=column.title, values=column.values)
    found.remark("statistics_value_blank", blank, column=column.title)
    return value, ~blank & ~wrong


def _years(column: Column | None, records: Records, found: Findings) -> IntArray:
    if column is None:
        return np.full(len(records), UNKNOWN_YEAR, dtype=np.int64)
    cells = objects([str(cell).strip().removesuffix("年") for cell in column.values])
    parsed = numbers(objects([None if c in ("", "None", "nan") else c for c in cells]))
    held = np.nan_to_num(parsed.value, nan=float(_FIRST_YEAR))
    wrong = ~parsed.blank & (
        parsed.bad | (held != np.rint(held)) | (held < _FIRST_YEAR) | (held > _LAST_YEAR)
    )
    found.each("statistics_year", wrong, column=column.title, values=column.values)
    return np.where(parsed.known & ~wrong, held, UNKNOWN_YEAR).astype(np.int64)


def _repeats(frame: pd.DataFrame, known: BoolArray, found: Findings) -> None:
    """The same unit, attribute and year with another value is a fault."""
    first: dict[tuple[object, ...], int] = {}
    rows = zip(
        frame["unit_code"], frame["unit_name"], frame["attribute"], frame["year"], strict=True
    )
    for index, (code, name, attribute, year) in enumerate(rows):
        if not known[index] or attribute is None:
            continue
        key = (code if code is not None else ("name", name), attribute, year)
        earlier = first.setdefault(key, index)
        if earlier != index and frame["value"].iloc[earlier] != frame["value"].iloc[index]:
            found.add(
                "statistics_twice",
                row=int(found.rows[index]),
                first_row=int(found.rows[earlier]),
            )
