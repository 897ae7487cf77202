"""Where cells may go: arcs to centres in CSR form, and the min-cost flow over them (OR-tools)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.graph.python import min_cost_flow

from lifecircle.analysis.access.od_matrix import SparseODMatrix
from lifecircle.analysis.errors import UnsolvedError
from lifecircle.analysis.quantities import UNREACHED_CM, Int32Array, IntArray

_UNSERVED, _UNDERLOAD = 3, 1


@dataclass(frozen=True, slots=True)
class Arcs:
    """Arcs (r,), sorted by (cell, centre); `start` int64 (n + 1,) by cell, `cost` int64 cm."""

    start: IntArray
    cell: Int32Array
    centre: Int32Array
    cost: IntArray

    @classmethod
    def of(cls, cells: int, cell: Int32Array, centre: Int32Array, cost: Int32Array) -> Arcs:
        """Arcs in any order."""
        order = np.lexsort((centre, cell))
        counts = np.bincount(cell, minlength=cells)
        start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return cls(start, cell[order], centre[order], cost[order].astype(np.int64))

    @classmethod
    def all_of(cls, cost: Int32Array) -> Arcs:
        """Every arc of a full matrix (f, n)."""
        cell, centre = (part.astype(np.int32) for part in np.nonzero((cost != UNREACHED_CM).T))
        return cls.of(cost.shape[1], cell, centre, cost[centre, cell])

    @classmethod
    def near(cls, walks: SparseODMatrix) -> Arcs:
        """The walks of the sparse form."""
        return cls.of(len(walks), walks.position, walks.facility, walks.cm)

    def __len__(self) -> int:
        return len(self.start) - 1

    def kept(self, keep: np.ndarray) -> Arcs:
        """Only some of the arcs, bool (r,)."""
        cost = self.cost[keep].astype(np.int32)
        return Arcs.of(len(self), self.cell[keep], self.centre[keep], cost)

    def of_cells(self, cells: IntArray) -> Arcs:
        """Only the arcs of some cells (ascending), which are numbered anew."""
        number = np.full(len(self), -1, dtype=np.int32)
        number[cells] = np.arange(len(cells), dtype=np.int32)
        keep = number[self.cell] >= 0
        cost = self.cost[keep].astype(np.int32)
        return Arcs.of(len(cells), number[self.cell[keep]], self.centre[keep], cost)

    def hold(self, cell: Int32Array, centre: Int32Array) -> bool:
        """Whether any of some arcs is here already."""
        span = np.int64(max(self.centre.max(initial=0), centre.max(initial=0)) + 1)
        return bool(np.isin(cell * span + centre, self.cell * span + self.centre).any())

    def with_more(self, cell: Int32Array, centre: Int32Array, cost: Int32Array) -> Arcs:
        """These arcs and some others."""
        return Arcs.of(
            len(self),
            np.concatenate((self.cell, cell)),
            np.concatenate((self.centre, centre)),
            np.concatenate((self.cost.astype(np.int32), cost)),
        )


@dataclass(frozen=True, slots=True)
class Flow:
    """Persons on every arc (r,), unserved persons of every cell (n,).

    `perfect`: everyone is served and every minimum met.
    """

    persons: IntArray
    unserved: IntArray
    perfect: bool


def solve_flow(
    people: IntArray, arcs: Arcs, low: IntArray, maximum: IntArray, *, best: bool = False
) -> Flow:
    """The lexicographic optimum over the arcs given, in two solves.

    First the fewest unserved and the least underload, with weights 3 and 1: a cycle of
    exchanges passes the sink once, so it trades at most one person of underload for one
    unserved. Then the fewest centimetres with both held exactly, as demands of their own nodes.
    `best`: fewer arcs than these already served everyone and met every minimum, so the first
    solve is known.
    """
    cells, centres = len(people), len(low)
    everyone = int(people.sum())
    cell_node, centre_node = np.arange(cells), cells + np.arange(centres)
    full, spare, nowhere = cells + centres, cells + centres + 1, cells + centres + 2
    begin = len(arcs.cell)
    tail = np.concatenate((arcs.cell, cell_node, centre_node, centre_node))
    capacity = np.concatenate((people[arcs.cell], people, low, maximum - low))
    to_centre = cells + arcs.centre.astype(np.int64)
    one_sink = np.concatenate((to_centre, np.full(cells + 2 * centres, full)))
    weight = np.zeros(len(tail), dtype=np.int64)
    weight[begin : begin + cells] = _UNSERVED
    weight[begin + cells : begin + cells + centres] = -_UNDERLOAD
    unserved, filled = 0, int(low.sum())
    if not best:
        first = _min_cost_flow(tail, one_sink, capacity, weight, people, {full: everyone})
        unserved = int(first[begin : begin + cells].sum())
        filled = int(first[begin + cells : begin + cells + centres].sum())
    ends = (np.full(cells, nowhere), np.full(centres, full), np.full(centres, spare))
    head = np.concatenate((to_centre, *ends))
    walked = np.concatenate((arcs.cost, np.zeros(cells + 2 * centres, dtype=np.int64)))
    demand = {full: filled, spare: everyone - unserved - filled, nowhere: unserved}
    second = _min_cost_flow(tail, head, capacity, walked, people, demand)
    perfect = unserved == 0 and filled == int(low.sum())
    return Flow(second[:begin], second[begin : begin + cells], perfect)


def _min_cost_flow(
    tail: np.ndarray,
    head: np.ndarray,
    capacity: IntArray,
    cost: IntArray,
    people: IntArray,
    demand: dict[int, int],
) -> IntArray:
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        tail.astype(np.int32), head.astype(np.int32), capacity, cost
    )
    supply = np.zeros(max(int(head.max()), *demand) + 1, dtype=np.int64)
    supply[: len(people)] = people
    for node, persons in demand.items():
        supply[node] = -persons
    solver.set_nodes_supplies(np.arange(len(supply), dtype=np.int32), supply)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise UnsolvedError("assignment_unsolved", status=str(status))
    flows: IntArray = solver.flows(arcs)
    return flows
