"""Statistics of units from long tables: one row per unit, attribute and year."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from lifecircle.analysis.policy.attributes import attributes, unit_attribute_names
from lifecircle.analysis.quantities import BoolArray, Counts, FloatArray, ObjectArray
from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.aliases import fold, known_values
from lifecircle.analysis.readers.records.attributes import parse_flags
from lifecircle.analysis.readers.records.cells import (
    WHOLE_TOLERANCE,
    group_rows,
    is_absent,
    keep_where,
    object_array,
    read_numbers,
    read_texts,
)
from lifecircle.analysis.readers.records.columns import (
    Column,
    pick_columns,
    refuse_strange_cells,
)
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.identifiers import read_plain
from lifecircle.analysis.readers.records.offers import offer_near
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.records.tables import StatisticsTable

_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2200
_NAMES_OFFERED: Final = 5


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
    picked = pick_columns(records.columns, "statistics", found)
    refuse_strange_cells(picked, found)
    for name in ("attribute", "value"):
        if name not in picked:
            found.add("statistics_column_missing", name=name, columns=records.titles)
    if "unit_code" not in picked and "unit_name" not in picked:
        found.add("statistics_column_missing", name="unit_code", columns=records.titles)
    if not {"attribute", "value"} <= picked.keys() or not {"unit_code", "unit_name"} & set(picked):
        found.stop_on_errors()
    code = read_plain(picked.get("unit_code"), records)
    named = read_plain(picked.get("unit_name"), records)
    found.each("statistics_unit_blank", is_absent(code) & is_absent(named))
    attribute = _read_names(picked["attribute"], found)
    value, known = _read_values(picked["value"], attribute, found)
    table = StatisticsTable(
        unit_code=code,
        unit_name=named,
        attribute=attribute,
        value=value,
        year=_read_years(picked.get("year"), records, found),
        source=read_plain(picked.get("source"), records),
        file=records.file,
    )
    _refuse_repeats(table, known, found)
    found.stop_on_errors()
    return replace(
        table,
        unit_code=code[known],
        unit_name=named[known],
        attribute=attribute[known],
        value=value[known],
        year=table.year.take(known),
        source=table.source[known],
        warnings=found.warnings(),
    )


def _read_names(column: Column, found: Findings) -> ObjectArray:
    """Names of the vocabulary; a word it lacks is a fault that offers the nearest."""
    names = unit_attribute_names()
    said = read_texts(column.values)
    found.each("statistics_attribute_blank", is_absent(said), column=column.title)
    known = object_array([None if s is None else names.get(fold(s)) for s in said])
    listed = attributes()["unit"]
    titles = {word: f"{listed[name].zh} ({name})" for word, name in names.items()}
    offer = offer_near(titles, _NAMES_OFFERED)
    for word, rows in group_rows(keep_where(said, is_absent(known))).items():
        near = ", ".join(offer(word))
        found.each_of("statistics_attribute_unknown", rows, column=column.title,
                      values=column.values, near=near)  # fmt: skip
    return known


def _read_values(
    column: Column, attribute: ObjectArray, found: Findings
) -> tuple[FloatArray, BoolArray]:
    """Values and where they are known; what does not fit the attribute's kind is a fault."""
    parsed = read_numbers(column.values)
    value, blank = parsed.value.copy(), parsed.blank
    table = attributes()["unit"]
    kinds = object_array([None if name is None else table[name].dtype for name in attribute])
    flags = np.equal(kinds, "flag") & ~blank
    if flags.any():
        said = read_texts(column.values[flags])
        value[flags] = parse_flags(said, dict(known_values("flag")))
    held = np.nan_to_num(value, nan=-1.0)
    whole = np.abs(held - np.rint(held)) <= WHOLE_TOLERANCE
    wrong = ~blank & ~is_absent(kinds) & ((held < 0) | (np.equal(kinds, "count") & ~whole))
    found.each("statistics_value", wrong, column=column.title, values=column.values)
    found.remark("statistics_value_blank", blank, column=column.title)
    return value, ~blank & ~wrong


def _read_years(column: Column | None, records: Records, found: Findings) -> Counts:
    """Years, unknown where blank or where there is no such column."""
    if column is None:
        return Counts.unknown(len(records))
    cells = [str(cell).strip().removesuffix("年") for cell in column.values.tolist()]
    parsed = read_numbers(object_array([None if c in ("", "None", "nan") else c for c in cells]))
    held = np.nan_to_num(parsed.value, nan=float(_FIRST_YEAR))
    wrong = ~parsed.blank & (
        parsed.bad | (held != np.rint(held)) | (held < _FIRST_YEAR) | (held > _LAST_YEAR)
    )
    found.each("statistics_year", wrong, column=column.title, values=column.values)
    return Counts.of(held, parsed.known & ~wrong)


def _refuse_repeats(table: StatisticsTable, known: BoolArray, found: Findings) -> None:
    """The same unit, attribute and year with another value is a fault."""
    first: dict[tuple[object, ...], int] = {}
    rows = zip(table.unit_code, table.unit_name, table.attribute, table.year.to_list(), strict=True)
    for index, (code, name, attribute, year) in enumerate(rows):
        if not known[index] or attribute is None:
            continue
        key = (code if code is not None else ("name", name), attribute, year)
        earlier = first.setdefault(key, index)
        if earlier != index and table.value[earlier] != table.value[index]:
            found.add(
                "statistics_twice",
                row=int(found.rows[index]),
                first_row=int(found.rows[earlier]),
            )
