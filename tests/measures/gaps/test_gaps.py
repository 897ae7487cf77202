"""Gaps: who belongs together, why, and what the map shows."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.grouping.discs import SEGMENTS
from lifecircle.analysis.measures import outlines
from lifecircle.analysis.measures.gaps.gaps import Gap, find_gap_table, gap_warnings, gaps
from lifecircle.analysis.measures.gaps.table import draw_gaps
from lifecircle.analysis.measures.linking import linked_groups
from lifecircle.analysis.measures.question import Question
from tests.worlds.parts import study_of
from tests.worlds.tiny import (
    ORIGIN,
    TINY_CELLS,
    TINY_PLACES,
    TINY_STREETS,
    Cell,
    Place,
    Street,
    tiny_city,
    tiny_policy,
    tiny_travel,
    without,
)

POLICY = tiny_policy()
CITY = tiny_city()
TRAVEL = tiny_travel(CITY)


def members(gap: Gap, city: object = CITY) -> list[str]:
    return [city.cells.id[i] for i in gap.cells]  # type: ignore[attr-defined]


def test_gaps_of_the_drawn_city() -> None:
    found = gaps(study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre"))
    # uncovered: c4 400, c7 350, c5 250, c6 150 stand alone (more than 250 m apart),
    # c9 + c10 (100 m apart on the island) 100, c8 60 off the streets
    assert [(g.residents, members(g), g.reason) for g in found] == [
        (400, ["c4"], "too_far"),
        (350, ["c7"], "too_far"),
        (250, ["c5"], "too_far"),
        (150, ["c6"], "too_far"),
        (100, ["c9", "c10"], "cut_off"),
        (60, ["c8"], "unsnapped"),
    ]
    worst = found[0]
    assert worst.minutes_to_nearest == pytest.approx(2070 / (1000 / 900) / 60)
    assert CITY.facilities.id[worst.nearest_facility] == "h1"
    assert (worst.unit_code, worst.unit_name) == ("C2", "二社区")
    assert dict(worst.groups) == {"0_3": 12, "65": 50}
    island = found[4]
    assert (island.minutes_to_nearest, island.nearest_facility) == (None, None)


def test_neighbours_join_within_the_link_only() -> None:
    cells = (
        Cell("a", 3000, 10, 5),
        Cell("b", 3250, 10, 6),  # 250 m from a: linked
        Cell("c", 3501, 10, 7),  # 251 m from b: not
        Cell("d", 3620, 10, 0),  # nobody lives here: no gap, no bridge to e
        Cell("e", 3800, 10, 8),
    )
    city = tiny_city(cells=cells)
    study = study_of(city, POLICY, travel=tiny_travel(city))
    found = gaps(study, Question(service="health_centre", by="none"))
    assert [(g.residents, members(g, city)) for g in found] == [
        (11, ["a", "b"]),
        (8, ["e"]),
        (7, ["c"]),
    ]
    assert [(g.unit_code, g.units) for g in found] == [(None, 2), ("C3", 1), ("C3", 1)]
    cut = gaps(study, Question(service="health_centre"))  # a lies in C2, b in C3
    assert [(g.residents, members(g, city), g.unit_code) for g in cut] == [
        (8, ["e"], "C3"),
        (7, ["c"], "C3"),
        (6, ["b"], "C3"),
        (5, ["a"], "C2"),
    ]
    assert {g.region for g in cut if members(g, city)[0] in "ab"} == {found[0].id}


def test_two_sides_of_a_gorge_stay_apart() -> None:
    # two streets 100 m apart without a way between: two components, two gaps
    city = tiny_city(
        streets=(*TINY_STREETS, Street(-300)),
        cells=(Cell("n", 4000, 10, 5), Cell("s", 4000, -290, 6), Cell("t", 4100, -290, 1)),
    )
    found = gaps(
        study_of(city, POLICY, travel=tiny_travel(city)), Question(service="health_centre")
    )
    assert [(members(g, city), g.reason) for g in found] == [
        (["s", "t"], "cut_off"),
        (["n"], "too_far"),
    ]


def test_cells_off_the_streets_join_by_their_own_points() -> None:
    places = (Place("h9", "health_centre", 5900, 0),)
    cells = (Cell("near", 4850, 0, 10), Cell("off", 4900, 400, 90), Cell("off2", 5000, 400, 3))
    city = tiny_city(cells=cells, places=places)
    found = gaps(
        study_of(city, POLICY, travel=tiny_travel(city)), Question(service="health_centre")
    )
    assert [(members(g, city), g.reason) for g in found] == [
        (["off", "off2"], "unsnapped"),
        (["near"], "too_far"),
    ]


def test_surveyed_without_any_is_no_facility() -> None:
    found = gaps(study_of(CITY, POLICY, travel=TRAVEL), Question(service="swimming_pool"))
    assert {g.reason for g in found} == {"no_facility", "unsnapped"}
    assert sum(g.residents for g in found) == 1910
    assert all(g.nearest_facility is None for g in found)


def test_not_assessed_has_no_gaps_but_a_warning() -> None:
    assert gaps(study_of(CITY, POLICY, travel=TRAVEL), Question(service="market")) == ()
    assert [w.key for w in gap_warnings(study_of(CITY, POLICY), Question(service="market"))] == [
        "service_not_assessed"
    ]
    assert gap_warnings(study_of(CITY, POLICY), Question(service="pharmacy")) == ()
    city = without(CITY, "pharmacy")
    assert (
        gaps(study_of(city, POLICY, travel=tiny_travel(city)), Question(service="pharmacy")) == ()
    )


def test_a_group_counts_its_own_persons() -> None:
    found = gaps(
        study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre", group="0_3")
    )
    assert [g.residents for g in found] == [12, 10, 8, 4, 2, 1]
    assert members(found[4]) == ["c9"]  # nobody aged 0-3 lives in c10


def test_small_gaps_can_be_left_out() -> None:
    found = gaps(
        study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre"), min_residents=150
    )
    assert [g.residents for g in found] == [400, 350, 250, 150]
    with pytest.raises(ParameterError):
        gaps(
            study_of(CITY, POLICY, travel=TRAVEL),
            Question(service="health_centre"),
            min_residents=-1,
        )


def test_ids_are_stable_and_differ_between_questions() -> None:
    first = [
        g.id for g in gaps(study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre"))
    ]
    again = gaps(
        study_of(
            tiny_city(cells=TINY_CELLS[::-1]),
            POLICY,
            travel=tiny_travel(tiny_city(cells=TINY_CELLS[::-1])),
        ),
        Question(service="health_centre"),
    )
    assert [g.id for g in again] == first
    assert len(set(first)) == len(first)
    older = {
        g.id
        for g in gaps(
            study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre", walker="older")
        )
    }
    assert not older & set(first)


def test_more_minutes_leave_fewer_residents_in_gaps() -> None:
    counts = [
        sum(
            g.residents
            for g in gaps(
                study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre", minutes=m)
            )
        )
        for m in (1, 5, 10, 20, 40, 80, 1440)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 160  # the island and the unsnapped never


def test_shapes_are_polygons_or_discs() -> None:
    found = gaps(study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre"))
    square = next(g for g in found if members(g) == ["c7"]).geometry
    assert square.area == 2500  # a cell of 50 m by 50 m
    disc = next(g for g in found if members(g) == ["c4"]).geometry
    assert disc.bounds == (ORIGIN[0] + 2400, ORIGIN[1] - 50, ORIGIN[0] + 2600, ORIGIN[1] + 150)
    island = next(g for g in found if members(g) == ["c9", "c10"]).geometry
    assert island.geom_type == "Polygon"  # discs of 100 m at 100 m from each other overlap


def slow_groups(xy: np.ndarray, apart: np.ndarray, link_m: float) -> int:
    near = (cdist(xy, xy) <= link_m) & (apart[:, None] == apart[None, :])
    return connected_components(near, directed=False)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 300), st.sampled_from([300.0, 2000.0, 9000.0]))
def test_linking_equals_all_distances(seed: int, size: int, width: float) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.random((size, 2)) * width + 500_000
    apart = rng.integers(-1, 2, size).astype(np.int32)
    number, slow = slow_groups(xy, apart, 250.0)
    quick = linked_groups(xy, apart, 250.0)
    assert quick.max() + 1 == number
    assert len(set(zip(quick.tolist(), slow.tolist(), strict=True))) == number


def test_linking_on_a_line_takes_the_link_itself() -> None:
    xy = np.array([[0.0, 0.0], [250.0, 0.0], [500.0, 0.0], [750.5, 0.0]])
    assert linked_groups(xy, np.zeros(4, dtype=np.int32), 250.0).tolist() == [0, 0, 0, 1]
    assert len(linked_groups(xy[:0], np.zeros(0, dtype=np.int32), 250.0)) == 0


def test_a_dense_city_links_without_all_its_pairs() -> None:
    x, y = np.meshgrid(np.arange(200) * 25.0, np.arange(200) * 25.0)
    xy = np.column_stack([x.ravel(), y.ravel()])  # 40,000 points, some 12 million pairs
    assert linked_groups(xy, np.zeros(len(xy), dtype=np.int32), 250.0).max() == 0


@pytest.mark.parametrize("spread", [400.0, 3000.0])
def test_the_quick_outline_is_the_union_of_all_discs(spread: float) -> None:
    rng = np.random.default_rng(7)
    places = tuple(Cell(f"c{i}", x, y, 1) for i, (x, y) in enumerate(rng.random((900, 2)) * spread))
    city = tiny_city(cells=places)
    quick = outlines.outline(city.cells, np.arange(900, dtype=np.int32), 100.0)
    slow = shapely.union_all(
        shapely.buffer(shapely.points(city.cells.xy_m), 100.0, quad_segs=SEGMENTS)
    )
    assert quick.symmetric_difference(slow).area < 1e-6 * slow.area


def test_overlapping_cells_are_joined_too() -> None:
    cells = (Cell("a", 3000, 0, 1, side=100), Cell("b", 3050, 0, 1, side=100))
    city = tiny_city(cells=cells, places=TINY_PLACES)
    shape = outlines.outline(city.cells, np.array([0, 1], dtype=np.int32), 100.0)
    assert shape.area == pytest.approx(150 * 100)


def test_a_cell_that_overlaps_does_not_change_what_the_others_give() -> None:
    cells = tuple(
        Cell(name, x, 0, 1, side=100)
        for name, x in (("a", 3000), ("b", 3100), ("c", 3250), ("d", 3300), ("e", 3600))
    )
    city = tiny_city(cells=cells, places=TINY_PLACES)
    for chosen in ([0, 1], [0, 1, 2, 3, 4], [2, 3], [0, 4], [3]):
        shape = outlines.outline(city.cells, np.array(chosen, dtype=np.int32), 100.0)
        assert shape.equals(shapely.union_all(city.cells.polygon[chosen]))


def test_cells_that_cannot_be_joined_as_neighbours_are_joined_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cells = (Cell("a", 3000, 0, 1, side=100), Cell("b", 3000, 0, 1, side=100))
    city = tiny_city(cells=cells, places=TINY_PLACES)
    monkeypatch.setattr(outlines, "_found_clashing", lambda shapes, there: ~there)
    shape = outlines.outline(city.cells, np.array([0, 1], dtype=np.int32), 100.0)
    assert shape.area == pytest.approx(100 * 100)


def test_gaps_of_the_same_cells_have_one_outline() -> None:
    study = study_of(CITY, POLICY, travel=TRAVEL)
    table, _ = find_gap_table(study, Question(service="health_centre"))
    assert table is not None
    first, again = draw_gaps(study, [table, table])
    assert len(first) == len(table) == 6
    assert all(a is b for a, b in zip(first, again, strict=True))
