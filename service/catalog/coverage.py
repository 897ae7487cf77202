"""Coverage as a document: one block per service."""

from __future__ import annotations

from typing import Any

from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.coverage import Coverage, CoverageRow, coverage
from lifecircle.analysis.measures.opening import Moment, moment_of
from lifecircle.analysis.results.catchments_asked import catchments_for_coverage
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.at_time import at_document, at_warnings, run_at
from lifecircle.service.catalog.common import remarks, services_asked, title_of


def coverage_document(
    run: Run,
    *,
    service: str | None = None,
    minutes: float | None = None,
    walker: str = "adult",
    group: str = "total",
    by: str | None = None,
    at: str | None = None,
    lang: Language = "zh",
    costs: WalkCosts | None = None,
) -> dict[str, Any]:
    """Coverage of one service, or of all under ``services``; fractions 0-1, persons whole.

    With `at` (``Sa 19:00``, ``周六 19:00``) only facilities known to be open then count, and
    ``upper`` holds the figures with those of unknown hours open as well; `costs` are the run's.

    Raises
    ------
    UnknownNameError, ParameterError : as `analysis.measures.coverage.coverage`; `at` unreadable.
    """
    if at is not None:
        return _at_document(
            run,
            costs,
            moment_of(at),
            service=service,
            minutes=minutes,
            walker=walker,
            group=group,
            by=by,
            lang=lang,
        )
    found = [
        coverage(
            run.city,
            run.travel,
            run.policy,
            service=one,
            minutes=minutes,
            walker=walker,
            group=group,
            by=by,
            catchments=catchments_for_coverage(run, one, minutes, walker, group),
        )
        for one in services_asked(run, service)
    ]
    head = {"area": run.manifest.area, "run": run.manifest.run}
    if service is not None:
        return {**head, **_block(run, found[0], lang)}
    return {
        **head,
        "minutes": minutes,
        "walker": walker,
        "group": group,
        "by": found[0].by if found else by,
        "services": [_block(run, one, lang) for one in found],
        "warnings": remarks(run.city.warnings, lang),
    }


def _at_document(
    run: Run,
    costs: WalkCosts | None,
    moment: Moment,
    *,
    service: str | None,
    lang: Language,
    **asked: Any,
) -> dict[str, Any]:
    """Coverage at a moment: the document of what is known to be open, ``upper`` beside it."""
    services = services_asked(run, service)
    at = run_at(run, costs, moment, services)
    found = coverage_document(at.lower, service=service, lang=lang, **asked)
    upper = coverage_document(at.upper, service=service, lang=lang, **asked)
    counts = {count["service"]: count for count in at_document(at)["facilities"]}
    pairs = (
        [(found, upper)]
        if service is not None
        else zip(found["services"], upper["services"], strict=True)
    )
    for block, above in pairs:
        one = block["service"]
        told = remarks(at_warnings(at, one), lang)
        block |= {
            "at": moment.text,
            "facilities": counts[one],
            "upper": {"total": above["total"], "units": above["units"]},
            "warnings": [*told, *block["warnings"]],
        }
    return {**found, "at": moment.text}


def _block(run: Run, found: Coverage, lang: Language) -> dict[str, Any]:
    return {
        "service": found.service,
        "title": title_of(run.policy.services[found.service].title),
        "minutes": found.minutes,
        "walker": found.walker,
        "group": found.group,
        "by": found.by,
        "total": _row(found.total),
        "units": [_row(row) for row in found.units],
        "warnings": remarks(found.warnings, lang),
    }


def _row(row: CoverageRow) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "name_en": row.name_en,
        "residents": row.residents,
        "covered": row.covered,
        "unsnapped": row.unsnapped,
        "cut_off": row.cut_off,
        "U": row.U,
        "P": row.P,
        "P_core": row.P_core,
        "L": row.L,
        "C": row.C,
    }
