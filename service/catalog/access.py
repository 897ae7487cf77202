"""Access with competition (2SFCA family) and what-if, as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.errors import Language, ParameterError, Warn
from lifecircle.analysis.measures.equity.floating import Floating, FloatingRow, Method, floating
from lifecircle.analysis.measures.names import service_of
from lifecircle.analysis.measures.question import Question, settle
from lifecircle.analysis.measures.residents import judged_persons
from lifecircle.analysis.measures.what_if import Addition, Change, ChangeRow, what_if
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import facility_ids, remarks, snapped_at, title_of
from lifecircle.service.catalog.rests import rests_document
from lifecircle.service.state import AreaState

PER: int = 1_000  # persons that access is told for
_SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


def accessibility_document(
    run: Run,
    question: Question,
    *,
    method: Method = "e2sfca",
    supply: str = "count",
    lang: Language = "zh",
) -> dict[str, Any]:
    """Supply within reach per 1,000 persons: area, units, and how cells differ."""
    question = settle(run.study, question)
    found = floating(run.study, question, method=method, supply=supply)
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "service": found.asked.service.id,
        "title": title_of(found.asked.service.title),
        "method": found.method,
        "minutes": found.asked.minutes,
        "walker": found.asked.walker.id,
        "group": found.group,
        "by": found.by,
        "per": PER,
        "supply_of": found.supply_of,
        "supply": found.supply,
        "supply_idle": found.idle,
        "total": _row(found.total),
        "units": [_row(row) for row in found.units],
        "cells": _cells(run, found),
        "rests_on": rests_document(run.study, Question(found.asked.service.id, group=found.group)),
        "warnings": remarks((*found.warnings, *run.city.warnings), lang),
    }


def _row(row: FloatingRow) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "name_en": row.name_en,
        "residents": row.residents,
        "not_assessed": row.not_assessed,
        "access": None if row.access is None else PER * row.access,
        "residents_none": row.none,
    }


def _cells(run: Run, found: Floating) -> dict[str, Any] | None:
    """Access of the residents at some ranks, lowest first (each resident counts once)."""
    if found.access is None:
        return None
    persons = judged_persons(run.study, found.asked.service.id, found.group)
    order = np.argsort(found.access, kind="stable")  # what is not assessed stands last
    upto = np.cumsum(persons[order])
    if len(upto) == 0 or upto[-1] == 0:
        return None
    at = np.searchsorted(upto, [share * upto[-1] for share in _SHARES])
    ranked = found.access[order][np.minimum(at, len(order) - 1)]
    most = float(np.nanmax(found.access))
    ranks = {f"p{100 * share:g}": PER * float(a) for share, a in zip(_SHARES, ranked, strict=True)}
    return {"count": int((persons > 0).sum()), **ranks, "most": PER * most}


def what_if_document(
    state: AreaState,
    question: Question,
    *,
    add: Sequence[Mapping[str, Any]],
    remove: Sequence[str],
    lang: Language = "zh",
) -> dict[str, Any]:
    """Coverage before and after places are added and removed; nothing is kept.

    Raises
    ------
    ParameterError : nothing to try, or no facility of that id.
    UnknownNameError : no such service, walker or level.
    """
    if not add and not remove:
        raise ParameterError("what_if_nothing")
    run, study = state.run, state.run.study
    question = settle(study, question)
    add = [{**one, "service": service_of(run.policy, str(one["service"])).id} for one in add]
    gone = _indices(state, remove)
    max_leg_m = run.policy.attachment.max_leg_m.value
    lonlat = np.array([[a["lon"], a["lat"]] for a in add], dtype=np.float64).reshape(-1, 2)
    position = study.edges.snap(to_metric(lonlat, run.city.crs), max_leg_m)
    additions = [Addition(a["service"], position.take(np.array([k]))) for k, a in enumerate(add)]
    changes = what_if(study, question, add=additions, remove=gone)
    loose = [
        Warn("what_if_unsnapped", {"service": a["service"], "lon": a["lon"], "lat": a["lat"],
                                   "metres": f"{max_leg_m:g}"})
        for a, one in zip(add, additions, strict=True)
        if not one.position.snapped[0]
    ]  # fmt: skip
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "walker": question.walker,
        "by": changes[0].by if changes else question.by,
        "add": [_added(a, one.position, run) for a, one in zip(add, additions, strict=True)],
        "remove": list(remove),
        "services": [_change(run, change, lang) for change in changes],
        "stored": False,
        "warnings": remarks(loose, lang),
    }


def _indices(state: AreaState, remove: Sequence[str]) -> list[int]:
    number = state.derived(
        "facility_rows", lambda: {name: i for i, name in enumerate(facility_ids(state.run))}
    )
    for name in remove:
        if name not in number:
            raise ParameterError("what_if_unknown_facility", name=name)
    return [number[name] for name in remove]


def _added(asked: Mapping[str, Any], position: Positions, run: Run) -> dict[str, Any]:
    return {**asked, "snapped": snapped_at(position, run.city.crs)}


def _change(run: Run, change: Change, lang: Language) -> dict[str, Any]:
    return {
        "service": change.asked.service.id,
        "title": title_of(change.asked.service.title),
        "minutes": change.asked.minutes,
        "gained": change.gained,
        "lost": change.lost,
        "groups": {
            name: {"covered_before": was, "covered_after": now}
            for name, (was, now) in change.groups.items()
        },
        "total": _changed(change.total),
        "units": [_changed(row) for row in change.units],
        "rests_on": rests_document(run.study, Question(change.asked.service.id)),
        "warnings": remarks(change.warnings, lang),
    }


def _changed(row: ChangeRow) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "name_en": row.name_en,
        "residents": row.residents,
        "not_assessed": row.not_assessed,
        "covered_before": row.covered_before,
        "covered_after": row.covered_after,
        "P_before": row.P_before,
        "P_after": row.P_after,
    }
