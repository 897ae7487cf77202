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
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np

from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.residents import need_residents
from lifecircle.analysis.measures.siting.candidates import Sites
from lifecircle.analysis.measures.siting.capacitated import place_with_capacity
from lifecircle.analysis.measures.siting.exact import best_sites, find_fewest
from lifecircle.analysis.measures.siting.objectives import Objective
from lifecircle.analysis.measures.siting.problem import SiteProblem
from lifecircle.analysis.measures.siting.result import (
    Siting,
    persons_for,
    round_up_percent,
)
from lifecircle.analysis.measures.siting.scene import (
    Proposal,
    Scene,
    count_again,
    find_uncoverable,
    person_minutes,
    remarks_of,
    scene_of,
)
from lifecircle.analysis.measures.siting.search import Chosen, greedy_curve
from lifecircle.analysis.quantities import IntArray
from lifecircle.analysis.texts import listed, say_both

OBJECTIVES: Final[tuple[str, ...]] = get_args(Objective)
MOST_SECONDS: Final = 24 * 3600

__all__ = ["OBJECTIVES", "Objective", "Proposal", "Siting", "place_sites"]


def place_sites(
    study: Study,
    question: Question,
    sites: Sites,
    *,
    add: int | None = None,
    target: float | None = None,
    objective: Objective = "covered",
    time_limit_s: float = 0.0,
) -> Siting:
    """New places for one service beside those it has, the best found with its proven bound.

    Parameters
    ----------
    sites : the candidates (`lifecircle.analysis.measures.siting.candidates`).
    add : how many; or `target`, the share of known residents to cover (capacity: to serve) with
        as few as possible; objective ``all`` takes neither: everyone a candidate can cover.
    objective : ``covered`` most residents within the limit; ``person_minutes`` least walking;
        ``all``; ``capacity`` fewest unserved with the policy's minimum and maximum per place
        (their names in the literature: `lifecircle.analysis.measures.siting.result.MODELS`).
    time_limit_s : for HiGHS, beyond greedy and interchange; 0 for those alone.

    Raises
    ------
    UnknownNameError : no such service or walker.
    ParameterError : an impossible question, no candidates, a service nothing is known about, or
        residents nobody has counted.

    Examples
    --------
    >>> import lifecircle as lc
    >>> from lifecircle.analysis.measures.siting.candidates import places_of_kinds
    >>> study = lc.tiny_town().study
    >>> pharmacies = places_of_kinds(study.city, study.policy, "health_centre", ["pharmacy"])
    >>> found = lc.site(study, lc.Question("health_centre"), pharmacies, add=1)
    >>> found.covered_before, found.covered_after
    (600, 900)
    """
    need_residents(study.city)
    _check(objective, add, target, time_limit_s)
    started = time.perf_counter()
    scene = scene_of(study, question, sites)
    if not len(np.unique(sites.attachments.facility)):
        why = [warning.both() for warning in sites.warnings]
        raise ParameterError(
            "siting_no_candidates",
            why=listed(why or [say_both("siting_nobody_to_gain")], "clauses"),
        )
    if objective == "capacity":
        return place_with_capacity(scene, study.policy, add, target, time_limit_s, started)
    return _place_without_capacity(scene, objective, add, target, time_limit_s, started)


def _place_without_capacity(
    scene: Scene,
    objective: Objective,
    add: int | None,
    target: float | None,
    time_limit_s: float,
    started: float,
) -> Siting:
    """Sites for an objective that knows no full places."""
    sites, cover = scene.sites, scene.maximal_covering()
    before = int(scene.persons[scene.covered].sum())
    residents = int(scene.persons.sum())
    coverable = before + cover.reachable
    warnings: list[Warn] = []
    goal = _goal(objective, target, residents, before, coverable, warnings)
    problem = scene.p_median() if objective == "person_minutes" else cover
    if objective == "all" or target is not None:
        found = _find_fewest(problem, goal, time_limit_s)
    else:
        unit = person_minutes(scene) if objective == "person_minutes" else 1.0
        found = _find_best(problem, int(add or 0), len(sites), unit, time_limit_s)
    chosen = found.chosen
    order = chosen.sites
    if objective == "person_minutes":
        order = order[np.argsort(-chosen.gain, kind="stable")]
    proposals, after = count_again(scene, order.astype(np.int64))
    _same_count(objective, chosen.gain, proposals)
    covered_after = int(scene.persons[scene.within(after)].sum())
    curve = before + greedy_curve(cover, len(sites))
    if objective != "person_minutes":
        curve = _with_answer(curve, len(proposals), covered_after)
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
        found.value,
        found.bound,
        found.gap,
        found.proven,
        chosen.method,
        time.perf_counter() - started,
        None,
        scene.cell_cm,
        after,
        find_uncoverable(scene, cover),
        (*warnings, *found.warnings, *sites.warnings, *remarks_of(scene, cover)),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """Sites chosen, what the objective counts for them, and what is proven about it."""

    chosen: Chosen
    value: float
    bound: float
    gap: float
    proven: bool
    warnings: tuple[Warn, ...]


def _find_fewest(problem: SiteProblem, goal: int, time_limit_s: float) -> _Found:
    """The fewest sites that add `goal` residents to those covered today."""
    if goal == 0:
        chosen, least = best_sites(problem, 0, 0.0), 0
    else:
        chosen, least = find_fewest(problem, goal, time_limit_s)
    value, bound = float(len(chosen.sites)), float(least)
    proven = value == bound
    told = Warn("siting_fewest_gap", {"count": len(chosen.sites), "least": least})
    gap = (value - bound) / value if value else 0.0
    return _Found(chosen, value, bound, gap, proven, () if proven else (told,))


def _find_best(
    problem: SiteProblem, asked: int, candidates: int, unit: float, time_limit_s: float
) -> _Found:
    """The best `asked` sites; `unit`: what one of the problem's counts is worth in the answer."""
    chosen = best_sites(problem, min(asked, candidates), time_limit_s)
    value, bound = chosen.value * unit, chosen.bound * unit
    warnings: list[Warn] = []
    if len(chosen.sites) < asked:
        fewer = {"asked": asked, "count": len(chosen.sites), "candidates": candidates}
        warnings.append(Warn("siting_fewer", fewer))
    if not chosen.proven:
        share = (bound - value) / value if value else 1.0
        warnings.append(Warn("siting_gap", {"gap": round_up_percent(share)}))
    return _Found(chosen, value, bound, chosen.gap, chosen.proven, tuple(warnings))


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


def _same_count(objective: str, gain: IntArray, proposals: tuple[Proposal, ...]) -> None:
    """The solver's figures and those of the travel code are the same, or something is wrong."""
    if objective == "person_minutes":
        return
    if gain.tolist() != [proposal.residents_new for proposal in proposals]:
        raise ArithmeticError("marginal residents differ from those counted by the travel code")


def _with_answer(curve: IntArray, count: int, covered: int) -> IntArray:
    """The curve with the better of the greedy figure and the answer's, never falling."""
    better = curve.copy()
    if count < len(better):
        better[count] = max(int(better[count]), covered)
    return np.maximum.accumulate(better)
