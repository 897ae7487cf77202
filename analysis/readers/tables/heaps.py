"""Shapes of one file heaped on one spot: told by a count of pairs that stops early."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import shapely

from lifecircle.analysis.grouping.pair_blocks import PairBudget, TooManyPairsError, count_boxes
from lifecircle.analysis.quantities import IntArray, ObjectArray
from lifecircle.analysis.readers.records.findings import Findings


def refuse_heaped_units(
    shapes: ObjectArray, levels: Mapping[str, Iterable[int]], found: Findings
) -> None:
    """A fault where units of a level, or of all, meet far more units than neighbours can be."""
    for level, members in levels.items():
        if is_heap(shapes[np.fromiter(members, np.int64)]):
            found.add("input_units_heaped", level=level)
    if not found and len(levels) > 1 and is_heap(shapes, times=len(levels)):
        found.add("input_units_heaped", level=", ".join(levels))


def is_heap(shapes: ObjectArray, times: int = 1) -> bool:
    """Whether the boxes of shapes meet in more pairs than side by side they could.

    `times`: how often they may cover the ground.
    """
    there = shapes[~shapely.is_missing(shapes)]
    try:
        count_boxes(there, PairBudget.of(len(there) * times))
    except TooManyPairsError:
        return True
    return False


def unique_shapes(shapes: ObjectArray) -> IntArray:
    """The first row of every different shape, ascending."""
    written = np.array(shapely.to_wkb(shapes, hex=True), dtype=object)
    first: dict[str, int] = {}
    for row, text in enumerate(written.tolist()):
        first.setdefault(text, row)
    return np.array(list(first.values()), dtype=np.int64)
