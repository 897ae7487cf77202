"""Outlines of groups of cells: the union of their polygons, or of discs round their points."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.city.model import Cells, GeometryArray
from lifecircle.analysis.grouping.discs import union_of_discs
from lifecircle.analysis.grouping.shared_edges import SharedEdges
from lifecircle.analysis.machine import collecting_seldom, map_side_by_side
from lifecircle.analysis.quantities import BoolArray, Int32Array, IntArray
from lifecircle.analysis.readers.records.cells import object_array

_known: Final[dict[int, tuple[weakref.ref[GeometryArray], _Meeting]]] = {}
_knowing: Final = threading.Lock()


def outline(
    cells: Cells, chosen: Int32Array, radius_m: float, joined: shapely.Geometry | None = None
) -> shapely.Geometry:
    """Union of the chosen cells' polygons, metric CRS; a cell without one is a disc.

    Parameters
    ----------
    chosen : int32 (n,), indices into `cells`.
    radius_m : radius of a disc, metres.
    joined : the union of those polygons that only meet others along edges, where it is known.
    """
    shapes = cells.polygon[chosen]
    bare = np.array([shape is None for shape in shapes], dtype=np.bool_)
    parts = []
    if not bare.all():
        parts.append(_joined(shapes[~bare], _meeting(cells.polygon).clash[chosen][~bare], joined))
    if bare.any():
        parts.append(union_of_discs(cells.xy_m[chosen][bare], radius_m))
    return shapely.normalize(parts[0] if len(parts) == 1 else shapely.union_all(parts))


def outlines(
    cells: Cells, groups: tuple[Int32Array, IntArray, IntArray], radius_m: float
) -> GeometryArray:
    """As `outline`, of many groups (g,) at once: the same shapes, most without any overlay.

    Parameters
    ----------
    groups : indices into `cells` (n,), and where among them each group starts and ends (g,).
    """
    chosen, start, end = groups
    meeting = _meeting(cells.polygon)
    quick = np.append(0, np.cumsum(meeting.quick[chosen]))
    first, last = quick[start], quick[end]
    told = meeting.edges.outlines(chosen[meeting.quick[chosen]], first, last)
    alone = (end - start == 1) & (last > first)
    told[alone] = cells.polygon[chosen[start[alone]]]
    untold = np.array([shape is None for shape in told], dtype=np.bool_)
    rest = np.flatnonzero((last - first != end - start) | untold)

    def draw(i: int) -> shapely.Geometry:
        return outline(cells, chosen[start[i] : end[i]], radius_m, told[i])

    told[rest] = object_array(map_side_by_side(draw, rest.tolist()))
    whole = np.setdiff1d(np.arange(len(told)), rest)
    told[whole] = shapely.normalize(told[whole])
    return told


def learn_outlines(cells: Cells) -> None:
    """Find how the polygons of a city meet before an outline is asked for."""
    _meeting(cells.polygon)


def _joined(
    shapes: GeometryArray, clash: BoolArray, joined: shapely.Geometry | None
) -> shapely.Geometry:
    """Union of polygons: those that only meet along shared edges quickly, then the others.

    `joined`: the union of the first, where it is known.
    """
    if len(shapes) == 1:
        only: shapely.Geometry = shapes[0]
        return only
    if clash.all():
        return shapely.disjoint_subset_union_all(shapes)
    try:
        joined = shapely.coverage_union_all(shapes[~clash]) if joined is None else joined
    except shapely.errors.GEOSException:  # not only along edges after all
        return shapely.disjoint_subset_union_all(shapes)
    if not clash.any():
        return joined
    return _united(joined, shapely.disjoint_subset_union_all(shapes[clash]))


def _united(one: shapely.Geometry, other: shapely.Geometry) -> shapely.Geometry:
    """The union of two areas: only what of the first meets the second is laid over it."""
    parts = shapely.get_parts(one)
    shapely.prepare(other)
    meets = shapely.intersects(other, parts)
    if meets.all():
        return shapely.union(one, other)
    rest: shapely.Geometry = other
    if meets.any():
        rest = shapely.union(shapely.MultiPolygon(list(parts[meets])), other)
    return shapely.MultiPolygon([*parts[~meets], *shapely.get_parts(rest)])


@dataclass(frozen=True, slots=True)
class _Meeting:
    """How the polygons of a city (c,) meet.

    `clash`: which do not just meet the others along shared edges: any choice of the remaining ones,
    `quick`, can be joined by dropping the `edges` they share.
    """

    clash: BoolArray
    quick: BoolArray
    edges: SharedEdges


def _meeting(polygons: GeometryArray) -> _Meeting:
    """Found once for a city's array and kept as long as that array lives."""
    with _knowing:
        held = _known.get(id(polygons))
        if held is not None and held[0]() is polygons:
            return held[1]
        there = np.array([shape is not None for shape in polygons], dtype=np.bool_)
        clash = _found_clashing(polygons, there)
        quick = there & ~clash
        meeting = _Meeting(clash, quick, SharedEdges.of(polygons, quick))
        key = id(polygons)
        _known[key] = (weakref.ref(polygons, lambda _: _known.pop(key, None)), meeting)
        return meeting


def _found_clashing(polygons: GeometryArray, there: BoolArray) -> BoolArray:
    clash = np.zeros(len(polygons), dtype=np.bool_)
    rest = np.flatnonzero(there)
    while len(rest):
        with collecting_seldom():
            edges = shapely.coverage_invalid_edges(polygons[rest])
        wrong = ~(shapely.is_missing(edges) | shapely.is_empty(edges))
        if not wrong.any():
            break
        clash[rest[wrong]] = True
        rest = rest[~wrong]
    return clash
