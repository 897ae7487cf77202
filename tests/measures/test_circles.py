"""Circles on the drawn city, by hand."""

from __future__ import annotations

import pytest

from lifecircle.analysis.errors import ParameterError, UnknownNameError
from lifecircle.analysis.measures.circles import circle_table, circles
from lifecircle.analysis.measures.question import Question
from tests.worlds.parts import study_of
from tests.worlds.tiny import TINY_PLACES, Place, tiny_city, tiny_policy, tiny_travel

POLICY = tiny_policy()
CITY = tiny_city()
TRAVEL = tiny_travel(CITY)


def test_fitness_needs_three_types() -> None:
    # services without the optional school grounds: indoor (x 2600), outdoor (park, x 2000..2200),
    # pitch (x 2500), pool (surveyed, none). Within 1,000 m (cells 50 m off the street):
    # c1 none; c2 none (1150 to the park); c3 outdoor (650); c4 indoor 170, outdoor 350, pitch 70;
    # c5 indoor 970 (pitch 1070); the rest none.
    table = circle_table(study_of(CITY, POLICY, travel=TRAVEL), Question(), kind="fitness")
    assert table.services == ("fitness_indoor", "fitness_outdoor", "sports_pitch", "swimming_pool")
    assert table.assessed.tolist() == [True] * 4
    assert table.required == 3
    assert table.reached.tolist() == [0, 0, 1, 3, 1, 0, 0, 0, 0, 0]
    assert table.state.tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert table.state_all.tolist() == [0] * 10  # nobody reaches a pool
    result = circles(study_of(CITY, POLICY, travel=TRAVEL), Question(), kind="fitness")
    assert (result.total.complete, result.total.incomplete, result.total.not_assessed) == (
        400,
        1510,
        0,
    )
    assert result.total.share == 400 / 1910
    assert result.total.share_all == 0.0
    # who misses what: pool all; pitch all but c4; indoor all but c4, c5; outdoor all but c3, c4
    assert result.total.missing == (
        ("swimming_pool", 1910),
        ("sports_pitch", 1510),
        ("fitness_indoor", 1260),
        ("fitness_outdoor", 1210),
    )
    two = next(unit for unit in result.units if unit.code == "C2")
    assert (two.residents, two.complete, two.share) == (700, 400, 400 / 700)


def test_an_unassessed_service_leaves_the_answer_open() -> None:
    # convenience: store, market (not assessed), pharmacy (its own 10 minutes, 666 m).
    # Only c5 could be complete: pharmacy 170 m but store 1,170 m, so nobody is: a cell that misses
    # something assessed is incomplete, and every cell does.
    table = circle_table(study_of(CITY, POLICY, travel=TRAVEL), Question(), kind="convenience")
    assert table.assessed.tolist() == [True, False, True]
    assert table.state.tolist() == [0] * 10
    # with a store beside the first pharmacy c1 and c2 miss nothing that is assessed
    city = tiny_city(places=(*TINY_PLACES, Place("s0", "convenience_store", 500, -20)))
    result = circles(
        study_of(city, POLICY, travel=tiny_travel(city)), Question(), kind="convenience"
    )
    assert (result.total.complete, result.total.incomplete, result.total.not_assessed) == (
        0,
        1610,
        300,
    )
    assert result.total.share is None
    assert result.not_assessed == ("market",)
    assert result.warnings[0].key == "circle_not_assessed"
    assert "菜市场" in result.warnings[0].text("zh")
    three = next(unit for unit in result.units if unit.code == "C3")
    assert three.share == 0.0  # nothing open there


def test_all_at_one_time() -> None:
    own = circle_table(study_of(CITY, POLICY, travel=TRAVEL), Question(), kind="convenience")
    same = circle_table(
        study_of(CITY, POLICY, travel=TRAVEL), Question(minutes=15), kind="convenience"
    )
    pharmacy = own.services.index("pharmacy")
    assert own.reach[pharmacy].tolist() == [True, True, False, False, True] + [False] * 5
    assert same.reach[pharmacy].tolist() == [True, True, True, False, True, True] + [False] * 4
    assert same.minutes == 15


def test_optional_services_count_only_when_asked() -> None:
    asked = circle_table(
        study_of(CITY, POLICY, travel=TRAVEL), Question(), kind="fitness", optional=True
    )
    assert asked.services[-1] == "school_grounds"
    assert asked.assessed.tolist() == [True, True, True, True, False]
    # 1 reached + 1 open < 3 is settled; nobody reaches exactly 2
    assert asked.state.tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert asked.required == 3


def test_nothing_assessed_is_not_assessed() -> None:
    city = tiny_city(places=(), surveyed=())
    result = circles(
        study_of(city, POLICY, travel=tiny_travel(city)), Question(), kind="convenience"
    )
    assert (result.total.not_assessed, result.total.incomplete, result.total.share) == (
        1910,
        0,
        None,
    )


def test_impossible_questions() -> None:
    with pytest.raises(UnknownNameError) as unknown:
        circles(study_of(CITY, POLICY, travel=TRAVEL), Question(), kind="culture")
    assert "便民生活圈（convenience）、健身圈（fitness）" in unknown.value.text("zh")
    with pytest.raises(ParameterError):
        circle_table(study_of(CITY, POLICY, travel=TRAVEL), Question(minutes=-1), kind="fitness")
    with pytest.raises(UnknownNameError):
        circle_table(
            study_of(CITY, POLICY, travel=TRAVEL), Question(walker="horse"), kind="fitness"
        )
