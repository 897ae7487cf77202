"""The flow model solved over its arcs by min-cost flow (OR-tools), in two solves.

No weight is multiplied with a distance there, so nothing can overflow or be traded away.

Source: Ahuja, Magnanti and Orlin (1993), Network Flows, chapters 9 and 11; OR-tools.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.errors import UnsolvedError
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.flow_model import Flow, FlowModel
from lifecircle.analysis.quantities import Int32Array, IntArray

_UNSERVED, _UNDERLOAD = 3, 1


def solve(model: FlowModel, *, perfect: bool = False) -> Flow:
    """The lexicographic optimum over the arcs of the model.

    Cells with one arc to the same centre go as one bundle at the walk of the farthest: that is
    exact while no more persons of it are left out than the farthest cell has; where more are, its
    cells go one by one.

    `perfect`: it is known that everyone is served and every floor met.

    Raises
    ------
    UnsolvedError : the flow ends without an optimum (no input is known to do that).
    """
    arcs, choices = model.arcs, np.diff(model.arcs.start)
    able = (choices > 0) & (model.persons > 0)
    apart = np.zeros(len(model.minimum), dtype=np.bool_)
    alone = np.flatnonzero(able & (choices == 1))
    while True:
        home = arcs.centre[arcs.start[alone]]
        alone = alone[~apart[home]]
        bundles = _Bundles.of(model, alone)
        several = able.copy()
        several[alone] = False
        cells = np.flatnonzero(several)
        some = bundles.add_to(model.select_cells(cells))
        flow = _solve_active(some, perfect=perfect)
        lost = bundles.persons - flow[len(flow) - len(bundles.persons) :]
        if not (lost > bundles.persons_far).any():
            break
        apart[bundles.centre[lost > bundles.persons_far]] = True
    inside = np.flatnonzero(flow[: len(flow) - len(lost)] > 0)
    served = model.persons[alone]
    served[bundles.far] -= lost
    alone, served = alone[served > 0], served[served > 0]
    single = arcs.start[alone]
    parts = (
        np.append(cells[some.arcs.cell[inside]], alone).astype(np.int32),
        np.append(some.arcs.centre[inside], arcs.centre[single]),
        np.append(flow[inside], served),
        np.append(some.arcs.cost[inside], arcs.cost[single]),
    )
    return Flow.add_up(model.persons, model.minimum, parts)


@dataclass(frozen=True, slots=True)
class _Bundles:
    """Cells (a,) with one arc, by their centre (b,): persons, the longest walk, and whose it is.

    `far` (b,): the farthest cell's place among the cells; `persons_far`: its persons.
    """

    centre: Int32Array
    persons: IntArray
    walk_cm: IntArray
    far: IntArray
    persons_far: IntArray

    @classmethod
    def of(cls, model: FlowModel, alone: IntArray) -> _Bundles:
        """Of some cells of a model, each with one arc."""
        arc = model.arcs.start[alone]
        home, walk = model.arcs.centre[arc], model.arcs.cost[arc]
        order = np.lexsort((walk, home))
        last = np.flatnonzero(np.append(home[order][1:] != home[order][:-1], len(order) > 0))
        far, centre = order[last], home[order[last]]
        persons = np.bincount(home, model.persons[alone], len(model.minimum)).astype(np.int64)
        return cls(centre, persons[centre], walk[far], far, model.persons[alone[far]])

    def add_to(self, model: FlowModel) -> FlowModel:
        """A model with each bundle as one more cell, after its own."""
        arcs, count = model.arcs, len(self.centre)
        more = len(arcs.cell) + np.arange(1, count + 1)
        new = len(arcs) + np.arange(count, dtype=np.int32)
        return FlowModel(
            np.append(model.persons, self.persons),
            Arcs(
                np.append(arcs.start, more),
                np.append(arcs.cell, new).astype(np.int32),
                np.append(arcs.centre, self.centre),
                np.append(arcs.cost, self.walk_cm),
            ),
            model.minimum,
            model.maximum,
        )


def _solve_active(model: FlowModel, *, perfect: bool) -> IntArray:
    """Persons on every arc, int64 (r,).

    First the fewest unserved and the least underload; then the fewest centimetres with both held
    exactly, as demands of their own nodes.
    """
    people, arcs, low = model.persons, model.arcs, model.floor
    cells, centres, begin = len(people), len(low), len(arcs.cell)
    if cells == 0:
        return np.zeros(0, dtype=np.int64)
    everyone, unserved, filled = int(people.sum()), 0, int(low.sum())
    if not perfect:
        unserved, filled = _least_lacking(model)
    full, spare, nowhere = cells + centres, cells + centres + 1, cells + centres + 2
    cell_node, centre_node = np.arange(cells), cells + np.arange(centres)
    tail = np.concatenate((arcs.cell, cell_node, centre_node, centre_node))
    ends = (np.full(cells, nowhere), np.full(centres, full), np.full(centres, spare))
    head = np.concatenate((cells + arcs.centre.astype(np.int64), *ends))
    capacity = np.concatenate((people[arcs.cell], people, low, model.maximum - low))
    walked = np.concatenate((arcs.cost, np.zeros(cells + 2 * centres, dtype=np.int64)))
    demand = {full: filled, spare: everyone - unserved - filled, nowhere: unserved}
    return run_flow(tail, head, capacity, walked, people, demand)[:begin]


def _least_lacking(model: FlowModel) -> tuple[int, int]:
    """The fewest unserved, and the persons up to the floors when the least is lacking there.

    With weights 3 and 1: a cycle of exchanges passes the sink once, so it trades at most one
    person of underload for one unserved. Walks do not count here, so cells that may go to the
    same centres are one.
    """
    low = model.floor
    first, group = group_alike(model.arcs)
    arcs = model.arcs.select_cells(first)
    people = np.bincount(group, model.persons).astype(np.int64)
    groups, centres, begin = len(people), len(low), len(arcs.cell)
    sink = groups + centres
    centre_node = groups + np.arange(centres)
    tail = np.concatenate((arcs.cell, np.arange(groups), centre_node, centre_node))
    to_centre = groups + arcs.centre.astype(np.int64)
    head = np.concatenate((to_centre, np.full(groups + 2 * centres, sink)))
    capacity = np.concatenate((people[arcs.cell], people, low, model.maximum - low))
    weight = np.zeros(len(tail), dtype=np.int64)
    weight[begin : begin + groups] = _UNSERVED
    weight[begin + groups : begin + groups + centres] = -_UNDERLOAD
    flow = run_flow(tail, head, capacity, weight, people, {sink: int(people.sum())})
    unserved = int(flow[begin : begin + groups].sum())
    return unserved, int(flow[begin + groups : begin + groups + centres].sum())


def group_alike(arcs: Arcs) -> tuple[IntArray, IntArray]:
    """Cells with the same centres: the first of each group (ascending), the group of each cell.

    Found by sums of drawn numbers, then compared arc by arc.
    """
    cells = np.arange(len(arcs))
    drawn = np.random.default_rng(1).integers(2**62, size=int(arcs.centre.max(initial=0)) + 1)
    total = np.append(0, np.cumsum(drawn[arcs.centre]))  # int64 that wraps around
    _, first, group = np.unique(np.diff(total[arcs.start]), return_index=True, return_inverse=True)
    leader = first[group]
    same = np.array_equal(np.diff(arcs.start), np.diff(arcs.start)[leader])
    if not same:
        return cells, cells
    place = np.arange(len(arcs.cell)) - arcs.start[arcs.cell]
    if not np.array_equal(arcs.centre, arcs.centre[arcs.start[leader][arcs.cell] + place]):
        return cells, cells
    number = np.argsort(np.argsort(first))
    return np.sort(first), number[group]


def run_flow(
    tail: np.ndarray,
    head: np.ndarray,
    capacity: IntArray,
    cost: IntArray,
    people: IntArray,
    demand: dict[int, int],
) -> IntArray:
    """The cheapest flow over arcs (a,) from the first nodes to those with a demand, int64 (a,).

    `people` int64: what each of the first nodes sends. `demand`: what others take, by node.

    Raises
    ------
    UnsolvedError : the flow ends without an optimum (no input is known to do that).
    """
    from ortools.graph.python import min_cost_flow

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
