"""Files made to harm: what each of them gets (docs/hostile-input.md is the same list)."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.tables.population_and_facilities import (
    check_table,
    read_population,
)
from tests.files.hostile import errors
from tests.files.office import layer_frame, places, write_gpkg, write_shapefile
from tests.files.tables import said, writer


@pytest.fixture
def visited() -> Iterator[tuple[str, list[str]]]:
    """An address of this machine, and the paths that anybody asked it for."""
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{0}/a.geojson</SrcDataSource>'
    "</OGRVRTLayer></OGRVRTDataSource>"
)
LINK_KML = (
    '<kml xmlns="http://www.opengis.net/kml/2.2"><NetworkLink><Link><href>{0}/a.kml</href></Link>'
    "</NetworkLink></kml>"
)
FETCHING = {
    "a.geojson": VRT,
    "a.csv": VRT,
    "a.gpkg": VRT,
    "a.shp": VRT,
    "a.kml": VRT,
    "b.kml": LINK_KML,
    "c.kml": '<!DOCTYPE kml [<!ENTITY e SYSTEM "{0}/e">]><kml><name>&e;</name></kml>',
    "b.geojson": '{{"type": "gdal_streamed_alg", "command_line": "gdal vector read {0}/a"}}',
    "d.geojson": '{{"type": "FeatureCollection", "crs": {{"type": "link", "properties": '
    '{{"href": "{0}/crs"}}}}, "features": [{{"type": "Feature", "geometry": null}}]}}',
    "e.geojson": '{{"stac_version": "1.0", "type": "Catalog", "links": [{{"href": "{0}/x"}}]}}',
}


@pytest.mark.parametrize("name", FETCHING)
def test_nothing_is_fetched(tmp_path, visited, name):
    address, asked = visited
    path = writer(tmp_path)(FETCHING[name].format(address), name)
    assert errors(path)
    assert asked == []


def test_a_projection_that_is_an_address_is_not_fetched(tmp_path, visited):
    address, asked = visited
    path = write_shapefile(tmp_path / "a.shp", layer_frame(places(), "wgs84"), "UTF-8", True)
    path.with_suffix(".prj").write_text(f"{address}/4326.prj")
    assert errors(path) == []  # no CRS of its own: the declared datum holds
    assert asked == []


HEAD = '<?xml version="1.0"?>'
BOMBS = {
    "doctype": HEAD + '<!DOCTYPE kml [<!ENTITY a "ha">]><kml>&a;</kml>',
    "laughs": HEAD + '<!DOCTYPE k [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><kml>&b;</kml>',
    "file": HEAD + '<!DOCTYPE k [<!ENTITY e SYSTEM "file:///etc/passwd">]><kml>&e;</kml>',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", BOMBS)
def test_entities_in_kml(tmp_path, name, encoding):
    path = writer(tmp_path)(BOMBS[name].encode(encoding), "a.kml")
    assert errors(path) == ["input_xml_doctype"]


def test_kml_nested_and_with_nonsense(tmp_path):
    deep = "<kml>" + "<Folder>" * 100_000
    assert errors(writer(tmp_path)(deep, "a.kml")) == ["input_nested"]

    def mark(inside: str) -> str:
        data = '<ExtendedData><Data name="人口"><value>3</value></Data></ExtendedData>'
        return f"<Placemark><name>a</name>{data}{inside}</Placemark>"

    point = "<Point><coordinates>{}</coordinates></Point>"
    marks = [mark(point.format(text)) for text in ("102,25", "nan,25", "1e308,1", "x,y", "")]
    path = writer(tmp_path)(f"<kml><Document>{''.join(marks)}</Document></kml>", "b.kml")
    found = [f for f in check_table(path) if f.severity == "error"]
    assert [(f.key, f.row) for f in found] == [
        ("input_geometry_not_finite", 2),
        ("input_outside_crs", 3),
        ("input_geometry_unread", 4),
        ("input_geometry_unread", 5),
    ]


def feature(geometry: object, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "geometry": geometry, "properties": {"人口": 1, **properties}}


def collection(*features: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def point(*coordinates: object) -> dict[str, object]:
    return {"type": "Point", "coordinates": coordinates}


def test_json_coordinates_that_are_none(tmp_path):
    write = writer(tmp_path)
    text = collection(feature(point(102, 25)), feature(point("102", "25")),
                      feature(point(1e308, 25)), feature(point(102)), feature({"type": "Pint"}),
                      feature({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}))  # fmt: skip
    found = [f for f in check_table(write(text, "a.geojson")) if f.severity == "error"]
    assert [(f.key, f.row) for f in found] == [
        ("input_geometry_unread", 2),
        ("input_outside_crs", 3),
        ("input_geometry_unread", 4),
        ("input_geometry_unread", 5),
        ("input_geometry_unread", 6),
    ]
    for literal in ("NaN", "Infinity"):
        broken = collection(feature(point(102, 25))).replace("102", literal)
        assert errors(write(broken, "b.geojson")) == ["input_broken"]


@pytest.mark.parametrize("depth", [300, 900, 100_000])
def test_json_nested_deeply(tmp_path, depth):
    nest = "[" * depth + "]" * depth
    text = collection(feature({"type": "Polygon", "coordinates": "X"})).replace('"X"', nest)
    assert errors(writer(tmp_path)(text, "a.geojson"))[0] in ("input_nested", "input_broken")
    text = collection(feature(point(102, 25), extra="X")).replace('"X"', nest)
    assert errors(writer(tmp_path)(text, "b.geojson"))[0] in ("input_nested", "input_broken")


def test_an_outline_that_crosses_itself_thousands_of_times(tmp_path):
    """GEOS mends a star of 101 corners in 44 s, and one of 401 not in hours."""
    turn = 2 * np.pi * np.arange(1001) * 500 / 1001
    star = shapely.Polygon(np.column_stack((102 + np.cos(turn), 25 + np.sin(turn))))
    text = collection(feature(shapely.geometry.mapping(star)))
    assert errors(writer(tmp_path)(text, "a.geojson")) == ["input_geometry_tangled"]


def test_more_vertices_than_are_borne(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "SHAPE_VERTICES", 50)
    ring = shapely.Point(102, 25).buffer(0.1, quad_segs=32)
    text = collection(feature(shapely.geometry.mapping(ring)))
    assert errors(writer(tmp_path)(text, "a.geojson")) == ["input_vertices_one"]
    monkeypatch.setattr(limits, "VERTICES", 50)
    assert errors(writer(tmp_path)(text, "a.geojson")) == ["input_vertices"]


def test_a_geopackage_whose_layer_is_an_endless_view(tmp_path):
    path = write_gpkg(tmp_path / "a.gpkg", layer_frame(places(), "wgs84"), "a")
    with sqlite3.connect(path) as base:
        base.execute("ALTER TABLE a RENAME TO b")
        base.execute(
            "CREATE VIEW a AS WITH RECURSIVE n(fid) AS (SELECT 1 UNION ALL SELECT fid + 1 FROM n) "
            "SELECT fid, NULL AS geom FROM n"
        )
        base.execute("UPDATE gpkg_geometry_columns SET table_name = 'a'")
    base.close()
    assert errors(path) == ["input_layer_view"]
    with sqlite3.connect(tmp_path / "b.gpkg") as plain:
        plain.execute("CREATE TABLE a (x)")
    plain.close()
    assert errors(tmp_path / "b.gpkg") == ["input_not_geopackage"]


def test_a_dbf_that_promises_too_much(tmp_path):
    path = write_shapefile(tmp_path / "a.shp", layer_frame(places(), "wgs84"), "UTF-8", True)
    table = path.with_suffix(".dbf")
    raw = bytearray(table.read_bytes())
    raw[4:8] = struct.pack("<I", 4_000_000_000)
    table.write_bytes(bytes(raw))
    assert errors(path) == ["input_broken"]


def _bent_crs(table: pa.Table) -> bytes:
    """GeoParquet metadata whose coordinate system PROJ cannot make."""
    geo = json.loads(table.schema.metadata[b"geo"])
    geo["columns"]["geometry"]["crs"] = {"type": "GeographicCRS", "name": 3}
    return json.dumps(geo).encode()


def test_parquet_that_is_none(tmp_path):
    path = tmp_path / "a.parquet"
    frame = gpd.GeoDataFrame({"人口": [1]}, geometry=[shapely.Point(102, 25)], crs=4326)
    frame.to_parquet(path)
    raw = path.read_bytes()
    table = pq.read_table(path)
    assert errors(writer(tmp_path)(raw[:-30], "a.parquet")) == ["input_broken"]
    for bent in (b"{}", b"\xff", b"[]", b"null", _bent_crs(table)):
        pq.write_table(table.replace_schema_metadata({b"geo": bent}), path)
        assert errors(path) == ["input_broken"], bent
    wide = pd.DataFrame({f"c{n}": [1] for n in range(limits.COLUMNS + 1)})
    wide.to_parquet(tmp_path / "b.parquet")
    assert errors(tmp_path / "b.parquet") == ["input_columns_many"]


def test_text_tables_out_of_bounds(tmp_path, monkeypatch):
    write = writer(tmp_path)
    assert errors(write("," * 5_000_000, "a.csv")) == ["input_columns_many"]
    assert errors(write("lon,lat,人口\n" + '"' + "x" * 1000, "b.csv"))
    assert errors(write(b"lon,lat\x00,x\n1,2\n", "c.csv")) == ["input_really"]
    monkeypatch.setattr(limits, "CELL_CHARACTERS", 1000)
    assert errors(write('lon,lat,人口\n"' + "x" * 2000 + '",1,1\n', "d.csv")) == ["input_broken"]
    monkeypatch.setattr(limits, "ROWS", 10)
    assert errors(write("lon,lat,人口\n" + "1,1,1\n" * 20, "e.csv")) == ["input_table_large"]
    monkeypatch.setattr(limits, "TEXT_BYTES", 100)
    assert errors(write("lon,lat,人口\n" + "1,1,1\n" * 200, "f.csv")) == ["input_file_large"]


def test_pipes_and_devices(tmp_path):
    pipe = tmp_path / "a.csv"
    os.mkfifo(pipe)
    assert errors(pipe) == ["input_not_regular"]


def test_formulas_are_words_in_and_words_out(tmp_path):
    path = writer(tmp_path)('编号,经度,纬度,人口\n"=HYPERLINK(""http://x"")",102.7,25,3\n', "a.csv")
    frame = read_population(path, said("wgs84")).frame
    assert frame["id"].tolist() == ['=HYPERLINK("http://x")']  # the export quotes it: test_export


def test_gdal_drivers_that_follow_references_are_off():
    code = (
        "import lifecircle.analysis.readers.tables.population_and_facilities, pyogrio;"
        "print(*pyogrio.list_drivers())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    drivers = ran.stdout.split()
    assert "GPKG" in drivers
    assert not {"OGR_VRT", "WFS", "CSW", "HTTP", "GDALG"} & set(drivers)
