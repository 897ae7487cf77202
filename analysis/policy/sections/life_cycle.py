"""Is a thing of OpenStreetMap open to people, gone, or still to come?

A thing says so by a tag (``disused=yes``), by a value (``building=ruins``), by a prefix
(``disused:amenity=clinic``, which closes the clinic and not what stands there now), by its hours
(``opening_hours=closed``), by a date (``end_date``) or by its name (``…（拟建）``). Which words
there are is policy data (``[life_cycle]`` of ``osm-words.toml``).
"""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import PlainSerializer

from lifecircle.analysis.policy.cited import Confidence
from lifecircle.analysis.policy.fields import Record, Source, Text, Texts, Words
from lifecircle.analysis.policy.names import has_word

State = Literal["gone", "planned"]

_STATES: Final[tuple[State, ...]] = ("gone", "planned")  # the first that is said holds

_DATE: Final = re.compile(r"(?<!\d)(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?(s)?(?![\d])")
_CENTURY: Final = re.compile(r"C(\d{1,2})", re.IGNORECASE)
_ENDS: Final = "end_date"
_STARTS: Final = ("start_date", "opening_date")
_HOURS: Final = "opening_hours"


@dataclass(frozen=True, slots=True)
class Life:
    """What a thing says of its life: `why` is the tag that says it, ``key=value``.

    `state` None: it is open. `service_only`: what is shut is the service, not the building it is
    in. `once`: the tags of what it was or shall be, by state, with the tag that says so, where a
    prefix does while the thing itself may be open.
    """

    state: State | None
    why: str
    service_only: bool
    once: Mapping[State, tuple[Mapping[str, str], str]]


OPEN: Final = Life(None, "", False, {})


_AnyWords = Annotated[frozenset[Text], PlainSerializer(sorted)]


@dataclass(frozen=True, slots=True)
class LifeCycle(Record):
    """The words that say a thing is `gone` or `planned`, cited as a whole.

    `unsaid`: values of such a tag that say nothing (``disused=no``). `value_keys`: keys whose
    value may be such a word (``building=ruins``). `prefixed_keys`: keys looked for behind a
    prefix. `hours_closed`: hours that mean never; `status_keys`, `status_closed`: tags of a state
    of their own. `gone_names`, `planned_names`: words of names.
    """

    source: Source
    clause: Text
    confidence: Confidence
    gone: Words
    planned: Words
    unsaid: Words
    value_keys: Words
    prefixed_keys: Words
    hours_closed: Words
    status_keys: _AnyWords = frozenset()
    status_closed: _AnyWords = frozenset()
    gone_names: Texts = ()
    planned_names: Texts = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key with a prefix that a file has to be searched for."""
        words = sorted(self.gone | self.planned)
        return tuple(f"{word}:{key}" for word in words for key in sorted(self.prefixed_keys))


class LifeReader:
    """Reads the life of things on a day; None: dates are not asked."""

    def __init__(self, rules: LifeCycle, today: date | None) -> None:
        self._rules = rules
        self._today = today
        self._words = rules.gone | rules.planned
        told = {_HOURS, _ENDS, *_STARTS, *rules.status_keys, *rules.keys}
        self._telling = self._words | told  # no other key says anything by itself

    def __call__(self, tags: Mapping[str, str], names: str) -> Life:
        """What the tags of a thing say; `names`: its own, as `names_of` gives them."""
        called = self._called(names)
        if (
            called is None
            and self._telling.isdisjoint(tags)
            and self._words.isdisjoint(tags.values())
        ):
            return OPEN
        said: dict[State, str] = {}
        shut: dict[State, str] = {} if called is None else {called: f"name={tags.get('name', '')}"}
        for key, value in tags.items():
            state = self._said(key, value)
            if state is not None:
                said.setdefault(state, f"{key}={value}")
            elif self._shut(key, value):
                shut.setdefault("gone", f"{key}={value}")
        for dated, state in _dated(tags, self._today) if self._today is not None else ():
            said.setdefault(state, dated)
        once = self._once(tags)
        for state in _STATES:
            for how, service_only in ((said, False), (shut, True)):
                if state in how:
                    return Life(state, how[state], service_only, once)
        return Life(None, "", False, once)

    def _called(self, names: str) -> State | None:
        if has_word(names, self._rules.gone_names):
            return "gone"
        return "planned" if has_word(names, self._rules.planned_names) else None

    def _once(self, tags: Mapping[str, str]) -> dict[State, tuple[Mapping[str, str], str]]:
        """The tags of what a thing was or shall be, after the prefixes of its keys."""
        once: dict[State, dict[str, str]] = {}
        why: dict[State, str] = {}
        for key, value in tags.items():
            prefix, _, rest = key.partition(":")
            state = self._of(prefix) if rest in self._rules.prefixed_keys else None
            if state is not None and rest not in tags:
                once.setdefault(state, dict(tags))[rest] = value
                why.setdefault(state, f"{key}={value}")
        return {state: (past, why[state]) for state, past in once.items()}

    def _of(self, word: str) -> State | None:
        if word in self._rules.gone:
            return "gone"
        return "planned" if word in self._rules.planned else None

    def _said(self, key: str, value: str) -> State | None:
        """What one tag says of the whole thing."""
        if key in self._rules.value_keys:
            return self._of(value)
        return None if value.casefold() in self._rules.unsaid else self._of(key)

    def _shut(self, key: str, value: str) -> bool:
        """Whether one tag says that the service is closed."""
        if key == _HOURS:
            return value.casefold().split('"')[0].strip(" ;") in self._rules.hours_closed
        rules = self._rules
        return key in rules.status_keys and value.casefold() in rules.status_closed


def _dated(tags: Mapping[str, str], today: date) -> list[tuple[str, State]]:
    found: list[tuple[str, State]] = []
    ends = tags.get(_ENDS)
    last = None if ends is None else last_day(ends)
    if last is not None and last < today:
        found.append((f"{_ENDS}={ends}", "gone"))
    for key in _STARTS:
        starts = tags.get(key)
        first = None if starts is None else first_day(starts)
        if first is not None and first > today:
            found.append((f"{key}={starts}", "planned"))
    return found


def last_day(text: str) -> date | None:
    """The last day a date of OpenStreetMap may mean; None where it cannot be told."""
    if text.casefold().startswith("after"):
        return None
    century = _CENTURY.search(text)
    if century is not None:
        return date(int(century[1]) * 100, 12, 31)
    dates = [_span(*match.groups()) for match in _DATE.finditer(text)]
    return max((last for _, last in filter(None, dates)), default=None)


def first_day(text: str) -> date | None:
    """The first day a date of OpenStreetMap may mean; None where it cannot be told."""
    if text.casefold().startswith("before") or _CENTURY.search(text):
        return None
    dates = [_span(*match.groups()) for match in _DATE.finditer(text)]
    return min((first for first, _ in filter(None, dates)), default=None)


def _span(
    year: str, month: str | None, day: str | None, decade: str | None
) -> tuple[date, date] | None:
    """The first and the last day of ``2019``, ``2019-04``, ``2019-04-30`` or ``2010s``."""
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        if day is not None:
            return first, first
        if month is not None:
            last_day = calendar.monthrange(first.year, first.month)[1]
            return first, date(first.year, first.month, last_day)
        return first, date(first.year + (9 if decade else 0), 12, 31)
    except ValueError:
        return None
