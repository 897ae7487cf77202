"""Layers as people have them: open rings, latitude first, a feature a line, units in parts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.tables.population_and_facilities import read_facilities
from lifecircle.analysis.readers.tables.units import read_units
from tests.files.tables import faults, keyed

SAID = Declarations(Declaration(datum="wgs84"))
WEST = [[102.69, 24.99], [102.7, 24.99], [102.7, 25.01], [102.69, 25.01], [102.69, 24.99]]
EAST = [[102.71, 24.99], [102.72, 24.99], [102.72, 25.01], [102.71, 25.01], [102.71, 24.99]]
HOLE = [[102.694, 24.995], [102.696, 24.995], [102.696, 24.997], [102.694, 24.995]]


def feature(rings: object, kind: str = "Polygon", **said: object) -> dict[str, object]:
    held = {"name": "甲街道", "code": "A", "level": "街道", **said}
    shape = {"type": kind, "coordinates": rings}
    return {"type": "Feature", "properties": held, "geometry": shape}


def write(path: Path, *features: dict[str, object]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


def units(path: Path):
    return read_units([path], load_policy(), SAID)


def told(table) -> dict[str, tuple[int, ...]]:
    keys = ("input_rings_closed", "input_lat_first")
    return {w.key: w.rows for w in table.warnings if w.key in keys}


def test_an_open_ring_is_closed_and_told(shared_data):
    table = units(shared_data / "field" / "15_open_ring.geojson")
    assert told(table) == {"input_rings_closed": (1,)}
    assert shapely.area(table.where.shapes[0]) == pytest.approx(0.01 * 0.02)


@pytest.mark.parametrize(
    ("rings", "kind", "area"),
    [
        ([WEST[:-1]], "Polygon", 2e-4),
        ([WEST, HOLE[:-1]], "Polygon", 2e-4 - 2e-6),
        ([[WEST], [EAST[:-1]]], "MultiPolygon", 4e-4),
    ],
)
def test_open_rings_anywhere_in_geojson_and_in_cells(tmp_path, rings, kind, area):
    layer = units(write(tmp_path / "a.geojson", feature(rings, kind)))
    text = json.dumps({"type": kind, "coordinates": rings}).replace('"', '""')
    table = tmp_path / "a.csv"
    table.write_text(f'name,code,level,geometry\n甲街道,A,街道,"{text}"\n', "utf-8")
    for read, rows in ((layer, (1,)), (units(table), (2,))):
        assert told(read) == {"input_rings_closed": rows}
        assert shapely.area(read.where.shapes[0]) == pytest.approx(area)


def test_open_rings_of_wkt_and_kml(tmp_path):
    places = [f"{x} {y}" for x, y in WEST[:-1]]
    table = tmp_path / "a.csv"
    table.write_text(f"name;code;level;wkt\n甲;A;街道;POLYGON(({','.join(places)}))\n", "utf-8")
    kml = tmp_path / "a.kml"
    kml.write_text(
        "<kml><Placemark><name>甲</name><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{' '.join(p.replace(' ', ',') for p in places)}"
        "</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>", "utf-8",
    )  # fmt: skip
    for path, row in ((table, 2), (kml, 1)):
        assert told(units(path)) == {"input_rings_closed": (row,)}
        assert shapely.area(units(path).where.shapes[0]) == pytest.approx(2e-4)


def test_what_is_closed_already_is_not_told(tmp_path):
    doubled = [*WEST[:2], WEST[1], *WEST[2:], WEST[-1]]
    assert told(units(write(tmp_path / "a.geojson", feature([doubled])))) == {}


def test_a_ring_without_area_is_no_outline(tmp_path):
    for number, ring in enumerate(([WEST[0]], [WEST[0], WEST[1]], [WEST[0], WEST[1], WEST[0]])):
        path = write(tmp_path / f"{number}.geojson", feature([ring]), feature([EAST], code="B"))
        assert {(row, key[:15]) for key, row, _ in keyed(lambda p=path: units(p))} == {
            (1, "input_geometry_")
        }


def test_latitude_first_is_read_and_told(tmp_path):
    turned = [[y, x] for x, y in WEST]
    read = units(write(tmp_path / "a.geojson", feature([turned])))
    assert set(told(read)) == {"input_lat_first"}
    assert shapely.equals(read.where.shapes[0], shapely.Polygon(WEST))
    assert np.allclose(read.where.centres(), [[102.695, 25.0]])
    mixed = write(tmp_path / "b.geojson", feature([turned]), feature([EAST], code="B"))
    assert keyed(lambda: units(mixed)) == [("input_outside_crs", 1, None)]


@pytest.mark.parametrize("name", ["a.geojson", "a.geojsonl", "a.ndjson"])
@pytest.mark.parametrize(("before", "end"), [("", "\n"), ("\x1e", "\n"), ("", "\r\n")])
def test_one_feature_a_line(tmp_path, name, before, end):
    lines = [
        feature([102.69 + i / 100, 25.0], "Point", type="社区卫生服务中心", name=f"中心{i}")
        for i in range(3)
    ]
    path = tmp_path / name
    path.write_bytes("".join(before + json.dumps(line) + end for line in lines).encode())
    table = read_facilities(path, load_policy(), SAID)
    assert table.name.tolist() == ["中心0", "中心1", "中心2"]


def test_lines_that_are_no_features_are_named(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text('{"type": "Feature"}\n{"type": "Nothing"}\n', "utf-8")
    assert keyed(lambda: units(path)) == [("input_not_geojson", None, None)]
    path.write_text('{"type": "Feature"}\n{"type": \n', "utf-8")
    assert keyed(lambda: units(path)) == [("input_broken", None, None)]


def test_parts_of_a_unit_are_joined(shared_data):
    table = units(shared_data / "field" / "20_two_parts.geojson")
    assert (table.code.tolist(), table.name.tolist()) == (["A"], ["甲街道"])
    assert shapely.get_num_geometries(table.where.shapes[0]) == 2
    (remark,) = [w for w in table.warnings if w.key.startswith("input_parts")]
    assert (remark.key, remark.params["rows"]) == ("input_parts_joined", "1, 2")


@pytest.mark.parametrize(
    ("parts", "residents", "key"),
    [
        ((5000, 5000, 5000), 5000, "input_parts_same_figure"),
        ((5000, None, None), 5000, "input_parts_joined"),
        ((None, 5000, 5000), 5000, "input_parts_same_figure"),
        ((5000, 3000, None), 8000, "input_parts_added"),
        ((None, None, None), None, "input_parts_joined"),
    ],
)
def test_residents_of_a_unit_in_parts(tmp_path, parts, residents, key):
    third = [[x + 0.02, y] for x, y in EAST]
    rows = [
        feature([ring], population=count, pop_65=None if count is None else count / 10)
        for ring, count in zip((WEST, EAST, third), parts, strict=True)
    ]
    other = feature([[[x, y + 0.1] for x, y in WEST]], code="B", name="乙", population=7, pop_65=1)
    table = units(write(tmp_path / "a.geojson", rows[0], other, *rows[1:]))
    assert table.code.tolist() == ["A", "B"]
    assert table.residents.to_list() == [residents, 7]
    old = None if residents is None else residents / 10
    assert table.groups["65"].to_list() == [old, 1]
    assert shapely.area(table.where.shapes[0]) == pytest.approx(6e-4)
    assert [w.key for w in table.warnings if w.key.startswith("input_parts")] == [key]


def test_one_code_for_two_names_is_refused_with_both(tmp_path):
    path = write(tmp_path / "a.geojson", feature([WEST]), feature([EAST], name="乙街道"))
    (fault,) = faults(lambda: units(path))
    assert (fault.key, fault.row) == ("input_code_two_names", 2)
    assert all(word in fault.text("zh") for word in ("甲街道", "乙街道", "A"))


def test_one_unit_in_two_files_stays_an_error(tmp_path):
    paths = [
        write(tmp_path / n, feature([r])) for n, r in (("a.geojson", WEST), ("b.geojson", EAST))
    ]
    assert keyed(lambda: read_units(paths, load_policy(), SAID)) == [("input_code_twice", 1, None)]
