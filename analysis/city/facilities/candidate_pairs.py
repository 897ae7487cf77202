"""Rows that may be one place, found by their names and by where they are.

Not every row is compared with every other: rows of one service are put into groups of names that
may be alike, and only rows of a group that lie near each other are looked at. Rows that repeat an
earlier one of their file in service, name and place go with that one and are not looked at again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import shapely

from lifecircle.analysis.city.facilities.crowds import Crowd, link_surely, suspect_places
from lifecircle.analysis.city.facilities.like_names import (
    NamedRows,
    find_nearest_like,
    group_equal_names,
    is_crowded,
)
from lifecircle.analysis.city.facilities.name_similarity import (
    CoreName,
    NameSimilarity,
    block_names,
)
from lifecircle.analysis.city.facilities.rows import FacilityRows
from lifecircle.analysis.city.notes import Rule
from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.grouping.pair_blocks import PairBudget, TooManyPairsError, find_in_blocks
from lifecircle.analysis.policy import QualityRules
from lifecircle.analysis.quantities import BoolArray, FloatArray, Int32Array, IntArray
from lifecircle.analysis.readers.records.cells import group_rows
from lifecircle.analysis.readers.records.tables import FROM_OSM
from lifecircle.analysis.readers.tables.merge_orders import MergeOrders

RANKED: Final[tuple[Rule, ...]] = ("told", "same_name", "like_name", "nameless")
TOLD, SAME_NAME, LIKE_NAME, NAMELESS = range(4)

CROWD: Final = 64  # more rows of one name are looked at together
_FEW: Final = 16  # so many rows are compared directly
_MOST_LOOKED_AT: Final = 26_000_000  # pairs as arrays: 5,000 rows of one name on one spot
_MOST_COMPARED: Final = 500_000  # pairs one by one: 1,000 rows of like names on one spot
_LOOKED_AT_EACH: Final = 100  # more of them for each row: a town has dense streets everywhere
_COMPARED_EACH: Final = 10


@dataclass(frozen=True, slots=True)
class Gathered:
    """All rows in order of their sources, and what is left of their names (None: nothing)."""

    rows: FacilityRows
    source_no: Int32Array
    cores: Sequence[CoreName | None]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs (p,) of an earlier row and a later one that may be the same place.

    `rank` int64: by which of `RANKED`; `sure`: they are one place, else they are suspected.
    """

    earlier: IntArray
    later: IntArray
    rank: IntArray
    metres: FloatArray
    sure: BoolArray

    def __len__(self) -> int:
        return len(self.earlier)

    @classmethod
    def of(cls, found: Iterable[tuple[int, int, int, float, bool]]) -> Pairs:
        """Pairs in the order in which they are settled: by rule, distance and row."""
        listed = sorted(found, key=lambda pair: (pair[2], pair[3], pair[0], pair[1]))
        columns = list(zip(*listed, strict=True)) or [(), (), (), (), ()]
        earlier, later, rank = (np.array(column, dtype=np.int64) for column in columns[:3])
        metres, sure = np.array(columns[3], np.float64), np.array(columns[4], np.bool_)
        return cls(earlier, later, rank, metres, sure)


def find_pairs(gathered: Gathered, rules: QualityRules | None, orders: MergeOrders) -> Pairs:
    """All pairs that rules or decisions take for one place, or suspect to be one.

    Raises
    ------
    InputError : rows of one service are heaped on one spot, more than any place has.
    """
    told = {frozenset(pair) for pair in orders.same}
    found = [
        (i, j, TOLD, _distance(gathered, i, j), True) for i, j in _find_told(gathered.rows, told)
    ]
    if rules is None:
        return Pairs.of(found)
    ids = gathered.rows.id
    ruled = told | {frozenset(pair) for pair in orders.keep_apart}
    named = {one for pair in ruled for one in pair}

    def decided(i: int, j: int) -> bool:
        return ids[i] in named and frozenset((ids[i], ids[j])) in ruled

    for service, members in group_rows(gathered.rows.service).items():
        kept, repeats = (members, []) if named else _part_repeats(gathered, members)
        found += repeats
        crowds = _find_crowds(gathered, [] if named else kept)
        spent = _Spent.of(len(kept), all_pairs=bool(named))
        try:
            found += _judge_crowds(gathered, crowds, rules)
            found += _judge_named(gathered, kept, rules, (decided, crowds), spent)
            found += _judge_nameless(gathered, kept, rules, decided, spent)
        except TooManyPairsError:
            said = {"service": str(service), "count": len(kept), "metres": rules.same_name_m.value}
            raise InputError([Fault("facilities_heaped", "facilities", params=said)]) from None
    return Pairs.of(found)


class _Spent(NamedTuple):
    """Pairs of one service that may be looked at as arrays, and compared one by one.

    `all_pairs`: someone decided about rows, so that one may go with another than its nearest.
    """

    looked_at: PairBudget
    compared: PairBudget
    all_pairs: bool = False

    @classmethod
    def of(cls, rows: int, *, all_pairs: bool) -> _Spent:
        return cls(
            PairBudget.of(rows, _MOST_LOOKED_AT, _LOOKED_AT_EACH),
            PairBudget.of(rows, _MOST_COMPARED, _COMPARED_EACH),
            all_pairs,
        )


def _distance(gathered: Gathered, i: int, j: int) -> float:
    shapes = gathered.rows.geometry
    return float(shapely.distance(shapes[i], shapes[j]))


def _find_told(rows: FacilityRows, told: set[frozenset[str]]) -> Iterable[tuple[int, int]]:
    """Pairs of rows of one service whose ids someone called one place."""
    by_id = group_rows(rows.id)
    for pair in sorted(told, key=sorted):
        one, other = (sorted(pair) * 2)[:2]
        for a in by_id[one]:
            for b in by_id[other]:
                if a != b and rows.service[a] == rows.service[b]:
                    yield min(a, b), max(a, b)


Found = tuple[int, int, int, float, bool]


def _part_repeats(gathered: Gathered, members: list[int]) -> tuple[list[int], list[Found]]:
    """Rows without those that repeat an earlier one of their table, and the pairs of those."""
    index = np.array(members)
    wkb = shapely.to_wkb(gathered.rows.geometry[index])
    first: dict[tuple[object, ...], int] = {}
    kept, repeats = [], []
    for row, shape in zip(members, wkb, strict=True):
        core = gathered.cores[row]
        if core is None or gathered.rows.source[row] == FROM_OSM:
            kept.append(row)
            continue
        earlier = first.setdefault((gathered.source_no[row], core.core, core.branch, shape), row)
        if earlier == row:
            kept.append(row)
        else:
            repeats.append((earlier, row, SAME_NAME, 0.0, True))
    return kept, repeats


def _find_crowds(gathered: Gathered, members: Sequence[int]) -> list[IntArray]:
    """Rows of one name, where they are many: every one is as alike as any other.

    None where another name is as good as theirs (the same without a branch): then a row may go
    with one outside the crowd first.
    """
    names: dict[CoreName, list[int]] = {}
    for row in members:
        core = gathered.cores[row]
        if core is not None:
            names.setdefault(core, []).append(row)
    often = Counter(name.core for name in names)
    return [
        np.array(rows, dtype=np.int64)
        for name, rows in names.items()
        if len(rows) > CROWD and often[name.core] == 1
    ]


def _judge_crowds(
    gathered: Gathered, crowds: Sequence[IntArray], rules: QualityRules
) -> Iterable[Found]:
    """Of the pairs inside crowds those that settle anything.

    A row goes with the nearest earlier one that is surely the same place: other sure pairs of it
    are never asked. Of the suspected pairs of two places the first is told.
    """
    for rows in crowds:
        crowd = Crowd.of(
            gathered.rows.geometry[rows],
            gathered.source_no[rows].astype(np.int64),
            gathered.rows.source[rows] == FROM_OSM,
            rules.same_name_m.value,
            rules.nameless_m.value,
        )
        link, metres = link_surely(crowd)
        top = np.arange(len(rows))
        for k in np.flatnonzero(link >= 0).tolist():
            top[k] = top[link[k]]
            yield int(rows[link[k]]), int(rows[k]), SAME_NAME, float(metres[k]), True
        one, two, apart = suspect_places(crowd, top)
        for i, j, m in zip(rows[one].tolist(), rows[two].tolist(), apart.tolist(), strict=True):
            yield i, j, SAME_NAME, m, False


def _judge_named(
    gathered: Gathered,
    members: list[int],
    rules: QualityRules,
    settled: tuple[Callable[[int, int], bool], Sequence[IntArray]],
    spent: _Spent,
) -> Iterable[Found]:
    """Pairs of rows with a name, as alike as the rules want.

    `settled`: whether a pair is decided already, and crowds whose inside is.
    """
    decided, crowds = settled
    crowd = np.full(len(gathered.rows), -1, dtype=np.int64)
    for number, alike in enumerate(crowds):
        crowd[alike] = number
    names = [(row, core) for row in members if (core := gathered.cores[row]) is not None]
    least, seen = rules.likeness.value, set[tuple[int, int]]()
    for block in block_names([core for _, core in names], least):
        rows = np.array([names[k][0] for k in block], dtype=np.int64)
        if crowd[rows[0]] >= 0 and (crowd[rows] == crowd[rows[0]]).all():
            continue
        for i, j, metres in _find_named(gathered, rows, rules, crowd, spent):
            if (i, j) in seen or decided(i, j):
                continue
            seen.add((i, j))
            likeness = NameSimilarity.compare(gathered.cores[i], gathered.cores[j])  # type: ignore[arg-type]
            if likeness < least:
                continue
            rank = SAME_NAME if likeness == 1.0 else LIKE_NAME
            reach = rules.same_name_m if rank == SAME_NAME else rules.like_name_m
            sure = metres <= reach.value
            if gathered.source_no[i] == gathered.source_no[j]:
                close = rank == SAME_NAME and metres <= rules.nameless_m.value
                sure = close and gathered.rows.source[j] != FROM_OSM
            yield i, j, rank, metres, sure


def _find_named(
    gathered: Gathered, rows: IntArray, rules: QualityRules, crowd: IntArray, spent: _Spent
) -> Iterable[tuple[int, int, float]]:
    """Pairs of rows whose names may be like: all that are near, of very many what settles them."""
    shapes, reach_m = gathered.rows.geometry, rules.same_name_m.value
    rows = np.unique(rows)
    if len(rows) <= CROWD or spent.all_pairs or not is_crowded(shapes[rows], reach_m):
        yield from find_near(shapes, rows, reach_m, crowd, spent)
        return
    for equal in group_equal_names(rows, gathered.cores):
        yield from find_near(shapes, equal, reach_m, crowd, spent)
    named = NamedRows(shapes, gathered.source_no, gathered.cores)
    yield from find_nearest_like(named, rows, rules.likeness.value, reach_m, spent.looked_at)


def _judge_nameless(
    gathered: Gathered,
    members: list[int],
    rules: QualityRules,
    decided: Callable[[int, int], bool],
    spent: _Spent,
) -> Iterable[Found]:
    """Pairs of rows of two sources of which one has no name."""
    bare = np.array([row for row in members if gathered.cores[row] is None], dtype=np.int64)
    if len(bare) == 0 or len(np.unique(gathered.source_no[members])) < 2:
        return
    every, shapes = np.array(members, dtype=np.int64), gathered.rows.geometry
    tree = shapely.STRtree(shapes[every])
    reach = rules.nameless_m.value
    for left, right in find_in_blocks(
        tree, shapes[bare], spent.looked_at, predicate="dwithin", distance=reach
    ):
        one, other = bare[left], every[right]
        both_bare = np.isin(other, bare)
        keep = gathered.source_no[one] != gathered.source_no[other]
        keep &= ~both_bare | (one < other)
        one, other = one[keep], other[keep]
        spent.compared.spend(len(one))
        metres = shapely.distance(shapes[one], shapes[other])
        for i, j, m in zip(one.tolist(), other.tolist(), metres.tolist(), strict=True):
            if m <= reach and not decided(i, j):
                yield min(i, j), max(i, j), NAMELESS, m, True


def find_near(
    shapes: np.ndarray,
    rows: IntArray,
    reach_m: float,
    crowd: IntArray | None = None,
    spent: _Spent | None = None,
) -> Iterable[tuple[int, int, float]]:
    """Pairs of some rows, ascending, no farther apart than `reach_m` metres, and how far.

    `crowd`: by row, pairs of one crowd (-1: of none) are passed over. `spent`: what pairs are
    taken out of.
    """
    looked_at = None if spent is None else spent.looked_at
    for one, other in _near_rows(shapes, np.unique(rows), reach_m, looked_at):
        apart = np.ones(len(one), np.bool_)
        if crowd is not None:
            apart = (crowd[one] != crowd[other]) | (crowd[one] < 0)
        left, right = one[apart], other[apart]
        if spent is not None:
            spent.compared.spend(len(left))
        metres = shapely.distance(shapes[left], shapes[right])
        near = np.flatnonzero(metres <= reach_m)
        yield from zip(
            left[near].tolist(), right[near].tolist(), metres[near].tolist(), strict=True
        )


def _near_rows(
    shapes: np.ndarray, rows: IntArray, reach_m: float, budget: PairBudget | None = None
) -> Iterable[tuple[IntArray, IntArray]]:
    """Rows that may lie near each other: all of a few, else those a tree finds."""
    if len(rows) <= _FEW:
        left, right = np.triu_indices(len(rows), 1)
        yield rows[left], rows[right]
        return
    for left, right in find_in_blocks(
        shapely.STRtree(shapes[rows]), shapes[rows], budget, predicate="dwithin", distance=reach_m
    ):
        once = left < right
        yield rows[left[once]], rows[right[once]]
