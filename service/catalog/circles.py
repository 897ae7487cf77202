"""Circles (便民 and 健身) as a document: residents complete, incomplete, not assessed."""

from __future__ import annotations

from typing import Any

from analysis.errors import Language
from analysis.measures.circles import CircleRow, Circles, circles
from analysis.measures.question import unknown
from analysis.results.model import Run
from service.catalog.common import remarks, title_of


def circles_document(
    run: Run,
    *,
    kind: str | None = None,
    minutes: float | None = None,
    walker: str = "adult",
    by: str | None = None,
    lang: Language = "zh",
) -> dict[str, Any]:
    """The circles of a run by kind; each service's own minutes, "all at T" published beside.

    Raises
    ------
    UnknownNameError
        The policy has no such kind of circle.
    """
    rules = run.policy.circles
    if kind is not None and kind not in rules:
        raise unknown("unknown_circle", kind, rules)
    kinds = [kind] if kind is not None else list(rules)
    blocks = {one: _block(run, one, minutes, walker, by, lang) for one in kinds}
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "minutes": minutes,
        "walker": walker,
        "by": next((block["by"] for block in blocks.values()), by),
        "circles": blocks,
    }


def _block(
    run: Run, kind: str, minutes: float | None, walker: str, by: str | None, lang: Language
) -> dict[str, Any]:
    found = _asked(run, kind, minutes, walker, by)
    block = {
        "kind": kind,
        "title": title_of(run.policy.circles[kind].title),
        **_figures(found),
        "warnings": remarks(found.warnings, lang),
    }
    if minutes is None:
        all_at = run.policy.circles[kind].minutes_all.value
        block["all_at"] = _figures(_asked(run, kind, all_at, walker, by))
    return block


def _asked(run: Run, kind: str, minutes: float | None, walker: str, by: str | None) -> Circles:
    return circles(
        run.city, run.travel, run.policy, kind=kind, minutes=minutes, walker=walker, by=by
    )


def _figures(found: Circles) -> dict[str, Any]:
    return {
        "minutes": found.minutes,
        "walker": found.walker,
        "by": found.by,
        "required": found.required,
        "assessed": list(found.assessed),
        "not_assessed": list(found.not_assessed),
        "total": _row(found.total),
        "units": [_row(row) for row in found.units],
    }


def _row(row: CircleRow) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "residents": row.residents,
        "complete": row.complete,
        "incomplete": row.incomplete,
        "not_assessed": row.not_assessed,
        "share": row.share,
        "share_all": row.share_all,
        "missing": [{"service": service, "residents": n} for service, n in row.missing],
    }
