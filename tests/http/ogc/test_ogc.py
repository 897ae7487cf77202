"""OGC API Features: collections, pages, boxes, filters by equality, beyond each requirement."""

from __future__ import annotations

from pathlib import Path

import pytest
from shapely import orient_polygons
from shapely.geometry import shape
from starlette.testclient import TestClient

from lifecircle.analysis.results.layers.layers import LAYERS, layer_frame
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.ogc import crs
from tests.http.ogc.asked import COUNTS, EPSG, items, links
from tests.pages.served import client


def test_req_core_root_success(served: TestClient) -> None:
    landing = served.get("/").json()
    told = links(landing)
    assert {"self", "service-desc", "service-doc", "conformance", "data"} <= set(told)
    types = {link["rel"]: link["type"] for link in landing["links"]}
    assert types["service-desc"] == "application/vnd.oai.openapi+json;version=3.0"
    for rel in ("self", "service-desc", "service-doc", "conformance", "data"):
        assert told[rel].startswith("http://testserver/")
        assert served.get(told[rel]).status_code == 200


def test_req_core_conformance_success(served: TestClient) -> None:
    classes = served.get("/conformance").json()["conformsTo"]
    for part in ("core", "geojson", "oas30"):
        assert f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{part}" in classes
    assert "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs" in classes


def test_req_core_fc_md_success(served: TestClient) -> None:
    listed = served.get("/collections").json()["collections"]
    assert [one["id"] for one in listed] == [f"tiny.{layer}" for layer in LAYERS]
    for one in listed:
        assert one["itemType"] == "feature"
        assert one["extent"]["spatial"]["bbox"] == [[101.99, 25.02, 102.07, 25.08]]
        assert one["crs"][0] == one["storageCrs"] == crs.CRS84
        assert f"{EPSG}4543" in one["crs"]
        alone = served.get(links(one)["self"]).json()
        assert alone == one
        items_links = [link for link in one["links"] if link["rel"] == "items"]
        assert items_links[0]["type"] == "application/geo+json"
        for link in items_links:
            assert served.get(link["href"]).headers["content-type"].startswith(link["type"])


@pytest.mark.parametrize("layer", LAYERS)
def test_req_core_fc_response(served: TestClient, root: Path, layer: str) -> None:
    found = items(served, layer)
    assert found["type"] == "FeatureCollection"
    assert found["numberMatched"] == found["numberReturned"] == COUNTS[layer]
    assert "timeStamp" not in found  # of an answer given again it would be wrong
    assert "next" not in links(found)
    frame = layer_frame(Workspace(root).open("tiny"), layer)
    assert [feature["id"] for feature in found["features"]] == list(frame["id"])
    for feature, geometry in zip(found["features"], frame.geometry, strict=True):
        assert shape(feature["geometry"]).equals_exact(orient_polygons(geometry), 1e-7)
        assert set(feature["properties"]) == set(frame.columns) - {"id", "geometry"}


def test_req_core_fc_limit_and_links(served: TestClient) -> None:
    seen: list[str] = []
    url = "/collections/tiny.cells/items?limit=4&modelled=false"
    for size in (4, 4, 2):
        page = served.get(url).json()
        assert (page["numberMatched"], page["numberReturned"]) == (10, size)
        seen += [feature["id"] for feature in page["features"]]
        told = links(page)
        assert told["self"].startswith("http://testserver/")
        url = told.get("next", "")
        assert not url or "run=" in url  # the pages of one reading are of one run
    assert url == ""
    assert len(set(seen)) == 10
    assert served.get(told["prev"]).json()["features"][0]["id"] == "c5"
    beyond = items(served, "cells", offset=50)
    assert (beyond["numberReturned"], beyond["numberMatched"]) == (0, 10)


def test_a_limit_above_the_maximum_is_cut(root: Path) -> None:
    small = client(root, max_page_size=3, page_size=2)
    url = "/collections/tiny.cells/items"
    assert small.get(url).json()["numberReturned"] == 2
    assert small.get(url, params={"limit": 1000}).json()["numberReturned"] == 3


def test_links_follow_the_address_people_use(root: Path) -> None:
    behind = client(root, base_url="https://gis.example.cn/circle/")
    found = behind.get("/collections/tiny.cells/items?limit=1").json()
    assert links(found)["next"].startswith("https://gis.example.cn/circle/collections/tiny.cells/")


def test_req_core_fc_bbox(served: TestClient) -> None:
    assert [f["id"] for f in items(served, "cells", bbox="102,25.03,102.01,25.04")["features"]] == [
        "c1",
        "c2",
    ]
    assert items(served, "cells", bbox="102,25.03,0,102.01,25.04,99")["numberMatched"] == 2
    assert items(served, "cells", bbox="0,0,1,1")["numberMatched"] == 0
    assert items(served, "cells", bbox="170,-80,-170,80")["numberMatched"] == 0
    both = items(served, "cells", bbox="102,25.03,102.01,25.04", unit_code="C1", residents=200)
    assert [feature["id"] for feature in both["features"]] == ["c2"]


def test_a_box_meets_shapes_not_their_envelopes(served: TestClient) -> None:
    # S2 is an L of two boxes: its envelope holds this place in S1, its polygon does not
    found = items(served, "units", bbox="102.005,25.036,102.006,25.037")
    assert {feature["id"] for feature in found["features"]} == {"S1", "C1"}


BAD = [
    "bbox=1,2,3",
    "bbox=a,b,c,d",
    "bbox=1,2,nan,4",
    "bbox=102,26,103,25",
    "bbox=500225,2770025,500175,2770075&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/4543",
    "bbox-crs=http://www.opengis.net/def/crs/EPSG/0/2100&bbox=1,2,3,4",
    "crs=http://www.opengis.net/def/crs/EPSG/0/2100",
    "limit=0",
    "limit=x",
    "offset=-1",
    "datetime=yesterday",
    "datetime=20180212",
    "datetime=2018-W07-1",
    "datetime=2018-02-30",
    "datetime=2018-02-12T10:00:00",
    "datetime=2018-02-12T25:00:00Z",
    "datetime=2018-02-13T00:00:00Z/2018-02-12T00:00:00Z",
    "datetime=..",
    "datetime=../..",
    "datetime=",
    "datetime=2018-02-12/2018-02-13/2018-02-14",
    "f=shp",
    "nonsense=1",
    "residents=many",
    "snapped=perhaps",
    "residents=100&residents=200",
    "unit_code=C1&unit_code=C2",
    "snapped=true&snapped=false",
    "minutes_pharmacy=three",
    "lang=fr",
]


@pytest.mark.parametrize("query", BAD)
def test_req_core_query_param_invalid_and_unknown(served: TestClient, query: str) -> None:
    for form in ("", "&f=csv", "&f=html"):
        if query.startswith("f=") and form:
            continue
        answer = served.get(f"/collections/tiny.cells/items?{query}{form}")
        assert answer.status_code == 400, (query, form)
        assert answer.headers["content-type"] == "application/problem+json"


def test_unknown_parameters_are_refused_everywhere(served: TestClient) -> None:
    for path in ("/", "/conformance", "/api", "/collections", "/collections/tiny.cells", "/areas"):
        assert served.get(f"{path}?nonsense=1").status_code == 400, path


@pytest.mark.parametrize(
    "given",
    [
        "2025-01-01T00:00:00Z",
        "2025-01-01",
        "../2025-01-01T00:00:00Z",
        "/2025-01-01T00:00:00Z",
        "2025-01-01T00:00:00.5+08:00/..",
        "2025-01-01T00:00:00Z/2025-01-01T00:00:00Z",
    ],
)
def test_req_core_fc_time(served: TestClient, given: str) -> None:
    assert items(served, "cells", datetime=given)["numberMatched"] == 10


@pytest.mark.parametrize("layer", ["units", "gaps", "circles"])
def test_exterior_rings_run_counter_clockwise(served: TestClient, layer: str) -> None:
    seen = 0
    for feature in items(served, layer)["features"]:
        found = shape(feature["geometry"])
        for part in getattr(found, "geoms", [found]):
            if part.geom_type == "Polygon":
                seen += 1
                assert part.exterior.is_ccw
                assert not any(hole.is_ccw for hole in part.interiors)
    assert seen


def test_a_layer_tells_the_type_of_every_property(served: TestClient) -> None:
    kinds = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
    one = served.get("/collections/tiny.cells").json()
    described = served.get(links(one)["describedby"]).json()["properties"]["properties"]
    told = served.get(links(one)["http://www.opengis.net/def/rel/ogc/1.0/schema"])
    assert told.headers["content-type"] == "application/schema+json"
    properties = told.json()["properties"]
    assert set(described["properties"]) == set(properties) - {"id", "geometry"}
    assert properties.pop("geometry")["x-ogc-role"] == "primary-geometry"
    assert properties["id"]["x-ogc-role"] == "id"
    assert properties["residents"]["type"] == "integer"
    assert properties["minutes_market"]["type"] == "number"  # empty everywhere: not assessed
    assert {one["type"] for one in properties.values()} <= set(kinds.values())
    feature = items(served, "cells")["features"][0]
    assert set(properties) == {*feature["properties"], "id"}


def test_the_api_declares_boxes_and_addresses(served: TestClient) -> None:
    paths = served.get("/api").json()["paths"]
    for path in ("/collections/{collection}/items", "/collections/tiny.cells/items"):
        told = {one["name"]: one for one in paths[path]["get"]["parameters"]}
        box = told["bbox"]["schema"]
        assert (box["type"], box["minItems"], box["maxItems"]) == ("array", 4, 6)
        assert told["crs"]["schema"]["format"] == told["bbox-crs"]["schema"]["format"] == "uri"
        assert "maximum" not in told["limit"]["schema"]  # beyond the largest page it is cut
        for name in ("bbox", "limit", "datetime", "crs", "bbox-crs"):
            assert (told[name]["style"], told[name]["explode"]) == ("form", False), name


def test_req_core_f_success(served: TestClient) -> None:
    answer = served.get("/collections/tiny.facilities/items/h1")
    assert answer.headers["content-type"] == "application/geo+json"
    feature = answer.json()
    assert feature["type"] == "Feature"
    assert feature["id"] == "h1"
    assert feature["properties"]["ownership"] == "government"
    assert {"self", "collection"} <= set(links(feature))
    for missing in ("/collections/tiny.facilities/items/none", "/collections/tiny.none/items"):
        assert served.get(missing).status_code == 404
    assert served.get("/collections/none.cells/items").status_code == 404
    assert served.get("/collections/tiny").status_code == 404


def test_filters(served: TestClient) -> None:
    assert items(served, "units", level="community")["numberMatched"] == 5
    assert items(served, "facilities", snapped="false")["numberMatched"] == 1
    assert items(served, "facilities", name="=2+3 <b>药房</b>")["numberMatched"] == 1
    assert items(served, "facilities", ownership="private")["numberMatched"] == 0
    assert items(served, "cells", residents=100)["numberMatched"] == 1
