"""Features part 1: core, GeoJSON, HTML, OpenAPI 3.0."""

from __future__ import annotations

from starlette.testclient import TestClient

from lifecircle.service.ogc.common import CONFORMS_TO
from tests.http.ogc.asked import COUNTS, LAYER, PLACE, Anchors, items, links, parameter
from tests.http.ogc.requirements.common import within
from tests.http.ogc.requirements.registry import requirement

DOCUMENTS = {
    "/": "application/json",
    "/conformance": "application/json",
    "/api": "application/vnd.oai.openapi+json;version=3.0",
    "/collections": "application/json",
    LAYER: "application/json",
    f"{LAYER}/queryables": "application/schema+json",
    f"{LAYER}/sortables": "application/schema+json",
    f"{LAYER}/schema": "application/schema+json",
    f"{LAYER}/items": "application/geo+json",
    PLACE: "application/geo+json",
}
FEATURES = "features-1/1.0/req"


@requirement(f"{FEATURES}/core/root-op", f"{FEATURES}/core/root-success")
def landing(served: TestClient) -> None:
    told = links(served.get("/").json())
    assert {"service-desc", "service-doc", "conformance", "data"} <= set(told)


@requirement(f"{FEATURES}/core/api-definition-op", f"{FEATURES}/core/api-definition-success")
def definition(served: TestClient) -> None:
    for link in served.get("/").json()["links"]:
        if link["rel"] in ("service-desc", "service-doc"):
            answer = served.get(link["href"])
            told = answer.headers["content-type"].replace(" ", "")
            assert (answer.status_code, told.split(";")[0]) == (200, link["type"].split(";")[0])


@requirement(f"{FEATURES}/core/conformance-op", f"{FEATURES}/core/conformance-success")
def conformance(served: TestClient) -> None:
    assert served.get("/conformance").json() == {"conformsTo": list(CONFORMS_TO)}


@requirement(f"{FEATURES}/core/http")
def methods(served: TestClient) -> None:
    for path in DOCUMENTS:
        assert served.head(path).status_code == 200, path
        assert served.options(path).headers["allow"] == "GET, HEAD, OPTIONS", path
        assert served.post(path).status_code == 405, path


@requirement(f"{FEATURES}/core/query-param-unknown", f"{FEATURES}/core/query-param-invalid")
def parameters(served: TestClient) -> None:
    for path in DOCUMENTS:
        for query in ("nonsense=1", "f=shp"):
            assert served.get(f"{path}?{query}").status_code == 400, (path, query)


@requirement(f"{FEATURES}/core/fc-md-op", f"{FEATURES}/core/fc-md-success",
             f"{FEATURES}/core/fc-md-links", f"{FEATURES}/core/fc-md-items",
             f"{FEATURES}/core/fc-md-items-links", f"{FEATURES}/core/fc-md-extent",
             f"{FEATURES}/core/fc-md-extent-multi",
             f"{FEATURES}/core/sfc-md-op", f"{FEATURES}/core/sfc-md-success")  # fmt: skip
def collections(served: TestClient) -> None:
    told = served.get("/collections").json()
    assert {"self", "alternate"} <= set(links(told))
    assert [one["id"] for one in told["collections"]] == [f"tiny.{layer}" for layer in COUNTS]
    for one in told["collections"]:
        assert served.get(f"/collections/{one['id']}").json() == one
        kinds = {link["type"] for link in one["links"] if link["rel"] == "items"}
        assert {"application/geo+json", "text/html"} <= kinds
        (west, south, east, north) = one["extent"]["spatial"]["bbox"][0]
        assert west < east
        assert south < north
    within(served)


@requirement(f"{FEATURES}/core/fc-op", f"{FEATURES}/core/fc-response",
             f"{FEATURES}/core/fc-links", f"{FEATURES}/core/fc-rel-type",
             f"{FEATURES}/core/fc-timeStamp", f"{FEATURES}/core/fc-numberMatched",
             f"{FEATURES}/core/fc-numberReturned")  # fmt: skip
def page(served: TestClient) -> None:
    offered = {link["type"] for link in served.get(LAYER).json()["links"] if link["rel"] == "items"}
    found = items(served, "cells", limit=3)
    assert (found["numberMatched"], found["numberReturned"], len(found["features"])) == (10, 3, 3)
    assert "timeStamp" not in found  # optional; of an answer given again it would be wrong
    assert {link["type"] for link in found["links"] if link["rel"] in ("self", "alternate")} == (
        offered
    )
    assert all("type" in link for link in found["links"])


@requirement(f"{FEATURES}/core/fc-limit-definition", f"{FEATURES}/core/fc-bbox-definition",
             f"{FEATURES}/core/fc-time-definition")  # fmt: skip
def definitions(served: TestClient) -> None:
    for name, kind in (("limit", "integer"), ("bbox", "array"), ("datetime", "string")):
        told = parameter(served, name)
        assert (told["in"], told["required"], told["style"], told["explode"]) == (
            "query", False, "form", False,
        )  # fmt: skip
        assert told["schema"]["type"] == kind


@requirement(f"{FEATURES}/core/fc-limit-response-1")
def limits(served: TestClient) -> None:
    for limit, given in ((1, 1), (4, 4), (10_000, 10), (999_999, 10)):
        assert items(served, "cells", limit=limit)["numberReturned"] == given


@requirement(
    f"{FEATURES}/core/crs84",
    f"{FEATURES}/core/fc-bbox-response",
    f"{FEATURES}/core/fc-time-response",
)
def boxes(served: TestClient) -> None:
    found = items(served, "cells", bbox="102,25.03,102.01,25.04", datetime="2025-01-01/..")
    assert [one["id"] for one in found["features"]] == ["c1", "c2"]
    x, y = found["features"][0]["geometry"]["coordinates"][0][0]
    assert (round(x), round(y)) == (102, 25)  # CRS84: longitude first


@requirement(f"{FEATURES}/core/f-op", f"{FEATURES}/core/f-success", f"{FEATURES}/core/f-links")
def one_feature(served: TestClient) -> None:
    found = served.get(PLACE)
    told = {link["rel"]: link for link in found.json()["links"]}
    assert {"self", "alternate", "collection"} == set(told)
    assert served.get(told["self"]["href"]).json() == found.json()
    assert served.get(told["alternate"]["href"]).headers["content-type"].startswith("text/html")


@requirement(f"{FEATURES}/geojson/definition", f"{FEATURES}/geojson/content")
def geojson(served: TestClient) -> None:
    for path, kind in DOCUMENTS.items():
        told = served.get(path).headers["content-type"].replace(" ", "")
        assert told == kind, path
    found = items(served, "cells")
    assert found["type"] == "FeatureCollection"
    assert all(one["type"] == "Feature" for one in found["features"])


@requirement(f"{FEATURES}/html/definition", f"{FEATURES}/html/content")
def html(served: TestClient) -> None:
    for path in DOCUMENTS:
        for lang in ("zh", "en"):
            negotiated = served.get(f"{path}?lang={lang}", headers={"accept": "text/html"})
            page = served.get(f"{path}?f=html&lang={lang}")
            for answer in (negotiated, page):
                assert answer.headers["content-type"] == "text/html; charset=utf-8", path
                assert answer.text.startswith("<!doctype html>")
            outside = {
                href
                for href in Anchors(page.text).found
                if not href.startswith(("/", "?", "#", "http://testserver/"))
            }
            assert outside == set(), path
    names = items(served, "cells")["features"][0]["properties"]
    table = served.get(f"{LAYER}/items?f=html").text
    schema = served.get(f"{LAYER}/schema?f=html").text
    for name in names:
        assert f'title="{name}"' in table
        assert f"<code>{name}</code>" in schema
    one = Anchors(served.get(f"{LAYER}?f=html").text).found
    assert {link["href"] for link in served.get(LAYER).json()["links"]} <= one
    assert "&lt;b&gt;药房&lt;/b&gt;" in served.get("/collections/tiny.facilities/items?f=html").text
    place = Anchors(served.get(f"{PLACE}?f=html").text).found
    assert {link["href"] for link in served.get(PLACE).json()["links"]} <= place


@requirement(f"{FEATURES}/oas30/oas-definition-1", f"{FEATURES}/oas30/oas-definition-2",
             f"{FEATURES}/oas30/oas-impl", f"{FEATURES}/oas30/completeness",
             f"{FEATURES}/oas30/exceptions-codes", f"{FEATURES}/oas30/security")  # fmt: skip
def oas30(served: TestClient) -> None:
    told = served.get("/api").json()
    assert told["openapi"] == "3.0.3"
    shapes = told["components"]["schemas"]
    for path in ("/", "/conformance", "/collections", LAYER, f"{LAYER}/items", PLACE):
        named = path if path in told["paths"] else path.replace("tiny.cells", "{collection}")
        named = "/collections/{collection}/items/{item}" if path == PLACE else named
        content = told["paths"][named]["get"]["responses"]["200"]["content"][DOCUMENTS[path]]
        schema = content["schema"]
        shape = shapes[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        answer = served.get(path).json()
        assert set(shape["required"]) <= set(answer) <= set(shape["properties"]), path
    for path in (f"{LAYER}/items", "/collections/{collection}/items"):
        answers = told["paths"][path]["get"]["responses"]
        kinds = set(answers["200"]["content"])
        assert {"application/geo+json", "text/html", "text/csv"} <= kinds
        for status, answer in answers.items():
            if status not in ("200", "304"):
                assert set(answer["content"]) == {"application/problem+json", "text/html"}
