"""What slope adds to walks, carried from the streets of a run to the streets after edits.

A run keeps no heights: streets that stay keep what slope adds to them, parts of a street that is
cut keep their part of it, and a drawn way is walked as flat.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.profile import SlopeProfile
from lifecircle.analysis.city.streets.snap import EdgeIndex, locate_on_edges
from lifecircle.analysis.quantities import NOBODY, BoolArray, FloatArray, Int32Array, read_only

_ON_M: Final = 0.05  # a piece that lies so near to an old street is a part of it


def carry_slope(
    old: WalkNetwork, new: WalkNetwork, edge: Int32Array, turned: BoolArray
) -> WalkNetwork:
    """The new streets with the slope of the old ones, where those have any.

    `edge`, `turned` (m,): which new edge each old one is and whether it runs the other way now.
    """
    slope = old.slope
    if slope is None:
        return new
    before = np.full(new.edge_count, NOBODY, dtype=np.int64)
    kept = np.flatnonzero(edge != NOBODY)
    before[edge[kept]] = kept
    fresh = np.flatnonzero(before == NOBODY)
    pieces = _PieceSlope.of(old, new, fresh)
    at, ahead, back, size = [], [], [], []
    for k in range(new.edge_count):
        one = int(before[k])
        if one == NOBODY:
            part = pieces.along(k)
        else:
            rows = slice(int(slope.point_start[one]), int(slope.point_start[one + 1]))
            part = (slope.point_at_m[rows], slope.extra_uv_m[rows], slope.extra_vu_m[rows])
            if turned[one]:
                part = _turn(*part)
        at.append(part[0])
        ahead.append(part[1])
        back.append(part[2])
        size.append(len(part[0]))
    start = np.concatenate(([0], np.cumsum(size))).astype(np.int64)
    profile = SlopeProfile(start, *(np.concatenate(parts) for parts in (at, ahead, back)))
    for array in (profile.point_start, profile.point_at_m, profile.extra_uv_m, profile.extra_vu_m):
        read_only(array)
    return replace(new, slope=profile)


def _turn(
    at_m: FloatArray, ahead_m: FloatArray, back_m: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A profile seen from the other end."""
    return (
        (at_m[-1] - at_m)[::-1],
        (back_m[-1] - back_m)[::-1],
        (ahead_m[-1] - ahead_m)[::-1],
    )


class _PieceSlope:
    """Slope of new edges from the old streets that they are parts of, vertex by vertex."""

    def __init__(self, new: WalkNetwork, ahead_m: FloatArray, back_m: FloatArray) -> None:
        self._new, self._ahead, self._back = new, ahead_m, back_m

    @classmethod
    def of(cls, old: WalkNetwork, new: WalkNetwork, fresh: np.ndarray) -> _PieceSlope:
        """Extra metres of the segment that ends at each vertex of the `fresh` edges."""
        ahead, back = np.zeros(len(new.vertex_at_m)), np.zeros(len(new.vertex_at_m))
        rows = [np.arange(new.vertex_start[k] + 1, new.vertex_start[k + 1]) for k in fresh]
        row = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
        if len(row) == 0:
            return cls(new, ahead, back)
        a, b = new.vertex_xy_m[row - 1], new.vertex_xy_m[row]
        index = EdgeIndex.build(old, 0.0)
        found, _ = index.find_segments((a + b) / 2, _ON_M)
        there = np.flatnonzero(found >= 0)
        on = index.segment_edge[found[there]]
        begin, end = (locate_on_edges(old, xy[there], xy[there], on) for xy in (a, b))
        for k, r in enumerate(row[there].tolist()):
            low, high = float(begin.at_m[k]), float(end.at_m[k])
            forth = low <= high
            up, down = (_between(old, int(on[k]), low, high, forth=way) for way in (True, False))
            ahead[r], back[r] = (up, down) if forth else (-down, -up)
        return cls(new, ahead, back)

    def along(self, edge: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The profile of a new edge."""
        rows = slice(int(self._new.vertex_start[edge]), int(self._new.vertex_start[edge + 1]))
        return (
            self._new.vertex_at_m[rows],
            np.cumsum(self._ahead[rows]),
            np.cumsum(self._back[rows]),
        )


def _between(network: WalkNetwork, edge: int, low_m: float, high_m: float, *, forth: bool) -> float:
    """Extra metres between two places of an edge, walking from its u or to it."""
    slope = network.slope
    assert slope is not None
    rows = slice(int(slope.point_start[edge]), int(slope.point_start[edge + 1]))
    extra = slope.extra_uv_m[rows] if forth else slope.extra_vu_m[rows]
    low, high = np.interp([low_m, high_m], slope.point_at_m[rows], extra)
    return float(high - low)
