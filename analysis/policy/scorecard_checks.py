"""What makes a scorecard untrustworthy: numbers without a role, keys that contradict each other."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lifecircle.analysis.policy.faults import Blame, Place, PolicyFault
from lifecircle.analysis.policy.fields import ID, Record, Texts
from lifecircle.analysis.policy.reading_bases import SHARE
from lifecircle.analysis.policy.readings import Pooled
from lifecircle.analysis.policy.scorecard_model import (
    AT_LEAST,
    AT_MOST,
    Promise,
    Row,
    Scorecard,
    Setting,
)
from lifecircle.analysis.policy.sections.amounts import SETTING

# A setting is asked as a parameter beside these, so it cannot be called like one of them.
RESERVED: Final = ("area", "f", "lang", "level", "run", "set", "walker", "year")

_DIGITS: Final = r"\d+(?:\.\d+)?(?:万|%)?"

Told = tuple[Place, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Numerals(Record):
    """Chinese numerals that count in a plan: 一 before `counted`, 百千万 between 每 and `each`.

    `at_most` and `at_least`: words before a number that say which way a target binds.
    """

    counted: Texts = ()
    each: Texts = ()
    at_most: Texts = ()
    at_least: Texts = ()

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds every numeral: digits with the point, 万 or % that belong to them, and these."""
        parts = [_DIGITS]
        if self.counted:
            parts.append(f"一(?={_any(self.counted)})")
        if self.each:
            parts.append(f"(?<=每)[百千万](?={_any(self.each)})")
        return re.compile("|".join(parts))


NO_NUMERALS: Final = Numerals()


def _any(words: Texts) -> str:
    return "|".join(re.escape(word) for word in words)


def contradictions(card: Scorecard, numerals: Numerals, blame: Blame) -> Iterator[PolicyFault]:
    """Every fault of a scorecard whose form is right."""
    pattern = numerals.pattern
    for name, setting in card.settings.items():
        for path, key, params in _setting(name, setting):
            yield blame.fault(key, ("settings", name, *path), **params)
    rooms: tuple[tuple[str, Mapping[str, Promise]], ...] = (
        ("rows", card.rows),
        ("not_computed", card.not_computed),
    )
    for room, promises in rooms:
        for name, promise in promises.items():
            for path, key, params in _words(card, promise, pattern):
                yield blame.fault(key, (room, name, *path), **params)
    for name, row in card.rows.items():
        told = (*_target(card, row), *_direction(row, numerals), *_headline(card, row))
        for path, key, params in (*told, *_readings(row)):
            yield blame.fault(key, ("rows", name, *path), **params)


def _setting(name: str, setting: Setting) -> Iterator[Told]:
    if not ID.fullmatch(name):
        yield (), "policy_bad_id", {}
    if name in RESERVED:
        yield (), "scorecard_setting_reserved", {"value": name, "taken": ", ".join(RESERVED)}
    if (setting.amount is None) == (not setting.choices):
        yield (), "scorecard_setting", {}
    elif setting.choices and setting.default not in setting.choices:
        known = tuple(setting.choices)
        yield ("default",), "policy_unknown_name", {"value": setting.default, "known": known}
    elif setting.amount is not None:
        value = setting.amount.value
        if value < 0 or (setting.most is not None and value > setting.most):
            most = "" if setting.most is None else f"{setting.most:g}"
            yield ("amount",), "scorecard_setting_range", {"value": value, "most": most}
    elif setting.most is not None:
        yield ("most",), "scorecard_only_amount", {}


def _words(card: Scorecard, row: Promise, pattern: re.Pattern[str]) -> Iterator[Told]:
    """Numbers that stand nowhere, numerals without a role, a nature that its section has not."""
    phrases = [phrase.text for phrase in row.phrases]
    sections = [card.sections[p.section] for p in row.phrases if p.section in card.sections]
    natures = [section.nature for section in sections if section.nature is not None]
    beside = any(section.figure_beside for section in sections)
    if natures and row.nature not in natures:
        yield ("nature",), "scorecard_nature", {"value": natures[0]}
    elif row.nature is not None and not natures and _has_natures(card):
        yield ("nature",), "scorecard_nature_elsewhere", {"value": row.nature}
    for i, number in enumerate(row.numbers, start=1):
        stands = any(number.text in text for text in phrases)
        if not stands and not (beside and number.role == "target"):
            yield ("numbers", i), "scorecard_number_nowhere", {"value": number.text}
    for text in phrases:
        for found in pattern.finditer(text):
            if not any(_holds(number.text, text, found) for number in row.numbers):
                params = {"value": found[0], "phrase": text}
                yield ("numbers",), "scorecard_number_unmapped", params


def _has_natures(card: Scorecard) -> bool:
    return any(section.nature is not None for section in card.sections.values())


def _holds(number: str, text: str, found: re.Match[str]) -> bool:
    """Whether a number's words cover a numeral where it stands."""
    at = text.find(number)
    while at >= 0:
        if at <= found.start() and found.end() <= at + len(number):
            return True
        at = text.find(number, at + 1)
    return False


def _target(card: Scorecard, row: Row) -> Iterator[Told]:
    """A target is one of the row's numbers, or the plan's words for all (or for none)."""
    target = row.target
    if target is not None:
        named = any(n.role == "target" and n.value == target.value for n in row.numbers)
        said = any(target.words in phrase.text for phrase in row.phrases)
        every = 1.0 if row.direction == AT_LEAST else 0.0
        if not (named or (target.value == every and said)):
            yield ("target",), "scorecard_target", {"value": f"{target.value:g}"}
        if row.unit == SHARE and not 0 <= target.value <= 1:
            yield ("target",), "policy_target_range", {"value": target.value}
    if row.unquantified and (target is not None or row.direction == AT_MOST):
        yield ("unquantified",), "scorecard_unquantified", {}
    if row.increase and (target is not None or row.unquantified):
        yield ("increase",), "scorecard_increase", {}
    allowed = [name for name, section in card.sections.items() if section.baselines]
    if row.baseline is not None and allowed and row.baseline.section not in allowed:
        params = {"value": row.baseline.section, "allowed": ", ".join(allowed)}
        yield ("baseline", "section"), "scorecard_baseline", params


def _direction(row: Row, numerals: Numerals) -> Iterator[Told]:
    """The plan's word before the target's number binds the other way than the row does."""
    opposed, right = (
        (numerals.at_most, AT_MOST) if row.direction == AT_LEAST else (numerals.at_least, AT_LEAST)
    )
    targets = [number.text for number in row.numbers if number.role == "target"]
    if row.target is None or not opposed or not targets:
        return
    bound = re.compile(rf"({_any(opposed)})\s*({_any(tuple(targets))})", re.IGNORECASE)
    found = next((hit for phrase in row.phrases if (hit := bound.search(phrase.text))), None)
    if found is not None:
        params = {"words": found[0], "value": row.direction, "mend": right}
        yield ("direction",), "scorecard_direction_words", params


def _headline(card: Scorecard, row: Row) -> Iterator[Told]:
    """The readings that are shown and judged exist, and are told in the row's own unit.

    Those judged of an increase are held against themselves: any unit does.
    """
    known = tuple(row.readings)
    asked: list[tuple[Place, str]] = [(("judged", i), o) for i, o in enumerate(row.judged, 1)]
    setting = row.headline_setting
    if setting is None:
        asked.append((("headline",), row.headline))
        if row.headlines:
            yield ("headlines",), "scorecard_headlines", {}
    elif setting not in card.settings or not card.settings[setting].choices:
        names = tuple(SETTING + i for i, one in card.settings.items() if one.choices)
        yield ("headline",), "policy_unknown_name", {"value": row.headline, "known": names}
    else:
        choices = card.settings[setting].choices
        if row.headlines:
            for choice in sorted(set(choices) ^ set(row.headlines)):
                params = {"value": choice, "choices": ", ".join(choices)}
                yield ("headlines", choice), "scorecard_headline_choice", params
        for choice in choices:
            path: Place = ("headlines", choice) if row.headlines else ("headline",)
            asked += [(path, one) for one in row.headlines.get(choice, (choice,))]
    for path, name in asked:
        if name not in row.readings:
            yield path, "policy_unknown_name", {"value": name, "known": known}
        elif row.readings[name].unit != row.unit and not (row.increase and path[0] == "judged"):
            params = {"reading": name, "value": row.readings[name].unit, "unit": row.unit}
            yield ("unit",), "scorecard_unit_differs", params


def _readings(row: Row) -> Iterator[Told]:
    for name, reading in row.readings.items():
        for path, key, params in reading.contradictions():
            yield ("readings", name, *path), key, params
        if isinstance(reading, Pooled):
            others = {k: one for k, one in row.readings.items() if not isinstance(one, Pooled)}
            for at, one in enumerate(reading.of, start=1):
                if one not in others:
                    params = {"value": one, "known": tuple(others)}
                    yield ("readings", name, "of", at), "policy_unknown_name", params
