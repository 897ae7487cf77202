"""Evaluators of the scorecard that walk, by hand, over the drawn city of worlds.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.worlds.cards import HEALTH, outcome, places, with_column
from tests.worlds.parts import Place, Unit, texts
from tests.worlds.tiny import TINY_UNITS, tiny_city


def test_residents_of_facilities_that_qualify_or_might() -> None:
    more = (
        Place("h2", "health_centre", 2400, -20, "不明", (), {}),
        Place("h3", "health_centre", 3600, -20, "民办", (), {"ownership": "private"}),
    )
    found = outcome(
        f'kind = "residents_within", {HEALTH}, minutes = "fifteen", '
        f'where = [{{ attribute = "ownership", is = ["government"] }}]',
        places(*more),
    )
    # h1 reaches 600 for sure, h2 perhaps c4 too (100 + 70 m); c3 is settled by h1 already
    assert (found.lower, found.upper) == (600 / 1910, 1000 / 1910)
    assert found.value == 600 / 1510
    assert found.assessed_share == 1510 / 1910


def test_the_unsnapped_and_the_cut_off_count_as_not_reached() -> None:
    found = outcome(f'kind = "residents_within", {HEALTH}, minutes = "far"')
    assert found.value == 1750 / 1910  # all of street 0; c8 joins none, c9 and c10 are an island


def test_residents_of_a_group_and_of_a_scope() -> None:
    old = outcome(f'kind = "residents_within", {HEALTH}, minutes = "fifteen", group = "65"')
    assert old.value == 90 / 319
    none = outcome(f'kind = "residents_within", {HEALTH}, minutes = "fifteen", group = "0_14"')
    assert none.value is None
    assert [(m.kind, m.name) for m in none.missing] == [("group", "0_14")]
    rural = outcome(
        f'kind = "residents_within", {HEALTH}, minutes = "fifteen", within_scope = true, '
        'units = [{ level = "community", class = "urban" }]'
    )
    # urban for sure: C1, C2, C3 (1,400, of them 600 near); C5 (100) may be
    assert rural.value == 600 / 1400
    assert (rural.lower, rural.upper) == (600 / 1500, 700 / 1500)


def test_land_is_null_without_any() -> None:
    bare = replace(tiny_city(), land=None)
    found = outcome(f'kind = "land_within", {HEALTH}, minutes = "fifteen"', bare)
    assert found.value is None
    assert [m.kind for m in found.missing] == ["land"]


def test_beside_along_streets_straight_and_on_one_parcel() -> None:
    stations = [
        Place("d1", "day_care", 540, 30), Place("d2", "day_care", 3700, -20),
        Place("k2", "health_station", 3600, 20), Place("k3", "health_station", 5500, 20),
    ]  # fmt: skip
    city = places(*stations)
    asked = (
        'kind = "adjacent", any_of = ["health_centre", "health_station"], to = ["day_care"], '
        'distance = "hundred"'
    )
    # h1@500,-20 to d1@540,30: 64 m straight, 20 + 40 + 30 = 90 along the street
    # k2@3600,20 to d2@3700,-20: 108 m straight, 20 + 100 + 20 = 140 along; k3 is far
    assert outcome(f'{asked}, by = "network"', city).value == 1 / 3
    assert outcome(f'{asked}, by = "straight"', city).value == 1 / 3
    same = with_column(city, "parcel", {"k3": "P7", "d2": "P7"})
    assert outcome(f'{asked}, by = "network"', same).value == 2 / 3
    assert outcome(f'{asked}, by = "network_only"', same).value == 1 / 3
    parcel = outcome(
        'kind = "adjacent", any_of = ["health_centre", "health_station"], to = ["day_care"], '
        'by = "parcel"',
        same,
    )
    assert (parcel.lower, parcel.upper, parcel.assessed_share) == (1 / 3, 1.0, 1 / 3)
    assert outcome(
        'kind = "adjacent", any_of = ["health_station"], to = ["day_care"], by = "parcel"', city
    ).value is None  # fmt: skip


def test_capacity_unknown_leaves_a_range() -> None:
    shelters = [
        Place("r1", "shelter", 500, -20, entrances=(500,)),
        Place("r2", "shelter", 2600, -20, entrances=(2600,)),
    ]
    city = with_column(places(*shelters), "capacity", {"r1": 150.0})
    asked = 'kind = "capacity", service = "shelter", column = "capacity", minutes = "fifteen"'
    found = outcome(asked, city)
    assert found.lower == 150 / 1910
    assert found.upper is not None
    assert found.upper > found.lower
    assert found.missing[0].name == "capacity"
    assert outcome(asked, with_column(city, "capacity", {})).value is None


def test_driving_needs_a_profile_and_its_roads() -> None:
    found = outcome('kind = "drive"')
    assert found.value is None
    assert "driving" in found.missing[0].text("en")


def test_containment_by_declared_code_and_by_shared_border() -> None:
    border = Place("b1", "bookshop", 1000, -20)  # on the border of C1 and C2: the lower code
    found = outcome('kind = "unit_has", any_of = ["bookshop"]', places(border))
    assert found.atoms is not None
    codes = tiny_city().units.code[found.atoms.index[found.atoms.state == 1]]
    assert list(codes) == ["C1"]


def test_several_levels_at_once_and_units_of_no_name() -> None:
    units = (*TINY_UNITS, Unit("V1", "村", "village", ((0, 3500, 10, 3510),)))
    city = tiny_city(units=units, levels=("subdistrict", "community", "village"))
    found = outcome(
        'kind = "unit_has", any_of = ["pharmacy"], units = [{ level = "village" }, '
        '{ level = "community" }]',
        city,
    )
    assert found.value == 2 / 6
    assert texts(["x"])[0] == "x"


def test_a_circle_its_score_and_its_types() -> None:
    found = outcome('kind = "circle", circle = "fitness"')
    # f1 (x 2000-2200), f2@2600, f3@2500 are near c3 and c4 (1400 and 2500): three types
    assert found.value == 400 / 1910
    assert found.atoms is not None
    reached = {one.service: one.value for one in found.parts}
    assert reached["swimming_pool"] == 0.0
    assert reached["fitness_trail"] is None
    score = outcome('kind = "circle", circle = "fitness", score = true')
    known = [value for value in reached.values() if value is not None]
    assert score.value == pytest.approx(sum(known) / len(known), abs=1e-12)
    assert score.assessed_share == len(known) / len(reached)
    assert score.lower is not None
    assert score.upper is not None
    assert score.lower < score.value < score.upper


def test_the_evening_s_circle_counts_what_is_open_and_lit() -> None:
    hours = {"f2": "Mo-Su 08:00-22:00", "f3": "Mo-Su 08:00-17:00"}
    city = with_column(tiny_city(), "opening_hours", hours)
    night = 'kind = "circle", circle = "fitness", night = true'
    found = outcome(night, with_column(city, "lit", {"f1": "yes", "f3": "yes"}))
    # f3 closes at five: two types and perhaps a trail, of three needed
    assert found.lower == 0.0
    assert found.upper is not None
    assert found.upper > 0
    assert "fitness_trail" in {one.name for one in found.missing}
    assert outcome(night).value is None


def test_none_found_of_some_kinds_is_no_0_while_others_were_not_looked_for() -> None:
    for kind in ("unit_has", "residents_within", "land_within"):
        minutes = ', minutes = "fifteen"' if kind != "unit_has" else ""
        found = outcome(f'kind = "{kind}", any_of = ["swimming_pool", "market"]{minutes}')
        assert (found.value, found.lower, found.upper) == (None, 0.0, 1.0), kind
        alone = outcome(f'kind = "{kind}", any_of = ["swimming_pool"]{minutes}')
        assert (alone.value, alone.lower, alone.upper) == (0.0, 0.0, 0.0), kind
