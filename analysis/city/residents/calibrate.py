"""Cells scaled to the totals of units: where people live from one file, how many from another.

A raster says where in a unit people live better than how many there are; a census says how many.
Each cell's share of its unit stays as it is, the unit's total is that of the units, to the person.
What the two files said before is kept, unit by unit: it is how far the raster can be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import shapely

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.model import Cells, Units
from lifecircle.analysis.city.notes import Calibrated
from lifecircle.analysis.city.residents.dasymetric import level_with_totals
from lifecircle.analysis.city.residents.population import CellSeed, rank_lowest
from lifecircle.analysis.city.shapes import anchors_in_metres
from lifecircle.analysis.city.units.units import assign_units
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.quantities import (
    NOBODY,
    BoolArray,
    Counts,
    FloatArray,
    Int32Array,
    IntArray,
)
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.identifiers import order_by_code
from lifecircle.analysis.readers.records.tables import CellTable, Fractions
from lifecircle.analysis.texts import Title
from lifecircle.analysis.whole_persons import Along, round_people

_NAMED = 3  # units with the largest differences that the remark names


@dataclass(frozen=True, slots=True)
class Scaled:
    """A table scaled to the totals of units.

    `block` (n,): within which cells are made whole; `rows`: what the files said of each unit;
    `empty`: units (indices) with a total in which the file has nobody.
    """

    table: CellTable
    block: IntArray
    rows: tuple[Calibrated, ...]
    empty: Int32Array


def scale_to_totals(
    table: CellTable, units: Units, group_totals: Mapping[str, Counts], crs: str
) -> Scaled:
    """Residents and groups of cells scaled to the totals of the lowest level that has any.

    Units without a total, and cells outside all units of that level, stay as the file has them.
    A group is scaled to the unit's own total of it, where there is none by the same factor as
    residents. `group_totals`: in the order of `units`.

    Raises
    ------
    ParameterError : no level has a total.
    """
    xy_m = anchors_in_metres(table.where, crs)
    level = level_with_totals(units)
    held = assign_units(xy_m, units)[level]
    persons, groups = _as_fractions(table)
    known = units.residents.known & (units.level == level)
    before = _sum_by(held, persons, len(units.code))
    fractions = _scaled(persons, groups, held, units, group_totals)
    block = _blocks(held, known, xy_m, units)
    rows = tuple(
        Calibrated(str(units.code[i]), level, float(before[i]), int(units.residents.value[i]))
        for i in np.flatnonzero(known).tolist()
    )
    empty = np.flatnonzero(known & (before == 0) & (units.residents.value > 0)).astype(np.int32)
    return Scaled(replace(table, fractions=fractions), block, rows, empty)


def scale_cells(cells: Cells, units: Units, group_totals: Mapping[str, Counts], crs: str) -> Cells:
    """Cells of a city scaled likewise; cells in which nobody is left stay, with 0 residents.

    Raises
    ------
    ParameterError : no level has a total.
    """
    level = level_with_totals(units)
    held, known = cells.unit[level], units.residents.known & (units.level == level)
    groups = {name: _or_nan(counts) for name, counts in cells.groups.items()}
    made = _scaled(cells.residents.astype(np.float64), groups, held, units, group_totals)
    block = _blocks(held, known, cells.xy_m, units)
    along = Along.curve(_centres(cells, crs), made.persons, block)
    residents, parts = round_people(made.persons, made.groups, along)
    return replace(cells, residents=residents.value, groups=MappingProxyType(parts))


def _centres(cells: Cells, crs: str) -> FloatArray:
    """Centroids of cells (c, 2), degrees: where the curve finds them."""
    xy_m = cells.xy_m.copy()
    drawn = np.array([shape is not None for shape in cells.polygon], dtype=np.bool_)
    xy_m[drawn] = shapely.get_coordinates(shapely.centroid(cells.polygon[drawn]))
    return to_lonlat(xy_m, crs)


def _scaled(
    persons: FloatArray,
    groups: Mapping[str, FloatArray],
    held: Int32Array,
    units: Units,
    group_totals: Mapping[str, Counts],
) -> Fractions:
    """Persons and groups of cells scaled to the totals of the units that hold them."""
    known = units.residents.known & (units.level == level_with_totals(units))
    factor = _factor(units.residents, known, _sum_by(held, persons, len(known)))
    mine = (held != NOBODY) & known[held]
    parts = {}
    for name, counts in groups.items():
        own = group_totals.get(name, Counts.unknown(len(known)))
        there = known & own.known
        by_unit = np.where(there, _factor(own, there, _sum_by(held, counts, len(known))), factor)
        parts[name] = np.where(mine, counts * by_unit[held], counts)
    return Fractions(np.where(mine, persons * factor[held], persons), parts)


def _blocks(held: Int32Array, known: BoolArray, xy_m: FloatArray, units: Units) -> IntArray:
    """Within which cells are made whole; whole totals first: they round exactly."""
    mine = (held != NOBODY) & known[held]
    return np.where(mine, held, rank_lowest(xy_m, units) + len(known))


def describe_calibration(units: Units, scaled: Scaled) -> Warn:
    """How far the file and the totals of the units lay apart before one was scaled to the other."""
    names = dict(zip(units.code, units.name, strict=True))
    apart = sorted(scaled.rows, key=lambda row: (-abs(row.total - row.before), row.unit_code))
    shown = [f"{names[row.unit_code]} {row.before:,.0f} → {row.total:,}" for row in apart[:_NAMED]]
    told = {
        "count": len(scaled.rows),
        "before": round(sum(row.before for row in scaled.rows)),
        "total": sum(row.total for row in scaled.rows),
        "apart": round(sum(abs(row.total - row.before) for row in scaled.rows)),
        "shown": Title("；".join(shown), "; ".join(shown)),
        "empty": len(scaled.empty),
    }
    return Warn("residents_calibrated", told)


def only_units(units: Units, chosen: Int32Array) -> Units:
    """The units with the totals of some of them alone."""
    here = np.zeros(len(units.code), dtype=np.bool_)
    here[chosen] = True
    residents = Counts.of(units.residents.value, units.residents.known & here)
    return replace(units, residents=residents)


def join_seeds(seeds: Sequence[CellSeed]) -> tuple[CellSeed, IntArray]:
    """Cells of several sources by id, and the place of each among all of them as given."""
    ids = np.concatenate([seed.id for seed in seeds])
    order = order_by_code(ids)
    names = list(dict.fromkeys(name for seed in seeds for name in seed.groups))
    groups = {}
    for name in names:
        counts = [seed.groups.get(name, Counts.unknown(len(seed))) for seed in seeds]
        value = np.concatenate([one.value for one in counts])
        groups[name] = Counts.of(value, np.concatenate([one.known for one in counts])).take(order)
    joined = CellSeed(
        id=object_array(ids[order].tolist()),
        xy_m=np.concatenate([seed.xy_m for seed in seeds])[order],
        polygon=np.concatenate([seed.polygon for seed in seeds])[order],
        residents=np.concatenate([seed.residents for seed in seeds])[order],
        groups=groups,
        modelled=np.concatenate([seed.modelled for seed in seeds])[order],
        warnings=tuple(warning for seed in seeds for warning in seed.warnings),
    )
    return joined, order


def _as_fractions(table: CellTable) -> tuple[FloatArray, Mapping[str, FloatArray]]:
    if table.fractions is not None:
        return table.fractions.persons, table.fractions.groups
    groups = {name: _or_nan(counts) for name, counts in table.groups.items()}
    return table.residents.astype(np.float64), groups


def _or_nan(counts: Counts) -> FloatArray:
    return np.where(counts.known, counts.value, np.nan)


def _sum_by(unit: Int32Array, persons: FloatArray, size: int) -> FloatArray:
    inside = (unit != NOBODY) & ~np.isnan(persons)
    summed: FloatArray = np.bincount(unit[inside], weights=persons[inside], minlength=size).astype(
        np.float64
    )
    return summed


def _factor(totals: Counts, known: np.ndarray, before: FloatArray) -> FloatArray:
    """By what the cells of each unit are multiplied; 1 where there is no total or nobody."""
    factor = np.ones(len(before))
    np.divide(totals.value, before, out=factor, where=known & (before > 0))
    return factor
