"""From heights to what walking costs: Tobler's function along every edge's true geometry.

Between two vertices of a street heights are read at steps no longer than a cell of the heights.
Bridges, tunnels and covered ways run straight between the places where they meet the ground;
stairs cost by what they rise. Unknown heights count as flat, and are told.

Source: Tobler (1993); the constants and their citations are in ``walk.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.profile import SlopeProfile
from lifecircle.analysis.grouping.connected import connected_pieces
from lifecircle.analysis.policy.sections.terrain import TerrainRules, WayForm
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray, read_only

_OFF_GROUND, _STEPS = int(WayForm.OFF_GROUND), int(WayForm.STEPS)
_LEAST_M = 1e-3  # of a segment, so that a bridge of no length still has a weight


class Ground(Protocol):
    """Heights of the ground, wherever they come from."""

    @property
    def step_m(self) -> float:
        """Width of a cell, metres: along a street heights are read at least this often."""

    def at(self, lonlat: FloatArray) -> FloatArray:
        """Heights (k,) in metres of places (k, 2) in degrees WGS84; NaN where unknown."""


@dataclass(frozen=True, slots=True)
class SlopeFacts:
    """What heights made of the streets, for remarks: metres of street and shares of them.

    `length_m`: all streets; `unknown_m`: without heights, walked as flat; `mean_slope` and
    `steep_m` (beyond the policy's steepest) leave out stairs; `off_ground_m`: bridges, tunnels,
    covered ways; `stairs_m`; `extra_share`: what slope adds to the walk along all streets both
    ways, as a share of their length.
    """

    length_m: float
    unknown_m: float
    mean_slope: float
    steep_m: float
    off_ground_m: float
    stairs_m: float
    extra_share: float


def add_slope(
    network: WalkNetwork, ground: Ground, rules: TerrainRules
) -> tuple[WalkNetwork, SlopeFacts]:
    """The network with the slope of its streets, and what there was to it."""
    form = network.vertex_form
    if form is None:
        form = np.zeros(len(network.vertex_xy_m), dtype=np.uint8)
    points = _Points.along(network, form, ground.step_m)
    height_m = ground.at(to_lonlat(points.xy_m, network.crs))
    vertex_m = height_m[points.row_of_vertex]
    vertex_m = _bridge_unknown(network, (form & _OFF_GROUND) > 0, vertex_m)
    height_m[points.row_of_vertex] = vertex_m

    first = points.is_first
    run_m = np.diff(points.at_m, prepend=0.0)
    rise_m = np.diff(height_m, prepend=0.0)
    run_m[first] = rise_m[first] = 0.0
    unknown = np.isnan(rise_m)
    rise_m[unknown] = 0.0
    stairs = (points.form & _STEPS) > 0
    slope = np.divide(rise_m, run_m, out=np.zeros_like(run_m), where=run_m > 0)
    ahead = np.where(stairs, _count_stairs(rise_m, run_m, rules), _count_extra(slope, run_m, rules))
    back = np.where(
        stairs, _count_stairs(-rise_m, run_m, rules), _count_extra(-slope, run_m, rules)
    )

    profile = SlopeProfile(
        points.start,
        points.at_m,
        _measure_along(ahead, points.start),
        _measure_along(back, points.start),
    )
    for array in (profile.point_start, profile.point_at_m, profile.extra_uv_m, profile.extra_vu_m):
        read_only(array)
    walked = ~stairs & ~unknown
    length_m = float(run_m.sum())
    facts = SlopeFacts(
        length_m=length_m,
        unknown_m=float(run_m[unknown].sum()),
        mean_slope=_measure_share(
            float((np.abs(slope) * run_m)[walked].sum()), float(run_m[walked].sum())
        ),
        steep_m=float(run_m[walked & (np.abs(slope) > rules.steepest.value)].sum()),
        off_ground_m=float(run_m[(points.form & _OFF_GROUND) > 0].sum()),
        stairs_m=float(run_m[stairs].sum()),
        extra_share=_measure_share(float(ahead.sum() + back.sum()), 2 * length_m),
    )
    return replace(network, slope=profile), facts


def tobler_km_h(slope: FloatArray, rules: TerrainRules) -> FloatArray:
    """Tobler's walking speed, km/h, on slopes (rise over run; downhill negative)."""
    off = np.abs(slope + rules.tobler_offset.value)
    speed: FloatArray = rules.tobler_peak_km_h.value * np.exp(-rules.tobler_steepness.value * off)
    return speed


def _count_extra(slope: FloatArray, run_m: FloatArray, rules: TerrainRules) -> FloatArray:
    """Metres on the flat that a slope adds to its run: run · (Tobler(0) / Tobler(s) - 1)."""
    steepest, offset = rules.steepest.value, rules.tobler_offset.value
    slower = np.abs(np.clip(slope, -steepest, steepest) + offset) - offset
    extra: FloatArray = run_m * np.expm1(rules.tobler_steepness.value * slower)
    return extra


def _count_stairs(rise_m: FloatArray, run_m: FloatArray, rules: TerrainRules) -> FloatArray:
    """Metres on the flat that stairs add: the ground they need for their rise, walked slower.

    A way of stairs has landings; only ``rise / gradient`` metres of it are steps.
    """
    level = rules.stairs_level_m_per_s.value
    up = level / rules.stairs_up_m_per_s.value
    down = level / rules.stairs_down_m_per_s.value
    steps_m = np.minimum(np.abs(rise_m) / rules.stairs_gradient.value, run_m)
    extra: FloatArray = steps_m * (np.where(rise_m > 0, up, down) - 1.0)
    return extra


def _measure_along(extra_m: FloatArray, start: IntArray) -> FloatArray:
    """Sums from each edge's first point on; exactly 0 on an edge that is flat."""
    total = np.cumsum(extra_m)
    summed: FloatArray = total - np.repeat(total[start[:-1]], np.diff(start))
    return summed


def _measure_share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Points:
    """Places along the edges where heights are wanted: all vertices and steps between them."""

    start: IntArray
    at_m: FloatArray
    xy_m: FloatArray
    form: IntArray
    is_first: BoolArray
    row_of_vertex: IntArray

    @classmethod
    def along(cls, network: WalkNetwork, form: np.ndarray, step_m: float) -> _Points:
        vertex_at, vertex_xy = network.vertex_at_m, network.vertex_xy_m
        first = np.zeros(len(vertex_at), dtype=bool)
        first[network.vertex_start[:-1]] = True
        run_m = np.diff(vertex_at, prepend=0.0)
        parts = np.maximum(np.ceil(run_m / step_m), 1).astype(np.int64)
        parts[first | ((form & (_OFF_GROUND | _STEPS)) > 0)] = 1
        row = np.cumsum(parts) - 1
        owner = np.repeat(np.arange(len(parts)), parts)
        within = np.arange(len(owner)) - np.repeat(row - parts + 1, parts) + 1
        share = within / parts[owner]
        before = np.where(first, np.arange(len(parts)), np.arange(len(parts)) - 1)[owner]
        at_m = vertex_at[before] + share * (vertex_at[owner] - vertex_at[before])
        xy_m = vertex_xy[before] + share[:, None] * (vertex_xy[owner] - vertex_xy[before])
        at_m[row], xy_m[row] = vertex_at, vertex_xy
        start = np.append(row[network.vertex_start[:-1]], len(owner)).astype(np.int64)
        is_first = np.zeros(len(owner), dtype=bool)
        is_first[start[:-1]] = True
        return cls(start, at_m, xy_m, form[owner].astype(np.int64), is_first, row)


def _bridge_unknown(
    network: WalkNetwork, off_ground: BoolArray, height_m: FloatArray
) -> FloatArray:
    """Heights of vertices, those that only bridges and the like meet taken from their ends.

    Along a bridge heights grow evenly from end to end; where bridges fork the heights are those
    at which every fork is the mean of its neighbours, weighed by nearness (Laplace).
    """
    over = np.flatnonzero(off_ground)
    if len(over) == 0:
        return height_m
    node = _find_nodes(network)
    on_ground = np.ones(len(node), dtype=bool)
    on_ground[network.vertex_start[:-1]] = False  # a first vertex ends no segment
    on_ground &= ~off_ground
    grounded = np.zeros(int(node.max()) + 1, dtype=bool)
    ends = np.flatnonzero(on_ground)
    grounded[node[ends]] = grounded[node[ends - 1]] = True

    a, b = node[over - 1], node[over]
    weight = 1.0 / np.maximum(network.vertex_at_m[over] - network.vertex_at_m[over - 1], _LEAST_M)
    used, local = np.unique(np.concatenate((a, b)), return_inverse=True)
    a, b = local[: len(a)], local[len(a) :]
    known = np.full(len(grounded), np.nan)
    known[node] = height_m
    height = np.where(grounded[used], known[used], np.nan)
    solved = _solve_laplace(a, b, weight, height)
    result = height_m.copy()
    place = np.full(len(grounded), -1)
    place[used] = np.arange(len(used))
    lifted = (place[node] >= 0) & ~grounded[node]
    result[lifted] = solved[place[node[lifted]]]
    return result


def _find_nodes(network: WalkNetwork) -> IntArray:
    """A number for each vertex, the same where edges share a junction."""
    node = network.node_count + np.arange(len(network.vertex_at_m))
    node[network.vertex_start[:-1]] = network.edge_u
    node[network.vertex_start[1:] - 1] = network.edge_v
    return node


def _solve_laplace(a: IntArray, b: IntArray, weight: FloatArray, height: FloatArray) -> FloatArray:
    """Heights of all nodes where some are known; NaN where none of a piece is known."""
    from scipy.sparse import coo_array, csr_array  # a quarter of a second to load
    from scipy.sparse.linalg import spsolve

    count = len(height)
    both = np.concatenate((a, b)), np.concatenate((b, a))
    links = csr_array(coo_array((np.tile(weight, 2), both), shape=(count, count)))
    piece = connected_pieces(count, a, b)
    fixed = np.isfinite(height)
    held = np.zeros(int(piece.max()) + 1, dtype=bool)
    held[piece[fixed]] = True
    free = np.flatnonzero(~fixed & held[piece])
    if len(free) == 0:
        return height
    rows = links[free]
    given = np.where(fixed, height, 0.0)
    own: Any = csr_array((rows.sum(axis=1), (np.arange(len(free)), np.arange(len(free)))))
    result = height.copy()
    result[free] = spsolve((own - rows[:, free]).tocsc(), rows @ given)
    return result
