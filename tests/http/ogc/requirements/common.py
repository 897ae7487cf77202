"""Common part 1 (core) and part 2 (collections)."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.http.ogc.asked import COUNTS, LAYER, items, links, refused
from tests.http.ogc.requirements.registry import of, requirement

CORE, LISTED = "common-1/1.0/req/core", "common-2/1.0/req/collections"


@requirement(*of(CORE, "http", "query-param-name-unknown", "query-param-value-invalid",
                 "query-param-capitalization"))  # fmt: skip
def names(served: TestClient) -> None:
    for path in ("/", "/conformance", "/collections", LAYER, f"{LAYER}/items"):
        for query in ("nonsense=1", "F=json", "f=JSON"):
            assert served.get(f"{path}?{query}").status_code == 400, (path, query)
    refused(served, "Limit=3", "unknown_filter")
    assert served.get(f"{LAYER}/items?snapped=TRUE").status_code == 400


@requirement(*of(CORE, "query-param-list-delimiter", "query-param-list-empty",
                 "query-param-list-escape", "query-param-value-boolean",
                 "query-param-value-integer", "query-param-value-decimal",
                 "query-param-value-double"))  # fmt: skip
def values(served: TestClient) -> None:
    box = "102,25.03,102.01,25.04"
    near = {one["id"] for one in items(served, "cells", bbox=box)["features"]}
    for written in ("1.02e2,2503e-2,10201e-2,2.504e1", box.replace(",", "%2C")):
        answer = served.get(f"{LAYER}/items?bbox={written}").json()
        assert {one["id"] for one in answer["features"]} == near, written
    for written in ("102,,102.01,25.04", "102;25.03;102.01;25.04", "102 25.03 102.01 25.04"):
        assert served.get(f"{LAYER}/items?bbox={written}").status_code == 400, written
    assert items(served, "cells", snapped="true")["numberMatched"] == 9
    for query in ("snapped=yes", "limit=0x1", "limit=one", "offset=1e1", "minutes_pharmacy=1,5"):
        assert served.get(f"{LAYER}/items?{query}").status_code == 400, query


@requirement(*of(LISTED, "collections-list-op", "collections-list-success",
                 "collections-list-links", "collections-list-collections", "description-op",
                 "description-success", "description-links"))  # fmt: skip
def lists(served: TestClient) -> None:
    home = links(served.get("/").json())["data"]
    answer = served.get(home)
    assert answer.status_code == 200
    told = answer.json()
    assert [one["id"] for one in told["collections"]] == [f"tiny.{layer}" for layer in COUNTS]
    for document in (told, *told["collections"]):
        for one in document["links"]:
            assert one["href"] and one["rel"]
            assert one["rel"] not in ("self", "alternate") or one["type"]
    for one in told["collections"]:
        alone = served.get(links(one)["self"])
        assert alone.status_code == 200
        assert {name: alone.json()[name] for name in one} == one


@requirement(*of(LISTED, "description-extent", "description-extent-multi"))
def extents(served: TestClient) -> None:
    within(served)


def within(served: TestClient) -> None:
    """All of each layer lies in the first box of its extent."""
    for layer in COUNTS:
        told = served.get(f"/collections/tiny.{layer}").json()["extent"]["spatial"]
        assert told.get("crs", "http://www.opengis.net/def/crs/OGC/1.3/CRS84").endswith("CRS84")
        w, s, e, n = told["bbox"][0]
        for one in items(served, layer, limit=1000)["features"]:
            for lon, lat in corners(one["geometry"]["coordinates"]):
                assert w <= lon <= e, (layer, one["id"], lon)
                assert s <= lat <= n, (layer, one["id"], lat)


def corners(told: object) -> list[tuple[float, float]]:
    """All positions of the coordinates of a geometry."""
    assert isinstance(told, list)
    if isinstance(told[0], int | float):
        return [(told[0], told[1])]
    return [one for part in told for one in corners(part)]
