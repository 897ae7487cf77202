"""What it costs to walk along each edge, in centimetres of walking on the flat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lifecircle.analysis.access.shortest import DEAD_END, SHIFT
from lifecircle.analysis.access.slope_interpolation import Bend
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    UNREACHED_CM,
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
    read_only,
)

BARRED_CM: Final = 1 << 30  # the cost of a whole edge against a one-way: never within a limit
_INSIDE_CM: Final = 1 << 29  # the same to a place inside such an edge, and the least of any
_PLACES: Final = 1 << 28  # how many such places are told apart
_TINY: Final = float(np.finfo(np.float64).tiny)
_BAND_EDGES: Final = 5  # edges of a mean cost in a band: measured, never changes a result
_AT_END_M: Final = 0.005  # half a centimetre: this near to an end of a one-way is its end


@dataclass(frozen=True, slots=True)
class WalkCosts:
    """Walking costs of a network and its graph for the kernels (n junctions, m edges).

    `uv_cm`, `vu_cm` int32 (m,): from u to v and back. `start` int32 (n + 1,) and `link`
    int64 (2m,): each junction's neighbours with the cost of walking *from the neighbour to
    it*, as a search outward from facilities needs it; `away` the same with the cost of walking
    to the neighbour, for a search outward from a resident. `half_edge` int32 (2m,): the edge
    behind each row of `link`; `half_from_u` bool (2m,): whether the row leaves the edge's u.
    `largest_cm`: the largest cost of any edge; `band_cm`: the width of a search's bands, some
    edges of a mean cost. `uv_bend`, `vu_bend`: how the cost along edges
    departs from an even one, None where it never does. `one_way`: some edges lead one way only:
    the other costs ``BARRED_CM``, and nothing beyond `most_cm` is reached.
    """

    edge_u: Int32Array
    edge_v: Int32Array
    length_m: FloatArray
    uv_cm: Int32Array
    vu_cm: Int32Array
    start: Int32Array
    link: IntArray
    away: IntArray
    half_edge: Int32Array
    half_from_u: BoolArray
    largest_cm: int
    band_cm: int
    uv_bend: Bend | None = None
    vu_bend: Bend | None = None
    one_way: bool = False

    def __repr__(self) -> str:
        return f"<WalkCosts: {len(self.start) - 1:,} junctions, {len(self.uv_cm):,} edges>"

    @property
    def most_cm(self) -> int:
        """The longest way that is looked for where nobody gives a limit."""
        return (_PLACES if self.one_way else int(UNREACHED_CM)) - 1

    def within_cm(self, limit_cm: int | None) -> int:
        """A limit that leads against no one-way; `most_cm` where none is given."""
        return self.most_cm if limit_cm is None else min(limit_cm, self.most_cm)

    def bucket_count(self, spread_cm: int) -> int:
        """Length of the ring of buckets: a power of two beyond every cost and seed."""
        largest = max(self.largest_cm, spread_cm)
        return 1 << int((largest >> SHIFT) + 2).bit_length()

    def ahead_cm(self, position: Positions) -> Int32Array:
        """Cost from the edge's u to each position, int32 (k,); 0 where unsnapped."""
        return self._share(position, self.uv_cm, self.uv_bend)

    def back_cm(self, position: Positions) -> Int32Array:
        """Cost from each position to the edge's u, int32 (k,); 0 where unsnapped."""
        return self._share(position, self.vu_cm, self.vu_bend)

    def shares_of_one(self, position: Positions) -> tuple[int, int]:
        """`ahead_cm` and `back_cm` of a single position, in a fraction of the time."""
        edge = int(position.edge[0])
        if edge == NOBODY:
            return 0, 0
        if self.one_way or self.uv_bend is not None or self.vu_bend is not None:
            return int(self.ahead_cm(position)[0]), int(self.back_cm(position)[0])
        length_m = max(float(self.length_m[edge]), _TINY)
        share = min(max(float(position.at_m[0]) / length_m, 0.0), 1.0)
        # round is to even, as rint
        return round(share * int(self.uv_cm[edge])), round(share * int(self.vu_cm[edge]))

    def reversed(self) -> WalkCosts:
        """The same streets walked the other way: from there to here is from here to there."""
        return replace(
            self,
            uv_cm=self.vu_cm,
            vu_cm=self.uv_cm,
            link=self.away,
            away=self.link,
            uv_bend=self.vu_bend,
            vu_bend=self.uv_bend,
        )

    def _share(self, position: Positions, whole_cm: Int32Array, bend: Bend | None) -> Int32Array:
        edge = np.where(position.edge == NOBODY, 0, position.edge)
        length_m = np.maximum(self.length_m[edge], _TINY)
        share = np.clip(position.at_m / length_m, 0.0, 1.0)
        exact = share * whole_cm[edge]
        if bend is not None:
            exact += CM_PER_M * bend.at(edge, share * self.length_m[edge])
        cost = np.rint(exact).astype(np.int32)
        if self.one_way:
            barred = whole_cm[edge] == BARRED_CM
            cost[barred] = _barred_cm(share[barred], length_m[barred])
        cost[position.edge == NOBODY] = 0
        return cost


def _barred_cm(share: FloatArray, length_m: FloatArray) -> Int32Array:
    """Cost to places along edges against a one-way: 0 at the beginning, else beyond any limit.

    It grows along the edge, so that the way between two places is known to be barred, and what is
    left to the end is beyond any limit too.
    """
    inside = (_INSIDE_CM + np.rint(share * (_PLACES - 1))).astype(np.int32)
    at_m = share * length_m
    begins, ends = at_m < _AT_END_M, at_m > length_m - _AT_END_M
    cost: Int32Array = np.select([begins, ends], [0, BARRED_CM], inside).astype(np.int32)
    return cost


def leg_cm(position: Positions) -> Int32Array:
    """Access legs in whole centimetres, int32 (k,); 0 where unsnapped."""
    return np.rint(np.nan_to_num(position.leg_m) * CM_PER_M).astype(np.int32)


def leg_cm_of_one(position: Positions) -> int:
    """`leg_cm` of a single position."""
    return 0 if position.edge[0] == NOBODY else round(float(position.leg_m[0]) * CM_PER_M)


def flat_costs(network: WalkNetwork) -> WalkCosts:
    """Costs without slope: the geodesic length of each edge in whole centimetres."""
    length_cm = np.rint(network.edge_length_m * CM_PER_M).astype(np.int32)
    return costs_of(network, length_cm, length_cm)


def walk_costs(network: WalkNetwork) -> WalkCosts:
    """Costs of a run's network: with its slope where heights were used, else flat.

    A slope that is nowhere other than 0 gives the flat costs, bit for bit.
    """
    slope = network.slope
    if slope is None or not (slope.extra_uv_m.any() or slope.extra_vu_m.any()):
        return flat_costs(network)
    last = slope.point_start[1:] - 1
    uv_cm, vu_cm = (
        np.rint((network.edge_length_m + extra_m[last]) * CM_PER_M).astype(np.int32)
        for extra_m in (slope.extra_uv_m, slope.extra_vu_m)
    )
    length_m = network.edge_length_m
    return replace(
        costs_of(network, uv_cm, vu_cm),
        uv_bend=Bend.of(slope, length_m, slope.extra_uv_m, uv_cm),
        vu_bend=Bend.of(slope, length_m, slope.extra_vu_m, vu_cm),
    )


def costs_of(network: WalkNetwork, uv_cm: Int32Array, vu_cm: Int32Array) -> WalkCosts:
    """Costs given for both directions of each edge, int32 (m,)."""
    u, v = network.edge_u, network.edge_v
    tail = np.concatenate((u, v))
    head = np.concatenate((v, u))
    order = np.lexsort((head, tail))
    degree = np.bincount(tail, minlength=network.node_count)
    start = np.concatenate(([0], np.cumsum(degree))).astype(np.int32)
    toward = np.concatenate((vu_cm, uv_cm))[order]
    away = np.concatenate((uv_cm, vu_cm))[order]
    far = head[order].astype(np.int64)
    far |= np.where(degree[far] == 1, DEAD_END, 0)
    half_edge = (order % len(u)).astype(np.int32)
    arrays = (
        uv_cm,
        vu_cm,
        start,
        _packed(far, toward),
        _packed(far, away),
        half_edge,
        order < len(u),
    )
    frozen = [read_only(np.ascontiguousarray(array)) for array in arrays]
    one_way = bool((uv_cm == BARRED_CM).any() or (vu_cm == BARRED_CM).any())
    largest_cm = max(_largest(uv_cm), _largest(vu_cm))
    band_cm = max(_BAND_EDGES * max(_mean(uv_cm), _mean(vu_cm)), 1)
    return WalkCosts(u, v, network.edge_length_m, *frozen, largest_cm, band_cm, one_way=one_way)  # type: ignore[arg-type,call-arg,misc]


def _largest(cm: Int32Array) -> int:
    """The largest cost of any edge that is not barred."""
    return int(cm.max(initial=0, where=cm != BARRED_CM))


def _mean(cm: Int32Array) -> int:
    """The mean cost of the edges that are not barred."""
    passable = cm != BARRED_CM
    return int(cm.sum(where=passable, dtype=np.int64) // max(np.count_nonzero(passable), 1))


def _packed(far: IntArray, cm: Int32Array) -> IntArray:
    """Cost and far junction (flagged) of each half edge in one int64, read at once."""
    return (cm.astype(np.int64) << 32) | far
