"""The API definition: every collection spelled out, in OpenAPI 3.0."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from starlette.testclient import TestClient

from lifecircle.analysis.results.layers.layers import LAYERS
from lifecircle.service.ogc.definition import downgraded
from tests.pages.served import ask, client


def test_the_api_spells_out_every_collection_with_its_filters(served: TestClient) -> None:
    answer = served.get("/api?lang=en")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = answer.json()
    assert document["openapi"] == "3.0.3"
    for layer in LAYERS:
        operation = document["paths"][f"/collections/tiny.{layer}/items"]["get"]
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert {"limit", "bbox", "bbox-crs", "crs", "datetime", "offset", "f"} <= names
        assert "collection" not in names
        asked = served.get(f"/collections/tiny.{layer}/queryables").json()["properties"]
        assert set(asked) - {"geometry"} <= names
    filters = document["paths"]["/collections/tiny.units/items"]["get"]["parameters"]
    level = next(parameter for parameter in filters if parameter["name"] == "level")
    assert level["schema"] == {
        "title": "Unit level",
        "type": "string",
        "enum": ["subdistrict", "community"],
    }
    limit = next(parameter for parameter in filters if parameter["name"] == "limit")
    assert "maximum" not in limit["schema"]  # beyond the largest page it is cut


def test_the_api_speaks_3_0(served: TestClient) -> None:
    text = json.dumps(served.get("/api").json())
    document = json.loads(text)
    for word in ('"const"', '"prefixItems"', '"type": "null"', '"$defs"', "ValidationError"):
        assert word not in text, word
    ids = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(ids) == len(set(ids))
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["responses"]["200"]["description"]
            placed = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert placed == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_programs_may_name_json_wherever_it_is_given(served: TestClient) -> None:
    for path, operations in ask(served, "/api")["paths"].items():
        operation = operations.get("get", {"responses": {"200": {"content": {}}}})
        kinds = set(operation["responses"]["200"].get("content", {}))
        named = [p["schema"] for p in operation.get("parameters", ()) if p["name"] == "f"]
        forms = named[0].get("enum", []) if named else []
        assert ("json" in forms) == any(kind.split(";")[0].endswith("json") for kind in kinds), (
            path,
            forms,
        )
    point = "/areas/tiny/point?lon=102.7&lat=25"
    assert served.get(f"{point}&f=json").content == served.get(point).content
    for path in ("/metrics", "/areas/tiny/qgis", "/maps/tiny/units"):
        assert served.get(path, params={"f": "json"}).status_code == 400, path


def test_keys_and_pages_to_wait_for_are_declared(served: TestClient) -> None:
    document = ask(served, "/api")
    assert document["security"][0] == {}  # from this machine no key is needed
    named = [name for one in document["security"] for name in one]
    assert set(named) == set(document["components"]["securitySchemes"])
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert "429" in operation["responses"], path
    waited = document["paths"]["/areas/{area}/robustness"]["get"]["responses"]["202"]
    assert list(waited["content"]) == ["text/html"]


def test_the_first_readers_of_the_api_may_come_together(root: Path) -> None:
    fresh = client(root)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: fresh.get("/api"), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.content for answer in answers}) == 1


def test_downgrading() -> None:
    node = {
        "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}],
        "title": "Minutes",
    }
    assert downgraded(node) == {
        "type": "number",
        "minimum": 0,
        "exclusiveMinimum": True,
        "title": "Minutes",
        "nullable": True,
    }
    assert downgraded({"const": "zh"}) == {"enum": ["zh"]}
