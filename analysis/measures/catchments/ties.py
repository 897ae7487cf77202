"""Which of several optima is the answer: the one that the ids of facilities and cells choose.

Among all flows that reach the three aims, the one with the least Σ persons x (rank of the
facility's id x (cells + 1) + rank of the cell's id); among those, arc by arc in the order of
(facility, cell), the one with the most persons. So loads, who is unserved and who goes where are
the same whatever the order of rows and the way of solving.

The optima are one face of the question: by complementary slackness the flows that use only arcs
at which price and walk make up exactly what the cell pays, and that hold each load between bounds
the prices give. The sum is least over that face (the same solver, other costs), which leaves a
smaller face, of which the last step takes the first flow. Where a face has no cycle it is a
single flow and nothing is left to choose; so it is nearly always.

Source: DEFINITIONS, Catchments; Ahuja, Magnanti and Orlin (1993), Network Flows, chapter 9.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lifecircle.analysis.city.model import StrArray
from lifecircle.analysis.errors import UnsolvedError
from lifecircle.analysis.grouping.connected import connected_pieces
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.flow_model import Flow, FlowModel
from lifecircle.analysis.measures.catchments.min_cost_flow import solve
from lifecircle.analysis.measures.catchments.pricing import Optimum, Prices, price_flow
from lifecircle.analysis.measures.catchments.ties_kernel import TieGraph, prefer_first
from lifecircle.analysis.quantities import IntArray

BUDGET: Final = 500_000_000  # steps of the last choice, about two seconds


@dataclass(frozen=True, slots=True)
class Ranks:
    """Place of each cell (n,) and centre (f,) in the order of their ids, int64, from 1.

    `cells`: how many cells there are in all, those without persons or arcs among them.
    """

    cell: IntArray
    centre: IntArray
    cells: int

    @classmethod
    def from_ids(cls, cell: StrArray, centre: StrArray) -> Ranks:
        """By ids as texts."""
        return cls(_rank(cell), _rank(centre), len(cell))

    @classmethod
    def from_rows(cls, cells: int, centres: int) -> Ranks:
        """By row, where rows stand in the order of their ids."""
        return cls(np.arange(1, cells + 1), np.arange(1, centres + 1), cells)

    def select_cells(self, cells: IntArray) -> Ranks:
        """The ranks of some cells; they keep their places."""
        return replace(self, cell=self.cell[cells])


def _rank(ids: StrArray) -> IntArray:
    """The place of each id when all are sorted as texts, int64, from 1."""
    texts = [str(one) for one in ids]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    rank = np.empty(len(texts), dtype=np.int64)
    rank[order] = np.arange(1, len(texts) + 1)
    return rank


def settle_ties(optimum: Optimum, ranks: Callable[[], Ranks]) -> tuple[Flow, bool]:
    """The one optimum that the ranks choose, and whether the choice is still open.

    Open (then any optimum comes back): the costs are too large to be summed, or the last step
    would take too long. `ranks` of the cells and centres of the model; asked for when there is
    anything to choose.
    """
    flow = optimum.flow
    face = _Face.find(optimum)
    if face is None or _is_forest(face.model):
        return flow, False
    try:
        chosen, open_ = _choose(face, ranks())
    except UnsolvedError:
        return flow, True
    settled = face.merge(flow, chosen, optimum.model)
    if settled.aims != flow.aims:
        raise ArithmeticError("another optimum has other aims")
    return settled, open_


@dataclass(frozen=True, slots=True)
class _Face:
    """The optima as flows of a smaller model: cells with a choice, and the arcs they may use.

    `cell` (k,) and `centre` (m,) are the numbers of its cells and centres in the whole model; the
    last centre, -1, stands for being unserved. The model has room for everyone; its minima and
    maxima are what every optimum holds.
    """

    model: FlowModel
    cell: IntArray
    centre: IntArray

    @classmethod
    def find(cls, optimum: Optimum) -> _Face | None:
        """The face of all optima; None where no cell has a choice."""
        model, flow, prices = optimum.model, optimum.flow, optimum.prices
        cell, centre, cost = optimum.tight_arcs()
        stays = (prices.paid == prices.nowhere) & (model.persons > 0)
        has_choice = np.bincount(cell, minlength=len(model.persons)) + stays > 1
        cells = np.flatnonzero(has_choice & (model.persons > 0))
        if len(cells) == 0:
            return None
        number = np.full(len(model.persons), -1, dtype=np.int32)
        number[cells] = np.arange(len(cells))
        own = number[cell] >= 0
        centres = np.unique(centre[own])
        loose = number[stays & (number >= 0)]
        arcs = Arcs.from_pairs(
            len(cells),
            np.append(number[cell[own]], loose).astype(np.int32),
            np.append(
                np.searchsorted(centres, centre[own]), np.full(len(loose), len(centres))
            ).astype(np.int32),
            np.append(cost[own], np.zeros(len(loose), dtype=np.int64)),
        )
        low, high = _bounds(model, prices)
        settled = number[flow.cell] < 0
        fixed = np.zeros(len(low), dtype=np.int64)
        np.add.at(fixed, flow.centre[settled], flow.persons[settled])
        persons = model.persons[cells]
        minimum = np.append(np.maximum(low - fixed, 0)[centres], 0)
        maximum = np.append((high - fixed)[centres], persons.sum())
        return cls(FlowModel(persons, arcs, minimum, maximum), cells, np.append(centres, -1))

    def merge(self, flow: Flow, chosen: Flow, model: FlowModel) -> Flow:
        """The flow with the cells of the face where `chosen` has them."""
        inside = np.zeros(len(model.persons), dtype=np.bool_)
        inside[self.cell] = True
        kept = ~inside[flow.cell]
        served = self.centre[chosen.centre] >= 0
        cell, centre = self.cell[chosen.cell[served]], self.centre[chosen.centre[served]]
        parts = (
            np.append(flow.cell[kept], cell.astype(np.int32)),
            np.append(flow.centre[kept], centre.astype(np.int32)),
            np.append(flow.persons[kept], chosen.persons[served]),
            np.append(flow.walk_cm[kept], chosen.walk_cm[served]),
        )
        return Flow.add_up(model.persons, model.minimum, parts)


def _bounds(model: FlowModel, prices: Prices) -> tuple[IntArray, IntArray]:
    """Least and largest load of each centre in any optimum, int64 (f,)."""
    price, floor, maximum = prices.price, model.floor, model.maximum
    low = np.where(price > 0, maximum, np.where(price > -prices.short, floor, 0))
    high = np.where(price >= 0, maximum, floor)
    return low, high


def _is_forest(model: FlowModel) -> bool:
    """Whether the graph of cells, centres and the exchange of loads has no cycle."""
    cells, centres = len(model.persons), len(model.minimum)
    varying = np.flatnonzero(model.minimum < model.maximum)
    one = np.concatenate((model.arcs.cell.astype(np.int64), cells + varying))
    slack = np.full(len(varying), cells + centres, dtype=np.int64)
    other = np.concatenate((cells + model.arcs.centre.astype(np.int64), slack))
    nodes = cells + centres + 1
    parts = int(connected_pieces(nodes, one, other).max()) + 1
    return len(one) == nodes - parts


def _choose(face: _Face, ranks: Ranks) -> tuple[Flow, bool]:
    """The least sum of ranks on a face, then the first flow; whether that is still open."""
    arcs = face.model.arcs
    cell = ranks.cell[face.cell]
    centre = np.where(face.centre < 0, 0, ranks.centre[face.centre])
    sums = centre[arcs.centre] * (ranks.cells + 1) + cell[arcs.cell]
    sums[face.centre[arcs.centre] < 0] = 0
    model = replace(face.model, arcs=replace(arcs, cost=sums))
    flow = solve(model, perfect=True)
    prices = price_flow(model, flow)
    persons = _persons_on(arcs, flow)
    tight = prices.are_tight(model.arcs)
    least = FlowModel(model.persons, arcs.keep(tight), *_bounds(model, prices))
    left = persons[tight]
    last = np.where(face.centre < 0, len(ranks.centre) + 1, centre)
    done = _is_forest(least) or _prefer_first(least, left, cell, last)
    arcs = least.arcs
    used = np.flatnonzero(left > 0)
    parts = (arcs.cell[used], arcs.centre[used], left[used], arcs.cost[used])
    return Flow.add_up(model.persons, least.minimum, parts), not done


def _persons_on(arcs: Arcs, flow: Flow) -> IntArray:
    """Persons of a flow on every arc, int64 (r,)."""
    persons = np.zeros(len(arcs.cell), dtype=np.int64)
    persons[arcs.find(flow.cell, flow.centre)] = flow.persons
    return persons


def _prefer_first(model: FlowModel, persons: IntArray, cell: IntArray, centre: IntArray) -> bool:
    """`prefer_first` on a model whose cells (n,) and centres (f,) have these ranks.

    `persons` (r,) are changed in place. False: it would take too many steps.
    """
    arcs, centres = model.arcs, len(model.minimum)
    place = np.argsort(np.argsort(centre))
    order = np.lexsort((cell[arcs.cell], place[arcs.centre]))
    by_cell = np.argsort(order)  # the arcs are sorted by cell: where each stands in `order`
    at = place[arcs.centre[order]].astype(np.int32)
    turned = np.argsort(place)
    graph = TieGraph(
        arcs.cell[order],
        at,
        np.searchsorted(at, np.arange(centres + 1)).astype(np.int64),
        arcs.start,
        by_cell,
        model.minimum[turned],
        model.maximum[turned],
    )
    now = persons[order]
    load = np.zeros(centres, dtype=np.int64)
    np.add.at(load, at, now)
    done = bool(prefer_first(graph, now, load, BUDGET))
    persons[order] = now
    return done
