"""Circles (便民 and 健身) as a document: residents complete, incomplete, not assessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.circles import (
    CircleRow,
    Circles,
    CircleTable,
    circle_table,
    circles,
)
from lifecircle.analysis.measures.names import circle_of
from lifecircle.analysis.measures.opening import (
    OPEN,
    StudyAt,
    moment_of,
    night_moment,
    night_states,
    study_at,
)
from lifecircle.analysis.measures.question import Question, Study, settle
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import BoolArray
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.at_time import at_document, at_warnings
from lifecircle.service.catalog.common import remarks, title_of
from lifecircle.service.catalog.firm.bands import Bands, kept_bands
from lifecircle.service.catalog.rests import rests_of_services

Variant = Literal["own", "all_at", "upgraded", "with_optional", "night"]
VARIANTS: Final[tuple[Variant, ...]] = ("own", "all_at", "upgraded", "with_optional", "night")


@dataclass(frozen=True, slots=True)
class CirclesAnswer:
    """One variant of a kind: figures by unit and table by cell.

    In the evening `upper` counts unknown hours too, and `open` (f,) are the places surely open.
    """

    figures: Circles
    table: CircleTable
    upper: Circles | None = None
    open: BoolArray | None = None
    at: StudyAt | None = None

    @property
    def remarks(self) -> tuple[Warn, ...]:
        """What is not known of opening hours, and what the figures say."""
        told = () if self.at is None else tuple(at_warnings(self.at))
        return (*told, *self.figures.warnings)


def variants_of(policy: Policy, kind: str) -> tuple[Variant, ...]:
    """The variants that the policy has for a kind."""
    rule = policy.circles[kind]
    has = {
        "own": True,
        "all_at": True,
        "upgraded": bool(rule.upgraded),
        "with_optional": any(policy.services[service].optional for service in rule.services),
        "night": rule.night_hour is not None,
    }
    return tuple(variant for variant in VARIANTS if has[variant])


def night_text(policy: Policy, kind: str) -> str | None:
    """The moment of the evening variant as asked for over HTTP; None where a kind has none."""
    moment = night_moment(policy, kind)
    return None if moment is None else moment.text


def circle_shown(policy: Policy, kind: str | None) -> str:
    """The kind of circle a page shows: that of this id or title, the policy's first for None.

    Raises
    ------
    UnknownNameError : the policy has no such kind of circle.
    """
    return circle_of(policy, next(iter(policy.circles), "") if kind is None else kind)


def answer_circles(
    study: Study, question: Question, kind: str, variant: Variant = "own"
) -> CirclesAnswer:
    """One variant of a kind, as the document and the map show it."""
    if variant == "all_at":
        minutes = study.policy.circles[kind].minutes_all.value
        return _answer(study, replace(question, minutes=minutes), kind)
    if variant == "night":
        moment = night_moment(study.policy, kind)
        assert moment is not None
        states = night_states(study.city, study.policy, moment)
        at = study_at(study, moment, _required(study.policy, kind), states)
        return replace(_answer_at(question, kind, at), open=states == OPEN)
    return _answer(
        study,
        question,
        kind,
        optional=variant == "with_optional",
        upgraded=variant == "upgraded",
    )


def circles_document(
    run: Run, question: Question, *, kind: str | None = None, lang: Language = "zh"
) -> dict[str, Any]:
    """The circles of a run by kind, each with its variants.

    Every block holds each service's own minutes; beside it stand ``all_at`` (all at one time),
    ``upgraded`` (品质提升类 apart), ``with_optional`` (opened school grounds counted) and
    ``night`` (what is open and lit in the evening), where the policy has them. At a moment the
    block is what is known to be open then, and ``upper`` what may be.

    Raises
    ------
    UnknownNameError : the policy has no such kind of circle.
    ParameterError : the moment cannot be read.
    """
    rules = run.policy.circles
    question = settle(run.study, question)
    kind = None if kind is None else circle_of(run.policy, kind)
    moment = None if question.at is None else moment_of(question.at)
    bands = kept_bands(run, question.walker, at=question.at) if question.minutes is None else None
    blocks = {}
    for one in [kind] if kind is not None else list(rules):
        head = {"kind": one, "title": title_of(rules[one].title)}
        if moment is None:
            blocks[one] = {**head, **_variants(run, question, one, lang)}
        else:
            at = study_at(run.study, moment, _required(run.policy, one))
            blocks[one] = {**head, **_range(_answer_at(question, one, at), lang)}
        blocks[one]["band"] = _band(bands, one, blocks[one])
        blocks[one]["rests_on"] = rests_of_services(run.study, rules[one].services)
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "minutes": question.minutes,
        "walker": question.walker,
        "by": next((block["by"] for block in blocks.values()), question.by),
        "at": None if moment is None else moment.text,
        "circles": blocks,
    }


def _band(bands: Bands | None, kind: str, block: Mapping[str, Any]) -> dict[str, Any] | None:
    """Between what the share of all residents lies, where bands are kept."""
    if bands is None:
        return None
    return bands.circle(kind, block["total"]["share"])


def _variants(run: Run, question: Question, kind: str, lang: Language) -> dict[str, Any]:
    """The block of a kind with its variants beside it."""
    found = answer_circles(run.study, question, kind)
    block = {**_figures(found.figures), "warnings": remarks(found.remarks, lang)}
    for variant in variants_of(run.policy, kind)[1:]:
        if variant == "all_at" and question.minutes is not None:
            continue
        one = answer_circles(run.study, question, kind, variant)
        block[variant] = _range(one, lang) if variant == "night" else _figures(one.figures)
    return block


def _range(found: CirclesAnswer, lang: Language) -> dict[str, Any]:
    """What is known to be open at a moment; ``upper`` with what may be."""
    assert found.at is not None
    assert found.upper is not None
    return {
        **at_document(found.at),
        **_figures(found.figures),
        "upper": _figures(found.upper),
        "warnings": remarks(found.remarks, lang),
    }


def _required(policy: Policy, kind: str) -> tuple[str, ...]:
    listed = policy.circles[kind].services
    return tuple(service for service in listed if not policy.services[service].optional)


def _answer(
    study: Study, question: Question, kind: str, *, optional: bool = False, upgraded: bool = False
) -> CirclesAnswer:
    return CirclesAnswer(
        circles(study, question, kind=kind, optional=optional, upgraded=upgraded),
        circle_table(study, question, kind=kind, optional=optional, upgraded=upgraded),
    )


def _answer_at(question: Question, kind: str, at: StudyAt) -> CirclesAnswer:
    upper = circles(at.upper, question, kind=kind)
    return replace(_answer(at.lower, question, kind), upper=upper, at=at)


def _figures(found: Circles) -> dict[str, Any]:
    return {
        "minutes": found.minutes,
        "walker": found.walker,
        "by": found.by,
        "required": found.required,
        "assessed": list(found.assessed),
        "not_assessed": list(found.not_assessed),
        "total": _row(found.total),
        "units": [_row(row) for row in found.units],
    }


def _row(row: CircleRow) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "residents": row.residents,
        "complete": row.complete,
        "incomplete": row.incomplete,
        "not_assessed": row.not_assessed,
        "share": row.share,
        "share_all": row.share_all,
        "score": row.score,
        "unsnapped": row.unsnapped,
        "unsnapped_no_street": row.unsnapped_no_street,
        "unsnapped_short_piece": row.unsnapped_short_piece,
        "missing": [{"service": service, "residents": n} for service, n in row.missing],
    }
