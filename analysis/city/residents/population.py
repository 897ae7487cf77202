"""Residents: cells from a table, and whole persons shared out by weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from lifecircle.analysis.city.frames import code_key, counts, group_columns, texts
from lifecircle.analysis.city.model import GeometryArray, StrArray
from lifecircle.analysis.city.shapes import anchor_xy, metric_geometry, polygons_only
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.quantities import BoolArray, FloatArray, Int32Array, IntArray
from lifecircle.analysis.texts import named_group


@dataclass(frozen=True, slots=True)
class CellSeed:
    """Populated points or polygons before they join the streets (c cells).

    `xy_m` float64 (c, 2); `polygon` or None where the cell is a point; `residents` int64;
    `groups[name]` int64: persons known to be of the group; a cell whose number is unknown adds
    nobody, and `warnings` say how many such cells there are. `modelled`: residents spread from
    unit totals.
    """

    id: StrArray
    xy_m: FloatArray
    polygon: GeometryArray
    residents: IntArray
    groups: Mapping[str, IntArray]
    modelled: BoolArray
    warnings: tuple[Warn, ...] = ()

    def __len__(self) -> int:
        return len(self.residents)


def cells_from_table(frame: gpd.GeoDataFrame, crs: str) -> CellSeed:
    """Counted cells of a table in metres, sorted by id; those without residents stay.

    Parameters
    ----------
    frame : ``id``, ``residents``, points or polygons in a known CRS; groups from ``pop_X``
        (the group ``X``) and ``households``, null = unknown. A group unknown in every cell is
        left out.
    crs : the metric CRS of the city.
    """
    ids = texts(frame["id"])
    order = sorted(range(len(ids)), key=lambda i: code_key(str(ids[i])))
    ordered = frame.iloc[order]
    geometry = metric_geometry(ordered, crs)
    columns = {group: counts(ordered, column) for group, column in group_columns(frame).items()}
    groups, warnings = known_groups(columns)
    return CellSeed(
        id=ids[order],
        xy_m=anchor_xy(geometry),
        polygon=polygons_only(geometry),
        residents=counts(ordered, "residents"),
        groups=groups,
        modelled=np.zeros(len(ids), dtype=np.bool_),
        warnings=warnings,
    )


def known_groups(
    columns: Mapping[str, IntArray],
) -> tuple[dict[str, IntArray], tuple[Warn, ...]]:
    """Groups known in at least one cell, from numbers per cell with -1 where unknown.

    Unknown cells count nobody, with a warning.
    """
    groups, warnings = {}, []
    for group, count in columns.items():
        unknown = int(np.count_nonzero(count < 0))
        if unknown == len(count):
            continue
        groups[group] = np.maximum(count, 0)
        if unknown:
            warnings.append(
                Warn("group_partly_unknown", {"group": named_group(group), "count": unknown})
            )
    return groups, tuple(warnings)


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
