"""Tiles (20-057), as vector tiles of a layer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyogrio
from starlette.testclient import TestClient

from tests.http.ogc.asked import COUNTS, links
from tests.http.ogc.requirements.registry import of, requirement

TILES = "tiles-1/1.0/req"
HOME = "/collections/tiny.cells/tiles"
QUAD = f"{HOME}/WebMercatorQuad"
REL = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
MVT = "application/vnd.mapbox-vector-tile"
TILE = "/collections/{collection}/tiles/{grid}/{zoom}/{row}/{column}"


def first(served: TestClient, zoom: str) -> tuple[int, int]:
    told = served.get(QUAD).json()["tileMatrixSetLimits"]
    (row,) = (one for one in told if one["tileMatrix"] == zoom)
    return row["minTileRow"], row["minTileCol"]


@requirement(*of(TILES, "core/tc-tilematrix-definition", "core/tc-tilerow-definition",
                 "core/tc-tilecol-definition", "oas30/completeness",
                 "oas30/operation-id"))  # fmt: skip
def defined(served: TestClient) -> None:
    paths = served.get("/api").json()["paths"]
    operation = paths[TILE]["get"]
    placed = [one for one in operation["parameters"] if one["in"] == "path"]
    assert [one["name"] for one in placed] == ["collection", "grid", "zoom", "row", "column"]
    assert all(one["required"] for one in placed)
    assert MVT in operation["responses"]["200"]["content"]
    for path, suffix in (
        ("/collections/{collection}/tiles", "TileSetsList"),
        ("/collections/{collection}/tiles/{grid}", "TileSet"),
        (TILE, "Tile"),
    ):
        name = paths[path]["get"]["operationId"]
        assert name.endswith(f".collection.vector.get{suffix}"), name
        assert paths[path]["get"]["summary"]


@requirement(*of(TILES, "core/tc-op", "core/tc-success", "mvt/content"))
def tile(served: TestClient) -> None:
    row, column = first(served, "10")
    answer = served.get(f"{QUAD}/10/{row}/{column}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, MVT)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "10" / str(column) / f"{row}.pbf"
        file.parent.mkdir(parents=True)
        file.write_bytes(answer.content)
        found = pyogrio.read_dataframe(f"MVT:{file}", X=str(column), Y=str(row), Z="10")
    # the grid of the tile lies where the tile lies: what it holds is where the cells are
    assert (found.crs.to_epsg(), found["residents"].sum()) == (3857, 1_910)
    assert found.geometry.notna().all()
    west, _, east, _ = found.to_crs(4326).total_bounds
    assert 101.9 < west < east < 102.2
    assert served.get(f"{QUAD}/10/{row}/{column}?f=mvt").content == answer.content
    assert served.get(f"{QUAD}/10/{row}/{column}?f=png").status_code == 400


@requirement(f"{TILES}/core/tc-error")
def errors(served: TestClient) -> None:
    row, column = first(served, "10")
    for z, y, x in (
        ("17", 0, 0), ("10", 1024, 0), ("10", row - 1, column), ("10", row, column - 1),
        ("a", 0, 0), ("10", row + 5, column), ("10", row, column + 5),
    ):  # fmt: skip
        assert served.get(f"{QUAD}/{z}/{y}/{x}").status_code == 404, (z, y, x)
    seen = set()
    for y in range(first(served, "16")[0], first(served, "16")[0] + 4):
        seen.add(served.get(f"{QUAD}/16/{y}/{first(served, '16')[1]}").status_code)
    assert 204 in seen <= {200, 204}  # within the limits, and nothing there


@requirement(f"{TILES}/core/conformance-success")
def conformance(served: TestClient) -> None:
    begin = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"
    told = served.get("/conformance").json()["conformsTo"]
    assert {one.removeprefix(begin) for one in told if one.startswith(begin)} == {
        "core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30",
    }  # fmt: skip


@requirement(f"{TILES}/tileset/description")
def tileset(served: TestClient) -> None:
    told = served.get(QUAD).json()
    assert {"dataType", "crs", "tileMatrixSetURI", "links", "layers"} <= set(told)
    assert {"self", "item"} <= set(links(told))
    grid = served.get(links(told)["http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"]).json()
    named = {one["id"] for one in grid["tileMatrices"]}
    assert {one["tileMatrix"] for one in told["tileMatrixSetLimits"]} <= named
    row, column = first(served, "10")
    asked = links(told)["item"].format(tileMatrix="10", tileRow=row, tileCol=column)
    assert served.get(asked).status_code == 200


@requirement(*of(TILES, "tilesets-list/tileset-links", "tilesets-list/tileset-path",
                 "geodata-tilesets/operation", "geodata-tilesets/desc-links"))  # fmt: skip
def lists(served: TestClient) -> None:
    for layer in COUNTS:
        home = links(served.get(f"/collections/tiny.{layer}").json())[REL]
        assert home.endswith(f"/collections/tiny.{layer}/tiles")
        answer = served.get(home)
        assert answer.status_code == 200
        for one in answer.json()["tilesets"]:
            assert {"dataType", "crs", "tileMatrixSetURI", "links"} <= set(one)
            told = served.get(links(one)["self"]).json()
            assert told["tileMatrixSetURI"] == one["tileMatrixSetURI"]
            assert links(told)["self"] == links(one)["self"]
