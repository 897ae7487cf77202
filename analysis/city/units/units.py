"""Administrative and planning units: their order, who holds whom, and which unit a point is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.frames import code_key, counts, group_columns, texts
from lifecircle.analysis.city.model import GeometryArray, StrArray, Units
from lifecircle.analysis.city.shapes import anchor_xy, metric_geometry
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.quantities import NOBODY, FloatArray, Int32Array, IntArray, read_only
from lifecircle.analysis.texts import Named, Title

_MOST = 0.5  # a unit lies in the unit that holds more than this share of its area


def build_units(
    frame: gpd.GeoDataFrame | None,
    crs: str,
    levels: Sequence[str],
    area_polygon: shapely.Geometry | None = None,
) -> Units:
    """Units of all levels in metres, sorted from the highest level down and by code.

    Parameters
    ----------
    frame : rows with ``code``, ``name``, ``level`` and a polygon in a known CRS; ``name_en``,
        ``unit_class``, ``residents`` (null = unknown) and ``parent_code`` may be missing.
        None makes one unit ``area`` of level ``unit`` out of `area_polygon`.
    crs : the metric CRS of the city.
    levels : level ids from the highest to the lowest; unknown ones come after them.
    area_polygon : polygon of the study area in `crs`, for `frame` None.

    The parent of a unit is the unit of its declared parent code, else the unit of the nearest
    higher level that holds more than half of its area (a township passes by the streets beside
    it and finds its district).
    """
    if frame is None:
        return _whole_area(area_polygon)
    rank = _level_rank(frame["level"], levels)
    code, level = texts(frame["code"]), texts(frame["level"])
    order = sorted(range(len(frame)), key=lambda i: (rank[str(level[i])], code_key(str(code[i]))))
    ordered, code, level = frame.iloc[order], code[order], level[order]
    present = tuple(sorted(set(level), key=rank.__getitem__))
    geometry = metric_geometry(ordered, crs)
    parent = _parents(code, level, present, geometry, _column(ordered, "parent_code"))
    return Units(
        code=_frozen(code),
        name=_frozen(texts(ordered["name"])),
        name_en=_frozen(_column(ordered, "name_en")),
        level=_frozen(level),
        unit_class=_frozen(_column(ordered, "unit_class")),
        parent=_frozen(parent),
        residents=_frozen(counts(ordered, "residents")),
        geometry=_frozen(geometry),
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
    points = shapely.points(np.asarray(xy_m, dtype=np.float64).reshape(-1, 2))
    tree = shapely.STRtree(np.asarray(points, dtype=object))
    assigned = {}
    for level in units.levels:
        held = _held_by(tree, len(xy_m), units, level)
        if declared and level in declared:
            named = _named(declared[level], units, level)
            held = np.where(named == NOBODY, held, named).astype(np.int32)
        assigned[level] = held
    return assigned


def declared_by_level(codes: StrArray, units: Units) -> dict[str, StrArray]:
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


def declared_warnings(
    xy_m: FloatArray,
    units: Units,
    declared: Mapping[str, StrArray],
    titles: Mapping[str, Title] = MappingProxyType({}),
) -> tuple[Warn, ...]:
    """Warnings, per level, where declared codes are unknown or disagree with the polygons.

    `titles`: what the levels are called.
    """
    by_place = assign_units(xy_m, units)
    warnings = []
    for level in units.levels:
        if level not in declared:
            continue
        named = _named(declared[level], units, level)
        given = np.array([code is not None for code in declared[level]], dtype=np.bool_)
        unknown = int(np.count_nonzero(given & (named == NOBODY)))
        apart = int(np.count_nonzero((named != NOBODY) & (named != by_place[level])))
        title = titles.get(level) or Title(level, level)
        told = Named(title.zh, title.en, level)
        if unknown:
            warnings.append(Warn("declared_unit_unknown", {"level": told, "count": unknown}))
        if apart:
            warnings.append(Warn("declared_unit_disagrees", {"level": told, "count": apart}))
    return tuple(warnings)


def group_totals(frame: gpd.GeoDataFrame, units: Units) -> dict[str, IntArray]:
    """Group totals of a units frame in the order of `units` (k,), -1 where unknown.

    Columns ``pop_X`` become the group ``X``, ``households`` keeps its name.
    """
    row = {
        key: i
        for i, key in enumerate(zip(texts(frame["level"]), texts(frame["code"]), strict=True))
    }
    order = [row[key] for key in zip(units.level, units.code, strict=True)]
    return {group: counts(frame, column)[order] for group, column in group_columns(frame).items()}


def _whole_area(polygon: shapely.Geometry | None) -> Units:
    geometry = np.empty(1, dtype=object)
    geometry[0] = polygon
    return Units(
        code=_frozen(texts(["area"])),
        name=_frozen(texts(["全区"])),
        name_en=_frozen(texts(["area"])),
        level=_frozen(texts(["unit"])),
        unit_class=_frozen(texts([None])),
        parent=_frozen(np.array([NOBODY], dtype=np.int32)),
        residents=_frozen(np.array([-1], dtype=np.int64)),
        geometry=_frozen(geometry),
        levels=("unit",),
    )


def _level_rank(found: Sequence[str], levels: Sequence[str]) -> dict[str, int]:
    strange = sorted(set(found) - set(levels))
    return {level: rank for rank, level in enumerate([*levels, *strange])}


def _column(frame: gpd.GeoDataFrame, name: str) -> StrArray:
    return texts(frame[name] if name in frame.columns else [None] * len(frame))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    return read_only(array)


def _named(codes: StrArray, units: Units, level: str) -> Int32Array:
    index = {units.code[i]: i for i in units.of_level(level)}
    return np.array([index.get(code, NOBODY) for code in codes], dtype=np.int32)


def _held_by(tree: shapely.STRtree, size: int, units: Units, level: str) -> Int32Array:
    members = units.of_level(level)
    holder, point = tree.query(units.geometry[members], predicate="intersects")
    nobody = len(units.code)
    held = np.full(size, nobody, dtype=np.int32)
    np.minimum.at(held, point, members[holder])  # members are in code order: the lower code wins
    held[held == nobody] = NOBODY
    return held


def _parents(
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
            parent[orphans] = _mostly_in(geometry[orphans], geometry[holders], holders)
    return parent


def _mostly_in(
    children: GeometryArray, holders: GeometryArray, index: NDArray[np.intp]
) -> Int32Array:
    """For each child the index of the holder of most of it (lowest on ties), -1 if none."""
    best = np.full(len(children), NOBODY, dtype=np.int32)
    holder, child = shapely.STRtree(children).query(holders, predicate="intersects")
    whole = shapely.area(children)[child]
    shared = shapely.area(shapely.intersection(children[child], holders[holder]))
    flat = whole == 0  # a point or a line has no area: where its anchor lies decides
    anchors = shapely.points(anchor_xy(children[child[flat]]))
    share = np.zeros(len(child))
    share[~flat] = shared[~flat] / whole[~flat]
    share[flat] = shapely.intersects(holders[holder[flat]], anchors)
    most = share > _MOST
    first = np.lexsort((holder[most], -share[most]))[::-1]  # the last write is the best one
    best[child[most][first]] = index[holder[most][first]]
    return best
