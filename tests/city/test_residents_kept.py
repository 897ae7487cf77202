"""Residents kept to the person: rasters cut to the units, totals spread, doubts, disagreements."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.city.crs import metric_crs
from lifecircle.analysis.city.residents.dasymetric import spread_unit_totals
from lifecircle.analysis.city.residents.dasymetric_doubt import compare_spreads, count_moved
from lifecircle.analysis.city.residents.homes import Ground
from lifecircle.analysis.city.residents.population import CellSeed
from lifecircle.analysis.city.units.disagreement import (
    compare_cells,
    compare_units,
    describe_disagreements,
)
from lifecircle.analysis.city.units.units import build_units, group_totals
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import Counts
from lifecircle.analysis.readers.osm.places import read_places
from lifecircle.analysis.readers.rasters.population import read_raster_share
from lifecircle.analysis.readers.tables.population_and_facilities import read_population
from lifecircle.analysis.readers.tables.units import read_units
from tests.files.as_tables import unit_table
from tests.files.tables import said
from tests.worlds.parts import Unit, make_city
from tests.worlds.tiny import TINY_CELLS, TINY_LEVELS, TINY_STREETS, TINY_UNITS

rasterio = pytest.importorskip("rasterio")

POLICY = load_policy()


def write_raster(path: Path, counts: np.ndarray, west: float, north: float, step: float) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", width=counts.shape[1], height=counts.shape[0], count=1,
        dtype="float64", crs="EPSG:4326",
        transform=rasterio.Affine(step, 0.0, west, 0.0, -step, north),
    ) as target:  # fmt: skip
        target.write(counts, 1)
    return path


# ---- rasters


def test_pixels_on_the_border_count_by_the_share_of_their_area(tmp_path):
    path = write_raster(tmp_path / "p.tif", np.array([[100.0, 40.0], [20.0, 8.0]]), 10, 50, 1.0)
    area = shapely.box(10.0, 48.0, 11.25, 49.5)  # half of row 1 and all of row 2, a quarter east
    table, share = read_raster_share(path, area)
    frame = table.frame
    assert frame["residents"].tolist() == [50, 5, 20, 2]
    assert (share.kept, share.persons, share.partial_pixels) == (77, 168.0, 3)
    assert share.outside == pytest.approx(168 - 77)
    assert frame.geometry.within(area.buffer(1e-9)).all()
    assert [w.key for w in table.warnings] == ["raster_cut"]
    whole, all_of_it = read_raster_share(path)
    assert whole.frame["residents"].sum() == all_of_it.kept == 168
    assert whole.warnings == ()


def test_a_raster_elsewhere_is_refused(tmp_path):
    path = write_raster(tmp_path / "p.tif", np.ones((2, 2)), 10, 50, 1.0)
    with pytest.raises(InputError) as caught:
        read_raster_share(path, shapely.box(80, 20, 81, 21))
    assert [f.key for f in caught.value.faults] == ["input_raster_elsewhere"]


@given(
    st.lists(st.floats(0, 50, allow_nan=False), min_size=9, max_size=9),
    st.tuples(st.floats(0, 2), st.floats(0, 2), st.floats(0.2, 3), st.floats(0.2, 3)),
)
@settings(max_examples=40, deadline=None)
def test_what_is_kept_is_the_rounded_sum_of_shares(tmp_path_factory, amounts, corner):
    counts = np.array(amounts).reshape(3, 3)
    path = write_raster(tmp_path_factory.mktemp("r") / "p.tif", counts, 0, 3, 1.0)
    x, y, wide, high = corner
    area = shapely.box(x, y, min(3, x + wide), min(3, y + high))
    exact = sum(
        counts[r, c] * shapely.box(c, 2 - r, c + 1, 3 - r).intersection(area).area
        for r in range(3)
        for c in range(3)
    )
    try:
        table, share = read_raster_share(path, area)
    except InputError:
        assert round(exact) == 0
        return
    assert table.frame["residents"].sum() == share.kept
    assert abs(share.kept - exact) <= 0.5 + 1e-6
    assert share.persons == pytest.approx(counts.sum())


def _raster_of(frame: gpd.GeoDataFrame, path: Path, step: float) -> tuple[Path, float]:
    """Fractions of the residents of a frame's points, spread over 3 × 3 pixels around each."""
    west, south, east, north = frame.total_bounds + np.array([-5, -5, 5, 5]) * step
    shape = (int((north - south) / step) + 1, int((east - west) / step) + 1)
    counts = np.zeros(shape)
    column = ((frame.geometry.x - west) / step).astype(int)
    row = ((north - frame.geometry.y) / step).astype(int)
    weights = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    for r, c, n in zip(row, column, frame["residents"], strict=True):
        counts[r - 1 : r + 2, c - 1 : c + 2] += n * weights
    return write_raster(path, counts, west, north, step), counts.sum()


def test_porto_alegre_as_cells_and_as_raster_to_the_person(shared_data, tmp_path):
    cells = read_population(shared_data / "porto_alegre" / "poa_hexgrid.csv", said("wgs84")).frame
    assert cells["residents"].sum() == 812_935
    path, _ = _raster_of(cells, tmp_path / "poa.tif", 0.0008)
    table, share = read_raster_share(path)
    assert share.kept == table.frame["residents"].sum() == 812_935
    west, south, east, north = cells.total_bounds
    middle = (west + east) / 2
    halves = [shapely.box(west - 1, south - 1, middle, north + 1),
              shapely.box(middle, south - 1, east + 1, north + 1)]  # fmt: skip
    kept = [read_raster_share(path, half)[1] for half in halves]
    assert kept[0].kept + kept[1].kept == 812_935
    assert kept[0].partial_pixels == kept[1].partial_pixels > 0


@pytest.fixture(scope="module")
def malta(shared_data):
    policy = POLICY
    folder = shared_data / "malta"
    table = read_units([folder / "malta_local_councils_pop.gpkg"], policy)
    places = read_places(folder / "malta-latest.osm.pbf", policy)
    west, south, east, north = shapely.total_bounds(table.where.in_degrees())
    crs = metric_crs(np.array([[west, south], [east, north]]))
    # groups and households of every council, made up so that their totals are known
    people = table.residents
    groups = {
        "65": Counts.of(np.round(people.value * 0.17), people.known),
        "households": Counts.of(people.value // 3, people.known),
    }
    table = replace(table, groups=groups)
    units = build_units(table, crs, tuple(policy.unit_levels))
    return table, units, places, crs


@pytest.fixture(scope="module")
def malta_spread(malta):
    table, units, places, crs = malta
    groups = group_totals(table, units)
    return spread_unit_totals(
        units, groups, Ground(places.buildings, places.residential), POLICY.spread, crs
    )


def test_malta_spread_to_the_person_per_unit_and_group(malta, malta_spread):
    table, units, places, crs = malta
    spread, groups = malta_spread, group_totals(table, units)
    assert spread.seed.residents.sum() == 408_125
    for given_, held in (
        (units.residents, spread.seed.residents),
        *((groups[name], spread.seed.groups[name].value) for name in ("65", "households")),
    ):
        summed = np.zeros(len(units.code), dtype=np.int64)
        np.add.at(summed, spread.unit, held)
        assert (summed == given_.value).all()
    for held in spread.seed.groups.values():
        assert (held.value <= spread.seed.residents).all()
    rows, remarks = compare_spreads(units, spread, Ground(None, places.residential), POLICY, crs)
    assert sum(row.residents for row in rows) == 408_125
    assert all(row.moved is None or 0 <= row.moved <= row.residents for row in rows)
    assert [warn.key for warn in remarks] == ["spread_uncertain"]


def test_malta_as_a_raster_to_the_person(malta, malta_spread, tmp_path):
    seed = malta_spread.seed
    points = gpd.GeoDataFrame(
        {"residents": seed.residents}, geometry=gpd.points_from_xy(*seed.xy_m.T, crs=malta[3])
    ).to_crs("EPSG:4326")
    path, _ = _raster_of(points, tmp_path / "malta.tif", 0.001)
    assert read_raster_share(path)[1].kept == 408_125
    area = shapely.union_all(malta[0].where.in_degrees())
    table, share = read_raster_share(path, area)
    assert share.kept == table.frame["residents"].sum()
    assert share.kept + share.outside == pytest.approx(408_125, abs=0.5)
    assert share.partial_pixels > 0


# ---- two ways of spreading


def seed(xy: np.ndarray, residents: list[int]) -> CellSeed:
    none = np.full(len(residents), None, dtype=object)
    people = np.array(residents, dtype=np.int64)
    return CellSeed(none, xy, none, people, {}, np.ones(len(people), dtype=np.bool_))


def test_moved_residents_by_hand():
    one = seed(np.array([[10.0, 10.0], [600.0, 10.0], [10.0, 10.0]]), [60, 40, 5])
    other = seed(np.array([[20.0, 20.0], [700.0, 20.0], [900.0, 900.0]]), [30, 70, 5])
    unit = np.array([0, 0, 1], dtype=np.int32)
    assert count_moved((one, unit), (other, unit), 3, 500.0).tolist() == [30, 5, 0]
    assert count_moved((one, unit), (one, unit), 3, 500.0).tolist() == [0, 0, 0]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 9)), min_size=1),
    st.randoms(use_true_random=False),
)
@settings(max_examples=50)
def test_moved_residents_against_a_slow_count(rows, random):
    unit = np.array([u for _, u, _ in rows], dtype=np.int32)
    people = [n for *_, n in rows]
    xy = np.array([[500.0 * x + 1, 0.0] for x, *_ in rows])
    turned = xy.copy()
    random.shuffle(turned_list := turned.tolist())
    other = np.array(turned_list)
    found = count_moved((seed(xy, people), unit), (seed(other, people), unit), 3, 500.0)
    for u in range(3):
        here: dict[float, int] = {}
        for where, sign in ((xy, 1), (other, -1)):
            for (x, _), n, owner in zip(where, people, unit, strict=True):
                if owner == u:
                    here[x] = here.get(x, 0) + sign * n
        assert found[u] == sum(abs(n) for n in here.values()) // 2


def test_uncertainty_of_a_unit_of_land_in_one_corner():
    """All on one 100 m square of land in a 1 km square: the other way leaves a quarter there."""
    crs = "EPSG:4543"
    frame = gpd.GeoDataFrame(
        {"code": ["a"], "name": ["甲"], "level": ["community"],
         "residents": pd.array([4000], dtype="Int64")},
        geometry=[shapely.box(500_000, 2_770_000, 501_000, 2_771_000)], crs=crs,
    )  # fmt: skip
    land = gpd.GeoDataFrame(geometry=[shapely.box(500_000, 2_770_000, 500_100, 2_770_100)], crs=crs)
    units = build_units(unit_table(frame), crs, ("community",))
    first = spread_unit_totals(units, {}, Ground(None, land), POLICY.spread, crs)
    (row,), _ = compare_spreads(units, first, Ground(None, land), POLICY, crs)
    assert (row.method, row.other, row.moved) == ("land", "unit", 3000)
    alone = spread_unit_totals(units, {}, Ground(), POLICY.spread, crs)
    (row,), (warn,) = compare_spreads(units, alone, Ground(), POLICY, crs)
    assert (row.method, row.other, row.moved) == ("unit", None, None)
    assert warn.params["alone"] == 4000


# ---- totals that disagree


def test_levels_and_cells_that_do_not_add_up_are_told_with_both_numbers():
    city = make_city(
        streets=TINY_STREETS, units=TINY_UNITS, levels=TINY_LEVELS, cells=TINY_CELLS,
        places=(), land=(), surveyed=(),
    )  # fmt: skip
    assert compare_units(city.units) == ()
    changed = [
        Unit(u.code, u.name, u.level, u.boxes, u.parent, {"S1": 1200, "C3": 450}.get(u.code,
             u.residents), u.name_en, u.unit_class)
        for u in TINY_UNITS
    ]  # fmt: skip
    city = make_city(
        streets=TINY_STREETS, units=changed, levels=TINY_LEVELS, cells=TINY_CELLS,
        places=(), land=(), surveyed=(),
    )  # fmt: skip
    apart = {d.unit_code: (d.declared, d.counted) for d in compare_units(city.units)}
    assert apart == {"S1": (1200, 1000), "S2": (910, 960)}
    cells = {d.unit_code: (d.declared, d.counted) for d in compare_cells(city.units, city.cells)}
    assert cells == {"S1": (1200, 1000), "C3": (450, 400)} | {
        d: v for d, v in cells.items() if d not in {"S1", "C3"}
    }
    assert cells["S1"] == (1200, 1000)
    text = describe_disagreements(compare_units(city.units))[0].text("zh")
    assert "1,200 / 1,000" in text


def test_an_unknown_part_makes_the_sum_a_lower_bound():
    base = Unit("S", "街", "subdistrict", ((0, 0, 1000, 1000),), None, 100)
    parts = (
        Unit("A", "甲", "community", ((0, 0, 500, 1000),), "S", 60),
        Unit("B", "乙", "community", ((500, 0, 1000, 1000),), "S", None),
    )
    world = {"streets": TINY_STREETS, "levels": TINY_LEVELS, "cells": TINY_CELLS, "places": (),
             "land": (), "surveyed": ()}  # fmt: skip
    assert compare_units(make_city(units=(base, *parts), **world).units) == ()
    more = (Unit("A", "甲", "community", ((0, 0, 500, 1000),), "S", 160), parts[1])
    (found,) = compare_units(make_city(units=(base, *more), **world).units)
    assert (found.declared, found.counted, found.unknown) == (100, 160, 1)
    small = (Unit("E", "小区", "community", ((0, 0, 100, 100),), "S", 30),)
    assert compare_units(make_city(units=(base, *small), **world).units) == ()
