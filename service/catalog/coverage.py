"""Coverage as a document: one block per service."""

from __future__ import annotations

from typing import Any

from analysis.errors import Language
from analysis.measures.coverage import Coverage, CoverageRow, coverage
from analysis.results.model import Run
from service.catalog.common import remarks, services_asked, title_of


def coverage_document(
    run: Run,
    *,
    service: str | None = None,
    minutes: float | None = None,
    walker: str = "adult",
    group: str = "total",
    by: str | None = None,
    lang: Language = "zh",
) -> dict[str, Any]:
    """Coverage of one service, or of all under ``services``; fractions 0-1, persons whole."""
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
