"""Passes over persons and centres: prices, pricing of arcs, moving whole cells (numba).

All figures are int64; costs are int32 centimetres (f, n) with ``2**31 - 1`` where there is no
arc. A price per centre is a dual variable: what one more person there would cost elsewhere.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from analysis.quantities import Int32Array, IntArray

_NO_ARC = np.iinfo(np.int32).max
FAR = np.int64(1) << 61  # farther than any sum of costs


@njit(cache=True, nogil=True)
def exchange(
    centres: int,
    arc_start: IntArray,
    arc_centre: Int32Array,
    arc_cost: IntArray,
    cell: Int32Array,
    centre: Int32Array,
    weight: IntArray,
) -> IntArray:
    """Least cost of moving one person from centre j to centre k, int64 (f, f), FAR if nobody can.

    `arc_*`: where each cell may go (CSR by cell). `cell, centre`: who is where now (r,), and
    `weight` their cost there.
    """
    least = np.full((centres, centres), FAR, dtype=np.int64)
    for i in range(len(cell)):
        for a in range(arc_start[cell[i]], arc_start[cell[i] + 1]):
            step = arc_cost[a] - weight[i]
            if step < least[centre[i], arc_centre[a]]:
                least[centre[i], arc_centre[a]] = step
    return least


@njit(cache=True, nogil=True)
def least_prices(step: IntArray, first: IntArray) -> tuple[IntArray, bool]:
    """The largest prices with p[j] <= p[k] + step[j, k] and p[j] <= first[j], int64 (f,).

    Bellman and Ford over the centres. False when there are none (a cycle of negative cost).
    """
    centres = len(first)
    price = first.copy()
    for _ in range(centres + 1):
        changed = False
        for j in range(centres):
            best = price[j]
            for k in range(centres):
                if step[j, k] < FAR and price[k] + step[j, k] < best:
                    best = price[k] + step[j, k]
            if best < price[j]:
                price[j] = best
                changed = True
        if not changed:
            return price, True
    return price, False


@njit(cache=True, nogil=True)
def cheapest(cost: Int32Array, price: IntArray, at_most: int) -> IntArray:
    """Cost and price of the cheapest centre for each cell, int64 (n,), not above `at_most`."""
    best = np.full(cost.shape[1], at_most, dtype=np.int64)
    for k in range(len(cost)):
        for i in range(cost.shape[1]):
            if cost[k, i] != _NO_ARC and cost[k, i] + price[k] < best[i]:
                best[i] = cost[k, i] + price[k]
    return best


@njit(cache=True, nogil=True)
def improving_arcs(
    cost: Int32Array, price: IntArray, paid: IntArray, most: int
) -> tuple[Int32Array, Int32Array]:
    """Arcs cheaper than what a cell pays now, up to `most` a cell, the cheapest first.

    Returns cell and centre of each, int32 (r,).
    """
    cells = cost.shape[1]
    kept = np.full((cells, most), FAR, dtype=np.int64)
    which = np.full((cells, most), -1, dtype=np.int32)
    for k in range(len(cost)):
        for i in range(cells):
            if cost[k, i] == _NO_ARC:
                continue
            value = cost[k, i] + price[k]
            if value >= paid[i] or value >= kept[i, most - 1]:
                continue
            at = most - 1
            while at > 0 and kept[i, at - 1] > value:
                kept[i, at], which[i, at] = kept[i, at - 1], which[i, at - 1]
                at -= 1
            kept[i, at], which[i, at] = value, k
    count = 0
    for i in range(cells):
        for m in range(most):
            if which[i, m] >= 0:
                count += 1
    cell = np.empty(count, dtype=np.int32)
    centre = np.empty(count, dtype=np.int32)
    count = 0
    for i in range(cells):
        for m in range(most):
            if which[i, m] >= 0:
                cell[count], centre[count] = i, which[i, m]
                count += 1
    return cell, centre
