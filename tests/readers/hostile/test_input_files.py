"""Files that are no good: refused by name, by their first bytes, by what vanishes meanwhile."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
from shapely.geometry import LineString, Point

from lifecircle.analysis.readers.checker.check import ROW_BY_ROW
from lifecircle.analysis.readers.records import files as files_in
from lifecircle.analysis.readers.tables.population_and_facilities import read_population
from tests.files.tables import GOOD, faults, keyed, said

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("content", "name", "key"),
    [
        (b"", "a.csv", "file_empty"),
        (b"id,lon\n", "a.csv", "input_no_rows"),
        (b"x", "a.kml", "input_really"),
        (b"x", "a.doc", "input_suffix"),
        (b"x", "noname", "input_suffix"),
        (b"PK\x03\x04rest", "a.csv", "input_broken"),
        (b"%PDF-1.4", "a.csv", "input_really"),
        (b"{}", "a.csv", "input_really"),
        (b"a,b\n1,2\n", "a.xlsx", "input_really"),
        (b"a,b\n1,2\n", "a.gpkg", "input_really"),
        (b"SQLite format 3\x00" + b"\x00" * 200, "a.gpkg", "input_broken"),
        (b"PAR1broken", "a.parquet", "input_broken"),
        (b"\x00\x00\x27\x0a", "a.shp", "input_shape_parts"),
        (b"\xd0\xcf\x11\xe0broken", "a.xls", "input_broken"),
        (b'{"type": "Topology"}', "a.json", "input_topojson"),
        (b'{"elements": []}', "a.json", "input_overpass_json"),
        (b'{"geometryType": "esriGeometryPoint", "features": []}', "a.json", "input_esri_json"),
        (b'{"type": "Other"}', "a.json", "input_not_geojson"),
        (b'{"type": "FeatureCollection", "feat', "a.json", "input_broken"),
        (b'{"type": "FeatureCollection", "features": []}', "a.json", "input_no_rows"),
        (b'{"type": "gdal_streamed_alg", "command_line": "x"}', "a.json", "input_not_geojson"),
        (b"<OGRVRTDataSource></OGRVRTDataSource>", "a.geojson", "input_really"),
        (b"<OGRVRTDataSource></OGRVRTDataSource>", "a.csv", "input_really"),
        (b"id,lon\n\xff\xff\x81,1\n", "a.csv", "input_encoding"),
        (b"lon,lat,population\n1,1,1,9\n", "a.csv", "input_row_long"),
        (b"a,b\n1,2\n", "a.csv", "input_no_coordinates"),
        (b"lon,lat,population,population\n1,1,1,1\n", "a.csv", "input_column_twice"),
    ],
)
def test_files_that_are_no_good(file, content, name, key):
    path = file(content, name)
    assert faults(lambda: read_population(path, said("wgs84")))[0].key == key


def test_json_nested_to_the_sky(file):
    path = file(b'{"type": ' * 100_000, "deep.geojson")
    assert keyed(lambda: read_population(path)) == [("input_broken", None, None)]


def test_missing_folder_and_addresses(tmp_path):
    assert faults(lambda: read_population(tmp_path / "no.csv"))[0].key == "file_missing"
    assert faults(lambda: read_population(tmp_path))[0].key == "input_directory"
    for address in (
        "http://127.0.0.1/a.geojson",
        "/vsicurl/http://127.0.0.1/a.geojson",
        "GPKG:a.gpkg",
        "WFS:http://127.0.0.1",
        "ESRI Shapefile:a.shp",
    ):
        assert faults(lambda a=address: read_population(Path(a)))[0].key == "input_address"


def test_a_file_that_vanishes_or_changes_midway(file, monkeypatch):
    path = file(GOOD)
    read = Path.read_bytes

    def remove_first(self):
        raw = read(self)
        self.unlink()
        return raw

    monkeypatch.setattr(Path, "read_bytes", remove_first)
    assert faults(lambda: read_population(path, said("wgs84")))[0].key == "input_vanished"
    path = file(GOOD)

    def append_after(self):
        raw = read(self)
        self.write_bytes(raw + b"c,1,1,1\n")
        return raw

    monkeypatch.setattr(Path, "read_bytes", append_after)
    assert faults(lambda: read_population(path, said("wgs84")))[0].key == "input_changed"


def test_a_geopackage_that_vanishes_before_gdal_opens_it(tmp_path, monkeypatch):
    path = tmp_path / "l.gpkg"
    gpd.GeoDataFrame({"population": [1]}, geometry=[Point(1, 1)], crs=4326).to_file(path)
    read = pyogrio.read_dataframe

    def remove_first(source, **options):
        path.unlink()
        return read(source, **options)

    monkeypatch.setattr(pyogrio, "read_dataframe", remove_first)
    assert keyed(lambda: read_population(path)) == [("input_vanished", None, None)]


def test_layers_without_crs_geometry_or_with_lines(tmp_path):
    path = tmp_path / "l.gpkg"
    shapes = [Point(1, 1), None, LineString([(0, 0), (1, 1)])]
    frame = gpd.GeoDataFrame({"population": [1, 2, 3]}, geometry=shapes, crs=4326)
    frame.to_file(path)
    assert keyed(lambda: read_population(path)) == [
        ("input_geometry_missing", 2, None),
        ("input_population_line", 3, None),
    ]
    bare = tmp_path / "bare.shp"
    with pytest.warns(UserWarning, match="crs"):
        frame.iloc[:1].set_crs(None, allow_override=True).to_file(bare)
    assert keyed(lambda: read_population(bare)) == [("input_layer_crs_missing", None, None)]
    wrong = tmp_path / "wrong.gpkg"
    frame.iloc[:1].set_geometry([Point(500_000, 2_000_000)], crs=4326).to_file(wrong)
    assert keyed(lambda: read_population(wrong)) == [("input_metres_plain", None, None)]


def test_undefined_crs_of_a_geopackage_is_no_crs(tmp_path):
    path = tmp_path / "u.gpkg"
    frame = gpd.GeoDataFrame({"population": [1]}, geometry=[Point(1, 1)])
    with pytest.warns(UserWarning, match="crs"):
        frame.to_file(path)
    assert keyed(lambda: read_population(path)) == [("input_layer_crs_missing", None, None)]


def test_geojson_with_text_for_numbers(file):
    def feature(coordinates):
        return {"type": "Feature", "properties": {"population": 1},
                "geometry": {"type": "Point", "coordinates": coordinates}}  # fmt: skip

    content = {"type": "FeatureCollection", "features": [feature(["1", "2"]), feature([1, 2])]}
    assert keyed(lambda: read_population(file(json.dumps(content), "a.json"))) == [
        ("input_geometry_unread", 1, None)
    ]
    content |= {"crs": {"type": "name", "properties": {"name": "file:///etc/passwd"}}}
    path = file(json.dumps(content), "b.json")
    assert keyed(lambda: read_population(path)) == [("input_crs_unknown", None, None)]


def test_two_layers_in_one_file(tmp_path):
    path = tmp_path / "two.gpkg"
    frame = gpd.GeoDataFrame({"population": [1]}, geometry=[Point(1, 1)], crs=4326)
    frame.to_file(path, layer="one")
    frame.to_file(path, layer="two")
    (fault,) = faults(lambda: read_population(path))
    assert fault.key == "input_layers_many"
    assert "one, two" in fault.text("en")


def test_every_message_is_used_and_every_key_has_a_message():
    messages = ROOT / "analysis" / "messages"
    own = set(tomllib.loads((messages / "readers.toml").read_text("utf-8")))
    code = "".join(p.read_text("utf-8") for p in (ROOT / "analysis" / "readers").rglob("*.py"))
    used = set(re.findall(r'"(input_[a-z0-9_]+)"', code))
    told = used | {f"{key}_row" for key in ROW_BY_ROW if f"{key}_row" in own}
    assert told == {key for key in own if key.startswith("input_")}


def test_messages_take_the_same_parameters_in_both_languages():
    text = (ROOT / "analysis" / "messages" / "readers.toml").read_text("utf-8")
    for key, message in tomllib.loads(text).items():
        names = {lang: set(re.findall(r"\{(\w+)\}", message[lang])) for lang in ("en", "zh")}
        assert names["en"] == names["zh"], key


def test_gdal_is_guarded_only_before_it_is_loaded(monkeypatch):
    monkeypatch.setenv("OGR_SKIP", "PDS4")
    monkeypatch.setattr(files_in.sys, "modules", {"pyogrio": object()})
    files_in.guard_gdal()
    assert files_in.os.environ["OGR_SKIP"] == "PDS4"
    monkeypatch.setattr(files_in.sys, "modules", {})
    files_in.guard_gdal()
    files_in.guard_gdal()
    assert files_in.os.environ["OGR_SKIP"].startswith("PDS4,OGR_VRT,GDALG")
    assert files_in.os.environ["OGR_SKIP"].count("OGR_VRT") == 1
