"""Coverage as a document: one block per service."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.coverage import Coverage, CoverageRow, coverage
from lifecircle.analysis.measures.opening import Moment, moment_of, study_at
from lifecircle.analysis.measures.question import (
    Asked,
    Question,
    Study,
    Walks,
    ask,
    default_level,
    level_beside,
    settle,
    walks_to,
)
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.at_time import at_document, at_warnings
from lifecircle.service.catalog.common import remarks, services_asked, title_of
from lifecircle.service.catalog.firm.bands import NO_SPAN, ServiceBands, service_bands
from lifecircle.service.catalog.rests import completeness_document, rests_document


@dataclass(frozen=True, slots=True)
class CoverageAnswer:
    """Coverage of one service, and the walks of the cells behind it (None: not assessed).

    `beside`: of the level that holds those whom the default level leaves out (villages), where
    that one was asked for.
    """

    asked: Asked
    found: Coverage
    walks: Walks | None
    beside: Coverage | None


def answer_coverage(study: Study, question: Question) -> CoverageAnswer:
    """What the document and the map of one service show."""
    question = settle(study, question)
    asked = ask(study, question)
    found, beside = coverage(study, question), None
    level = level_beside(study.city) if found.by == default_level(study.city) else None
    if level is not None:
        beside = coverage(study, replace(question, by=level), capacity=False)
    return CoverageAnswer(asked, found, walks_to(study, asked.service.id), beside)


def coverage_document(run: Run, question: Question, *, lang: Language = "zh") -> dict[str, Any]:
    """Coverage of one service, or of all under ``services``; fractions 0-1, persons whole.

    At a moment (``Sa 19:00``, ``周六 19:00``) only facilities known to be open then count, and
    ``upper`` holds the figures with those of unknown hours open as well.

    Raises
    ------
    UnknownNameError, ParameterError : as `coverage`; the moment cannot be read.
    """
    question = settle(run.study, question)
    if question.at is not None:
        return _at_document(run, question, moment_of(question.at), lang)
    return _document(run, run.study, question, lang)


def _document(run: Run, study: Study, question: Question, lang: Language) -> dict[str, Any]:
    found = [
        coverage(study, question.about(one)) for one in services_asked(run, study, question.service)
    ]
    head = {"area": run.manifest.area, "run": run.manifest.run}
    if question.service is not None:
        return {**head, **_block(run, found[0], question.at, lang)}
    return {
        **head,
        "minutes": question.minutes,
        "walker": question.walker,
        "group": question.group,
        "by": found[0].by if found else question.by,
        "services": [_block(run, one, question.at, lang) for one in found],
        "warnings": remarks(run.city.warnings, lang),
    }


def _at_document(run: Run, question: Question, moment: Moment, lang: Language) -> dict[str, Any]:
    """Coverage at a moment: the document of what is known to be open, ``upper`` beside it."""
    at = study_at(run.study, moment, services_asked(run, run.study, question.service))
    found = _document(run, at.lower, question, lang)
    upper = _document(run, at.upper, question, lang)
    counts = {count["service"]: count for count in at_document(at)["facilities"]}
    pairs = (
        [(found, upper)]
        if question.service is not None
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


def _block(run: Run, found: Coverage, at: str | None, lang: Language) -> dict[str, Any]:
    bands = service_bands(run, found, at)
    return {
        "service": found.service,
        "title": title_of(run.policy.services[found.service].title),
        "minutes": found.minutes,
        "walker": found.walker,
        "group": found.group,
        "by": found.by,
        "bands": None if bands is None else dict(bands.head),
        "total": _row(found.total, bands),
        "units": [_row(row, bands) for row in found.units],
        "rests_on": rests_document(
            run.study,
            Question(found.service, group=found.group),
            edge=found.total.edge_of_list,
        ),
        "completeness": completeness_document(run.study, found.service),
        "warnings": remarks(found.warnings, lang),
    }


def _row(row: CoverageRow, bands: ServiceBands | None) -> dict[str, Any]:
    low, high = NO_SPAN if bands is None else bands.span(row.code, row.P)
    off, short = row.unsnapped, row.unsnapped_short_piece
    return {
        "code": row.code,
        "name": row.name,
        "name_en": row.name_en,
        "residents": row.residents,
        "covered": row.covered,
        "not_covered": row.not_covered,
        "not_assessed": row.not_assessed,
        "edge_of_list": row.edge_of_list,
        "unsnapped": row.unsnapped,
        "unsnapped_no_street": None if off is None else off - (short or 0),
        "unsnapped_short_piece": short,
        "cut_off": row.cut_off,
        "U": row.U,
        "P": row.P,
        "P_low": low,
        "P_high": high,
        "P_core": row.P_core,
        "L": row.L,
        "C": row.C,
    }
