"""A distance field on a grid: how far each grid point is from the reached streets (numba)."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import FloatArray


@kernel
def stamp_segments(
    square_m2: FloatArray,
    segments: FloatArray,
    west_m: float,
    south_m: float,
    cell_m: float,
    band_m: float,
) -> None:
    """Lower each grid point's squared distance to that of the nearest segment (in place).

    `square_m2` float64 (rows, columns), row 0 in the south; `segments` float64 (s, 4) as
    x0, y0, x1, y1 in metres. Only grid points within about `band_m` of a segment are visited.
    """
    rows, columns = square_m2.shape
    for s in range(len(segments)):
        x0, y0, x1, y1 = segments[s, 0], segments[s, 1], segments[s, 2], segments[s, 3]
        dx, dy = x1 - x0, y1 - y0
        length2 = dx * dx + dy * dy
        r0 = max(int(np.ceil((min(y0, y1) - band_m - south_m) / cell_m)), 0)
        r1 = min(int((max(y0, y1) + band_m - south_m) / cell_m), rows - 1)
        for r in range(r0, r1 + 1):
            py = south_m + r * cell_m
            # Of this row only the stretch within the band of the part of the segment beside it.
            left, right = min(x0, x1), max(x0, x1)
            if dy != 0.0:
                ta = (py - band_m - y0) / dy
                tb = (py + band_m - y0) / dy
                low = min(max(min(ta, tb), 0.0), 1.0)
                high = min(max(ta, tb, 0.0), 1.0)
                left = min(x0 + low * dx, x0 + high * dx)
                right = max(x0 + low * dx, x0 + high * dx)
            c0 = max(int(np.ceil((left - band_m - west_m) / cell_m)), 0)
            c1 = min(int((right + band_m - west_m) / cell_m), columns - 1)
            for c in range(c0, c1 + 1):
                px = west_m + c * cell_m
                t = 0.0
                if length2 > 0.0:
                    t = min(max(((px - x0) * dx + (py - y0) * dy) / length2, 0.0), 1.0)
                ex, ey = px - (x0 + t * dx), py - (y0 + t * dy)
                square = ex * ex + ey * ey
                square_m2[r, c] = min(square_m2[r, c], square)


@kernel
def reached_segments(
    edge: np.ndarray,
    from_m: FloatArray,
    to_m: FloatArray,
    vertex_start: np.ndarray,
    vertex_xy_m: FloatArray,
    vertex_at_m: FloatArray,
) -> FloatArray:
    """The straight pieces of stretches of edges: stretch i runs from_m[i]..to_m[i] of edge[i].

    Returns float64 (s, 4) as x0, y0, x1, y1.
    """
    size = 0
    for i in range(len(edge)):
        size += vertex_start[edge[i] + 1] - vertex_start[edge[i]]
    pieces = np.empty((size, 4))
    filled = 0
    for i in range(len(edge)):
        e = edge[i]
        for v in range(vertex_start[e], vertex_start[e + 1] - 1):
            begin, end = vertex_at_m[v], vertex_at_m[v + 1]
            low, high = max(begin, from_m[i]), min(end, to_m[i])
            if low > high:
                continue
            span = end - begin
            f = (low - begin) / span if span > 0.0 else 0.0
            g = (high - begin) / span if span > 0.0 else 1.0
            dx = vertex_xy_m[v + 1, 0] - vertex_xy_m[v, 0]
            dy = vertex_xy_m[v + 1, 1] - vertex_xy_m[v, 1]
            pieces[filled, 0] = vertex_xy_m[v, 0] + f * dx
            pieces[filled, 1] = vertex_xy_m[v, 1] + f * dy
            pieces[filled, 2] = vertex_xy_m[v, 0] + g * dx
            pieces[filled, 3] = vertex_xy_m[v, 1] + g * dy
            filled += 1
    return pieces[:filled].copy()
