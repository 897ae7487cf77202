"""The report as a document: every figure of the printed page and of the workbook, once.

The page and the workbook read this document and nothing else, and it is put together from the
documents that HTTP and the command give, so that one number has one source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.opening import hours_of, unreadable
from lifecircle.analysis.measures.question import Question, default_level, settle
from lifecircle.analysis.policy import Cited, Policy
from lifecircle.analysis.quantities import SECONDS_PER_MINUTE
from lifecircle.analysis.results.layers.layers import gap_rows
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.areas import area_document
from lifecircle.service.catalog.circles import circles_document
from lifecircle.service.catalog.common import facility_ids, title_of
from lifecircle.service.catalog.coverage import coverage_document
from lifecircle.service.catalog.equity import equity_document
from lifecircle.service.catalog.firm.bands import kept_bands
from lifecircle.service.catalog.gaps import gaps_asked, sums_row
from lifecircle.service.catalog.scorecard import scorecard_document
from lifecircle.service.catalog.tiers.referral import referral_document

WALKER: Final = "adult"


def report_document(
    run: Run,
    *,
    by: str | None = None,
    settings: Mapping[str, str | float] | None = None,
    marks: Sequence[Mapping[str, Any]] = (),
    others: Sequence[Run] = (),
    lang: Language = "zh",
) -> dict[str, Any]:
    """Scorecard, coverage, gaps, circles, equity, data quality, parameters and sources of a run.

    `marks`: of reviews, matched with the run.
    `settings`: of the scorecard, by name; those left out take their defaults. `others`: runs of
    other years of the area.

    Raises
    ------
    ParameterError : the policy has no scorecard, and something is set; an answer that a setting
        does not take.
    UnknownNameError : no such unit level or setting.
    """
    question = Question(by=by)
    bands = None if settings else kept_bands(run, WALKER)
    area = area_document(run, lang=lang)
    coverage = coverage_document(run, question, lang=lang)
    return {
        "area": area["area"],
        "run": area["run"],
        "title": area["title"],
        "created": area["created"],
        "synthetic": area["synthetic"],
        "modelled": area["modelled"],
        "residents": area["residents"],
        "facilities": area["facilities"],
        "cells": area["cells"],
        "units": area["units"],
        "policy": area["policy"],
        "service_table": area["service_table"],
        "levels": area["levels"],
        "by": coverage["by"],
        "walker": WALKER,
        "scorecard": (
            scorecard_document(run, settings=settings, others=others, lang=lang)
            if settings or run.policy.scorecard is not None
            else None
        ),
        "robustness": None if bands is None or not bands.document["rows"] else bands.verdicts,
        "coverage": coverage,
        "gaps": _gaps(run),
        "circles": circles_document(run, question, lang=lang),
        "equity": equity_document(run, question, lang=lang),
        "referral": (
            None
            if run.policy.capacities.referral is None
            else referral_document(run, question, lang=lang)
        ),
        "reviews": list(marks),
        "quality": {**area["quality"], "hours": _hours(run)},
        "sources": {**area["manifest"], **_judgements(run.policy)},
        "warnings": area["warnings"],
    }


def _gaps(run: Run) -> dict[str, Any]:
    """The gaps of all services without their shapes, most residents first, with distances."""
    question = settle(run.study, Question())
    answer = gaps_asked(run, question, drawn=False)
    speed = float(run.policy.walkers[WALKER].speed_m_per_s)
    unit, place = _english(run)
    rows = []
    for row in gap_rows(answer.run, answer.found):
        minutes = row["minutes_to_nearest"]
        lost = minutes is None or minutes != minutes  # noqa: PLR0124  NaN: no way there
        row["minutes_to_nearest"] = None if lost else minutes
        row["near_m"] = None if row["near"] is None else row["near_m"]
        row["metres_to_nearest"] = None if lost else minutes * SECONDS_PER_MINUTE * speed
        row["unit_name_en"] = unit.get(row["unit_code"])
        row["nearest_facility_name_en"] = place.get(row["nearest_facility"])
        rows.append(row)
    by_service: dict[str, dict[str, int]] = {}
    for row in rows:
        one = by_service.setdefault(row["service"], {"gaps": 0, "residents": 0})
        one["gaps"] += 1
        one["residents"] += row["residents"]
    sums = {one.service: sums_row(run.study, question, one) for one in answer.bridges}
    return {
        "count": len(rows),
        "by_service": [{**sums[service], **count} for service, count in by_service.items()],
        "rows": rows,
        "not_assessed": [one for one in answer.services if not run.city.assessed(one)],
    }


def _english(run: Run) -> tuple[dict[str, str | None], dict[str, Any]]:
    """English names of the units and of the facilities; of one code that of the gaps' level."""
    units, places = run.city.units, run.city.facilities
    members = [*range(len(units.code)), *units.of_level(default_level(run.city)).tolist()]
    names = places.attributes.get("name_en")
    return (
        {str(units.code[i]): units.name_en[i] for i in members},
        {} if names is None else dict(zip(facility_ids(run), names, strict=True)),
    )


def _hours(run: Run) -> dict[str, Any]:
    """How many facilities say when they are open, and what of it cannot be read."""
    hours = hours_of(run.city.facilities)
    lost = unreadable(hours)
    given = sum(text is not None for text in hours)
    return {
        "facilities": len(hours),
        "given": given,
        "readable": given - sum(lost.values()),
        "unreadable": [{"opening_hours": text, "facilities": n} for text, n in lost.items()],
    }


def _judgements(policy: Policy) -> dict[str, Any]:
    """Every number of the policy that a figure of the report rests on, with its clause."""
    return {
        "services": [
            {
                "service": service.id,
                "title": title_of(service.title),
                "minutes": _cited(service.minutes),
                "target": _cited(service.target),
            }
            for service in policy.services.values()
        ],
        "walkers": [
            {
                "walker": walker.id,
                "title": title_of(walker.title),
                "metres_per_minute": float(walker.speed_m_per_s * SECONDS_PER_MINUTE),
                "metres": _cited(walker.metres),
                "seconds": _cited(walker.seconds),
            }
            for walker in policy.walkers.values()
        ],
        "rules": [
            {"rule": name, **(_cited(value) or {})}
            for name, value in (
                ("core_minutes", policy.coverage.core_minutes),
                ("core_metres", policy.coverage.core_metres),
                ("land_lattice_m", policy.coverage.land_lattice_m),
                ("max_leg_m", policy.attachment.max_leg_m),
                ("min_component_m", policy.attachment.min_component_m),
                ("gap_link_m", policy.gaps.link_m),
                *(
                    (f"circle_{kind}_{name}", value)
                    for kind, rule in policy.circles.items()
                    for name, value in (
                        ("required", rule.required),
                        ("minutes_all", rule.minutes_all),
                        ("night_hour", rule.night_hour),
                    )
                    if value is not None
                ),
            )
        ],
    }


def _cited(number: Cited | None) -> dict[str, Any] | None:
    if number is None:
        return None
    return {
        "value": number.value,
        "source": number.source,
        "clause": number.clause,
        "confidence": number.confidence,
    }
