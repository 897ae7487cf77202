"""Kept scenarios as documents: worked out, told again in a reader's language, rebased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from lifecircle.analysis.errors import InputError, Language, Warn
from lifecircle.analysis.measures.edits.reading import read_edits
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.texts import MESSAGES
from lifecircle.service.catalog.common import remarks
from lifecircle.service.catalog.scenarios.scenario import scenario_document
from lifecircle.service.database.audit import moment
from lifecircle.service.database.kept import Kept
from lifecircle.service.responses import encode
from lifecircle.service.state import AreaState

_ASKED: Final = ("minutes", "walker", "by")
_PLACE: Final = ("lon", "lat")
_SHAPES: Final = ("geometry", "coordinates")


@dataclass(frozen=True, slots=True)
class Rebased:
    """A scenario on another run: its fields there (None where it stays), what no longer fits."""

    held: dict[str, Any] | None
    misfits: list[dict[str, Any]]


def work_out(
    state: AreaState,
    question: Question,
    given: Any,
    *,
    lang: Language = "zh",
) -> dict[str, Any]:
    """The fields of a scenario that follow from its edits: `run, asked, edits, results`.

    Raises
    ------
    InputError, UnknownNameError, ParameterError : as `scenario_document`.
    """
    return held_of(scenario_document(state, question, given, lang=lang), question)


def held_of(document: Mapping[str, Any], question: Question) -> dict[str, Any]:
    """The same fields of a document that is worked out already."""
    plain: dict[str, Any] = orjson.loads(encode({**document, "changed_cells": None}))
    numbered = plain.pop("edits")
    return {
        "run": plain["base"]["run"],
        "asked": {name: getattr(question, name) for name in _ASKED},
        "edits": [{name: one[name] for name in one if name != "edit"} for one in numbered],
        "results": plain,
    }


def question_of(asked: Mapping[str, Any]) -> Question:
    """What was asked of the edits."""
    return Question(**{name: asked[name] for name in _ASKED if asked.get(name) is not None})


def kept_document(
    kept: Kept, current: str, lang: Language, history: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """A kept scenario; with its `history` also edits and results."""
    held = kept.held
    results = held["results"]
    told = {
        "id": kept.id,
        "area": kept.area,
        "version": kept.version,
        "title": held["title"],
        "author": held["author"],
        "note": held["note"],
        "created": moment(kept.created),
        "changed": moment(kept.changed),
        "base": {"run": held["run"], "current": held["run"] == current},
        **held["asked"],
        "edits_in_all": len(held["edits"]),
        "winners": results["winners"]["residents"],
        "losers": results["losers"]["residents"],
    }
    if history is None:
        return told
    again = {**results, "stored": True, "edits": held["edits"]}
    again["warnings"] = _said_again(again["warnings"], lang)
    again["services"] = [
        {**one, "warnings": _said_again(one["warnings"], lang)} for one in again["services"]
    ]
    return {**told, "edits": held["edits"], "results": again, "history": list(history)}


def _said_again(found: Sequence[Mapping[str, Any]], lang: Language) -> list[dict[str, Any]]:
    """Remarks in the language of whoever reads now; one that has no text any more as it was."""
    return [
        remarks([Warn(one["key"], one["params"])], lang)[0]
        if MESSAGES.has(one["key"])
        else dict(one)
        for one in found
    ]


def rebase(state: AreaState, kept: Kept, *, leave_out: bool, lang: Language = "zh") -> Rebased:
    """A scenario's edits on another run.

    What no longer fits is named by the number it has in the scenario. There is an answer where
    everything fits, or where the rest may be left out and something remains.
    """
    left = list(enumerate(kept.held["edits"], start=1))
    misfits: list[dict[str, Any]] = []
    while left:
        faults = _faults(state, [edit for _, edit in left], lang)
        if not faults:
            break
        misfits += [
            {"edit": left[at - 1][0], "op": left[at - 1][1]["op"], "key": key, "text": text}
            for at, key, text in faults
        ]
        gone = {at for at, _, _ in faults}
        left = [pair for at, pair in enumerate(left, start=1) if at not in gone]
    edits = [edit for _, edit in left]
    misfits.sort(key=lambda one: one["edit"])
    if not edits or (misfits and not leave_out):
        return Rebased(None, misfits)
    question = question_of(kept.held["asked"])
    return Rebased(work_out(state, question, edits, lang=lang), misfits)


def _faults(state: AreaState, edits: Sequence[Any], lang: Language) -> list[tuple[int, str, str]]:
    """What is wrong with edits on a run: the number of one, a key, a sentence."""
    try:
        read_edits(state.run.study, edits)
    except InputError as error:
        return [(one.row or 1, one.key, one.problem(lang)) for one in error.faults]
    return []


def edits_geojson(edits: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Edits as GeoJSON, a feature each, as they may be sent again."""
    features = []
    for one in edits:
        shape: Any = one.get("geometry")
        if "coordinates" in one:
            shape = {"type": "LineString", "coordinates": one["coordinates"]}
        elif one.get("lon") is not None:
            shape = {"type": "Point", "coordinates": [one["lon"], one["lat"]]}
        rest = {name: one[name] for name in one if name not in (*_PLACE, *_SHAPES)}
        features.append({"type": "Feature", "geometry": shape, "properties": rest})
    return {"type": "FeatureCollection", "features": features}
