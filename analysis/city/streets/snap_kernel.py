"""Compiled search for the nearest street segment in a grid of bins (numba)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import FloatArray, Int32Array, IntArray, UInt8Array

_TIE_M = 1e-6  # distances closer than a micrometre are the same
_ROUNDING_M = 1e-3  # far more than the place of a bin is wrong by
START, END, WHOLE = 1, 2, 4  # what of a segment may be joined: an end (or both), or all of it


class Bins(NamedTuple):
    """Segments sorted into square bins of `width_m` metres, row by row from `origin`.

    `start` int64 (columns * rows + 1,), `member` int32: the segments of each bin, ascending.
    """

    origin: FloatArray
    width_m: float
    columns: int
    rows: int
    start: IntArray
    member: Int32Array


@kernel
def bin_segments(
    xy: FloatArray,
    segment_vertex: IntArray,
    origin: FloatArray,
    bin_m: float,
    columns: int,
    rows: int,
) -> tuple[IntArray, Int32Array]:
    """Which segments touch the bounding boxes of which bins, in CSR form.

    `segment_vertex` int64 (s,): first vertex of each segment (its other end is the next one).
    Returns start int64 (columns * rows + 1,) and the segments of each bin, ascending.
    """
    start = np.zeros(columns * rows + 1, dtype=np.int64)
    member = np.empty(0, dtype=np.int32)
    for sweep in range(2):
        for s in range(len(segment_vertex)):
            v = segment_vertex[s]
            x0, y0, x1, y1 = xy[v, 0], xy[v, 1], xy[v + 1, 0], xy[v + 1, 1]
            # Walk along long segments piece by piece, so that a diagonal does not fill its box.
            length = np.hypot(x1 - x0, y1 - y0)
            pieces = int(length / bin_m) + 1
            last = -1
            for piece in range(pieces):
                f0, f1 = piece / pieces, (piece + 1) / pieces
                ax, ay = x0 + f0 * (x1 - x0), y0 + f0 * (y1 - y0)
                bx, by = x0 + f1 * (x1 - x0), y0 + f1 * (y1 - y0)
                c0 = int((min(ax, bx) - origin[0]) / bin_m)
                c1 = int((max(ax, bx) - origin[0]) / bin_m)
                r0 = int((min(ay, by) - origin[1]) / bin_m)
                r1 = int((max(ay, by) - origin[1]) / bin_m)
                for r in range(r0, r1 + 1):
                    for c in range(c0, c1 + 1):
                        b = r * columns + c
                        if b == last:
                            continue
                        last = b
                        if sweep == 0:
                            start[b + 1] += 1
                        else:
                            member[start[b]] = s
                            start[b] += 1
        if sweep == 0:
            for b in range(columns * rows):
                start[b + 1] += start[b]
            member = np.empty(start[-1], dtype=np.int32)
    for b in range(columns * rows, 0, -1):
        start[b] = start[b - 1]
    start[0] = 0
    return start, member


@kernel
def nearest_on_segment(
    px: float, py: float, x0: float, y0: float, x1: float, y1: float
) -> tuple[float, float]:
    """Squared distance from a point to a segment and the fraction of the nearest place."""
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    t = 0.0
    if square > 0.0:
        t = ((px - x0) * dx + (py - y0) * dy) / square
    if t <= 0.0:
        t, ex, ey = 0.0, px - x0, py - y0
    elif t >= 1.0:
        t, ex, ey = 1.0, px - x1, py - y1
    else:
        ex, ey = px - (x0 + t * dx), py - (y0 + t * dy)
    return ex * ex + ey * ey, t


@kernel
def nearest_joinable(
    px: float, py: float, x0: float, y0: float, x1: float, y1: float, part: int
) -> tuple[float, float]:
    """As `nearest_on_segment`, of the ends alone where `part` is not `WHOLE`."""
    if part & WHOLE:
        return nearest_on_segment(px, py, x0, y0, x1, y1)
    from_start = (px - x0) ** 2 + (py - y0) ** 2
    from_end = (px - x1) ** 2 + (py - y1) ** 2
    if part == START or (part & START and from_start <= from_end):
        return from_start, 0.0
    return from_end, 1.0


@kernel
def nearest_segment(
    px: float,
    py: float,
    max_m: float,
    xy: FloatArray,
    segment_vertex: IntArray,
    segment_part: UInt8Array,
    bins: Bins,
) -> tuple[int, float]:
    """For a point the nearest segment within `max_m` (-1 = none) and the fraction.

    Ties (to a micrometre) go to the lower edge, then to the lower segment.
    """
    bin_m, origin, columns, rows = bins.width_m, bins.origin, bins.columns, bins.rows
    rings = int(max_m / bin_m) + 1
    column = int(np.floor((px - origin[0]) / bin_m))
    row = int(np.floor((py - origin[1]) / bin_m))
    best = max_m + _TIE_M
    found = -1
    fraction = 0.0
    for ring in range(rings + 1):
        if (ring - 1) * bin_m > best:
            break
        for r in range(row - ring, row + ring + 1):
            if r < 0 or r >= rows:
                continue
            on_rim = r in (row - ring, row + ring)
            step = 1 if on_rim or ring == 0 else 2 * ring
            for c in range(column - ring, column + ring + 1, step):
                if c < 0 or c >= columns:
                    continue
                # What is nearest lies in a bin it is a member of: farther bins have nothing nearer.
                left, low = origin[0] + c * bin_m - px, origin[1] + r * bin_m - py
                aside, above = max(left, -left - bin_m, 0.0), max(low, -low - bin_m, 0.0)
                if aside * aside + above * above > (best + _ROUNDING_M) ** 2:
                    continue
                b = r * columns + c
                for i in range(bins.start[b], bins.start[b + 1]):
                    s = bins.member[i]
                    v = segment_vertex[s]
                    x0, y0, x1, y1 = xy[v, 0], xy[v, 1], xy[v + 1, 0], xy[v + 1, 1]
                    square, t = nearest_joinable(px, py, x0, y0, x1, y1, segment_part[s])
                    distance = np.sqrt(square)
                    if distance > best + _TIE_M:
                        continue
                    if distance < best - _TIE_M or found < 0 or s < found:
                        # Segments are numbered edge by edge: the lower segment is on the
                        # lower edge.
                        best = min(best, distance)
                        found = s
                        fraction = t
    return found, fraction


@kernel
def nearest_segments(
    points: FloatArray,
    max_m: float,
    xy: FloatArray,
    segment_vertex: IntArray,
    segment_part: UInt8Array,
    bins: Bins,
) -> tuple[Int32Array, FloatArray]:
    """`nearest_segment` of each point (k, 2): int32 (k,) and the fractions."""
    count = len(points)
    best_segment = np.full(count, -1, dtype=np.int32)
    best_fraction = np.zeros(count)
    for k in range(count):
        best_segment[k], best_fraction[k] = nearest_segment(
            points[k, 0], points[k, 1], max_m, xy, segment_vertex, segment_part, bins
        )
    return best_segment, best_fraction


@kernel
def nearest_on_edges(
    points: FloatArray, edge: Int32Array, vertex_start: IntArray, xy: FloatArray
) -> tuple[IntArray, FloatArray]:
    """For each point the nearest place on a given edge: first vertex of the segment, fraction."""
    vertex = np.zeros(len(points), dtype=np.int64)
    fraction = np.zeros(len(points))
    for k in range(len(points)):
        best = np.inf
        for v in range(vertex_start[edge[k]], vertex_start[edge[k] + 1] - 1):
            square, t = nearest_on_segment(
                points[k, 0], points[k, 1], xy[v, 0], xy[v, 1], xy[v + 1, 0], xy[v + 1, 1]
            )
            if square < best:
                best, vertex[k], fraction[k] = square, v, t
    return vertex, fraction
