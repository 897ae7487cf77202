"""Scorecards that runs kept before groups, units and ways of judging were data.

They held every key of every kind of reading, and some under other names. What they left to the
code stands in ``policies/scorecard/earlier.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from lifecircle.analysis.policy.files import read_toml
from lifecircle.analysis.policy.sections.amounts import SETTING

_SINCE: Final = "judging"  # a scorecard that has it says everything itself
_DATA: Final = ("groups", "labels", "units", "target_year", "baseline_year")


def brought_up(scorecard: Any) -> Any:
    """The kept scorecard in today's form; None stays None."""
    if scorecard is None or _SINCE in scorecard:
        return scorecard
    known = _earlier()
    settings = scorecard["settings"]
    rows = {name: _row(name, row, settings) for name, row in scorecard["rows"].items()}
    return {
        **_renamed(scorecard),
        **{name: known[name] for name in _DATA},
        "judging": _answered(known["judging"], settings),
        "settings": {name: _setting(one) for name, one in settings.items()},
        "rows": rows,
        "not_computed": {one["id"]: _renamed(one) for one in scorecard["not_computed"]},
    }


@cache
def _earlier() -> Mapping[str, Any]:
    folder = files("lifecircle.analysis").joinpath("policies", "scorecard")
    return read_toml(folder.joinpath("earlier.toml"))


def _answered(words: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, str]:
    """What settings decide, of those that the scorecard has."""
    return {k: word for k, word in words.items() if word.removeprefix(SETTING) in settings}


def _setting(setting: Mapping[str, Any]) -> dict[str, Any]:
    choices = {one["id"]: one for one in setting["choices"]}
    return {**_renamed(setting), "choices": choices}


def _row(name: str, row: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    known = _earlier()
    setting, headlines = row["headline_setting"], row["headlines"]
    note = {"zh": row["note_zh"], "en": row["note_en"]}
    readings = {
        k: {**_renamed(one), **_answered(known["readings"].get(one["kind"], {}), settings)}
        for k, one in row["readings"].items()
    }
    return {
        **_renamed(row),
        "group": _group(name, row["nature"]),
        "scope": {"units": _renamed(row["scope"]), "stock": row["stock"]},
        "headline": headlines[""][0] if setting is None else SETTING + setting,
        "headlines": {} if setting is None else headlines,
        "note": None if row["note_zh"] is None else note,
        "readings": readings,
    }


def _group(name: str, nature: str | None) -> str:
    told = _earlier()["group_of"]
    return str(told["nature"] if nature else told["letters"].get(name[:1], told["others"]))


def _renamed(node: Any) -> Any:
    """The same under today's names of keys."""
    if isinstance(node, list):
        return [_renamed(part) for part in node]
    if not isinstance(node, Mapping):
        return node
    names = {}
    if "confidence" in node:
        names = {"text": "clause"}
    elif "unit_class" in node:
        names = {"unit_class": "class"}
    elif "role" in node:
        names = {"role": "as"}
    elif "attribute" in node:
        names = {"words": "is"}
    return {names.get(key, key): _renamed(below) for key, below in node.items()}
