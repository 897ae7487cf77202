"""Walks from every cell to each of many sites where a site is nearer than all there is.

Exact as `analysis.access.nearest`: positions on edges at both ends, access legs included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.access.nearest import NodeField, goal_leg_cm
from lifecircle.analysis.access.od_matrix import walks_by_facility
from lifecircle.analysis.access.shortest import SHIFT
from lifecircle.analysis.access.sites_kernel import improved_walks
from lifecircle.analysis.access.walking import WalkCosts, leg_cm
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.quantities import BoolArray, Int32Array, IntArray


def kept_starts(start: IntArray, kept: BoolArray) -> IntArray:
    """Where the rows of every site begin when only the `kept` (a,) of CSR rows stay, (s + 1,)."""
    before = np.concatenate(([0], np.cumsum(kept)))
    return before[start].astype(np.int64)


@dataclass(frozen=True, slots=True)
class SiteWalks:
    """Walks in CSR form by site: those of site j are rows ``start[j]:start[j + 1]``.

    `start` int64 (s + 1,); `cell` int32 (a,), ascending within a site; `cm` int32 (a,).
    """

    start: IntArray
    cell: Int32Array
    cm: Int32Array

    @property
    def sites(self) -> int:
        """Number of sites s."""
        return len(self.start) - 1

    def of(self, site: int) -> tuple[Int32Array, Int32Array]:
        """Cells of one site and their walks."""
        rows = slice(int(self.start[site]), int(self.start[site + 1]))
        return self.cell[rows], self.cm[rows]

    def within(self, limit_cm: int) -> SiteWalks:
        """The walks that are no longer than a limit."""
        kept = self.cm <= limit_cm
        return SiteWalks(kept_starts(self.start, kept), self.cell[kept], self.cm[kept])

    def owner(self) -> Int32Array:
        """The site of every row, int32 (a,)."""
        return np.repeat(np.arange(self.sites, dtype=np.int32), np.diff(self.start))


@dataclass(frozen=True, slots=True)
class CellsOnEdges:
    """The snapped cells sorted by edge, with what walking from them costs (worked out once)."""

    cells: int
    start: IntArray
    cell: Int32Array
    ahead_cm: Int32Array
    back_cm: Int32Array
    leg_cm: Int32Array

    @classmethod
    def of(cls, costs: WalkCosts, position: Positions) -> CellsOnEdges:
        """Sort positions (c,) by edge; unsnapped cells are left out."""
        snapped = np.flatnonzero(position.snapped)
        order = snapped[np.argsort(position.edge[snapped], kind="stable")]
        sorted_ = position.take(order)
        start = np.searchsorted(sorted_.edge, np.arange(len(costs.edge_u) + 1)).astype(np.int64)
        return cls(
            len(position),
            start,
            order.astype(np.int32),
            costs.ahead_cm(sorted_),
            costs.back_cm(sorted_),
            leg_cm(sorted_),
        )


def walks_to_sites(
    costs: WalkCosts, sites: Attachments, count: int, positions: Positions, limit_cm: int
) -> SiteWalks:
    """Walks from every position to each of `count` sites within a limit."""
    rows = np.arange(count, dtype=np.int32)
    return SiteWalks(*walks_by_facility(costs, sites, positions, rows, limit_cm))


def walks_improved(
    costs: WalkCosts,
    cells: CellsOnEdges,
    sites: Attachments,
    count: int,
    field: NodeField,
    cell_cm: Int32Array,
) -> SiteWalks:
    """Walks to each of `count` sites that are shorter than to the nearest facility there is.

    `field`: the walks of all junctions, `cell_cm` (c,) those of all cells, as `travel_table`
    gives them. Only the part of the streets where a site is nearer than everything else is
    searched, so that one added facility costs a small part of a full computation.
    """
    order = np.argsort(sites.facility, kind="stable")
    position, owner = sites.position.take(order), sites.facility[order]
    site_start = np.searchsorted(owner, np.arange(count + 1)).astype(np.int64)
    ahead, back = costs.ahead_cm(position), costs.back_cm(position.ends)
    leg = goal_leg_cm(position)
    edge, inner = position.edge, position.is_stretch
    by_u = leg.astype(np.int64) + ahead
    by_v = leg.astype(np.int64) + costs.vu_cm[edge] - back
    node = np.column_stack((costs.edge_u[edge], costs.edge_v[edge]))[~inner].ravel()
    seed_cm = np.column_stack((by_u, by_v))[~inner].ravel()
    seed_start = 2 * np.concatenate(([0], np.cumsum(~inner))).astype(np.int64)[site_start]
    spread = int(seed_cm.max() - seed_cm.min()) if len(seed_cm) else 0
    first, cell, cm = improved_walks(
        costs.start,
        costs.link,
        costs.half_edge,
        costs.edge_u,
        costs.edge_v,
        costs.uv_cm,
        np.ascontiguousarray(field.cm),
        site_start,
        edge,
        ahead,
        back,
        leg,
        seed_start,
        np.ascontiguousarray(node),
        np.ascontiguousarray(seed_cm),
        cells.start,
        cells.cell,
        cells.ahead_cm,
        cells.back_cm,
        cells.leg_cm,
        cell_cm.astype(np.int64) - 1,
        SHIFT,
        costs.bucket_count(spread),
    )
    owner_of = np.repeat(np.arange(count), np.diff(first))
    sorted_ = np.lexsort((cell, owner_of))
    return SiteWalks(first, cell[sorted_], cm[sorted_])
