"""Coverage on drawn worlds: every expected figure is done by hand in the comments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.errors import ParameterError, UnknownNameError
from lifecircle.analysis.measures.coverage import Coverage, CoverageRow, coverage
from lifecircle.analysis.measures.question import Question, default_level
from lifecircle.analysis.measures.steady import lasting_of
from tests.worlds.parts import study_of
from tests.worlds.tiny import (
    TINY_CELLS,
    TINY_PLACES,
    TINY_UNITS,
    Cell,
    Place,
    Street,
    Unit,
    make_city,
    tiny_city,
    tiny_policy,
    tiny_travel,
    walks,
)

POLICY = tiny_policy()
CITY = tiny_city()
TRAVEL = tiny_travel(CITY)


def row(result: Coverage, code: str) -> CoverageRow:
    return next(unit for unit in result.units if unit.code == code)


def keys(result: Coverage) -> list[str]:
    return [warning.key for warning in result.warnings]


def test_the_three_readings_differ_and_are_as_drawn() -> None:
    result = coverage(study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre"))
    # h1 stands at x 500, 20 m off the street; cells stand 50 m off: walk = 70 + |x - 500|.
    # c1 370, c2 470, c3 970 m are within 1,000 m (15 min); c4 at 2500 walks 2,070 m.
    assert result.total.residents == 1910
    assert result.total.covered == 600  # 100 + 200 + 300
    assert result.total.P == 600 / 1910
    assert result.total.P_core == 300 / 1910  # within 800 m: c1 and c2
    assert result.total.U == 1 / 5  # only C1 of the five communities holds a centre
    # land: 300 -> 270 m yes (1000 m2), 1450 -> 1,020 m no (1000), 1200 -> 770 m yes (3000),
    # 4000 no (5000): 4000 of 10000 m2
    assert result.total.L == 0.4
    assert result.total.C is None
    assert result.total.unsnapped == 60  # c8, 700 m off the street
    assert result.total.cut_off == 100  # c9 and c10 on the island street
    assert result.by == "community"
    assert [unit.code for unit in result.units] == ["C1", "C2", "C3", "C4", "C5"]
    two = row(result, "C2")
    assert (two.residents, two.covered, two.U, two.P, two.L) == (700, 300, 0.0, 300 / 700, 0.75)
    four = row(result, "C4")
    assert (four.residents, four.covered, four.unsnapped, four.P, four.L) == (410, 0, 60, 0.0, None)
    assert keys(result) == ["coverage_no_catchments", "coverage_units_without_land"]


def test_a_level_above_counts_its_child_units() -> None:
    result = coverage(
        study_of(CITY, POLICY, travel=TRAVEL),
        Question(service="pharmacy", minutes=15, by="subdistrict"),
    )
    # pharmacies in C1 and C3: S1 has 1 of 2 communities, S2 1 of 3; both subdistricts have one
    assert [unit.U for unit in result.units] == [1 / 2, 1 / 3]
    assert result.total.U == 1.0
    # S1: 100 + 200 + 300 (c4 walks 70 + 1100 to x 3600); S2: c5 170 m and c6 870 m of 910
    assert [unit.covered for unit in result.units] == [600, 400]
    assert [unit.P for unit in result.units] == [600 / 1000, 400 / 910]


def test_the_default_level_is_the_lowest_that_holds_most_residents() -> None:
    levels = ("subdistrict", "community", "central_town")
    # Two central towns hold c1, c2 and c3 (600 of 1,910 people), all communities everybody.
    towns = (
        Unit("T1", "一镇", "central_town", ((0, -500, 1000, 1500),), "S1", 300),
        Unit("T2", "二镇", "central_town", ((1000, -500, 2000, 1500),), "S1", 300),
    )
    city = tiny_city(units=(*TINY_UNITS, *towns), levels=levels)
    assert default_level(city) == "community"
    result = coverage(
        study_of(city, POLICY, travel=tiny_travel(city)), Question(service="pharmacy")
    )
    assert result.by == "community"
    # One more town with c4 (400) and c5 (250): 1,250 of 1,910 are more than half.
    third = Unit("T3", "三镇", "central_town", ((2000, -500, 4000, 1500),), "S1", 650)
    assert default_level(tiny_city(units=(*TINY_UNITS, *towns, third), levels=levels)) == (
        "central_town"
    )


def test_exactly_half_of_the_residents_is_not_most() -> None:
    cells = (Cell("a", 500, 50, 10), Cell("b", 5500, 50, 10))
    town = Unit("T1", "一镇", "central_town", ((0, -500, 1000, 1500),), "S1", 10)
    city = tiny_city(
        units=(*TINY_UNITS, town),
        levels=("subdistrict", "community", "central_town"),
        cells=cells,
    )
    assert default_level(city) == "community"


def test_where_no_level_holds_most_the_lowest_drawn_serves() -> None:
    cells = (Cell("a", 500, 50, 10), Cell("b", 20000, 50, 90))  # b lies outside every unit
    city = tiny_city(cells=cells)
    assert default_level(city) == "community"
    undrawn = replace(city.units, geometry=np.full(len(city.units.code), None, dtype=object))
    assert default_level(replace(city, units=undrawn)) == "community"


def test_the_default_minutes_are_the_services_own() -> None:
    result = coverage(study_of(CITY, POLICY, travel=TRAVEL), Question(service="pharmacy"))
    assert result.minutes == 10  # 666.66 m at 1000/900 m/s: c1 370, c2 470, c5 170
    assert result.total.covered == 100 + 200 + 250
    assert result.total.P_core is None
    assert "coverage_core_minutes" in keys(result)


def test_groups_and_walkers() -> None:
    older = coverage(
        study_of(CITY, POLICY, travel=TRAVEL),
        Question(service="health_centre", group="65", walker="older"),
    )
    # 15 minutes at 0.8 m/s are 720 m: c1 (20 persons aged 65+) and c2 (30) of 319
    assert (older.total.covered, older.total.residents) == (50, 319)
    kids = coverage(
        study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre", group="0_3")
    )
    assert (kids.total.covered, kids.total.residents) == (3 + 6 + 9, 55)


def test_the_limit_itself_is_covered() -> None:
    # walks of 970 m (873 s) and, one centimetre below the limit, not
    limit = 970 / (1000 / 900) / 60
    assert (
        coverage(
            study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre", minutes=limit)
        ).total.covered
        == 600
    )
    just = (970 - 0.01) / (1000 / 900) / 60
    assert (
        coverage(
            study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre", minutes=just)
        ).total.covered
        == 300
    )


def test_what_is_not_assessed_is_null_and_never_zero() -> None:
    result = coverage(study_of(CITY, POLICY, travel=TRAVEL), Question(service="market"))
    for found in (result.total, *result.units):
        assert found.residents is not None
        assert (found.covered, found.U, found.P, found.P_core, found.L, found.cut_off) == (
            None,
        ) * 6
    assert keys(result)[0] == "service_not_assessed"
    assert "菜市场" in result.warnings[0].text("zh")
    assert "Market" in result.warnings[0].text("en")


def test_surveyed_and_none_found_is_zero() -> None:
    result = coverage(study_of(CITY, POLICY, travel=TRAVEL), Question(service="swimming_pool"))
    assert (result.total.covered, result.total.P, result.total.U, result.total.L) == (
        0,
        0.0,
        0.0,
        0.0,
    )
    assert result.total.cut_off == 0  # there is nothing to be cut off from
    assert "service_not_assessed" not in keys(result)


def test_a_facility_no_street_reaches_counts_for_u_only() -> None:
    result = coverage(study_of(CITY, POLICY, travel=TRAVEL), Question(service="elder_care"))
    assert row(result, "C4").U == 1.0
    assert result.total.U == 1 / 5
    assert result.total.covered == 0
    assert result.total.cut_off == 1910 - 60  # all who stand at a street


def test_a_unit_of_unknown_population_is_listed_and_in_neither() -> None:
    cells = [cell for cell in TINY_CELLS if cell.id not in {"c7", "c8"}]  # none left in C4
    units = [replace(unit, residents=None) if unit.code == "C4" else unit for unit in TINY_UNITS]
    city = tiny_city(cells=cells, units=units)
    result = coverage(
        study_of(city, POLICY, travel=tiny_travel(city)), Question(service="health_centre")
    )
    four = row(result, "C4")
    assert (four.residents, four.covered, four.P, four.unsnapped) == (None, None, None, None)
    assert four.U == 0.0
    assert result.total.residents == 1500
    remark = next(w for w in result.warnings if w.key == "coverage_residents_unknown")
    assert remark.params["count"] == 1
    assert "四社区 (C4)" in remark.text("en")


def test_a_unit_where_nobody_lives_has_no_p() -> None:
    cells = [cell for cell in TINY_CELLS if cell.id not in {"c7", "c8"}]
    units = [replace(unit, residents=0) if unit.code == "C4" else unit for unit in TINY_UNITS]
    city = tiny_city(cells=cells, units=units)
    result = coverage(
        study_of(city, POLICY, travel=tiny_travel(city)), Question(service="health_centre")
    )
    assert (row(result, "C4").residents, row(result, "C4").P) == (0, None)
    assert "coverage_no_residents" in keys(result)


def test_cells_outside_every_unit_count_in_the_total() -> None:
    city = tiny_city(cells=(*TINY_CELLS, Cell("z", 600, -700, 40)))
    result = coverage(
        study_of(city, POLICY, travel=tiny_travel(city)), Question(service="health_centre")
    )
    assert result.total.residents == 1950
    assert sum(unit.residents or 0 for unit in result.units) == 1910
    remark = next(w for w in result.warnings if w.key == "coverage_outside_units")
    assert remark.params == {"cells": 1, "residents": 40}


def test_without_land_l_is_null_with_its_reason() -> None:
    city = tiny_city(land=None)
    result = coverage(
        study_of(city, POLICY, travel=tiny_travel(city)), Question(service="health_centre")
    )
    assert result.total.L is None
    assert all(unit.L is None for unit in result.units)
    assert "coverage_no_land" in keys(result)


@pytest.mark.parametrize(
    ("change", "error", "key"),
    [
        ({"service": "bakery"}, UnknownNameError, "unknown_service"),
        ({"walker": "horse"}, UnknownNameError, "unknown_walker"),
        ({"group": "18_25"}, UnknownNameError, "unknown_group"),
        ({"by": "village"}, UnknownNameError, "unknown_level"),
        ({"minutes": 0}, ParameterError, "minutes_out_of_range"),
        ({"minutes": 1441}, ParameterError, "minutes_out_of_range"),
        ({"minutes": float("nan")}, ParameterError, "minutes_out_of_range"),
    ],
)
def test_impossible_questions(change: dict[str, object], error: type, key: str) -> None:
    asked: dict[str, object] = {"service": "health_centre"} | change
    with pytest.raises(error) as caught:
        coverage(study_of(CITY, POLICY, travel=TRAVEL), Question(**asked))  # type: ignore[arg-type]
    assert caught.value.key == key
    assert caught.value.text("zh") != caught.value.text("en")


def test_what_exists_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"Adult \(adult\)"):
        coverage(
            study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre", walker="horse")
        )


# ---- invariants ----------------------------------------------------------------------------

UNITS = (
    Unit("A", "A", "unit", ((0, -500, 2000, 500),)),
    Unit("B", "B", "unit", ((2000, -500, 6000, 500),)),
)
cells_strategy = st.lists(
    st.tuples(st.integers(0, 6000), st.integers(-400, 400), st.integers(0, 10**9)),
    min_size=1,
    max_size=12,
)
places_strategy = st.lists(st.integers(0, 6000), min_size=1, max_size=4)


def world(cells: list[tuple[int, int, int]], places: list[int]) -> tuple:
    city = make_city(
        streets=(Street(0),),
        units=UNITS,
        levels=("unit",),
        cells=[Cell(f"c{i:02}", x, y, n) for i, (x, y, n) in enumerate(cells)],
        places=[Place(f"p{i}", "health_centre", x, 0) for i, x in enumerate(places)],
    )
    return city, walks(city, ("health_centre",))


def ask(city: object, travel: object, minutes: float = 15) -> Coverage:
    return coverage(
        study_of(city, POLICY, travel=travel), Question(service="health_centre", minutes=minutes)
    )  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(cells_strategy, places_strategy, st.integers(1, 40), st.integers(0, 40))
def test_more_minutes_never_cover_fewer(
    cells: list[tuple[int, int, int]], places: list[int], minutes: int, more: int
) -> None:
    city, travel = world(cells, places)
    small, large = ask(city, travel, minutes), ask(city, travel, minutes + more)
    for a, b in zip((small.total, *small.units), (large.total, *large.units), strict=True):
        assert a.residents == b.residents
        if a.covered is not None and b.covered is not None:
            assert a.covered <= b.covered


@settings(max_examples=30, deadline=None, derandomize=True)
@given(cells_strategy, places_strategy, st.integers(0, 6000))
def test_one_more_facility_never_covers_fewer(
    cells: list[tuple[int, int, int]], places: list[int], more: int
) -> None:
    before, after = ask(*world(cells, places)), ask(*world(cells, [*places, more]))
    for a, b in zip((before.total, *before.units), (after.total, *after.units), strict=True):
        assert (a.covered or 0) <= (b.covered or 0)
        assert (a.U or 0) <= (b.U or 0)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(cells_strategy, places_strategy)
def test_residents_are_conserved(cells: list[tuple[int, int, int]], places: list[int]) -> None:
    city, travel = world(cells, places)
    result = ask(city, travel)
    assert result.total.residents == sum(n for _, _, n in cells)
    # every cell is counted one by one here, by plain integers
    for code, low, high in (("A", 0, 2000), ("B", 2001, 6000)):
        mine = [(x, y, n) for x, y, n in cells if low <= x <= high]
        near = sum(
            n
            for x, y, n in mine
            if abs(y) <= 250 and min(abs(x - p) + abs(y) for p in places) <= 1000 and abs(y) <= 400
        )
        inside = sum(n for _, _, n in mine)
        found = row(result, code)
        if not mine:
            assert found.residents is None  # no cell and no known total
            continue
        assert (found.residents, found.covered) == (inside, near)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(cells_strategy, places_strategy, st.randoms(use_true_random=False))
def test_the_order_of_cells_does_not_matter(
    cells: list[tuple[int, int, int]], places: list[int], random: object
) -> None:
    shuffled = list(cells)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ask(*world(cells, places)).units == ask(*world(shuffled, places)).units


def test_huge_populations_stay_exact() -> None:
    big = 2**52 + 1
    city, travel = world([(100, 0, big), (5000, 0, 3)], [100])
    assert ask(city, travel).total.residents == big + 3
    assert ask(city, travel).total.covered == big


def test_what_is_kept_for_sums_is_one_array_a_level_and_one_a_group() -> None:
    study = study_of(CITY, POLICY, travel=TRAVEL)
    asked = [(level, group) for level in CITY.cells.unit for group in ("total", "65")]
    sums = {one: lasting_of(study, "pharmacy", *one).sums for one in asked}
    assert len({id(one.place) for one in sums.values()}) == len(CITY.cells.unit) > 1
    assert len({id(one.weights) for one in sums.values()}) == 2


def test_nothing_given_is_changed() -> None:
    before = TRAVEL.cell_cm.copy()
    coverage(study_of(CITY, POLICY, travel=TRAVEL), Question(service="pharmacy"))
    assert np.array_equal(before, TRAVEL.cell_cm)
    assert len(TINY_PLACES) == len(CITY.facilities)
