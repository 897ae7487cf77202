"""The auditor's residents by hand: whole persons along the curve, homes, units inside units."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.audit.ground import read_land
from tests.oracles.audit.homes import HomeBook, units_of
from tests.oracles.audit.persons import hilbert_key, on_curve, share_out, whole
from tests.oracles.audit_world import World


def test_the_curve_passes_every_place_once_and_steps_to_a_neighbour() -> None:
    n = 32
    place = np.array(list(product(range(n), range(n))), dtype=float)
    lon, lat = (place[:, 0] + 0.5) / n * 360 - 180, (place[:, 1] + 0.5) / n * 180 - 90
    key = hilbert_key(lon, lat, order=5)
    assert sorted(key.tolist()) == list(range(n * n))
    along = place[np.argsort(key)]
    assert (np.abs(np.diff(along, axis=0)).sum(axis=1) == 1).all()
    south_west, north_west = hilbert_key(np.array([-90.0, -90.0]), np.array([-45.0, 45.0]), 1)
    assert (south_west, north_west) == (0, 1)


def test_whole_persons_by_hand() -> None:
    assert whole([0.4] * 5) == [0, 1, 0, 1, 0]  # 0.4 0.8 1.2 1.6 2.0
    assert whole([Fraction(1, 2)] * 4) == [1, 0, 1, 0]  # a half goes up
    assert share_out(2, [1, 1, 1, 1]) == [1, 0, 1, 0]
    assert share_out(7, [1, 0, 2]) == [2, 0, 5]
    assert share_out(5, [0.0, 0.0]) == [0, 0]


@given(
    st.integers(0, 10**7),
    st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=40),
)
def test_a_stretch_of_the_curve_keeps_its_people_to_one_person(
    total: int, weights: list[float]
) -> None:
    exact = [Fraction(weight) for weight in weights]
    if not sum(exact):
        return
    persons = share_out(total, weights)
    assert sum(persons) == total
    shares = [total * one / sum(exact) for one in exact]
    assert persons == whole(shares)
    for low in range(len(weights)):
        for high in range(low, len(weights)):
            assert abs(sum(persons[low:high]) - sum(shares[low:high])) <= 1


def test_the_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(7)
    lon, lat, weight = rng.uniform(102, 103, 200), rng.uniform(24, 25, 200), rng.random(200)
    persons = on_curve(777, weight, lon, lat)
    turn = rng.permutation(200)
    assert np.array_equal(on_curve(777, weight[turn], lon[turn], lat[turn]), persons[turn])


def test_unit_totals_spread_alike_whatever_their_size(shared_data: Path) -> None:
    """FIELD 1c: 400 residents over a town give the share that 160,000 give, 37.4 %."""
    world = World(shared_data / "field" / "town.osm")
    centre = pd.read_csv(shared_data / "field" / "01_east_centre.csv")
    lon, lat = [name for name in centre.columns if name in {"lon", "lat", "经度", "纬度"}]
    place = [("row/1", shapely.Point(*centre[[lon, lat]].to_numpy()[0]))]
    for residents in (400, 160_000):
        unit = gpd.read_file(shared_data / "field" / f"01_unit_{residents}.geojson")
        land = read_land(world.osm)
        book = HomeBook.of(world.joiner, land, default_levels=3, squares=True)
        shape = world.joiner.metric(np.asarray(unit.geometry.array, dtype=object))[0]
        homes = book.of_unit(shape, residents, np.array([], dtype=int))
        assert (homes.method, int(homes.persons.sum())) == ("unit", residents)
        starts = world.joiner.degrees(shapely.get_coordinates(shapely.centroid(homes.shape)))
        covered = homes.persons[world.minutes(starts, place) <= 15].sum()
        assert covered / residents == pytest.approx(0.374, abs=0.01)


def test_tagged_houses_too_few_are_joined_by_the_plain_ones(shared_data: Path) -> None:
    """t_spread: 40 houses are tagged of 440, so all of them are meant.

    At three floors they hold 220 m2 for each of 3,000 residents: no set to believe in.
    """
    world = World(shared_data / "field" / "t_spread.osm")
    units = gpd.read_file(shared_data / "field" / "t_spread_units.geojson")
    book = HomeBook.of(world.joiner, read_land(world.osm), default_levels=3, squares=True)
    inside = np.flatnonzero(units_of(book.middle, units, world.joiner) == 0)
    choice = book.choose(int(units["population"][0]), inside)
    assert len(choice.rows) == 440
    assert choice.tagged_share == pytest.approx(40 / 440, abs=1e-3)
    assert choice.floor_each == pytest.approx(440 * 500 * 3 / 3000, abs=0.5)
    assert not choice.believed
    shape = world.joiner.metric(np.asarray(units.geometry.array, dtype=object))[0]
    assert book.of_unit(shape, 3000, inside).method == "unit"
    homes = book.of_unit(shape, 15_000, inside)
    assert (homes.method, len(homes.key), int(homes.persons.sum())) == ("buildings", 440, 15_000)


def test_an_enclave_belongs_to_itself(shared_data: Path) -> None:
    """FIELD 12: 3,840 and 160."""
    units = gpd.read_file(shared_data / "field" / "10_enclave.geojson")
    units = units.sort_values("code", ignore_index=True)
    cells = pd.read_csv(shared_data / "field" / "town_cells.csv")
    world = World(shared_data / "field" / "town.osm")
    points = world.joiner.metric(shapely.points(cells[["lon", "lat"]].to_numpy()))
    row = units_of(points, units, world.joiner)
    assert sorted(cells["population"].groupby(row).sum()) == [160, 3840]
