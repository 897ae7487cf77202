"""Persons to centres with a lower and an upper bound each: the solver behind catchments.

Lexicographic: fewest unserved persons, then least total underload, then least person-centimetres.
Whole persons by min-cost flow, in two solves: the first finds the fewest unserved and the least
underload (weights 3 and 1: a cycle of exchanges passes the sink once, so it trades at most two
persons of underload for one unserved); the second holds both and minimises person-centimetres.
No weight is multiplied with a distance, so nothing can overflow or be traded away.

Only the nearest arcs are given to the flow. Prices of the centres (dual variables) then show
whether any arc left out would help; such arcs are added until none does. The prices also give a
lower bound in exact arithmetic, and optimality is what is asserted: bound = objective.

Source: Ahuja, Magnanti and Orlin (1993), Network Flows, chapters 9 and 11; OR-tools.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.graph.python import min_cost_flow

from analysis.errors import UnsolvedError
from analysis.measures.assignment_kernel import (
    FAR,
    cheapest,
    exchange,
    improving_arcs,
    least_prices,
)
from analysis.quantities import UNREACHED_CM, BoolArray, Int32Array, IntArray, read_only

_FIRST_ARCS = 8  # nearest arcs a cell starts with, a matter of speed only
_MORE_ARCS = 4  # arcs a cell gains per round at most
_ALL_ARCS = 300_000  # so many arcs are given to the flow at once
_UNSERVED, _UNDERLOAD = 3, 1


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who is served where: n cells, f centres.

    `cell, centre` int32 and `persons` int64 (r,): the persons of a cell at a centre, sorted by
    (cell, centre). `unserved` int64 (n,); `reachable` bool (n,): cells with any arc at all.
    `load` int64 (f,). `person_cm`: the third objective; `bound_cm`: a proven lower bound of it
    at the same unserved and underload. `proven`: person_cm = bound_cm and nothing can serve
    more or lower the underload.
    """

    cell: Int32Array
    centre: Int32Array
    persons: IntArray
    unserved: IntArray
    reachable: BoolArray
    load: IntArray
    underload: int
    person_cm: int
    bound_cm: int
    proven: bool

    @property
    def total_unserved(self) -> int:
        """Persons served nowhere."""
        return int(self.unserved.sum())


def nearest_assignment(persons: IntArray, cost: Int32Array, minimum: IntArray) -> Assignment:
    """Everyone to the nearest centre, on a tie the lower row; no bounds are held."""
    at = cost.argmin(axis=0) if len(cost) else np.zeros(cost.shape[1], dtype=np.int64)
    near = cost.min(axis=0, initial=UNREACHED_CM)
    reachable = near != UNREACHED_CM
    cell = np.flatnonzero(reachable & (persons > 0)).astype(np.int32)
    walked = int((persons[cell] * near[cell].astype(np.int64)).sum())
    return _assigned(persons, cost, minimum, cell, at[cell].astype(np.int32), persons[cell], walked)


def balanced_assignment(
    persons: IntArray, cost: Int32Array, minimum: IntArray, maximum: IntArray
) -> Assignment:
    """Fewest unserved, then least underload, then least person-centimetres; maxima are hard.

    Parameters
    ----------
    persons : int64 (n,), not negative.
    cost : int32 (f, n) centimetres, ``UNREACHED_CM`` where a cell may not go to a centre.
    minimum, maximum : int64 (f,), not negative. Where the minimum is above the maximum, the
        difference is underload whatever happens.

    Raises
    ------
    UnsolvedError : the flow ends without an optimum (no input is known to do that).
    """
    reachable = _reachable(cost)
    active = np.flatnonzero(reachable & (persons > 0))
    people = np.ascontiguousarray(persons[active])
    some = cost if len(active) == cost.shape[1] else np.ascontiguousarray(cost[:, active])
    low = np.minimum(minimum, maximum)
    if len(active) == 0:
        nobody = np.zeros(0, dtype=np.int32)
        return _assigned(persons, cost, minimum, nobody, nobody, np.zeros(0, np.int64), 0)
    arcs, flow, prices = _optimum(people, some, low, maximum)
    used = np.flatnonzero(flow.persons > 0)
    found = _assigned(
        persons,
        cost,
        minimum,
        active[arcs.cell[used]].astype(np.int32),
        arcs.centre[used],
        flow.persons[used],
        prices.bound_cm,
    )
    if not found.proven:
        raise ArithmeticError("the bound does not meet the assignment")
    return found


def _optimum(
    people: IntArray, cost: Int32Array, low: IntArray, maximum: IntArray
) -> tuple[_Arcs, _Flow, _Prices]:
    """Solve over few arcs, add those the prices ask for, until none would help."""
    arcs = _first_arcs(cost)
    while True:
        flow = _solve(people, arcs, low, maximum)
        prices = _prices(people, cost, arcs, flow, low, maximum)
        cell, centre = improving_arcs(cost, prices.price, prices.paid, _MORE_ARCS)
        if len(cell) == 0:
            return arcs, flow, prices
        if arcs.hold(cell, centre):
            raise ArithmeticError("prices contradict the flow")
        arcs = arcs.with_more(cell, centre, cost[centre, cell])


def _first_arcs(cost: Int32Array) -> _Arcs:
    """Arcs to begin with: all when they are few, else the nearest of every cell."""
    centres, cells = cost.shape
    if centres <= _FIRST_ARCS or centres * cells <= _ALL_ARCS:
        cell, centre = (part.astype(np.int32) for part in np.nonzero((cost != UNREACHED_CM).T))
    else:
        free = np.zeros(centres, dtype=np.int64)
        cell, centre = improving_arcs(cost, free, np.full(cells, FAR), _FIRST_ARCS)
    return _Arcs.of(cells, cell, centre, cost[centre, cell])


def _reachable(cost: Int32Array) -> BoolArray:
    found: BoolArray = cost.min(axis=0, initial=UNREACHED_CM) != UNREACHED_CM
    return found


def _assigned(
    persons: IntArray,
    cost: Int32Array,
    minimum: IntArray,
    cell: Int32Array,
    centre: Int32Array,
    served: IntArray,
    bound_cm: int,
) -> Assignment:
    """An assignment with its sums; served + unserved = persons is checked, not assumed."""
    unserved = persons.copy()
    np.subtract.at(unserved, cell, served)
    load = np.zeros(len(cost), dtype=np.int64)
    np.add.at(load, centre, served)
    if bool((unserved < 0).any()) or int(load.sum() + unserved.sum()) != int(persons.sum()):
        raise ArithmeticError("served plus unserved differs from the residents")
    order = np.lexsort((centre, cell))
    arrays = (cell[order], centre[order], served[order], unserved, _reachable(cost), load)
    frozen = [read_only(array) for array in arrays]
    walked = int((served * cost[centre, cell].astype(np.int64)).sum())
    return Assignment(
        *frozen,  # type: ignore[arg-type]
        underload=int(np.maximum(minimum - load, 0).sum()),
        person_cm=walked,
        bound_cm=bound_cm,
        proven=walked == bound_cm,
    )


@dataclass(frozen=True, slots=True)
class _Arcs:
    """Arcs the flow may use (r,), sorted by (cell, centre); `start` int64 (n + 1,) by cell."""

    start: IntArray
    cell: Int32Array
    centre: Int32Array
    cost: IntArray

    @classmethod
    def of(cls, cells: int, cell: Int32Array, centre: Int32Array, cost: Int32Array) -> _Arcs:
        order = np.lexsort((centre, cell))
        counts = np.bincount(cell, minlength=cells)
        start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return cls(start, cell[order], centre[order], cost[order].astype(np.int64))

    def hold(self, cell: Int32Array, centre: Int32Array) -> bool:
        """Whether any of some arcs is here already."""
        span = np.int64(max(self.centre.max(initial=0), centre.max(initial=0)) + 1)
        return bool(np.isin(cell * span + centre, self.cell * span + self.centre).any())

    def with_more(self, cell: Int32Array, centre: Int32Array, cost: Int32Array) -> _Arcs:
        return _Arcs.of(
            len(self.start) - 1,
            np.concatenate((self.cell, cell)),
            np.concatenate((self.centre, centre)),
            np.concatenate((self.cost.astype(np.int32), cost)),
        )


@dataclass(frozen=True, slots=True)
class _Flow:
    """Persons on every arc (r,), unserved persons of every cell (n,)."""

    persons: IntArray
    unserved: IntArray


def _solve(people: IntArray, arcs: _Arcs, low: IntArray, maximum: IntArray) -> _Flow:
    """The lexicographic optimum over the arcs given."""
    cells, centres = len(people), len(low)
    everyone = int(people.sum())
    cell_node = np.arange(cells)
    centre_node = cells + np.arange(centres)
    full, spare, nowhere = cells + centres, cells + centres + 1, cells + centres + 2
    tail = np.concatenate((arcs.cell, cell_node, centre_node, centre_node))
    capacity = np.concatenate((people[arcs.cell], people, low, maximum - low))
    nothing = np.zeros(len(arcs.cell), dtype=np.int64)
    ends = (np.full(cells, nowhere), np.full(centres, full), np.full(centres, spare))
    head = np.concatenate((cells + arcs.centre.astype(np.int64), *ends))
    # first: one sink, where unserved persons cost 3 and those up to a minimum earn 1
    to_sink = np.concatenate((head[: len(arcs.cell)], np.full(cells + 2 * centres, full)))
    weight = np.concatenate(
        (
            nothing,
            np.full(cells, _UNSERVED),
            np.full(centres, -_UNDERLOAD),
            np.zeros(centres, dtype=np.int64),
        )
    )
    first = _min_cost_flow(tail, to_sink, capacity, weight, people, {full: everyone})
    begin = len(arcs.cell)
    unserved = int(first[begin : begin + cells].sum())
    filled = int(first[begin + cells : begin + cells + centres].sum())
    # then: as many nowhere and as many below the minima, held exactly, at least centimetres
    walked = np.concatenate((arcs.cost, np.zeros(cells + 2 * centres, dtype=np.int64)))
    demand = {full: filled, spare: everyone - unserved - filled, nowhere: unserved}
    second = _min_cost_flow(tail, head, capacity, walked, people, demand)
    return _Flow(second[:begin], second[begin : begin + cells])


def _min_cost_flow(
    tail: IntArray,
    head: IntArray,
    capacity: IntArray,
    cost: IntArray,
    people: IntArray,
    demand: dict[int, int],
) -> IntArray:
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        tail.astype(np.int32), head.astype(np.int32), capacity, cost
    )
    supply = np.zeros(max(int(tail.max()), int(head.max()), *demand) + 1, dtype=np.int64)
    supply[: len(people)] = people
    for node, persons in demand.items():
        supply[node] = -persons
    solver.set_nodes_supplies(np.arange(len(supply), dtype=np.int32), supply)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise UnsolvedError("assignment_unsolved", status=str(status))
    flows: IntArray = solver.flows(arcs)
    return flows


@dataclass(frozen=True, slots=True)
class _Prices:
    """Price of each centre (f,), what each cell pays (n,), the bound on person-centimetres."""

    price: IntArray
    paid: IntArray
    bound_cm: int


def _prices(
    people: IntArray,
    cost: Int32Array,
    arcs: _Arcs,
    flow: _Flow,
    low: IntArray,
    maximum: IntArray,
) -> _Prices:
    """Dual prices of the flow over its arcs, and the bound they prove over all arcs.

    One sum stands for the three objectives: M1 an unserved person, M2 a person of underload. A
    cycle of exchanges visits a centre once, so its centimetres stay below f times the longest
    walk: that is M2, and M1 = 3 M2 is more than two of underload and such a cycle.
    """
    centres = len(low)
    longest = int(cost.max(where=cost != UNREACHED_CM, initial=0))
    short = centres * longest + 1  # M2
    nowhere = 3 * short  # M1
    if nowhere * (centres + 2) >= int(FAR):
        raise UnsolvedError("assignment_too_large", centres=centres)
    used = np.flatnonzero(flow.persons > 0)
    cell, centre = arcs.cell[used], arcs.centre[used]
    weight = arcs.cost[used]
    load = np.zeros(centres, dtype=np.int64)
    np.add.at(load, centre, flow.persons[used])
    step = exchange(centres, arcs.start, arcs.centre, arcs.cost, cell, centre, weight)
    first = np.where(load < low, -short, np.where(load < maximum, 0, nowhere))
    np.minimum.at(first, centre, nowhere - weight)
    price, sound = least_prices(step, first)
    if not sound:
        raise ArithmeticError("the flow is not optimal over its own arcs")
    paid = np.full(len(people), nowhere, dtype=np.int64)
    np.minimum.at(paid, cell, weight + price[centre])
    paid[flow.unserved > 0] = nowhere
    least = cheapest(cost, price, nowhere)
    bound = _dot(people, least) - _dot(maximum, np.maximum(price, 0))
    bound += _dot(low, np.maximum(-price, 0))
    unserved = int(flow.unserved.sum())
    underload = int(np.maximum(low - load, 0).sum())
    return _Prices(price, paid, bound - nowhere * unserved - short * underload)


def _dot(a: IntArray, b: IntArray) -> int:
    """The exact sum of products, as one Python integer."""
    upper, lower = b >> 24, b & 0xFFFFFF
    return (int((a * upper).sum()) << 24) + int((a * lower).sum())
