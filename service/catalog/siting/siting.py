"""Where the next places go, as a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import (
    Question,
    Study,
    ask,
    covered,
    default_level,
    settle,
)
from lifecircle.analysis.measures.residents import judged_persons, sums_by, unknown_units
from lifecircle.analysis.measures.siting.candidates import PLANNED
from lifecircle.analysis.measures.siting.place import Siting, place_sites
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    SECONDS_PER_MINUTE,
    UNREACHED_CM,
)
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import DECIMALS, remarks, title_of
from lifecircle.service.catalog.rests import rests_document
from lifecircle.service.catalog.siting.sites import site_rows
from lifecircle.service.catalog.siting.task import GENERATED, SitingTask, candidates

CULPRITS_SHOWN: Final = 100


def siting_document(
    run: Run, question: Question, task: SitingTask, *, lang: Language = "zh"
) -> dict[str, Any]:
    """Proposals for one service with what they change; persons whole, shares 0-1."""
    return shown(run, siting_of(run.study, question, task), task.source, lang)


def siting_of(study: Study, question: Question, task: SitingTask) -> Siting:
    """The answer itself, candidates found first."""
    question = settle(study, question)
    ask(study, question)
    return place_sites(
        study,
        question,
        candidates(study, question, task),
        add=task.add,
        target=task.target,
        objective=task.objective,
        time_limit_s=task.time_limit_s,
    )


def _kinds(run: Run, found: Siting) -> dict[str, int]:
    """How many of the candidates are generated, given, or places of which service."""
    kinds = found.sites.kind.tolist()
    named = ("given", GENERATED, PLANNED, *run.policy.services)
    counts = {kind: kinds.count(kind) for kind in named}
    return {kind: count for kind, count in counts.items() if count}


def positions_of(found: Siting) -> list[Positions]:
    """Where each proposal joins the streets."""
    return [found.sites.of(proposal.site) for proposal in found.proposals]


def shown(run: Run, found: Siting, source: str | Path, lang: Language) -> dict[str, Any]:
    """An answer of siting as plain values."""
    asked = found.asked
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "service": asked.service.id,
        "title": title_of(asked.service.title),
        "minutes": asked.minutes,
        "walker": asked.walker.id,
        "objective": found.objective,
        "model": found.model,
        "add": found.add,
        "target": found.target,
        "candidates": {
            "source": source.name if isinstance(source, Path) else source,
            "count": len(found.sites),
            "kinds": _kinds(run, found),
        },
        "residents": found.residents,
        "before": _covered(found, found.covered_before),
        "after": _covered(found, found.covered_after),
        "coverable": _covered(found, found.coverable),
        "mean_minutes": {
            "before": _mean_minutes(run, found, found.cell_cm_before),
            "after": _mean_minutes(run, found, found.cell_cm_after),
        },
        "value": found.value,
        "bound": found.bound,
        "gap": found.gap,
        "proven": found.proven,
        "method": found.method,
        "seconds": round(found.seconds, 3),
        "proposals": _proposals(run, found),
        "curve": [
            {"sites": k, **_covered(found, int(persons))} for k, persons in enumerate(found.curve)
        ],
        "loads": _loads(found),
        "by": default_level(run.city),
        "units": _units(run, found),
        "not_coverable": _culprits(run, found),
        "rests_on": rests_document(run.study, Question(asked.service.id)),
        "warnings": remarks((*found.warnings, *run.city.warnings), lang),
    }


def _covered(found: Siting, persons: int) -> dict[str, Any]:
    share = persons / found.residents if found.residents else None
    return {"covered": persons, "share": share}


def _mean_minutes(run: Run, found: Siting, cell_cm: Any) -> float | None:
    """Of the residents that have a way both before and after."""
    way = (found.cell_cm_before != UNREACHED_CM) & (found.cell_cm_after != UNREACHED_CM)
    persons = run.city.cells.residents[way]
    if persons.sum() == 0:
        return None
    metres = float((persons * cell_cm[way].astype(np.float64)).sum() / persons.sum()) / CM_PER_M
    return metres / float(found.asked.walker.speed_m_per_s) / SECONDS_PER_MINUTE


def _proposals(run: Run, found: Siting) -> list[dict[str, Any]]:
    chosen = [proposal.site for proposal in found.proposals]
    told = zip(found.proposals, site_rows(run, found.sites, chosen), strict=True)
    return [
        {
            "rank": k,
            **named,
            "residents_new": proposal.residents_new,
            **{f"residents_new_{g}": n for g, n in proposal.groups_new.items()},
            "residents_reached": proposal.residents_reached,
            "person_minutes_saved": proposal.person_minutes_saved,
            "load": proposal.load,
        }
        for k, (proposal, named) in enumerate(told, start=1)
    ]


def _loads(found: Siting) -> dict[str, Any] | None:
    if found.loads is None:
        return None
    loads = found.loads
    return {
        "unserved_before": loads.unserved_before,
        "unserved": loads.unserved,
        "reachable_full": loads.reachable_full,
        "unreachable": loads.unreachable,
        "underload_before": loads.underload_before,
        "underload": loads.underload,
        "aims_proven": loads.aims_proven,
        "ties_open": loads.ties_open,
    }


def _units(run: Run, found: Siting) -> list[dict[str, Any]]:
    units, cells = run.city.units, run.city.cells
    level = default_level(run.city)
    index, size = cells.unit[level], len(units.code)
    limit = found.asked.limit_cm
    persons = judged_persons(run.study, found.asked.service.id, TOTAL)
    known, assessed = (sums_by(index, size, one) for one in (cells.residents, persons))
    before, after = (
        sums_by(index, size, persons, covered(cm, cells.position, limit))
        for cm in (found.cell_cm_before, found.cell_cm_after)
    )
    unknown = unknown_units(run.city, level)
    blank = unknown | ((known > 0) & (assessed == 0))  # the list ends before it
    return [
        {
            "code": str(units.code[i]),
            "name": str(units.name[i]),
            "name_en": units.name_en[i],
            "residents": None if unknown[i] else int(known[i]),
            "not_assessed": None if unknown[i] else int(known[i] - assessed[i]),
            "covered_before": None if blank[i] else int(before[i]),
            "covered_after": None if blank[i] else int(after[i]),
        }
        for i in units.of_level(level)
    ]


def _culprits(run: Run, found: Siting) -> dict[str, Any]:
    """Who cannot be covered by any candidate: how many, and the largest of their cells."""
    cells, units = run.city.cells, run.city.units
    lost = found.culprits
    most = lost[np.lexsort((lost, -cells.residents[lost]))][:CULPRITS_SHOWN]
    unit = cells.unit[default_level(run.city)][most]
    lonlat = to_lonlat(cells.xy_m[most].reshape(-1, 2), run.city.crs).round(DECIMALS).tolist()
    off = ~cells.position.snapped[most]
    return {
        "residents": int(cells.residents[lost].sum()),
        "cells": len(lost),
        "largest": [
            {
                "cell": str(cells.id[i]),
                "residents": int(cells.residents[i]),
                "lon": place[0],
                "lat": place[1],
                "unit_code": None if u == NOBODY else str(units.code[u]),
                "unit_name": None if u == NOBODY else str(units.name[u]),
                "reason": "unsnapped" if o else "no_candidate",
            }
            for i, place, u, o in zip(most, lonlat, unit, off, strict=True)
        ],
    }
