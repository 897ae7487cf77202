"""Gaps as GeoJSON, worst first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.gaps import Gap, gap_warnings, gaps
from lifecircle.analysis.measures.opening import moment_of, study_at
from lifecircle.analysis.measures.question import Asked, Question, Study, ask
from lifecircle.analysis.results.layers import gap_frame, layer_columns
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.at_time import at_document, at_warnings
from lifecircle.service.catalog.common import (
    in_degrees,
    minutes_for,
    properties_of,
    remarks,
    services_asked,
)


@dataclass(frozen=True, slots=True)
class GapsAnswer:
    """Gaps of one service, worst first, and why there are none where nothing is known."""

    asked: Asked
    found: tuple[Gap, ...]
    remarks: tuple[Warn, ...]


def answer_gaps(study: Study, question: Question) -> GapsAnswer:
    """What the map of one service shows."""
    return GapsAnswer(ask(study, question), gaps(study, question), gap_warnings(study, question))


@dataclass(frozen=True, slots=True)
class GapsAsked:
    """Gaps of one service or of all, most residents first, and what is to be said with them.

    `run`: at a moment the run with only what is open then. `opened`: how many facilities are
    open at the moment asked for, empty where none was.
    """

    services: tuple[str, ...]
    found: tuple[Gap, ...]
    run: Run
    opened: Mapping[str, Any]
    remarks: tuple[Warn, ...]


def gaps_asked(run: Run, question: Question, *, min_residents: int = 0) -> GapsAsked:
    """The gaps of one service, or of all, most residents first.

    At a moment only facilities known to be open then count.
    """
    study = run.study
    asked = services_asked(run, study, question.service)
    told: list[Warn] = []
    opened: dict[str, Any] = {}
    if question.at is not None:
        then = study_at(study, moment_of(question.at), asked)
        opened, told, study = at_document(then), at_warnings(then), then.lower
        run = replace(run, city=study.city)  # gaps name their nearest by its place among the open
    found = [
        gap
        for one in asked
        for gap in gaps(study, question.about(one), min_residents=min_residents)
    ]
    found.sort(key=lambda gap: -gap.residents)
    return GapsAsked(asked, tuple(found), run, opened, tuple(told))


def gaps_document(
    run: Run, question: Question, *, min_residents: int = 0, lang: Language = "zh"
) -> dict[str, Any]:
    """A FeatureCollection of the gaps of one service, or of all, most residents first.

    At a moment only facilities known to be open then count; ``facilities`` says how many are
    open, closed and unknown.
    """
    answer = gaps_asked(run, question, min_residents=min_residents)
    run, found = answer.run, answer.found
    columns = [column for column in layer_columns(run, "gaps") if column.name != "id"]
    shapes = in_degrees([gap.geometry for gap in found], run.city.crs)
    rows = properties_of(gap_frame(run, found), columns)
    return {
        "type": "FeatureCollection",
        "area": run.manifest.area,
        "run": run.manifest.run,
        "service": question.service,
        "minutes": minutes_for(run.policy, question),
        "walker": question.walker,
        "min_residents": min_residents,
        **answer.opened,
        "not_assessed": [one for one in answer.services if not run.city.assessed(one)],
        "features": [
            {"type": "Feature", "id": gap.id, "geometry": shape, "properties": row}
            for gap, shape, row in zip(found, shapes, rows, strict=True)
        ],
        "warnings": remarks((*answer.remarks, *run.city.warnings), lang),
    }
