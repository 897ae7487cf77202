"""Each evaluator of the scorecard by hand, over the drawn city of worlds.py (5 communities)."""

from __future__ import annotations

import pytest

from tests.worlds.cards import HEALTH, NEAR, left, outcome, places, with_column, with_statistics
from tests.worlds.parts import Place
from tests.worlds.tiny import TINY_PLACES, tiny_city

# ---- the four readings ----------------------------------------------------------------------


def test_the_four_readings_of_one_service() -> None:
    units = outcome(f'kind = "unit_has", {HEALTH}')
    people = outcome(f'kind = "residents_within", {HEALTH}, minutes = "fifteen"')
    land = outcome(f'kind = "land_within", {HEALTH}, minutes = "fifteen"')
    served = outcome(
        'kind = "capacity", service = "health_centre", maximum = "many", minutes = "fifteen"'
    )
    assert units.value == 1 / 5
    assert people.value == NEAR
    assert land.value == 4000 / 10_000  # the sample at x 1450 walks 1,020 m
    assert served.value == 450 / 1910
    for found in (units, people, land, served):
        assert found.lower == found.value == found.upper
        assert found.assessed_share == 1.0
        assert found.missing == ()


@pytest.mark.parametrize("capacity", ["one", "many", "far"])
def test_people_within_reach_are_never_fewer_than_people_served(capacity: str) -> None:
    for minutes in ("five", "fifteen", "hundred"):
        asked = f'minutes = "{minutes}"'
        near = outcome(f'kind = "residents_within", {HEALTH}, {asked}')
        served = outcome(
            f'kind = "capacity", service = "health_centre", maximum = "{capacity}", {asked}'
        )
        assert near.value is not None
        assert served.value is not None
        assert near.value >= served.value
        if capacity == "far":
            assert near.value == served.value


def test_more_minutes_never_reach_fewer() -> None:
    for kind in ("residents_within", "land_within"):
        found = [
            outcome(f'kind = "{kind}", {HEALTH}, minutes = "{minutes}"').value
            for minutes in ("one", "five", "fifteen", "hundred")
        ]
        assert None not in found
        assert found == sorted(found)  # type: ignore[type-var]
        assert found[0] != found[-1]


def test_a_slower_reading_of_15_minutes_reaches_no_more() -> None:
    asked = f'kind = "residents_within", {HEALTH}, minutes = "fifteen"'
    assert outcome(asked, walk="floor").value == 300 / 1910  # c3 walks 970 m, more than 800
    assert outcome(asked, walk="ceiling").value == NEAR


# ---- units --------------------------------------------------------------------------------


def test_unknown_ownership_is_neither_yes_nor_no() -> None:
    more = (
        Place("h2", "health_centre", 2400, -20, "二", (), {}),
        Place("h3", "health_centre", 3600, -20, "三", (), {"ownership": "private"}),
    )
    found = outcome(
        f'kind = "unit_has", {HEALTH}, where = [{{ attribute = "ownership", '
        f'is = ["government"] }}]',
        places(*more),
    )
    assert (found.value, found.lower, found.upper) == (1 / 4, 1 / 5, 2 / 5)
    assert found.assessed_share == 4 / 5
    assert [(m.kind, m.name, m.lacking, m.of) for m in found.missing] == [
        ("attribute", "ownership", 1, 3)
    ]


def test_an_attribute_nobody_has_leaves_no_value() -> None:
    found = outcome(
        'kind = "unit_has", any_of = ["pharmacy"], where = [{ attribute = "built_area", '
        'at_least = "hundred" }]'
    )
    assert (found.value, found.lower, found.upper) == (None, None, None)
    assert found.missing[0].name == "built_area"


def test_a_service_nobody_looked_for_leaves_no_value_and_a_surveyed_one_is_none() -> None:
    unseen = outcome('kind = "unit_has", any_of = ["market"]')
    assert (unseen.value, unseen.lower, unseen.upper) == (None, None, None)
    assert [(m.kind, m.name) for m in unseen.missing] == [("service", "market")]
    surveyed = outcome('kind = "unit_has", any_of = ["swimming_pool"]')
    assert surveyed.value == 0.0
    assert surveyed.missing == ()


def test_of_several_kinds_one_is_enough_and_the_unseen_leave_a_range() -> None:
    found = outcome('kind = "unit_has", any_of = ["pharmacy", "market"]')
    assert (found.value, found.lower, found.upper) == (2 / 5, 2 / 5, 1.0)
    assert found.assessed_share == 0.5
    every = outcome('kind = "unit_has", all_of = ["pharmacy", "convenience_store"]')
    assert every.value == 0.0
    assert outcome('kind = "unit_has", all_of = ["pharmacy", "health_centre"]').value == 1 / 5
    assert outcome('kind = "unit_has", all_of = ["pharmacy", "market"]').value is None


def test_urban_or_rural_unknown_is_in_neither() -> None:
    urban = 'units = [{ level = "community", class = "urban" }]'
    found = outcome(f'kind = "unit_has", any_of = ["pharmacy"], {urban}')
    # C1, C2, C3 are urban (p1 in C1, p2 in C3), C4 rural, of C5 nobody knows
    assert (found.value, found.lower, found.upper) == (2 / 3, 2 / 4, 2 / 3)
    assert [(m.kind, m.name, m.lacking) for m in found.missing] == [("class", "community", 1)]
    none = outcome('kind = "unit_has", any_of = ["pharmacy"], units = [{ level = "village" }]')
    assert none.value is None
    assert [(m.kind, m.name) for m in none.missing] == [("units", "village")]


def test_two_in_one_unit_are_told_and_count_once() -> None:
    second = Place("h2", "health_centre", 800, -20, "又一个", (), {"ownership": "government"})
    found = outcome(f'kind = "unit_has", {HEALTH}, at_least = "one"', places(second))
    assert found.value == 1 / 5
    assert [w.key for w in found.warnings] == ["scorecard_several"]
    assert "C1" in found.warnings[0].text("zh")
    assert outcome(f'kind = "unit_has", {HEALTH}, at_least = "two"', places(second)).value == 1 / 5


def test_a_facility_outside_every_unit_is_told_and_counts_for_none() -> None:
    lost = Place("h9", "health_centre", 3000, 9000, "山外")
    found = outcome(f'kind = "unit_has", {HEALTH}', places(lost))
    assert found.value == 1 / 5
    assert [w.key for w in found.warnings] == ["scorecard_outside"]
    assert "h9" in found.warnings[0].text("en")


def test_units_that_meet_a_test() -> None:
    city = with_statistics(
        tiny_city(),
        [
            ("C1", "service_facility_area", 90), ("C1", "households", 300),
            ("C2", "service_facility_area", 200), ("C2", "households", 500),
            ("C3", "service_facility_area", 10), ("C3", "households", 100),
            ("C4", "households", 50),
        ],
    )  # fmt: skip
    test = (
        'tests = [{ value = [{ stat = "service_facility_area" }], by = [{ stat = "households" }], '
        'per = "hundred", at_least = "fifteen" }]'
    )
    found = outcome(f'kind = "unit_meets", {test}', city)
    # per 100 households: 30, 40, 10, unknown, unknown
    assert (found.value, found.lower, found.upper) == (2 / 3, 2 / 5, 4 / 5)
    assert found.assessed_share == 3 / 5
    assert {m.name: m.lacking for m in found.missing} == {
        "service_facility_area": 2, "households": 1,
    }  # fmt: skip


def test_either_of_two_ratios_and_never_their_sum() -> None:
    figures = {
        "C1": (60, 0), "C2": (0, 60), "C3": (30, 30), "C4": (None, 60), "C5": (None, 10),
    }  # fmt: skip
    rows = [(code, "planned_residents", 100.0) for code in figures]
    for code, (indoor, outdoor) in figures.items():
        if indoor is not None:
            rows.append((code, "fitness_indoor_area", indoor))
        rows.append((code, "fitness_outdoor_area", outdoor))
    tests = ", ".join(
        f'{{ value = [{{ stat = "fitness_{side}_area" }}], '
        f'by = [{{ stat = "planned_residents" }}], at_least = "half" }}'
        for side in ("indoor", "outdoor")
    )
    found = outcome(
        f'kind = "unit_meets", combine = "any", tests = [{tests}]',
        with_statistics(tiny_city(), rows),
    )
    # C1 indoors, C2 outdoors, C3 neither (30 + 30 is no 50), C4 outdoors, C5 unknown indoors
    assert (found.value, found.lower, found.upper) == (3 / 4, 3 / 5, 4 / 5)
    assert left(found) == 1
    both = outcome(f'kind = "unit_meets", tests = [{tests}]', with_statistics(tiny_city(), rows))
    assert both.value == 0.0
    assert left(both) == 4  # C4 fails neither: its indoor area is unknown
    assert left(both, -1) == 1


def test_only_units_that_pass_the_filter_count() -> None:
    rows = [("C1", "households", 99.0), ("C2", "households", 100.0), ("C3", "households", 300.0)]
    rows += [(code, "fire_water_source", yes) for code, yes in (("C1", 0), ("C2", 1), ("C3", 0))]
    found = outcome(
        'kind = "unit_meets", filters = [{ value = [{ stat = "households" }], '
        'at_least = "hundred" }], '
        'tests = [{ value = [{ stat = "fire_water_source" }] }]',
        with_statistics(tiny_city(), rows),
    )
    # C2 yes, C3 no; of C4 and C5 neither size nor water is known, C1 is too small
    assert (found.value, found.lower, found.upper) == (1 / 2, 1 / 4, 3 / 4)


def test_a_checklist_counts_what_is_there() -> None:
    rows = [("C1", "complete_community_pilot", 1.0), ("C2", "complete_community_pilot", 1.0)]
    rows += [(code, "complete_community_pilot", 0.0) for code in ("C3", "C4", "C5")]
    city = with_statistics(tiny_city(), rows)
    pilots = 'filters = [{ value = [{ stat = "complete_community_pilot" }] }]'
    found = outcome(
        f'kind = "checklist", {pilots}, all_of = ["pharmacy", "convenience_store", '
        '"swimming_pool", "market"]',
        city,
    )
    # C1 has a pharmacy, C2 a shop; the pool is surveyed and absent, markets are not assessed
    assert found.value == 2 / 6
    assert (found.lower, found.upper) == (2 / 8, 4 / 8)
    assert found.assessed_share == 3 / 4
    assert {one.service: one.value for one in found.parts} == {
        "pharmacy": 0.5, "convenience_store": 0.5, "swimming_pool": 0.0, "market": None,
    }  # fmt: skip


def test_the_rule_by_street() -> None:
    found = outcome(
        'kind = "rule", service = "health_centre", minimum = "one", maximum = "far", '
        'units = [{ level = "subdistrict" }], where = [{ attribute = "ownership", '
        'is = ["government"] }]',
        rule_or="either", overload="met",
    )  # fmt: skip
    assert found.value == 1 / 2
    assert found.labels is not None
    assert list(found.labels.values()) == ["达标", "缺口"]


def test_the_rule_with_two_centres_unknown_ownership_and_none() -> None:
    rule = (
        'kind = "rule", service = "health_centre", minimum = "one", maximum = "far", '
        'units = [{ level = "subdistrict" }], where = [{ attribute = "ownership", '
        'is = ["government"] }]'
    )
    loose = Place("h2", "health_centre", 3600, -20, "不明", (), {})
    found = outcome(rule, places(loose))
    assert (found.value, found.lower, found.upper) == (1.0, 1 / 2, 1.0)
    own = Place("h2", "health_centre", 3600, -20, "二", (), {"ownership": "government"})
    assert outcome(rule, places(own)).value == 1.0
    bare = tiny_city(places=[p for p in TINY_PLACES if p.service != "health_centre"])
    assert outcome(rule, bare).value is None


# ---- sums ---------------------------------------------------------------------------------


def test_a_ratio_of_what_is_known_with_its_range() -> None:
    rows = [("C1", "commercial_service_area", 20.0), ("C2", "commercial_service_area", 10.0)]
    rows += [(code, "total_floor_area", 100.0) for code in ("C1", "C2", "C3", "C4")]
    ratio = 'over = [{ stat = "commercial_service_area" }], under = [{ stat = "total_floor_area" }]'
    found = outcome(
        f'kind = "ratio", unit = "x", share = true, {ratio}', with_statistics(tiny_city(), rows)
    )
    assert found.value == 30 / 200
    # of C5 not even the whole is known: nothing bounds it
    assert (found.lower, found.upper) == (0.0, 1.0)
    rows.append(("C5", "total_floor_area", 100.0))
    found = outcome(
        f'kind = "ratio", unit = "x", share = true, {ratio}', with_statistics(tiny_city(), rows)
    )
    assert (found.value, found.lower, found.upper) == (30 / 200, 30 / 500, 330 / 500)
    assert found.assessed_share == 200 / 500
    found = outcome(f'kind = "ratio", unit = "x", {ratio}', with_statistics(tiny_city(), rows))
    assert (found.lower, found.upper) == (30 / 500, None)


def test_the_first_base_that_tells_is_used() -> None:
    ratio = (
        'kind = "ratio", unit = "x", bases = [["area"], ["subdistrict"], ["community"]], '
        'per = "far", '
        'over = [{ stat = "community_workers" }], under = [{ stat = "urban_residents" }]'
    )
    rows = [("C1", "community_workers", 3.0), ("C1", "urban_residents", 1000.0)]
    assert outcome(ratio, with_statistics(tiny_city(), rows)).value == 30.0
    rows += [("area", "community_workers", 5.0), ("area", "urban_residents", 2500.0)]
    found = outcome(ratio, with_statistics(tiny_city(), rows))
    assert (found.value, found.assessed_share) == (20.0, 1.0)
    assert outcome(ratio).value is None


def test_a_column_summed_by_unit_is_unknown_while_one_facility_lacks_it() -> None:
    stations = [
        Place("v1", "service_station", 300, -20), Place("v2", "service_station", 600, -20),
        Place("v3", "service_station", 2000, -20), Place("v4", "service_station", 5000, -20),
    ]  # fmt: skip
    city = with_statistics(places(*stations), [(f"C{i}", "households", 100.0) for i in range(1, 6)])
    ratio = (
        'kind = "ratio", unit = "x", over = [{ sum = "built_area", of = ["service_station"] }], '
        'under = [{ stat = "households" }], per = "hundred"'
    )
    told = with_column(city, "built_area", {"v1": 10.0, "v2": 20.0, "v3": 40.0})
    found = outcome(ratio, told)
    # C1 30, C2 40, C3 and C5 have none (0), C4 unknown
    assert (found.value, found.lower) == (70 / 4, 70 / 5)
    assert found.assessed_share == 4 / 5
    two = ratio.replace('["service_station"]', '["service_station", "market"]')
    # nobody looked for markets: of C3 and C5 it is not known that they have nothing
    assert outcome(two, told).value == 70 / 2
    assert outcome(ratio, city).value is None  # nobody has the column: not 0


def test_a_share_of_facilities() -> None:
    stations = [Place(f"v{i}", "service_station", 300 * i, -20) for i in range(1, 5)]
    city = places(*stations)
    test = (
        'kind = "facility_meets", any_of = ["service_station"], '
        'tests = [{ value = [{ column = "daily_hours" }], at_least = "five" }]'
    )
    told = with_column(city, "daily_hours", {"v1": 8.0, "v2": 5.0, "v3": 4.0})
    found = outcome(test, told)
    assert (found.value, found.lower, found.upper) == (2 / 3, 2 / 4, 3 / 4)
    hours = with_column(told, "opening_hours", {"v4": "周一至周五 8:00-17:30"})
    assert outcome(test, hours).value == 3 / 4  # 9.5 hours, worked out
    assert outcome(test, with_column(city, "daily_hours", {})).value is None
    assert outcome(test).value is None


def test_a_count_is_the_latest_year_s() -> None:
    rows = [
        ("C1", "ethnic_unity_models", 1.0, 2024), ("C2", "ethnic_unity_models", 1.0, 2025),
        ("C3", "ethnic_unity_models", 1.0, 2025), ("C4", "ethnic_unity_models", 0.0, 2025),
    ]  # fmt: skip
    count = (
        'kind = "count", unit = "x", bases = [["area"], ["community"]], '
        'over = [{ stat = "ethnic_unity_models" }]'
    )
    found = outcome(count, with_statistics(tiny_city(), rows))
    assert found.value == 2.0
    assert "2025" in found.warnings[0].text("zh")
    assert outcome(count).value is None
