"""Catchments of whole cells: an assignment in which no cell is split, from one that may split.

The optimum with split cells is a lower bound: what whole cells cost more is the stated gap.
Split cells are placed anew, the largest first; then cells are moved, exchanged and let in for
others while that serves more people, lowers the underload or shortens the walks. Where that leaves
more unserved or more underload than split cells would, a second start in the order of the ids,
the last first, is tried, and the better of the two is the answer.

Source: repair and local search for the generalised assignment problem (Martello and Toth, 1990).
"""

from __future__ import annotations

from operator import attrgetter

import numpy as np

from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.assignment import Assignment, make_assignment
from lifecircle.analysis.measures.catchments.flow_model import Flow
from lifecircle.analysis.measures.catchments.ties import Ranks
from lifecircle.analysis.measures.catchments.whole_kernel import WholeModel, settle_whole
from lifecircle.analysis.quantities import NOBODY, Int32Array, IntArray


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
    found: list[Flow] = []
    for turn in (np.argsort(-people, kind="stable"), np.arange(len(people))[::-1]):
        settled = at.copy()
        settle_whole(model, settled, turn[people[turn] > 0])
        found.append(_flow_of(model, settled, (persons, minimum), cells, centres))
        if found[-1].aims[:2] == split.least[:2]:
            break
    flow = min(found, key=attrgetter("aims"))
    return make_assignment(flow, split.reachable, split.least, ties_open=split.ties_open)


def _flow_of(
    model: WholeModel,
    at: Int32Array,
    asked: tuple[IntArray, IntArray],
    cells: IntArray,
    centres: IntArray,
) -> Flow:
    """Where the kernel put the cells (`at`), by the rows of the question (persons, minimum).

    `cells`, `centres`: the rows of the kernel's cells and centres.
    """
    persons, minimum = asked
    owner = np.repeat(np.arange(len(at)), np.diff(model.start))
    used = np.flatnonzero(model.centre == at[owner])
    mine, centre = cells[owner[used]].astype(np.int32), centres[at[owner[used]]].astype(np.int32)
    return Flow.add_up(persons, minimum, (mine, centre, persons[mine], model.cost[used]))
