"""The union of many equal discs: only those that may reach its rim are laid over each other."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray, corners_of

SEGMENTS: Final = 4  # corners per quarter of a drawn disc
_CORNERS: Final = 4 * SEGMENTS
_INSIDE: Final = math.cos(math.pi / _CORNERS)  # radius of the circle inside a drawn disc
_CLEARLY: Final = 1e-6  # of a radius: what lies nearer to an edge may be at the rim


def union_of_discs(centres: FloatArray, radius_m: float) -> shapely.Geometry:
    """The union of discs of 16 corners, polygon(s) in the centres' CRS.

    Parameters
    ----------
    centres : float64 (n, 2), metres; n >= 1.
    radius_m : from a centre to each corner, metres.

    Notes
    -----
    A disc each of whose edges lies inside another one has no part in the rim of the union. Without
    all of these the rim is the same, but places may look empty that they filled: a hole is one
    of the union only where none of its points lies in any disc.
    """
    points: FloatArray = np.unique(centres, axis=0)
    square = np.floor((points - corners_of(points)[0]) / radius_m).astype(np.int64)
    order = np.lexsort((square[:, 1], square[:, 0]))
    points, square = points[order], square[order]
    width = int(square[:, 1].max()) + 1
    key = square[:, 0] * width + square[:, 1]
    inner = _inner(points, square, key, width, radius_m)
    rim: shapely.Geometry = shapely.disjoint_subset_union_all(
        shapely.buffer(shapely.points(points[~inner]), radius_m, quad_segs=SEGMENTS)
    )
    return _filled(rim, points[inner], radius_m) if inner.any() else rim


def _filled(rim: shapely.Geometry, inner: FloatArray, radius_m: float) -> shapely.Geometry:
    """The rim and those of its holes that discs round `inner` (n, 2) fill."""
    if not any(shapely.get_num_interior_rings(shapely.get_parts(rim)).tolist()):
        return rim
    box = shapely.buffer(shapely.envelope(rim), radius_m, join_style="mitre")
    empty = shapely.get_parts(shapely.difference(box, rim))
    holes = empty[shapely.bounds(empty)[:, 0] > shapely.bounds(box)[0]]  # all but what lies outside
    spots = shapely.get_coordinates(shapely.point_on_surface(holes))
    false = [hole for hole, full in zip(holes, _held(spots, inner, radius_m), strict=True) if full]
    if not false:
        return rim
    filled: shapely.Geometry = shapely.coverage_union_all([*shapely.get_parts(rim), *false])
    return filled


@kernel
def _inner(
    xy: FloatArray, square: IntArray, key: IntArray, width: int, radius_m: float
) -> BoolArray:
    """Which discs (n,) have every edge clearly inside another one (each inside one of them).

    `xy` stands by `key`, the squares of a radius' width.
    """
    n = len(xy)
    near2 = (radius_m * (_INSIDE - _CLEARLY)) ** 2
    inner = np.zeros(n, dtype=np.bool_)
    turn = 2 * math.pi / _CORNERS
    corner_x = np.array([radius_m * math.cos(k * turn) for k in range(_CORNERS + 1)])
    corner_y = np.array([radius_m * math.sin(k * turn) for k in range(_CORNERS + 1)])
    for i in range(n):
        inner[i] = True
        hint = -1
        for k in range(_CORNERS):
            ax, ay = xy[i, 0] + corner_x[k], xy[i, 1] + corner_y[k]
            bx, by = xy[i, 0] + corner_x[k + 1], xy[i, 1] + corner_y[k + 1]
            if hint >= 0 and _both(xy[hint, 0], xy[hint, 1], ax, ay, bx, by, near2):
                continue
            hint = _holder(xy, square, key, width, i, (ax, ay, bx, by), near2)
            if hint < 0:
                inner[i] = False
                break
    return inner


@kernel
def _both(x: float, y: float, ax: float, ay: float, bx: float, by: float, near2: float) -> bool:
    """Whether both ends of an edge lie near a centre."""
    one = (ax - x) ** 2 + (ay - y) ** 2
    return bool(one < near2 and (bx - x) ** 2 + (by - y) ** 2 < near2)


@kernel
def _holder(
    xy: FloatArray,
    square: IntArray,
    key: IntArray,
    width: int,
    i: int,
    edge: tuple[float, float, float, float],
    near2: float,
) -> int:
    """A centre other than `i` in whose disc an edge lies clearly, -1 where there is none."""
    ax, ay, bx, by = edge
    for dx in range(-2, 3):
        row = square[i, 0] + dx
        low, high = max(square[i, 1] - 2, 0), min(square[i, 1] + 2, width - 1)
        first = np.searchsorted(key, row * width + low)
        last = np.searchsorted(key, row * width + high, side="right")
        for j in range(first, last):
            if j != i and _both(xy[j, 0], xy[j, 1], ax, ay, bx, by, near2):
                return j
    return -1


@kernel
def _held(spots: FloatArray, xy: FloatArray, radius_m: float) -> BoolArray:
    """Which spots (k,) lie in a disc of 16 corners round any of the centres `xy` (n, 2)."""
    held = np.zeros(len(spots), dtype=np.bool_)
    least = radius_m * _INSIDE
    turn = 2 * math.pi / _CORNERS
    for k in range(len(spots)):
        for j in range(len(xy)):
            x, y = spots[k, 0] - xy[j, 0], spots[k, 1] - xy[j, 1]
            if x * x + y * y > radius_m * radius_m:
                continue
            most = 0.0
            for side in range(_CORNERS):
                angle = (side + 0.5) * turn
                most = max(most, x * math.cos(angle) + y * math.sin(angle))
            if most < least:
                held[k] = True
                break
    return held
