"""Statistics of springcity's units for 2020 and 2025: planted, in exact shares.

What is left out is unknown. `satisfaction_survey` is left out of both years on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from lifecircle.analysis.demo.springcity.ground.mesh import VILLAGE, Mesh
from lifecircle.analysis.demo.springcity.kinds import NO, YES
from lifecircle.analysis.demo.springcity.plan import Plan, largest_remainder
from lifecircle.analysis.demo.springcity.residents import People, Totals, level_totals
from lifecircle.analysis.demo.springcity.units import LEVELS, UnitTable

PAST, NOW = 2020, 2025
AREA: Final = "area"  # the unit_code of figures about the whole city

Value = str | int | float
Facts = dict[tuple[str, str], Value]
"""(unit code, attribute) → value."""


@dataclass(frozen=True, slots=True)
class StationAreas:
    """Floor areas (m²) of a unit's service facilities: as the statistics have it, and as built."""

    stated: float | None
    built: float | None


@dataclass(frozen=True, slots=True)
class _Flag:
    """A yes or no of units: the share of yes and of no in 2025, of yes in 2020."""

    attribute: str
    level: str
    yes: float
    no: float
    before: float


_FLAGS: Final = (
    _Flag("self_service_terminal", "community", 0.95, 0.05, 0.55),
    _Flag("parent_school", "community", 0.88, 0.08, 0.62),
    _Flag("parent_school", "village", 0.84, 0.16, 0.60),
    _Flag("disabled_association", "community", 1.0, 0.0, 0.90),
    _Flag("disabled_association", "village", 1.0, 0.0, 0.80),
    _Flag("agency_service", "community", 0.98, 0.02, 0.90),
    _Flag("agency_service", "village", 1.0, 0.0, 0.92),
    _Flag("owners_committee", "estate", 0.80, 0.10, 0.50),
    _Flag("owners_committee", "new_estate", 0.5, 0.5, 0.0),
    _Flag("child_friendly_community", "community", 0.20, 0.75, 0.05),
    _Flag("reserved_rooms", "new_estate", 0.66, 0.34, 0.0),
    _Flag("reserved_land", "new_estate", 0.5, 0.34, 0.0),
    _Flag("elder_friendly_community", "community", 0.15, 0.85, 0.02),
    _Flag("elder_friendly_community", "village", 0.08, 0.92, 0.0),
    _Flag("smart_security_estate", "estate", 0.45, 0.45, 0.1),
    _Flag("elder_education", "community", 0.40, 0.50, 0.2),
    _Flag("elder_education", "village", 0.20, 0.80, 0.1),
    _Flag("public_health_committee", "community", 1.0, 0.0, 0.1),
    _Flag("public_health_committee", "village", 0.92, 0.08, 0.0),
    _Flag("employment_space", "community", 0.25, 0.70, 0.1),
    _Flag("employment_space", "village", 0.12, 0.88, 0.0),
    _Flag("emergency_supplies", "community", 0.70, 0.20, 0.4),
    _Flag("emergency_supplies", "village", 0.60, 0.40, 0.3),
    _Flag("police_room", "community", 0.95, 0.05, 0.9),
    _Flag("police_room", "village", 0.80, 0.12, 0.7),
    _Flag("own_programme", "district", 1.0, 0.0, 0.0),
    _Flag("complete_community_pilot", "community", 0.05, 0.95, 0.0),
)
_MEDIATED, _MEDIATED_BEFORE = 0.93, 0.80
_MODELS: Final = {PAST: 8, NOW: 11}
_TOLD_OF_ALL: Final = {
    "residents_asked": 2_000, "residents_satisfied": 1_830, "shops": 5_400, "chain_stores": 1_566,
}  # fmt: skip
_WORKERS_PER_10000: Final = {PAST: 15.2, NOW: 18.4}
_TOWN_SHARE_OF_URBAN_VILLAGES = 0.94
_M2_PER_100_HOUSEHOLDS = 30.0
_M2_PER_100_HOUSEHOLDS_BEFORE = 20.0  # of estates that stand already
_STATION_FACTOR = (0.86, 1.42)
_STATED, _BUILT_ONLY = 0.60, 0.36  # of the communities and villages; the rest is unknown
_ANNEX, _ANNEX_M2 = 4, 120.0  # units whose statistics count a house that the table lacks
_COMMERCE, _COMMERCE_NEW = (0.055, 0.105), (0.11, 0.14)
_FLOOR_M2_PER_RESIDENT = 42.0
_ROOMS_M2 = 0.2  # reserved rooms per household
_LARGE_HOUSEHOLDS = 100  # from here the plan asks a village for water and pipes
_SMALL_WITH_WATER, _SMALL_WITH_PIPES = 0.5, 0.3


def station_areas(plan: Plan, units: UnitTable, people: People) -> dict[str, StationAreas]:
    """Service floor areas of every community and village; the island has none at all."""
    rng = plan.rng("station size")
    table = [*units.of_level("community"), *units.of_level("village")]
    order = {k: rank for rank, k in enumerate(rng.permutation(len(table)).tolist())}
    stated_until, built_until = (
        round(share * len(table)) for share in (_STATED, _STATED + _BUILT_ONLY)
    )
    totals = level_totals(people, units, "community") | level_totals(people, units, "village")
    areas = {}
    for k, unit in enumerate(table):
        households = totals[unit.code].households
        factor = float(rng.uniform(*_STATION_FACTOR))
        built = round(max(80.0, households * _M2_PER_100_HOUSEHOLDS / 100.0 * factor), 1)
        annex = _ANNEX_M2 if order[k] < _ANNEX else 0.0
        stated = round(built + annex, 1) if order[k] < stated_until else None
        areas[unit.code] = StationAreas(stated, built if order[k] < built_until else None)
    areas[table[-1].code] = StationAreas(0.0, None)  # the island
    return areas


def make_facts(
    mesh: Mesh,
    units: UnitTable,
    people: People,
    stations: Mapping[str, StationAreas],
    year: int,
) -> Facts:
    """All statistics of one year; `people` are those of that year."""
    plan = mesh.plan
    totals: dict[str, Totals] = {}
    for level in LEVELS:
        totals |= level_totals(people, units, level)
    facts: Facts = {}
    for level in LEVELS:
        for unit in units.of_level(level):
            mine = totals[unit.code]
            facts |= {
                (unit.code, "residents"): mine.residents,
                (unit.code, "households"): mine.households,
                (unit.code, "pop_0_3"): mine.children,
                (unit.code, "pop_65"): mine.older,
            }
    facts |= dict(_flags(plan, units, year))
    facts |= dict(_counts(plan, units, year))
    facts |= dict(_workers(mesh, units, totals, year))
    facts |= dict(_areas(plan, units, totals, stations, year))
    facts |= dict(_fire(plan, units, totals, year))
    facts |= dict(_estates(units, totals))
    facts |= dict(_existing_estates(units, totals))
    facts |= dict(_special_support(plan, units, totals, year))
    return facts


Fact = tuple[tuple[str, str], Value]


def _flags(plan: Plan, units: UnitTable, year: int) -> Iterator[Fact]:
    for flag in _FLAGS:
        table = units.of_level(flag.level)
        order = plan.rng(f"{flag.attribute} {flag.level}").permutation(len(table)).tolist()
        yes = round((flag.yes if year == NOW else flag.before) * len(table))
        no = round(flag.no * len(table)) if year == NOW else len(table) - yes
        for rank, k in enumerate(order):
            if rank < yes or rank >= len(table) - no:
                yield (table[k].code, flag.attribute), YES if rank < yes else NO


def _counts(plan: Plan, units: UnitTable, year: int) -> Iterator[Fact]:
    """Informants, advisers, mediators of every community and village; model villages of all."""
    table = [*units.of_level("community"), *units.of_level("village")]
    order = plan.rng("mediators").permutation(len(table)).tolist()
    mediated = round((_MEDIATED if year == NOW else _MEDIATED_BEFORE) * len(table))
    for rank, k in enumerate(order):
        code = table[k].code
        yield (code, "disaster_informants"), 2 if rank % 7 == 0 else 1
        yield (code, "legal_advisers"), 1
        yield (code, "mediation_teams"), int(rank < mediated)
    yield (AREA, "ethnic_unity_models"), _MODELS[year]
    for attribute, value in _TOLD_OF_ALL.items():  # nobody asked in 2020
        if year == NOW:
            yield (AREA, attribute), value


def _workers(
    mesh: Mesh, units: UnitTable, totals: Mapping[str, Totals], year: int
) -> Iterator[Fact]:
    """Urban residents and community workers; of an urban village some are no urban residents."""
    table = units.of_level("community")
    urban = []
    for (column, row), unit in zip(mesh.quads(), table, strict=True):
        everyone = totals[unit.code].residents
        village = mesh.kind[column, row] == VILLAGE
        urban.append(round(everyone * _TOWN_SHARE_OF_URBAN_VILLAGES) if village else everyone)
    wanted = int(np.ceil(sum(urban) * _WORKERS_PER_10000[year] / 10_000))
    workers = largest_remainder(wanted, np.array(urban, dtype=np.float64) + 200.0)
    for unit, residents, count in zip(table, urban, workers.tolist(), strict=True):
        yield (unit.code, "urban_residents"), residents
        yield (unit.code, "community_workers"), count


def _areas(
    plan: Plan,
    units: UnitTable,
    totals: Mapping[str, Totals],
    stations: Mapping[str, StationAreas],
    year: int,
) -> Iterator[Fact]:
    for code, areas in stations.items():
        if areas.stated is not None:
            smaller = 1.0 if year == NOW else 0.8
            yield (code, "service_facility_area"), round(areas.stated * smaller, 1)
    rng = plan.rng("floor areas")
    for level, share in (("community", _COMMERCE), ("new_estate", _COMMERCE_NEW)):
        for unit in units.of_level(level):
            floor = round(totals[unit.code].residents * _FLOOR_M2_PER_RESIDENT)
            part = float(rng.uniform(*share)) * (1.0 if year == NOW else 0.8)
            yield (unit.code, "total_floor_area"), floor
            yield (unit.code, "commercial_service_area"), round(floor * part, 1)


def _fire(plan: Plan, units: UnitTable, totals: Mapping[str, Totals], year: int) -> Iterator[Fact]:
    """Water and pipes in every village of 100 households and more, in some of the others."""
    rng = plan.rng("fire")
    for unit in units.of_level("village"):  # of an administrative village: where its seat is
        large = totals[unit.code].households >= _LARGE_HOUSEHOLDS
        yield (unit.code, "fire_water_source"), YES
        yield (unit.code, "fire_pipe_network"), YES if year == NOW and large else NO
    for unit in units.of_level("natural_village"):
        chance = rng.random(2)
        large = totals[unit.code].households >= _LARGE_HOUSEHOLDS
        water = large if year == NOW else large and chance[0] < 0.7
        pipes = large if year == NOW else large and chance[1] < 0.5
        water = water or bool(not large and chance[0] < _SMALL_WITH_WATER)
        pipes = pipes or bool(not large and chance[1] < _SMALL_WITH_PIPES)
        yield (unit.code, "fire_water_source"), YES if water else NO
        yield (unit.code, "fire_pipe_network"), YES if pipes else NO


@dataclass(frozen=True, slots=True)
class PlantedEstate:
    """A new estate: m² of fitness ground per planned resident, indoor and outdoor, and its
    elder care as a multiple of what is required; None where unknown."""

    indoor: float | None
    outdoor: float | None
    care: float | None


PLANTED_ESTATES: Final = (
    PlantedEstate(0.12, 0.10, 1.3),  # met by the indoor area alone
    PlantedEstate(0.05, 0.36, 1.1),  # by the outdoor area alone
    PlantedEstate(0.11, 0.31, 1.6),  # by both
    PlantedEstate(None, 0.33, 1.0),  # by the one that is known; care exactly as required
    PlantedEstate(None, 0.20, None),  # nobody can tell
    PlantedEstate(0.07, 0.22, 1.2),  # by neither, though together they would do
)


def _estates(units: UnitTable, totals: Mapping[str, Totals]) -> Iterator[Fact]:
    for number, unit in enumerate(units.of_level("new_estate")):
        planted = PLANTED_ESTATES[number % len(PLANTED_ESTATES)]
        mine = totals[unit.code]
        planned = round(mine.residents * 1.25)
        required = mine.households * _M2_PER_100_HOUSEHOLDS / 100.0
        yield (unit.code, "planned_residents"), planned
        yield (unit.code, "reserved_rooms_area"), round(mine.households * _ROOMS_M2, 1)
        yield (unit.code, "reserved_land_area"), 200.0 * (number % 4)
        if planted.indoor is not None:
            yield (unit.code, "fitness_indoor_area"), round(planned * planted.indoor, 1)
        if planted.outdoor is not None:
            yield (unit.code, "fitness_outdoor_area"), round(planned * planted.outdoor, 1)
        if planted.care is not None:
            yield (unit.code, "elder_care_area"), round(required * planted.care, 2)
        if number % 2 == 0:
            yield (unit.code, "elder_care_area_required"), round(required, 2)


PLANTED_EXISTING: Final = (1.25, 1.0, 0.75, None, 1.5)
"""Elder care of estates that stand already, as a multiple of what is required; None: the
statistics do not tell it, and what stands inside decides."""


def _existing_estates(units: UnitTable, totals: Mapping[str, Totals]) -> Iterator[Fact]:
    for level in ("estate", "old_estate"):
        for number, unit in enumerate(units.of_level(level)):
            required = totals[unit.code].households * _M2_PER_100_HOUSEHOLDS_BEFORE / 100.0
            planted = PLANTED_EXISTING[number % len(PLANTED_EXISTING)]
            if planted is not None:
                yield (unit.code, "elder_care_area"), round(required * planted, 2)


def _special_support(
    plan: Plan, units: UnitTable, totals: Mapping[str, Totals], year: int
) -> Iterator[Fact]:
    """All who wish live in care, but of the last 街道 the number that do is not known."""
    table = [*units.of_level("subdistrict"), *units.of_level("township")]
    rng = plan.rng("special support")
    streets = len(units.of_level("subdistrict"))
    for number, unit in enumerate(table):
        willing = 3 + int(totals[unit.code].older * 0.002 * rng.uniform(0.7, 1.3))
        housed = willing if year == NOW else int(willing * 0.9)
        yield (unit.code, "special_support_willing"), willing
        if number != streets - 1:
            yield (unit.code, "special_support_housed"), housed
