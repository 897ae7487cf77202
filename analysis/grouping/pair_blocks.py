"""Pairs of shapes that lie near each other: some at a time, and not more than a budget of them.

Shapes heaped on one spot make as many pairs as the square of their number: a file of 5 MB holds
20,000 outlines and comes to 200 million. Who looks at pairs says how many a sound file can have;
a file with more is refused for what it is, a heap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.quantities import IntArray, ObjectArray

_FREE: Final = 20_000  # pairs that any file may have
_PER_SHAPE: Final = 30  # a unit has about ten neighbours, those of the levels above counted
_HELD: Final = 1 << 21  # pairs in memory at a time, if every shape is near every other
_WIDER: Final = 8  # times as many shapes are asked at a time while they are near few others
_AT_ONCE: Final = 4096  # shapes asked at a time, at most


class TooManyPairsError(Exception):
    """More pairs than a budget has; nothing that people see."""


class PairBudget:
    """So many pairs may still be looked at."""

    __slots__ = ("left", "most")

    def __init__(self, most: int) -> None:
        self.most = self.left = most

    @classmethod
    def of(cls, count: int, free: int = _FREE, per_shape: int = _PER_SHAPE) -> PairBudget:
        """A budget that grows as a number of shapes does."""
        return cls(free + per_shape * count)

    def spend(self, pairs: int) -> None:
        """Take so many pairs out of the budget.

        Raises
        ------
        TooManyPairsError : it does not have as many.
        """
        self.left -= pairs
        if self.left < 0:
            raise TooManyPairsError


def find_in_blocks(
    tree: shapely.STRtree, asked: ObjectArray, budget: PairBudget | None = None, **query: Any
) -> Iterator[tuple[IntArray, IntArray]]:
    """Pairs of indices of shapes asked and shapes of a tree, in ascending order of those asked.

    Parameters
    ----------
    tree, asked
        Every pair of their shapes is looked at once.
    budget
        All pairs are taken out of it; None: there are as many as there are.
    query
        ``predicate`` and ``distance`` as of `shapely.STRtree.query`; without, by boxes.

    Raises
    ------
    TooManyPairsError : the budget is used up.
    """
    held = _HELD if budget is None else min(_HELD, budget.left)  # a heap shows in its first block
    least = step = min(_AT_ONCE, max(1, held // max(1, len(tree.geometries))))
    start = 0
    while start < len(asked):
        left, right = tree.query(asked[start : start + step], **query)
        if budget is not None:
            budget.spend(len(left))
        yield left + start, right
        start += step
        few = len(left) < _HELD // (2 * _WIDER)
        step = min(2 * step, _WIDER * least, _AT_ONCE) if few else least


def list_pairs(
    tree: shapely.STRtree, asked: ObjectArray, budget: PairBudget, **query: Any
) -> tuple[IntArray, IntArray]:
    """The pairs of `find_in_blocks` in one list.

    Raises
    ------
    TooManyPairsError : more than the budget has; no more than that are ever held.
    """
    blocks = list(find_in_blocks(tree, asked, budget, **query))
    if not blocks:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    left, right = zip(*blocks, strict=True)
    return np.concatenate(left), np.concatenate(right)


def pairs_or_joined(
    tree: shapely.STRtree, areas: ObjectArray, budget: PairBudget
) -> tuple[ObjectArray, IntArray, IntArray]:
    """Areas that meet shapes of a tree, and the pairs: indices of areas, of shapes.

    Areas heaped on one another are joined first, where they meet more shapes than the budget has;
    what they cover together is the same, and no ground is met twice.
    """
    try:
        return areas, *list_pairs(tree, areas, budget, predicate="intersects")
    except TooManyPairsError:
        joined: ObjectArray = np.asarray(shapely.get_parts(shapely.union_all(areas)), np.object_)
        return joined, *tree.query(joined, predicate="intersects")


def count_boxes(shapes: ObjectArray, budget: PairBudget) -> int:
    """How many pairs of shapes have boxes that meet, each pair once.

    Raises
    ------
    TooManyPairsError : more than the budget has.
    """
    found = 0
    for left, right in find_in_blocks(shapely.STRtree(shapes), shapes):
        pairs = int(np.count_nonzero(left < right))
        budget.spend(pairs)
        found += pairs
    return found
