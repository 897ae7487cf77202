"""What the evaluators of the scorecard stand on: units in scope, facilities that qualify, walks.

Everything is asked of one city once and kept for the other rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from lifecircle.analysis.access.nearest import (
    NearestFacility,
    along_of,
    goals_of,
    nearest_from_nodes,
    nearest_from_positions,
)
from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.measures.names import walker_of
from lifecircle.analysis.measures.opening import UNKNOWN as UNTOLD
from lifecircle.analysis.measures.opening import hours_per_day, moment_of, state_at
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.measures.scorecard.result import NO, UNKNOWN, YES, Missing, States
from lifecircle.analysis.measures.travelling import study_by
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.attributes import AREA, attributes
from lifecircle.analysis.policy.readings import Drive
from lifecircle.analysis.policy.scorecard_model import Scorecard
from lifecircle.analysis.policy.sections.amounts import SETTING, Amount, Condition, Selector
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    BoolArray,
    Int32Array,
    limit_cm,
)
from lifecircle.analysis.texts import Title, listed

_HOURS: Final = "daily_hours"
_OPENING: Final = "opening_hours"


@dataclass(frozen=True, slots=True)
class UnitSet:
    """Units a reading is about (n): `sure` where the unit surely is in scope."""

    index: Int32Array
    sure: BoolArray
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class SubsetWalks:
    """Walks to the nearest of some facilities: `cell_cm` (c,), `cell_facility`, `land_cm` (s,)."""

    cell_cm: Int32Array
    cell_facility: Int32Array
    land_cm: Int32Array


@dataclass(frozen=True)
class Ground:
    """One city under one policy and one set of answers to what the plan leaves open.

    `settings`: every setting of the scorecard with its value. `until`: no statistics of a later
    year.
    """

    study: Study
    scorecard: Scorecard
    settings: Mapping[str, str | float]
    walker: str
    until: int | None
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, made the first time only."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    @property
    def city(self) -> City:
        """The city of the study."""
        return self.study.city

    @property
    def travel(self) -> NearestFacility:
        """The walks of the study."""
        return self.study.travel

    @property
    def policy(self) -> Policy:
        """The policy of the study."""
        return self.study.policy

    @property
    def costs(self) -> WalkCosts:
        """What walking costs along the streets."""
        return self.study.costs

    @property
    def size(self) -> int:
        """Number of units; it also stands for the whole area."""
        return len(self.city.units.code)

    def amount(self, amount: Amount) -> float:
        """The value of an amount, looked up where a setting gives it."""
        if amount.value is not None:
            return amount.value
        return float(self.settings[str(amount.setting)])

    def word(self, said: str) -> str:
        """A word of the scorecard, looked up where a setting chooses it."""
        chosen = said.startswith(SETTING)
        return str(self.settings[said.removeprefix(SETTING)]) if chosen else said

    # ---- units ------------------------------------------------------------------------------

    def unit_set(self, selectors: Sequence[Selector]) -> UnitSet:
        """The units of a scope; where urban or rural is unknown they are not sure to be in it."""
        units = self.city.units
        sure: dict[int, bool] = {}
        missing: list[Missing] = []
        for selector in selectors:
            members = units.of_level(selector.level)
            if len(members) == 0:
                missing.append(self.no_units(selector.level))
            blank = 0
            for unit in members.tolist():
                told = units.unit_class[unit] or self.scorecard.class_of_level.get(selector.level)
                if selector.unit_class is None or told == selector.unit_class:
                    sure[unit] = True
                elif told is None:
                    sure.setdefault(unit, False)
                    blank += 1
            if blank:
                title = self.level_title(selector.level)
                missing.append(Missing("class", selector.level, title, blank, len(members)))
        index = np.array(sorted(sure), dtype=np.int32)
        return UnitSet(
            index, np.array([sure[int(i)] for i in index], dtype=np.bool_), tuple(missing)
        )

    def no_units(self, level: str) -> Missing:
        """That the area has no unit of a level."""
        return Missing("units", level, self.level_title(level))

    def level_title(self, level: str) -> Title:
        """What the policy calls a unit level; one it does not know by its id."""
        return self.policy.unit_levels.get(level) or Title(level, level)

    def members(self, base: Sequence[str]) -> Int32Array:
        """The units of some levels, int32 (k,); ``area`` is the whole area."""
        found = [
            np.array([self.size], dtype=np.int32)
            if level == AREA
            else self.city.units.of_level(level)
            for level in base
        ]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int32)

    def facilities_in(self, unit: int) -> BoolArray:
        """Which facilities (f,) lie in a unit (declared code or polygon)."""
        if unit == self.size:
            return np.ones(len(self.city.facilities), dtype=np.bool_)
        level = self.city.units.level[unit]
        inside: BoolArray = self.city.facilities.unit[level] == unit
        return inside

    def without_unit(self, rows: Int32Array) -> BoolArray:
        """Which of some facilities lie in no unit (the highest level aside where others are)."""
        held = self.city.facilities.unit
        levels = self.city.units.levels[1:] or self.city.units.levels
        inside = [held[level][rows] != NOBODY for level in levels]
        return ~np.any(inside, axis=0) if inside else np.ones(len(rows), dtype=np.bool_)

    # ---- facilities -------------------------------------------------------------------------

    def assessed(self, services: Sequence[str]) -> tuple[str, ...]:
        """Those of some services that can be judged."""
        return tuple(s for s in services if self.city.assessed(s))

    def no_services(self, services: Sequence[str]) -> tuple[Missing, ...]:
        """What is missing for those of some services that cannot be judged."""
        lacking = [self.policy.services[s] for s in services if not self.city.assessed(s)]
        return tuple(Missing("service", s.id, s.title) for s in lacking)

    def part_lists(self, services: Sequence[str]) -> tuple[Missing, ...]:
        """That the lists of some services cover a part of the area only."""
        lacking = [self.policy.services[s] for s in services if s in self.city.extents]
        return tuple(Missing("extent", s.id, s.title) for s in lacking)

    def judged_units(self, services: Sequence[str], index: Int32Array) -> BoolArray:
        """Which units (n) lie inside the lists of all of some services; the area where it is."""
        inside = np.ones(self.size + 1, dtype=np.bool_)
        for service in services:
            judged = self.study.judged(service)
            inside &= np.append(judged.unit, judged.everywhere)
        found: BoolArray = inside[index]
        return found

    def judged_places(self, services: Sequence[str], rows: Int32Array) -> BoolArray:
        """Which facilities (n) lie inside the list of a service, of those asked, they offer."""
        inside = np.zeros(len(self.city.facilities), dtype=np.bool_)
        for service in services:
            mine = self.city.facilities.of_service(service)
            inside |= mine & self.study.judged(service).facility
        found: BoolArray = inside[rows]
        return found

    def offering(self, services: Sequence[str]) -> Int32Array:
        """Rows of the facilities that offer one of some services, int32 (k,)."""
        return np.flatnonzero(self.city.facilities.of_services(services)).astype(np.int32)

    def number_column(self, name: str) -> np.ndarray:
        """A column of facilities as float64 (f,): flags 1 or 0, NaN where unknown."""
        return self.once(("number", name), lambda: self._numbers(name))  # type: ignore[no-any-return]

    def _numbers(self, name: str) -> np.ndarray:
        """The column itself; what opening hours tell is worked out from them where it is blank."""
        told = self.city.facilities.numbers(name)
        attribute = attributes()["facility"].get(name)
        at = None if attribute is None else attribute.at
        if name == _HOURS or at is not None:
            told, texts = told.copy(), self.city.facilities.texts(_OPENING)
            blank = np.isnan(told)
            tells = {text: _by_hours(text, at) for text in set(texts[blank])}
            told[blank] = [tells[text] for text in texts[blank]]
        return told

    def qualifying(
        self,
        services: Sequence[str],
        where: Sequence[Condition],
        among: Int32Array | None = None,
    ) -> tuple[Int32Array, States, tuple[Missing, ...]]:
        """Facilities of some services, whether each meets all conditions, and what is missing.

        `among`: only these rows of the facilities.
        """
        rows = self.offering(services) if among is None else among
        state = np.full(len(rows), YES, dtype=np.int8)
        missing = []
        for condition in where:
            held, blank = self._holds(rows, condition)
            state = both(state, held)
            if blank:
                missing.append(self.no_column(condition.attribute, services, blank, len(rows)))
        return rows, state, tuple(missing)

    def no_column(
        self, name: str, services: Sequence[str], lacking: int | None, of: int | None
    ) -> Missing:
        """That some facilities of some services lack a column."""
        attribute = attributes()["facility"][name]
        title = Title(attribute.zh, attribute.en)
        offered = listed(self.policy.services[s].title for s in services)
        return Missing("attribute", name, title, lacking, of, offered)

    def _holds(self, rows: Int32Array, condition: Condition) -> tuple[States, int]:
        if condition.at_least is not None or condition.at_most is not None:
            value = self.number_column(condition.attribute)[rows]
            known = np.isfinite(value)
            yes = known.copy()
            if condition.at_least is not None:
                yes &= np.nan_to_num(value, nan=-np.inf) >= self.amount(condition.at_least)
            if condition.at_most is not None:
                yes &= np.nan_to_num(value, nan=np.inf) <= self.amount(condition.at_most)
        else:
            words = {_plain(word) for word in condition.words}
            said = self.city.facilities.words(condition.attribute)[rows]
            known = np.array([one is not None for one in said], dtype=np.bool_)
            yes = np.array([_plain(one) in words for one in said], dtype=np.bool_)
        state = np.where(known, np.where(yes, YES, NO), UNKNOWN).astype(np.int8)
        return state, int(np.count_nonzero(~known))

    # ---- travelling ------------------------------------------------------------------------

    def by(self, profile: str, reading: Drive) -> Ground | None:
        """The ground on the roads of a profile, None where the run has none of it."""
        known = self.policy.profiles.get(profile)
        if known is None or profile not in self.city.roads:
            return None
        asked = self.assessed(reading.any_of)
        study = study_by(self.study, known, back=reading.direction == "from", services=asked)
        return Ground(study, self.scorecard, self.settings, profile, self.until)

    # ---- walks ------------------------------------------------------------------------------

    def limit_cm(self, minutes: float) -> int:
        """How far the walker gets in some minutes, in centimetres on the flat."""
        rules = self.policy.coverage
        walked = self.walker not in self.policy.profiles
        if walked and self.word(self.scorecard.judging.walk) == "floor":
            share = minutes / rules.core_minutes.value
            return int(rules.core_metres.value * CM_PER_M * share)
        return limit_cm(minutes, walker_of(self.policy, self.walker).speed_m_per_s)

    def reach(self, service: str) -> SubsetWalks:
        """Walks to every facility of a service, as the run holds them."""
        row = self.travel.row(service)
        return SubsetWalks(*self.travel.cells_to(row), self.travel.land_to(row))

    def reach_of(self, rows: Int32Array) -> SubsetWalks:
        """Walks to the nearest of some facilities (rows of the facilities), computed anew."""
        return self.once(("reach", rows.tobytes()), lambda: self._walk(rows))  # type: ignore[no-any-return]

    def attachments(self, rows: Int32Array) -> Attachments:
        """The positions on the streets of some facilities."""
        places = self.city.facilities
        chosen = np.flatnonzero(np.isin(places.attached_facility, rows))
        return Attachments(places.attached_facility[chosen], places.attachment.take(chosen))

    def _walk(self, rows: Int32Array) -> SubsetWalks:
        costs, cells_at = self.costs, self.city.cells.position
        goals = goals_of(costs, self.attachments(rows))
        nodes = nearest_from_nodes(costs, goals)
        along = self.once("along_cells", lambda: along_of(costs, cells_at))
        cells = nearest_from_positions(costs, goals, nodes, cells_at, along=along)
        if self.city.land is None:
            return SubsetWalks(cells.cm, cells.facility, np.zeros(0, dtype=np.int32))
        land_at = self.city.land.position
        along = self.once("along_land", lambda: along_of(costs, land_at))
        land = nearest_from_positions(costs, goals, nodes, land_at, along=along)
        return SubsetWalks(cells.cm, cells.facility, land.cm)


def both(a: States, b: States) -> States:
    """Yes where both are, no where one is not, else unknown."""
    no = (a == NO) | (b == NO)
    yes = (a == YES) & (b == YES)
    return np.where(no, NO, np.where(yes, YES, UNKNOWN)).astype(np.int8)


def _by_hours(text: str | None, at: str | None) -> float:
    """Hours open a day, or 1 or 0 for open or closed at a moment; NaN where nobody can tell."""
    if at is None:
        hours = hours_per_day(text)
        return np.nan if hours is None else hours
    state = state_at(text, moment_of(at))
    return np.nan if state == UNTOLD else float(state)


def _plain(word: object) -> str:
    return str(word).strip().casefold()
