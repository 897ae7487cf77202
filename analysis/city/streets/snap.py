"""Attaching points to positions on edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.analysis.city.crs import geodesic_m, geodesic_m_of_one, to_lonlat, to_lonlat_of_one
from lifecircle.analysis.city.streets.joinable import joinable_parts
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.snap_kernel import (
    Bins,
    bin_segments,
    nearest_on_edges,
    nearest_segment,
    nearest_segments,
)
from lifecircle.analysis.policy.sections.rules import AttachmentRules
from lifecircle.analysis.quantities import (
    NOBODY,
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
    UInt8Array,
    corners_of,
)

_BIN_M = 64.0  # width of the search grid, a matter of speed only
_MAX_BINS = 4_000_000
_AT_ONCE = 16_384  # points
_SLACK = 1.001  # metric CRS against the ellipsoid: search a little farther, then measure


@dataclass(frozen=True, slots=True)
class Positions:
    """Where k points join the streets.

    `edge` int32 (k,), -1 = unsnapped; `at_m` float64, geodesic metres from the edge's u;
    `leg_m` float64, straight geodesic access leg; `xy_m` float64 (k, 2), the place on the edge
    (the point itself when unsnapped). `until_m` float64 (k,), metres from u, or None: where a
    position is a stretch inside an area, its end, else NaN. Whoever joins a street on the stretch
    is there; nobody comes in by it (the crossings of the outline are positions of their own).
    """

    edge: Int32Array
    at_m: FloatArray
    leg_m: FloatArray
    xy_m: FloatArray
    until_m: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.edge)

    def __repr__(self) -> str:
        return f"<Positions: {int(self.snapped.sum()):,} of {len(self):,} on streets>"

    @property
    def snapped(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which points joined the streets, bool (k,)."""
        return np.asarray(self.edge != NOBODY)

    def take(self, index: IntArray | Int32Array) -> Positions:
        """The positions of some of the points."""
        until_m = None if self.until_m is None else self.until_m[index]
        return Positions(
            self.edge[index], self.at_m[index], self.leg_m[index], self.xy_m[index], until_m
        )

    @property
    def is_stretch(self) -> BoolArray:
        """Which are stretches inside an area, bool (k,)."""
        if self.until_m is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(~np.isnan(self.until_m))

    @property
    def ends(self) -> Positions:
        """The far ends of stretches; the others as they are."""
        if self.until_m is None:
            return self
        at_m = np.where(self.is_stretch, self.until_m, self.at_m)
        return Positions(self.edge, at_m, self.leg_m, self.xy_m)

    @classmethod
    def joined(cls, parts: Sequence[Positions]) -> Positions:
        """Those of several, one after another."""
        edge, at_m, leg_m, xy_m = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("edge", "at_m", "leg_m", "xy_m")
        )
        if all(part.until_m is None for part in parts):
            return cls(edge, at_m, leg_m, xy_m)
        nowhere = [np.full(len(part), np.nan) for part in parts]
        until = [
            none if p.until_m is None else p.until_m for p, none in zip(parts, nowhere, strict=True)
        ]
        return cls(edge, at_m, leg_m, xy_m, np.concatenate(until))

    def followed_by(self, other: Positions) -> Positions:
        """These positions and then the others."""
        return Positions(
            np.concatenate([self.edge, other.edge]),
            np.concatenate([self.at_m, other.at_m]),
            np.concatenate([self.leg_m, other.leg_m]),
            np.concatenate([self.xy_m, other.xy_m]),
        )

    def replaced(self, index: IntArray, other: Positions) -> Positions:
        """The positions, some of them exchanged for others."""
        edge, at_m, leg_m, xy_m = (
            self.edge.copy(), self.at_m.copy(), self.leg_m.copy(), self.xy_m.copy()
        )  # fmt: skip
        edge[index], at_m[index] = other.edge, other.at_m
        leg_m[index], xy_m[index] = other.leg_m, other.xy_m
        return Positions(edge, at_m, leg_m, xy_m)


@dataclass(frozen=True, slots=True)
class EdgeIndex:
    """A grid over the segments of those components that are large enough to live in.

    `segment_vertex` int64 (s,), `segment_edge` int32 (s,), ascending by edge; `segment_part`
    uint8 (s,), what of each may be joined (`joinable_parts`). `pieces`: the same of the shorter
    components that are joined by what finds none of these, None where there are no such.
    """

    network: WalkNetwork
    segment_vertex: IntArray
    segment_edge: Int32Array
    segment_part: UInt8Array
    bins: Bins
    pieces: EdgeIndex | None = None

    @classmethod
    def build(
        cls, network: WalkNetwork, min_component_m: float, min_piece_m: float | None = None
    ) -> EdgeIndex:
        """Index all edges on components with at least `min_component_m` of walkable length.

        `min_piece_m`: the least length of the components joined by what finds none of those.
        """
        length_m = network.component_length_m
        part = joinable_parts(network)
        index = cls._over(network, length_m >= min_component_m, part)
        if min_piece_m is None:
            return index
        short = (length_m >= min_piece_m) & (length_m < min_component_m)
        return replace(index, pieces=cls._over(network, short, part)) if short.any() else index

    @classmethod
    def too_short(cls, network: WalkNetwork, rules: AttachmentRules) -> EdgeIndex:
        """The index of the pieces of streets that nothing joins under a policy."""
        chosen = network.component_length_m < rules.least_piece_m
        return cls._over(network, chosen, joinable_parts(network))

    @classmethod
    def by(cls, network: WalkNetwork, rules: AttachmentRules) -> EdgeIndex:
        """The index of a policy."""
        piece = rules.min_piece_m
        return cls.build(
            network, rules.min_component_m.value, None if piece is None else piece.value
        )

    def around(self, bounds: FloatArray) -> EdgeIndex:
        """The index of the edges that come into a box (west, south, east, north; metres)."""
        xy = self.network.vertex_xy_m
        a, b = xy[self.segment_vertex], xy[self.segment_vertex + 1]
        low, high = np.minimum(a, b), np.maximum(a, b)
        meets = (low <= bounds[2:]).all(axis=1) & (high >= bounds[:2]).all(axis=1)
        inside = np.zeros(self.network.edge_count, dtype=np.bool_)
        inside[self.segment_edge[meets]] = True
        keep = inside[self.segment_edge]
        vertex, edge = self.segment_vertex[keep], self.segment_edge[keep]
        bins = self.bins
        start, member = bin_segments(xy, vertex, bins.origin, bins.width_m, bins.columns, bins.rows)
        pieces = None if self.pieces is None else self.pieces.around(bounds)
        return EdgeIndex(
            self.network, vertex, edge, self.segment_part[keep],
            bins._replace(start=start, member=member), pieces,
        )  # fmt: skip

    @classmethod
    def _over(cls, network: WalkNetwork, chosen: BoolArray, part: UInt8Array) -> EdgeIndex:
        """The index of some components."""
        size = np.diff(network.vertex_start)
        of_edge = np.repeat(np.arange(network.edge_count, dtype=np.int32), size)
        usable = chosen[network.edge_component][of_edge] & (part > 0)
        vertex = np.flatnonzero(usable)
        xy = network.vertex_xy_m
        low, high = corners_of(xy) if len(xy) else (np.zeros(2), np.zeros(2))
        span = high - low
        bin_m = max(_BIN_M, float(np.sqrt(span[0] * span[1] / _MAX_BINS)))
        columns, rows = (int(extent / bin_m) + 1 for extent in span)
        start, member = bin_segments(xy, vertex, low, bin_m, columns, rows)
        bins = Bins(low, bin_m, columns, rows, start, member)
        return cls(network, vertex, of_edge[vertex], part[vertex], bins)

    def find_segments(self, points: FloatArray, max_m: float) -> tuple[Int32Array, FloatArray]:
        """For each point (k, 2) the nearest segment within `max_m` (-1 = none) and the fraction.

        `pieces` are not searched.
        """
        xy = self.network.vertex_xy_m
        found: tuple[Int32Array, FloatArray] = nearest_segments(
            points, max_m, xy, self.segment_vertex, self.segment_part, self.bins
        )
        return found

    def snap(self, xy_m: FloatArray, max_leg_m: float) -> Positions:
        """Nearest place on an indexed edge for each point (k, 2), at most `max_leg_m` away.

        Distance is geodesic; ties go to the lower edge id. Points that find none join one of
        `pieces`; those that find none there are unsnapped.
        """
        found = self._snap(xy_m, max_leg_m)
        if self.pieces is None or found.snapped.all():
            return found
        rest = np.flatnonzero(~found.snapped)
        return found.replaced(rest, self.pieces.snap(xy_m[rest], max_leg_m))

    def snap_one(self, x_m: float, y_m: float, max_leg_m: float) -> Positions:
        """`snap` of a single place, in a fraction of the time; the same bits."""
        segment, t = nearest_segment(
            x_m, y_m, max_leg_m * _SLACK, self.network.vertex_xy_m,
            self.segment_vertex, self.segment_part, self.bins,
        )  # fmt: skip
        if segment >= 0:
            found = self._placed(x_m, y_m, int(segment), t)
            if found.leg_m[0] <= max_leg_m:
                return found
        if self.pieces is not None:
            return self.pieces.snap_one(x_m, y_m, max_leg_m)
        nowhere = np.full(1, NOBODY, dtype=np.int32)
        return Positions(nowhere, np.zeros(1), np.full(1, np.nan), np.array([[x_m, y_m]]))

    def _placed(self, x_m: float, y_m: float, segment: int, t: float) -> Positions:
        net, v = self.network, int(self.segment_vertex[segment])
        (x0, y0), (x1, y1) = net.vertex_xy_m[v : v + 2].tolist()
        begin, end = net.vertex_at_m[v : v + 2].tolist()
        x, y = x0 + t * (x1 - x0), y0 + t * (y1 - y0)
        here, there = to_lonlat_of_one(x_m, y_m, net.crs), to_lonlat_of_one(x, y, net.crs)
        return Positions(
            self.segment_edge[segment : segment + 1],
            np.array([begin + t * (end - begin)]),
            np.array([geodesic_m_of_one(here, there)]),
            np.array([[x, y]]),
        )

    def _snap(self, xy_m: FloatArray, max_leg_m: float) -> Positions:
        points = np.ascontiguousarray(xy_m, dtype=np.float64)
        segment, fraction = self.find_segments(points, max_leg_m * _SLACK)
        found = segment >= 0
        edge = np.full(len(points), NOBODY, dtype=np.int32)
        edge[found] = self.segment_edge[segment[found]]
        vertex = np.zeros(len(points), dtype=np.int64)
        vertex[found] = self.segment_vertex[segment[found]]
        return place_on_edges(self.network, points, edge, vertex, fraction, max_leg_m)


def place_on_edges(
    network: WalkNetwork,
    xy_m: FloatArray,
    edge: Int32Array,
    vertex: IntArray,
    fraction: FloatArray,
    max_leg_m: float,
) -> Positions:
    """Positions at a fraction of given segments; too long legs become unsnapped."""
    placed = Positions(
        np.array(edge, dtype=np.int32), np.zeros(len(edge)), np.full(len(edge), np.nan),
        np.array(xy_m, dtype=np.float64),
    )  # fmt: skip
    on_edge = np.flatnonzero(edge != NOBODY)
    for begin in range(0, len(on_edge), _AT_ONCE):  # what is made meanwhile fits into the cache
        k = on_edge[begin : begin + _AT_ONCE]
        v, t = vertex[k], fraction[k]
        start_m, end_m = network.vertex_at_m[v], network.vertex_at_m[v + 1]
        a, b = network.vertex_xy_m[v], network.vertex_xy_m[v + 1]
        place = a + t[:, None] * (b - a)
        leg_m = geodesic_m(to_lonlat(xy_m[k], network.crs), to_lonlat(place, network.crs))
        far = leg_m > max_leg_m
        placed.edge[k[far]] = NOBODY
        near = k[~far]
        placed.at_m[near] = (start_m + t * (end_m - start_m))[~far]
        placed.leg_m[near] = leg_m[~far]
        placed.xy_m[near] = place[~far]
    return placed


def locate_on_edges(
    network: WalkNetwork,
    xy_m: FloatArray,
    place_m: FloatArray,
    edge: Int32Array,
    max_leg_m: float = np.inf,
) -> Positions:
    """Positions of places known to lie on given edges, reached from points `xy_m` (k, 2)."""
    vertex, fraction = nearest_on_edges(
        np.ascontiguousarray(place_m), edge, network.vertex_start, network.vertex_xy_m
    )
    return place_on_edges(network, xy_m, edge, vertex, fraction, max_leg_m)
