"""The flow model solved over its arcs by min-cost flow (OR-tools), in two solves.

No weight is multiplied with a distance there, so nothing can overflow or be traded away.

Source: Ahuja, Magnanti and Orlin (1993), Network Flows, chapters 9 and 11; OR-tools.
"""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.errors import UnsolvedError
from lifecircle.analysis.measures.catchments.flow_model import Flow, FlowModel
from lifecircle.analysis.quantities import IntArray

_UNSERVED, _UNDERLOAD = 3, 1


def solve(model: FlowModel, *, perfect: bool = False) -> Flow:
    """The lexicographic optimum over the arcs of the model.

    `perfect`: it is known that everyone is served and every floor met.

    Raises
    ------
    UnsolvedError : the flow ends without an optimum (no input is known to do that).
    """
    arcs = model.arcs
    active = np.flatnonzero((np.diff(arcs.start) > 0) & (model.persons > 0))
    some = model.select_cells(active)
    flow = _solve_active(some, perfect=perfect) if len(active) else np.zeros(0, dtype=np.int64)
    used = np.flatnonzero(flow > 0)
    cell = active[some.arcs.cell[used]].astype(np.int32)
    parts = (cell, some.arcs.centre[used], flow[used], some.arcs.cost[used])
    return Flow.add_up(model.persons, model.minimum, parts)


def _solve_active(model: FlowModel, *, perfect: bool) -> IntArray:
    """Persons on every arc, int64 (r,).

    First the fewest unserved and the least underload, with weights 3 and 1: a cycle of
    exchanges passes the sink once, so it trades at most one person of underload for one
    unserved. Then the fewest centimetres with both held exactly, as demands of their own nodes.
    """
    people, arcs, low = model.persons, model.arcs, model.floor
    cells, centres, begin = len(people), len(low), len(arcs.cell)
    everyone = int(people.sum())
    cell_node, centre_node = np.arange(cells), cells + np.arange(centres)
    full, spare, nowhere = cells + centres, cells + centres + 1, cells + centres + 2
    tail = np.concatenate((arcs.cell, cell_node, centre_node, centre_node))
    capacity = np.concatenate((people[arcs.cell], people, low, model.maximum - low))
    to_centre = cells + arcs.centre.astype(np.int64)
    unserved, filled = 0, int(low.sum())
    if not perfect:
        one_sink = np.concatenate((to_centre, np.full(cells + 2 * centres, full)))
        weight = np.zeros(len(tail), dtype=np.int64)
        weight[begin : begin + cells] = _UNSERVED
        weight[begin + cells : begin + cells + centres] = -_UNDERLOAD
        first = _run(tail, one_sink, capacity, weight, people, {full: everyone})
        unserved = int(first[begin : begin + cells].sum())
        filled = int(first[begin + cells : begin + cells + centres].sum())
    ends = (np.full(cells, nowhere), np.full(centres, full), np.full(centres, spare))
    head = np.concatenate((to_centre, *ends))
    walked = np.concatenate((arcs.cost, np.zeros(cells + 2 * centres, dtype=np.int64)))
    demand = {full: filled, spare: everyone - unserved - filled, nowhere: unserved}
    return _run(tail, head, capacity, walked, people, demand)[:begin]


def _run(
    tail: np.ndarray,
    head: np.ndarray,
    capacity: IntArray,
    cost: IntArray,
    people: IntArray,
    demand: dict[int, int],
) -> IntArray:
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
