"""Many rows of one name: every one is as alike as any other, so only where they are tells.

Nothing is compared pair by pair: each row asks trees of the rows before it for the nearest one
that is surely it, and each place the others near it. Work and what is told grow as the rows do,
however many stand on one spot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.grouping.pair_blocks import PairBudget, TooManyPairsError, list_pairs
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray, ObjectArray

_BLOCK: Final = 256  # so many rows are compared with one another directly
_TOLD: Final = 5_000  # pairs of places told of any crowd, and more of them for each row
_TOLD_EACH: Final = 10
_FEW_PAIRS: Final = 1024  # pairs of rows of two places that are looked at directly
_WIDER: Final = 1 + 1e-9  # trees ask a little farther than the reach, which then decides


@dataclass(frozen=True, slots=True)
class Crowd:
    """Rows (n,) of one service and name in their order: shape in metres, source, whether mapped.

    Two rows are surely one place where they are of two sources within `reach_m`, or of one that
    is no map within `close_m`; what else is within `reach_m` is suspected.
    `spot` int64 (n,): the same number for the same shape.
    """

    shapes: ObjectArray
    source: IntArray
    mapped: BoolArray
    spot: IntArray
    reach_m: float
    close_m: float

    @classmethod
    def of(
        cls,
        shapes: ObjectArray,
        source: IntArray,
        mapped: BoolArray,
        reach_m: float,
        close_m: float,
    ) -> Crowd:
        """Rows by what is known of each."""
        _, spot = np.unique(shapely.to_wkb(shapes), return_inverse=True)
        return cls(shapes, source, mapped, spot, reach_m, min(reach_m, close_m))

    def metres(self, one: IntArray, two: IntArray) -> FloatArray:
        """How far rows are from one another."""
        return np.asarray(shapely.distance(self.shapes[one], self.shapes[two]))

    def nearest(
        self, held: IntArray, asked: IntArray, *, but_itself: bool = False
    ) -> tuple[IntArray, IntArray]:
        """Pairs of a row held (ascending), the nearest (of one shape the first), and one asked.

        `but_itself`: nothing of the same shape is asked for.
        """
        held = held[np.unique(self.spot[held], return_index=True)[1]]
        tree = shapely.STRtree(self.shapes[held])
        farthest = self.reach_m * _WIDER
        mine, found = tree.query_nearest(
            self.shapes[asked], max_distance=farthest, exclusive=but_itself
        )
        return held[found], asked[mine]


def link_surely(crowd: Crowd) -> tuple[IntArray, FloatArray]:
    """For each row the nearest earlier one (the first of equals) that is surely it, -1: none."""
    count = len(crowd.shapes)
    best = _Nearest(crowd, np.full(count, -1, np.int64), np.full(count, np.inf))
    for start in range(0, count, _BLOCK):
        one, two = np.triu_indices(min(_BLOCK, count - start), 1)
        best.take(one + start, two + start)
    for before, after in _halves(count):
        for source in np.unique(crowd.source[before]):
            held = before[crowd.source[before] == source]
            own = crowd.source[after] == source
            for asked in (after[~own], after[own & ~crowd.mapped[after]]):
                if len(asked):
                    best.take(*crowd.nearest(held, asked))
    return best.row, best.metres


@dataclass(frozen=True, slots=True)
class _Nearest:
    """The nearest row found so far for each row (-1: none), and how far it is."""

    crowd: Crowd
    row: IntArray
    metres: FloatArray

    def take(self, one: IntArray, two: IntArray) -> None:
        """Rows `one` for rows `two`, where they surely are and nearer than what is known."""
        crowd, metres = self.crowd, self.crowd.metres(one, two)
        reach = np.where(crowd.mapped[two], -1.0, crowd.close_m)
        reach[crowd.source[one] != crowd.source[two]] = crowd.reach_m
        near = np.flatnonzero(metres <= reach)
        order = near[np.lexsort((one[near], metres[near], two[near]))]
        row, first = np.unique(two[order], return_index=True)
        m, i = metres[order][first], one[order][first]
        better = (m < self.metres[row]) | ((m == self.metres[row]) & (i < self.row[row]))
        self.row[row[better]], self.metres[row[better]] = i[better], m[better]


def _halves(count: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Rows before and rows after, so that each two rows of different blocks meet once."""
    every, width = np.arange(count), _BLOCK
    while width < count:
        for start in range(0, count - width, 2 * width):
            middle = start + width
            yield every[start:middle], every[middle : middle + width]
        width *= 2


def suspect_places(crowd: Crowd, top: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Pairs of rows of two places `top` that may be one: the nearest of every two places near.

    Where more places stand near one another than anybody reads, each is told with the nearest
    only. Two places of very many rows are told even where their nearest rows nearly touch, and
    went with others: farther ones of them are suspected anyway.
    """
    told: list[tuple[IntArray, IntArray]] = []
    for source in np.unique(crowd.source):
        rows = np.flatnonzero(crowd.source == source)
        places, place = np.unique(top[rows], return_inverse=True)
        if len(places) > 1:
            told += _near_places(crowd, rows, place)
    if not told:
        none = np.empty(0, np.int64)
        return none, none, np.empty(0)
    one, two = (np.concatenate(part) for part in zip(*told, strict=True))
    return _keep_first(crowd, top, np.minimum(one, two), np.maximum(one, two))


def _near_places(
    crowd: Crowd, rows: IntArray, place: IntArray
) -> Iterator[tuple[IntArray, IntArray]]:
    """Pairs of rows of one source among which the nearest of every two near places are."""
    order = np.argsort(place, kind="stable")
    members = np.split(rows[order], np.flatnonzero(np.diff(place[order])) + 1)
    shapes = np.array([_join(crowd.shapes[one]) for one in members], dtype=np.object_)
    budget = PairBudget.of(len(rows), 2 * _TOLD + len(members), 2 * _TOLD_EACH)
    near = {"predicate": "dwithin", "distance": crowd.reach_m * _WIDER}
    try:
        left, right = list_pairs(shapely.STRtree(shapes), shapes, budget, **near)
    except TooManyPairsError:
        yield _nearest_places(crowd, rows, place)
        return
    once = left < right
    for a, b in zip(left[once].tolist(), right[once].tolist(), strict=True):
        yield _closest(crowd, members[a], members[b])


def _join(shapes: ObjectArray) -> Any:
    return shapes[0] if len(shapes) == 1 else shapely.geometrycollections(shapes)


def _closest(crowd: Crowd, one: IntArray, two: IntArray) -> tuple[IntArray, IntArray]:
    """Suspected pairs of rows of two places: all of a few, else the nearest of the fewer."""
    if len(one) * len(two) > _FEW_PAIRS:
        few, many = sorted((one, two), key=len)
        return crowd.nearest(many, few)
    left, right = np.repeat(one, len(two)), np.tile(two, len(one))
    later = np.maximum(left, right)
    open_ = crowd.mapped[later] | (crowd.metres(left, right) > crowd.close_m)
    return left[open_], right[open_]


def _nearest_places(crowd: Crowd, rows: IntArray, place: IntArray) -> tuple[IntArray, IntArray]:
    """For each place a row of the nearest other one, and its own row.

    Most find one among the rows around them. For the others: two places differ in a digit of
    their numbers, so for every digit those without it are asked by those with it, and the other
    way round.
    """
    alone = rows[np.bincount(crowd.spot)[crowd.spot[rows]] == 1]
    found = [crowd.nearest(rows, alone, but_itself=True)]
    one, two = (place[np.searchsorted(rows, part)] for part in found[0])
    found = [tuple(part[one != two] for part in found[0])]
    asking = ~np.isin(rows, found[0][1])
    for digit in range(int(place.max()).bit_length() if asking.any() else 0):
        with_it = (place >> digit) & 1 == 1
        found += [crowd.nearest(rows[with_it], rows[~with_it & asking])]
        found += [crowd.nearest(rows[~with_it], rows[with_it & asking])]
    one, two = (np.concatenate(part) for part in zip(*found, strict=True))
    asks = place[np.searchsorted(rows, two)]
    order = np.lexsort((two, one, crowd.metres(one, two), asks))
    first = order[np.unique(asks[order], return_index=True)[1]]
    return one[first], two[first]


def _keep_first(
    crowd: Crowd, top: IntArray, one: IntArray, two: IntArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Of pairs within reach the first by distance, then by row, of the same two places."""
    metres = crowd.metres(one, two)
    low, high = np.minimum(top[one], top[two]), np.maximum(top[one], top[two])
    order = np.lexsort((two, one, metres, high, low))
    order = order[metres[order] <= crowd.reach_m]
    both = np.column_stack((low, high))[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (both[1:] != both[:-1]).any(axis=1)
    kept = order[new]
    return one[kept], two[kept], metres[kept]
