"""Where cells may go: arcs to centres in CSR form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.access.od_matrix import SparseODMatrix
from lifecircle.analysis.quantities import UNREACHED_CM, BoolArray, Int32Array, IntArray


@dataclass(frozen=True, slots=True)
class Arcs:
    """Arcs (r,), sorted by (cell, centre); `start` int64 (n + 1,) by cell, `cost` int64 cm."""

    start: IntArray
    cell: Int32Array
    centre: Int32Array
    cost: IntArray

    @classmethod
    def from_pairs(
        cls, cells: int, cell: Int32Array, centre: Int32Array, cost: Int32Array | IntArray
    ) -> Arcs:
        """Arcs in any order, each pair once."""
        order = np.lexsort((centre, cell))
        return cls._sorted(cells, cell[order], centre[order], cost[order].astype(np.int64))

    @classmethod
    def from_matrix(cls, cost: Int32Array) -> Arcs:
        """Every arc of a full matrix (f, n)."""
        cell, centre = (part.astype(np.int32) for part in np.nonzero((cost != UNREACHED_CM).T))
        return cls._sorted(cost.shape[1], cell, centre, cost[centre, cell].astype(np.int64))

    @classmethod
    def from_walks(cls, walks: SparseODMatrix) -> Arcs:
        """The walks of the sparse form."""
        return cls.from_pairs(len(walks), walks.position, walks.facility, walks.cm)

    @classmethod
    def _sorted(cls, cells: int, cell: Int32Array, centre: Int32Array, cost: IntArray) -> Arcs:
        counts = np.bincount(cell, minlength=cells)
        start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return cls(start, cell, centre, cost)

    def __len__(self) -> int:
        return len(self.start) - 1

    def keep(self, wanted: BoolArray) -> Arcs:
        """Only some of the arcs, bool (r,)."""
        return self._sorted(len(self), self.cell[wanted], self.centre[wanted], self.cost[wanted])

    def select_cells(self, cells: IntArray) -> Arcs:
        """Only the arcs of some cells (ascending), which are numbered anew."""
        if len(cells) == len(self):
            return self
        number = np.full(len(self), -1, dtype=np.int32)
        number[cells] = np.arange(len(cells), dtype=np.int32)
        own = number[self.cell]
        held = own >= 0
        return self._sorted(len(cells), own[held], self.centre[held], self.cost[held])

    def find(self, cell: Int32Array, centre: Int32Array) -> IntArray:
        """Where some of the arcs (s,) stand, int64 (s,)."""
        span = np.int64(self.centre.max(initial=0)) + 1
        found: IntArray = np.searchsorted(
            self.cell * span + self.centre, cell * span + centre
        ).astype(np.int64)
        return found

    def contain(self, cell: Int32Array, centre: Int32Array) -> BoolArray:
        """Which of some arcs (s,) are here already."""
        span = np.int64(max(self.centre.max(initial=0), centre.max(initial=0)) + 1)
        return np.isin(cell * span + centre, self.cell * span + self.centre)

    def add(self, cell: Int32Array, centre: Int32Array, cost: Int32Array | IntArray) -> Arcs:
        """These arcs and some others."""
        return Arcs.from_pairs(
            len(self),
            np.concatenate((self.cell, cell)),
            np.concatenate((self.centre, centre)),
            np.concatenate((self.cost, cost.astype(np.int64))),
        )
