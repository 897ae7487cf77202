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
from lifecircle.analysis.measures.catchments.whole_kernel import WholeModel, settle_whole
from lifecircle.analysis.quantities import NOBODY, IntArray


def whole_cells(
    persons: IntArray, arcs: Arcs, minimum: IntArray, maximum: IntArray, split: Assignment
) -> Assignment:
    """Every cell wholly at one centre or unserved; maxima stay hard.

    Parameters
    ----------
    arcs : where cells may go: all arcs, or the nearest ones of each cell and those `split` uses.
    split : the proven optimum with split cells; its figures become the bound.
    """
    at = np.full(len(persons), NOBODY, dtype=np.int32)
    alone = persons[split.cell] == split.persons
    at[split.cell[alone]] = split.centre[alone]
    order = np.argsort(-persons, kind="stable")
    model = WholeModel(persons, arcs.start, arcs.centre, arcs.cost, minimum, maximum)
    settle_whole(model, at, order[persons[order] > 0])
    cell = np.flatnonzero(at != NOBODY).astype(np.int32)
    mine = arcs.centre == at[arcs.cell]
    walk = np.zeros(len(persons), dtype=np.int64)
    walk[arcs.cell[mine]] = arcs.cost[mine]
    flow = Flow.add_up(persons, minimum, (cell, at[cell], persons[cell], walk[cell]))
    return make_assignment(flow, split.reachable, split.least)
