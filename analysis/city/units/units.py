"""Administrative and planning units: their order, who holds whom, and which unit a point is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.model import GeometryArray, StrArray, Units
from lifecircle.analysis.city.shapes import anchor_xy, project_located
from lifecircle.analysis.city.units.inside import cut_out_inner
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.grouping.pair_blocks import find_in_blocks
from lifecircle.analysis.quantities import NOBODY, Counts, FloatArray, Int32Array, read_only
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.identifiers import code_key
from lifecircle.analysis.readers.records.tables import UnitTable
from lifecircle.analysis.texts import Named, Title, first_of

_SHOWN: Final = 5  # rows named in a warning

_MOST = 0.5  # a unit lies in the unit that holds more than this share of its area


def build_units(
    table: UnitTable | None,
    crs: str,
    levels: Sequence[str],
    area_polygon: shapely.Geometry | None = None,
) -> Units:
    """Units of all levels in metres, sorted from the highest level down and by code.

    Parameters
    ----------
    table : the units as read; None makes one unit ``area`` of level ``unit`` out of
        `area_polygon`.
    crs : the metric CRS of the city.
    levels : level ids from the highest to the lowest; unknown ones come after them.
    area_polygon : polygon of the study area in `crs`, for `table` None.

    Where a unit lies nearly all inside another of its level, the inner one is meant there: the
    outer one's outline has a hole.

    The parent of a unit is the unit of its declared parent code, else the unit of the nearest
    higher level that holds more than half of its area (a township passes by the streets beside
    it and finds its district).
    """
    if table is None:
        return _whole_area(area_polygon)
    rank = _rank_levels(table.level, levels)
    order = np.array(
        sorted(
            range(len(table)),
            key=lambda i: (rank[str(table.level[i])], code_key(str(table.code[i]))),
        ),
        dtype=np.int64,
    )
    code, level = table.code[order], table.level[order]
    present = tuple(sorted(set(level), key=rank.__getitem__))
    geometry = cut_out_inner(project_located(table.where, crs)[order], level)
    parent = _find_parents(code, level, present, geometry, table.parent_code[order])
    return Units(
        code=_freeze(code),
        name=_freeze(table.name[order]),
        name_en=_freeze(table.name_en[order]),
        level=_freeze(level),
        unit_class=_freeze(table.unit_class[order]),
        parent=_freeze(parent),
        residents=table.residents.take(order),
        geometry=_freeze(geometry),
        levels=present,
    )


def area_polygon_from(xy_m: FloatArray, margin_m: float) -> shapely.Polygon:
    """The study area where no units are given: the convex hull of points, `margin_m` wider.

    The margin (metres, positive) keeps the outermost points inside and gives a single point or
    a straight street an area.
    """
    hull = shapely.convex_hull(shapely.MultiPoint(np.asarray(xy_m, dtype=np.float64)))
    return shapely.buffer(hull, margin_m)


def assign_units(
    xy_m: FloatArray, units: Units, declared: Mapping[str, StrArray] | None = None
) -> dict[str, Int32Array]:
    """For every level the index of the unit that holds each point (k,), -1 outside all.

    A point on a shared border belongs to the unit with the lower code. A declared code
    (`declared` of the level: code or None per point) wins over geometry; a code that the level
    does not have counts as not declared.
    """
    xy = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    order = np.argsort(xy[:, 0], kind="stable")
    assigned = {}
    for level in units.levels:
        held = np.empty(len(xy), dtype=np.int32)
        held[order] = _find_holders(xy[order], units, level)
        if declared and level in declared:
            named = _find_named(declared[level], units, level)
            held = np.where(named == NOBODY, held, named).astype(np.int32)
        assigned[level] = held
    return assigned


def lowest_unit(xy_m: FloatArray, units: Units) -> Int32Array:
    """The unit of the lowest level around each point (k,), -1 outside all."""
    lowest = np.full(len(xy_m), NOBODY, dtype=np.int32)
    for held in assign_units(xy_m, units).values():  # from the highest level down
        lowest = np.where(held != NOBODY, held, lowest)
    return lowest


def sort_declared(codes: StrArray, units: Units) -> dict[str, StrArray]:
    """Declared codes (k,), None where not declared, sorted out by level for `assign_units`.

    A code is looked up from the lowest level upwards, and the units that hold the unit found
    are declared with it, so that all levels agree. Unknown codes are declared nowhere.
    """
    lowest: dict[str, int] = {code: i for i, code in enumerate(units.code)}
    declared = {level: np.full(len(codes), None, dtype=object) for level in units.levels}
    for row, code in enumerate(codes):
        unit = lowest.get(code, NOBODY)
        while unit != NOBODY:
            declared[units.level[unit]][row] = units.code[unit]
            unit = int(units.parent[unit])
    return declared


def compare_declared(
    xy_m: FloatArray,
    units: Units,
    declared: Mapping[str, StrArray],
    titles: Mapping[str, Title] = MappingProxyType({}),
    ids: StrArray | None = None,
) -> tuple[Warn, ...]:
    """Warnings, per level, where declared codes are unknown or disagree with the polygons.

    `titles`: what the levels are called. `ids` (k,): what the rows are called; left out, their
    numbers from 1.
    """
    called = np.arange(1, len(xy_m) + 1) if ids is None else ids
    by_place = assign_units(xy_m, units)
    warnings = []
    for level in units.levels:
        if level not in declared:
            continue
        named = _find_named(declared[level], units, level)
        given = np.array([code is not None for code in declared[level]], dtype=np.bool_)
        unknown = called[given & (named == NOBODY)].tolist()
        apart = called[(named != NOBODY) & (named != by_place[level])].tolist()
        title = titles.get(level) or Title(level, level)
        told = Named(title.zh, title.en, level)
        for key, rows in (("declared_unit_unknown", unknown), ("declared_unit_disagrees", apart)):
            if rows:
                shown = first_of(rows, _SHOWN)
                warnings.append(Warn(key, {"level": told, "count": len(rows), "ids": shown}))
    return tuple(warnings)


def group_totals(table: UnitTable, units: Units) -> dict[str, Counts]:
    """Group totals of a table of units, in the order of `units`."""
    row = {key: i for i, key in enumerate(zip(table.level, table.code, strict=True))}
    order = np.array([row[key] for key in zip(units.level, units.code, strict=True)], np.int64)
    return {group: counts.take(order) for group, counts in table.groups.items()}


def _whole_area(polygon: shapely.Geometry | None) -> Units:
    def alone(value: Any) -> NDArray[Any]:
        return _freeze(object_array([value]))

    return Units(
        code=alone("area"),
        name=alone("全区"),
        name_en=alone("Whole area"),
        level=alone("unit"),
        unit_class=alone(None),
        parent=_freeze(np.array([NOBODY], dtype=np.int32)),
        residents=Counts.unknown(1),
        geometry=alone(polygon),
        levels=("unit",),
    )


def _rank_levels(found: StrArray, levels: Sequence[str]) -> dict[str, int]:
    strange = sorted(set(found) - set(levels))
    return {level: rank for rank, level in enumerate([*levels, *strange])}


def _freeze(array: NDArray[Any]) -> NDArray[Any]:
    return read_only(array)


def _find_named(codes: StrArray, units: Units, level: str) -> Int32Array:
    index = {units.code[i]: i for i in units.of_level(level)}
    return np.array([index.get(code, NOBODY) for code in codes], dtype=np.int32)


def _find_holders(xy: FloatArray, units: Units, level: str) -> Int32Array:
    """The unit of a level that holds each point (k, 2), -1 outside all; points from west to east.

    Each unit is asked about the points in its box: no point becomes a shape.
    """
    members = units.of_level(level)
    held = np.full(len(xy), NOBODY, dtype=np.int32)
    box = shapely.bounds(units.geometry[members]).reshape(-1, 4)
    west, east = (
        np.searchsorted(xy[:, 0], box[:, 0]),
        np.searchsorted(xy[:, 0], box[:, 2], "right"),
    )
    for row in np.flatnonzero(east > west)[::-1]:  # the lower code comes last and wins
        x, y = xy[west[row] : east[row]].T
        near = np.flatnonzero((y >= box[row, 1]) & (y <= box[row, 3]))
        inside = shapely.intersects_xy(units.geometry[members[row]], x[near], y[near])
        held[west[row] + near[inside]] = members[row]
    return held


def _find_parents(
    code: StrArray,
    level: StrArray,
    levels: tuple[str, ...],
    geometry: GeometryArray,
    declared: StrArray,
) -> Int32Array:
    parent = np.full(len(code), NOBODY, dtype=np.int32)
    for below in range(1, len(levels)):
        orphans = np.flatnonzero(level == levels[below])
        for above in reversed(levels[:below]):
            named = {code[i]: i for i in np.flatnonzero(level == above)}
            for child in orphans[parent[orphans] == NOBODY]:
                parent[child] = named.get(declared[child], NOBODY)
        for above in reversed(levels[:below]):
            orphans = orphans[parent[orphans] == NOBODY]
            holders = np.flatnonzero(level == above)
            parent[orphans] = _find_mostly_in(geometry[orphans], geometry[holders], holders)
    return parent


def _find_mostly_in(
    children: GeometryArray, holders: GeometryArray, index: NDArray[np.intp]
) -> Int32Array:
    """For each child the index of the holder of most of it (lowest on ties), -1 if none."""
    best = np.full(len(children), NOBODY, dtype=np.int32)
    for child, holder in find_in_blocks(shapely.STRtree(holders), children, predicate="intersects"):
        share = _measure_shares(children[child], holders[holder])
        most = share > _MOST
        first = np.lexsort((holder[most], -share[most]))[::-1]  # the last write is the best one
        best[child[most][first]] = index[holder[most][first]]
    return best


def _measure_shares(children: GeometryArray, holders: GeometryArray) -> FloatArray:
    """The share of each child (k,) that lies in the holder beside it."""
    whole = shapely.area(children)
    shared = shapely.area(shapely.intersection(children, holders))
    flat = whole == 0  # a point or a line has no area: where its anchor lies decides
    anchors = shapely.points(anchor_xy(children[flat]))
    share = np.zeros(len(children))
    share[~flat] = shared[~flat] / whole[~flat]
    share[flat] = shapely.intersects(holders[flat], anchors)
    return share
