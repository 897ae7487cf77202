"""Placing, moving and exchanging whole cells while anything gets better (numba)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import Int32Array, IntArray

_FAR = np.int64(1) << 61  # farther than any sum of costs
_ROUNDS = 30


class WholeModel(NamedTuple):
    """The flow model as the kernel takes it: persons (n,), arcs by cell, bounds (f,)."""

    persons: IntArray
    start: IntArray
    centre: Int32Array
    cost: IntArray
    minimum: IntArray
    maximum: IntArray


class _Standing(NamedTuple):
    """Where every cell is (n,), the load of every centre (f,), and who is there, by centre."""

    at: Int32Array
    load: IntArray
    member_start: IntArray
    member: IntArray


@kernel
def settle_whole(model: WholeModel, at: Int32Array, order: IntArray) -> None:
    """Place and move whole cells (`at`, -1 = unserved) while anything gets better.

    Loose cells come first, in `order`; then every cell in turn, at most 30 rounds.
    """
    load = np.zeros(len(model.minimum), dtype=np.int64)
    for cell in range(len(at)):
        if at[cell] >= 0:
            load[at[cell]] += model.persons[cell]
    for turn in range(_ROUNDS + 1):
        member_start, member = _members(at, order, len(load))
        now = _Standing(at, load, member_start, member)
        changed = False
        for cell in order:
            if turn == 0 and at[cell] >= 0:
                continue
            to, other, away = _best_move(model, now, cell)
            if to < 0:
                continue
            if other >= 0:
                _move(model, now, other, away)
            _move(model, now, cell, to)
            changed = True
        if not changed and turn > 0:
            return


@kernel
def _members(at: Int32Array, order: IntArray, centres: int) -> tuple[IntArray, IntArray]:
    """The cells at each centre, in `order`, in CSR form."""
    counts = np.zeros(centres + 1, dtype=np.int64)
    for cell in order:
        if at[cell] >= 0:
            counts[at[cell] + 1] += 1
    start = np.cumsum(counts)
    fill = start.copy()
    member = np.empty(start[-1], dtype=np.int64)
    for cell in order:
        if at[cell] >= 0:
            member[fill[at[cell]]] = cell
            fill[at[cell]] += 1
    return start, member


@kernel
def _move(model: WholeModel, now: _Standing, cell: int, to: int) -> None:
    if now.at[cell] >= 0:
        now.load[now.at[cell]] -= model.persons[cell]
    now.at[cell] = to
    if to >= 0:
        now.load[to] += model.persons[cell]


@kernel
def _lack(model: WholeModel, centre: Any, load: Any) -> Any:
    """Underload of a centre with a load."""
    return max(model.minimum[centre] - load, 0)


@kernel
def _walk(model: WholeModel, cell: Any, centre: Any) -> Any:
    """Cost of a cell at a centre, far where it may not go."""
    for a in range(model.start[cell], model.start[cell + 1]):
        if model.centre[a] == centre:
            return model.cost[a]
    return _FAR


@kernel
def _better(one: Any, other: Any) -> Any:
    """Whether a change of the three aims is better than another."""
    for k in range(3):
        if one[k] != other[k]:
            return one[k] < other[k]
    return False


@kernel
def _best_move(model: WholeModel, now: _Standing, cell: int) -> tuple[int, int, int]:
    """The best move of a cell: to which centre, which cell must leave there, and where to.

    Returns centre (-1 = none), leaving cell (-1 = none), its new centre (-1 = unserved).
    """
    mine, home = model.persons[cell], now.at[cell]
    served, here, gain = np.int64(-mine), np.int64(0), np.int64(0)
    if home >= 0:
        served = np.int64(0)
        here = mine * _walk(model, cell, home)
        gain = _lack(model, home, now.load[home] - mine) - _lack(model, home, now.load[home])
    best: Any = (np.int64(0), np.int64(0), np.int64(0))
    move = (-1, -1, -1)
    for a in range(model.start[cell], model.start[cell + 1]):
        to = model.centre[a]
        if to == home:
            continue
        walked = mine * model.cost[a] - here
        load = now.load[to] + mine
        if load <= model.maximum[to]:
            under = gain + _lack(model, to, load) - _lack(model, to, now.load[to])
            change = (served, under, walked)
            if _better(change, best):
                best, move = change, (to, -1, -1)
            continue
        best, move = _best_exchange(model, now, cell, to, (served, gain, walked), best, move)
    return move


@kernel
def _best_exchange(
    model: WholeModel, now: _Standing, cell: int, to: int, moved: Any, best: Any, move: Any
) -> Any:
    """The best move so far, or a better one of a cell into a full centre that another leaves.

    `moved`: unserved, underload and centimetres that the move of the cell itself changes.
    """
    served, gain, walked = moved
    mine, home = model.persons[cell], now.at[cell]
    for m in range(now.member_start[to], now.member_start[to + 1]):
        other = now.member[m]
        if now.at[other] != to or other == cell:
            continue
        theirs = model.persons[other]
        load = now.load[to] + mine - theirs
        if load > model.maximum[to]:
            continue
        under_to = _lack(model, to, load) - _lack(model, to, now.load[to])
        there = theirs * _walk(model, other, to)
        if served + theirs < 0:
            change = (served + theirs, gain + under_to, walked - there)
            if _better(change, best):
                best, move = change, (to, other, -1)
        for b in range(model.start[other], model.start[other + 1]):
            away = model.centre[b]
            left = now.load[away] - (mine if away == home else 0)
            if away == to or left + theirs > model.maximum[away]:
                continue
            under = under_to + _lack(model, away, left + theirs) - _lack(model, away, left)
            change = (served, gain + under, walked - there + theirs * model.cost[b])
            if _better(change, best):
                best, move = change, (to, other, away)
    return best, move
