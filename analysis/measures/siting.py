"""Where the next places go: existing ones stay, new ones are chosen among candidates.

::

    city, question, sites ──► walks (who gains by which site) ──► solver (persons and walks only)
                                                              └─► proposals, each counted again
                                                                  by the ordinary travel code

Source: DEFINITIONS (Catchments, siting); Church and ReVelle (1974), Hakimi (1964), Toregas et
al. (1971).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

import numpy as np

from analysis.access.matrix import walks_within
from analysis.access.sites import CellsOnEdges, SiteWalks, walks_by_site, walks_improved
from analysis.access.travel import (
    NodeField,
    TravelTable,
    goals_of,
    nearest_from_nodes,
    nearest_from_positions,
    service_attachments,
)
from analysis.access.walking import WalkCosts
from analysis.city.attach import Attachments
from analysis.city.model import City
from analysis.city.snap import Positions
from analysis.errors import ParameterError, Warn
from analysis.measures.question import (
    Question,
    ask,
    default_level,
    named,
    unknown_units,
    walks_to,
)
from analysis.measures.siting_exact import best_sites, fewest
from analysis.measures.siting_problem import SiteProblem, covering, walking
from analysis.measures.siting_search import greedy_curve
from analysis.measures.siting_sites import Sites
from analysis.policy import Policy
from analysis.quantities import (
    NOBODY,
    SECONDS_PER_MINUTE,
    UNREACHED_CM,
    BoolArray,
    Int32Array,
    IntArray,
)

Objective = Literal["covered", "person_minutes", "all", "capacity"]
OBJECTIVES: Final[tuple[str, ...]] = get_args(Objective)
MOST_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Proposal:
    """One site, in the order of what each adds; persons are whole, `residents_new` is marginal.

    `residents_new`: covered with it and not with those before it. `residents_reached`: all within
    the limit of it. `person_minutes_saved`: by everyone who has a way both before and after.
    `load`: residents it would serve (objective capacity only).
    """

    site: int
    residents_new: int
    groups_new: Mapping[str, int]
    residents_reached: int
    person_minutes_saved: float
    unit_code: str | None
    unit_name: str | None
    load: int | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What capacities make of a choice: persons, per existing facility and per proposal.

    `existing` and `proposed`: (minimum, maximum, load) each.
    """

    unserved_before: int
    unserved: int
    reachable_full: int
    unreachable: int
    underload_before: int
    underload: int
    existing: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Siting:
    """Proposals of one question, what they change, and how sure it is that nothing is better.

    `value` and `bound` count what the objective counts: persons newly covered (covered, all),
    person-minutes saved (person_minutes), persons served (capacity), sites (a target or all:
    then `bound` <= `value`). `curve[k]` persons covered with k more sites, found one by one;
    `cell_cm_before`, `cell_cm_after` int32 (c,); `culprits` (cells that no candidate covers).
    """

    asked: Question
    objective: Objective
    add: int | None
    target: float | None
    sites: Sites
    proposals: tuple[Proposal, ...]
    residents: int
    covered_before: int
    covered_after: int
    coverable: int
    curve: IntArray
    value: float
    bound: float
    gap: float
    proven: bool
    method: str
    seconds: float
    loads: Loaded | None
    cell_cm_before: Int32Array
    cell_cm_after: Int32Array
    culprits: Int32Array
    warnings: tuple[Warn, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """All the solvers need of a city: the question, who walks how far now, who gains by whom."""

    city: City
    costs: WalkCosts
    asked: Question
    existing: Attachments
    sites: Sites
    persons: IntArray
    cell_cm: Int32Array
    node: NodeField
    near: SiteWalks

    @property
    def covered(self) -> BoolArray:
        """Cells within the limit of an existing facility."""
        found: BoolArray = self.cell_cm <= self.asked.limit_cm
        return found

    def covering(self) -> SiteProblem:
        """The question of covering most residents."""
        return covering(self.persons, self.covered, self.near)

    def walking(self) -> SiteProblem:
        """The question of walking least; who has no way now walks as far as the farthest does."""
        cells = CellsOnEdges.of(self.costs, self.city.cells.position)
        walks = walks_improved(
            self.costs, cells, self.sites.attachments, len(self.sites), self.node, self.cell_cm
        )
        way = self.cell_cm != UNREACHED_CM
        farthest = max(int(self.cell_cm[way].max(initial=0)), int(walks.cm.max(initial=0)) + 1)
        return walking(self.persons, np.where(way, self.cell_cm, farthest).astype(np.int64), walks)

    def after(self, chosen: IntArray) -> Iterator[Int32Array]:
        """Walks (c,) with each further site, found by the ordinary travel code from the start."""
        for count in range(1, len(chosen) + 1):
            mine = [np.flatnonzero(self.sites.attachments.facility == j) for j in chosen[:count]]
            rows = np.concatenate(mine)
            facility = np.concatenate(
                (self.existing.facility, np.full(len(rows), _next(self.city), dtype=np.int32))
            )
            position = _joined(self.existing.position, self.sites.attachments.position.take(rows))
            goals = goals_of(self.costs, Attachments(facility, position))
            field = nearest_from_nodes(self.costs, goals)
            yield nearest_from_positions(self.costs, goals, field, self.city.cells.position).cm


def scene_of(
    city: City,
    travel: TravelTable,
    costs: WalkCosts,
    policy: Policy,
    sites: Sites,
    *,
    service: str,
    minutes: float | None = None,
    walker: str = "adult",
) -> Scene:
    """The question put before the solvers.

    Raises
    ------
    UnknownNameError : no such service or walker.
    ParameterError : impossible minutes, or a service nothing is known about.
    """
    asked = ask(policy, service, minutes, walker)
    walks = walks_to(city, travel, service)
    if walks is None:
        title = asked.service.title
        raise ParameterError("siting_not_assessed", title_zh=title.zh, title_en=title.en)
    node = _field(city, travel, service)
    row = np.arange(len(sites), dtype=np.int32)
    near = walks_within(costs, sites.attachments, city.cells.position, row, asked.limit_cm)
    return Scene(
        city,
        costs,
        asked,
        service_attachments(city, service),
        sites,
        city.cells.residents.astype(np.int64),
        np.asarray(walks.cell_cm),
        node,
        walks_by_site(near, len(sites)),
    )


def _field(city: City, travel: TravelTable, service: str) -> NodeField:
    if service in travel.services:
        row = travel.row(service)
        return NodeField(np.asarray(travel.node_cm[row]), np.asarray(travel.node_facility[row]))
    size = city.network.node_count
    return NodeField(
        np.full(size, UNREACHED_CM, dtype=np.int32), np.full(size, NOBODY, dtype=np.int32)
    )


def place_sites(
    city: City,
    travel: TravelTable,
    costs: WalkCosts,
    policy: Policy,
    sites: Sites,
    *,
    service: str,
    add: int | None = None,
    target: float | None = None,
    objective: Objective = "covered",
    minutes: float | None = None,
    walker: str = "adult",
    time_limit_s: float = 0.0,
) -> Siting:
    """New places for one service beside those it has, the best found with its proven bound.

    Parameters
    ----------
    sites : the candidates (`analysis.measures.siting_sites`).
    add : how many; or `target`, the share of known residents to cover (capacity: to serve) with
        as few as possible; objective ``all`` takes neither: everyone a candidate can cover.
    objective : ``covered`` most residents within the limit; ``person_minutes`` least walking;
        ``all``; ``capacity`` fewest unserved with the policy's minimum and maximum per place.
    time_limit_s : for HiGHS, beyond greedy and interchange; 0 for those alone.

    Raises
    ------
    UnknownNameError : no such service or walker.
    ParameterError : an impossible question, no candidates, or a service nothing is known about.
    """
    from analysis.measures.siting_full import place_with_capacity

    _check(objective, add, target, time_limit_s)
    started = time.perf_counter()
    scene = scene_of(
        city, travel, costs, policy, sites, service=service, minutes=minutes, walker=walker
    )
    if not len(np.unique(sites.attachments.facility)):
        why = "; ".join(w.text("en") for w in sites.warnings) or "0"
        raise ParameterError("siting_no_candidates", why=why)
    if objective == "capacity":
        return place_with_capacity(scene, policy, add, target, time_limit_s, started)
    cover = scene.covering()
    before = int(scene.persons[scene.covered].sum())
    residents = int(scene.persons.sum())
    coverable = before + cover.reachable
    curve = before + greedy_curve(cover, len(sites))
    warnings: list[Warn] = []
    problem = scene.walking() if objective == "person_minutes" else cover
    counted = objective == "all" or target is not None
    goal = _goal(objective, target, residents, before, coverable, warnings)
    if counted:
        if goal == 0:
            chosen, least = best_sites(problem, 0, 0.0), 0
        else:
            chosen, least = fewest(problem, goal, time_limit_s)
        value, bound = float(len(chosen.sites)), float(least)
        gap, proven = ((value - bound) / value if value else 0.0), value == bound
        if not proven:
            told = {"count": len(chosen.sites), "least": least}
            warnings.append(Warn("siting_fewest_gap", told))
    else:
        count = min(int(add or 0), len(sites))
        chosen = best_sites(problem, count, time_limit_s)
        unit = _person_minutes(scene) if objective == "person_minutes" else 1.0
        value, bound = chosen.value * unit, chosen.bound * unit
        gap, proven = chosen.gap, chosen.proven
        if len(chosen.sites) < int(add or 0):
            told = {"asked": add, "count": len(chosen.sites), "candidates": len(sites)}
            warnings.append(Warn("siting_fewer", told))
        if not proven:
            share = (bound - value) / value if value else 1.0
            warnings.append(Warn("siting_gap", {"gap": above(share)}))
    order = chosen.sites
    if objective == "person_minutes":
        order = order[np.argsort(-chosen.gain, kind="stable")]
    proposals, after = counted_again(scene, order.astype(np.int64))
    _same_count(objective, chosen.gain, proposals)
    covered_after = int(scene.persons[after <= scene.asked.limit_cm].sum())
    if objective != "person_minutes":
        curve = _with_answer(curve, len(proposals), covered_after)
    warnings += [*sites.warnings, *_remarks(scene, cover)]
    return Siting(
        scene.asked,
        objective,
        add,
        target,
        sites,
        proposals,
        residents,
        before,
        covered_after,
        coverable,
        curve,
        value,
        bound,
        gap,
        proven,
        chosen.method,
        time.perf_counter() - started,
        None,
        scene.cell_cm,
        after,
        culprits_of(scene, cover),
        tuple(warnings),
    )


def _check(objective: str, add: int | None, target: float | None, seconds: float) -> None:
    if objective not in OBJECTIVES:
        raise ParameterError("siting_objective", name=objective, known=", ".join(OBJECTIVES))
    if objective == "all":
        if add is not None or target is not None:
            raise ParameterError("siting_all_chooses")
    elif (add is None) == (target is None) or not (add is None or add >= 1):
        raise ParameterError("siting_how_many")
    if target is not None and not 0 < target <= 1:
        raise ParameterError("siting_how_many")
    if objective == "person_minutes" and add is None:
        raise ParameterError("siting_walks_want_number")
    if not 0 <= seconds <= MOST_SECONDS:
        raise ParameterError("siting_time_limit", seconds=seconds, most=MOST_SECONDS)


def _goal(
    objective: str,
    target: float | None,
    residents: int,
    before: int,
    coverable: int,
    warnings: list[Warn],
) -> int:
    """Persons still to be covered for the target, no more than can be."""
    if objective == "all":
        if coverable == before:
            warnings.append(Warn("siting_all_covered"))
        return coverable - before
    if target is None:
        return 0
    wanted = persons_for(target, residents)
    if before >= wanted:
        warnings.append(Warn("siting_target_met"))
        return 0
    if wanted > coverable:
        most = coverable / residents if residents else 0.0
        told = {"target": f"{target:.2%}", "most": f"{np.floor(most * 1e4) / 1e4:.2%}"}
        warnings.append(Warn("siting_target_impossible", told))
    return min(wanted, coverable) - before


def persons_for(target: float, residents: int) -> int:
    """The fewest whole persons that are at least a share of the residents."""
    from fractions import Fraction

    exact = Fraction(target).limit_denominator(10**9) * residents
    return -int(-exact // 1)


def above(share: float) -> str:
    """A share as percent with two digits that count, never rounded down."""
    digits = max(2, 1 - int(np.floor(np.log10(max(share, 1e-12) * 100))))
    return f"{np.ceil(share * 100 * 10**digits) / 10**digits:.{digits}f}%"


def counted_again(
    scene: Scene, chosen: IntArray, loads: Mapping[int, int] | None = None
) -> tuple[tuple[Proposal, ...], Int32Array]:
    """Each site's own share, by walks computed afresh with it added; and the walks with all."""
    city, limit = scene.city, scene.asked.limit_cm
    level = default_level(city)
    before = scene.cell_cm
    made = []
    for j, after in zip(chosen.tolist(), scene.after(chosen), strict=True):
        new = (after <= limit) & (before > limit)
        both = (before != UNREACHED_CM) & (after != UNREACHED_CM)
        saved = scene.persons[both] @ (before[both].astype(np.int64) - after[both])
        unit = int(scene.sites.unit[level][j])
        cells, _ = scene.near.of(j)
        made.append(
            Proposal(
                j,
                int(scene.persons[new].sum()),
                MappingProxyType({g: int(n[new].sum()) for g, n in city.cells.groups.items()}),
                int(scene.persons[cells].sum()),
                float(saved) * _person_minutes(scene),
                None if unit == NOBODY else str(city.units.code[unit]),
                None if unit == NOBODY else str(city.units.name[unit]),
                None if loads is None else loads[j],
            )
        )
        before = after
    return tuple(made), before


def _same_count(objective: str, gain: IntArray, proposals: tuple[Proposal, ...]) -> None:
    """The solver's figures and those of the travel code are the same, or something is wrong."""
    if objective == "person_minutes":
        return
    if gain.tolist() != [proposal.residents_new for proposal in proposals]:
        raise ArithmeticError("marginal residents differ from those counted by the travel code")


def _person_minutes(scene: Scene) -> float:
    """Minutes per centimetre walked."""
    return 1 / (100 * float(scene.asked.walker.speed_m_per_s) * SECONDS_PER_MINUTE)


def _with_answer(curve: IntArray, count: int, covered: int) -> IntArray:
    """The curve with the better of the greedy figure and the answer's, never falling."""
    better = curve.copy()
    if count < len(better):
        better[count] = max(int(better[count]), covered)
    return np.maximum.accumulate(better)


def culprits_of(scene: Scene, cover: SiteProblem) -> Int32Array:
    """Cells with residents that neither a facility nor any candidate covers."""
    helped = np.zeros(len(scene.persons), dtype=np.bool_)
    helped[cover.cell] = True
    return np.flatnonzero(~helped & ~scene.covered & (scene.persons > 0)).astype(np.int32)


def _remarks(scene: Scene, cover: SiteProblem) -> Iterator[Warn]:
    lost = culprits_of(scene, cover)
    if len(lost):
        off = ~scene.city.cells.position.snapped[lost]
        persons = scene.persons[lost]
        yield Warn(
            "siting_culprits",
            {
                "cells": len(lost),
                "residents": int(persons.sum()),
                "unsnapped": int(persons[off].sum()),
                "no_candidate": int(persons[~off].sum()),
            },
        )
    level = default_level(scene.city)
    rows = scene.city.units.of_level(level)
    missing = rows[unknown_units(scene.city, level)[rows]]
    if len(missing):
        told = {"count": len(missing), "units": named(scene.city.units, missing)}
        yield Warn("siting_unknown_population", told)


remarks_of = _remarks


def _next(city: City) -> int:
    return len(city.facilities)


def _joined(a: Positions, b: Positions) -> Positions:
    return Positions(
        np.concatenate((a.edge, b.edge)),
        np.concatenate((a.at_m, b.at_m)),
        np.concatenate((a.leg_m, b.leg_m)),
        np.concatenate((a.xy_m, b.xy_m)),
    )
