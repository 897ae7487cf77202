"""The one flow model: persons of cells, arcs to centres, a minimum and a maximum per centre.

Lexicographic: fewest unserved persons, then least total underload of open centres, then least
person-centimetres. Maxima are hard, minima are not: what they lack is the underload.

::

    cell ──(arc, cm)──► centre ──► up to its minimum ──┐
      └────────────────► unserved                      ├──► everyone
                        centre ──► up to its maximum ──┘

Catchments solve it as it stands; siting puts on top which centres are open (`with_open`).

Source: Current and Storbeck (1988), maxima; Balakrishnan and Storbeck (1991), minima.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.quantities import BoolArray, Int32Array, IntArray


@dataclass(frozen=True, slots=True)
class FlowModel:
    """Persons int64 (n,), arcs, `minimum` and `maximum` int64 (f,), none of them negative.

    Where the minimum is above the maximum, the difference is underload whatever happens.
    """

    persons: IntArray
    arcs: Arcs
    minimum: IntArray
    maximum: IntArray

    @property
    def floor(self) -> IntArray:
        """The part of each minimum that can be met, int64 (f,)."""
        return np.minimum(self.minimum, self.maximum)

    def with_open(self, is_open: BoolArray) -> FlowModel:
        """The question with some centres open, bool (f,): the others take none and lack none."""
        return FlowModel(
            self.persons,
            self.arcs.keep(is_open[self.arcs.centre]),
            np.where(is_open, self.minimum, 0),
            np.where(is_open, self.maximum, 0),
        )

    def select_cells(self, cells: IntArray) -> FlowModel:
        """The question of some cells (ascending), which are numbered anew."""
        arcs = self.arcs.select_cells(cells)
        return FlowModel(self.persons[cells], arcs, self.minimum, self.maximum)


@dataclass(frozen=True, slots=True)
class Flow:
    """Who is where: parts (r,) of cells at centres, sorted by (cell, centre).

    `cell, centre` int32, `persons`, `walk_cm` int64 (r,): the persons of a cell at a centre and
    how far each walks. `unserved` int64 (n,), `load` int64 (f,); `total_unserved`, `underload`,
    `person_cm`: the three aims.
    """

    cell: Int32Array
    centre: Int32Array
    persons: IntArray
    walk_cm: IntArray
    unserved: IntArray
    load: IntArray
    total_unserved: int
    underload: int
    person_cm: int

    @classmethod
    def add_up(
        cls,
        everyone: IntArray,
        minimum: IntArray,
        parts: tuple[Int32Array, Int32Array, IntArray, IntArray],
    ) -> Flow:
        """Parts (cell, centre, persons, walk_cm; in any order) of everyone, with their sums.

        That served and unserved are all persons is checked, not assumed.
        """
        cell, centre, persons, walk_cm = parts
        unserved = everyone.copy()
        np.subtract.at(unserved, cell, persons)
        load = np.zeros(len(minimum), dtype=np.int64)
        np.add.at(load, centre, persons)
        total = int(unserved.sum())
        if bool((unserved < 0).any()) or int(load.sum()) + total != int(everyone.sum()):
            raise ArithmeticError("served plus unserved differs from the residents")
        order = np.lexsort((centre, cell))
        return cls(
            cell[order],
            centre[order],
            persons[order],
            walk_cm[order],
            unserved,
            load,
            total,
            int(np.maximum(minimum - load, 0).sum()),
            int((persons * walk_cm).sum()),
        )

    @property
    def aims(self) -> tuple[int, int, int]:
        """What is compared, in this order; smaller is better."""
        return self.total_unserved, self.underload, self.person_cm
