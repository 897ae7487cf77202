"""Areas that streets cross or enter, on the grid of OpenStreetMap (1e-7 degree) in whole numbers.

Nothing here asks shapely whether a street meets an outline: crossings are solved by own integer
cross products, so that a street which shares a node with a park touches it, and no other does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from tests.oracles.audit.streets import Floats, Ints

GRID = 10_000_000


@dataclass(frozen=True, slots=True)
class Outline:
    """The edges of all rings of an area: from p to q on the grid."""

    p: Ints  # (e, 2)
    q: Ints


@dataclass(frozen=True, slots=True)
class Meeting:
    """How one segment meets an area: shares on its outline with the edges hit, stretches inside."""

    on: tuple[tuple[float, tuple[int, ...]], ...]
    inside: tuple[tuple[float, float], ...]


def to_grid(lonlat: Floats) -> Ints:
    return np.rint(np.asarray(lonlat) * GRID).astype(np.int64)


def outline_of(shape: Any) -> Outline:
    """Every ring of a polygon or multipolygon."""
    firsts, seconds = [], []
    for part in shapely.get_parts(shape):
        for ring in shapely.get_rings(part):
            at = to_grid(shapely.get_coordinates(ring))
            moved = (at[1:] != at[:-1]).any(axis=1)
            firsts.append(at[:-1][moved])
            seconds.append(at[1:][moved])
    return Outline(np.concatenate(firsts), np.concatenate(seconds))


def cross(one: Ints, other: Ints) -> Ints:
    return np.asarray(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0])


def meeting(a: Ints, b: Ints, outline: Outline) -> Meeting | None:
    """How the segment from a to b (grid) meets an area; None where it does not."""
    hits, along = _hits(a, b, outline)
    cuts = sorted({0.0, 1.0, *hits})
    inside: list[tuple[float, float]] = []
    for low, high in pairwise(cuts):
        middle = (low + high) / 2
        runs_along = any(one <= middle <= other for one, other in along)
        if runs_along or holds(outline, a + middle * (b - a)):
            if inside and inside[-1][1] == low:
                inside[-1] = (inside[-1][0], high)
            else:
                inside.append((low, high))
    if not hits and not inside:
        return None
    return Meeting(tuple((t, tuple(edges)) for t, edges in sorted(hits.items())), tuple(inside))


def _hits(
    a: Ints, b: Ints, outline: Outline
) -> tuple[dict[float, list[int]], list[tuple[float, float]]]:
    """Shares where a segment meets outline edges, and shares over which it runs along one."""
    d, e, w = b - a, outline.q - outline.p, outline.p - a
    across = cross(d, e)
    t, u = cross(w, e), cross(w, d)
    sign = np.where(across < 0, -1, 1)
    t, u, size = t * sign, u * sign, np.abs(across)
    plain = (size > 0) & (t >= 0) & (t <= size) & (u >= 0) & (u <= size)
    hits: dict[Fraction, list[int]] = {}  # exact, so that two edges meet a segment at one place
    for k in np.flatnonzero(plain).tolist():
        hits.setdefault(Fraction(int(t[k]), int(size[k])), []).append(k)
    along: list[tuple[float, float]] = []
    length = int(d @ d)
    for k in np.flatnonzero((size == 0) & (cross(w, d) == 0)).tolist():
        ends = sorted(int((end - a) @ d) for end in (outline.p[k], outline.q[k]))
        low, high = max(ends[0], 0), min(ends[1], length)
        if low <= high:
            for end in (low, high):
                hits.setdefault(Fraction(end, length), []).append(k)
            along.append((low / length, high / length))
    return {float(at): edges for at, edges in hits.items()}, along


def holds(outline: Outline, point: Any) -> bool:
    """Whether a point lies inside, by counting the edges to its right."""
    x, y = float(point[0]), float(point[1])
    above_p, above_q = outline.p[:, 1] > y, outline.q[:, 1] > y
    between = above_p != above_q
    p, q = outline.p[between], outline.q[between]
    at = p[:, 0] + (y - p[:, 1]) * (q[:, 0] - p[:, 0]) / (q[:, 1] - p[:, 1])
    return bool(np.count_nonzero(at > x) % 2)


def ring_area(xy: Floats) -> float:
    """Area inside a closed ring by the shoelace, in the square of its unit."""
    away = xy - xy[0]
    return float(np.abs(np.sum(away[:-1, 0] * away[1:, 1] - away[1:, 0] * away[:-1, 1])) / 2)


def polygon_area(shape: Any) -> float:
    """Area of a polygon or multipolygon by the shoelace, holes taken out."""
    total = 0.0
    for part in shapely.get_parts(shape):
        if shapely.get_dimensions(part) != 2:
            continue
        rings: Sequence[Any] = shapely.get_rings(part)
        sizes = [ring_area(shapely.get_coordinates(ring)) for ring in rings]
        total += sizes[0] - sum(sizes[1:])
    return total
