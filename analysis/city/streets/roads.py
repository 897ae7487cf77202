"""The directed network of a profile of travelling: its own streets, with a speed each way.

Edges are as long as one speed each way holds, so that a place along an edge costs its share of it.
A node that the profile does not pass parts the ways there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.city.streets.network import WalkNetwork, build_parted
from lifecircle.analysis.policy.sections.terrain import WayForm
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray, read_only
from lifecircle.analysis.readers.osm.roads import RawRoads
from lifecircle.analysis.readers.osm.streets import RawStreets


@dataclass(frozen=True, slots=True)
class RoadNetwork:
    """A network (m edges) with the speeds of one profile: `uv_km_h`, `vu_km_h` float64 (m,).

    0 where the profile does not go that way.
    """

    network: WalkNetwork
    uv_km_h: FloatArray
    vu_km_h: FloatArray

    def __repr__(self) -> str:
        return f"<RoadNetwork: {self.network!r}, {self.one_ways:,} one-way>"

    @property
    def one_ways(self) -> int:
        """How many edges lead one way only."""
        return int(np.count_nonzero((self.uv_km_h == 0) != (self.vu_km_h == 0)))


def road_networks(raw: RawRoads, crs: str) -> Mapping[str, RoadNetwork]:
    """The network of every profile that finds a way at all."""
    found = {name: build_roads(raw, name, crs) for name in raw.speed_km_h}
    return {name: roads for name, roads in found.items() if roads is not None}


def build_roads(raw: RawRoads, profile: str, crs: str) -> RoadNetwork | None:
    """The network of one profile, None where no way is open to it."""
    pairs = _Pairs.of(raw, profile)
    if len(pairs.tail) == 0:
        return None
    streets = RawStreets(
        pairs.way,
        2 * np.arange(len(pairs.tail) + 1, dtype=np.int64),
        np.column_stack((pairs.tail, pairs.head)).ravel(),
        pairs.lonlat.reshape(-1, 2),
        (raw.form[pairs.row] & np.uint8(WayForm.ABOVE_OR_BELOW)).astype(np.uint8),
    )
    speeds = _Speeds.of(pairs)
    network, vertex = build_parted(streets, crs, speeds.changes())
    first = network.vertex_start[:-1]
    uv, vu = speeds.along(vertex[first], vertex[first + 1])
    for array in (uv, vu):
        read_only(array)
    return RoadNetwork(network, uv, vu)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Segments (s) from node to node: `tail`, `head` ids, `lonlat` (s, 2, 2), speeds (s, 2)."""

    row: IntArray
    way: IntArray
    tail: IntArray
    head: IntArray
    lonlat: FloatArray
    km_h: FloatArray

    @classmethod
    def of(cls, raw: RawRoads, profile: str) -> _Pairs:
        """The segments a profile takes; at what bars it each has a node of its own."""
        row = np.repeat(np.arange(len(raw.way_id)), np.diff(raw.way_start))
        inside = np.flatnonzero(np.equal(row[:-1], row[1:]))
        km_h = raw.speed_km_h[profile][raw.kind[row[inside]]]
        known: BoolArray = np.asarray(np.isfinite(raw.lonlat).all(axis=1))
        tail, head = raw.node_ref[inside], raw.node_ref[inside + 1]
        kept = km_h.any(axis=1) & known[inside] & known[inside + 1] & np.not_equal(tail, head)
        inside, km_h, tail, head = inside[kept], km_h[kept], tail[kept], head[kept]
        shut = np.array(sorted(raw.barred[profile]), dtype=np.int64)
        lowest = min(0, int(raw.node_ref.min(initial=0)))
        for ends in (tail, head):
            barred = np.flatnonzero(np.isin(ends, shut))
            ends[barred] = lowest - 1 - np.arange(len(barred))
            lowest -= len(barred)
        lonlat = np.stack((raw.lonlat[inside], raw.lonlat[inside + 1]), axis=1)
        return cls(row[inside], raw.way_id[row[inside]], tail, head, lonlat, km_h)


@dataclass(frozen=True, slots=True)
class _Speeds:
    """Distinct segments by the ids of their nodes, low < high, with the best speed each way."""

    low: IntArray
    high: IntArray
    up_km_h: FloatArray
    down_km_h: FloatArray

    @classmethod
    def of(cls, pairs: _Pairs) -> _Speeds:
        """Of a segment that is drawn more than once, the best speed each way."""
        forth = pairs.tail < pairs.head
        low, high = np.minimum(pairs.tail, pairs.head), np.maximum(pairs.tail, pairs.head)
        order = np.lexsort((high, low))
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
        start = np.flatnonzero(new)
        ahead, back = pairs.km_h[order, 0], pairs.km_h[order, 1]
        up, down = np.where(forth[order], ahead, back), np.where(forth[order], back, ahead)
        kept = order[start]
        return cls(
            low[kept], high[kept], np.maximum.reduceat(up, start), np.maximum.reduceat(down, start)
        )

    def changes(self) -> IntArray:
        """Nodes between two segments that are not gone along at the same speeds."""
        node = np.concatenate((self.low, self.high))
        out = np.concatenate((self.up_km_h, self.down_km_h))  # away from the node
        into = np.concatenate((self.down_km_h, self.up_km_h))
        order = np.argsort(node, kind="stable")
        node, out, into = node[order], out[order], into[order]
        places, first, count = np.unique(node, return_index=True, return_counts=True)
        one = first[count == 2]
        differ: BoolArray = (out[one] != into[one + 1]) | (into[one] != out[one + 1])
        changed: IntArray = places[count == 2][differ]
        return changed

    def along(self, tail: IntArray, head: IntArray) -> tuple[FloatArray, FloatArray]:
        """Speeds from some nodes to their neighbours, and back."""
        nodes = np.unique(np.concatenate((self.low, self.high)))
        size = len(nodes)
        mine = np.searchsorted(nodes, self.low) * size + np.searchsorted(nodes, self.high)
        asked = np.searchsorted(nodes, np.minimum(tail, head)) * size
        row = np.searchsorted(mine, asked + np.searchsorted(nodes, np.maximum(tail, head)))
        up = tail < head
        return (
            np.where(up, self.up_km_h[row], self.down_km_h[row]),
            np.where(up, self.down_km_h[row], self.up_km_h[row]),
        )
