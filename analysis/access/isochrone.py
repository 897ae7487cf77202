"""Isochrones: how far one walks, as stretches of streets and as polygons for the eye.

Polygons are contours of a distance field around the reached streets. They hold no land
that is farther than the band from a reached street; holes and islands are kept; those of
more minutes contain those of fewer. Residents are never counted with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import contourpy
import numpy as np
import shapely

from lifecircle.analysis.access.raster_kernel import reached_segments, stamp_segments
from lifecircle.analysis.access.shortest import reach_from_each
from lifecircle.analysis.access.walking import BARRED_CM, WalkCosts, leg_cm
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.machine import map_side_by_side, thread_count
from lifecircle.analysis.quantities import NOBODY, FloatArray, Int32Array, IntArray

BAND_M = 50.0  # width of land drawn on either side of a reached street
GRID_M = 10.0  # spacing of the distance field
_ORIGINS_A_THREAD = 256  # fewer are done sooner than another thread begins


@dataclass(frozen=True, slots=True)
class Reach:
    """Junctions within a limit of each of o origins, in CSR form.

    `first` int64 (o + 1,); `node` int32 and `cm` int32 (r,): the junctions of origin i and
    their distances are at ``first[i]:first[i + 1]``.
    """

    first: IntArray
    node: Int32Array
    cm: Int32Array


@dataclass(frozen=True, slots=True)
class Stretches:
    """Reached parts of edges: from `from_m` to `to_m` (geodesic metres from u) of `edge`."""

    edge: Int32Array
    from_m: FloatArray
    to_m: FloatArray


def reach(costs: WalkCosts, origins: Positions, limit_cm: int) -> Reach:
    """All junctions within `limit_cm` of each origin, walking away from it."""
    limit_cm = costs.within_cm(limit_cm)
    snapped = np.flatnonzero(origins.edge != NOBODY)
    at = origins.take(snapped)
    leg = leg_cm(at).astype(np.int64)
    to_u = leg + costs.back_cm(at)
    to_v = leg + costs.uv_cm[at.edge] - costs.ahead_cm(at)
    per_origin = np.zeros(len(origins) + 1, dtype=np.int64)
    per_origin[snapped + 1] = 2
    seed_start = np.cumsum(per_origin)
    seed_node = np.column_stack((costs.edge_u[at.edge], costs.edge_v[at.edge])).ravel()
    seed_cm = np.column_stack((to_u, to_v)).ravel()

    def search(begin: int, end: int) -> tuple[IntArray, Int32Array, Int32Array]:
        return reach_from_each(
            costs.start, costs.away, seed_start[begin : end + 1], seed_node, seed_cm,
            limit_cm, costs.band_cm,
        )  # fmt: skip

    parts = min(thread_count(), max(len(origins) // _ORIGINS_A_THREAD, 1))
    if parts == 1:
        return Reach(*search(0, len(origins)))
    cuts = np.linspace(0, len(origins), parts + 1).astype(np.int64).tolist()
    found = map_side_by_side(lambda part: search(*part), list(pairwise(cuts)))
    sizes = [np.diff(first) for first, _, _ in found]
    return Reach(
        np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate(sizes))]),
        np.concatenate([node for _, node, _ in found]),
        np.concatenate([cm for _, _, cm in found]),
    )


def reached_stretches(
    network: WalkNetwork, costs: WalkCosts, origin: Positions, reached: Reach, limit_cm: int
) -> Stretches:
    """The parts of edges within `limit_cm` of one origin (`reached` may reach farther)."""
    near = reached.cm <= limit_cm
    node, left = reached.node[near], limit_cm - reached.cm[near]
    size = costs.start[node + 1] - costs.start[node]
    before = np.cumsum(size) - size
    half = np.repeat(costs.start[node] - before, size) + np.arange(size.sum())
    edge, from_u = costs.half_edge[half], costs.half_from_u[half]
    whole = np.where(from_u, costs.uv_cm[edge], costs.vu_cm[edge])
    share = np.minimum(np.repeat(left, size) / np.maximum(whole, 1), 1.0)
    if costs.one_way:
        share[whole == BARRED_CM] = 0.0
    length_m = network.edge_length_m[edge]
    from_m = np.where(from_u, 0.0, (1.0 - share) * length_m)
    to_m = np.where(from_u, share * length_m, length_m)
    if costs.uv_bend is not None and costs.vu_bend is not None:
        reached_cm = share * whole
        from_m[~from_u] = costs.vu_bend.place_of(edge, whole - reached_cm)[~from_u]
        to_m[from_u] = costs.uv_bend.place_of(edge, reached_cm)[from_u]
    own = _around(costs, origin, limit_cm)
    return Stretches(
        np.concatenate((edge, own.edge)).astype(np.int32),
        np.concatenate((from_m, own.from_m)),
        np.concatenate((to_m, own.to_m)),
    )


def _around(costs: WalkCosts, origin: Positions, limit_cm: int) -> Stretches:
    """The part of the origin's own edge reached without leaving it."""
    leg = leg_cm(origin)
    if origin.edge[0] == NOBODY or leg[0] > limit_cm:
        none = np.zeros(0)
        return Stretches(np.zeros(0, dtype=np.int32), none, none)
    edge, at_m = origin.edge, origin.at_m
    left = float(limit_cm - leg[0])
    length_m = costs.length_m[edge]
    if costs.uv_bend is not None and costs.vu_bend is not None:
        low = np.maximum(costs.back_cm(origin) - left, 0.0)
        high = np.minimum(costs.ahead_cm(origin) + left, costs.uv_cm[edge])
        return Stretches(
            edge, costs.vu_bend.place_of(edge, low), costs.uv_bend.place_of(edge, high)
        )
    back = np.where(
        costs.vu_cm[edge] == BARRED_CM, 0.0, left / np.maximum(costs.vu_cm[edge], 1) * length_m
    )
    ahead = np.where(
        costs.uv_cm[edge] == BARRED_CM, 0.0, left / np.maximum(costs.uv_cm[edge], 1) * length_m
    )
    return Stretches(edge, np.maximum(at_m - back, 0.0), np.minimum(at_m + ahead, length_m))


def polygon_of(
    network: WalkNetwork, stretches: Stretches, band_m: float = BAND_M, grid_m: float = GRID_M
) -> shapely.MultiPolygon:
    """The land within `band_m` of reached stretches, metric CRS; holes and islands kept."""
    pieces = reached_segments(
        stretches.edge,
        stretches.from_m,
        stretches.to_m,
        network.vertex_start,
        network.vertex_xy_m,
        network.vertex_at_m,
    )
    if len(pieces) == 0:
        return shapely.MultiPolygon()
    margin = band_m + 2 * grid_m
    xs, ys = pieces[:, 0::2], pieces[:, 1::2]
    west = np.floor((xs.min() - margin) / grid_m) * grid_m
    south = np.floor((ys.min() - margin) / grid_m) * grid_m
    columns = int((xs.max() + margin - west) / grid_m) + 2
    rows = int((ys.max() + margin - south) / grid_m) + 2
    far_m = band_m + 1.5 * grid_m
    square = np.full((rows, columns), far_m**2)
    stamp_segments(square, pieces, west, south, grid_m, far_m)
    generator = contourpy.contour_generator(
        west + grid_m * np.arange(columns),
        south + grid_m * np.arange(rows),
        np.sqrt(square),
        fill_type=contourpy.FillType.OuterOffset,
    )
    points, offsets = generator.filled(-1.0, band_m)[:2]
    outlines = zip(cast(list[FloatArray], points), cast(list[IntArray], offsets), strict=True)
    return shapely.MultiPolygon([_polygon(ring, cut) for ring, cut in outlines])


def _polygon(points: FloatArray, cut: IntArray) -> shapely.Polygon:
    """The polygon whose rings (the outer one first) are the points between successive cuts."""
    rings = [points[a:b] for a, b in pairwise(cut)]
    return shapely.Polygon(rings[0], rings[1:])


def isochrones(
    network: WalkNetwork, costs: WalkCosts, origin: Positions, limits_cm: Sequence[int]
) -> list[shapely.MultiPolygon]:
    """One polygon (metric CRS) per limit for one origin, nested as the limits grow.

    An origin that is unsnapped has empty polygons.
    """
    reached = reach(costs, origin, max(limits_cm))
    return [
        polygon_of(network, reached_stretches(network, costs, origin, reached, limit))
        for limit in limits_cm
    ]
