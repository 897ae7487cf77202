"""Sites where places can be full: at most k, fewest unserved, then least underload, then walks.

Greedy and interchange on exact loads, then HiGHS on the whole question within a time limit, with
what was found as its start and its own bound on the residents left unserved.
Source: Current and Storbeck (1988); Balakrishnan and Storbeck (1991), floors.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from lifecircle.analysis.access.sites import SiteWalks
from lifecircle.analysis.measures.siting.capacitated_flow import LoadProblem, Loads, assign
from lifecircle.analysis.measures.siting.exact import solved
from lifecircle.analysis.measures.siting.problem import covering
from lifecircle.analysis.measures.siting.search import search
from lifecircle.analysis.quantities import IntArray

TRIED: Final = 12  # sites looked at exactly in each step, the most promising by a quick estimate
LARGEST: Final = 150_000  # pairs beyond which HiGHS is not asked
_WHOLE: Final = 1e-6
_STAGES: Final = ("unserved", "underload", "person_cm")


@dataclass(frozen=True, slots=True)
class CapacityChoice:
    """Sites (indices, in the order found), their loads, and what is proven.

    `bound`: no choice of as many sites leaves fewer unserved. `proven` counts how many of the
    three aims (unserved, underload, walks) are shown to be the best possible, one after another.
    """

    sites: IntArray
    loads: Loads
    bound: int
    proven: int
    method: str

    @property
    def gap(self) -> float:
        """Unserved above the bound, as a share of the unserved; 0 when proven."""
        unserved = self.loads.unserved
        return 0.0 if unserved == 0 else (unserved - self.bound) / unserved


def choose(problem: LoadProblem, count: int, time_limit_s: float) -> CapacityChoice:
    """At most `count` sites; the best found with its bound."""
    ends = time.perf_counter() + time_limit_s
    sites, loads = _greedy(problem, count, None)
    widest, floor = _by_reach(problem, count)
    method = "greedy"
    if (other := assign(problem, widest)).rank < loads.rank:
        sites, loads, method = widest, other, "interchange"
    swapped, better = _interchange(problem, sites, loads, ends)
    if better.rank < loads.rank:
        method = "interchange"
    found = CapacityChoice(swapped, better, floor, 0, method)
    return _exact(problem, count, found, ends)


def fewest(
    problem: LoadProblem, most_unserved: int, time_limit_s: float
) -> tuple[CapacityChoice, int]:
    """The fewest sites that leave at most so many unserved, and a number no fewer can be."""
    ends = time.perf_counter() + time_limit_s
    sites, loads = _greedy(problem, problem.sites, most_unserved)
    best = CapacityChoice(sites, loads, _by_reach(problem, len(sites))[1], 0, "greedy")
    at_least = 0 if assign(problem, np.zeros(0, dtype=np.int64)).unserved <= most_unserved else 1
    while len(best.sites) > at_least and best.loads.unserved <= most_unserved:
        left = ends - time.perf_counter()
        if left <= 0:
            break
        tried = choose(problem, len(best.sites) - 1, left)
        if tried.loads.unserved <= most_unserved:
            best = tried
        elif tried.bound > most_unserved:
            at_least = len(best.sites)
        else:
            break
    return best, at_least


def _by_reach(problem: LoadProblem, count: int) -> tuple[IntArray, int]:
    """Sites that reach most residents, and a number of unserved that no `count` sites go below.

    Each site serves at most its maximum, and all of them at most whom they reach.
    """
    none = assign(problem, np.zeros(0, dtype=np.int64)).unserved
    room = np.sort(problem.maximum[problem.standing :])[::-1][:count]
    standing = (problem.place < problem.standing) & (problem.maximum[problem.place] > 0)
    near = np.zeros(len(problem.persons), dtype=np.bool_)
    near[problem.cell[standing]] = True
    new = np.flatnonzero(problem.place >= problem.standing)
    new = new[problem.maximum[problem.place[new]] > 0]
    order = new[np.lexsort((problem.cell[new], problem.place[new]))]
    walks = SiteWalks(
        np.searchsorted(
            problem.place[order] - problem.standing, np.arange(problem.sites + 1)
        ).astype(np.int64),
        problem.cell[order],
        problem.cm[order],
    )
    cover = covering(problem.persons, near, walks)
    lost = int(problem.persons[~near].sum())
    if count == 0 or problem.sites == 0:
        return np.zeros(0, dtype=np.int64), max(0, none)
    found, _ = search(cover, count)
    return found.sites.astype(np.int64), max(0, none - int(room.sum()), lost - found.bound)


def _greedy(problem: LoadProblem, count: int, enough: int | None) -> tuple[IntArray, Loads]:
    sites: list[int] = []
    loads = assign(problem, np.zeros(0, dtype=np.int64))
    while len(sites) < count and (enough is None or loads.unserved > enough):
        best: tuple[Loads, int] | None = None
        for site in _promising(problem, loads, sites):
            tried = assign(problem, np.array([*sites, site]))
            if tried.unserved < loads.unserved and (best is None or tried.rank < best[0].rank):
                best = (tried, int(site))
        if best is None:
            break
        loads = best[0]
        sites.append(best[1])
    return np.array(sites, dtype=np.int64), loads


def _promising(problem: LoadProblem, loads: Loads, taken: list[int]) -> IntArray:
    """Sites by an estimate of whom they would serve besides: at most `TRIED` of them.

    A site serves the unserved near it, and makes room in full places near it for theirs.
    """
    served = np.bincount(problem.cell, weights=loads.flow, minlength=len(problem.persons))
    unserved = problem.persons - served
    lacking = np.bincount(
        problem.place, weights=unserved[problem.cell], minlength=len(problem.maximum)
    )
    gain = lacking.copy()
    full = (loads.load >= problem.maximum) & (lacking > 0)
    moving = np.flatnonzero((loads.flow > 0) & full[problem.place])
    room = np.zeros(len(problem.persons))
    np.add.at(
        room,
        problem.cell[moving],
        np.minimum(loads.flow[moving], lacking[problem.place[moving]]),
    )
    gain += np.bincount(problem.place, weights=room[problem.cell], minlength=len(gain))
    gain = np.minimum(gain, problem.maximum)[problem.standing :]
    gain[taken] = 0
    order = np.argsort(-gain, kind="stable")
    return order[gain[order] > 0][:TRIED]


def _interchange(
    problem: LoadProblem, sites: IntArray, loads: Loads, ends: float
) -> tuple[IntArray, Loads]:
    """Swap, or leave out, one site while that is better and there is time."""
    improved = True
    while improved and len(sites):
        improved = False
        for k in range(len(sites)):
            rest = np.delete(sites, k)
            without = assign(problem, rest)
            options = [rest] if without.rank < loads.rank else []
            options += [
                np.insert(rest, k, site)
                for site in _promising(problem, without, rest.tolist())
                if site != sites[k]
            ]
            for tried in options:
                if time.perf_counter() > ends:
                    return sites, loads
                found = assign(problem, tried)
                if found.rank < loads.rank:
                    sites, loads, improved = tried, found, True
            if improved:
                break
    return sites, loads


@dataclass(frozen=True, slots=True)
class _Joined:
    """The pairs of the model: cells with the same pairs are one group with their persons."""

    persons: IntArray
    group: IntArray
    place: IntArray
    cm: IntArray


def _joined(problem: LoadProblem, *, by_walk: bool) -> _Joined:
    order = np.lexsort((problem.place, problem.cell))
    cell, place = problem.cell[order], problem.place[order].astype(np.int64)
    cm = problem.cm[order].astype(np.int64) if by_walk else np.zeros(len(cell), dtype=np.int64)
    keep = problem.persons[cell] > 0
    cell, place, cm = cell[keep], place[keep], cm[keep]
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
        persons[k] += int(problem.persons[i])
    size = [b - a for a, b in rows]
    take = np.concatenate([np.arange(a, b) for a, b in rows] or [np.zeros(0, dtype=np.int64)])
    group = np.repeat(np.arange(len(rows)), size)
    return _Joined(np.array(persons, dtype=np.int64), group, place[take], cm[take])


def _exact(problem: LoadProblem, count: int, found: CapacityChoice, ends: float) -> CapacityChoice:
    """HiGHS on the three aims in turn, each with those before held at their best."""
    if found.loads.unserved <= found.bound:
        found = replace(found, proven=1)
    held: list[int] = []
    for stage, name in enumerate(_STAGES):
        left = ends - time.perf_counter()
        if left <= 0 or count == 0 or problem.sites == 0:
            break
        if found.proven > stage:
            held.append(found.loads.rank[stage])
            continue
        joined = _joined(problem, by_walk=name == "person_cm")
        if len(joined.group) > LARGEST:
            break
        sites, bound = _mip(problem, joined, count, stage, held, found.sites, left)
        if sites is not None:
            loads = assign(problem, sites)
            if loads.rank < found.loads.rank:
                found = replace(found, sites=sites, loads=loads, method="exact")
        if stage == 0:
            found = replace(found, bound=min(found.loads.unserved, max(found.bound, bound)))
        value = found.loads.rank[stage]
        if bound < value - max(0, int(_WHOLE * value)):
            break
        held.append(value)
        found = replace(found, proven=stage + 1)
    return found


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
    problem: LoadProblem, joined: _Joined, x: IntArray, count: int, stage: int, held: list[int]
) -> _Rows:
    """Persons, maxima, floors, opened sites, their number, and the aims held; `x`: flow columns."""
    sites, places, pairs = problem.sites, len(problem.maximum), len(joined.group)
    rows, inf = _Rows(), np.inf
    total = int(problem.persons.sum())
    new = joined.place >= problem.standing
    groups = len(joined.persons)
    rows.add(joined.group, x, np.ones(pairs))
    rows.close(np.full(groups, -inf), joined.persons.astype(np.float64))
    site_rows = problem.standing + np.arange(sites)
    y = np.arange(sites)
    rows.add(joined.place, x, np.ones(pairs))
    rows.add(site_rows, y, -problem.maximum[site_rows].astype(np.float64))
    upper = problem.maximum.astype(np.float64)
    upper[problem.standing :] = 0
    rows.close(np.full(places, -inf), upper)
    floor = np.minimum(problem.minimum, np.iinfo(np.int64).max).astype(np.float64)
    rows.add(joined.place, x, np.ones(pairs))
    rows.add(np.arange(places), sites + np.arange(places), np.ones(places))
    rows.add(site_rows, y, -floor[site_rows])
    lower = floor.copy()
    lower[problem.standing :] = 0
    rows.close(lower, np.full(places, inf))
    linked = np.flatnonzero(new)
    most = np.minimum(joined.persons[joined.group[linked]], problem.maximum[joined.place[linked]])
    rows.add(np.arange(len(linked)), x[linked], np.ones(len(linked)))
    rows.add(
        np.arange(len(linked)), joined.place[linked] - problem.standing, -most.astype(np.float64)
    )
    rows.close(np.full(len(linked), -inf), np.zeros(len(linked)))
    rows.add(np.zeros(sites, dtype=np.int64), y, np.ones(sites))
    rows.close(np.zeros(1), np.array([float(count)]))
    if stage > 0:
        rows.add(np.zeros(pairs, dtype=np.int64), x, np.ones(pairs))
        rows.close(np.array([float(total - held[0])]), np.array([inf]))
    if stage > 1:
        rows.add(np.zeros(places, dtype=np.int64), sites + np.arange(places), np.ones(places))
        rows.close(np.array([-inf]), np.array([float(held[1])]))
    return rows


def _mip(
    problem: LoadProblem,
    joined: _Joined,
    count: int,
    stage: int,
    held: list[int],
    known: IntArray,
    time_limit_s: float,
) -> tuple[IntArray | None, int]:
    """Sites and the lower bound of one aim; columns: sites y, short s (n), flows x."""
    import highspy

    sites, places, pairs = problem.sites, len(problem.maximum), len(joined.group)
    columns = sites + places + pairs
    x = sites + places + np.arange(pairs)
    total = int(problem.persons.sum())
    rows = _constraints(problem, joined, x, count, stage, held)
    cost = np.zeros(columns)
    scale = 1.0
    if stage == 0:
        cost[x] = -1.0
    elif stage == 1:
        cost[sites : sites + places] = 1.0
    else:
        scale = 10.0 ** max(0, math.floor(math.log10(max(1.0, float(joined.cm.max(initial=1))))))
        cost[x] = joined.cm / scale
    row, column, value = rows.entries()
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = columns, rows.count
    lp.col_cost_, lp.col_lower_ = cost, np.zeros(columns)
    lp.col_upper_ = np.concatenate((np.ones(sites), np.full(places + pairs, np.inf)))
    lp.row_lower_, lp.row_upper_ = np.concatenate(rows.low), np.concatenate(rows.high)
    whole, any_ = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    lp.integrality_ = [whole] * sites + [any_] * (places + pairs)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.searchsorted(row, np.arange(rows.count + 1)).astype(np.int32)
    lp.a_matrix_.index_ = column.astype(np.int32)
    lp.a_matrix_.value_ = value
    return _run(highspy, lp, sites, known, stage, total, scale, time_limit_s)


def _run(
    highspy: Any,
    lp: Any,
    sites: int,
    known: IntArray,
    stage: int,
    total: int,
    scale: float,
    time_limit_s: float,
) -> tuple[IntArray | None, int]:
    start = np.zeros(sites)
    start[known] = 1.0
    solver = solved(highspy, lp, 0.9 if scale == 1.0 else 0.0, start, time_limit_s)
    info = solver.getInfo()
    told = info.mip_dual_bound * scale
    offset = total if stage == 0 else 0
    bound = 0
    if math.isfinite(told):
        bound = max(0, math.ceil(offset + told - max(_WHOLE * abs(told), _WHOLE)))
    if info.primal_solution_status != highspy.kSolutionStatusFeasible:
        return None, bound
    values = np.asarray(solver.getSolution().col_value)[:sites]
    return np.flatnonzero(values > 0.5), bound
