"""Features part 3: queryables and filters; CQL2."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.http.ogc.asked import COUNTS, EPSG, LAYER, items, links, parameter, refused, schema_of
from tests.http.ogc.requirements.registry import of, requirement

ASKED, FILTER = "features-3/1.0/req", "features-3/1.0/req/filter"


@requirement(f"{ASKED}/queryables/queryables-link", f"{ASKED}/queryables/get-queryables-op",
             f"{ASKED}/queryables/get-queryables-response",
             f"{ASKED}/queryables/expression-construction",
             f"{ASKED}/features-filter/queryables-link",
             f"{ASKED}/features-filter/get-queryables-op")  # fmt: skip
def queryables(served: TestClient) -> None:
    for layer in COUNTS:
        home = links(served.get(f"/collections/tiny.{layer}").json())
        told = served.get(home["http://www.opengis.net/def/rel/ogc/1.0/queryables"]).json()
        schema_of(told, f"http://testserver/collections/tiny.{layer}/queryables")
        assert told["properties"]["geometry"]["format"] == "geometry-any"
    refused(served, "filter=unheard%20%3D%201", "cql_no_property")


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
             f"{FILTER}/mixing-expressions", f"{FILTER}/response",
             *of(f"{ASKED}/features-filter", "filter-param", "filter-lang-param",
                 "filter-crs-param", "response"))  # fmt: skip
def filters(served: TestClient) -> None:
    assert parameter(served, "filter")["schema"]["type"] == "string"
    assert parameter(served, "filter-lang")["schema"]["enum"] == ["cql2-text", "cql2-json"]
    # without filter-lang it is text
    refused(served, "filter=%7B%22op%22%3A%22not%22%2C%22args%22%3A%5Bfalse%5D%7D", "cql_not_read")
    assert parameter(served, "filter-crs")["schema"]["format"] == "uri"
    found = items(served, "cells", filter="residents >= 200", unit_code="C1")
    assert [one["id"] for one in found["features"]] == ["c2"]
    ring = served.get(f"{LAYER}/items/c1").json()["geometry"]["coordinates"][0]
    lon, lat = (sum(one) / len(one) for one in zip(*ring[:-1], strict=True))
    for place, system in ((f"{lon} {lat}", None), (f"{lat} {lon}", f"{EPSG}4326")):
        asked = {"filter": f"S_INTERSECTS(geometry, POINT({place}))"}
        asked |= {} if system is None else {"filter-crs": system}
        found = items(served, "cells", **asked)
        assert [one["id"] for one in found["features"]] == ["c1"], system
