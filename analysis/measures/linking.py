"""Which points belong together when neighbours within a distance are linked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from lifecircle.analysis.connected import connected_pieces
from lifecircle.analysis.quantities import BoolArray, FloatArray, Int32Array, IntArray

SQUARES_PER_LINK: Final = 1.5  # above sqrt(2): all points of one square are linked
REACH: Final = 2  # squares that can lie within one link of a square, in each direction
PAIRS_AT_ONCE: Final = 2_000_000


def linked_groups(xy_m: FloatArray, apart: Int32Array, link_m: float) -> Int32Array:
    """Group of every point, int32 (n,), numbered from 0.

    Two points are of one group when a chain of points of the same `apart` joins them with
    steps of at most `link_m` metres.

    Parameters
    ----------
    xy_m : float64 (n, 2), metres.
    apart : int32 (n,), points of different values are never linked.
    link_m : metres.

    Notes
    -----
    Points are sorted into squares whose diagonal is shorter than a link: a square is one
    group without any distance taken, so that a dense city costs no more than its squares.
    """
    if len(xy_m) == 0:
        return np.empty(0, dtype=np.int32)
    side = link_m / SQUARES_PER_LINK
    column, row = np.floor((xy_m - xy_m.min(axis=0)) / side).astype(np.int64).T + REACH
    rows = int(row.max()) + 2 * REACH + 1
    plane = (int(column.max()) + 2 * REACH + 1) * rows
    _, kind = np.unique(apart, return_inverse=True)
    keys, square = np.unique(kind * plane + column * rows + row, return_inverse=True)
    order = np.lexsort((xy_m[:, 1], xy_m[:, 0], square))
    points = xy_m[order]
    start = np.searchsorted(square[order], np.arange(len(keys) + 1))

    left, right = _neighbours(keys, rows)
    first = points[start[:-1]]
    sure = _within(first[left], first[right], link_m)
    groups = connected_pieces(len(keys), left[sure], right[sure])
    single = (np.diff(start)[left] == 1) & (np.diff(start)[right] == 1)
    open_ = ~sure & ~single & (groups[left] != groups[right])
    open_left, open_right = left[open_], right[open_]
    near = _touching(points, start, open_left, open_right, link_m)
    groups = connected_pieces(
        len(keys),
        np.concatenate([left[sure], open_left[near]]),
        np.concatenate([right[sure], open_right[near]]),
    )
    return groups[square].astype(np.int32)


def _neighbours(keys: IntArray, rows: int) -> tuple[IntArray, IntArray]:
    """Pairs of occupied squares at most two squares apart, each pair once."""
    here = np.arange(len(keys))
    lefts, rights = [], []
    for dx in range(REACH + 1):
        for dy in range(-REACH, REACH + 1):
            if dx == 0 and dy <= 0:
                continue
            wanted = keys + dx * rows + dy
            found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            hit = keys[found] == wanted
            lefts.append(here[hit])
            rights.append(found[hit])
    return np.concatenate(lefts), np.concatenate(rights)


def _within(a: FloatArray, b: FloatArray, link_m: float) -> BoolArray:
    near: BoolArray = ((a - b) ** 2).sum(axis=1) <= link_m**2
    return near


def _touching(
    points: FloatArray, start: IntArray, left: IntArray, right: IntArray, link_m: float
) -> BoolArray:
    """For each pair of squares whether any two of their points lie within a link."""
    near = np.zeros(len(left), dtype=np.bool_)
    width = np.diff(start)[right]
    pairs = np.diff(start)[left] * width
    for begin, end in _chunks(pairs):
        size = pairs[begin:end]
        owner = np.repeat(np.arange(begin, end), size)
        step = np.arange(len(owner)) - np.repeat(np.cumsum(size) - size, size)
        a = start[left[owner]] + step // width[owner]
        b = start[right[owner]] + step % width[owner]
        near[owner[_within(points[a], points[b], link_m)]] = True
    return near


def _chunks(pairs: IntArray) -> Iterator[tuple[int, int]]:
    """Runs of square pairs with at most `PAIRS_AT_ONCE` point pairs (or one square pair)."""
    upto = np.cumsum(pairs)
    begin = 0
    while begin < len(pairs):
        done = int(upto[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(upto, done + PAIRS_AT_ONCE, side="right")))
        yield begin, end
        begin = end
