"""Choosing sites among persons and walks: held against every choice on many small questions."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from lifecircle.analysis.access.sites import SiteWalks
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.flow_model import FlowModel
from lifecircle.analysis.measures.siting import kernel
from lifecircle.analysis.measures.siting.capacitated_model import CapacitatedModel, assign
from lifecircle.analysis.measures.siting.capacitated_search import choose
from lifecircle.analysis.measures.siting.capacitated_search import find_fewest as fewest_full
from lifecircle.analysis.measures.siting.exact import best_sites, find_fewest
from lifecircle.analysis.measures.siting.problem import (
    SiteProblem,
    pose_maximal_covering,
    pose_p_median,
)
from lifecircle.analysis.measures.siting.search import greedy_curve, price_cells, search

QUESTIONS = 400
FULL_QUESTIONS = 60


def random_question(rng: np.random.Generator, *, cover: bool) -> SiteProblem:
    cells, sites = int(rng.integers(1, 12)), int(rng.integers(1, 9))
    persons = rng.integers(0, 50, cells).astype(np.int64)
    near = rng.random((sites, cells)) < rng.uniform(0.1, 0.7)
    site, cell = np.nonzero(near)
    cm = rng.integers(0, 100, len(cell)).astype(np.int32)
    start = np.searchsorted(site, np.arange(sites + 1)).astype(np.int64)
    walks = SiteWalks(start, cell.astype(np.int32), cm)
    if cover:
        return pose_maximal_covering(persons, rng.random(cells) < 0.2, walks)
    return pose_p_median(persons, rng.integers(1, 100, cells).astype(np.int64), walks)


def test_only_what_improves_somebody_is_kept() -> None:
    rng = np.random.default_rng(5)
    for _ in range(QUESTIONS):
        cells, sites = int(rng.integers(1, 12)), int(rng.integers(0, 9))
        near = rng.random((sites, cells)) < 0.5
        site, cell = np.nonzero(near)
        cost, base = rng.integers(0, 9, len(cell)), rng.integers(0, 9, cells)
        weight = rng.integers(0, 3, cells)
        start = np.searchsorted(site, np.arange(sites + 1)).astype(np.int64)
        kept = kernel.improving(start, cell.astype(np.int32), cost, weight, base)
        wanted = [
            (int(j), int(i), int(by))
            for j, i, by in zip(site, cell, cost, strict=True)
            if by < base[i] and weight[i]
        ]
        owner = np.repeat(np.arange(sites), np.diff(kept[0]))
        assert list(zip(owner.tolist(), kept[1].tolist(), kept[2].tolist(), strict=True)) == wanted


def best_of_all(problem: SiteProblem, count: int) -> int:
    """Every choice of `count` sites, counted one by one."""
    best = 0
    for chosen in itertools.combinations(range(problem.sites), count):
        now = problem.base.copy()
        for j in chosen:
            for a in range(problem.start[j], problem.start[j + 1]):
                now[problem.cell[a]] = min(now[problem.cell[a]], problem.cost[a])
        best = max(best, int(((problem.base - now) * problem.weight).sum()))
    return best


@pytest.mark.parametrize("cover", [True, False], ids=["covering", "walking"])
def test_the_best_sites_are_the_best_of_all_choices(cover: bool) -> None:
    rng = np.random.default_rng(3)
    for _ in range(QUESTIONS):
        problem = random_question(rng, cover=cover)
        count = int(rng.integers(1, problem.sites + 1))
        best = best_of_all(problem, count)
        at_once, prices = search(problem, count)
        exact = best_sites(problem, count, 10)
        assert at_once.value <= best <= at_once.bound
        assert (exact.value, exact.bound, exact.proven) == (best, best, True)
        assert problem.value(exact.sites) == best == int(exact.gain.sum())
        assert len(exact.sites) <= count
        assert all(gain > 0 for gain in exact.gain)
        for other in range(1, problem.sites + 1):
            assert prices.bound(other) >= best_of_all(problem, other)


def test_the_fewest_sites_are_the_fewest_of_all_choices() -> None:
    rng = np.random.default_rng(4)
    for k in range(QUESTIONS):
        problem = random_question(rng, cover=True)
        if problem.reachable == 0:
            continue
        target = problem.reachable if k % 3 == 0 else int(rng.integers(1, problem.reachable + 1))
        want = next(n for n in range(1, problem.sites + 1) if best_of_all(problem, n) >= target)
        found, least = find_fewest(problem, target, 10)
        assert (len(found.sites), least) == (want, want)
        assert found.value >= target
        at_once, bound = find_fewest(problem, target, 0)
        assert bound <= want <= len(at_once.sites)
        assert at_once.value >= target


def test_greedy_adds_ever_less_and_starts_at_nothing() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        curve = greedy_curve(random_question(rng, cover=True), 99)
        assert curve[0] == 0
        steps = np.diff(curve)
        assert (steps > 0).all()
        assert (np.diff(steps) <= 0).all()


def test_greedy_takes_what_adds_most_and_of_equals_the_lower_site() -> None:
    rng = np.random.default_rng(6)
    for k in range(100):
        problem = random_question(rng, cover=k % 2 == 0)
        problem = replace(problem, weight=problem.weight // 20)  # many are equal
        allowed = rng.random(problem.sites) < 0.8
        order, gain = kernel.greedy(*problem.arrays, problem.sites, allowed)
        now, chosen = 0, list[int]()
        while True:
            worth = [
                problem.value(np.array([*chosen, j], np.int32)) - now if allowed[j] else 0
                for j in range(problem.sites)
            ]
            if max(worth) == 0:
                break
            assert gain[len(chosen)] == max(worth)
            chosen.append(worth.index(max(worth)))
            now += max(worth)
        assert order.tolist() == chosen


def test_sites_left_out_stand_in_no_better_choice() -> None:
    rng = np.random.default_rng(6)
    for _ in range(100):
        problem = random_question(rng, cover=True)
        count = int(rng.integers(1, problem.sites + 1))
        worse = best_of_all(problem, count) - 1  # so that better choices exist
        must, may = price_cells(problem, count, worse).open_question(count, worse)
        better = [
            set(chosen)
            for chosen in itertools.combinations(range(problem.sites), count)
            if problem.value(np.array(chosen, dtype=np.int32)) > worse
        ]
        for chosen in better:
            assert set(must.tolist()) <= chosen <= set(must.tolist()) | set(may.tolist())


def test_two_sites_at_one_place_are_not_both_taken() -> None:
    walks = SiteWalks(np.array([0, 1, 2, 3]), np.array([0, 0, 1], np.int32), np.zeros(3, np.int32))
    problem = pose_maximal_covering(np.array([90, 10]), np.zeros(2, dtype=bool), walks)
    found = best_sites(problem, 2, 0)
    assert found.sites.tolist() == [0, 2]
    assert found.value == 100
    assert best_sites(problem, 3, 0).sites.tolist() == [0, 2]


def test_no_site_helps() -> None:
    walks = SiteWalks(np.array([0, 0]), np.zeros(0, np.int32), np.zeros(0, np.int32))
    problem = pose_maximal_covering(np.array([5]), np.zeros(1, dtype=bool), walks)
    found = best_sites(problem, 1, 1)
    assert (len(found.sites), found.value, found.bound) == (0, 0, 0)


# ---- places that can be full -----------------------------------------------------------------


def capacitated(
    persons: Any, minimum: Any, maximum: Any, standing: int, pairs: tuple[Any, Any, Any]
) -> CapacitatedModel:
    """Persons, bounds and pairs (cell, place, cm) as a model; the first `standing` places exist."""
    flow = FlowModel(
        np.asarray(persons, dtype=np.int64),
        Arcs.from_pairs(len(persons), *(np.asarray(part, dtype=np.int32) for part in pairs)),
        np.asarray(minimum, dtype=np.int64),
        np.asarray(maximum, dtype=np.int64),
    )
    return CapacitatedModel(flow, standing)


def random_loads(rng: np.random.Generator) -> CapacitatedModel:
    cells, standing, sites = (int(rng.integers(a, b)) for a, b in ((2, 9), (0, 3), (1, 4)))
    places = standing + sites
    maximum = rng.integers(0, 60, places).astype(np.int64)
    near = rng.random((cells, places)) < 0.6
    cell, place = np.nonzero(near)
    persons = rng.integers(0, 30, cells)
    minimum = maximum * rng.uniform(0, 1, places)
    cm = rng.integers(1, 1000, len(cell))
    return capacitated(persons, minimum, maximum, standing, (cell, place, cm))


def by_three_programs(model: CapacitatedModel, sites: tuple[int, ...]) -> tuple[int, int, int]:
    """Fewest unserved, then least underload, then least walking: three linear programs in turn."""
    everyone, arcs = model.flow.persons, model.flow.arcs
    is_open = model.is_open(np.array(sites, dtype=np.int64))
    pairs, places = np.flatnonzero(is_open[arcs.centre]), np.flatnonzero(is_open)
    total = int(everyone.sum())
    if len(places) == 0:
        return total, 0, 0
    x, s = len(pairs), len(places)
    rows, most = [], []
    for i, persons in enumerate(everyone):
        rows.append(np.concatenate((arcs.cell[pairs] == i, np.zeros(s))).astype(float))
        most.append(persons)
    for k, j in enumerate(places):
        mine = (arcs.centre[pairs] == j).astype(float)
        rows.append(np.concatenate((mine, np.zeros(s))))
        most.append(model.flow.maximum[j])
        rows.append(np.concatenate((-mine, -(np.arange(s) == k).astype(float))))
        most.append(-model.flow.minimum[j])
    aims = (
        np.concatenate((-np.ones(x), np.zeros(s))),
        np.concatenate((np.zeros(x), np.ones(s))),
        np.concatenate((arcs.cost[pairs].astype(float), np.zeros(s))),
    )
    found = []
    for aim in aims:
        told = linprog(aim, A_ub=np.array(rows), b_ub=np.array(most, dtype=float))
        assert told.status == 0
        found.append(round(told.fun))
        rows.append(aim)
        most.append(told.fun + 1e-7)
    return total + found[0], found[1], found[2]


def test_loads_and_sites_against_every_choice() -> None:
    rng = np.random.default_rng(7)
    for _ in range(FULL_QUESTIONS):
        model = random_loads(rng)
        everyone = model.flow.persons
        count = int(rng.integers(1, model.sites + 1))
        ranks = {}
        for size in range(count + 1):
            for sites in itertools.combinations(range(model.sites), size):
                loads = assign(model, np.array(sites, dtype=np.int64))
                assert loads.aims == by_three_programs(model, sites)
                assert loads.total_unserved + loads.load.sum() == everyone.sum()
                assert (loads.load <= model.flow.maximum).all()
                served = np.bincount(loads.cell, weights=loads.persons, minlength=len(everyone))
                assert (served <= everyone).all()
                ranks[sites] = loads.aims
        found = choose(model, count, 10)
        assert found.loads.aims == min(ranks.values())
        assert found.proven == 3
        assert found.bound == found.loads.total_unserved
        target = int(rng.integers(found.loads.total_unserved, everyone.sum() + 1))
        fewer, least = fewest_full(model, target, 10)
        want = min(len(sites) for sites, rank in ranks.items() if rank[0] <= target)
        assert (len(fewer.sites), least) == (want, want)


def test_a_place_that_holds_no_one_serves_no_one() -> None:
    model = capacitated([7], [0], [0], 1, ([0], [0], [0]))
    assert assign(model, np.zeros(0, dtype=np.int64)).aims == (7, 0, 0)


def test_a_floor_nobody_can_fill_is_told_as_underload() -> None:
    model = capacitated([7], [30], [100], 0, ([0], [0], [0]))
    found = choose(model, 1, 5)
    assert (found.loads.total_unserved, found.loads.underload, found.sites.tolist()) == (0, 23, [0])
