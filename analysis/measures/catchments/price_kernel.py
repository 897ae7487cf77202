"""Passes over persons and centres: prices, and the pricing of arcs (numba).

All figures are int64; costs are int32 centimetres (f, n) with ``2**31 - 1`` where there is no
arc. A price per centre is a dual variable: what one more person there would cost elsewhere.
"""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import Int32Array, IntArray

_NO_ARC = np.iinfo(np.int32).max
FAR = np.int64(1) << 61  # farther than any sum of costs


@kernel
def least_prices(
    cells: int,
    arc_cell: Int32Array,
    arc_centre: Int32Array,
    arc_cost: IntArray,
    cell: Int32Array,
    centre: Int32Array,
    weight: IntArray,
    first: IntArray,
) -> tuple[IntArray, bool]:
    """The largest prices of the centres that fit who is where, int64 (f,).

    A person of `cell` at `centre` (r entries, `weight` = the cost there) must not find another
    centre cheaper: price + weight <= price + cost over all arcs of the cell; and no price is
    above `first`. Bellman and Ford, by whole passes over the arcs. False when there are no such
    prices (a cycle of exchanges of negative cost).
    """
    price = first.copy()
    paid = np.empty(cells, dtype=np.int64)
    for _ in range(len(first) + 1):
        paid[:] = FAR
        for a in range(len(arc_cell)):
            paid[arc_cell[a]] = min(paid[arc_cell[a]], arc_cost[a] + price[arc_centre[a]])
        changed = False
        for r in range(len(cell)):
            most = paid[cell[r]] - weight[r]
            if most < price[centre[r]]:
                price[centre[r]] = most
                changed = True
        if not changed:
            return price, True
    return price, False


@kernel
def cheapest(cost: Int32Array, price: IntArray, at_most: int) -> IntArray:
    """Cost and price of the cheapest centre for each cell, int64 (n,), not above `at_most`."""
    best = np.full(cost.shape[1], at_most, dtype=np.int64)
    for k in range(len(cost)):
        for i in range(cost.shape[1]):
            if cost[k, i] != _NO_ARC and cost[k, i] + price[k] < best[i]:
                best[i] = cost[k, i] + price[k]
    return best


@kernel
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


@kernel
def joined_costs(cost: Int32Array, group: IntArray, persons: IntArray, groups: int) -> Int32Array:
    """The mean cost of each group's persons (f, g); no arc where one of its cells has none."""
    people = np.zeros(groups, dtype=np.int64)
    for i in range(len(group)):
        people[group[i]] += persons[i]
    out = np.empty((len(cost), groups), dtype=np.int32)
    total = np.empty(groups, dtype=np.int64)
    for k in range(len(cost)):
        total[:] = 0
        for i in range(len(group)):
            if cost[k, i] == _NO_ARC:
                total[group[i]] = -FAR
            else:
                total[group[i]] += persons[i] * cost[k, i]
        for g in range(groups):
            out[k, g] = _NO_ARC if total[g] < 0 else total[g] // people[g]
    return out


@kernel
def matching_arcs(
    cost: Int32Array, price: IntArray, paid: IntArray
) -> tuple[Int32Array, Int32Array]:
    """Arcs that cost, with the price of their centre, exactly what the cell pays.

    Returns cell and centre of each, int32 (r,), by centre.
    """
    count = 0
    for k in range(len(cost)):
        for i in range(cost.shape[1]):
            if cost[k, i] != _NO_ARC and cost[k, i] + price[k] == paid[i]:
                count += 1
    cell = np.empty(count, dtype=np.int32)
    centre = np.empty(count, dtype=np.int32)
    count = 0
    for k in range(len(cost)):
        for i in range(cost.shape[1]):
            if cost[k, i] != _NO_ARC and cost[k, i] + price[k] == paid[i]:
                cell[count], centre[count] = i, k
                count += 1
    return cell, centre
