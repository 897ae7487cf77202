"""The shift detector: silent on honest places, loud on moved ones (docs/coordinates.md)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import shapely

from lifecircle.analysis.city.crs import to_lonlat, to_metric
from lifecircle.analysis.city.datum_shift import (
    FEWEST,
    Standing,
    measure_distances,
    measure_standing,
)
from lifecircle.analysis.city.placement import find_misplaced
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.facts import Facts
from lifecircle.analysis.pipeline import check_places
from lifecircle.analysis.readers.records.coordinates.datums import wgs84_to_gcj02
from lifecircle.analysis.readers.records.coordinates.located import Located, Reading
from tests.files.office import along, streets


@pytest.fixture(scope="module")
def index() -> EdgeIndex:
    return EdgeIndex.build(streets(), 5_000.0)


def anywhere(index: EdgeIndex, count: int, seed: int) -> np.ndarray:
    """Places at random in the town, metres."""
    xy = index.network.vertex_xy_m
    return np.random.default_rng(seed).uniform(xy.min(axis=0), xy.max(axis=0), (count, 2))


def shops(index: EdgeIndex, count: int, seed: int) -> np.ndarray:
    return to_metric(along(index.network, count, seed), index.network.crs)


@pytest.mark.parametrize("seed", range(4))
def test_random_places_raise_no_alarm(index, seed):
    found = measure_standing(index, anywhere(index, 150, seed))
    assert found is not None
    assert not found.moved


@pytest.mark.parametrize("vector", [(0.0, 0.0), (145.5, -329.3), (-500.0, 240.0)])
def test_moved_shops_are_found_with_their_vector(index, vector):
    found = measure_standing(index, shops(index, 150, 2) + vector)
    assert found is not None
    assert found.moved == (vector != (0.0, 0.0))
    assert (found.east_m, found.north_m) == pytest.approx(np.negative(vector), abs=45)


def test_middles_of_blocks_stand_out_too(index):
    """Homes in the middle of blocks are far from streets: that is a relation as well."""
    grid = anywhere(index, 6_000, 5)
    deep = grid[measure_distances(index, grid) >= 30.0][:200]
    still, moved = (
        measure_standing(index, deep),
        measure_standing(index, deep + np.array([145.5, -329.3])),
    )
    assert still is not None
    assert moved is not None
    assert not still.moved
    assert moved.best > still.here / 2


def test_few_places_say_nothing(index):
    assert measure_standing(index, shops(index, FEWEST - 1, 1)) is None


def test_a_constant_move_of_an_unknown_kind_is_named(index):
    lonlat = along(index.network, 150, 3) + np.array([0.004, 0.002])
    reading = Reading("点.csv", len(lonlat), "EPSG:4326", "wgs84")
    where = Located(np.asarray(shapely.points(lonlat), dtype=object), (reading,))
    (fault,) = find_misplaced(where, index)
    assert (fault.key, fault.severity) == ("placed_shifted", "warning")
    assert fault.params["metres"] == pytest.approx(461, abs=50)
    assert "未作移动" in fault.text("zh")


def test_a_doubt_about_the_datum_stops_a_build_that_is_not_sure(index):
    written = wgs84_to_gcj02(along(index.network, 150, 3))
    reading = Reading("点.csv", len(written), "EPSG:4326", "wgs84")
    where = Located(np.asarray(shapely.points(written), dtype=object), (reading,))
    facts = cast(Facts, SimpleNamespace(located=lambda: ((where, False),), doubts=tuple))
    with pytest.raises(InputError, match="--accept-datum"):
        check_places(facts, index, sure=False)
    (told,) = check_places(facts, index, sure=True)
    assert told.params["fault"] == "placed_datum"


def test_a_title_of_another_datum_stops_a_build_that_is_not_sure(index):
    title = Fault("input_title_datum", "点.csv", None, "lng_gcj02",
                  {"named": "gcj02", "datum": "wgs84"}, "warning")  # fmt: skip
    facts = cast(Facts, SimpleNamespace(located=tuple, doubts=lambda: (title,)))
    with pytest.raises(InputError, match="--accept-datum"):
        check_places(facts, index, sure=False)
    assert check_places(facts, index, sure=True) == ()  # the table says it itself


def test_places_along_one_straight_road_raise_no_alarm(index):
    """Every vector along the road fits as well: nothing can be said."""
    xy = index.network.vertex_xy_m
    start = xy[len(xy) // 2]
    road = start + np.linspace(0, 1, 200)[:, None] * np.array([900.0, 0.0])
    assert measure_standing(index, road) is None


def test_the_outline_of_one_small_unit_raises_no_alarm(index):
    """Many points on a few hundred metres say the same thing many times."""
    middle = index.network.vertex_xy_m.mean(axis=0)
    corners = middle + np.array([[0, 0], [300, 10], [290, 240], [-20, 200]], np.float64)
    outline = shapely.polygons(to_lonlat(corners, index.network.crs))
    reading = Reading("安置.gpkg", 1, "EPSG:4326", "wgs84", own=True)
    where = Located(np.array([outline], dtype=object), (reading,))
    assert find_misplaced(where, index, outlines=True) == ()


@pytest.mark.parametrize(("here", "moved"), [(7.4, False), (2.0, True)])
def test_places_that_surely_stand_where_they_are_are_not_moved(here: float, moved: bool) -> None:
    """As the outlines of the generated city's villages did: 25.5 spreads at 126 m, 7.4 at home."""
    stands = Standing(here=here, best=25.5, east_m=0.0, north_m=126.0, spread=1.0, points=67)
    assert (stands.at_home, stands.moved) == (not moved, moved)
