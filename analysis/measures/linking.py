"""Which points belong together when neighbours within a distance are linked (compiled)."""

from __future__ import annotations

from typing import Final

import numpy as np

from lifecircle.analysis.grouping.connected import root_of
from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import FloatArray, Int32Array, IntArray, corners_of

SQUARES_PER_LINK: Final = 1.5  # above sqrt(2): all points of one square are linked
REACH: Final = 2  # squares that can lie within one link of a square, in each direction


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
    column, row = np.floor((xy_m - corners_of(xy_m)[0]) / side).astype(np.int64).T + REACH
    rows = int(row.max()) + 2 * REACH + 1
    plane = (int(column.max()) + 2 * REACH + 1) * rows
    _, kind = np.unique(apart, return_inverse=True)
    square = kind.ravel() * plane + column * rows + row
    order = np.argsort(square, kind="stable")
    steps = [(dx, dy) for dx in range(REACH + 1) for dy in range(-REACH, REACH + 1)]
    ahead = np.array([dx * rows + dy for dx, dy in steps if dx > 0 or dy > 0], dtype=np.int64)
    group = np.empty(len(xy_m), dtype=np.int32)
    group[order] = _link(square[order], xy_m[order], ahead, link_m**2)
    return group


@kernel
def _link(square: IntArray, xy: FloatArray, ahead: IntArray, most: float) -> Int32Array:
    """The group of points (n,) that stand by square; squares are joined, the lower root wins.

    `ahead`: from a square to each of those whose points can be near, each pair of squares once.
    """
    start = _starts(square)
    squares = len(start) - 1
    root = np.arange(squares)
    upto = np.zeros(len(ahead), dtype=np.int64)  # squares are sorted: each search goes on
    for here in range(squares):
        key = square[start[here]]
        for k in range(len(ahead)):
            there = upto[k]
            while there < squares and square[start[there]] < key + ahead[k]:
                there += 1
            upto[k] = there
            if there == squares or square[start[there]] != key + ahead[k]:
                continue
            one, other = root_of(root, here), root_of(root, there)
            if one != other and _touch(xy, start, here, there, most):
                root[max(one, other)] = min(one, other)
    return _numbered(root, start)


@kernel
def _starts(square: IntArray) -> IntArray:
    """Where each square begins among sorted points, and where the last ends."""
    start = np.empty(len(square) + 1, dtype=np.int64)
    count = 0
    for i in range(len(square)):
        if i == 0 or square[i] != square[i - 1]:
            start[count] = i
            count += 1
    start[count] = len(square)
    return start[: count + 1]


@kernel
def _touch(xy: FloatArray, start: IntArray, here: int, there: int, most: float) -> bool:
    """Whether any two points of two squares lie within a link."""
    for a in range(start[here], start[here + 1]):
        for b in range(start[there], start[there + 1]):
            dx, dy = xy[a, 0] - xy[b, 0], xy[a, 1] - xy[b, 1]
            if dx * dx + dy * dy <= most:
                return True
    return False


@kernel
def _numbered(root: IntArray, start: IntArray) -> Int32Array:
    """Groups of points (n,), numbered by their lowest squares."""
    group = np.empty(start[-1], dtype=np.int32)
    piece = np.empty(len(root), dtype=np.int32)
    count = 0
    for square in range(len(root)):
        lowest = root_of(root, square)
        if lowest == square:
            piece[square] = count
            count += 1
        else:
            piece[square] = piece[lowest]
        group[start[square] : start[square + 1]] = piece[square]
    return group
