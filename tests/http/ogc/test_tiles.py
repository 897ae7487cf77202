"""Vector tiles, requirement by requirement (OGC API Tiles 1.0), read back by GDAL."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from starlette.testclient import TestClient

from lifecircle.analysis.results.columns import count
from lifecircle.analysis.results.layers.layers import LAYERS
from lifecircle.service.ogc.tile_grid import DEEPEST, HALF_M, box_of, limits_of
from lifecircle.service.ogc.tile_layers import FINE, SHOWN_FROM, Drawn, gaps_together
from tests.pages.served import ask, client

QUAD = "WebMercatorQuad"
BBOX = (101.99, 25.02, 102.07, 25.08)
KNOWN = 1_910  # residents of the tiny city


def tile_url(layer: str, z: int, y: int, x: int) -> str:
    return f"/collections/tiny.{layer}/tiles/{QUAD}/{z}/{y}/{x}"


def decoded(body: bytes, folder: Path, z: int, y: int, x: int) -> gpd.GeoDataFrame:
    """A tile as GDAL reads it, in EPSG:3857."""
    file = folder / str(z) / str(x) / f"{y}.pbf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    return pyogrio.read_dataframe(f"MVT:{file}", X=str(x), Y=str(y), Z=str(z))


def all_tiles(served: TestClient, folder: Path, layer: str, z: int) -> gpd.GeoDataFrame:
    limits = limits_of(BBOX, z)
    parts = []
    for y in range(limits["minTileRow"], limits["maxTileRow"] + 1):
        for x in range(limits["minTileCol"], limits["maxTileCol"] + 1):
            answer = served.get(tile_url(layer, z, y, x))
            assert answer.status_code in (200, 204), answer.text
            if answer.status_code == 200:
                assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
                parts.append(decoded(answer.content, folder, z, y, x))
    return pd.concat(parts, ignore_index=True)


def links(document: Any) -> dict[str, str]:
    return {link["rel"].rsplit("/", 1)[-1]: link["href"] for link in document["links"]}


def test_req_tilesets_list_success(served: TestClient) -> None:
    classes = ask(served, "/conformance")["conformsTo"]
    for part in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30"):
        assert f"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/{part}" in classes
    for layer in LAYERS:
        told = links(ask(served, f"/collections/tiny.{layer}"))
        listed = ask(served, told["tilesets-vector"])
        (row,) = listed["tilesets"]
        assert (row["dataType"], row["crs"]) == (
            "vector",
            "http://www.opengis.net/def/crs/EPSG/0/3857",
        )
        assert ask(served, links(row)["self"])["tileMatrixSetURI"].endswith(QUAD)
        assert ask(served, links(row)["tiling-scheme"])["id"] == QUAD


def test_req_tileset_description(served: TestClient) -> None:
    told = ask(served, f"/collections/tiny.cells/tiles/{QUAD}", lang="en")
    (layer,) = told["layers"]
    assert (layer["id"], layer["minTileMatrix"], layer["maxTileMatrix"]) == ("cells", "0", "16")
    assert layer["propertiesSchema"]["properties"]["residents"]["type"] == "integer"
    assert told["boundingBox"]["lowerLeft"] == [101.99, 25.02]
    item = next(link for link in told["links"] if link["rel"] == "item")
    assert item["templated"] is True
    # by hand: 102.0 + 180 degrees of 360 in 1,024 columns
    ten = next(row for row in told["tileMatrixSetLimits"] if row["tileMatrix"] == "10")
    assert ten["minTileCol"] == int((101.99 + 180) / 360 * 1024) == 802
    asked = item["href"].format(tileMatrix=10, tileRow=ten["minTileRow"], tileCol=802)
    assert served.get(asked).status_code == 200


def test_the_grid_is_that_of_the_standard(served: TestClient) -> None:
    (listed,) = ask(served, "/tileMatrixSets")["tileMatrixSets"]
    grid = ask(served, links(listed)["self"])
    zoom = {row["id"]: row for row in grid["tileMatrices"]}
    # figures of OGC 17-083r4, annex D.1, as it rounds them
    assert zoom["0"]["scaleDenominator"] == pytest.approx(559082264.028717, rel=1e-12)
    assert zoom["16"]["cellSize"] == pytest.approx(2.38865713397468, rel=1e-10)
    assert zoom["12"]["matrixWidth"] == zoom["12"]["matrixHeight"] == 4096
    assert zoom["3"]["pointOfOrigin"] == pytest.approx([-20037508.3427892, 20037508.3427892])
    assert served.get("/tileMatrixSets/WorldCRS84Quad").status_code == 404
    assert box_of(1, 0, 1) == pytest.approx((0, 0, HALF_M, HALF_M))


def test_tilejson_names_tiles_of_the_run(served: TestClient) -> None:
    told = ask(served, f"/collections/tiny.gaps/tiles/{QUAD}", f="tilejson")
    assert (told["tilejson"], told["minzoom"], told["maxzoom"]) == ("3.0.0", 9, DEEPEST)
    assert told["bounds"] == list(BBOX)
    limits = limits_of(BBOX, 14)
    asked = told["tiles"][0].format(z=14, y=limits["minTileRow"], x=limits["minTileCol"])
    answer = served.get(asked)
    assert answer.status_code in (200, 204)
    assert answer.headers["cache-control"] == "private, max-age=86400"
    (layer,) = told["vector_layers"]
    assert {"service", "residents", "reason"} <= set(layer["fields"])


@pytest.mark.parametrize("zoom", [0, 8, FINE - 1, FINE])
def test_every_zoom_holds_every_resident_once(
    served: TestClient, tmp_path: Path, zoom: int
) -> None:
    found = all_tiles(served, tmp_path, "cells", zoom).drop_duplicates("id")
    assert found["residents"].sum() == KNOWN
    if zoom < FINE:
        assert found["cells"].sum() == 10
    else:
        assert len(found) == 10


def test_gaps_far_out_hold_every_resident_of_each_service_and_reason_once(
    served: TestClient, tmp_path: Path
) -> None:
    persons = ["gaps", "residents", "residents_65"]
    told = pd.DataFrame(
        feature["properties"]
        for feature in ask(served, "/collections/tiny.gaps/items", limit=1000)["features"]
    ).assign(gaps=1)
    summed = told.groupby(["service", "reason"])[persons].sum()
    for zoom in range(SHOWN_FROM["gaps"], FINE):
        found = all_tiles(served, tmp_path, "gaps", zoom).drop_duplicates("id")
        assert (found.groupby(["service", "reason"])[persons].sum() == summed).all(axis=None)
        assert not {"minutes_to_nearest", "unit_code"} & set(found.columns)
    assert len(all_tiles(served, tmp_path, "gaps", 9).drop_duplicates("id")) < len(told)


def test_a_group_unknown_of_one_gap_is_unknown_of_all_drawn_with_it() -> None:
    near = [shapely.box(x, 0, x + 300, 300) for x in (0, 400, 800)]
    frame = gpd.GeoDataFrame(
        {
            **dict.fromkeys(("service", "service_zh", "service_en"), "s"),
            "reason": ["a", "a", "b"],
            "residents": pd.array([3, 4, 5], dtype="Int64"),
            "residents_65": pd.array([1, None, 2], dtype="Int64"),
        },
        geometry=near,
        crs="EPSG:3857",
    )
    columns = (count("residents"), count("residents_65"))
    drawn = gaps_together(Drawn("gaps", frame, shapely.STRtree(near)), columns, 9).frame
    assert drawn["residents"].tolist() == [7, 5]
    assert drawn["residents_65"].isna().tolist() == [True, False]
    assert drawn["gaps"].tolist() == [2, 1]
    assert drawn.geometry.distance(shapely.Point(450, 150)).tolist()[0] == 0


@pytest.mark.parametrize("layer", LAYERS)
def test_tiles_hold_what_items_tell(served: TestClient, tmp_path: Path, layer: str) -> None:
    zoom = 14
    told = ask(served, f"/collections/tiny.{layer}/items", limit=1000)["features"]
    tiles = all_tiles(served, tmp_path, layer, zoom)
    assert set(tiles["id"]) == {feature["id"] for feature in told}
    values = {feature["id"]: feature["properties"] for feature in told}
    pixel_m = 2 * HALF_M / (1 << zoom) / 4_096
    for row in tiles.to_dict("records"):
        for name, value in values[row["id"]].items():
            held = row.get(name)
            known = held is not None and held == held  # noqa: PLR0124  # NaN
            assert known == (value is not None), name
            assert not known or held == value, name
    shapes = tiles.dissolve("id") if layer != "facilities" else tiles.drop_duplicates("id")
    for feature in told:
        if layer != "facilities":
            break
        there = gpd.GeoSeries([shapely.from_geojson(str(feature["geometry"]).replace("'", '"'))],
                              crs="EPSG:4326").to_crs(3857)[0]  # fmt: skip
        near = tiles[tiles["id"] == feature["id"]].geometry.distance(there).min()
        assert near <= pixel_m * math.sqrt(2)
    assert len(shapes) == len(told)


def test_names_in_chinese_stay_whole(served: TestClient, tmp_path: Path) -> None:
    told = ask(served, "/collections/tiny.units/items")["features"]
    found = all_tiles(served, tmp_path, "units", 12)
    assert set(found["name"]) == {feature["properties"]["name"] for feature in told}
    assert any(not name.isascii() for name in found["name"])


@pytest.mark.parametrize(
    ("zoom", "row", "column"),
    [("17", "0", "0"), ("0", "1", "0"), ("0", "0", "1"), ("3", "8", "0"), ("-1", "0", "0"),
     ("a", "0", "0"), ("1", "1.0", "0"), ("1", "٠", "0"), ("9" * 5_000, "0", "0"),
     ("1", "0", "%00")],
)  # fmt: skip
def test_req_core_tc_error(served: TestClient, zoom: str, row: str, column: str) -> None:
    answer = served.get(f"/collections/tiny.cells/tiles/{QUAD}/{zoom}/{row}/{column}")
    assert answer.status_code == 404
    assert answer.json()["key"] == "no_tile"


def test_other_names_are_refused(served: TestClient) -> None:
    for path in (
        f"/collections/tiny.nothing/tiles/{QUAD}/0/0/0",
        f"/collections/nowhere.cells/tiles/{QUAD}/0/0/0",
        "/collections/tiny.cells/tiles/Other/0/0/0",
        "/collections/tiny.cells/tiles/Other",
        "/collections/tiny.proposals/tiles",
    ):
        assert served.get(path).status_code == 404, path
    base = f"/collections/tiny.cells/tiles/{QUAD}/0/0/0"
    assert served.get(base, params={"service": "x"}).status_code == 400
    assert served.get(base, params={"run": "r-none"}).status_code == 404


def test_empty_tiles_and_tags(served: TestClient) -> None:
    far = served.get(tile_url("cells", 14, 0, 0))
    assert (far.status_code, far.json()["key"]) == (404, "tile_outside")
    for layer, first in SHOWN_FROM.items():
        limits = limits_of(BBOX, first - 1)
        hidden = tile_url(layer, first - 1, limits["minTileRow"], limits["minTileCol"])
        assert served.get(hidden).status_code == 204
    assert served.get(tile_url("network", 16, 28_049, 51_334)).status_code == 204
    url = tile_url("cells", 0, 0, 0)
    one = served.get(url)
    again = served.get(url, headers={"if-none-match": one.headers["etag"]})
    assert again.status_code == 304
    assert served.get(url).content == one.content
    run = ask(served, "/areas/tiny")["run"]
    assert served.get(url, params={"run": run}).headers["etag"] != ""


def test_a_tile_comes_compressed(served: TestClient) -> None:
    limits = limits_of(BBOX, 10)
    url = tile_url("gaps", 10, limits["minTileRow"], limits["minTileCol"])
    squeezed = served.get(url, headers={"accept-encoding": "gzip"})
    plain = served.get(url, headers={"accept-encoding": "identity"})
    assert squeezed.headers["content-encoding"] == "gzip"
    assert squeezed.content == plain.content
    assert squeezed.headers["etag"] != plain.headers["etag"]


def test_hidden_zooms_of_a_service_are_no_answer_of_another(root: Path) -> None:
    other = client(root)
    assert other.get(tile_url("cells", 1, 0, 1)).status_code == 200
    assert other.get(tile_url("cells", 1, 1, 1)).status_code == 404
