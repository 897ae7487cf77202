"""A siting question without any geography: cells with weights, sites with the cells they improve.

The solvers see persons and walks only; what the sites are for, they do not know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.access.sites import SiteWalks
from lifecircle.analysis.measures.siting import kernel
from lifecircle.analysis.quantities import BoolArray, Int32Array, IntArray


@dataclass(frozen=True, slots=True)
class SiteProblem:
    """Choose sites that gain the most: cell i costs ``weight[i] * base[i]`` without a new site.

    `weight`, `base` int64 (c,). `start` int64 (s + 1,), `cell` int32 (a,), `cost` int64 (a,): the
    cells each site improves, every `cost` below the cell's base. For covering, base is 1 and
    cost 0; for walking, both are centimetres.
    """

    weight: IntArray
    base: IntArray
    start: IntArray
    cell: Int32Array
    cost: IntArray

    @property
    def sites(self) -> int:
        """Number of sites s."""
        return len(self.start) - 1

    @property
    def arrays(self) -> tuple[IntArray, Int32Array, IntArray, IntArray, IntArray]:
        """What the kernels take: start, cell, cost, weight, base."""
        return self.start, self.cell, self.cost, self.weight, self.base

    @property
    def reachable(self) -> int:
        """What all sites together gain."""
        return self.value(np.arange(self.sites, dtype=np.int32))

    def value(self, chosen: Int32Array) -> int:
        """What a set of sites gains."""
        return int(kernel.value_of(*self.arrays, np.asarray(chosen, dtype=np.int32)))

    def in_order(self, chosen: Int32Array) -> tuple[Int32Array, IntArray]:
        """The sites of a set ordered by what each adds, and what it adds; useless ones are left."""
        allowed = np.zeros(self.sites, dtype=np.bool_)
        allowed[chosen] = True
        return kernel.greedy(*self.arrays, len(chosen), allowed)

    def keep_sites(self, kept: IntArray) -> SiteProblem:
        """The same question with some of the sites only."""
        size = np.diff(self.start)[kept]
        start = np.concatenate(([0], np.cumsum(size))).astype(np.int64)
        rows = (
            np.repeat(self.start[kept], size) + np.arange(start[-1]) - np.repeat(start[:-1], size)
        )
        return SiteProblem(self.weight, self.base, start, self.cell[rows], self.cost[rows])

    def with_open(self, chosen: Int32Array) -> SiteProblem:
        """The question that is left when some sites are taken for granted (they gain no more)."""
        base = self.base.copy()
        for j in chosen:
            rows = slice(int(self.start[j]), int(self.start[j + 1]))
            np.minimum.at(base, self.cell[rows], self.cost[rows])
        return _keep_improving(self.weight, base, self.start, self.cell, self.cost)

    def join_cells(self) -> SiteProblem:
        """Cells that the same sites improve by the same costs taken as one: nothing changes."""
        owner = np.repeat(np.arange(self.sites, dtype=np.int32), np.diff(self.start))
        order = np.lexsort((owner, self.cell))
        cell, site, cost = self.cell[order], owner[order], self.cost[order]
        first = np.searchsorted(cell, np.arange(len(self.weight) + 1))
        number: dict[tuple[bytes, bytes, int], int] = {}
        group = np.full(len(self.weight), -1, dtype=np.int64)
        bases: list[int] = []
        for i in range(len(self.weight)):
            rows = slice(first[i], first[i + 1])
            if rows.start == rows.stop:
                continue
            name = (site[rows].tobytes(), cost[rows].tobytes(), int(self.base[i]))
            group[i] = number.setdefault(name, len(number))
            if group[i] == len(bases):
                bases.append(int(self.base[i]))
        held = group >= 0
        weight = np.zeros(len(number), dtype=np.int64)
        np.add.at(weight, group[held], self.weight[held])
        leader = np.full(len(number), -1, dtype=np.int64)
        leader[group[held][::-1]] = np.flatnonzero(held)[::-1]
        kept = leader[group[self.cell]] == self.cell
        size = np.bincount(owner[kept], minlength=self.sites)
        start = np.concatenate(([0], np.cumsum(size))).astype(np.int64)
        return SiteProblem(
            weight,
            np.array(bases, dtype=np.int64),
            start,
            group[self.cell[kept]].astype(np.int32),
            self.cost[kept],
        )


def _keep_improving(
    weight: IntArray, base: IntArray, start: IntArray, cell: Int32Array, cost: IntArray
) -> SiteProblem:
    """Only the rows that improve a cell with weight."""
    return SiteProblem(weight, base, *kernel.improving(start, cell, cost, weight, base))


def pose_maximal_covering(persons: IntArray, covered: BoolArray, walks: SiteWalks) -> SiteProblem:
    """Cover the most persons: `walks` are those within the limit; covered cells gain nothing.

    Source: Church and ReVelle (1974), the maximal covering location problem.
    """
    base = np.where(covered, 0, 1).astype(np.int64)
    cost = np.zeros(len(walks.cell), dtype=np.int64)
    return _keep_improving(persons, base, walks.start, walks.cell, cost)


def pose_p_median(persons: IntArray, cell_cm: IntArray, walks: SiteWalks) -> SiteProblem:
    """Walk the least person-centimetres: `cell_cm` int64 (c,) is the walk without new sites.

    Source: Hakimi (1964), the p-median.
    """
    return _keep_improving(persons, cell_cm, walks.start, walks.cell, walks.cm.astype(np.int64))
