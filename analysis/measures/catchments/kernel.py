"""Passes over persons and centres: prices, pricing of arcs, moving whole cells (numba).

All figures are int64; costs are int32 centimetres (f, n) with ``2**31 - 1`` where there is no
arc. A price per centre is a dual variable: what one more person there would cost elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from lifecircle.analysis.quantities import Int32Array, IntArray

_NO_ARC = np.iinfo(np.int32).max
FAR = np.int64(1) << 61  # farther than any sum of costs


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _under(load: Any, minimum: Any) -> Any:
    return max(minimum - load, 0)


@njit(cache=True, nogil=True)
def _walk(cell: Any, centre: Any, start: IntArray, arc_centre: Int32Array, cost: IntArray) -> Any:
    """Cost of a cell at a centre, FAR where it may not go."""
    for a in range(start[cell], start[cell + 1]):
        if arc_centre[a] == centre:
            return cost[a]
    return FAR


@njit(cache=True, nogil=True)
def _better(unserved: Any, under: Any, walk: Any) -> Any:
    """Whether a change of the three objectives is one for the better."""
    if unserved != 0:
        return unserved < 0
    if under != 0:
        return under < 0
    return walk < 0


@njit(cache=True, nogil=True)
def _best_move(
    cell: int,
    at: Int32Array,
    members: IntArray,
    member_start: IntArray,
    load: IntArray,
    persons: IntArray,
    start: IntArray,
    arc_centre: Int32Array,
    cost: IntArray,
    minimum: IntArray,
    maximum: IntArray,
) -> tuple[int, int, int]:
    """The best move of a cell: to which centre, which cell must leave there, and where to.

    Returns centre (-1 = none), leaving cell (-1 = none), its new centre (-1 = unserved).
    """
    mine = persons[cell]
    home = at[cell]
    here: Any = np.int64(0) if home < 0 else mine * _walk(cell, home, start, arc_centre, cost)
    best: Any = (np.int64(0), np.int64(0), np.int64(0))
    move = (-1, -1, -1)
    gain_home: Any = np.int64(0)
    if home >= 0:
        gain_home = _under(load[home] - mine, minimum[home]) - _under(load[home], minimum[home])
    for a in range(start[cell], start[cell + 1]):
        to = arc_centre[a]
        if to == home:
            continue
        served = np.int64(0) if home >= 0 else -mine
        walked = mine * cost[a] - here
        if load[to] + mine <= maximum[to]:
            under = gain_home + _under(load[to] + mine, minimum[to])
            under -= _under(load[to], minimum[to])
            change = (served, under, walked)
            if _better(change[0] - best[0], change[1] - best[1], change[2] - best[2]):
                best, move = change, (to, -1, -1)
            continue
        for m in range(member_start[to], member_start[to + 1]):
            other = members[m]
            if at[other] != to or other == cell:
                continue
            theirs = persons[other]
            if load[to] + mine - theirs > maximum[to]:
                continue
            under_to = _under(load[to] + mine - theirs, minimum[to])
            under_to -= _under(load[to], minimum[to])
            there = theirs * _walk(other, to, start, arc_centre, cost)
            if served + theirs < 0:
                change = (served + theirs, gain_home + under_to, walked - there)
                if _better(change[0] - best[0], change[1] - best[1], change[2] - best[2]):
                    best, move = change, (to, other, -1)
            for b in range(start[other], start[other + 1]):
                away = arc_centre[b]
                left = load[away] - (mine if away == home else 0)
                if away == to or left + theirs > maximum[away]:
                    continue
                under = under_to + _under(left + theirs, minimum[away])
                under -= _under(left, minimum[away])
                change = (served, gain_home + under, walked - there + theirs * cost[b])
                if _better(change[0] - best[0], change[1] - best[1], change[2] - best[2]):
                    best, move = change, (to, other, away)
    return move


@njit(cache=True, nogil=True)
def settle_whole(
    at: Int32Array,
    order: IntArray,
    persons: IntArray,
    start: IntArray,
    arc_centre: Int32Array,
    cost: IntArray,
    minimum: IntArray,
    maximum: IntArray,
) -> None:
    """Place and move whole cells (`at`, -1 = unserved) while anything gets better.

    Loose cells come first, in `order`; then every cell in turn, at most 30 rounds.
    """
    centres = len(minimum)
    load = np.zeros(centres, dtype=np.int64)
    for cell in range(len(at)):
        if at[cell] >= 0:
            load[at[cell]] += persons[cell]
    for turn in range(31):
        counts = np.zeros(centres + 1, dtype=np.int64)
        for cell in order:
            if at[cell] >= 0:
                counts[at[cell] + 1] += 1
        member_start = np.cumsum(counts)
        fill = member_start.copy()
        members = np.empty(member_start[-1], dtype=np.int64)
        for cell in order:
            if at[cell] >= 0:
                members[fill[at[cell]]] = cell
                fill[at[cell]] += 1
        changed = False
        for cell in order:
            if turn == 0 and at[cell] >= 0:
                continue
            to, other, away = _best_move(
                cell, at, members, member_start, load, persons,
                start, arc_centre, cost, minimum, maximum,
            )  # fmt: skip
            if to < 0:
                continue
            if other >= 0:
                load[to] -= persons[other]
                at[other] = away
                if away >= 0:
                    load[away] += persons[other]
            if at[cell] >= 0:
                load[at[cell]] -= persons[cell]
            at[cell] = to
            load[to] += persons[cell]
            changed = True
        if not changed and turn > 0:
            return
