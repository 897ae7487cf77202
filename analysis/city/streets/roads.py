"""The directed network of a profile of travelling: its own streets, with a speed each way.

Edges are as long as one speed each way holds, so that a place along an edge costs its share of it.
A node that the profile does not pass parts the ways there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.contract_kernel import segment_rows, stable_order
from lifecircle.analysis.city.streets.network import (
    Drawn,
    WalkNetwork,
    build_parted,
    order_segments,
)
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.policy.sections.terrain import WayForm
from lifecircle.analysis.quantities import (
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
    ObjectArray,
    read_only,
)
from lifecircle.analysis.readers.osm.roads import RawRoads


@dataclass(frozen=True, slots=True)
class RoadJoins:
    """Where the cells, the facilities and the land of a city join the roads of a profile.

    They are of these arrays alone, not of equal ones: `cell_xy_m`, `geometry` (of facilities) and
    `land_xy_m`, None where there is no land, as `land`.
    """

    cells: Positions
    places: Attachments
    land: Positions | None
    cell_xy_m: FloatArray
    geometry: ObjectArray
    land_xy_m: FloatArray | None


@dataclass(frozen=True, slots=True)
class RoadNetwork:
    """A network (m edges) with the speeds of one profile: `uv_km_h`, `vu_km_h` float64 (m,).

    0 where the profile does not go that way. `joins`: where it is joined, where that was kept.
    """

    network: WalkNetwork
    uv_km_h: FloatArray
    vu_km_h: FloatArray
    joins: RoadJoins | None = None

    def __repr__(self) -> str:
        return f"<RoadNetwork: {self.network!r}, {self.one_ways:,} one-way>"

    @property
    def one_ways(self) -> int:
        """How many edges lead one way only."""
        return int(np.count_nonzero((self.uv_km_h == 0) != (self.vu_km_h == 0)))


def road_networks(raw: RawRoads, crs: str) -> Mapping[str, RoadNetwork]:
    """The network of every profile that finds a way at all."""
    steps = _Steps.of(raw)
    found = {name: _build(steps, raw, name, crs) for name in raw.speed_km_h}
    return {name: roads for name, roads in found.items() if roads is not None}


def build_roads(raw: RawRoads, profile: str, crs: str) -> RoadNetwork | None:
    """The network of one profile, None where no way is open to it."""
    return _build(_Steps.of(raw), raw, profile, crs)


def _build(steps: _Steps, raw: RawRoads, profile: str, crs: str) -> RoadNetwork | None:
    drawn, km_h = steps.taken_by(raw, profile)
    if len(drawn.tail) == 0:
        return None
    speeds = _Speeds.of(drawn, km_h)
    network, vertex = build_parted(drawn, crs, speeds.changes())
    first = network.vertex_start[:-1]
    uv, vu = speeds.along(vertex[first], vertex[first + 1])
    for array in (uv, vu):
        read_only(array)
    return RoadNetwork(network, uv, vu)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Segments (s) from node to node along ways, of two nodes that differ and have a place.

    `osm_id` int64 (n,), ascending; `at` int64 (s,), the row of `raw` each begins at; `row` (s,),
    its way; `tail`, `head` int64 (s,), rows of nodes.
    """

    osm_id: IntArray
    at: IntArray
    row: IntArray
    tail: IntArray
    head: IntArray

    @classmethod
    def of(cls, raw: RawRoads) -> _Steps:
        """The segments that any profile may take."""
        osm_id, node = np.unique(raw.node_ref, return_inverse=True)
        node = node.astype(np.int64)
        row = np.repeat(np.arange(len(raw.way_id)), np.diff(raw.way_start))
        known: BoolArray = np.asarray(np.isfinite(raw.lonlat).all(axis=1))
        kept = np.equal(row[:-1], row[1:]) & known[:-1] & known[1:]
        at = np.flatnonzero(kept & np.not_equal(node[:-1], node[1:]))
        return cls(osm_id, at, row[at], node[at], node[at + 1])

    def taken_by(self, raw: RawRoads, profile: str) -> tuple[Drawn, FloatArray]:
        """The segments (k) a profile takes, and its speeds (k, 2) ahead and back along them.

        At what bars it each has a node of its own, below all others.
        """
        km_h = raw.speed_km_h[profile][raw.kind[self.row]]
        kept = np.flatnonzero(km_h.any(axis=1))
        at, row = self.at[kept], self.row[kept]
        node = np.stack((self.tail[kept], self.head[kept]))
        shut = np.isin(self.osm_id, np.array(sorted(raw.barred[profile]), dtype=np.int64))
        barred = np.nonzero(shut[node])
        own = len(barred[0])
        node += own
        node[barred] = own - 1 - np.arange(own)
        lowest = min(0, int(raw.node_ref.min(initial=0)))
        osm_id = np.concatenate((np.arange(lowest - own, lowest), self.osm_id))
        lonlat = np.empty((len(osm_id), 2))
        ends = np.stack((at, at + 1))
        lonlat[node.T.ravel()[::-1]] = raw.lonlat[ends.T.ravel()[::-1]]  # the first of each stays
        there = np.zeros(len(osm_id), dtype=np.bool_)
        there[node] = True
        tail, head = (np.cumsum(there) - 1)[node]
        form = (raw.form[row] & np.uint8(WayForm.ABOVE_OR_BELOW)).astype(np.uint8)
        drawn = Drawn(osm_id[there], lonlat[there], tail, head, raw.way_id[row], form)
        return drawn, km_h[kept]


@dataclass(frozen=True, slots=True)
class _Speeds:
    """Distinct segments between rows of `size` nodes, low < high, with the best speed each way."""

    size: int
    low: IntArray
    high: IntArray
    up_km_h: FloatArray
    down_km_h: FloatArray

    @classmethod
    def of(cls, drawn: Drawn, km_h: FloatArray) -> _Speeds:
        """Of a segment that is drawn more than once, the best speed each way."""
        size = len(drawn.osm_id)
        forth = drawn.tail < drawn.head
        low, high = np.minimum(drawn.tail, drawn.head), np.maximum(drawn.tail, drawn.head)
        order, start = order_segments(low, high, size)
        ahead, back, forth = km_h[order, 0], km_h[order, 1], forth[order]
        up, down = np.where(forth, ahead, back), np.where(forth, back, ahead)
        kept = order[start]
        best = (np.maximum.reduceat(one, start) for one in (up, down))
        return cls(size, low[kept], high[kept], *best)

    def changes(self) -> BoolArray:
        """Which nodes lie between two segments that are not gone along at the same speeds."""
        node = np.concatenate((self.low, self.high))
        out = np.concatenate((self.up_km_h, self.down_km_h))  # away from the node
        into = np.concatenate((self.down_km_h, self.up_km_h))
        order = stable_order(node, self.size)
        count = np.bincount(node, minlength=self.size)
        two = np.flatnonzero(count == 2)
        last = np.cumsum(count)[two] - 1
        one, other = order[last - 1], order[last]
        changed = np.zeros(self.size, dtype=np.bool_)
        changed[two] = (out[one] != into[other]) | (into[one] != out[other])
        return changed

    def along(self, tail: Int32Array, head: Int32Array) -> tuple[FloatArray, FloatArray]:
        """Speeds from some nodes to their neighbours, and back."""
        first = np.concatenate(([0], np.cumsum(np.bincount(self.low, minlength=self.size))))
        low, high = np.minimum(tail, head), np.maximum(tail, head)
        row = segment_rows(first, self.high, low.astype(np.int64), high.astype(np.int64))
        up = tail < head
        return (
            np.where(up, self.up_km_h[row], self.down_km_h[row]),
            np.where(up, self.down_km_h[row], self.up_km_h[row]),
        )
