"""The true answer of every row of the plan's scorecard, from what was planted and plain counting.

The statuses were planted: `tests/cities/test_springcity_rows.py` holds the counted values against
the plan's targets. Nothing here comes from `lifecircle.analysis.measures`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry import Polygon

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.springcity.facts import Facts, Value
from lifecircle.analysis.demo.springcity.ground.areas import Area
from lifecircle.analysis.demo.springcity.places import Place
from lifecircle.analysis.demo.springcity.plan import to_city
from lifecircle.analysis.demo.springcity.residents import People
from lifecircle.analysis.demo.springcity.units import Unit, UnitTable
from lifecircle.analysis.demo.truth.counting import State, every, share, some
from lifecircle.analysis.demo.truth.reach import Reach
from lifecircle.analysis.quantities import BoolArray

FITNESS: Final = (
    "fitness_indoor",
    "fitness_outdoor",
    "sports_pitch",
    "swimming_pool",
    "fitness_trail",
)
OUTDOORS: Final = frozenset({"fitness_outdoor", "sports_pitch", "fitness_trail"})
REFITTED: Final = ("service_station", "day_care", "elder_care", "culture_centre")

Table = dict[str, Any]
Qualifies = Callable[[Place], State]


@dataclass(slots=True)
class Ledger:
    """All that the rows count: places with the units that hold them, statistics, walks."""

    places: Sequence[Place]
    areas: Sequence[Area]
    units: UnitTable
    people: People
    facts: Facts
    reach: Reach
    minutes: Mapping[str, float]
    holder: dict[str, list[str | None]] = field(default_factory=dict)
    area_holder: dict[str, dict[int, str | None]] = field(default_factory=dict)

    @property
    def residents(self) -> int:
        """All residents."""
        return int(self.people.residents.sum())

    def of(self, *levels: str) -> list[Unit]:
        """The units of some levels."""
        return [unit for level in levels for unit in self.units.of_level(level)]

    def fact(self, unit: Unit, attribute: str) -> Value | None:
        """A statistic of a unit, None where unknown."""
        return self.facts.get((unit.code, attribute))

    def number(self, unit: Unit, attribute: str) -> float | None:
        """The same as a number."""
        value = self.fact(unit, attribute)
        return None if value is None else float(value)

    def flag(self, unit: Unit, attribute: str) -> State:
        """The same as yes, no or unknown."""
        return yes_no(self.fact(unit, attribute))

    def flags(self, attribute: str, *levels: str) -> Table:
        """The share of units of some levels for which a flag is yes."""
        return share({unit.code: self.flag(unit, attribute) for unit in self.of(*levels)})

    def at(self, level: str) -> list[str | None]:
        """Code of the unit of a level that holds each place; a declared unit wins."""
        if level not in self.holder:
            xy = to_city(np.array([place.lonlat for place in self.places]))
            codes = holders(self.units, level, xy)
            above = {u.code: u.parent for u in self.of("community", "village")}
            for k, place in enumerate(self.places):
                said = str(place.attributes.get("unit_code", ""))
                if said and level in {"community", "village"} and self._level(said) == level:
                    codes[k] = said
                elif said and self._level(above.get(said, "")) == level:
                    codes[k] = above[said]
            self.holder[level] = codes
        return self.holder[level]

    def _level(self, code: str) -> str | None:
        return next((unit.level for unit in self.units.units if unit.code == code), None)

    def areas_at(self, level: str) -> dict[int, str | None]:
        """Code of the unit of a level that holds the middle of each area with a service."""
        if level not in self.area_holder:
            offering = list(self.reach.offers)
            middles = [Polygon(self.areas[k].ring).centroid.coords[0] for k in offering]
            codes = holders(self.units, level, np.array(middles))
            self.area_holder[level] = dict(zip(offering, codes, strict=True))
        return self.area_holder[level]

    def having(
        self, levels: Iterable[str], services: Iterable[str], qualifies: Qualifies | None = None
    ) -> dict[str, State]:
        """Which units hold a place of some services (that qualifies)."""
        wanted = set(services)
        states: dict[str, list[State]] = {u.code: [False] for u in self.of(*levels)}
        for level in levels:
            for place, code in zip(self.places, self.at(level), strict=True):
                if place.service in wanted and code is not None:
                    states[code].append(True if qualifies is None else qualifies(place))
            if qualifies is None:
                for area, code in self.areas_at(level).items():
                    if self.reach.offers[area] & wanted and code is not None:
                        states[code].append(True)
        return {code: some(*found) for code, found in states.items()}

    def inside(self, *levels: str) -> BoolArray:
        """Which cells lie in a unit of some levels."""
        held = [self.people.member[level] != None for level in levels]  # noqa: E711
        found: BoolArray = np.any(held, axis=0)
        return found


def holders(units: UnitTable, level: str, xy: np.ndarray) -> list[str | None]:
    """Code of the unit of a level around each place, None where there is none."""
    table = units.of_level(level)
    codes: list[str | None] = [None] * len(xy)
    if len(xy):
        tree = shapely.STRtree([unit.outline for unit in table])
        place, unit = tree.query(shapely.points(xy), predicate="within")
        for k, one in sorted(zip(place.tolist(), unit.tolist(), strict=True), reverse=True):
            codes[k] = table[one].code
    return codes


def yes_no(value: Value | None) -> State:
    """Yes, no, or unknown where nothing is told."""
    return {kinds.YES: True, kinds.NO: False}.get(str(value))


def says(attribute: str, *words: str) -> Qualifies:
    """Whether a place's attribute is one of some words; unknown where nothing is told."""

    def asked(place: Place) -> State:
        told = place.attributes.get(attribute, "")
        return None if told == "" else told in words

    return asked


def at_least(attribute: str, least: float) -> Qualifies:
    """Whether a place's number is large enough; unknown where nothing is told."""

    def asked(place: Place) -> State:
        told = place.attributes.get(attribute, "")
        return None if told == "" else float(told) >= least

    return asked


GOVERNMENT: Final = says("ownership", kinds.GOVERNMENT)
INCLUSIVE: Final = says("inclusive", kinds.YES)


def open_all_day(place: Place) -> State:
    """Whether a shop is open around the clock, as the map or the table has it."""
    hours = place.tags.get("opening_hours") or place.attributes.get("opening_hours", "")
    return None if hours == "" else hours in {"24/7", "24小时"}


def usable_in_the_evening(place: Place) -> State:
    """Whether a fitness place is open at eight on a weekday and, outdoors, not dark.

    Outdoors one that is said to be lit is open unless its hours say it is closed, one that is
    said to be dark is not; where nothing is said of light, the hours tell.
    """
    told = place.tags.get("opening_hours") or place.attributes.get("opening_hours", "")
    hours = kinds.EVENING.get(str(told))
    if place.service not in OUTDOORS:
        return hours
    lit = yes_no(place.attributes.get("lit"))
    if lit is False:
        return False
    return True if lit and hours is None else hours


def daily_hours(place: Place) -> State:
    """Whether a service station's shortest open day has eight hours, by what was planted."""
    for hours in kinds.STATION_HOURS:
        if hours.text == place.attributes.get("opening_hours", ""):
            return None if hours.fewest is None else hours.fewest >= 8.0
    raise AssertionError(place)


def told(place: Place, attribute: str) -> float | None:
    """A number of a place's row, None where unknown."""
    value = place.attributes.get(attribute, "")
    return None if value == "" else float(value)


def refitted(*flags: str) -> Qualifies:
    """Whether a facility was refitted in all of some ways."""

    def asked(place: Place) -> State:
        return every(*(yes_no(place.attributes.get(flag, "")) for flag in flags))

    return asked


def row(status: str, reason: str, headline: str, readings: Mapping[str, Table]) -> Table:
    """One row of the truth table."""
    return {"status": status, "reason": reason, "headline": headline, "readings": dict(readings)}


NOT_ASSESSED: Final[Table] = {"value": None}
