"""Sites by mixed-integer programming (HiGHS) within a time limit: the best found with its bound.

Sites that provably stand in no better choice are left out before (by the prices of
`analysis.measures.siting.search`), never for being far. The model is the one that needs one row
per distinct cost of a cell: z[i, l] = 1 where a chosen site serves cell i by its l-th cost or
better. Source: Cornuéjols, Nemhauser and Wolsey (1980); Elloumi (2010). HiGHS: Huangfu and Hall
(2018). A bound from HiGHS is floating point and holds to about one in a million.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lifecircle.analysis.measures.siting import kernel
from lifecircle.analysis.measures.siting.problem import SiteProblem
from lifecircle.analysis.measures.siting.search import (
    Chosen,
    Prices,
    order_sites,
    price_cells,
    search,
    swap_sites,
)
from lifecircle.analysis.quantities import FloatArray, IntArray

LARGEST: Final = 2_000_000  # pairs of cell and site beyond which HiGHS is not asked
_WHOLE: Final = 1e-6  # a floating-point bound this near a whole number is that number


@dataclass(frozen=True, slots=True)
class _Model:
    """Columns: the sites, then one z per level of each cell; rows ``z_l - z_(l-1) <= sites``."""

    profit: np.ndarray
    row_start: np.ndarray
    column: np.ndarray
    value: np.ndarray
    level_cell: np.ndarray
    level_cost: np.ndarray
    sites: int

    @property
    def levels(self) -> int:
        return len(self.level_cell)


def improve(
    problem: SiteProblem, count: int, found: Chosen, prices: Prices, time_limit_s: float
) -> Chosen:
    """The best `count` sites HiGHS finds in the time, or those found before, with a bound.

    `found` and `prices` are those of `search` on the same problem and count.
    """
    if found.proven or time_limit_s <= 0:
        return found
    must, may = prices.open_question(count, found.value)
    if len(must) > count or len(must) + len(may) < count:
        return order_sites(problem, found.sites, found.value, found.method)
    rest = problem.with_open(must.astype(np.int32)).keep_sites(may)
    taken = problem.value(must.astype(np.int32))
    if len(rest.cell) > LARGEST:
        return found
    small = rest.join_cells()
    model = _build_model(small)
    budget = count - len(must)
    place = {int(site): k for k, site in enumerate(may)}
    known = [place[int(s)] for s in found.sites if int(s) in place][:budget]
    opened, bound = _solve_model(
        model, small, budget, np.array(known, dtype=np.int64), time_limit_s
    )
    bound = taken + bound
    sites, value, method = found.sites, found.value, found.method
    if opened is not None:
        other = np.concatenate((must, may[opened])).astype(np.int32)
        if problem.value(other) > value:
            sites, value, method = other, problem.value(other), "exact"
    # a better choice lies among `may`, or there is none: the bound of the rest is the bound
    least = max(value, min(found.bound, bound))
    return order_sites(problem, sites, least, method)


def best_sites(problem: SiteProblem, count: int, time_limit_s: float) -> Chosen:
    """The best `count` sites: at once by search, then HiGHS for what is left of the time."""
    started = time.perf_counter()
    found, prices = search(problem, count)
    left = time_limit_s - (time.perf_counter() - started)
    return improve(problem, count, found, prices, left)


def find_fewest(problem: SiteProblem, target: int, time_limit_s: float) -> tuple[Chosen, int]:
    """The fewest sites that gain at least `target`, and a number no fewer can be.

    Greedy gives a number; then one site less is tried, again and again: by swaps, by search with
    its bound, by HiGHS, until it is proven impossible or the time is over.

    Source: Toregas et al. (1971) where the target is everyone that can be covered.
    """
    ends = time.perf_counter() + time_limit_s
    everyone = np.ones(problem.sites, dtype=np.bool_)
    order, gain = kernel.greedy(*problem.arrays, problem.sites, everyone)
    enough = int(np.searchsorted(np.cumsum(gain), target)) + 1
    best = order_sites(problem, order[:enough], problem.reachable, "greedy")
    best = _fewer_by_swaps(problem, target, best, ends)
    if target >= problem.reachable:
        best, least = cover_all(problem, best, ends)
        return best, least
    at_least = 1
    while len(best.sites) > at_least:
        fewer = len(best.sites) - 1
        found, prices = search(problem, fewer)
        left = ends - time.perf_counter()
        if found.value < target <= found.bound and left > 0:
            found = _reach(problem, fewer, target, found, prices, left)
        if found.value >= target:
            best = _fewer_by_swaps(problem, target, found, ends)
            if time.perf_counter() > ends and len(best.sites) > at_least:
                return best, _least_number(problem, target, len(best.sites), prices, ends)
        elif found.bound < target:
            return best, len(best.sites)
        else:
            return best, _least_number(problem, target, fewer, prices, ends)
    return best, at_least


def _fewer_by_swaps(problem: SiteProblem, target: int, best: Chosen, ends: float) -> Chosen:
    """One site less, and swaps, as long as the target holds."""
    while len(best.sites) > 1 and time.perf_counter() <= max(ends, 0.0):
        sites, value = swap_sites(problem, best.sites[:-1])
        if value < target:
            break
        best = order_sites(problem, sites, problem.reachable, "interchange")
    return best


def _reach(
    problem: SiteProblem, count: int, target: int, found: Chosen, prices: Prices, left_s: float
) -> Chosen:
    """HiGHS asked only whether `count` sites reach the target: less is no answer."""
    aimed = Chosen(found.sites, found.gain, target - 1, found.bound, found.method)
    better = improve(problem, count, aimed, prices, left_s)
    if better.value >= target:
        return better
    return Chosen(found.sites, found.gain, found.value, better.bound, found.method)


def _least_number(problem: SiteProblem, target: int, upto: int, prices: Prices, ends: float) -> int:
    """The smallest number of sites whose bound does not rule the target out."""
    ruled_out = 0
    while True:
        low = ruled_out + 1
        while low < upto and prices.bound(low) < target:
            low += 1
        ruled_out = low - 1
        if low >= upto or time.perf_counter() > ends:
            return low
        prices = price_cells(problem, low, min(target - 1, prices.bound(low)))
        if prices.bound(low) >= target:
            return low
        ruled_out = low


def cover_all(problem: SiteProblem, found: Chosen, ends: float) -> tuple[Chosen, int]:
    """The fewest sites that improve every cell any site improves (costs do not count).

    Every cell counts alike here, which makes the bound tight; then HiGHS on the cover itself.
    """
    import highspy

    alike = problem.join_cells()
    alike = SiteProblem(
        np.ones_like(alike.weight), np.ones_like(alike.base), alike.start, alike.cell,
        np.zeros_like(alike.cost),
    )  # fmt: skip
    everyone = len(alike.weight)
    if everyone == 0:
        return found, 0
    prices = price_cells(alike, len(found.sites) - 1, everyone - 1)
    least = _least_number(alike, everyone, len(found.sites), prices, ends)
    left = ends - time.perf_counter()
    if least >= len(found.sites) or left <= 0 or len(alike.cell) > LARGEST:
        return found, least
    owner = np.repeat(np.arange(alike.sites), np.diff(alike.start))
    order = np.argsort(alike.cell, kind="stable")
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = alike.sites, everyone
    lp.col_cost_ = np.ones(alike.sites)
    lp.col_lower_, lp.col_upper_ = np.zeros(alike.sites), np.ones(alike.sites)
    lp.row_lower_, lp.row_upper_ = np.ones(everyone), np.full(everyone, highspy.kHighsInf)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * alike.sites
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.searchsorted(alike.cell[order], np.arange(everyone + 1)).astype(
        np.int32
    )
    lp.a_matrix_.index_ = owner[order].astype(np.int32)
    lp.a_matrix_.value_ = np.ones(len(order))
    start = np.zeros(alike.sites)
    start[found.sites] = 1.0
    solver = run_highs(highspy, lp, 0.9, start, left)
    info = solver.getInfo()
    if math.isfinite(info.mip_dual_bound):
        least = max(least, math.ceil(info.mip_dual_bound - _WHOLE))
    if info.primal_solution_status == highspy.kSolutionStatusFeasible:
        opened = np.flatnonzero(np.asarray(solver.getSolution().col_value) > 0.5)
        if len(opened) < len(found.sites):
            best = order_sites(problem, opened.astype(np.int32), problem.reachable, "exact")
            if best.value == problem.reachable:
                found = best
    return found, min(least, len(found.sites))


def _build_model(problem: SiteProblem) -> _Model:
    owner = np.repeat(np.arange(problem.sites), np.diff(problem.start))
    order = np.lexsort((owner, problem.cost, problem.cell))
    cell, cost, site = problem.cell[order], problem.cost[order], owner[order]
    new = np.ones(len(cell), dtype=bool)
    new[1:] = (cell[1:] != cell[:-1]) | (cost[1:] != cost[:-1])
    level = np.cumsum(new) - 1
    begins = np.flatnonzero(new)
    level_cell, level_cost = cell[begins], cost[begins]
    levels = len(begins)
    follows = np.zeros(levels, dtype=bool)
    follows[1:] = level_cell[1:] == level_cell[:-1]
    step = problem.base[level_cell] - level_cost
    step[:-1][follows[1:]] = level_cost[1:][follows[1:]] - level_cost[:-1][follows[1:]]
    z = problem.sites + np.arange(levels)
    rows = np.concatenate((np.arange(levels), np.flatnonzero(follows), level))
    columns = np.concatenate((z, z[:-1][follows[1:]], site))
    values = np.concatenate((np.ones(levels), -np.ones(int(follows.sum())), -np.ones(len(site))))
    by_row = np.argsort(rows, kind="stable")
    start = np.searchsorted(rows[by_row], np.arange(levels + 1))
    return _Model(
        (problem.weight[level_cell] * step).astype(np.float64),
        start,
        columns[by_row],
        values[by_row],
        level_cell,
        level_cost,
        problem.sites,
    )


def _solve_model(
    model: _Model, problem: SiteProblem, budget: int, known: IntArray, time_limit_s: float
) -> tuple[IntArray | None, int]:
    """Sites (indices) and the bound for `budget` of them; None when HiGHS found none in time."""
    import highspy

    ceiling = problem.reachable
    if budget <= 0 or model.levels == 0:
        return np.zeros(0, dtype=np.int64), 0
    scale = 10.0 ** max(0, math.floor(math.log10(max(1, ceiling))) - 7)
    lp = _lp(highspy, model, budget, scale)
    start = _start(model, problem, known)
    solver = run_highs(highspy, lp, 0.9 / scale, start, time_limit_s)
    info = solver.getInfo()
    bound = ceiling
    if math.isfinite(info.mip_dual_bound):
        told = info.mip_dual_bound * scale
        bound = min(ceiling, math.floor(told + max(_WHOLE * abs(told), _WHOLE)))
    if info.primal_solution_status != highspy.kSolutionStatusFeasible:
        return None, bound
    values = np.asarray(solver.getSolution().col_value)[: model.sites]
    opened = np.flatnonzero(values > 0.5)
    value = problem.value(opened.astype(np.int32))
    if solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
        bound = value if bound - value <= max(1.0, _WHOLE * value) else bound
    return opened, max(bound, value)


def _lp(highspy: Any, model: _Model, budget: int, scale: float) -> Any:
    columns = model.sites + model.levels
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = columns, model.levels + 1
    lp.col_cost_ = np.concatenate((np.zeros(model.sites), model.profit / scale))
    lp.col_lower_, lp.col_upper_ = np.zeros(columns), np.ones(columns)
    lp.row_lower_ = np.full(model.levels + 1, -highspy.kHighsInf)
    lp.row_upper_ = np.concatenate((np.zeros(model.levels), [float(budget)]))
    lp.sense_ = highspy.ObjSense.kMaximize
    whole, any_ = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    lp.integrality_ = [whole] * model.sites + [any_] * model.levels
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    last = int(model.row_start[-1])
    lp.a_matrix_.start_ = np.concatenate((model.row_start, [last + model.sites])).astype(np.int32)
    lp.a_matrix_.index_ = np.concatenate((model.column, np.arange(model.sites))).astype(np.int32)
    lp.a_matrix_.value_ = np.concatenate((model.value, np.ones(model.sites)))
    return lp


def _start(model: _Model, problem: SiteProblem, known: IntArray) -> FloatArray:
    """The warm start: the sites found before and what they make of every level."""
    now = problem.base.copy()
    for j in known:
        rows = slice(int(problem.start[j]), int(problem.start[j + 1]))
        np.minimum.at(now, problem.cell[rows], problem.cost[rows])
    sites = np.zeros(model.sites)
    sites[known] = 1.0
    levels = (now[model.level_cell] <= model.level_cost).astype(np.float64)
    return np.concatenate((sites, levels))


def run_highs(highspy: Any, lp: Any, gap: float, start: FloatArray, time_limit_s: float) -> Any:
    """HiGHS after its run on a model: one thread and one seed, so that equal questions agree.

    `start`: values of the first columns, HiGHS finds the others.
    """
    solver = highspy.Highs()
    for name, setting in (
        ("output_flag", False),
        ("time_limit", float(time_limit_s)),
        ("mip_rel_gap", 0.0),
        ("mip_abs_gap", gap),
        ("random_seed", 1),
        ("threads", 1),
    ):
        solver.setOptionValue(name, setting)
    solver.passModel(lp)
    solver.setSolution(len(start), np.arange(len(start), dtype=np.int32), start)
    solver.run()
    return solver
