"""The scorecard as a document: every promise of the plan, judged in the readings the data allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_args

import numpy as np

from lifecircle.analysis.errors import Language, ParameterError
from lifecircle.analysis.measures.names import walker_of
from lifecircle.analysis.measures.residents import NOBODY_COUNTED
from lifecircle.analysis.measures.scorecard.result import (
    LeftOut,
    Missing,
    Outcome,
    RowResult,
    ScorecardResult,
    Status,
)
from lifecircle.analysis.policy.attributes import attributes
from lifecircle.analysis.policy.cited import Cited
from lifecircle.analysis.policy.readings import Reading
from lifecircle.analysis.policy.scorecard_model import (
    Phrase,
    Promise,
    Row,
    Scorecard,
    Setting,
    Unit,
)
from lifecircle.analysis.policy.sections.amounts import settings_in
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import head_of, remarks, title_of
from lifecircle.service.catalog.firm.bands import Bands, kept_bands
from lifecircle.service.catalog.rests import rests_of_area, rests_of_row
from lifecircle.service.catalog.years.trend import Timeline, timeline_of

STATUSES: Final[tuple[Status, ...]] = get_args(Status)


def scorecard_document(
    run: Run,
    *,
    walker: str = "adult",
    level: str | None = None,
    year: int | None = None,
    settings: Mapping[str, str | float] | None = None,
    others: Sequence[Run] = (),
    lang: Language = "zh",
) -> dict[str, Any]:
    """All rows of a run's scorecard; fractions 0-1, unrounded.

    `others`: runs of other years of the area, for the trend of each row.

    Raises
    ------
    ParameterError : the run's policy has no scorecard; an answer that a setting does not take.
    UnknownNameError : no such walker, level or setting.
    """
    walker = walker_of(run.policy, walker).id
    timeline = timeline_of(run, others, walker=walker, level=level, year=year, settings=settings)
    return document_of(timeline, lang)


def settings_given(
    pairs: Iterable[str], named: Mapping[str, str | float] | None = None
) -> dict[str, str | float]:
    """Settings from texts ``name=value`` and from parameters of their own names.

    Raises
    ------
    ParameterError : a text that sets nothing; a setting that is set twice, differently.
    """
    given: dict[str, str | float] = dict(named or {})
    for pair in pairs:
        name, sign, value = (part.strip() for part in pair.partition("="))
        if not (name and sign and value):
            raise ParameterError("scorecard_setting_pair", given=pair, example="missing=worst")
        if name in given and str(given[name]) != value:
            first = given[name]
            raise ParameterError("scorecard_setting_twice", name=name, first=first, second=value)
        given[name] = value
    return given


def document_of(timeline: Timeline, lang: Language) -> dict[str, Any]:
    """A computed scorecard as a document."""
    run, found = timeline.run, timeline.found
    manifest = run.manifest
    counts = Counter(row.status for row in found.rows)
    bands = _bands(run, found)
    rows = [
        {
            **_row(timeline, row, lang),
            "band": None if bands is None else bands.row(row.row.id, row.figure.value),
        }
        for row in found.rows
    ]
    nobody = () if run.city.cells.counted else (NOBODY_COUNTED,)
    return {
        **head_of(manifest),
        "policy": {
            "id": manifest.policy_id,
            "digest": manifest.policy_digest,
            "title": title_of(run.policy.title),
            "source": found.scorecard.source,
        },
        "walker": found.walker,
        "walker_title": title_of(run.policy.walkers[found.walker].title),
        "year": found.year,
        "level": found.level,
        "settings": [_setting(found, name) for name in found.scorecard.settings],
        "counts": {status: counts[status] for status in STATUSES},
        "rows": rows,
        "not_computed": [_promise(promise) for promise in found.scorecard.not_computed.values()],
        "groups": [
            {
                "id": name,
                "title": title_of(group.title),
                "about": None if group.about is None else title_of(group.about),
            }
            for name, group in found.scorecard.groups.items()
        ],
        "units": units_document(found.scorecard),
        "labels": {k: title_of(title) for k, title in found.scorecard.labels.items()},
        "target_year": found.scorecard.target_year,
        "final": is_final(found.scorecard, manifest.created),
        "baseline_year": found.scorecard.baseline_year,
        **timeline.document(),
        "inputs": [
            {"role": one.role, "name": one.name, "sha256": one.sha256} for one in manifest.inputs
        ],
        "rests_on": rests_of_area(line for row in rows for line in row["rests_on"]),
        "warnings": remarks((*nobody, *run.city.warnings), lang),
    }


def _bands(run: Run, found: ScorecardResult) -> Bands | None:
    """The bands kept with the run, if they are of a scorecard with these settings."""
    card = found.scorecard
    plain = all(found.settings[name] == default_of(one) for name, one in card.settings.items())
    if not plain or found.level is not None or found.year is not None:
        return None
    return kept_bands(run, found.walker)


def _setting(found: ScorecardResult, name: str) -> dict[str, Any]:
    setting = found.scorecard.settings[name]
    return {
        "setting": name,
        "title": title_of(setting.title),
        "value": found.settings[name],
        "default": default_of(setting),
        "choices": [
            {"id": choice.id, "title": title_of(choice.title)}
            for choice in setting.choices.values()
        ],
        "source": None if setting.amount is None else _amount(setting.amount),
        "most": setting.most,
    }


def default_of(setting: Setting) -> str | float | None:
    """What a setting is where nobody sets it."""
    return setting.default if setting.amount is None else setting.amount.value


def units_document(card: Scorecard) -> dict[str, Any]:
    """Every unit that a row, a reading or a baseline is told in, and how it is shown."""
    asked: dict[str, None] = {}
    for row in card.rows.values():
        asked |= dict.fromkeys((row.unit, *(one.unit for one in row.readings.values())))
        if row.baseline is not None:
            asked[row.baseline.unit] = None
    return {name: _unit(card.unit(name)) for name in asked}


def _unit(unit: Unit) -> dict[str, Any]:
    return {
        "title": {"zh": unit.zh, "en": unit.en},
        "show": unit.show,
        "decimals": unit.places,
    }


def _amount(amount: Cited) -> dict[str, Any]:
    return {
        "value": amount.value,
        "clause": amount.clause,
        "source": amount.source,
        "confidence": amount.confidence,
    }


def _row(timeline: Timeline, found: RowResult, lang: Language) -> dict[str, Any]:
    run, card, row = timeline.run, timeline.found.scorecard, found.row
    figure = found.figure
    return {
        "id": row.id,
        "section": row.section,
        "phrase": row.phrases[0].text,
        "target": found.target,
        "unit": row.unit,
        "nature": row.nature,
        "baseline": _baseline(row),
        "readings": {name: outcome.value for name, outcome in found.outcomes.items()},
        "headline": found.headline,
        "status": found.status,
        "assessed_share": figure.assessed_share,
        "missing": [_missing(one, lang) for one in found.missing],
        "clause": "; ".join(f"{one.section}: {one.text}" for one in row.phrases),
        "title": title_of(row.title),
        "direction": row.direction,
        "increase": row.increase,
        **timeline.of_row(found),
        "group": row.group,
        "source": row.source,
        "phrases": [_phrase(one) for one in row.phrases],
        "numbers": [{"text": one.text, "value": one.value, "as": one.role} for one in row.numbers],
        "target_words": None if row.target is None else row.target.words,
        "scope": {
            "units": [{"level": one.level, "class": one.unit_class} for one in row.scope.units],
            "stock": row.scope.stock,
        },
        "value": figure.value,
        "lower": figure.lower,
        "upper": figure.upper,
        "judged": list(found.judged),
        "details": {
            name: _outcome(row.readings[name], outcome, lang)
            for name, outcome in found.outcomes.items()
        },
        "left_out": [_left_out(one) for one in found.left_out],
        "unknown": [_left_out(one) for one in found.unknown],
        "by_unit": [
            {
                "code": one.code,
                "name": one.name,
                "name_en": one.name_en,
                "value": one.value,
                "have": one.have,
                "of": one.of,
                "unknown": one.unknown,
                "trend": timeline.of_unit(found, one.code),
            }
            for one in found.by_unit
        ],
        "settings": list(_settings_of(card, row)),
        "sources": _sources(run, row),
        "note": None if row.note is None else title_of(row.note),
        "rests_on": rests_of_row(run.study, row),
        "remarks": remarks(found.warnings, lang),
    }


def is_final(card: Scorecard, created: str) -> bool:
    """Whether the target year was over when a run was made: the assessment at the term's end."""
    return card.target_year is not None and int(created[:4]) > card.target_year


def _baseline(row: Row) -> dict[str, Any] | None:
    base = row.baseline
    if base is None:
        return None
    return {
        "value": base.value,
        "unit": base.unit,
        "year": base.year,
        "section": base.section,
        "sentence": base.sentence,
        "comparable": base.comparable,
    }


def _phrase(phrase: Phrase) -> dict[str, str]:
    return {"section": phrase.section, "text": phrase.text}


def _missing(missing: Missing, lang: Language) -> dict[str, Any]:
    return {
        "kind": missing.kind,
        "name": missing.name,
        "title": title_of(missing.title),
        "lacking": missing.lacking,
        "of": missing.of,
        "text": missing.text(lang),
    }


def _outcome(reading: Reading, outcome: Outcome, lang: Language) -> dict[str, Any]:
    return {
        "title": title_of(reading.title),
        "kind": reading.kind,
        "unit": reading.unit,
        "value": outcome.value,
        "lower": outcome.lower,
        "upper": outcome.upper,
        "have": outcome.have,
        "of": outcome.of,
        "assessed_share": outcome.assessed_share,
        "parts": [
            {"service": one.service, "value": one.value, "land": one.land} for one in outcome.parts
        ],
        "missing": [_missing(one, lang) for one in outcome.missing],
        "remarks": remarks(outcome.warnings, lang),
    }


def _left_out(one: LeftOut) -> dict[str, Any]:
    return {
        "reading": one.reading,
        "level": one.level,
        "code": one.code,
        "name": one.name,
        "name_en": one.name_en,
        "facility": one.facility,
        "persons": one.persons,
        "value": one.value,
        "label": one.label,
    }


def _settings_of(card: Scorecard, row: Row) -> list[str]:
    """The settings a row's own figures depend on, beside those that all rows share."""
    named = dict.fromkeys(settings_in((row.headline, row.readings)))
    if any(reading.walks for reading in row.readings.values()):
        named |= dict.fromkeys(settings_in(card.judging.walk))
    if row.unquantified:
        named |= dict.fromkeys(settings_in(card.judging.unquantified))
    return list(named)


def _sources(run: Run, row: Row) -> dict[str, Any]:
    """Services and attributes a row reads, with the places found of each service."""
    services, columns, statistics = needs(row)
    places = run.city.facilities
    found = np.bincount(places.service, minlength=len(places.service_ids)).tolist()
    count = Counter(dict(zip(places.service_ids, found, strict=True)))
    held = run.city.statistics
    given = set() if held is None else set(held.attribute.tolist())
    return {
        "services": [
            {"service": one, "facilities": count[one], "assessed": run.city.assessed(one)}
            for one in services
        ],
        "columns": [{"column": one, **_attribute("facility", one)} for one in columns],
        "statistics": [
            {"attribute": one, "given": one in given, **_attribute("unit", one)}
            for one in statistics
        ],
    }


def _attribute(owner: Any, name: str) -> dict[str, Any]:
    one = attributes()[owner][name]
    return {"title": title_of(one.title), "unit": one.unit}


def needs(row: Row) -> tuple[list[str], list[str], list[str]]:
    """Services, columns of facilities and statistics of units that a row's readings name."""
    services: dict[str, None] = {}
    columns: dict[str, None] = {}
    statistics: dict[str, None] = {}
    for reading in row.readings.values():
        services |= dict.fromkeys(reading.places())
        columns |= dict.fromkeys(reading.columns())
        for one in reading.operands():
            services |= dict.fromkeys(one.of)
            columns |= dict.fromkeys(c for c in (one.column, one.sum) if c is not None)
            statistics |= dict.fromkeys(s for s in (one.stat,) if s is not None)
            if one.residents or one.group is not None:
                statistics[one.group or "residents"] = None
    known = attributes()["unit"]
    return list(services), list(columns), [name for name in statistics if name in known]


def _promise(promise: Promise) -> dict[str, Any]:
    return {
        "id": promise.id,
        "section": "; ".join(dict.fromkeys(one.section for one in promise.phrases)),
        "phrase": promise.phrases[0].text,
        "phrases": [_phrase(one) for one in promise.phrases],
        "title": title_of(promise.title),
        "nature": promise.nature,
        "numbers": [
            {"text": one.text, "value": one.value, "as": one.role} for one in promise.numbers
        ],
        "reason": "not_spatial",
    }
