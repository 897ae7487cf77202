"""Residents: cells from a table, whole persons in every unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.analysis.city.model import GeometryArray, StrArray, Units
from lifecircle.analysis.city.shapes import (
    anchor_xy,
    anchors_in_metres,
    keep_polygons,
    project_located,
)
from lifecircle.analysis.city.units.units import lowest_unit
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.quantities import BoolArray, Counts, FloatArray, IntArray
from lifecircle.analysis.readers.records.identifiers import code_key, order_by_code
from lifecircle.analysis.readers.records.tables import CellTable, Fractions
from lifecircle.analysis.texts import named_group
from lifecircle.analysis.whole_persons import UNBOUNDED, Along, round_people


@dataclass(frozen=True, slots=True)
class CellSeed:
    """Populated points or polygons before they join the streets (c cells).

    `xy_m` float64 (c, 2); `polygon` or None where the cell is a point; `residents` int64;
    `groups[name]`: persons of the group, where known; `warnings` say in how many cells they are
    not. `modelled`: residents spread from unit totals. `counted`: whether it is known who lives
    here; where it is not `residents` are 0 and mean nothing.
    """

    id: StrArray
    xy_m: FloatArray
    polygon: GeometryArray
    residents: IntArray
    groups: Mapping[str, Counts]
    modelled: BoolArray
    warnings: tuple[Warn, ...] = ()
    counted: bool = True

    def __len__(self) -> int:
        return len(self.residents)

    def saying(self, *remarks: Warn) -> CellSeed:
        """The same cells with further remarks."""
        return replace(self, warnings=(*remarks, *self.warnings))


def cells_from_table(
    table: CellTable, crs: str, units: Units | None = None, block: IntArray | None = None
) -> CellSeed:
    """Counted cells of a table in metres, sorted by id; those without residents stay.

    Where the file holds fractions they become whole persons in each of the `units` (the lowest
    one around a cell), and cells left without anybody go, but for one where a unit has no other.
    `block` (n,) says otherwise within which cells that is done.
    A group unknown in every cell is left out. `crs`: the metric CRS of the city.
    """
    rows = np.arange(len(table))
    residents, groups = table.residents, dict(table.groups)
    if table.fractions is not None:
        rows, residents, groups = _make_whole(
            table, table.fractions, _blocks(table, crs, units) if block is None else block
        )
    ids = table.id[rows]
    order = order_by_code(ids)
    where = table.where if len(rows) == len(table) else table.where.take(rows)
    geometry = project_located(where, crs)[order]
    kept, warnings = keep_known({name: counts.take(order) for name, counts in groups.items()})
    return CellSeed(
        id=ids[order],
        xy_m=anchor_xy(geometry),
        polygon=keep_polygons(geometry),
        residents=residents[order],
        groups=kept,
        modelled=np.zeros(len(ids), dtype=np.bool_),
        warnings=warnings,
    )


def _make_whole(
    table: CellTable, fractions: Fractions, block: IntArray
) -> tuple[IntArray, IntArray, dict[str, Counts]]:
    """Rows of a table that stay, with their whole persons and groups."""
    along = Along.curve(table.where.centres(), fractions.persons, block)
    people, groups = round_people(fractions.persons, fractions.groups, along)
    stays = people.value > 0
    if UNBOUNDED in groups:
        stays |= groups[UNBOUNDED].value > 0
    stood_for = np.isin(block, block[stays])
    first = along.rows[along.begins]
    stays[first[~stood_for[first]]] = True
    rows = np.flatnonzero(stays)
    return rows, people.value[rows], {name: held.take(rows) for name, held in groups.items()}


def _blocks(table: CellTable, crs: str, units: Units | None) -> IntArray:
    if units is None:
        return np.zeros(len(table), dtype=np.int64)
    return rank_lowest(anchors_in_metres(table.where, crs), units)


def rank_lowest(xy_m: FloatArray, units: Units) -> IntArray:
    """For each point the place, in the order of codes, of the lowest unit around it; last: none."""
    codes = [(code_key(str(units.code[i])), i) for i in range(len(units.code))]
    rank = np.full(len(codes) + 1, len(codes), dtype=np.int64)
    rank[[i for _, i in sorted(codes)]] = np.arange(len(codes))
    return rank[lowest_unit(xy_m, units)]


def keep_known(groups: Mapping[str, Counts]) -> tuple[dict[str, Counts], tuple[Warn, ...]]:
    """Groups known in at least one cell; a warning for those unknown in some."""
    kept: dict[str, Counts] = {}
    warnings = []
    for group, counts in groups.items():
        unknown = int(np.count_nonzero(~counts.known))
        if unknown == len(counts):
            continue
        kept[group] = counts
        if unknown:
            warnings.append(
                Warn("group_partly_unknown", {"group": named_group(group), "count": unknown})
            )
    return kept, tuple(warnings)
