"""Persons to centres with a lower and an upper bound each: the answers behind catchments.

Lexicographic: fewest unserved persons, then least total underload, then least person-centimetres
(`flow_model`), in whole persons, solved by `min_cost_flow` and proven by `pricing`. Among equal
optima the ids choose (`ties`): the answer is one and the same however it is found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.access.od_matrix import SparseODMatrix
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.coarse import begin
from lifecircle.analysis.measures.catchments.flow_model import Flow, FlowModel
from lifecircle.analysis.measures.catchments.pricing import Optimum, find_optimum
from lifecircle.analysis.measures.catchments.ties import Ranks, settle_ties
from lifecircle.analysis.quantities import UNREACHED_CM, BoolArray, Int32Array, IntArray, read_only


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who is served where: n cells, f centres.

    `cell, centre` int32, `persons`, `walk_cm` int64 (r,): the persons of a cell at a centre and
    how far each walks, sorted by (cell, centre). `unserved` int64 (n,); `reachable` bool (n,):
    cells with any arc at all.
    `load` int64 (f,). `person_cm`: the third objective; `bound_cm`: what it is at least in any
    optimum of the first two, `least_unserved` and `least_underload`. `proven`: all three are
    reached. `ties_open`: other optima may have been chosen, so only the three are to be compared.
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
    ties_open: bool

    @property
    def total_unserved(self) -> int:
        """Persons served nowhere."""
        return int(self.unserved.sum())

    @property
    def least(self) -> tuple[int, int, int]:
        """Unserved, underload and centimetres that nothing goes below, one after another."""
        return self.least_unserved, self.least_underload, self.bound_cm

    @property
    def proven(self) -> bool:
        """Whether nothing better exists."""
        return (self.total_unserved, self.underload, self.person_cm) == self.least

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


def nearest_assignment(persons: IntArray, nearest: SparseODMatrix, minimum: IntArray) -> Assignment:
    """Everyone to the nearest centre; no bounds are held.

    `nearest`: the one nearest centre of every cell (`analysis.access.od_matrix.nearest_walks`).
    """
    keep = persons[nearest.position] > 0
    cell = nearest.position[keep]
    walks = nearest.cm[keep].astype(np.int64)
    flow = Flow.add_up(persons, minimum, (cell, nearest.facility[keep], persons[cell], walks))
    return make_assignment(flow, np.diff(nearest.first) > 0)


def balanced_assignment(
    persons: IntArray,
    cost: Int32Array,
    minimum: IntArray,
    maximum: IntArray,
    ranks: Callable[[], Ranks] | None = None,
) -> Assignment:
    """Fewest unserved, then least underload, then least person-centimetres; maxima are hard.

    Parameters
    ----------
    persons : int64 (n,), not negative.
    cost : int32 (f, n) centimetres, ``UNREACHED_CM`` where a cell may not go to a centre.
    minimum, maximum : int64 (f,), not negative. Where the minimum is above the maximum, the
        difference is underload whatever happens.
    ranks : the order of the ids of cells and centres, which settles ties; None = as the rows.

    Raises
    ------
    UnsolvedError : the flow ends without an optimum (no input is known to do that).
    """
    reachable: BoolArray = cost.min(axis=0, initial=UNREACHED_CM) != UNREACHED_CM
    active = np.flatnonzero(reachable & (persons > 0))
    some = cost if len(active) == cost.shape[1] else np.ascontiguousarray(cost[:, active])
    model, perfect = begin(persons[active], some, minimum, maximum)
    optimum = find_optimum(model, some, perfect=perfect)
    flow, open_ = _settle(optimum, ranks, active, len(persons))
    return _spread_out(flow, active, persons, minimum, reachable, ties_open=open_)


def balanced_on_arcs(
    persons: IntArray,
    arcs: Arcs,
    minimum: IntArray,
    maximum: IntArray,
    ranks: Callable[[], Ranks] | None = None,
) -> Assignment:
    """The same where `arcs` are all there is: walks within a limit, borders that close."""
    reachable = np.diff(arcs.start) > 0
    active = np.flatnonzero(reachable & (persons > 0))
    model = FlowModel(persons, arcs, minimum, maximum).select_cells(active)
    flow, open_ = _settle(find_optimum(model), ranks, active, len(persons))
    return _spread_out(flow, active, persons, minimum, reachable, ties_open=open_)


def _settle(
    optimum: Optimum, ranks: Callable[[], Ranks] | None, active: IntArray, cells: int
) -> tuple[Flow, bool]:
    """The optimum that the ids choose, and whether ties are open; `active`: cells of the model."""

    def of_active() -> Ranks:
        found = Ranks.from_rows(cells, len(optimum.model.minimum)) if ranks is None else ranks()
        return found.select_cells(active)

    return settle_ties(optimum, of_active)


def _spread_out(
    flow: Flow,
    active: IntArray,
    persons: IntArray,
    minimum: IntArray,
    reachable: BoolArray,
    *,
    ties_open: bool,
) -> Assignment:
    """The flow of some cells among all of them."""
    cell = active[flow.cell].astype(np.int32)
    parts = (cell, flow.centre, flow.persons, flow.walk_cm)
    return make_assignment(Flow.add_up(persons, minimum, parts), reachable, ties_open=ties_open)


def make_assignment(
    flow: Flow,
    reachable: BoolArray,
    least: tuple[int, int, int] | None = None,
    *,
    ties_open: bool = False,
) -> Assignment:
    """A flow as an answer; one that proves nothing (`least`) counts as its own bound."""
    unserved, underload, bound_cm = least or flow.aims
    parts = (flow.cell, flow.centre, flow.persons, flow.walk_cm)
    for array in (*parts, flow.unserved, reachable, flow.load):
        read_only(array)
    return Assignment(
        *parts,
        flow.unserved,
        reachable,
        flow.load,
        underload=flow.underload,
        person_cm=flow.person_cm,
        least_unserved=unserved,
        least_underload=underload,
        bound_cm=bound_cm,
        ties_open=ties_open,
    )
