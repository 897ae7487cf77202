"""What later rows ask of the evaluators, by hand: facilities counted, open at a moment, beside
those that qualify; figures from before the target year."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from lifecircle.analysis.measures.scorecard.card import increase_status, scorecard
from lifecircle.analysis.measures.scorecard.result import Outcome
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.policy.scorecard_model import Direction
from lifecircle.service.catalog.scorecard import is_final
from tests.worlds.cards import outcome, places, with_statistics
from tests.worlds.parts import Place, study_of
from tests.worlds.tiny import tiny_city, walks

SIX_DAYS = "周一至周六 09:00—18:00"
STATIONS = (
    Place("s1", "service_station", 400, -20, "甲", (), {"opening_hours": "每天08:00-20:00"}),
    Place(
        "s2", "service_station", 1400, -20, "乙", (), {"opening_hours": "周一至周六 09:00—18:00"}
    ),
    Place("s3", "service_station", 2400, -20, "丙", (), {"opening_hours": "另行通知"}),
)
OPEN = (
    'kind = "facility_meets", any_of = ["service_station"], '
    'tests = [{{ value = [{{ column = "{}" }}] }}]'
)


def test_facilities_that_qualify_are_counted() -> None:
    more = [
        Place(f"x{k}", "health_centre", 400 + k, -20, str(k), (), said)
        for k, said in enumerate(
            [{"community_hospital": "yes"}, {"community_hospital": "no"}, {}, {}]
        )
    ]
    told = outcome(
        'kind = "count", any_of = ["health_centre"], where = [{ attribute = "community_hospital",'
        ' is = ["yes"] }]',
        places(*more),
    )
    own = outcome('kind = "count", any_of = ["health_centre"]')
    assert own.value == own.lower == own.upper
    assert own.value is not None
    assert (told.value, told.lower, told.upper) == (1, 1, 1 + 2 + own.value)
    assert told.missing[0].name == "community_hospital"


def test_a_service_nobody_looked_for_is_no_count_of_0() -> None:
    found = outcome('kind = "count", any_of = ["transit_hub"]')
    assert (found.value, found.lower, found.upper) == (None, None, None)
    assert [one.name for one in found.missing] == ["transit_hub"]


@pytest.mark.parametrize(
    ("column", "yes", "known"),
    [("open_saturday", 2, 2), ("open_sunday", 1, 2), ("open_late", 1, 2)],
)
def test_opening_hours_tell_what_is_open_at_a_moment(column: str, yes: int, known: int) -> None:
    found = outcome(OPEN.format(column), places(*STATIONS))
    assert (found.have, found.of) == (yes, known)
    assert (found.lower, found.upper) == (yes / 3, (yes + 1) / 3)


def test_what_the_table_says_goes_before_the_hours() -> None:
    said = replace(STATIONS[1], attributes={**STATIONS[1].attributes, "open_sunday": "yes"})
    found = outcome(OPEN.format("open_sunday"), places(STATIONS[0], said, STATIONS[2]))
    assert (found.have, found.of) == (2, 2)


def test_only_those_that_qualify_stand_beside() -> None:
    """One shop that never closes, one that does, one of unknown hours, each beside a station."""
    shops = [
        Place(f"c{k}", "convenience_store", x, -20, str(k), (), hours)
        for k, (x, hours) in enumerate(
            [(410, {"opening_hours": "24小时"}), (1410, {"opening_hours": "每天08:00-20:00"}),
             (2410, {})]
        )
    ]  # fmt: skip
    asked = (
        'kind = "adjacent", any_of = ["service_station"], to = ["convenience_store"], '
        'to_where = [{ attribute = "daily_hours", at_least = "day" }], by = "straight_only", '
        'distance = "hundred"'
    ).replace('"day"', '"two"')
    any_hours = outcome(asked, places(*STATIONS, *shops))
    assert (any_hours.value, any_hours.lower, any_hours.upper) == (1.0, 2 / 3, 1.0)
    none_sure = outcome(asked, places(*STATIONS, shops[2]))
    assert none_sure.value is None
    assert (none_sure.lower, none_sure.upper) == (0.0, 1 / 3)


def test_figures_from_before_the_target_year_are_marked() -> None:
    policy = load_policy()
    city = with_statistics(
        tiny_city(),
        [("area", "ethnic_unity_models", 8, 2020), ("area", "urban_residents", 9, 2025)],
    )
    study = study_of(city, policy, travel=walks(city, tuple(policy.services)))
    said = {
        row.row.id: [one.params for one in row.warnings if one.key == "scorecard_earlier"]
        for row in scorecard(study).rows
    }
    assert [one["year"] for one in said["B11"]] == [2020]
    assert said["B11"][0]["target"] == 2025
    assert said["B02"] == []


def test_final_is_a_run_made_after_the_target_year() -> None:
    card = load_policy().scorecard
    assert card is not None
    days = ["2024-06-01T00:00:00+00:00", "2025-12-31T00:00:00+00:00", "2026-01-01T00:00:00+00:00"]
    told = [is_final(card, day) for day in days]
    assert told == [False, False, True]
    assert all(not later < earlier for earlier, later in pairwise(told))
    assert not is_final(replace(card, target_year=None), days[-1])


@pytest.mark.parametrize(
    ("before", "now", "direction", "status"),
    [
        ((0.4, 0.4), (0.5, 0.5), "at least", "met"),
        ((0.5, 0.5), (0.5, 0.5), "at least", "not_met"),  # the same is no increase
        ((0.5, 0.5), (0.4, 0.4), "at least", "not_met"),
        ((0.4, 0.6), (0.5, 0.5), "at least", "partly"),  # the ranges leave it open
        ((0.4, 0.5), (0.6, None), "at least", "met"),
        ((0.4, None), (0.6, 0.6), "at least", "partly"),
        ((9.0, 9.0), (8.0, 8.0), "at most", "met"),
        ((8.0, 8.0), (8.0, 9.0), "at most", "not_met"),
        (None, (0.5, 0.5), "at least", "NOT_ASSESSED"),
    ],
)
def test_an_increase_needs_all_that_may_be_to_lie_above(
    before: tuple[float, float | None] | None,
    now: tuple[float, float | None],
    direction: Direction,
    status: str,
) -> None:
    old = None if before is None else Outcome(before[0], before[0], before[1], 1.0)
    found = increase_status(old, Outcome(now[0], now[0], now[1], 1.0), direction)
    assert found == status
