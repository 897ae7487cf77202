"""Sites by mixed-integer programming (HiGHS) within a time limit: the best found with its bound.

Sites that provably stand in no better choice are left out before (by the prices of
`analysis.measures.siting_search`), never for being far. The model is the one that needs one row
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

from analysis.measures.siting_problem import SiteProblem
from analysis.measures.siting_search import Chosen, Prices, chosen_from, search
from analysis.quantities import Int32Array, IntArray

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
        return chosen_from(problem, found.sites, found.value, found.method)
    rest = problem.with_open(must.astype(np.int32)).of_sites(may)
    taken = problem.value(must.astype(np.int32))
    small = rest.joined()
    model = _model(small)
    budget = count - len(must)
    place = {int(site): k for k, site in enumerate(may)}
    known = [place[int(s)] for s in found.sites if int(s) in place][:budget]
    opened, bound = _most(model, small, budget, np.array(known, dtype=np.int64), time_limit_s)
    bound = taken + bound
    sites, value, method = found.sites, found.value, found.method
    if opened is not None:
        other = np.concatenate((must, may[opened])).astype(np.int32)
        if problem.value(other) > value:
            sites, value, method = other, problem.value(other), "exact"
    # a better choice lies among `may`, or there is none: the bound of the rest is the bound
    least = max(value, min(found.bound, bound))
    return chosen_from(problem, sites, least, method)


def best_sites(problem: SiteProblem, count: int, time_limit_s: float) -> Chosen:
    """The best `count` sites: at once by search, then HiGHS for what is left of the time."""
    started = time.perf_counter()
    found, prices = search(problem, count)
    left = time_limit_s - (time.perf_counter() - started)
    return improve(problem, count, found, prices, left)


def fewest(problem: SiteProblem, target: int, time_limit_s: float) -> tuple[Chosen, int]:
    """The fewest sites that gain at least `target`, and a number no fewer can be.

    Search gives a number; then one site less is tried, again and again, by search and by HiGHS,
    until it is proven impossible or the time is over.

    Source: Toregas et al. (1971) where the target is everyone that can be covered.
    """
    started = time.perf_counter()
    everyone = np.ones(problem.sites, dtype=np.bool_)
    from analysis.measures import siting_kernel as kernel

    order, gain = kernel.greedy(*problem.arrays, problem.sites, everyone)
    enough = int(np.searchsorted(np.cumsum(gain), target)) + 1
    best = chosen_from(problem, order[:enough], problem.value(order[:enough]), "greedy")
    at_least = 1
    while len(best.sites) > at_least:
        fewer = len(best.sites) - 1
        found, prices = search(problem, fewer)
        left = time_limit_s - (time.perf_counter() - started)
        if found.value < target <= found.bound and left > 0:
            found = _reach(problem, fewer, target, found, prices, left)
        if found.value >= target:
            best = found
            continue
        if found.bound < target:
            at_least = fewer + 1
            break
        at_least = _least_number(problem, target, fewer, prices, at_least)
        break
    return best, at_least


def _reach(
    problem: SiteProblem, count: int, target: int, found: Chosen, prices: Prices, left_s: float
) -> Chosen:
    """HiGHS asked only whether `count` sites reach the target: less is no answer."""
    aimed = Chosen(found.sites, found.gain, target - 1, found.bound, found.method)
    better = improve(problem, count, aimed, prices, left_s)
    if better.value >= target:
        return better
    return Chosen(found.sites, found.gain, found.value, better.bound, found.method)


def _least_number(
    problem: SiteProblem, target: int, upto: int, prices: Prices, at_least: int
) -> int:
    """The smallest number of sites whose bound does not rule the target out."""
    for count in range(upto, at_least - 1, -1):
        if min(prices.bound(count), problem.reachable) < target:
            return count + 1
        _, tighter = search(problem, count)
        if min(tighter.bound(count), prices.bound(count)) < target:
            return count + 1
    return at_least


def _model(problem: SiteProblem) -> _Model:
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


def _most(
    model: _Model, problem: SiteProblem, budget: int, known: IntArray, time_limit_s: float
) -> tuple[IntArray | None, int]:
    """Sites (indices) and the bound for `budget` of them; None when HiGHS found none in time."""
    import highspy

    ceiling = problem.reachable
    if budget <= 0 or model.levels == 0:
        return np.zeros(0, dtype=np.int64), 0
    scale = 10.0 ** max(0, math.floor(math.log10(max(1, ceiling))) - 7)
    solver = highspy.Highs()
    for name, setting in (
        ("output_flag", False),
        ("time_limit", float(time_limit_s)),
        ("mip_rel_gap", 0.0),
        ("mip_abs_gap", 0.9 / scale),
        ("random_seed", 1),
        ("threads", 1),
    ):
        solver.setOptionValue(name, setting)
    solver.passModel(_lp(highspy, model, budget, scale))
    solver.setSolution(_start(highspy, model, problem, known))
    solver.run()
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


def _start(highspy: Any, model: _Model, problem: SiteProblem, known: IntArray) -> Any:
    """The warm start: the sites found before and what they make of every level."""
    now = problem.base.copy()
    for j in known:
        rows = slice(int(problem.start[j]), int(problem.start[j + 1]))
        np.minimum.at(now, problem.cell[rows], problem.cost[rows])
    sites = np.zeros(model.sites)
    sites[known] = 1.0
    levels = (now[model.level_cell] <= model.level_cost).astype(np.float64)
    solution = highspy.HighsSolution()
    solution.col_value = np.concatenate((sites, levels)).tolist()
    solution.value_valid = True
    return solution


def as_sites(indices: IntArray) -> Int32Array:
    """Indices as the kernels take them."""
    return np.asarray(indices, dtype=np.int32)
