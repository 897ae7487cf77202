"""The same city under other assumptions: a study that every measure can be asked of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.access.nearest import travel_table
from lifecircle.analysis.access.walking import WalkCosts, flat_costs
from lifecircle.analysis.city.model import Cells, City, Facilities
from lifecircle.analysis.city.streets.attach import Attachments, attach_facilities
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.measures.question import Study, default_level
from lifecircle.analysis.measures.robustness.beside import (
    NOTHING,
    UNIT_TOTALS,
    Beside,
    held_to_totals,
    on_other_streets,
)
from lifecircle.analysis.measures.robustness.lists import (
    CandidateCells,
    ListDoubt,
    draw_missed,
    drop_rows,
    list_doubts,
)
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.sections.robustness import ranges
from lifecircle.analysis.quantities import (
    NOBODY,
    Counts,
    FloatArray,
    Int32Array,
    IntArray,
    ObjectArray,
    read_only,
)
from lifecircle.analysis.readers.records.cells import object_array

NO_SHARES: Final[Mapping[str, float]] = MappingProxyType({})
NO_ANSWERS: Final[Mapping[str, str | float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is assumed in one try; what is left out is as the run has it.

    `speed`: share of the walker's speed. `minutes`, `core`: the other time, the inner ring.
    `leg_m`: longest access leg. `flat`: without slope. `other_barriers`: on the streets of
    the run beside. `population`: who lives where otherwise, `UNIT_TOTALS` or a run beside.
    `noise`: residents drawn anew. `even`: modelled residents spread evenly over
    the cells of their unit. `missed`, `wrong`: by service, the share of a list. `answers`:
    settings of the scorecard. `seed`: of everything drawn.
    """

    speed: float = 1.0
    minutes: bool = False
    core: bool = False
    leg_m: float | None = None
    flat: bool = False
    other_barriers: bool = False
    population: str | None = None
    noise: bool = False
    even: bool = False
    missed: Mapping[str, float] = field(default_factory=lambda: NO_SHARES)
    wrong: Mapping[str, float] = field(default_factory=lambda: NO_SHARES)
    answers: Mapping[str, str | float] = field(default_factory=lambda: NO_ANSWERS)
    seed: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Worlds:
    """A study and its likes under other assumptions; what several share is made once."""

    study: Study
    services: tuple[str, ...]
    beside: Beside = NOTHING
    _made: dict[object, object] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def candidates(self) -> CandidateCells:
        """Where missed places may lie."""
        return CandidateCells.of(self.study)

    @cached_property
    def doubts(self) -> Mapping[str, ListDoubt]:
        """How far each list may be wrong."""
        return {one.service: one for one in list_doubts(self.study, self.services)}

    def prepare(self, given: Iterable[Assumptions]) -> None:
        """Make what several tries share beforehand, so that threads only read it."""
        _ = self.candidates, self.doubts
        for one in given:
            self._on_streets(one, land=False)
            self._on_streets(self.at_home(one), land=False)
        for service in self.services:
            self.study.judged(service)

    def study_of(self, given: Assumptions, *, land: bool = True) -> Study:
        """The study under some assumptions; without `land` where nobody asks about land.

        Exactly what a build from files with these assumptions would give.
        """
        base = self._on_streets(given, land=land)
        policy = with_walks(self.study.policy, given)
        cells = base.city.cells
        if given.even:
            cells = replace(cells, residents=spread_evenly(cells, default_level(base.city)))
        if given.noise:
            cells = with_noise(cells, given.seed)
        places, renumbered = self._places(base.city, self._homes(given), given)
        known = base.city.surveyed | {s for s in self.services if base.city.assessed(s)}
        city = replace(base.city, cells=cells, facilities=places, surveyed=known)
        travel = travel_table(city, base.costs, self.services) if renumbered else base.travel
        made = Study(city, travel, policy, {}, base.costs)
        if not renumbered:  # lists cover the same cells and places
            made.__dict__["_judged"] = base._judged
        return made

    def at_home(self, given: Assumptions) -> Assumptions:
        """The assumptions with the run's own cells: those of a run beside lie elsewhere."""
        away = given.population in self.beside.residents
        return replace(given, population=None) if away else given

    def _homes(self, given: Assumptions) -> Cells:
        """The run's own cells on the streets of some assumptions: where missed places lie."""
        return self._on_streets(self.at_home(given), land=False).city.cells

    def draw_missed_cells(self, service: str, given: Assumptions) -> Int32Array:
        """The cells at which a list's missed places lie under some assumptions."""
        seed = (*given.seed, self.services.index(service))
        doubt, share = self.doubts[service], given.missed.get(service, 0.0)
        return draw_missed(self.study, self.candidates, doubt, share, seed)[1]

    def _on_streets(self, given: Assumptions, *, land: bool) -> Study:
        """The study with its access legs and slope, unless they are as the run has them."""
        key = (given.leg_m, given.flat, given.other_barriers, given.population, land)
        if key not in self._made:
            self._made[key] = self._attach(given, land=land)
        return self._made[key]  # type: ignore[return-value]

    def _attach(self, given: Assumptions, *, land: bool) -> Study:
        rule = self.beside.rule if given.other_barriers else None
        streets = self.study if rule is None else rule
        city, travel = streets.city, streets.travel
        costs: WalkCosts = flat_costs(city.network) if given.flat else streets.costs
        lived_in = self.beside.residents.get(given.population or "")
        redone = given.leg_m is not None or given.flat
        if lived_in is not None and rule is None:
            city, travel = lived_in.city, lived_in.travel
        elif lived_in is not None:
            leg_m = self.study.policy.attachment.max_leg_m.value
            city = on_other_streets(
                lived_in.city, city, streets.edges.snap(lived_in.city.cells.xy_m, leg_m)
            )
            redone = True
        if not land and city.land is not None:
            city = replace(city, land=None)
            travel = travel.without_land()
        if given.leg_m is not None:
            city = attached_within(city, streets, given.leg_m)
        if given.population == UNIT_TOTALS:
            city = replace(city, cells=self._held_to_totals(city))
        if redone:
            travel = travel_table(city, costs, self.services)
        return Study(city, travel, self.study.policy, {}, costs)

    def _held_to_totals(self, city: City) -> Cells:
        """The cells of a city with the residents that the totals of the units give them."""
        found = self._to_totals
        return replace(city.cells, residents=found.residents, groups=found.groups)

    @cached_property
    def _to_totals(self) -> Cells:
        found = held_to_totals(self.study.city)
        assert not isinstance(found, str)  # else nobody assumes it
        return found

    def _places(self, city: City, homes: Cells, given: Assumptions) -> tuple[Facilities, bool]:
        """The facilities without those that are not there and with those the lists miss."""
        gone: list[Int32Array] = []
        like: list[Int32Array] = []
        cells: list[Int32Array] = []
        for number, service in enumerate(self.services):
            doubt, seed = self.doubts.get(service), (*given.seed, number)
            if doubt is None:
                continue
            wrong, missed = given.wrong.get(service, 0.0), given.missed.get(service, 0.0)
            if wrong > 0:
                gone.append(drop_rows(doubt, wrong, seed))
            if missed > 0:
                rows, at = draw_missed(self.study, self.candidates, doubt, missed, seed)
                like.append(rows)
                cells.append(at)
        if not any(map(len, gone)) and not any(map(len, like)):
            return city.facilities, False
        none = np.zeros(0, dtype=np.int32)
        out = np.concatenate([none, *gone])
        new = np.concatenate([none, *like]), np.concatenate([none, *cells])
        return changed_places(city.facilities, homes, out, *new), True


def with_walks(policy: Policy, given: Assumptions) -> Policy:
    """The policy with another speed, inner ring and time."""
    if given.speed == 1.0 and not given.minutes and not given.core:
        return policy
    walkers = {}
    ring = policy.coverage.core_metres.value / policy.coverage.core_minutes.value
    own = float(policy.walkers["adult"].speed_m_per_s) if "adult" in policy.walkers else None
    slower = 1.0 if own is None or not given.core else ring / 60.0 / own
    for name, walker in policy.walkers.items():
        metres = replace(walker.metres, value=walker.metres.value * given.speed * slower)
        walkers[name] = replace(walker, metres=metres)
    services = dict(policy.services)
    if given.minutes:
        told = ranges()
        for name, service in services.items():
            if service.minutes.value == told.minutes_from.value:
                minutes = replace(service.minutes, value=told.minutes_to.value)
                services[name] = replace(service, minutes=minutes)
    return replace(policy, walkers=walkers, services=services)


def with_noise(cells: Cells, seed: Sequence[int]) -> Cells:
    """The cells with residents drawn anew, each by itself, its groups in step with it."""
    told = ranges()
    sigma = np.where(cells.modelled, told.noise_modelled.value, told.noise_counted.value)
    normal = np.random.default_rng([*seed, 2]).standard_normal(len(cells))
    factor = np.exp(sigma * normal - sigma**2 / 2)
    residents: IntArray = np.rint(cells.residents * factor).astype(np.int64)
    read_only(residents)
    groups = {
        name: Counts(np.rint(held.value * factor).astype(np.int64), held.known)
        for name, held in cells.groups.items()
    }
    return replace(cells, residents=residents, groups=MappingProxyType(groups))


def spread_evenly(cells: Cells, level: str) -> IntArray:
    """Modelled residents of each unit spread evenly over its modelled cells, to the person."""
    residents: IntArray = np.array(cells.residents)
    mine = np.flatnonzero(cells.modelled & (cells.unit[level] != NOBODY))
    unit = cells.unit[level][mine]
    for one in np.unique(unit):
        rows = mine[unit == one]
        steps = np.arange(len(rows) + 1) * int(residents[rows].sum()) // len(rows)
        residents[rows] = np.diff(steps)
    read_only(residents)
    return residents


def attached_within(city: City, study: Study, leg_m: float) -> City:
    """The city with cells, land and facilities joined to the streets within another leg.

    Areas that streets enter keep their entrances; everything else is attached afresh.
    """
    index, places = study.edges, city.facilities
    position = index.snap(city.cells.xy_m, leg_m)
    land = city.land
    if land is not None:
        land = replace(land, position=index.snap(land.xy_m, leg_m))
    entered = np.zeros(len(places), dtype=np.bool_)
    entered[places.attached_facility[places.attachment.leg_m == 0]] = True
    redo = np.flatnonzero(~entered)
    fresh = attach_facilities(
        places.geometry[redo], np.zeros(len(redo), dtype=np.bool_), index, leg_m
    )
    kept = np.flatnonzero(entered[places.attached_facility])
    owner = np.concatenate([places.attached_facility[kept], redo[fresh.facility]])
    joined = Positions.joined((places.attachment.take(kept), fresh.position))
    order = np.argsort(owner, kind="stable")
    facility: Int32Array = owner[order].astype(np.int32)
    read_only(facility)
    attached = replace(
        places,
        attached_facility=facility,
        attachment=joined.take(order),
    )
    cells = replace(city.cells, position=position)
    return replace(city, cells=cells, land=land, facilities=attached)


def changed_places(
    places: Facilities, homes: Cells, gone: Int32Array, like: Int32Array, cells: Int32Array
) -> Facilities:
    """The facilities without some rows, and with others like some rows at some cells."""
    stay = np.ones(len(places), dtype=np.bool_)
    stay[gone] = False
    rows = np.concatenate([np.flatnonzero(stay), like]).astype(np.int32)
    cell = np.concatenate([np.full(int(stay.sum()), NOBODY, np.int32), cells])
    order = np.argsort(places.service[rows], kind="stable")
    rows, cell = rows[order], cell[order]
    added = np.flatnonzero(cell != NOBODY)
    at = cell[added]
    ids, names, shapes = places.id[rows], places.name[rows], places.geometry[rows]
    ids[added] = [f"missed/{i}" for i in range(len(added))]
    names[added] = None
    shapes[added] = _points(homes.xy_m[at])
    unit = {level: index[rows] for level, index in places.unit.items()}
    for level, index in unit.items():
        index[added] = homes.unit[level][at]
    joined = _attached(places, homes, rows, cell)
    service: Int32Array = places.service[rows]
    read_only(service)
    attributes = {name: np.array(held[rows]) for name, held in places.attributes.items()}
    return replace(
        places,
        id=ids,
        service=service,
        name=names,
        geometry=shapes,
        source=places.source[rows],
        attributes=MappingProxyType(attributes),
        unit=MappingProxyType(unit),
        attached_facility=joined.facility,
        attachment=joined.position,
    )


def _attached(places: Facilities, homes: Cells, rows: Int32Array, cell: Int32Array) -> Attachments:
    """Where the chosen rows join the streets: as before, the added ones where the cell does."""
    place = np.full(len(places), NOBODY, dtype=np.int32)
    listed = np.flatnonzero(cell == NOBODY)
    place[rows[listed]] = listed
    before = place[places.attached_facility]
    kept = np.flatnonzero(before != NOBODY)
    added = np.flatnonzero(cell != NOBODY)
    added = added[homes.position.snapped[cell[added]]]
    where = homes.position.take(cell[added])
    on_street = Positions(where.edge, where.at_m, np.zeros(len(added)), where.xy_m)
    found = Attachments(
        np.concatenate([before[kept], added]).astype(np.int32),
        Positions.joined((places.attachment.take(kept), on_street)),
    )
    order = np.argsort(found.facility, kind="stable")
    owner: Int32Array = found.facility[order]
    owner.setflags(write=False)
    return Attachments(owner, found.position.take(order))


def _points(xy_m: FloatArray) -> ObjectArray:
    return object_array([shapely.Point(x, y) for x, y in xy_m.tolist()])
