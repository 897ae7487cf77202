"""Two runs of an area as a document: what changed by service, circle and unit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.circles import CircleRow, circles
from lifecircle.analysis.measures.compare import (
    Comparison,
    Match,
    compare,
    covered_cells,
    match_cells,
)
from lifecircle.analysis.measures.question import Question, settle
from lifecircle.analysis.quantities import Int32Array
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import fields_of, remarks, services_asked, title_of
from lifecircle.service.catalog.rests import rests_document
from lifecircle.service.catalog.scorecard import scorecard_document, units_document


def answer_compare(
    before: Run, after: Run, question: Question, match: Match | None = None
) -> Comparison:
    """One service in two runs, as the document and the map show it."""
    return compare(
        before.study,
        after.study,
        question,
        match=match,
        names=(before.manifest.run, after.manifest.run),
        same_ground=_ground(before) == _ground(after),
    )


def match_runs(before: Run, after: Run) -> Match:
    """Which cells of two runs are the same place."""
    return match_cells(before.city.cells, after.city.cells, before.city.crs, after.city.crs)


def cell_states(before: Run, after: Run, found: Comparison, same: Match) -> Int32Array:
    """What happened to every cell of the later run, int32 (c,): 0 gained the service, 1 lost it,
    2 has it in both, 3 in neither."""
    question = Question(found.service, found.minutes, found.walker)
    now = covered_cells(after.study, question)
    states = np.where(now, 2, 3).astype(np.int32)
    states[found.gained_cells] = 0
    place = np.full(len(before.city.cells), -1, dtype=np.int32)
    place[same.before] = same.after
    gone = place[found.lost_cells]
    states[gone[gone >= 0]] = 1
    return states


def compare_document(
    before: Run, after: Run, question: Question, *, lang: Language = "zh"
) -> dict[str, Any]:
    """The change of one service, or of all that both runs have, and of the circles."""
    question = settle(after.study, question)
    listed = services_asked(after, after.study, question.service)
    asked = [service for service in listed if service in before.travel.services]
    same = match_runs(before, after)
    found = [answer_compare(before, after, question.about(one), same) for one in asked]
    kinds = [kind for kind in after.policy.circles if kind in before.policy.circles]
    level = found[0].by if found else question.by
    indicators = _indicators(before, after, lang) if question.service is None else None
    own = replace(question, minutes=None, by=level)
    rounds = [_circle(before, after, kind, own) for kind in kinds]
    services = set(before.travel.services), set(after.travel.services)
    return {
        "area": after.manifest.area,
        "from": _run(before),
        "to": _run(after),
        "minutes": question.minutes,
        "walker": question.walker,
        "group": question.group,
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


def _ground(run: Run) -> tuple[bool, tuple[str, ...], tuple[str, ...]]:
    """How people walk in a run: with slope, across which barriers not, past which closures."""
    said = run.manifest.parameters
    rule, closures = (tuple(said.get(key) or ()) for key in ("barrier_rule", "closures"))
    return run.city.network.slope is not None, rule, closures


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
        "rests_on": rests_document(after.study, Question(found.service, group=found.group)),
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


def _circle(before: Run, after: Run, kind: str, question: Question) -> dict[str, Any]:
    old, new = (circles(run.study, question, kind=kind) for run in (before, after))
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
