"""What tests of the OGC APIs ask with: items of a layer, links by relation, a parameter as told."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from starlette.testclient import TestClient

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
COUNTS = {"cells": 10, "facilities": 9, "units": 7, "gaps": 59, "circles": 14, "network": 9}
LAYER = "/collections/tiny.cells"
PLACE = "/collections/tiny.facilities/items/h1"


def items(served: TestClient, layer: str, **query: Any) -> Any:
    named = {name.replace("_", "-") if "bbox" in name else name: v for name, v in query.items()}
    answer = served.get(f"/collections/tiny.{layer}/items", params=named)
    assert answer.status_code == 200, answer.text
    return answer.json()


def links(document: Any) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in document["links"]}


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


def schema_of(told: Any, identity: str) -> None:
    assert told["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (told["$id"], told["type"]) == (identity, "object")
    assert told["additionalProperties"] is False
    for name, one in told["properties"].items():
        assert name == "geometry" or one["type"] in ("string", "integer", "number", "boolean")


def by_hand(rows: list[Any], keys: list[tuple[str, bool]]) -> list[str]:
    """Ids as Python itself sorts them, one key after the other from the last."""
    made = list(rows)
    for name, falling in reversed(keys):
        values = {row["id"]: row["id"] if name == "id" else row["properties"][name] for row in made}
        known = [row for row in made if values[row["id"]] is not None]
        known.sort(key=lambda row: values[row["id"]], reverse=falling)
        made = known + [row for row in made if values[row["id"]] is None]
    return [row["id"] for row in made]
