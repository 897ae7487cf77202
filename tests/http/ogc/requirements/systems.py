"""Features part 2: coordinate systems."""

from __future__ import annotations

import re

from starlette.testclient import TestClient

from tests.http.ogc.asked import EPSG, LAYER, items, parameter, refused
from tests.http.ogc.requirements.registry import requirement

CRS = "features-2/1.0/req/crs"


@requirement(f"{CRS}/crs-uri", f"{CRS}/fc-md-crs-list-A", f"{CRS}/fc-md-crs-list-global",
             f"{CRS}/fc-md-storageCrs",
             f"{CRS}/fc-md-storageCrs-valid-value")  # fmt: skip
def systems(served: TestClient) -> None:
    told = served.get(LAYER).json()
    assert "#/crs" not in told["crs"]  # every collection has a list of its own
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
