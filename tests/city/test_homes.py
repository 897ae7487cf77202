"""Where the residents of unit totals live: all homes, tagged or plain, and near to streets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.city.residents.dasymetric import spread_unit_totals
from lifecircle.analysis.city.residents.homes import Ground, NearStreets, Places, keep_near_streets
from lifecircle.analysis.city.units.units import build_units
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.places import read_places
from tests.city.test_spread import CRS, LEVELS, box, land, units_frame
from tests.files.as_tables import unit_table
from tests.worlds.parts import ORIGIN, Street, make_city
from tests.worlds.tagged import tags_of, write_things
from tests.worlds.tiny import TINY_CELLS, TINY_LEVELS, TINY_UNITS

RULES = load_policy().spread


def spread(rows, ground):
    units = build_units(unit_table(units_frame(rows)), CRS, LEVELS)
    return spread_unit_totals(units, {}, ground, RULES, CRS)


def houses(rows, kind="yes", levels=np.nan, height=np.nan):
    """Buildings from outlines, all of one kind."""
    return gpd.GeoDataFrame(
        {"id": [f"{kind}{i}" for i in range(len(rows))], "building": kind,
         "levels": float(levels), "height_m": float(height)},
        geometry=list(rows), crs=CRS,
    )  # fmt: skip


def both(*frames):
    return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=CRS)


@pytest.mark.parametrize(
    ("residents", "method", "cells", "share"),
    [(12_000, "buildings", 440, 0.141), (3_000, "unit", None, 0.130)],
)
def test_few_tagged_buildings_are_not_all_homes(
    shared_data, tmp_path, residents, method, cells, share
):
    """400 plain buildings, 40 tagged ones in the two western columns, 500 m² and 3 floors each.

    12,000 residents have 55 m² each in all 440. The 3,000 of the file would have 220 m², more
    than is believed, so they go over the unit; over the 40 tagged alone P was 42.5 %.
    """
    field = shared_data / "field"
    drawn = (field / "t_spread_units.geojson").read_text(encoding="utf-8")
    units = tmp_path / "units.geojson"
    units.write_text(drawn.replace('"population": 3000', f'"population": {residents}'), "utf-8")
    request = BuildRequest("t", osm=field / "t_spread.osm", units=(units,), datum="wgs84")
    _, policy, city, travel = analyse_city(request)
    assert city.cells.residents.sum() == residents
    assert [row.method for row in city.notes.spread] == [method]
    assert cells is None or len(city.cells) == cells
    found = coverage(Study(city, travel, policy), Question(service="pharmacy"))
    assert pytest.approx(share, abs=0.003) == found.total.P


@pytest.mark.parametrize(
    ("plain", "homes"), [(1, {"apartments0"}), (2, {"apartments0", "yes0", "yes1"})]
)
def test_the_tagged_alone_are_meant_from_four_fifths_of_the_floor(plain, homes):
    # tagged 100 m2 x 8 floors = 800; one plain 200 m2 x 1: 80.0 %; two: 66.7 %
    built = both(
        houses([box(0, 0, 10, 10)], "apartments", 8),
        houses([box(20 + 30 * i, 0, 20, 10) for i in range(plain)], "yes", 1),
    )
    result = spread([("1", 30, box(0, 0, 200, 100))], Ground(built))
    assert set(result.seed.id) == homes
    assert result.seed.residents.sum() == 30


def test_floors_are_those_told_else_by_height_else_the_policys():
    built = both(
        houses([box(0, 0, 10, 10)], "yes", 2, 30),
        houses([box(20, 0, 10, 10)], "house", height=12),
        houses([box(40, 0, 10, 10)], "terrace"),
    )
    result = spread([("1", 90, box(0, 0, 200, 100))], Ground(built))  # 2 + 4 + 3 floors
    assert dict(zip(result.seed.id, result.seed.residents.tolist(), strict=True)) == {
        "yes0": 20, "house0": 40, "terrace0": 30,
    }  # fmt: skip


def test_sheds_halls_and_buildings_of_another_use_are_no_homes():
    plain = [
        box(0, 0, 10, 10),  # a home
        box(20, 0, 4, 4),  # a shed of 16 m2
        box(100, 0, 80, 80),  # a hall of 6,400 m2
        box(300, 0, 20, 20),  # on industrial land
        box(400, 0, 20, 20),  # holds a school
    ]
    others = gpd.GeoDataFrame(
        {"id": ["way/1", "node/2"]},
        geometry=[box(290, -10, 50, 50), shapely.Point(410, 10)], crs=CRS,
    )  # fmt: skip
    result = spread([("1", 10, box(0, 0, 500, 100))], Ground(houses(plain), no_homes=others))
    assert result.seed.id.tolist() == ["yes0"]


def test_land_and_places_of_another_use_are_read(tmp_path):
    policy = load_policy()
    nodes = {i: {} for i in range(1, 31)} | {9: {"amenity": "school"}, 10: {"amenity": "bench"}}
    ways = {
        1: ((1, 2, 12, 11, 1), tags_of("building=yes height=12|m")),
        2: ((3, 4, 14, 13, 3), tags_of("landuse=industrial")),
        3: ((5, 6, 16, 15, 5), tags_of("landuse=meadow")),
        4: ((7, 8, 18, 17, 7), tags_of("amenity=hospital building=hospital")),
    }
    places = read_places(write_things(tmp_path / "d.osm.pbf", nodes, ways), policy)
    assert places.no_homes["id"].tolist() == ["node/9", "way/2", "way/4"]
    assert places.buildings["height_m"].tolist()[0] == 12.0


def test_a_lattice_keeps_to_streets_and_says_where_it_cannot():
    east, north = ORIGIN
    at = [(100.0, 249.0), (100.0, 251.0), (100.0, 900.0), (300.0, 900.0)]
    xy_m = np.array([(east + x, north + y) for x, y in at])
    unit = np.array([0, 0, 1, 1], dtype=np.int32)
    ids, ones = np.array(list("abcd"), dtype=object), np.ones(4, dtype=np.int64)
    places = Places(ids, unit, shapely.points(xy_m), ones, xy_m, xy_m)
    streets = make_city(
        streets=(Street(0),), units=TINY_UNITS, levels=TINY_LEVELS, cells=TINY_CELLS,
        places=(), land=(), surveyed=(),
    ).network  # fmt: skip
    kept, far = keep_near_streets(places, NearStreets(streets), RULES)
    assert kept.id.tolist() == ["a", "c", "d"]  # the second unit has no land near a street
    assert far.tolist() == [1]
    assert keep_near_streets(places, None, RULES)[0] is places


@given(st.integers(1, 5_000))
@settings(max_examples=20, deadline=None)
def test_a_total_is_kept_whatever_the_homes(total):
    built = both(houses([box(i * 20, 0, 12, 12) for i in range(9)]),
                 houses([box(i * 20, 40, 12, 12) for i in range(3)], "house"))  # fmt: skip
    ground = Ground(built, land(box(0, 0, 90, 90)))
    assert spread([("1", total, box(0, 0, 200, 100))], ground).seed.residents.sum() == total
