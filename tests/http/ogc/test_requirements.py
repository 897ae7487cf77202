"""Features parts 1, 2, 3, 6 and 8: a test for each requirement of the classes claimed, by its id.

What takes a file of its own is tested there: CQL2 in test_cql, Tiles in test_tiles, Processes in
test_ogc_processes; core, its parameters and coordinate systems more closely in test_ogc.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from starlette.testclient import TestClient

from lifecircle.service.ogc.common import CONFORMS_TO
from tests.http.ogc.test_ogc import COUNTS, EPSG, items, links

LAYER = "/collections/tiny.cells"
PLACE = "/collections/tiny.facilities/items/h1"
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
CRS, ASKED, FILTER = "features-2/1.0/req/crs", "features-3/1.0/req", "features-3/1.0/req/filter"
CHOSEN, SORTED = "features-6/1.0/req", "features-8/1.0/req"
REQUIREMENTS: dict[str, Callable[[TestClient], None]] = {}


def requirement(*ids: str) -> Callable[[Callable[[TestClient], None]], Any]:
    def keep(test: Callable[[TestClient], None]) -> Callable[[TestClient], None]:
        for one in ids:
            assert one not in REQUIREMENTS
            REQUIREMENTS[one] = test
        return test

    return keep


class Anchors(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value or "" for name, value in attrs if tag == "a" and name == "href"}


def parameter(served: TestClient, name: str, path: str = f"{LAYER}/items") -> Any:
    told = served.get("/api").json()["paths"][path]["get"]["parameters"]
    return next(one for one in told if one["name"] == name)


def refused(served: TestClient, query: str, key: str) -> None:
    answer = served.get(f"{LAYER}/items?{query}")
    assert (answer.status_code, answer.json()["key"]) == (400, key), query


# ---- part 1 ----------------------------------------------------------------------------------


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


@requirement(f"{FEATURES}/core/fc-limit-response")
def limits(served: TestClient) -> None:
    for limit, given in ((1, 1), (4, 4), (10_000, 10), (999_999, 10)):
        assert items(served, "cells", limit=limit)["numberReturned"] == given


@requirement(f"{FEATURES}/core/fc-bbox-response", f"{FEATURES}/core/fc-time-response")
def boxes(served: TestClient) -> None:
    found = items(served, "cells", bbox="102,25.03,102.01,25.04", datetime="2025-01-01/..")
    assert [one["id"] for one in found["features"]] == ["c1", "c2"]


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
             f"{FEATURES}/oas30/exceptions-codes")  # fmt: skip
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


# ---- part 2 ----------------------------------------------------------------------------------


@requirement(f"{CRS}/crs-uri", f"{CRS}/fc-md-crs-list-A", f"{CRS}/fc-md-storageCrs",
             f"{CRS}/fc-md-storageCrs-valid-value")  # fmt: skip
def systems(served: TestClient) -> None:
    told = served.get(LAYER).json()
    assert told["storageCrs"] in told["crs"]
    for one in told["crs"]:
        assert re.fullmatch(r"http://www\.opengis\.net/def/crs/(OGC/1\.3|EPSG/0)/\w+", one)


@requirement(f"{CRS}/fc-crs-definition", f"{CRS}/fc-crs-valid-value", f"{CRS}/fc-crs-action",
             f"{CRS}/fc-bbox-crs-definition", f"{CRS}/fc-bbox-crs-valid-value",
             f"{CRS}/fc-bbox-crs-action", f"{CRS}/ogc-crs-header", f"{CRS}/ogc-crs-header-value",
             f"{CRS}/geojson")  # fmt: skip
def asked_systems(served: TestClient) -> None:
    for one in served.get(LAYER).json()["crs"]:
        answer = served.get(f"{LAYER}/items", params={"id": "c1", "crs": one})
        assert answer.headers["content-crs"] == f"<{one}>"
        ring = answer.json()["features"][0]["geometry"]["coordinates"][0]
        xs, ys = zip(*ring, strict=True)
        box = ",".join(map(str, (min(xs), min(ys), max(xs), max(ys))))
        found = items(served, "cells", bbox=box, bbox_crs=one)
        assert "c1" in {feature["id"] for feature in found["features"]}
    for name in ("crs", "bbox-crs"):
        told = parameter(served, name)
        assert (told["schema"]["format"], told["explode"]) == ("uri", False)
        refused(served, f"{name}={EPSG}2100&bbox=1,2,3,4", "crs_not_offered")


@requirement(f"{CRS}/fc-crs-default-value", f"{CRS}/fc-bbox-crs-default-value")
def usual_system(served: TestClient) -> None:
    answer = served.get(f"{LAYER}/items?limit=1")
    assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"


# ---- part 3 ----------------------------------------------------------------------------------


@requirement(f"{ASKED}/queryables/queryables-link", f"{ASKED}/queryables/get-queryables-op",
             f"{ASKED}/queryables/get-queryables-response",
             f"{ASKED}/features-filter/queryables-link",
             f"{ASKED}/features-filter/get-queryables-op")  # fmt: skip
def queryables(served: TestClient) -> None:
    for layer in COUNTS:
        home = links(served.get(f"/collections/tiny.{layer}").json())
        told = served.get(home["http://www.opengis.net/def/rel/ogc/1.0/queryables"]).json()
        schema_of(told, f"http://testserver/collections/tiny.{layer}/queryables")
        assert told["properties"]["geometry"]["format"] == "geometry-any"


def schema_of(told: Any, identity: str) -> None:
    assert told["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (told["$id"], told["type"]) == (identity, "object")
    assert told["additionalProperties"] is False
    for name, one in told["properties"].items():
        assert name == "geometry" or one["type"] in ("string", "integer", "number", "boolean")


@requirement(f"{ASKED}/queryables-query-parameters/parameters")
def every_column_by_equality(served: TestClient) -> None:
    for layer in COUNTS:
        rows = items(served, layer)["features"]
        for name, told in (
            served.get(f"/collections/tiny.{layer}/schema").json()["properties"].items()
        ):
            values = [row["id"] if name == "id" else row["properties"].get(name) for row in rows]
            held = [value for value in values if value is not None]
            if name == "geometry" or not held:
                continue
            assert set(held) <= set(told.get("enum", held)), (layer, name)
            asked = str(held[0]).lower() if isinstance(held[0], bool) else str(held[0])
            found = items(served, layer, **{name: asked})
            assert found["numberMatched"] == values.count(held[0]), (layer, name)


@requirement(f"{FILTER}/filter-param", f"{FILTER}/filter-lang-param",
             f"{FILTER}/filter-crs-wgs84", f"{FILTER}/filter-crs-param",
             f"{FILTER}/mixing-expressions", f"{FILTER}/response")  # fmt: skip
def filters(served: TestClient) -> None:
    assert parameter(served, "filter")["schema"]["type"] == "string"
    assert parameter(served, "filter-lang")["schema"]["enum"] == ["cql2-text", "cql2-json"]
    assert parameter(served, "filter-crs")["schema"]["format"] == "uri"
    found = items(served, "cells", filter="residents >= 200", unit_code="C1")
    assert [one["id"] for one in found["features"]] == ["c2"]


# ---- part 6 ----------------------------------------------------------------------------------


@requirement(f"{CHOSEN}/properties/parameter", f"{CHOSEN}/properties-features/request")
def properties_parameter(served: TestClient) -> None:
    told = parameter(served, "properties")
    assert (told["style"], told["explode"], told["schema"]["type"]) == ("form", False, "array")
    assert set(told["schema"]["items"]["enum"]) == {
        "id", *items(served, "cells", limit=1)["features"][0]["properties"],
    }  # fmt: skip
    assert parameter(served, "properties", "/collections/{collection}/items/{item}")


@requirement(f"{CHOSEN}/properties/response")
def properties_response(served: TestClient) -> None:
    whole = items(served, "cells")["features"]
    few = items(served, "cells", properties="residents,unit_code", filter="modelled = false")
    assert [{"residents", "unit_code"}] * len(few["features"]) == [
        set(one["properties"]) for one in few["features"]
    ]
    assert [one["geometry"] for one in few["features"]] == [one["geometry"] for one in whole]
    one = served.get(f"{PLACE}?properties=name").json()
    assert list(one["properties"]) == ["name"]
    bare = items(served, "cells", properties="id")["features"]
    assert [(f["id"], f["properties"]) for f in bare] == [(f["id"], {}) for f in whole]
    assert len(served.get(f"{LAYER}/items?f=csv&properties=id").text.splitlines()) == 11
    for form in ("xlsx", "gpkg", "parquet", "html"):
        assert served.get(f"{LAYER}/items?f={form}&properties=id").status_code == 200, form
    refused(served, "properties=residnets", "properties_no_property")
    refused(served, "properties=residents,residents", "name_twice")
    lines = served.get(f"{LAYER}/items?f=csv&properties=residents").content.decode("utf-8-sig")
    assert lines.splitlines()[0] == "id,residents,lon,lat"


# ---- part 8 ----------------------------------------------------------------------------------


@requirement(f"{SORTED}/sortables/sortables-link", f"{SORTED}/sortables/get-sortables-op",
             f"{SORTED}/sortables/get-sortables-success")  # fmt: skip
def sortables(served: TestClient) -> None:
    for layer in COUNTS:
        home = links(served.get(f"/collections/tiny.{layer}").json())
        answer = served.get(home["http://www.opengis.net/def/rel/ogc/1.0/sortables"])
        assert answer.headers["content-type"] == "application/schema+json"
        schema_of(answer.json(), f"http://testserver/collections/tiny.{layer}/sortables")
        assert "geometry" not in answer.json()["properties"]


@requirement(f"{SORTED}/sorting/sortby-definition")
def sortby_definition(served: TestClient) -> None:
    told = parameter(served, "sortby")
    assert (told["required"], told["style"], told["explode"]) == (False, "form", False)
    assert (told["schema"]["type"], told["schema"]["minItems"]) == ("array", 1)
    pattern = told["schema"]["items"]["pattern"]
    assert re.search(pattern, "-residents")
    assert not re.search(pattern, "residnets")


@requirement(f"{SORTED}/core/rc-sortby-response", f"{SORTED}/features-sorting/request")
def sortby_response(served: TestClient) -> None:
    for layer in COUNTS:
        rows = items(served, layer)["features"]
        named = served.get(f"/collections/tiny.{layer}/sortables").json()["properties"]
        for name in named:
            if layer == "cells" and name.startswith("minutes_") and name != "minutes_pharmacy":
                continue
            for sign in ("", "%2B", "+", "-") if name == "id" else ("-",):
                answer = served.get(f"/collections/tiny.{layer}/items?sortby={sign}{name}")
                assert [one["id"] for one in answer.json()["features"]] == by_hand(
                    rows, [(name, sign == "-")]
                ), (layer, name, sign)


def by_hand(rows: list[Any], keys: list[tuple[str, bool]]) -> list[str]:
    """Ids as Python itself sorts them, one key after the other from the last."""
    made = list(rows)
    for name, falling in reversed(keys):
        values = {row["id"]: row["id"] if name == "id" else row["properties"][name] for row in made}
        known = [row for row in made if values[row["id"]] is not None]
        known.sort(key=lambda row: values[row["id"]], reverse=falling)
        made = known + [row for row in made if values[row["id"]] is None]
    return [row["id"] for row in made]


@pytest.mark.parametrize("identity", REQUIREMENTS)
def test_requirement(served: TestClient, identity: str, done: set[str]) -> None:
    test = REQUIREMENTS[identity]
    if test.__name__ not in done:
        test(served)
        done.add(test.__name__)


@pytest.fixture(scope="module")
def done() -> set[str]:
    """Names of the checks that have passed: one may hold several requirements."""
    return set()


def test_several_keys_and_pages_of_a_sorted_layer(served: TestClient) -> None:
    rows = items(served, "gaps")["features"]
    wanted = by_hand(rows, [("reason", False), ("residents", True), ("near_m", False)])
    url = "/collections/tiny.gaps/items?limit=7&sortby=reason,-residents,near_m"
    seen: list[str] = []
    while url:
        found = served.get(url).json()
        seen += [one["id"] for one in found["features"]]
        url = links(found).get("next", "")
    assert seen == wanted
    refused(served, "sortby=residnets", "sort_no_property")
    refused(served, "sortby=-residents,residents", "name_twice")
    refused(served, "sortby=geometry", "sort_no_property")
    refused(served, "sortby=", "bad_parameters")


def test_a_word_that_is_none_of_a_list_is_refused(served: TestClient) -> None:
    answer = served.get("/collections/tiny.gaps/items?reason=too_fat&lang=en")
    assert (answer.status_code, answer.json()["key"]) == (400, "filter_no_word")
    assert "The nearest first: too_far" in answer.json()["detail"]
    told = served.get("/collections/tiny.gaps/queryables").json()["properties"]["reason"]
    assert "over_capacity" in told["enum"]
