"""Which facilities are open at a moment of the week: open, closed, or not known.

A moment is a weekday (or a public holiday) and a time of day, judged in one fixed ordinary
week. Hours that are missing, cannot be read, or depend on something else are unknown: such a
facility is neither open nor closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd

from lifecircle.analysis.city.model import City, Facilities, StrArray
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.facility_subset import with_only
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import Int32Array, read_only
from lifecircle.analysis.readers.opening_hours import DAYS, is_open, open_spans, osm_hours

OPEN, CLOSED, UNKNOWN = 1, 0, -1
_MONDAY: Final = datetime(2025, 3, 3)  # an ordinary week: no public holiday of China in it
_HOLIDAY: Final = datetime(2025, 10, 1)  # a public holiday of China
_COUNTRY: Final = "CN"
_MOMENT: Final = re.compile(
    r"(?P<day>mo|tu|we|th|fr|sa|su|ph|(?:周|星期|礼拜)[一二三四五六日天]|(?:法定)?节假日)"
    r"[\s+,]*(?P<hour>[01]?\d|2[0-3])[:：](?P<minute>[0-5]\d)",
    re.IGNORECASE,
)
_CHINESE: Final = dict(zip("一二三四五六日天", (*DAYS, "Su"), strict=True))


@dataclass(frozen=True, slots=True)
class Moment:
    """A weekday (``Mo``..``Su``, ``PH`` a public holiday) and a minute of the day."""

    day: str
    minute: int

    @property
    def text(self) -> str:
        """``Sa 19:00``."""
        return f"{self.day} {self.minute // 60:02d}:{self.minute % 60:02d}"

    @property
    def when(self) -> datetime:
        """The moment in the fixed week (or on the fixed holiday)."""
        start = _HOLIDAY if self.day == "PH" else _MONDAY + timedelta(days=DAYS.index(self.day))
        return start + timedelta(minutes=self.minute)


def moment_of(text: str) -> Moment:
    """A moment as people write it: ``Sa 19:00``, ``周六 19:00``, ``PH 10:00``, ``节假日 10:00``.

    Raises
    ------
    ParameterError : it cannot be read.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise ParameterError("moment_unreadable", at=text)
    day = match["day"]
    if "假" in day:
        name = "PH"
    elif day[-1] in _CHINESE:
        name = _CHINESE[day[-1]]
    else:
        name = "PH" if day.lower() == "ph" else day.title()
    return Moment(name, 60 * int(match["hour"]) + int(match["minute"]))


@lru_cache(maxsize=262_144)
def state_at(text: str | None, moment: Moment) -> int:
    """`OPEN`, `CLOSED` or `UNKNOWN` at a moment, of hours in Chinese or in OSM's syntax."""
    osm = None if text is None else osm_hours(text)
    if osm is None:
        return UNKNOWN
    known = is_open(osm, moment.when, _COUNTRY)
    return UNKNOWN if known is None else OPEN if known else CLOSED


def hours_per_day(text: str | None, *, every_day: bool = False) -> float | None:
    """Fewest hours open on any day of an ordinary week on which it opens; None where unknown.

    With `every_day` days on which it stays closed count as 0 hours. The plan asks 每天不少于8小时
    and merely encourages opening on Saturdays and Sundays (三(一)3): days open are the reading.
    """
    osm = None if text is None else osm_hours(text)
    if osm is None:
        return None
    spans = open_spans(osm, _MONDAY, _MONDAY + timedelta(days=len(DAYS)), _COUNTRY)
    if spans is None:
        return None
    minutes = np.zeros(len(DAYS))
    for begin, until in spans:
        for day in range(len(DAYS)):
            low = max(begin, _MONDAY + timedelta(days=day))
            high = min(until, _MONDAY + timedelta(days=day + 1))
            minutes[day] += max(0.0, (high - low).total_seconds() / 60)
    counted = minutes if every_day else minutes[minutes > 0]
    return float(counted.min()) / 60 if len(counted) else 0.0


def states_at(facilities: Facilities, moment: Moment) -> Int32Array:
    """State of every facility at a moment by its opening hours, int32 (f,)."""
    each, texts = pd.factorize(hours_of(facilities), use_na_sentinel=False)
    of_text = [state_at(None if pd.isna(text) else text, moment) for text in texts]
    states = np.array(of_text, dtype=np.int32)[each]
    read_only(states)
    return states


def hours_of(facilities: Facilities) -> StrArray:
    """Opening hours of every facility as given, None where there are none, (f,)."""
    return facilities.texts("opening_hours")


def unreadable(texts: Iterable[str | None]) -> dict[str, int]:
    """Opening hours that are given and cannot be read, with how many facilities have them."""
    found: dict[str, int] = {}
    for text in texts:
        if text is not None and osm_hours(text) is None:
            found[text] = found.get(text, 0) + 1
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def night_moment(policy: Policy, kind: str) -> Moment | None:
    """The evening of a kind of circle (an ordinary Wednesday), None where it has none."""
    hour = policy.circles[kind].night_hour
    return None if hour is None else Moment("We", round(hour.value * 60))


def night_states(city: City, policy: Policy, moment: Moment) -> Int32Array:
    """State of every facility in the evening, int32 (f,): open, closed or unknown.

    Indoors the opening hours decide. Outdoors (services that are entered from all around) a
    place said to be unlit is closed and one said to be lit is open unless its hours say it is
    closed; where nothing is said of light the hours decide.
    """
    places = city.facilities
    states = states_at(places, moment).copy()
    outdoor = np.array(
        [
            service in policy.services and policy.services[service].attachment == "entrances"
            for service in places.service_ids
        ],
        dtype=np.bool_,
    )
    if len(outdoor):
        light, outside = places.numbers("lit"), outdoor[places.service]
        states[outside & (light == 1) & (states == UNKNOWN)] = OPEN
        states[outside & (light == 0)] = CLOSED
    read_only(states)
    return states


@dataclass(frozen=True, slots=True)
class OpenCount:
    """Facilities of one service by state, and hours given that nobody could read."""

    service: str
    facilities: int
    open: int
    closed: int
    unknown: int
    unreadable: dict[str, int]


@dataclass(frozen=True, slots=True)
class StudyAt:
    """A study at a moment: `lower` with unknown places closed, `upper` with them open.

    Both hold the walks to the services asked only.
    """

    moment: Moment
    lower: Study
    upper: Study
    counts: tuple[OpenCount, ...]


def study_at(
    study: Study, moment: Moment, services: Sequence[str], states: Int32Array | None = None
) -> StudyAt:
    """A study with only what is open at a moment.

    Parameters
    ----------
    services : those to walk to.
    states : of every facility, int32 (f,); None = by their hours.
    """
    by_hours = states_at(study.city.facilities, moment) if states is None else states
    counts = tuple(_count(study, by_hours, service) for service in services)
    lower = with_only(study, by_hours == OPEN, services)
    upper = lower
    if any(count.unknown for count in counts):
        upper = with_only(study, (by_hours == OPEN) | (by_hours == UNKNOWN), services)
    return StudyAt(moment, lower, upper, counts)


def _count(study: Study, states: Int32Array, service: str) -> OpenCount:
    places = study.city.facilities
    mine = places.of_service(service)
    state = states[mine]
    opened, unknown = int((state == OPEN).sum()), int((state == UNKNOWN).sum())
    return OpenCount(
        service,
        int(mine.sum()),
        opened,
        int(mine.sum()) - opened - unknown,
        unknown,
        unreadable(hours_of(places)[mine]),
    )
