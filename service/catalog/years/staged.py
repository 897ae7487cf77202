"""Which new place first, and in which year, as a document: one run of the area for each stage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lifecircle.analysis.errors import Language, ParameterError, Warn
from lifecircle.analysis.measures.catchments.capacity import capacity_of
from lifecircle.analysis.measures.catchments.flow_model import Flow
from lifecircle.analysis.measures.question import Question, settle
from lifecircle.analysis.measures.siting.candidates import Sites
from lifecircle.analysis.measures.siting.capacitated import pose_capacitated
from lifecircle.analysis.measures.siting.capacitated_model import CapacitatedModel, assign
from lifecircle.analysis.measures.siting.result import round_up_percent
from lifecircle.analysis.measures.siting.scene import Scene, scene_of
from lifecircle.analysis.measures.siting.staged import MOST_SETS, Stages, choose_stages
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import head_of, remarks, title_of
from lifecircle.service.catalog.rests import rests_document
from lifecircle.service.catalog.siting.sites import as_text, site_rows
from lifecircle.service.catalog.siting.task import SitingTask, candidates


def stages_document(
    runs: Sequence[Run],
    question: Question,
    task: SitingTask,
    *,
    per_stage: int | None = None,
    most_sets: int = MOST_SETS,
    lang: Language = "zh",
) -> dict[str, Any]:
    """At most ``task.add`` new places opened over the years of some runs.

    Parameters
    ----------
    runs : one for each stage, of different years and on the same streets.
    per_stage : how many may open in one stage; None: any.

    Raises
    ------
    ParameterError : fewer than two years, other streets, no capacity in the policy, no candidates.
    UnknownNameError : no such service or walker.
    """
    runs = sorted(runs, key=lambda one: one.manifest.year)
    if len({one.manifest.year for one in runs}) < len(runs) or len(runs) == 1:
        raise ParameterError("siting_stages_years")
    if not task.add:
        raise ParameterError("siting_how_many")
    last = runs[-1]
    question = settle(last.study, question)
    for one in runs[:-1]:
        _need_same_streets(one, last)
    sites = candidates(last.study, question, task)
    scenes = [scene_of(one.study, question, sites) for one in runs]
    models = [pose_capacitated(scene, one.policy) for scene, one in zip(scenes, runs, strict=True)]
    found = choose_stages(
        models,
        task.add,
        per_stage=per_stage,
        most_sets=most_sets,
        time_limit_s=task.time_limit_s,
    )
    asked = scenes[-1].asked
    stages = [
        _stage(one, scene, sites, found, k)
        for k, (one, scene) in enumerate(zip(runs, scenes, strict=True))
    ]
    warnings = [*sites.warnings]
    if not found.proven:
        warnings.append(Warn("siting_gap", {"gap": round_up_percent(found.gap)}))
    return {
        **head_of(last.manifest),
        "service": asked.service.id,
        "service_title": title_of(asked.service.title),
        "minutes": asked.minutes,
        "walker": asked.walker.id,
        "add": task.add,
        "per_stage": per_stage,
        "candidates": {
            "source": task.source.name if isinstance(task.source, Path) else task.source,
            "count": len(sites),
            "considered": len(found.considered),
        },
        "unserved": found.unserved,
        "bound": found.bound,
        "gap": found.gap,
        "proven": found.proven,
        "method": found.method,
        "proposals": _proposals(last, sites, found, stages),
        "stages": stages,
        "rests_on": rests_document(last.study, Question(asked.service.id)),
        "warnings": remarks((*warnings, *last.city.warnings), lang),
    }


def years_of(text: str) -> list[int]:
    """The years of a text such as ``2026,2028,2030``.

    Raises
    ------
    ParameterError : no years, fewer than two, or one twice.
    """
    try:
        years = [int(part) for part in text.split(",")]
    except ValueError:
        raise ParameterError("siting_stages_years") from None
    if len(years) == 1 or len(set(years)) < len(years):
        raise ParameterError("siting_stages_years")
    return sorted(years)


def _need_same_streets(one: Run, last: Run) -> None:
    mine, theirs = one.city.network, last.city.network
    same = (
        mine.crs == theirs.crs
        and np.array_equal(mine.node_xy_m, theirs.node_xy_m)
        and np.array_equal(mine.edge_length_m, theirs.edge_length_m)
    )
    if not same:
        raise ParameterError(
            "siting_stages_streets", first=one.manifest.year, second=last.manifest.year
        )


def _stage(run: Run, scene: Scene, sites: Sites, found: Stages, k: int) -> dict[str, Any]:
    """One year: who is served, and the load of every open place."""
    flow, model = found.loads[k], pose_capacitated(scene, run.policy)
    before = assign(model, np.zeros(0, dtype=np.int64))
    places = run.city.facilities
    english = places.attributes.get("name_en")
    held = capacity_of(run.city, run.policy, scene.asked.service.id).facility
    rows = [
        _centre(
            {
                "id": str(places.id[i]),
                "name": as_text(places.name[i]),
                "name_en": None if english is None else as_text(english[i]),
                "new": False,
            },
            model,
            flow,
            int(j),
        )
        for j, i in enumerate(held)
    ]
    rows += [
        _centre(
            {
                "id": str(sites.id[j]),
                "name": as_text(sites.name[j]),
                "name_en": as_text(sites.name_en[j]),
                "new": True,
            },
            model,
            flow,
            model.standing + int(j),
        )
        for j in found.open_in(k)
    ]
    residents = int(model.flow.persons.sum())
    return {
        "year": run.manifest.year,
        "run": run.manifest.run,
        "residents": residents,
        "served": residents - flow.total_unserved,
        "unserved": flow.total_unserved,
        "underload": flow.underload,
        "unserved_before": before.total_unserved,
        "underload_before": before.underload,
        "opened": [str(sites.id[j]) for j in np.flatnonzero(found.opens == k)],
        "centres": rows,
    }


def _centre(named: dict[str, Any], model: CapacitatedModel, flow: Flow, j: int) -> dict[str, Any]:
    minimum, maximum = int(model.flow.minimum[j]), int(model.flow.maximum[j])
    load = int(flow.load[j])
    state = "underload" if load < minimum else "within"
    return {**named, "minimum": minimum, "maximum": maximum, "load": load, "state": state}


def _proposals(
    last: Run, sites: Sites, found: Stages, stages: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The places to be opened, the earliest first."""
    opened = np.flatnonzero(found.opens >= 0)
    opened = opened[np.argsort(found.opens[opened], kind="stable")]
    rows = []
    for k, (j, named) in enumerate(
        zip(opened.tolist(), site_rows(last, sites, opened.tolist()), strict=True), start=1
    ):
        loads = {
            str(stage["year"]): row["load"]
            for stage in stages
            for row in stage["centres"]
            if row["new"] and row["id"] == named["site"]
        }
        opens = stages[int(found.opens[j])]["year"]
        rows.append({"rank": k, "opens": opens, **named, "loads": loads})
    return rows
