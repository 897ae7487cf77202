"""Residents: cells from a table, and whole persons shared out by weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.city.model import GeometryArray, StrArray
from lifecircle.analysis.city.order import code_key
from lifecircle.analysis.city.shapes import anchor_xy, keep_polygons, project_located
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.quantities import BoolArray, Counts, FloatArray, Int32Array, IntArray
from lifecircle.analysis.readers.records.tables import CellTable
from lifecircle.analysis.texts import named_group


@dataclass(frozen=True, slots=True)
class CellSeed:
    """Populated points or polygons before they join the streets (c cells).

    `xy_m` float64 (c, 2); `polygon` or None where the cell is a point; `residents` int64;
    `groups[name]`: persons of the group, where known; `warnings` say in how many cells they are
    not. `modelled`: residents spread from unit totals.
    """

    id: StrArray
    xy_m: FloatArray
    polygon: GeometryArray
    residents: IntArray
    groups: Mapping[str, Counts]
    modelled: BoolArray
    warnings: tuple[Warn, ...] = ()

    def __len__(self) -> int:
        return len(self.residents)


def cells_from_table(table: CellTable, crs: str) -> CellSeed:
    """Counted cells of a table in metres, sorted by id; those without residents stay.

    A group unknown in every cell is left out. `crs`: the metric CRS of the city.
    """
    ids = table.id
    order = np.array(sorted(range(len(ids)), key=lambda i: code_key(str(ids[i]))), dtype=np.int64)
    geometry = project_located(table.where, crs)[order]
    groups, warnings = keep_known(
        {name: counts.take(order) for name, counts in table.groups.items()}
    )
    return CellSeed(
        id=ids[order],
        xy_m=anchor_xy(geometry),
        polygon=keep_polygons(geometry),
        residents=table.residents[order],
        groups=groups,
        modelled=np.zeros(len(ids), dtype=np.bool_),
        warnings=warnings,
    )


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


def share_out(weight: IntArray, owner: Int32Array, totals: IntArray) -> IntArray:
    """Whole persons per row (k,): each owner's total shared by weight, kept to the person.

    Largest remainder in exact integers: each row gets the whole part of its quota, the rest
    goes to the largest remainders, on ties to the earlier row.

    Parameters
    ----------
    weight : int64 (k,), not negative, above zero for at least one row of an owner with a total;
        a total times a weight stays below 9e18.
    owner : (k,), index into `totals`.
    totals : int64, not negative.
    """
    whole = np.zeros(len(totals), dtype=np.int64)
    np.add.at(whole, owner, weight)
    divisor = np.maximum(whole, 1)[owner]
    shares, rest = np.divmod(totals[owner] * weight, divisor)
    left = totals.copy()
    np.subtract.at(left, owner, shares)
    order = np.lexsort((-rest, owner))  # stable: equal remainders stay in row order
    begins = np.searchsorted(owner[order], np.arange(len(totals)))
    turn = np.arange(len(owner)) - begins[owner[order]]
    shares[order] += turn < left[owner[order]]
    return shares
