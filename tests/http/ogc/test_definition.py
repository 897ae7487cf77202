"""The API definition: every collection spelled out, in OpenAPI 3.0."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from starlette.testclient import TestClient

from lifecircle.analysis.results.layers.layers import LAYERS
from lifecircle.service.ogc.definition import downgraded
from tests.pages.served import client


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
