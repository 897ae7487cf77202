"""Many rows of like names near each other: each asks for its nearest ones only.

Names that are like, not equal, make no groups: one may be like two that are not like each other.
So every row looks around itself in rings until it has found what settles it. What is looked at
and told grows as the rows do while those near are like; where they are not, a budget ends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
import shapely

from lifecircle.analysis.city.facilities.name_similarity import CoreName, NameSimilarity
from lifecircle.analysis.grouping.pair_blocks import PairBudget, TooManyPairsError, find_in_blocks
from lifecircle.analysis.quantities import FloatArray, Int32Array, IntArray, ObjectArray
from lifecircle.analysis.readers.records.cells import group_rows

_TOLD: Final = 5_000  # near pairs of like names that are all looked at, and more for each row
_TOLD_EACH: Final = 10
_NEAREST: Final = 3  # rows of its own list that a row is told with
_RINGS: Final = tuple(4.0**-k for k in range(8, -1, -1))  # radii, as shares of the reach
_WIDER: Final = 1 + 1e-9  # trees ask a little farther than the ring, which then decides


class NamedRows(NamedTuple):
    """All rows: shape in metres, number of the source (ascending) and what is left of the name."""

    shapes: ObjectArray
    source_no: Int32Array
    cores: Sequence[CoreName | None]


def is_crowded(shapes: ObjectArray, reach_m: float) -> bool:
    """Whether more pairs of shapes lie within reach than anybody reads."""
    budget = PairBudget.of(len(shapes), 2 * _TOLD + len(shapes), 2 * _TOLD_EACH)
    near = {"predicate": "dwithin", "distance": reach_m}
    try:
        for _ in find_in_blocks(shapely.STRtree(shapes), shapes, budget, **near):
            pass
    except TooManyPairsError:
        return True
    return False


def group_equal_names(rows: IntArray, cores: Sequence[CoreName | None]) -> Iterator[IntArray]:
    """Groups of rows (ascending) such that any two of one name share one."""
    by_core: dict[str, list[tuple[str, int]]] = {}
    for row in rows.tolist():
        name = cores[row]
        if name is not None:
            by_core.setdefault(name.core, []).append((name.branch, row))
    for held in by_core.values():
        branches = [branch for branch, _ in held]
        whole = "" in branches  # a name without a branch is that of every branch
        for group in [range(len(held))] if whole else group_rows(branches).values():
            if len(group) > 1:
                yield np.array([held[k][1] for k in group], dtype=np.int64)


def find_nearest_like(
    named: NamedRows, rows: IntArray, least: float, reach_m: float, budget: PairBudget
) -> Iterator[tuple[int, int, float]]:
    """Pairs of an earlier row and a later one of like, not equal names, and how far apart.

    Of every row: with the nearest (the first of equals) of the sources before its own, which is
    the only one it can go with, and with the three nearest of its own.

    Parameters
    ----------
    rows : those that are looked at, ascending.
    least : how like two names are at least, 0–1.
    budget : every comparison is taken out of it, and every pair within a ring.

    Raises
    ------
    TooManyPairsError : the budget is used up.
    """
    source = named.source_no[rows]
    for number in np.unique(source).tolist():
        own, before = rows[source == number], rows[source < number]
        for held, wanted in ((own, _NEAREST), (before, 1)):
            if len(held):
                for one, other, metres in _look_around(
                    named, (own, held), (least, wanted), reach_m, budget
                ):
                    yield min(one, other), max(one, other), metres


def _look_around(
    named: NamedRows,
    between: tuple[IntArray, IntArray],
    sought: tuple[float, int],
    reach_m: float,
    budget: PairBudget,
) -> Iterator[tuple[int, int, float]]:
    """For every row of the first the nearest like ones of the second, ring by ring.

    `sought`: how like at least, and how many.
    """
    asking, held = between
    least, wanted = sought
    order, first = _split_spots(named.shapes[held])
    members = [held[part].tolist() for part in order]
    spots = named.shapes[held[first]]
    tree, inner_m = shapely.STRtree(spots), -1.0
    lacking = dict.fromkeys(asking.tolist(), wanted)
    for share in _RINGS:
        outer_m = reach_m * share
        asking = np.array(list(lacking), dtype=np.int64)
        for row, near in _find_ring(
            named.shapes, asking, (tree, spots), (inner_m, outer_m), budget
        ):
            for other, metres in _find_like(
                named.cores, row, _by_distance(near, members), least, budget
            ):
                yield row, other, metres
                lacking[row] -= 1
                if lacking[row] == 0:
                    del lacking[row]
                    break
        if not lacking:
            return
        inner_m = outer_m


def _split_spots(shapes: ObjectArray) -> tuple[list[IntArray], IntArray]:
    """Rows by equal shape, ascending, and the first row of each."""
    _, first, spot = np.unique(shapely.to_wkb(shapes), return_index=True, return_inverse=True)
    order = np.argsort(spot, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(spot[order])) + 1), first


def _find_ring(
    shapes: ObjectArray,
    asking: IntArray,
    held: tuple[shapely.STRtree, ObjectArray],
    ring_m: tuple[float, float],
    budget: PairBudget,
) -> Iterator[tuple[int, list[tuple[float, int]]]]:
    """Each row with the spots farther than the inner metres and within the outer, by distance."""
    (tree, spots), (inner_m, outer_m) = held, ring_m
    near = {"predicate": "dwithin", "distance": outer_m * _WIDER}
    for left, right in find_in_blocks(tree, shapes[asking], budget, **near):
        metres: FloatArray = shapely.distance(shapes[asking[left]], spots[right])
        kept = np.flatnonzero((metres > inner_m) & (metres <= outer_m))
        kept = kept[np.lexsort((metres[kept], left[kept]))]
        columns = (asking[left[kept]].tolist(), metres[kept].tolist(), right[kept].tolist())
        found = zip(*columns, strict=True)
        for row, group in groupby(found, key=lambda one: one[0]):
            yield row, [(m, spot) for _, m, spot in group]


def _by_distance(
    near: list[tuple[float, int]], members: list[list[int]]
) -> Iterator[tuple[int, float]]:
    """The rows of spots, nearest first, of equally near ones the first."""
    for metres, group in groupby(near, key=lambda one: one[0]):
        for row in merge(*(members[spot] for _, spot in group)):
            yield row, metres


def _find_like(
    cores: Sequence[CoreName | None],
    row: int,
    others: Iterator[tuple[int, float]],
    least: float,
    budget: PairBudget,
) -> Iterator[tuple[int, float]]:
    mine = cores[row]
    for other, metres in others:
        theirs = cores[other]
        if other == row or mine is None or theirs is None:
            continue
        budget.spend(1)
        if least <= NameSimilarity.compare(mine, theirs) < 1.0:
            yield other, metres
