"""What answers rest on, as a document: one list, the same for command, HTTP, pages and report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.rests_on import FOLD, SEVERITIES, Rest, rests_on
from lifecircle.analysis.policy.scorecard_model import Row

__all__ = [
    "FOLD",
    "SEVERITIES",
    "folded_rests",
    "rests_document",
    "rests_of_area",
    "rests_of_row",
    "told_elsewhere",
]

_NAMING: Final = ("service", "any_of", "all_of", "to")  # keys of a reading that name services
Line = Mapping[str, Any]


def rests_document(
    study: Study, question: Question, *, edge: int | None = None
) -> list[dict[str, Any]]:
    """The doubts of one service, the most serious first; worked out once a study."""
    asked = ("rests_on", question.service, question.group, edge)
    kept = study.kept.get(asked)
    if kept is None:
        kept = study.kept[asked] = tuple(_line(one) for one in rests_on(study, question, edge=edge))
    return list(cast("tuple[dict[str, Any], ...]", kept))


def rests_of_area(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """The doubts that touch every answer about the area, each once, the most serious first."""
    unique = {line["text"]["en"]: dict(line) for line in lines if not line["of_service"]}
    return sorted(unique.values(), key=lambda line: SEVERITIES.index(line["severity"]))


def rests_of_row(study: Study, row: Row) -> list[dict[str, Any]]:
    """The doubts of all services that a promise of the plan counts, each once."""
    named: dict[str, None] = {}
    for reading in row.readings.values():
        for key in _NAMING:
            told = getattr(reading, key, None) or ()
            named |= dict.fromkeys((told,) if isinstance(told, str) else told)
    lines = [
        line
        for service in named
        if service in study.policy.services
        for line in rests_document(study, Question(service))
    ]
    unique = {(line["key"], line["text"]["en"]): line for line in lines}
    return sorted(unique.values(), key=lambda line: SEVERITIES.index(line["severity"]))


def folded_rests(
    lines: Sequence[Line], lang: Language, *, of_service: bool = False
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The lines shown at once and those in the fold, with their text in one language."""
    chosen = [line for line in lines if line["of_service"] or not of_service]
    told = [{**line, "text": line["text"][lang]} for line in chosen]
    return told[:FOLD], told[FOLD:]


def told_elsewhere(lines: Iterable[Line]) -> frozenset[str]:
    """The sentences of the lines, in either language: remarks that need not be told again."""
    return frozenset(text for line in lines for text in line["text"].values())


def _line(one: Rest) -> dict[str, Any]:
    text = one.warn.both()
    return {
        "severity": one.severity,
        "key": one.warn.key,
        "params": dict(one.warn.params),
        "of_service": one.of_service,
        "text": {"zh": text.zh, "en": text.en},
    }
