"""Who goes where when places can be full: persons on open places, by min-cost flow (OR-tools).

Lexicographic as in DEFINITIONS (`balanced`): fewest unserved persons, then least total underload
of open places, then least person-centimetres. One flow does all three: the price of an unserved
person is above any chain of shifts that could pay for it, and so is that of an empty place below
the floor. Source: Ahuja, Magnanti and Orlin (1993), ch. 9 (optimal when no cycle is negative).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.errors import UnsolvedError
from lifecircle.analysis.quantities import BoolArray, Int32Array, IntArray


@dataclass(frozen=True, slots=True)
class LoadProblem:
    """Persons, places with a floor and a ceiling, and the walks that are allowed (a pairs).

    `persons` int64 (c,); `minimum`, `maximum` int64 (n,): the first `standing` places exist, the
    others are sites. `cell`, `place` int32 (a,), `cm` int32 (a,): each pair once.
    """

    persons: IntArray
    minimum: IntArray
    maximum: IntArray
    standing: int
    cell: Int32Array
    place: Int32Array
    cm: Int32Array

    @property
    def sites(self) -> int:
        """Number of sites that may be opened."""
        return len(self.maximum) - self.standing

    def opened(self, sites: IntArray) -> BoolArray:
        """Which places are open with these sites, bool (n,)."""
        is_open = np.zeros(len(self.maximum), dtype=np.bool_)
        is_open[: self.standing] = True
        is_open[self.standing + np.asarray(sites, dtype=np.int64)] = True
        return is_open


@dataclass(frozen=True, slots=True)
class Loads:
    """Persons per pair int64 (a,) and per place int64 (n,), and the three sums that count."""

    flow: IntArray
    load: IntArray
    unserved: int
    underload: int
    person_cm: int

    @property
    def rank(self) -> tuple[int, int, int]:
        """What is compared, in this order; smaller is better."""
        return self.unserved, self.underload, self.person_cm


def assign(problem: LoadProblem, sites: IntArray) -> Loads:
    """The best loads of the standing places and these sites.

    Raises
    ------
    UnsolvedError : the flow solver gave up (it never should: leaving persons unserved is allowed).
    """
    is_open = problem.opened(sites)
    used = np.flatnonzero(is_open[problem.place] & (problem.persons[problem.cell] > 0))
    places = np.flatnonzero(is_open)
    cells, cell_row = np.unique(problem.cell[used], return_inverse=True)
    place_row = np.full(len(is_open), -1)
    place_row[places] = np.arange(len(places))
    cm = problem.cm[used].astype(np.int64)
    step = 2 * (len(places) + 2) * (int(cm.max(initial=0)) + 1)
    lost = 2 * (len(places) + 2) * 2 * step
    persons = problem.persons[cells]
    node_cell = np.arange(len(cells))
    node_place = len(cells) + np.arange(len(places))
    sink = len(cells) + len(places)
    floor, ceiling = problem.minimum[places], problem.maximum[places]
    floor = np.minimum(floor, ceiling)
    flow = _flow(
        np.concatenate((node_cell[cell_row.ravel()], node_cell, node_place, node_place)),
        np.concatenate(
            (
                node_place[place_row[problem.place[used]]],
                np.full(len(cells) + 2 * len(places), sink),
            )
        ),
        np.concatenate((persons[cell_row.ravel()], persons, floor, ceiling - floor)),
        np.concatenate(
            (cm, np.full(len(cells), lost), np.full(len(places), -step), np.zeros(len(places)))
        ).astype(np.int64),
        np.concatenate((persons, np.zeros(len(places), dtype=np.int64), [-persons.sum()])),
    )
    whole = np.zeros(len(problem.cell), dtype=np.int64)
    whole[used] = flow[: len(used)]
    load = np.bincount(problem.place, weights=whole, minlength=len(is_open)).astype(np.int64)
    short = np.maximum(0, problem.minimum - load)[is_open]
    return Loads(
        whole,
        load,
        int(problem.persons.sum()) - int(load.sum()),
        int(short.sum()),
        int((whole * problem.cm.astype(np.int64)).sum()),
    )


def _flow(
    tail: IntArray, head: IntArray, capacity: IntArray, cost: IntArray, supply: IntArray
) -> IntArray:
    from ortools.graph.python import min_cost_flow

    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        tail.astype(np.int32), head.astype(np.int32), capacity.astype(np.int64), cost
    )
    solver.set_nodes_supplies(np.arange(len(supply), dtype=np.int32), supply.astype(np.int64))
    if len(arcs) and solver.solve() != solver.OPTIMAL:
        raise UnsolvedError("siting_flow")
    return np.asarray(solver.flows(arcs), dtype=np.int64)
