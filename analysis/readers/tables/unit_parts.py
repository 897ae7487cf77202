"""Parts of one unit that stand in several rows of a layer: one unit, its outlines joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely

from lifecircle.analysis.quantities import FloatArray, IntArray, ObjectArray
from lifecircle.analysis.readers.records.cells import group_rows
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.findings import ROWS_NAMED, Findings
from lifecircle.analysis.texts import first_of


@dataclass(frozen=True, slots=True)
class UnitRows:
    """The units of one file, a row each; `persons` and `groups` NaN where unknown."""

    rows: IntArray
    texts: Mapping[str, ObjectArray]
    persons: FloatArray
    groups: Mapping[str, FloatArray]
    where: Located


def join_parts(units: UnitRows, found: Findings) -> UnitRows:
    """Rows of the same level, code and name as one unit, with a remark on each such unit.

    A figure that is the same in all parts that have one is taken once, for programs that split an
    outline copy its figures; others are added. Which of them was done is told.
    """
    keys = zip(units.texts["level"], units.texts["code"], units.texts["name"], strict=True)
    alike = group_rows(None if None in key else key for key in keys)
    several = {key: members for key, members in alike.items() if len(members) > 1}
    if not several:
        return units
    shapes, persons = units.where.shapes.copy(), units.persons.copy()
    groups = {name: one.copy() for name, one in units.groups.items()}
    dropped = np.zeros(len(units.rows), np.bool_)
    for (_, code, name), members in several.items():
        first, parts = members[0], shapes[members]
        if not shapely.is_missing(parts).any():
            shapes[first] = shapely.union_all(parts)
        for values in groups.values():
            values[first], _ = _join_figure(values[members])
        persons[first], key = _join_figure(persons[members])
        dropped[members[1:]] = True
        rows = first_of(units.rows[members].tolist(), ROWS_NAMED)
        found.add(
            key, severity="warning", unit=f"{name} ({code})", rows=rows, persons=persons[first]
        )
    kept = np.flatnonzero(~dropped)
    return UnitRows(
        units.rows[kept],
        {name: values[kept] for name, values in units.texts.items()},
        persons[kept],
        {name: values[kept] for name, values in groups.items()},
        units.where.with_shapes(shapes).take(kept),
    )


def _join_figure(parts: FloatArray) -> tuple[float, str]:
    """The figure of a unit by those of its parts, and the remark on how it came about."""
    known = parts[~np.isnan(parts)]
    if len(known) < 2:
        return float(known[0]) if len(known) else np.nan, "input_parts_joined"
    if (known == known[0]).all():
        return float(known[0]), "input_parts_same_figure"
    return float(known.sum()), "input_parts_added"
