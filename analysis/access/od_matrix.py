"""Walks from every position to every facility: a full matrix, or only the near ones (CSR).

Exact as in `analysis.access.nearest`: access leg, along the edge, through the network, along the
edge, access leg; straight along the edge when both lie on one; a facility with several
attachment positions counts by its best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.access.nearest import Goals, goals_of, service_attachments
from lifecircle.analysis.access.od_matrix_kernel import (
    full_rows,
    nearest_labels,
    nearest_rows,
    short_rows,
)
from lifecircle.analysis.access.shortest import SHIFT, reach_from_each
from lifecircle.analysis.access.walking import WalkCosts, leg_cm
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.machine import map_side_by_side, thread_count
from lifecircle.analysis.quantities import (
    NOBODY,
    BoolArray,
    Int32Array,
    IntArray,
    read_only,
)

_ROWS_AT_ONCE = 8  # facilities per call of the kernels, a matter of memory only
_SHORT_ROWS_AT_ONCE = 64  # where walks have a limit, and more where there are more positions:
_LAID_OUT_PER_ROW = 512  # each call lays out all positions and junctions anew


@dataclass(frozen=True, slots=True)
class SparseODMatrix:
    """Walks of k positions to the facilities near each of them, in CSR form.

    `first` int64 (k + 1,): those of position i are ``first[i]:first[i + 1]``, sorted by
    (cm, facility). `facility` int32 (r,): rows of the list of facilities asked for;
    `cm` int32 (r,). What is out of reach is absent.
    """

    first: IntArray
    facility: Int32Array
    cm: Int32Array

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def position(self) -> Int32Array:
        """The position of every entry, int32 (r,), ascending."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.first))


def service_facilities(city: City, service: str) -> Int32Array:
    """Indices into ``city.facilities`` of one service's facilities, ascending, int32 (f,)."""
    return np.flatnonzero(city.facilities.of_service(service)).astype(np.int32)


def service_walks(
    city: City, costs: WalkCosts, service: str, limit_cm: int | None = None
) -> tuple[Int32Array, Int32Array]:
    """Facilities of a service, int32 (f,), and the walks from all cells to them, int32 (f, c).

    The facilities are indices into ``city.facilities``; one that joins no street has a row of
    ``UNREACHED_CM``. Cells are those of ``city.cells``.
    """
    facilities = service_facilities(city, service)
    attachments = service_attachments(city, service)
    return facilities, walk_matrix(costs, attachments, city.cells.position, facilities, limit_cm)


def walk_matrix(
    costs: WalkCosts,
    attachments: Attachments,
    positions: Positions,
    facilities: Int32Array | Sequence[int],
    limit_cm: int | None = None,
) -> Int32Array:
    """Walks from every position to every facility, int32 (f, k) centimetres.

    ``UNREACHED_CM`` where there is no way, or none within `limit_cm`. Four bytes a pair:
    100,000 cells and 300 centres take 120 MB.

    Parameters
    ----------
    attachments : positions of the facilities; others than `facilities` are passed over.
    positions : where the walks begin, (k,).
    facilities : the facility of each row, values of ``attachments.facility``, each once.
    limit_cm : the longest walk, both access legs in.
    """
    limit = costs.within_cm(limit_cm)
    goals = _Rows.of(costs, attachments, facilities)
    ahead, back, leg = costs.ahead_cm(positions), costs.back_cm(positions), leg_cm(positions)
    edge_start, edge_position = _by_edge(positions, len(costs.edge_u))
    out = np.empty((len(goals), len(positions)), dtype=np.int32)

    def fill(begin: int, end: int) -> None:
        part = goals.part(begin, end)
        first, node, cm = part.reach(costs, limit)
        full_rows(
            first, node, cm, positions.edge, ahead, back, leg,
            costs.edge_u, costs.edge_v, costs.uv_cm, edge_start, edge_position,
            part.start, part.edge, part.ahead_cm, part.back_cm, part.leg_cm,
            limit, len(costs.start) - 1, out[begin:end],
        )  # fmt: skip

    _in_threads(fill, len(goals))
    read_only(out)
    return out


def walks_within(
    costs: WalkCosts,
    attachments: Attachments,
    positions: Positions,
    facilities: Int32Array | Sequence[int],
    limit_cm: int,
) -> SparseODMatrix:
    """Walks from every position to all facilities within `limit_cm`; work grows with what is near.

    Parameters as in `walk_matrix`; ``facility`` of the result counts rows of `facilities`.
    """
    start, position, cm = walks_by_facility(costs, attachments, positions, facilities, limit_cm)
    facility = np.repeat(np.arange(len(start) - 1, dtype=np.int32), np.diff(start))
    order = np.lexsort((facility, cm, position))
    counts = np.bincount(position, minlength=len(positions))
    return _frozen(counts, facility[order], cm[order])


def walks_by_facility(
    costs: WalkCosts,
    attachments: Attachments,
    positions: Positions,
    facilities: Int32Array | Sequence[int],
    limit_cm: int,
) -> tuple[IntArray, Int32Array, Int32Array]:
    """`walks_within` in CSR form by facility: start int64 (f + 1,), position and cm int32 (a,).

    The positions of a facility ascend. Nothing is sorted over all facilities, of which there may
    be many.
    """
    limit_cm = costs.within_cm(limit_cm)
    goals = _Rows.of(costs, attachments, facilities)
    ahead, back, leg = costs.ahead_cm(positions), costs.back_cm(positions), leg_cm(positions)
    edge_start, edge_position = _by_edge(positions, len(costs.edge_u))
    node_start, node_position, node_add = _by_node(costs, positions, ahead, back, leg)
    parts: dict[int, tuple[IntArray, Int32Array, Int32Array]] = {}

    def fill(begin: int, end: int) -> None:
        part = goals.part(begin, end)
        first, node, cm = part.reach(costs, limit_cm)
        parts[begin] = short_rows(
            first, node, cm, node_start, node_position, node_add,
            ahead, back, leg, edge_start, edge_position,
            part.start, part.edge, part.ahead_cm, part.back_cm, part.leg_cm, limit_cm,
        )  # fmt: skip

    laid_out = len(positions) + len(costs.start)
    _in_threads(fill, len(goals), max(_SHORT_ROWS_AT_ONCE, laid_out // _LAID_OUT_PER_ROW))
    found = [parts[begin] for begin in sorted(parts)]
    sizes = np.concatenate([np.zeros(1, dtype=np.int64), *(np.diff(part[0]) for part in found)])
    empty = np.zeros(0, dtype=np.int32)
    position = np.concatenate([*(part[1] for part in found), empty])
    cm = np.concatenate([*(part[2] for part in found), empty])
    return np.cumsum(sizes), position, cm


def nearest_walks(
    costs: WalkCosts,
    attachments: Attachments,
    positions: Positions,
    facilities: Int32Array | Sequence[int],
    nearest: int,
    limit_cm: int | None = None,
) -> SparseODMatrix:
    """Walks from every position to its `nearest` nearest facilities, found in one search.

    On equal walks the lower row of `facilities` is nearer. Parameters as in `walk_matrix`.
    """
    limit = costs.within_cm(limit_cm)
    rows = _Rows.of(costs, attachments, facilities)
    source = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(rows.start))
    seed_node, seed_cm = rows.seeds(costs)
    seed_source = np.repeat(source[~rows.inner], 2)
    keys = nearest_labels(
        costs.start, costs.link, seed_node, seed_cm, seed_source, limit, SHIFT,
        costs.bucket_count(_spread(seed_cm)), nearest,
    )  # fmt: skip
    order = np.argsort(rows.edge, kind="stable")
    labels = nearest_rows(
        keys,
        positions.edge, costs.ahead_cm(positions), costs.back_cm(positions), leg_cm(positions),
        costs.edge_u, costs.edge_v, costs.uv_cm,
        rows.edge[order], rows.ahead_cm[order], rows.back_cm[order], rows.leg_cm[order],
        source[order], limit,
    )  # fmt: skip
    found = labels != np.iinfo(np.int64).max
    kept = labels[found]
    return _frozen(
        found.sum(axis=1),
        (kept & 0xFFFFFFFF).astype(np.int32),
        (kept >> 32).astype(np.int32),
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Goals grouped by the row of their facility: `start` int64 (f + 1,), the others (a,)."""

    start: IntArray
    edge: Int32Array
    ahead_cm: Int32Array
    back_cm: Int32Array
    leg_cm: Int32Array

    @property
    def inner(self) -> BoolArray:
        """Which are stretches inside areas, bool (a,)."""
        return np.asarray(self.leg_cm < 0)

    @classmethod
    def of(
        cls, costs: WalkCosts, attachments: Attachments, facilities: Int32Array | Sequence[int]
    ) -> _Rows:
        goals: Goals = goals_of(costs, attachments)
        wanted = np.asarray(facilities, dtype=np.int32)
        if len(np.unique(wanted)) < len(wanted):
            raise ValueError("a facility is asked for twice")
        size = int(max(wanted.max(initial=-1), goals.facility.max(initial=-1))) + 1
        row = np.full(size, NOBODY, dtype=np.int32)
        row[wanted] = np.arange(len(wanted), dtype=np.int32)
        of_goal = row[goals.facility]
        order = np.argsort(of_goal, kind="stable")
        order = order[of_goal[order] != NOBODY]
        counts = np.bincount(of_goal[order], minlength=len(wanted))
        start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return cls(
            start,
            goals.edge[order],
            goals.ahead_cm[order],
            goals.back_cm[order],
            goals.leg_cm[order],
        )

    def __len__(self) -> int:
        return len(self.start) - 1

    def part(self, begin: int, end: int) -> _Rows:
        """Some of the rows."""
        mine = slice(int(self.start[begin]), int(self.start[end]))
        return _Rows(
            self.start[begin : end + 1] - self.start[begin],
            self.edge[mine],
            self.ahead_cm[mine],
            self.back_cm[mine],
            self.leg_cm[mine],
        )

    def seeds(self, costs: WalkCosts) -> tuple[Int32Array, IntArray]:
        """Both ends of the edge of each goal that is not inner, and the walk from there, (2b,)."""
        k = np.flatnonzero(~self.inner)
        edge, leg = self.edge[k], self.leg_cm[k].astype(np.int64)
        by_u = leg + self.ahead_cm[k]
        by_v = leg + costs.vu_cm[edge] - self.back_cm[k]
        nodes = np.column_stack((costs.edge_u[edge], costs.edge_v[edge]))
        return nodes.ravel(), np.column_stack((by_u, by_v)).ravel()

    def seed_start(self) -> IntArray:
        """Where the seeds of each row begin, int64 (f + 1,)."""
        before: IntArray = 2 * np.concatenate(([0], np.cumsum(~self.inner))).astype(np.int64)
        return before[self.start]

    def reach(self, costs: WalkCosts, limit_cm: int) -> tuple[IntArray, Int32Array, Int32Array]:
        """The junctions within the limit of each row's facility and their walks to it (CSR)."""
        node, cm = self.seeds(costs)
        return reach_from_each(
            costs.start, costs.link, self.seed_start(), node, cm, limit_cm, costs.band_cm
        )


def _spread(seed_cm: IntArray) -> int:
    return int(seed_cm.max() - seed_cm.min()) if len(seed_cm) else 0


def _by_edge(positions: Positions, edges: int) -> tuple[IntArray, Int32Array]:
    """The snapped positions on each edge, in CSR form."""
    snapped = np.flatnonzero(positions.edge != NOBODY)
    order = snapped[np.argsort(positions.edge[snapped], kind="stable")]
    counts = np.bincount(positions.edge[snapped], minlength=edges)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64), order.astype(np.int32)


def _by_node(
    costs: WalkCosts,
    positions: Positions,
    ahead_cm: Int32Array,
    back_cm: Int32Array,
    leg: Int32Array,
) -> tuple[IntArray, Int32Array, Int32Array]:
    """The positions on the edges of each junction and their walks to it, in CSR form."""
    snapped = np.flatnonzero(positions.edge != NOBODY).astype(np.int32)
    edge = positions.edge[snapped]
    node = np.concatenate((costs.edge_u[edge], costs.edge_v[edge]))
    to_u = leg[snapped] + back_cm[snapped]
    to_v = leg[snapped] + costs.uv_cm[edge] - ahead_cm[snapped]
    order = np.argsort(node, kind="stable")
    counts = np.bincount(node, minlength=len(costs.start) - 1)
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    walks = np.concatenate((to_u, to_v))[order].astype(np.int32)
    return start, np.concatenate((snapped, snapped))[order], walks


def _frozen(counts: IntArray, facility: Int32Array, cm: Int32Array) -> SparseODMatrix:
    first = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    for array in (first, facility, cm):
        read_only(array)
    return SparseODMatrix(first, facility, cm)


def _in_threads(work: Callable[[int, int], None], rows: int, at_once: int = _ROWS_AT_ONCE) -> None:
    """Do pieces of work side by side (the kernels leave the GIL)."""
    step = max(1, min(at_once, -(-rows // thread_count())))
    pieces = [(begin, min(begin + step, rows)) for begin in range(0, rows, step)]
    map_side_by_side(lambda piece: work(*piece), pieces)
