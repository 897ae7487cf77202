"""Gaps as GeoJSON, worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import shapely

from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.gaps.cells import FULL, Bridge
from lifecircle.analysis.measures.gaps.gaps import Gap, find_gaps, gap_warnings
from lifecircle.analysis.measures.opening import moment_of, study_at
from lifecircle.analysis.measures.question import (
    WHOLE,
    Asked,
    Question,
    Study,
    ask,
    level_of,
    settle,
)
from lifecircle.analysis.measures.residents import NOBODY_COUNTED
from lifecircle.analysis.results.layers.gap_outlines import KeptOutlines, asks_as_build
from lifecircle.analysis.results.layers.layers import gap_rows
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.at_time import at_document, at_warnings
from lifecircle.service.catalog.common import (
    as_geojson,
    in_degrees,
    minutes_for,
    remarks,
    services_asked,
)
from lifecircle.service.catalog.rests import rests_document

__all__ = [
    "FULL",
    "answer_gaps",
    "bridge_row",
    "gap_level",
    "gaps_asked",
    "gaps_document",
    "sums_row",
]

DRAWN_CELLS: Final = 100_000  # up to here outlines in metres are drawn: exact, and soon done


@dataclass(frozen=True, slots=True)
class GapsAnswer:
    """Gaps of one service, worst first, their sums, and why there are none where nothing is known.

    Those of residents whom full places leave out come last.
    """

    asked: Asked
    found: tuple[Gap, ...]
    bridge: Bridge
    remarks: tuple[Warn, ...]


def answer_gaps(run: Run, question: Question, kept: KeptOutlines | None = None) -> GapsAnswer:
    """What the map of one service shows; `kept`: outlines that the build drew, where read."""
    study = run.study
    question = settle(study, question)
    service = ask(study, question).service.id
    as_build = len(run.city.cells) > DRAWN_CELLS and asks_as_build(run, question)
    answer = find_gaps(study, question, drawn=not as_build)
    found = answer.gaps
    if as_build and found:
        shapes = (kept or KeptOutlines(run, [service])).metric(found)
        found = find_gaps(study, question).gaps if shapes is None else _with(found, shapes)
    return GapsAnswer(ask(study, question), found, answer.bridge, gap_warnings(study, question))


def _with(found: Iterable[Gap], shapes: Iterable[shapely.Geometry]) -> tuple[Gap, ...]:
    return tuple(replace(gap, geometry=one) for gap, one in zip(found, shapes, strict=True))


@dataclass(frozen=True, slots=True)
class GapsAsked:
    """Gaps of one service or of all, most residents first, and what is to be said with them.

    Those of residents whom full places leave out come after all others. `bridges`: the sums of
    each service.
    `run`: at a moment the run with only what is open then. `opened`: how many facilities are
    open at the moment asked for, empty where none was.
    """

    services: tuple[str, ...]
    found: tuple[Gap, ...]
    bridges: tuple[Bridge, ...]
    run: Run
    opened: Mapping[str, Any]
    remarks: tuple[Warn, ...]


def gaps_asked(
    run: Run, question: Question, *, min_residents: int = 0, drawn: bool = True
) -> GapsAsked:
    """The gaps of one service, or of all, most residents first.

    At a moment only facilities known to be open then count. Not `drawn` their shapes are empty.
    """
    study = run.study
    question = settle(study, question)
    asked = services_asked(run, study, question.service)
    told: list[Warn] = [] if run.city.cells.counted else [NOBODY_COUNTED]
    opened: dict[str, Any] = {}
    if question.at is not None:
        then = study_at(study, moment_of(question.at), asked)
        opened, told, study = at_document(then), [*told, *at_warnings(then)], then.lower
        run = replace(run, city=study.city)  # gaps name their nearest by its place among the open
    answers = [
        find_gaps(study, question.about(one), min_residents=min_residents, drawn=drawn)
        for one in asked
    ]
    found = [gap for answer in answers for gap in answer.gaps]
    found.sort(key=lambda gap: (gap.reason == FULL, -gap.residents))
    bridges = tuple(answer.bridge for answer in answers)
    return GapsAsked(asked, tuple(found), bridges, run, opened, tuple(told))


def bridge_row(bridge: Bridge) -> dict[str, Any]:
    """The sums of one service: who is not within reach, who is but finds no room, who is served."""
    return {
        "service": bridge.service,
        "known": bridge.known,
        "covered": bridge.covered,
        "not_covered": bridge.not_covered,
        "not_assessed": bridge.not_assessed,
        "reachable_full": bridge.full,
        "served": bridge.served,
        "reasons": dict(bridge.reasons),
        "unsnapped": {
            "no_street": bridge.reasons.get("unsnapped", 0) - bridge.short_piece,
            "short_piece": bridge.short_piece,
        },
    }


def sums_row(study: Study, question: Question, bridge: Bridge) -> dict[str, Any]:
    """The sums of one service, and what they rest on."""
    about = question.about(bridge.service)
    return {**bridge_row(bridge), "rests_on": rests_document(study, about)}


def gap_level(run: Run, by: str | None) -> str:
    """The level at whose borders gaps are cut, ``none`` where they are not."""
    if by is None:
        return run.study.default_level
    return WHOLE if by == WHOLE else level_of(run.city, by)


def _drawn(run: Run, question: Question, min_residents: int) -> tuple[GapsAsked, list[Any]]:
    """The gaps and their shapes as GeoJSON: of the build's own question those that it drew."""
    if asks_as_build(run, question):
        answer = gaps_asked(run, question, min_residents=min_residents, drawn=False)
        kept = KeptOutlines(run, answer.services).degrees(answer.found)
        if kept is not None:
            return answer, as_geojson(kept)
    answer = gaps_asked(run, question, min_residents=min_residents)
    return answer, in_degrees([gap.geometry for gap in answer.found], answer.run.city.crs)


def gaps_document(
    run: Run, question: Question, *, min_residents: int = 0, lang: Language = "zh"
) -> dict[str, Any]:
    """A FeatureCollection of the gaps of one service, or of all, most residents first.

    At a moment only facilities known to be open then count; ``facilities`` says how many are
    open, closed and unknown.
    """
    question = settle(run.study, question)
    answer, shapes = _drawn(run, question, min_residents)
    run, found = answer.run, answer.found
    rows = gap_rows(run, found)
    return {
        "type": "FeatureCollection",
        "area": run.manifest.area,
        "run": run.manifest.run,
        "service": question.service,
        "minutes": minutes_for(run.policy, question),
        "walker": question.walker,
        "group": question.group,
        "by": gap_level(run, question.by),
        "min_residents": min_residents,
        **answer.opened,
        "not_assessed": [one for one in answer.services if not run.city.assessed(one)],
        "sums": [sums_row(run.study, question, one) for one in answer.bridges],
        "features": [
            {"type": "Feature", "id": gap.id, "geometry": shape, "properties": row}
            for gap, shape, row in zip(found, shapes, rows, strict=True)
        ],
        "warnings": remarks((*answer.remarks, *run.city.warnings), lang),
    }
