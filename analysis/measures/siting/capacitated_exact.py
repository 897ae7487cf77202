"""The flow model with open or closed sites as mixed-integer programs (HiGHS), one aim at a time.

x_ij persons of a group of cells at a place, y_j 1 where a site is open, s_j what a place lacks of
its minimum: x_ij <= y_j, load_j <= max_j y_j, load_j >= min_j y_j - s_j. Each program holds the
aims before its own at their best. A bound from HiGHS is floating point and holds to about one in
a million.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from lifecircle.analysis.measures.catchments.flow_model import FlowModel
from lifecircle.analysis.measures.siting.capacitated_model import CapacitatedModel
from lifecircle.analysis.measures.siting.exact import run_highs
from lifecircle.analysis.quantities import IntArray

LARGEST: Final = 150_000  # pairs beyond which HiGHS is not asked
_WHOLE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class PairGroups:
    """The pairs of the model: cells with the same pairs are one group with their persons."""

    persons: IntArray
    group: IntArray
    place: IntArray
    cm: IntArray

    @classmethod
    def join(cls, flow: FlowModel, *, by_walk: bool) -> PairGroups:
        """Cells that may go to the same places (`by_walk`: by the same walks) taken as one."""
        keep = flow.persons[flow.arcs.cell] > 0
        cell, place = flow.arcs.cell[keep], flow.arcs.centre[keep].astype(np.int64)
        cm = flow.arcs.cost[keep] if by_walk else np.zeros(len(cell), dtype=np.int64)
        cells, first = np.unique(cell, return_index=True)
        last = np.append(first[1:], len(cell))
        number: dict[tuple[bytes, bytes], int] = {}
        persons: list[int] = []
        rows: list[tuple[int, int]] = []
        for i, a, b in zip(cells.tolist(), first.tolist(), last.tolist(), strict=True):
            key = (place[a:b].tobytes(), cm[a:b].tobytes())
            k = number.setdefault(key, len(number))
            if k == len(persons):
                persons.append(0)
                rows.append((a, b))
            persons[k] += int(flow.persons[i])
        size = [b - a for a, b in rows]
        take = np.concatenate([np.arange(a, b) for a, b in rows] or [np.zeros(0, dtype=np.int64)])
        group = np.repeat(np.arange(len(rows)), size)
        return cls(np.array(persons, dtype=np.int64), group, place[take], cm[take])


def solve_stage(
    model: CapacitatedModel,
    pairs: PairGroups,
    count: int,
    held: list[int],
    known: IntArray,
    time_limit_s: float,
) -> tuple[IntArray | None, int]:
    """Sites and the lower bound of one aim, the next after those `held` at their best.

    `known`: the sites found before, the start. None: HiGHS found no choice in the time.
    """
    import highspy

    sites, places, stage = model.sites, len(model.flow.maximum), len(held)
    columns = sites + places + len(pairs.group)  # y, s, x
    x = np.arange(sites + places, columns)
    cost = np.zeros(columns)
    scale = 1.0
    if stage == 0:
        cost[x] = -1.0
    elif stage == 1:
        cost[sites : sites + places] = 1.0
    else:
        scale = 10.0 ** max(0, math.floor(math.log10(max(1.0, float(pairs.cm.max(initial=1))))))
        cost[x] = pairs.cm / scale
    lp = _linear_program(highspy, _constraints(model, pairs, x, count, held), cost)
    whole, any_ = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    lp.col_upper_ = np.concatenate((np.ones(sites), np.full(columns - sites, np.inf)))
    lp.integrality_ = [whole] * sites + [any_] * (columns - sites)
    start = np.zeros(sites)
    start[known] = 1.0
    solver = run_highs(highspy, lp, 0.9 if scale == 1.0 else 0.0, start, time_limit_s)
    info = solver.getInfo()
    told = info.mip_dual_bound * scale
    offset = int(model.flow.persons.sum()) if stage == 0 else 0
    bound = 0
    if math.isfinite(told):
        bound = max(0, math.ceil(offset + told - max(_WHOLE * abs(told), _WHOLE)))
    if info.primal_solution_status != highspy.kSolutionStatusFeasible:
        return None, bound
    values = np.asarray(solver.getSolution().col_value)[:sites]
    return np.flatnonzero(values > 0.5), bound


@dataclass(slots=True)
class _Rows:
    """Rows of a linear program as they are put together: `low` ≤ Σ value · column ≤ `high`."""

    held: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    low: list[np.ndarray] = field(default_factory=list)
    high: list[np.ndarray] = field(default_factory=list)
    count: int = 0

    def add(self, row: np.ndarray, column: np.ndarray, value: np.ndarray) -> None:
        """Entries of the block that is open; `row` counts from its first row."""
        self.held.append((self.count + row, column, value))

    def close(self, lower: np.ndarray, upper: np.ndarray) -> None:
        """The bounds of the open block's rows (r,); the next block begins."""
        self.low.append(np.asarray(lower, dtype=np.float64))
        self.high.append(np.asarray(upper, dtype=np.float64))
        self.count += len(self.low[-1])

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row, column and value of every entry (e,), by row."""
        row, column, value = (np.concatenate(part) for part in zip(*self.held, strict=True))
        order = np.argsort(row, kind="stable")
        return row[order], column[order], value[order]


def _constraints(
    model: CapacitatedModel, pairs: PairGroups, x: IntArray, count: int, held: list[int]
) -> _Rows:
    """Persons, maxima, floors, opened sites, their number, and the aims held; `x`: flow columns."""
    sites, standing, flow = model.sites, model.standing, model.flow
    places, groups = len(flow.maximum), len(pairs.persons)
    rows, inf, ones, y = _Rows(), np.inf, np.ones(len(x)), np.arange(sites)
    rows.add(pairs.group, x, ones)
    rows.close(np.full(groups, -inf), pairs.persons.astype(np.float64))
    site_rows = standing + np.arange(sites)
    rows.add(pairs.place, x, ones)
    rows.add(site_rows, y, -flow.maximum[site_rows].astype(np.float64))
    upper = flow.maximum.astype(np.float64)
    upper[standing:] = 0
    rows.close(np.full(places, -inf), upper)
    floor = flow.minimum.astype(np.float64)
    rows.add(pairs.place, x, ones)
    rows.add(np.arange(places), sites + np.arange(places), np.ones(places))
    rows.add(site_rows, y, -floor[site_rows])
    lower = floor.copy()
    lower[standing:] = 0
    rows.close(lower, np.full(places, inf))
    linked = np.flatnonzero(pairs.place >= standing)
    most = np.minimum(pairs.persons[pairs.group[linked]], flow.maximum[pairs.place[linked]])
    row = np.arange(len(linked))
    rows.add(row, x[linked], np.ones(len(linked)))
    rows.add(row, pairs.place[linked] - standing, -most.astype(np.float64))
    rows.close(np.full(len(linked), -inf), np.zeros(len(linked)))
    rows.add(np.zeros(sites, dtype=np.int64), y, np.ones(sites))
    rows.close(np.zeros(1), np.array([float(count)]))
    if held:
        rows.add(np.zeros(len(x), dtype=np.int64), x, ones)
        rows.close(np.array([float(int(flow.persons.sum()) - held[0])]), np.array([inf]))
    if len(held) > 1:
        rows.add(np.zeros(places, dtype=np.int64), sites + np.arange(places), np.ones(places))
        rows.close(np.array([-inf]), np.array([float(held[1])]))
    return rows


def _linear_program(highspy: Any, rows: _Rows, cost: np.ndarray) -> Any:
    """The rows and the aim as HiGHS takes them; columns are not negative."""
    row, column, value = rows.entries()
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cost), rows.count
    lp.col_cost_, lp.col_lower_ = cost, np.zeros(len(cost))
    lp.row_lower_, lp.row_upper_ = np.concatenate(rows.low), np.concatenate(rows.high)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.searchsorted(row, np.arange(rows.count + 1)).astype(np.int32)
    lp.a_matrix_.index_ = column.astype(np.int32)
    lp.a_matrix_.value_ = value
    return lp
