"""What answers rest on, as a document: one list, the same for command, HTTP, pages and report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.completeness import Completeness, Estimate, completeness
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.rests_on import FOLD, SEVERITIES, Rest, rests_on
from lifecircle.analysis.policy.scorecard_model import Row

__all__ = [
    "FOLD",
    "SEVERITIES",
    "completeness_document",
    "folded_rests",
    "missed_of",
    "rests_document",
    "rests_of_area",
    "rests_of_row",
    "rests_of_services",
    "told_elsewhere",
]

RECENT: Final = 256  # services, groups and residents at the edge of a list
_NAMING: Final = ("service", "any_of", "all_of", "to")  # keys of a reading that name services
Line = Mapping[str, Any]


def rests_document(
    study: Study, question: Question, *, edge: int | None = None
) -> list[dict[str, Any]]:
    """The doubts of one service, the most serious first; kept for those asked last."""
    asked = (question.service, question.group, edge)
    lines: tuple[dict[str, Any], ...] = study.recent("rests_on", RECENT)(
        asked, lambda: tuple(_line(one) for one in rests_on(study, question, edge=edge))
    )
    return list(lines)


def completeness_document(study: Study, service: str) -> dict[str, Any] | None:
    """How many places two lists of a service both miss, in all and per unit; worked out once.

    None where there are no two lists; the figures of the whole are null where too few places are
    in both. ``units[]``: those in which both lists share enough by themselves.
    """
    asked = ("completeness_document", service)
    if asked not in study.kept:
        found = completeness(study, service)
        study.kept[asked] = None if found is None else _estimates(study, found)
    return cast("dict[str, Any] | None", study.kept[asked])


def _estimates(study: Study, found: Completeness) -> dict[str, Any]:
    units = study.city.units
    return {
        "mapped": found.mapped,
        "listed": found.listed,
        "both": found.both,
        **_estimate(found.whole),
        "units": [
            {
                "code": str(units.code[one.unit]),
                "name": str(units.name[one.unit]),
                "name_en": units.name_en[one.unit],
                "mapped": one.mapped,
                "listed": one.listed,
                "both": one.both,
                **_estimate(one),
            }
            for one in found.units
        ],
    }


def _estimate(one: Estimate | None) -> dict[str, float | int | None]:
    """Places that one list at least names, those neither does, and the interval of these."""
    if one is None:
        return dict.fromkeys(("known", "missed", "missed_low", "missed_high"))
    low, high = one.low - one.known, one.high - one.known
    return {"known": one.known, "missed": one.missed, "missed_low": low, "missed_high": high}


def missed_of(found: Mapping[str, Any] | None, code: str | None) -> Mapping[str, Any] | None:
    """The estimate of one unit, None: of all; None where there is none."""
    if found is None:
        return None
    rows = [found] if code is None else [one for one in found["units"] if one["code"] == code]
    return next((one for one in rows if one["missed"] is not None), None)


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
    return rests_of_services(study, named)


def rests_of_services(
    study: Study, services: Iterable[str], *, group: str = TOTAL
) -> list[dict[str, Any]]:
    """The doubts of several services, each once, the most serious first."""
    lines = [
        line
        for service in services
        if service in study.policy.services
        for line in rests_document(study, Question(service, group=group))
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
