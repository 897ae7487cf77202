"""Catchments of whole cells: an assignment in which no cell is split, from one that may split.

The optimum with split cells is a lower bound: what whole cells cost more is the stated gap.
Split cells are placed anew, the largest first; then cells are moved, exchanged and let in for
others while that serves more people, lowers the underload or shortens the walks.

Source: repair and local search for the generalised assignment problem (Martello and Toth, 1990).
"""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.assignment import Assignment, make_assignment
from lifecircle.analysis.measures.catchments.flow_model import Flow
from lifecircle.analysis.measures.catchments.ties import Ranks
from lifecircle.analysis.measures.catchments.whole_kernel import WholeModel, settle_whole
from lifecircle.analysis.quantities import NOBODY, IntArray


def whole_cells(
    persons: IntArray,
    arcs: Arcs,
    minimum: IntArray,
    maximum: IntArray,
    split: Assignment,
    ranks: Ranks | None = None,
) -> Assignment:
    """Every cell wholly at one centre or unserved; maxima stay hard.

    Parameters
    ----------
    arcs : where cells may go: all arcs, or the nearest ones of each cell and those `split` uses.
    split : the proven optimum with split cells; its figures become the bound.
    ranks : the order of the ids, in which cells and centres are tried; None = as the rows.
    """
    order = ranks or Ranks.from_rows(len(persons), len(minimum))
    cells, centres = np.argsort(order.cell), np.argsort(order.centre)
    cell_at, centre_at = np.argsort(cells), np.argsort(centres).astype(np.int32)
    at = np.full(len(persons), NOBODY, dtype=np.int32)
    alone = persons[split.cell] == split.persons
    at[cell_at[split.cell[alone]]] = centre_at[split.centre[alone]]
    turned = Arcs.from_pairs(
        len(persons), cell_at[arcs.cell].astype(np.int32), centre_at[arcs.centre], arcs.cost
    )
    people = persons[cells]
    model = WholeModel(
        people, turned.start, turned.centre, turned.cost, minimum[centres], maximum[centres]
    )
    largest = np.argsort(-people, kind="stable")
    settle_whole(model, at, largest[people[largest] > 0])
    cell = np.flatnonzero(at != NOBODY).astype(np.int32)
    mine = turned.centre == at[turned.cell]
    walk = np.zeros(len(persons), dtype=np.int64)
    walk[turned.cell[mine]] = turned.cost[mine]
    parts = (cells[cell].astype(np.int32), centres[at[cell]].astype(np.int32), people[cell])
    flow = Flow.add_up(persons, minimum, (*parts, walk[cell]))
    return make_assignment(flow, split.reachable, split.least, ties_open=split.ties_open)
