"""Units: order, parents, who holds a point; hand-drawn squares in metres."""

from __future__ import annotations

import json
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.city.residents.population import cells_from_table
from lifecircle.analysis.city.shapes import anchor_xy
from lifecircle.analysis.city.units.units import (
    area_polygon_from,
    assign_units,
    build_units,
    compare_declared,
    group_totals,
    sort_declared,
)
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.identifiers import code_key
from tests.files.as_tables import cell_table, unit_table

CRS = "EPSG:32633"
LEVELS = ("district", "subdistrict", "township", "community", "village", "unit")


def square(x, y, side):
    return shapely.box(x, y, x + side, y + side)


def frame(rows, **columns):
    """Units from (code, level, polygon) in metres of `CRS`."""
    code, level, geometry = zip(*rows, strict=True)
    data = {"code": code, "name": [f"单元{c}" for c in code], "level": level} | columns
    return gpd.GeoDataFrame(data, geometry=list(geometry), crs=CRS)


def town():
    """District D (200 m wide): subdistrict S west, township T east, two communities, a village."""
    return frame(
        [
            ("V1", "village", square(120, 20, 40)),
            ("C2", "community", square(40, 40, 50)),
            ("T", "township", square(100, 0, 100)),
            ("C1", "community", square(0, 0, 40)),
            ("S", "subdistrict", square(0, 0, 100)),
            ("D", "district", shapely.box(0, 0, 200, 100)),
        ]
    )


def test_units_are_ordered_by_level_and_code_and_know_their_parents():
    units = build_units(unit_table(town()), CRS, LEVELS)
    assert units.levels == ("district", "subdistrict", "township", "community", "village")
    assert list(units.code) == ["D", "S", "T", "C1", "C2", "V1"]
    # the township is not in the street beside it, the village not in a community
    assert list(units.parent) == [-1, 0, 0, 1, 1, 2]
    assert units.residents.to_list() == [None] * 6
    assert not units.geometry.flags.writeable


def test_a_declared_parent_wins_and_a_straddling_unit_goes_where_most_of_it_is():
    rows = [
        ("S1", "subdistrict", square(0, 0, 100)),
        ("S2", "subdistrict", square(100, 0, 100)),
        ("C1", "community", shapely.box(60, 0, 130, 10)),  # 40 m in S1, 30 m in S2
        ("C2", "community", shapely.box(60, 20, 130, 30)),
        ("C3", "community", shapely.box(500, 0, 510, 10)),  # in none
        ("C4", "community", shapely.Point(150, 50)),
    ]
    units = build_units(
        unit_table(frame(rows, parent_code=[None, None, None, "S2", "no such", None])), CRS, LEVELS
    )
    assert list(units.parent) == [-1, -1, 0, 1, -1, 1]


def test_numbers_are_ordered_by_value_and_unknown_levels_come_last():
    rows = [
        ("10", "unit", square(0, 0, 1)),
        ("9", "unit", square(2, 0, 1)),
        ("a", "hamlet", square(4, 0, 1)),
    ]
    units = build_units(unit_table(frame(rows)), CRS, LEVELS)
    assert list(units.code) == ["9", "10", "a"]
    assert units.levels == ("unit", "hamlet")
    assert sorted(["b", "10", "9", "010"], key=code_key) == ["9", "010", "10", "b"]


def test_without_units_the_area_is_one_unit():
    polygon = area_polygon_from(np.array([[0.0, 0], [100, 0], [0, 100]]), 10)
    units = build_units(None, CRS, LEVELS, polygon)
    assert (units.code[0], units.name[0], units.level[0]) == ("area", "全区", "unit")
    assert units.residents.at(0) is None
    inside = assign_units(np.array([[0.0, 0], [100, 0], [100, 100]]), units)
    assert list(inside["unit"]) == [0, 0, -1]


@pytest.mark.parametrize("points", [[[5.0, 5]], [[0.0, 0], [0, 100]]])
def test_an_area_of_one_point_or_one_street_still_holds_them(points):
    polygon = area_polygon_from(np.array(points), 10)
    assert polygon.area > 300
    assert shapely.intersects(polygon, shapely.points(points)).all()


def test_a_shared_border_goes_to_the_lower_code():
    rows = [("2", "unit", square(100, 0, 100)), ("10", "unit", square(0, 0, 100))]
    units = build_units(unit_table(frame(rows)), CRS, LEVELS)
    held = assign_units(np.array([[100.0, 50], [99, 50], [101, 50], [100, 200]]), units)["unit"]
    assert [units.code[i] if i >= 0 else None for i in held] == ["2", "10", "2", None]


def test_a_declared_code_wins_over_geometry_with_a_warning():
    units = build_units(unit_table(town()), CRS, LEVELS)
    xy = np.array([[10.0, 10], [50, 50], [130, 30], [150, 90]])
    declared = sort_declared(object_array(["C2", "C2", None, "X"]), units)
    held = assign_units(xy, units, declared)
    assert [list(held[level]) for level in ("district", "subdistrict", "community", "village")] == [
        [0, 0, 0, 0],
        [1, 1, -1, -1],
        [4, 4, -1, -1],
        [-1, -1, 5, -1],
    ]
    warned = compare_declared(xy, units, {"community": object_array(["C2", "C2", None, "X"])})
    assert [(w.key, w.params["count"]) for w in warned] == [
        ("declared_unit_unknown", 1),
        ("declared_unit_disagrees", 1),
    ]
    assert all(str(w.params["count"]) in w.text(lang) for w in warned for lang in ("zh", "en"))
    assert [w.params["ids"] for w in warned] == ["4", "1"]  # rows from 1
    named = compare_declared(
        xy,
        units,
        {"community": object_array(["C2", "C2", None, "X"])},
        ids=object_array(list("abcd")),
    )
    assert [w.params["ids"] for w in named] == ["d", "a"]


def test_a_point_stands_for_a_polygon_inside_it():
    horseshoe = shapely.from_wkt("POLYGON((0 0,90 0,90 90,80 90,80 10,10 10,10 90,0 90,0 0))")
    shapes = np.array([square(0, 0, 10), horseshoe, shapely.Point(3, 4)], dtype=object)
    xy = anchor_xy(shapes)
    assert xy[0] == pytest.approx([5, 5])
    assert xy[2] == pytest.approx([3, 4])
    assert shapely.intersects_xy(horseshoe, *xy[1])


def test_group_totals_follow_the_order_of_the_units():
    rows = [("b", "unit", square(0, 0, 1)), ("a", "unit", square(2, 0, 1))]
    table = unit_table(frame(rows, pop_65=pd.array([5, None], dtype="Int64"), households=[2, 3]))
    totals = group_totals(table, build_units(table, CRS, LEVELS))
    assert {group: total.to_list() for group, total in totals.items()} == {
        "65": [None, 5],
        "households": [3, 2],
    }


def test_geometry_in_degrees_is_reprojected_with_longitude_first():
    degrees = frame([("a", "unit", square(450_000, 3_970_000, 1000))]).to_crs("EPSG:4326")
    units = build_units(unit_table(degrees), CRS, LEVELS)
    assert shapely.bounds(units.geometry[0]) == pytest.approx(
        (450_000, 3_970_000, 451_000, 3_971_000), abs=0.01
    )


def test_a_crossed_polygon_is_mended():
    bow_tie = shapely.from_wkt("POLYGON((0 0,10 10,10 0,0 10,0 0))")
    units = build_units(unit_table(frame([("a", "unit", bow_tie)])), CRS, LEVELS)
    assert shapely.is_valid(units.geometry[0])
    assert shapely.area(units.geometry[0]) == pytest.approx(50)


def test_cells_of_a_table_keep_residents_groups_and_polygons():
    table = gpd.GeoDataFrame(
        {
            "id": ["10", "9", "b"],
            "residents": [7, 0, 5],
            "pop_0_3": pd.array([1, None, 2], dtype="Int64"),
            "pop_12_15": pd.array([None, None, None], dtype="Int64"),
            "households": [3, 0, 2],
        },
        geometry=[square(0, 0, 10), shapely.Point(50, 5), square(20, 0, 10)],
        crs=CRS,
    )
    seed = cells_from_table(cell_table(table), CRS)
    assert list(seed.id) == ["9", "10", "b"]
    assert list(seed.residents) == [0, 7, 5]
    assert {g: n.to_list() for g, n in seed.groups.items()} == {
        "0_3": [None, 1, 2],
        "households": [0, 3, 2],
    }
    (told,) = seed.warnings
    assert (told.key, told.params["group"], told.params["count"]) == (
        "group_partly_unknown", "0_3", 1,
    )  # fmt: skip
    assert told.text("en").startswith("The group Residents aged 0–3 is unknown")
    assert seed.xy_m == pytest.approx(np.array([[50, 5], [5, 5], [25, 5]]))
    assert [p is None for p in seed.polygon] == [True, False, False]
    assert not seed.modelled.any()
    shuffled = cells_from_table(cell_table(table.iloc[[2, 0, 1]]), CRS)
    assert list(shuffled.residents) == list(seed.residents)


@given(st.permutations(range(6)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_rows_changes_nothing(order):
    units = build_units(unit_table(town()), CRS, LEVELS)
    again = build_units(unit_table(town().iloc[order]), CRS, LEVELS)
    assert list(again.code) == list(units.code)
    assert list(again.parent) == list(units.parent)


def test_many_points_in_many_polygons_take_well_under_a_second():
    rows = [
        (str(i), "unit", shapely.Point(i % 20 * 100, i // 20 * 100).buffer(60, quad_segs=64))
        for i in range(200)
    ]
    units = build_units(unit_table(frame(rows)), CRS, LEVELS)
    xy = np.random.default_rng(7).uniform(0, (1900, 900), (200_000, 2))
    start = time.process_time()
    held = assign_units(xy, units)["unit"]
    assert time.process_time() - start < 2.5  # 0.4 s on a quiet desk
    sample = slice(0, 300)
    holds = shapely.intersects_xy(units.geometry[:, None], xy[sample, 0], xy[sample, 1])
    assert list(held[sample]) == list(np.where(holds.any(axis=0), holds.argmax(axis=0), -1))


# ---- units inside units


@pytest.mark.parametrize("backwards", [False, True])
def test_the_inner_unit_is_meant_where_one_lies_in_another(shared_data, tmp_path, backwards):
    """乙 (B, 400 m wide) drawn inside 甲 (A) without a hole: 3,840 and 160 residents."""
    field = shared_data / "field"
    drawn = json.loads((field / "10_enclave.geojson").read_text(encoding="utf-8"))
    if backwards:
        drawn["features"].reverse()
    path = tmp_path / "units.geojson"
    path.write_text(json.dumps(drawn), encoding="utf-8")
    request = BuildRequest(
        "t", osm=field / "town.osm", population=field / "town_cells.csv", units=(path,),
        facilities=(field / "town_centres.csv",), datum="wgs84",
    )  # fmt: skip
    _, policy, city, travel = analyse_city(request)
    found = coverage(Study(city, travel, policy), Question(service="health_centre"))
    assert {row.code: row.residents for row in found.units} == {"A": 3_840, "B": 160}
    told = [dict(w.params)["fault"] for w in city.warnings if w.key == "file_remark"]
    assert "input_units_inside" in told
    assert "input_units_overlap" not in told


def test_partial_overlaps_stay_with_the_lower_code_and_nests_go_to_the_innermost():
    rows = [
        ("a", "unit", square(0, 0, 100)),
        ("b", "unit", square(10, 10, 60)),
        ("c", "unit", square(20, 20, 20)),
        ("d", "unit", square(90, 0, 100)),
        ("e", "unit", square(0, 0, 100)),
    ]
    units = build_units(unit_table(frame(rows)), CRS, LEVELS)
    at = np.array([[5.0, 5], [12, 12], [25, 25], [95, 50], [150, 50]])
    held = assign_units(at, units)["unit"]
    assert [units.code[i] for i in held] == ["a", "b", "c", "a", "d"]
