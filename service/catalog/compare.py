"""Two runs of an area as a document: what changed by service, circle and unit."""

from __future__ import annotations

from typing import Any

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.circles import CircleRow, circles
from lifecircle.analysis.results.compare import Comparison, compare, match_cells
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import fields_of, remarks, services_asked, title_of
from lifecircle.service.catalog.scorecard import scorecard_document, units_document


def compare_document(
    before: Run,
    after: Run,
    *,
    service: str | None = None,
    minutes: float | None = None,
    walker: str = "adult",
    group: str = "total",
    by: str | None = None,
    lang: Language = "zh",
) -> dict[str, Any]:
    """The change of one service, or of all that both runs have, and of the circles."""
    asked = [s for s in services_asked(after, service) if s in before.travel.services]
    same = match_cells(before.city.cells, after.city.cells, before.city.crs, after.city.crs)
    found = [
        compare(
            before,
            after,
            service=one,
            minutes=minutes,
            walker=walker,
            group=group,
            by=by,
            match=same,
        )
        for one in asked
    ]
    kinds = [kind for kind in after.policy.circles if kind in before.policy.circles]
    level = found[0].by if found else by
    indicators = _indicators(before, after, lang) if service is None else None
    rounds = [_circle(before, after, kind, walker, level) for kind in kinds]
    services = set(before.travel.services), set(after.travel.services)
    return {
        "area": after.manifest.area,
        "from": _run(before),
        "to": _run(after),
        "minutes": minutes,
        "walker": walker,
        "group": group,
        "by": level,
        "changed": any(one.changed for one in found)
        or any(one["changed"] for one in (*rounds, *(indicators or ()))),
        "units": {} if after.policy.scorecard is None else units_document(after.policy.scorecard),
        "policy_changed": before.manifest.policy_digest != after.manifest.policy_digest,
        "inputs_changed": _inputs(before, after),
        "residents_in_matched_cells": same.share,
        "services_appeared": sorted(services[1] - services[0]),
        "services_vanished": sorted(services[0] - services[1]),
        "services": [_block(after, one, lang) for one in found],
        "circles": rounds,
        "indicators": indicators,
    }


def _run(run: Run) -> dict[str, Any]:
    manifest = run.manifest
    return {
        "run": manifest.run,
        "title": title_of(manifest.title),
        "created": manifest.created,
        "residents": manifest.residents,
        "policy": {"id": manifest.policy_id, "digest": manifest.policy_digest},
    }


def _inputs(before: Run, after: Run) -> list[dict[str, Any]]:
    """Files that only one run read, by role, name and digest."""
    old = {(i.role, i.name, i.sha256) for i in before.manifest.inputs}
    new = {(i.role, i.name, i.sha256) for i in after.manifest.inputs}
    return [
        {"role": role, "name": name, "sha256": digest, "in": "from" if which in old else "to"}
        for which in sorted(old ^ new)
        for role, name, digest in [which]
    ]


def _block(after: Run, found: Comparison, lang: Language) -> dict[str, Any]:
    return {
        "service": found.service,
        "title": title_of(after.policy.services[found.service].title),
        "minutes": found.minutes,
        "by": found.by,
        "matched": found.matched,
        "changed": found.changed,
        "facilities_from": found.facilities_from,
        "facilities_to": found.facilities_to,
        "total": fields_of(found.total),
        "units": [fields_of(row) for row in found.units],
        "warnings": remarks(found.warnings, lang),
    }


def _indicators(before: Run, after: Run, lang: Language) -> list[dict[str, Any]] | None:
    """Every promise of the scorecards in both runs; None where a run's policy has none."""
    if before.policy.scorecard is None or after.policy.scorecard is None:
        return None
    old, new = (
        {row["id"]: row for row in scorecard_document(run, lang=lang)["rows"]}
        for run in (before, after)
    )
    listed = []
    for name, row in new.items():
        was = old.get(name)
        value = None if was is None else was["value"]
        known = value is not None and row["value"] is not None
        listed.append(
            {
                "id": name,
                "title": row["title"],
                "unit": row["unit"],
                "target": row["target"],
                "direction": row["direction"],
                "value_from": value,
                "value_to": row["value"],
                "change": row["value"] - value if known else None,
                "status_from": None if was is None else was["status"],
                "status_to": row["status"],
                "changed": was is None
                or (was["value"], was["status"]) != (row["value"], row["status"]),
            }
        )
    return listed


def _circle(before: Run, after: Run, kind: str, walker: str, by: str | None) -> dict[str, Any]:
    old, new = (
        circles(run.city, run.travel, run.policy, kind=kind, walker=walker, by=by)
        for run in (before, after)
    )
    was = {row.code: row for row in old.units}
    total = _pair(old.total, new.total)
    units = [_pair(was.get(row.code), row) for row in new.units]
    return {
        "kind": kind,
        "title": title_of(after.policy.circles[kind].title),
        "changed": any(
            row["share_from"] != row["share_to"] or row["complete_from"] != row["complete_to"]
            for row in (total, *units)
        ),
        "total": total,
        "units": units,
    }


def _pair(old: CircleRow | None, new: CircleRow) -> dict[str, Any]:
    was = None if old is None else old.share
    return {
        "code": new.code,
        "name": new.name,
        "complete_from": None if old is None else old.complete,
        "complete_to": new.complete,
        "share_from": was,
        "share_to": new.share,
        "share_change": None if was is None or new.share is None else new.share - was,
    }
