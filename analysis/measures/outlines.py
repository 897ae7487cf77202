"""Outlines of groups of cells: the union of their polygons, or of discs round their points."""

from __future__ import annotations

import threading
import weakref
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.model import Cells, GeometryArray
from lifecircle.analysis.machine import collecting_seldom
from lifecircle.analysis.quantities import BoolArray, FloatArray, Int32Array, IntArray

DISC_SEGMENTS: Final = 4  # corners per quarter of a drawn disc
SQUARES_PER_RADIUS: Final = 1.5  # a disc covers every square of that size that holds its centre
REACH: Final = 2  # squares a disc can reach beyond the one that holds its centre

_known: Final[dict[int, tuple[weakref.ref[GeometryArray], BoolArray]]] = {}
_knowing: Final = threading.Lock()


def outline(cells: Cells, chosen: Int32Array, radius_m: float) -> shapely.Geometry:
    """Union of the chosen cells' polygons, metric CRS; a cell without one is a disc.

    Parameters
    ----------
    chosen : int32 (n,), indices into `cells`.
    radius_m : radius of a disc, metres.
    """
    shapes = cells.polygon[chosen]
    bare = np.array([shape is None for shape in shapes], dtype=np.bool_)
    parts = []
    if not bare.all():
        parts.append(_joined(shapes[~bare], _clashing(cells.polygon)[chosen][~bare]))
    if bare.any():
        parts.append(_discs(cells.xy_m[chosen][bare], radius_m))
    return shapely.normalize(parts[0] if len(parts) == 1 else shapely.union_all(parts))


def _joined(shapes: GeometryArray, clash: BoolArray) -> shapely.Geometry:
    """Union of polygons: those that only meet along shared edges quickly, then the others."""
    if len(shapes) == 1:
        only: shapely.Geometry = shapes[0]
        return only
    if clash.all():
        return shapely.disjoint_subset_union_all(shapes)
    try:
        joined = shapely.coverage_union_all(shapes[~clash])
    except shapely.errors.GEOSException:  # not only along edges after all
        return shapely.disjoint_subset_union_all(shapes)
    if not clash.any():
        return joined
    return shapely.union(joined, shapely.disjoint_subset_union_all(shapes[clash]))


def _clashing(polygons: GeometryArray) -> BoolArray:
    """Which polygons of a city do not just meet the others along shared edges, bool (c,).

    Any choice of the remaining ones can be joined by dropping the edges they share. Found once
    for a city's array and kept as long as that array lives.
    """
    with _knowing:
        held = _known.get(id(polygons))
        if held is not None and held[0]() is polygons:
            return held[1]
        clash = _found_clashing(polygons)
        key = id(polygons)
        _known[key] = (weakref.ref(polygons, lambda _: _known.pop(key, None)), clash)
        return clash


def _found_clashing(polygons: GeometryArray) -> BoolArray:
    clash = np.zeros(len(polygons), dtype=np.bool_)
    rest = np.flatnonzero([shape is not None for shape in polygons])
    while len(rest):
        with collecting_seldom():
            edges = shapely.coverage_invalid_edges(polygons[rest])
        wrong = ~(shapely.is_missing(edges) | shapely.is_empty(edges))
        if not wrong.any():
            break
        clash[rest[wrong]] = True
        rest = rest[~wrong]
    return clash


def _discs(centres: FloatArray, radius_m: float) -> shapely.Geometry:
    """Union of discs: a dense crowd is filled with squares, only its rim is drawn as discs.

    A square that holds a centre lies inside that centre's disc, and a disc whose whole
    neighbourhood of squares holds centres adds nothing to them: the union stays the same.
    """
    points: FloatArray = np.unique(centres, axis=0)
    side = radius_m / SQUARES_PER_RADIUS
    square = np.floor(points / side).astype(np.int64)
    held, which = np.unique(square, axis=0, return_inverse=True)
    inner = _surrounded(held)
    rim = points[~inner[which.ravel()]]
    drawn = shapely.disjoint_subset_union_all(
        shapely.buffer(shapely.points(rim), radius_m, quad_segs=DISC_SEGMENTS)
    )
    return shapely.union(drawn, _squares(held, side)) if inner.any() else drawn


def _surrounded(held: IntArray) -> BoolArray:
    """Whether all squares that a disc of each square can reach are held too."""
    rows = int(np.ptp(held[:, 1])) + 2 * REACH + 1
    keys = (held[:, 0] - held[:, 0].min() + REACH) * rows + held[:, 1] - held[:, 1].min() + REACH
    inner = np.ones(len(held), dtype=np.bool_)
    for dx in range(-REACH, REACH + 1):
        for dy in range(-REACH, REACH + 1):
            inner &= np.isin(keys + dx * rows + dy, keys)
    return inner


def _squares(held: NDArray[np.int64], side: float) -> shapely.Geometry:
    low = held * side
    high = (held + 1) * side
    return shapely.coverage_union_all(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
