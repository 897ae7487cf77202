"""Kinds of files invented by somebody who had not read the readers; what failed then.

Rows that name a datum of their own, places shut by a column, a name or a day still to come, sums
drawn as units, scales without brackets, codes that lost a zero, kinds that are not used.
"""

from __future__ import annotations

import json
import lzma
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import shapely

from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.source import check_osm_file
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.tables.population_and_facilities import (
    check_table,
    read_facilities,
    read_population,
)
from lifecircle.analysis.readers.tables.units import read_units
from tests.files.tables import faults

SAID = Declarations(Declaration(datum="wgs84"))
GCJ = Declarations(Declaration(datum="gcj02"))


def table(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


def centres(folder: Path, head: str, *cells: str) -> Path:
    rows = (f"社区卫生服务中心,中心{i},102.7{i}123,25.01234,{c}\n" for i, c in enumerate(cells))
    return table(folder, f"类型,名称,经度,纬度,{head}\n" + "".join(rows))


def test_rows_that_name_another_datum_are_refused(tmp_path):
    path = centres(tmp_path, "坐标系", "GCJ02", "WGS84", "国家2000", "")
    (fault,) = faults(lambda: read_facilities(path, load_policy(), SAID))
    assert (fault.key, fault.column) == ("input_rows_datum", "坐标系")
    assert fault.params["named"] == "gcj02"
    named = [f.params["named"] for f in faults(lambda: read_facilities(path, load_policy(), GCJ))]
    assert named == ["wgs84", "cgcs2000"]
    path = centres(tmp_path, "坐标系", "高德", "火星坐标系", "GCJ-02")
    assert len(read_facilities(path, load_policy(), GCJ)) == 3


@pytest.mark.parametrize("title", ["位置", "gps"])
def test_a_column_of_places_is_one_by_what_it_holds(tmp_path, title):
    path = table(tmp_path, f"类型,名称,{title}\n药店,甲,24.9954862;102.6950471\n")
    (place,) = read_facilities(path, load_policy(), SAID).where.shapes
    assert (place.x, place.y) == (102.6950471, 24.9954862)
    path = table(tmp_path, f"类型,名称,经度,纬度,{title}\n药店,甲,102.7,25.0,春竹街道1号\n")
    assert len(read_facilities(path, load_policy(), SAID)) == 1


def test_what_shuts_a_place_beside_its_status(tmp_path):
    today = date(2026, 11, 29)
    for head, cells, shut in (
        ("是否关闭", ("是", "否", ""), ["是否关闭=是"]),
        ("经营状态", ("歇业中", "营业中", "已关闭了"), ["经营状态=歇业中", "经营状态=已关闭了"]),
        ("开业日期", ("2027-06-01", "2001年3月", "08:00-22:00"), ["开业日期=2027-06-01"]),
    ):
        path = centres(tmp_path, head, *cells)
        read = read_facilities(path, load_policy(), SAID, today=today)
        assert list(read.not_open["why"]) == shut
        assert len(read) == len(cells) - len(shut)
        assert not [w for w in read.warnings if w.key == "input_status_unknown"]


def test_a_name_that_ends_with_a_state_says_it(tmp_path):
    names = ("甲药店(已关闭)", "乙药店（暂停营业）", "丙药店（拟建）", "丁药店（站旁）", "关闭药店")
    rows = "".join(f"药店,{name},102.7{i},25.0\n" for i, name in enumerate(names))
    read = read_facilities(table(tmp_path, "类型,名称,经度,纬度\n" + rows), load_policy(), SAID)
    assert list(read.name) == list(names[3:])
    assert list(read.not_open["state"]) == ["gone", "gone", "planned"]


@pytest.mark.parametrize(
    ("title", "cell", "persons"),
    [
        ("人口/万人", "0.3", 3000), ("人口_千人", "3", 3000), ("人口（单位：万人）", "0.3", 3000),
        ("population (thousands)", "3", 3000), ("人口/百人", "30", 3000), ("人口", "3 000", 3000),
        ("人口", "3'000人", None), ("人口", "3000人", 3000),
    ],
)  # fmt: skip
def test_scales_and_thousands_as_people_write_them(tmp_path, title, cell, persons):
    path = table(tmp_path, f'id,lon,lat,{title}\n1,102.7,25.0,"{cell}"\n')
    if persons is None:
        assert faults(lambda: read_population(path, SAID))
    else:
        assert read_population(path, SAID).residents.tolist() == [persons]


def test_persons_of_an_area_are_no_persons(tmp_path):
    path = table(tmp_path, "id,lon,lat,pop_ha\n1,102.7,25.0,30\n")
    assert [f.key for f in faults(lambda: read_population(path, SAID))] == [
        "input_population_missing"
    ]


def test_a_code_of_kinds_that_lost_its_zero(tmp_path):
    path = table(tmp_path, "typecode,name,lon,lat\n90601,甲大药房,102.7,25.0\n")
    assert list(read_facilities(path, load_policy(), SAID).service) == ["pharmacy"]


def test_kinds_that_are_not_used_are_told(tmp_path):
    path = table(tmp_path, "类型,名称,lon,lat\n药店,甲,102.7,25.0\n甲级,乙,102.71,25.0\n")
    said = Declarations(Declaration(datum="wgs84", service="health_centre"))
    (warning,) = read_facilities(path, load_policy(), said).warnings
    assert (warning.key, warning.column) == ("input_kind_ignored", "类型")
    path = table(tmp_path, "类型,名称,lon,lat\n社区卫生服务中心,甲,102.7,25.0\n")
    assert read_facilities(path, load_policy(), said).warnings == ()


WEST, EAST = shapely.box(102.69, 24.99, 102.70, 25.01), shapely.box(102.70, 24.99, 102.71, 25.01)


def units(folder: Path, *rows: tuple[str, shapely.Geometry, int]) -> Path:
    path = folder / "units.geojson"
    features = [
        {"type": "Feature", "geometry": shapely.geometry.mapping(shape),
         "properties": {"code": name, "name": name, "level": "街道", "population": persons}}
        for name, shape, persons in rows
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


def test_a_sum_drawn_as_a_unit_is_refused(tmp_path):
    parts = (("西", WEST, 1500), ("东", EAST, 2500))
    whole = shapely.union_all([WEST, EAST])
    path = units(tmp_path, *parts, ("全市合计", whole, 4000))
    (fault,) = faults(lambda: read_units([path], load_policy(), SAID))
    assert (fault.key, fault.params["name"]) == ("input_unit_is_sum", "全市合计")
    around = units(tmp_path, *parts, ("环城", shapely.box(102.68, 24.98, 102.72, 25.02), 4000))
    assert len(read_units([around], load_policy(), SAID)) == 3


def test_a_collection_of_an_area_and_a_line_is_the_area(tmp_path):
    mixed = shapely.GeometryCollection([WEST, shapely.LineString([(102.7, 24.99), (102.7, 25.01)])])
    read = read_units([units(tmp_path, ("西", mixed, 1500))], load_policy(), SAID)
    assert read.where.shapes[0].equals(WEST)
    assert [w.rows for w in read.warnings if w.key == "input_collections"] == [(1,)]


def test_what_is_packed_or_gridded_otherwise_is_named(tmp_path):
    packed = tmp_path / "town.osm.xz"
    packed.write_bytes(lzma.compress(b"<osm/>"))
    assert [f.key for f in faults(lambda: check_osm_file(packed))] == ["osm_packed"]
    grid = tmp_path / "people.asc"
    grid.write_text("ncols 1\n", "utf-8")
    assert [f.key for f in faults(lambda: read_population(grid, SAID))] == ["input_raster_kind"]


def test_hidden_sheets_are_noted(tmp_path):
    book = openpyxl.Workbook()
    for row in (["类型", "名称", "经度", "纬度"], ["药店", "甲", 102.7, 25.0]):
        book.active.append(row)
    book.create_sheet("旧名单").sheet_state = "hidden"
    book.save(tmp_path / "list.xlsx")
    notes = check_table(tmp_path / "list.xlsx", "facilities", declared=SAID)
    assert [n.params["others"] for n in notes if n.key == "input_sheets_hidden"] == ["旧名单"]
