"""Persons to centres with a lower and an upper bound each: the solver behind catchments.

Lexicographic: fewest unserved persons, then least total underload, then least person-centimetres.
Whole persons by min-cost flow (`assignment_arcs.solve_flow`). No weight is multiplied with a
distance there, so nothing can overflow or be traded away.

A full matrix gives only its nearest arcs to the flow. Prices of the centres (dual variables)
then show whether any arc left out would help; such arcs are added until none does. The prices
also give a lower bound in exact arithmetic, and what is asserted is: bound = objective.

Source: Ahuja, Magnanti and Orlin (1993), Network Flows, chapters 9 and 11; OR-tools.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.access.od_matrix import SparseODMatrix
from lifecircle.analysis.errors import UnsolvedError
from lifecircle.analysis.measures.catchments.arcs import Arcs, Flow, solve_flow
from lifecircle.analysis.measures.catchments.kernel import (
    FAR,
    cheapest,
    improving_arcs,
    least_prices,
)
from lifecircle.analysis.quantities import UNREACHED_CM, BoolArray, Int32Array, IntArray, read_only

_FIRST_ARCS = 6  # nearest arcs a cell starts with, a matter of speed only
_MORE_ARCS = 4  # arcs a cell gains per round at most
_ALL_ARCS = 20_000  # so many arcs are given to the flow at once


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who is served where: n cells, f centres.

    `cell, centre` int32, `persons`, `walk_cm` int64 (r,): the persons of a cell at a centre and
    how far each walks, sorted by (cell, centre). `unserved` int64 (n,); `reachable` bool (n,):
    cells with any arc at all.
    `load` int64 (f,). `person_cm`: the third objective; `bound_cm`: what it is at least in any
    optimum of the first two, `least_unserved` and `least_underload`. `proven`: all three are
    reached.
    """

    cell: Int32Array
    centre: Int32Array
    persons: IntArray
    walk_cm: IntArray
    unserved: IntArray
    reachable: BoolArray
    load: IntArray
    underload: int
    person_cm: int
    least_unserved: int
    least_underload: int
    bound_cm: int

    @property
    def total_unserved(self) -> int:
        """Persons served nowhere."""
        return int(self.unserved.sum())

    @property
    def proven(self) -> bool:
        """Whether nothing better exists."""
        reached = (self.total_unserved, self.underload, self.person_cm)
        return reached == (self.least_unserved, self.least_underload, self.bound_cm)

    def walked_cm(self) -> IntArray:
        """Centimetres walked by all persons of each centre, int64 (f,)."""
        total = np.zeros(len(self.load), dtype=np.int64)
        np.add.at(total, self.centre, self.persons * self.walk_cm)
        return total

    @property
    def split_cells(self) -> int:
        """Cells whose persons go to several centres, or are served in part."""
        parts = np.bincount(self.cell, minlength=len(self.unserved))
        return int(np.count_nonzero((parts > 1) | ((parts == 1) & (self.unserved > 0))))


@dataclass(frozen=True, slots=True)
class Answer:
    """What `assigned` needs: parts (r,) with their walks, and what is proven to be the least."""

    cell: Int32Array
    centre: Int32Array
    persons: IntArray
    walk_cm: IntArray
    least: tuple[int, int, int] | None = None


def nearest_assignment(persons: IntArray, nearest: SparseODMatrix, minimum: IntArray) -> Assignment:
    """Everyone to the nearest centre; no bounds are held.

    `nearest`: the one nearest centre of every cell (`analysis.access.od_matrix.nearest_walks`).
    """
    keep = persons[nearest.position] > 0
    cell = nearest.position[keep]
    walks = nearest.cm[keep].astype(np.int64)
    answer = Answer(cell, nearest.facility[keep], persons[cell], walks)
    return assigned(persons, minimum, np.diff(nearest.first) > 0, answer)


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
    reachable: BoolArray = cost.min(axis=0, initial=UNREACHED_CM) != UNREACHED_CM
    active = np.flatnonzero(reachable & (persons > 0))
    some = cost if len(active) == cost.shape[1] else np.ascontiguousarray(cost[:, active])
    answer = _optimum(persons[active], _first_arcs(some), some, minimum, maximum)
    return assigned(persons, minimum, reachable, answer, active)


def balanced_on_arcs(
    persons: IntArray, arcs: Arcs, minimum: IntArray, maximum: IntArray
) -> Assignment:
    """The same where `arcs` are all there is: walks within a limit, borders that close."""
    reachable = np.diff(arcs.start) > 0
    active = np.flatnonzero(reachable & (persons > 0))
    answer = _optimum(persons[active], arcs.of_cells(active), None, minimum, maximum)
    return assigned(persons, minimum, reachable, answer, active)


def assigned(
    persons: IntArray,
    minimum: IntArray,
    reachable: BoolArray,
    answer: Answer,
    active: IntArray | None = None,
) -> Assignment:
    """An answer with its sums; served + unserved = persons is checked, not assumed.

    `active`: the cells the answer's numbers stand for, all when None. An answer that proves
    nothing counts as its own bound.
    """
    cell = answer.cell if active is None else active[answer.cell].astype(np.int32)
    unserved = persons.copy()
    np.subtract.at(unserved, cell, answer.persons)
    load = np.zeros(len(minimum), dtype=np.int64)
    np.add.at(load, answer.centre, answer.persons)
    if bool((unserved < 0).any()) or int(load.sum() + unserved.sum()) != int(persons.sum()):
        raise ArithmeticError("served plus unserved differs from the residents")
    order = np.lexsort((answer.centre, cell))
    underload = int(np.maximum(minimum - load, 0).sum())
    walked = int((answer.persons * answer.walk_cm).sum())
    unreached = int(unserved[~reachable].sum())
    least = answer.least or (int(unserved.sum()) - unreached, underload, walked)
    cell, centre = cell[order], answer.centre[order]
    served, walks = answer.persons[order], answer.walk_cm[order]
    for array in (cell, centre, served, walks, unserved, reachable, load):
        read_only(array)
    return Assignment(
        cell,
        centre,
        served,
        walks,
        unserved,
        reachable,
        load,
        underload=underload,
        person_cm=walked,
        least_unserved=least[0] + unreached,
        least_underload=least[1],
        bound_cm=least[2],
    )


def _first_arcs(cost: Int32Array) -> Arcs:
    """Arcs to begin with: all when they are few, else the nearest of every cell."""
    centres, cells = cost.shape
    if centres <= _FIRST_ARCS or centres * cells <= _ALL_ARCS:
        return Arcs.all_of(cost)
    free = np.zeros(centres, dtype=np.int64)
    cell, centre = improving_arcs(cost, free, np.full(cells, FAR), _FIRST_ARCS)
    return Arcs.of(cells, cell, centre, cost[centre, cell])


def _optimum(
    people: IntArray, arcs: Arcs, cost: Int32Array | None, minimum: IntArray, maximum: IntArray
) -> Answer:
    """Solve over few arcs, add those of `cost` that the prices ask for, until none would help."""
    low = np.minimum(minimum, maximum)
    if len(people) == 0 or len(low) == 0:
        nobody = np.zeros(0, dtype=np.int32)
        nothing = np.zeros(0, dtype=np.int64)
        return Answer(nobody, nobody, nothing, nothing, (0, int(minimum.sum()), 0))
    best = False  # everyone served and no floor missed: no arc can better that
    while True:
        flow = solve_flow(people, arcs, low, maximum, best=best)
        best = best or flow.perfect
        prices = _prices(people, arcs, cost, flow, low, maximum)
        if cost is None:
            break
        cell, centre = improving_arcs(cost, prices.price, prices.paid, _MORE_ARCS)
        if len(cell) == 0:
            break
        if arcs.hold(cell, centre):
            raise ArithmeticError("prices contradict the flow")
        arcs = arcs.with_more(cell, centre, cost[centre, cell])
    used = np.flatnonzero(flow.persons > 0)
    persons, walks = flow.persons[used], arcs.cost[used]
    if int((persons * walks).sum()) != prices.bound_cm:
        raise ArithmeticError("the bound does not meet the assignment")
    over = int(np.maximum(minimum - maximum, 0).sum())
    least = (int(flow.unserved.sum()), prices.underload + over, prices.bound_cm)
    return Answer(arcs.cell[used], arcs.centre[used], persons, walks, least)


@dataclass(frozen=True, slots=True)
class _Prices:
    """Price of each centre (f,), what each cell pays (n,), underload, bound on centimetres."""

    price: IntArray
    paid: IntArray
    underload: int
    bound_cm: int


def _prices(
    people: IntArray,
    arcs: Arcs,
    cost: Int32Array | None,
    flow: Flow,
    low: IntArray,
    maximum: IntArray,
) -> _Prices:
    """Dual prices of the flow over its arcs, and the bound they prove over all arcs.

    One sum stands for the three objectives: M1 an unserved person, M2 a person of underload. A
    cycle of exchanges visits a centre once, so its centimetres stay below f times the longest
    walk: that is M2, and M1 = 3 M2 is more than two of underload and such a cycle.
    """
    centres = len(low)
    longest = int(
        arcs.cost.max(initial=0)
        if cost is None
        else cost.max(where=cost != UNREACHED_CM, initial=0)
    )
    short = centres * longest + 1  # M2
    nowhere = 3 * short  # M1
    if nowhere * (centres + 2) >= int(FAR):
        raise UnsolvedError("assignment_too_large", centres=centres)
    used = np.flatnonzero(flow.persons > 0)
    cell, centre = arcs.cell[used], arcs.centre[used]
    weight = arcs.cost[used]
    load = np.zeros(centres, dtype=np.int64)
    np.add.at(load, centre, flow.persons[used])
    first = np.where(load < low, -short, np.where(load < maximum, 0, nowhere))
    np.minimum.at(first, centre, nowhere - weight)
    price, sound = least_prices(
        len(people), arcs.cell, arcs.centre, arcs.cost, cell, centre, weight, first
    )
    if not sound:
        raise ArithmeticError("the flow is not optimal over its own arcs")
    paid = np.full(len(people), nowhere, dtype=np.int64)
    np.minimum.at(paid, cell, weight + price[centre])
    paid[flow.unserved > 0] = nowhere
    if cost is None:
        least = np.full(len(people), nowhere, dtype=np.int64)
        np.minimum.at(least, arcs.cell, arcs.cost + price[arcs.centre])
    else:
        least = cheapest(cost, price, nowhere)
    bound = _dot(people, least) - _dot(maximum, np.maximum(price, 0))
    bound += _dot(low, np.maximum(-price, 0))
    unserved = int(flow.unserved.sum())
    underload = int(np.maximum(low - load, 0).sum())
    return _Prices(price, paid, underload, bound - nowhere * unserved - short * underload)


def _dot(a: IntArray, b: IntArray) -> int:
    """The exact sum of products, as one Python integer."""
    upper, lower = b >> 24, b & 0xFFFFFF
    return (int((a * upper).sum()) << 24) + int((a * lower).sum())
