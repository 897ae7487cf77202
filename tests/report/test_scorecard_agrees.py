"""The scorecard tells what coverage, catchments and circles tell, under every setting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lifecircle.analysis.access.walking import flat_costs
from lifecircle.analysis.measures.catchments.catchments import catchments
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import NOBODY
from tests.worlds.cards import outcome, with_column
from tests.worlds.parts import Place, study_of
from tests.worlds.tiny import TINY_PLACES, TINY_UNITS, tiny_city

CAPACITY = (
    'kind = "capacity", service = "health_centre", maximum = "far", minutes = "fifteen", '
    'borders = "$catchment"'
)


def test_a_slower_reading_of_15_minutes_shrinks_circles_as_it_does_services() -> None:
    asked = 'kind = "circle", circle = "fitness", minutes = "fifteen"'
    for walk in ("ceiling", "floor"):
        found = outcome(asked, walk=walk)
        for part in found.parts:
            alone = outcome(
                f'kind = "residents_within", any_of = ["{part.service}"], minutes = "fifteen"',
                walk=walk,
            )
            assert part.value == alone.value, (walk, part.service)
    wide, narrow = (outcome(asked, walk=walk).parts for walk in ("ceiling", "floor"))
    assert [one.value for one in wide] != [one.value for one in narrow]


def test_closed_borders_are_those_of_the_catchments() -> None:
    city = tiny_city()
    nobody_s = {level: unit.copy() for level, unit in city.cells.unit.items()}
    lone = int(np.flatnonzero(city.cells.id == "c1")[0])  # it walks 370 m to h1
    for unit in nobody_s.values():
        unit[lone] = NOBODY
    city = replace(city, cells=replace(city.cells, unit=nobody_s))
    opened, closed = (outcome(CAPACITY, city, catchment=how) for how in ("open", "closed"))
    told = catchments(
        study_of(city, load_policy(), costs=flat_costs(city.network)),
        Question(service="health_centre"),
        closed=True,
    )
    assert closed.have == told.balanced.served
    assert opened.have == closed.have + city.cells.residents[lone]


def test_room_worked_out_from_area_counts_as_it_does_in_catchments() -> None:
    shelters = (
        Place("r1", "shelter", 500, -20, entrances=(500,)),
        Place("r2", "shelter", 2600, -20, entrances=(2600,)),
    )
    city = with_column(tiny_city(places=(*TINY_PLACES, *shelters)), "capacity", {"r1": 150.0})
    city = with_column(city, "effective_area", {"r2": 40.0})  # 80 persons at 0.5 m2 each
    found = outcome(
        'kind = "capacity", service = "shelter", column = "capacity", minutes = "fifteen"', city
    )
    told = catchments(
        study_of(city, load_policy(), costs=flat_costs(city.network)),
        Question(service="shelter", minutes=15),
    )
    assert found.have == told.balanced.served == 230
    assert (found.lower, found.upper, found.missing) == (found.value, found.value, ())
    assert [one.key for one in found.warnings] == ["capacity_estimated"]


def test_closed_without_units_to_close_is_not_assessed() -> None:
    units = tuple(unit for unit in TINY_UNITS if unit.level == "community")
    city = tiny_city(units=units, levels=("community",))
    assert outcome(CAPACITY, city, catchment="open").value == 600 / 1910
    found = outcome(CAPACITY, city, catchment="closed")
    assert (found.value, found.lower, found.upper) == (None, None, None)
    assert {one.kind for one in found.missing} == {"units"}


def test_a_parcel_that_others_lack_is_no_evidence_of_all() -> None:
    city = tiny_city(
        places=(
            *TINY_PLACES,
            Place("d1", "day_care", 540, 30),
            Place("d2", "day_care", 3700, -20),
            Place("k3", "health_station", 5500, 20),
        )
    )
    asked = (
        'kind = "adjacent", any_of = ["health_centre", "health_station"], to = ["day_care"], '
        'by = "parcel"'
    )
    blind = outcome(asked, with_column(city, "parcel", {"k3": "P7", "d2": "P7"}))
    assert (blind.value, blind.lower, blind.upper) == (None, 1 / 2, 1.0)
    assert {one.name for one in blind.missing} == {"parcel"}
    told = with_column(city, "parcel", {"h1": "P1", "k3": "P7", "d1": "P2", "d2": "P7"})
    assert outcome(asked, told).value == 1 / 2
    some = with_column(city, "parcel", {"k3": "P7", "d1": "P2", "d2": "P7"})
    assert outcome(asked, some).value == 1.0  # of the one that tells its parcel
