"""Slips of the people who write tables: a lost decimal point, rounded codes, open rings in binary.

And what says that a place is closed where no column is called status.
"""

from __future__ import annotations

import struct
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from lifecircle.analysis.city.crs import box_of, metric_crs, to_lonlat, to_metric
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.tables.population_and_facilities import (
    read_facilities,
    read_population,
)
from lifecircle.analysis.readers.tables.units import read_units
from tests.files.tables import faults, keyed

SAID = Declarations(Declaration(datum="wgs84"))
SQUARE = [(102.69, 24.99), (102.7, 24.99), (102.7, 25.01), (102.69, 25.01)]


def cells(folder: Path, *places: tuple[str, str]) -> Path:
    path = folder / "cells.csv"
    rows = "".join(f"c{i},{lon},{lat},10\n" for i, (lon, lat) in enumerate(places))
    path.write_text("id,lon,lat,population\n" + rows, encoding="utf-8")
    return path


def places(folder: Path, head: str, *rows: str) -> Path:
    path = folder / "list.csv"
    lines = (f"社区卫生服务中心,中心{i},102.7{i}123,25.01234,{row}" for i, row in enumerate(rows))
    path.write_text("\n".join((f"类型,名称,经度,纬度,{head}", *lines)) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("lon", "lat", "column", "meant"),
    [
        ("102712345", "25.04123", "lon", "102.712345"),
        ("102.712345", "2504123", "lat", "25.04123"),
        ("1027.12345", "25.04123", "lon", "102.712345"),
    ],
)
def test_a_row_that_lost_its_point_is_named_with_what_is_meant(tmp_path, lon, lat, column, meant):
    sound = [(f"102.7{i}1", f"25.04{i}") for i in range(3)]
    (fault,) = faults(lambda: read_population(cells(tmp_path, *sound, (lon, lat)), SAID))
    assert (fault.key, fault.row, fault.column) == ("input_decimal_lost_row", 5, column)
    assert fault.params["meant"] == meant


def test_a_number_that_lies_nowhere_near_is_no_lost_point(tmp_path):
    sound = [(f"102.7{i}1", f"25.04{i}") for i in range(3)]
    path = cells(tmp_path, *sound, ("555555555", "25.04"))
    assert keyed(lambda: read_population(path, SAID)) == [("input_lon_range", 5, "lon")]


def test_whole_columns_without_points_are_told_what_they_may_mean(tmp_path):
    path = cells(tmp_path, ("102712345", "25041230"), ("102712399", "25041231"))
    (fault,) = faults(lambda: read_population(path, SAID))
    assert fault.key == "input_decimal_lost"
    assert (fault.params["meant_x"], fault.params["meant_y"]) == ("102.712345", "25.04123")


def test_codes_rounded_by_a_spreadsheet_stop_a_build_as_they_do_a_check(tmp_path):
    path = places(tmp_path, "社区代码", "530102001001", "5.30102E+11", "５.30102e+11")
    assert keyed(lambda: read_facilities(path, load_policy(), SAID)) == [
        ("check_code_damaged", 3, "社区代码"), ("check_code_damaged", 4, "社区代码"),
    ]  # fmt: skip


def packed(ring: list[tuple[float, float]]) -> bytes:
    """A polygon of one ring as WKB, closed or not."""
    numbers = [number for place in ring for number in place]
    return struct.pack(f"<BIII{len(numbers)}d", 1, 3, 1, len(ring), *numbers)


def open_layer(folder: Path, suffix: str) -> Path:
    path = folder / f"units{suffix}"
    rings = [SQUARE, [*((x + 0.02, y) for x, y in SQUARE), (102.71, 24.99)]]
    if suffix == ".gpkg":
        pyogrio.raw.write(
            path, np.array([packed(ring) for ring in rings], object),
            [np.array(["甲街道", "乙街道"], object), np.array(["A", "B"], object)],
            ["name", "code"], geometry_type="Polygon", crs="EPSG:4326", driver="GPKG",
        )  # fmt: skip
        return path
    held = {"name": ["甲街道", "乙街道"], "code": ["A", "B"]}
    frame = gpd.GeoDataFrame(held, geometry=[shapely.Polygon(one) for one in rings], crs=4326)
    frame.to_parquet(path)
    table = pq.read_table(path)
    at = table.column_names.index("geometry")
    bare = pa.array([packed(ring) for ring in rings], pa.binary())
    pq.write_table(table.set_column(at, "geometry", bare), path)
    return path


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet"])
def test_open_rings_of_binary_layers_are_closed_and_told(tmp_path, suffix):
    table = read_units([open_layer(tmp_path, suffix)], load_policy(), SAID)
    assert [(w.key, w.rows) for w in table.warnings if "ring" in w.key] == [
        ("input_rings_closed", (1,))
    ]
    assert shapely.area(table.where.shapes) == pytest.approx([2e-4, 2e-4])
    assert list(table.name) == ["甲街道", "乙街道"]


def test_hours_that_are_a_word_of_a_status_close_a_place(tmp_path):
    path = places(tmp_path, "营业时间", "08:00-17:30", "已停业", "暂停营业（装修）", "无")
    table = read_facilities(path, load_policy(), SAID)
    assert list(table.name) == ["中心0", "中心3"]
    assert list(table.not_open["why"]) == ["营业时间=已停业", "营业时间=暂停营业（装修）"]
    assert [w.rows for w in table.warnings if w.key == "input_status_gone"] == [(3,), (4,)]


def test_days_of_closing_count_as_of_the_day_of_the_build(tmp_path):
    said = ("", "2021-03-01", "2021年3月", "20210301", "2030/1/1", "2026")
    path = places(tmp_path, "关闭日期", *said)
    told = read_facilities(path, load_policy(), SAID, today=date(2026, 11, 29))
    assert list(told.name) == ["中心0", "中心4", "中心5"]
    (warning,) = [w for w in told.warnings if w.key == "input_status_ended"]
    assert warning.rows == (3, 4, 5)
    assert len(read_facilities(path, load_policy(), SAID).name) == len(said)


def test_cells_pasted_with_fewer_decimals_are_there_twice(tmp_path):
    first = [(f"102.69{i:03d}05", f"24.99{i:03d}15") for i in range(20)]  # halves of a decimal
    again = [(f"{float(x):.6f}", f"{float(y):.6f}") for x, y in first]
    table = read_population(cells(tmp_path, *first, *again), SAID)
    (warning,) = [w for w in table.warnings if w.key == "input_people_twice"]
    assert warning.rows == tuple(range(22, 42))


def test_latitude_first_in_every_cell_is_told_unless_the_title_says_so(tmp_path):
    for title, told in (("坐标", True), ("纬经度", False)):
        path = tmp_path / "list.csv"
        path.write_text(f"类型,名称,{title}\n药店,甲,24.995 102.694\n", encoding="utf-8")
        keys = [w.key for w in read_facilities(path, load_policy(), SAID).warnings]
        assert ("input_lat_first" in keys) is told, title


def test_an_area_across_the_antimeridian_has_one_zone_and_a_box_from_west_to_east():
    fiji = np.array([[179.98, -16.5], [-179.97, -16.6], [179.99, -16.7], [-179.96, -16.8]])
    assert metric_crs(fiji) in ("EPSG:32701", "EPSG:32760")
    assert box_of(fiji) == (179.98, -16.8, -179.96, -16.5)
    there = to_metric(fiji, metric_crs(fiji))
    assert np.ptp(there[:, 0]) < 8_000
    assert np.allclose(to_lonlat(there, metric_crs(fiji)), fiji)
    across = shapely.Polygon([(179.98, -16.8), (-179.98, -16.8), (-179.98, -16.7), (179.98, -16.7)])
    (centre,) = Located.of_degrees(np.array([across], object)).centres()
    assert abs(abs(centre[0]) - 180.0) < 1e-9
