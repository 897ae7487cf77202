"""Catchments as a document: natural and balanced, centres, unserved, units with the rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.catchments.catchments import Catchments, Centre, Solution
from lifecircle.analysis.measures.catchments.kept import catchments_of
from lifecircle.analysis.measures.catchments.population_rule import population_rule
from lifecircle.analysis.measures.catchments.rule_result import RuleResult, RuleRow
from lifecircle.analysis.measures.outlines import outline
from lifecircle.analysis.measures.question import Question, default_level, level_of, settle
from lifecircle.analysis.measures.residents import (
    judged_persons,
    persons_of,
    sums_by,
    unknown_units,
)
from lifecircle.analysis.quantities import CM_PER_M, SECONDS_PER_MINUTE, IntArray
from lifecircle.analysis.results.ids import facility_ids
from lifecircle.analysis.results.layers.catchments import catchment_shapes
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import persons_in, remarks, title_of
from lifecircle.service.catalog.rests import rests_document


@dataclass(frozen=True, slots=True)
class CatchmentsAnswer:
    """What a map of catchments shows of one solution: polygons in metres.

    `shapes`: by centre, None where nobody belongs to it. `unserved`: (reason, persons, outline)
    of the residents who are in reach but full, and out of reach. `rule`: that of the subdistricts,
    where there is one and it is about this service.
    """

    found: Catchments
    solution: Solution
    shapes: Sequence[shapely.Geometry | None]
    unserved: tuple[tuple[str, int, shapely.Geometry], ...]
    rule: RuleResult | None


def answer_catchments(run: Run, question: Question, solution: str) -> CatchmentsAnswer:
    """One solution (``natural`` or ``balanced``) with its outlines."""
    found = catchments_of(run.study, settle(run.study, question))
    shown = found.natural if solution == "natural" else found.balanced
    return CatchmentsAnswer(
        found,
        shown,
        catchment_shapes(run, shown),
        tuple(_unserved(run, found, shown)),
        _rule_about(run, found.service),
    )


def _rule_about(run: Run, service: str) -> RuleResult | None:
    rule = population_rule(run.study)
    return rule if rule is not None and rule.service == service else None


def _unserved(
    run: Run, found: Catchments, solution: Solution
) -> Iterator[tuple[str, int, shapely.Geometry]]:
    persons = persons_of(run.city.cells, found.group)
    part = solution.part
    radius_m = run.policy.gaps.disc_radius_m.value
    for reason, mine in (
        ("reachable_full", (part.unserved > 0) & part.reachable),
        ("unreachable", (part.unserved > 0) & ~part.reachable),
    ):
        which = np.flatnonzero(mine & (persons > 0)).astype(np.int32)
        if len(which):
            shape = outline(run.city.cells, which, radius_m)
            yield reason, int(part.unserved[which].sum()), shape


def catchments_document(
    run: Run,
    question: Question,
    *,
    closed: bool = False,
    whole: bool = False,
    estimates: bool = False,
    lang: Language = "zh",
) -> dict[str, Any]:
    """Catchments of one service (the first with a capacity rule when left out).

    Minutes: None = the service's own, infinite = no limit (``minutes`` is null then). ``by``: the
    level of ``units``; by default that of the rule 3万–10万 where it is about this service.

    Raises
    ------
    UnknownNameError, ParameterError : as `measures.catchments`.
    """
    known = run.policy.capacity_services
    question = settle(run.study, question)
    one = question.service or (known[0] if known else "-")
    found = catchments_of(
        run.study, question.about(one), closed=closed, whole=whole, estimates=estimates
    )
    rule = _rule_about(run, one)
    level = _level(run, rule, question.by)
    title = run.policy.services[one].title
    ids = facility_ids(run)
    names = run.city.facilities.name
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "service": one,
        "title": title_of(title),
        "minutes": found.minutes,
        "walker": found.walker,
        "group": found.group,
        "closed": found.closed,
        "whole": found.whole,
        "estimates": found.estimates,
        "by": level,
        "assessed": found.assessed,
        "residents": persons_in(run, found.residents),
        "C": found.balanced.served / found.residents
        if found.assessed and found.residents
        else None,
        "natural": _solution(run, found, found.natural, ids),
        "balanced": _solution(run, found, found.balanced, ids),
        "units": units_rows(run, found, rule, level, lang),
        "rule": None if rule is None else _rule(rule, lang),
        "not_offered": [{"facility": ids[i], "name": names[i]} for i in found.not_offered],
        "rests_on": rests_document(run.study, Question(one, group=found.group)),
        "warnings": remarks((*found.warnings, *(rule.warnings if rule else ())), lang),
    }


def _level(run: Run, rule: RuleResult | None, by: str | None) -> str:
    if by is not None:
        return level_of(run.city, by)
    if rule is not None:
        return next(level for level in rule.levels if level in run.city.units.levels)
    return default_level(run.city)


def _solution(run: Run, found: Catchments, solution: Solution, ids: list[str]) -> dict[str, Any]:
    speed = float(run.policy.walkers[found.walker].speed_m_per_s)
    per_minute = speed * CM_PER_M * SECONDS_PER_MINUTE
    walked = solution.part.walked_cm().tolist()
    english = run.city.facilities.attributes.get("name_en")
    units = run.city.units
    held = run.city.facilities.unit[default_level(run.city)]
    return {
        "centres": []
        if not run.city.cells.counted
        else [
            _centre(run, centre, ids)
            | {
                "name_en": None if english is None else english[centre.facility],
                "person_minutes": cm / per_minute,
                "unit_code": None
                if held[centre.facility] < 0
                else str(units.code[held[centre.facility]]),
            }
            for centre, cm in zip(solution.centres, walked, strict=True)
        ],
        **_figures(solution, assessed=found.assessed),
    }


def _figures(solution: Solution, *, assessed: bool) -> dict[str, Any]:
    """The sums of a solution; null where the service is not assessed: nobody knows, not 0."""
    unserved = {"reachable_full": solution.reachable_full, "unreachable": solution.unreachable}
    told = {
        "served": solution.served,
        "overload": sum(centre.overload for centre in solution.centres),
        "underload": solution.underload,
        "person_minutes": solution.person_minutes,
        "bound": solution.bound,
        "gap": solution.gap,
        "least_unserved": solution.least_unserved,
        "least_underload": solution.least_underload,
        "split_cells": solution.split_cells,
        "ties_open": solution.ties_open,
    }
    if not assessed:
        return {**dict.fromkeys(told), "unserved": dict.fromkeys(unserved)}
    return {**told, "unserved": unserved}


def _centre(run: Run, centre: Centre, ids: list[str]) -> dict[str, Any]:
    name = run.city.facilities.name[centre.facility]
    return {
        "facility": ids[centre.facility],
        "name": None if name is None else str(name),
        "load": centre.load,
        "min": centre.minimum,
        "max": centre.maximum,
        "state": centre.state,
        "overload": centre.overload,
        "underload": centre.underload,
        "basis": centre.basis,
        "estimated": centre.estimated,
    }


def units_rows(
    run: Run, found: Catchments, rule: RuleResult | None, level: str, lang: Language
) -> list[dict[str, Any]]:
    """One row per unit: who is served and who is not, and the rule where it speaks of the unit."""
    city = run.city
    part = found.balanced.part
    everyone = persons_of(city.cells, found.group)
    persons = judged_persons(run.study, found.service, found.group)
    index, size = city.cells.unit[level], len(city.units.code)

    def per_unit(values: IntArray) -> IntArray:
        return sums_by(index, size, values)

    known, assessed = per_unit(everyone), per_unit(persons)
    unserved = per_unit(part.unserved)
    cut = per_unit(np.where(part.reachable, 0, part.unserved))
    unknown = unknown_units(city, level)
    by_unit: Mapping[int, RuleRow] = {row.unit: row for row in rule.rows} if rule else {}
    rows = []
    for i in city.units.of_level(level).tolist():
        told = found.assessed and not unknown[i] and bool(assessed[i] or not known[i])
        served = int(assessed[i] - unserved[i])
        rows.append(
            {
                "code": str(city.units.code[i]),
                "name": str(city.units.name[i]),
                "name_en": city.units.name_en[i],
                "residents": None if unknown[i] else int(known[i]),
                "not_assessed": None if unknown[i] else int(known[i] - assessed[i]),
                "served": served if told else None,
                "reachable_full": int(unserved[i] - cut[i]) if told else None,
                "unreachable": int(cut[i]) if told else None,
                "C": served / int(assessed[i]) if told and assessed[i] else None,
                **_rule_row(by_unit.get(i), lang),
            }
        )
    return rows


def _rule_row(row: RuleRow | None, lang: Language) -> dict[str, Any]:
    """The two readings and the state of one unit; null where the rule is not about it."""
    names = (
        "government", "private", "unknown", "per_centre", "met", "state", "needed_from",
        "needed_to", "group_residents", "group_centres", "group_per_centre",
    )  # fmt: skip
    if row is None:
        empty: dict[str, Any] = dict.fromkeys(("A", "B", *names))
        return empty | {"group": [], "missing": [], "notes": []}
    return {
        "A": row.reading_a,
        "B": row.reading_b,
        **{name: getattr(row, name) for name in names},
        "group": list(row.group),
        "missing": list(row.missing),
        "notes": remarks(row.notes, lang),
    }


def _rule(rule: RuleResult, lang: Language) -> dict[str, Any]:
    names = (
        "service", "minimum", "maximum", "residents", "government", "private", "unknown",
        "per_centre", "share_a", "share_b", "share_met", "share_met_lower", "share_met_upper",
        "needed_from", "needed_to", "needed_by_unit_from", "needed_by_unit_to",
    )  # fmt: skip
    return {
        **{name: getattr(rule, name) for name in names},
        "levels": list(rule.levels),
        "states": dict(rule.states),
        "warnings": remarks(rule.warnings, lang),
    }
