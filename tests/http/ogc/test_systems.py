"""OGC API Features in other coordinate systems, against axes known by hand."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from lifecircle.service.ogc import crs
from tests.http.ogc.asked import EPSG, items


@pytest.mark.parametrize(
    ("code", "first"),
    [("4326", (25.0358, 102.0017)), ("4490", (25.0358, 102.0017)), ("4543", (2770025.0, 500175.0))],
)
def test_the_authority_s_axis_order(
    served: TestClient, code: str, first: tuple[float, float]
) -> None:
    answer = served.get(f"/collections/tiny.cells/items?id=c1&crs={EPSG}{code}")
    assert answer.headers["content-crs"] == f"<{EPSG}{code}>"
    xs, ys = zip(*answer.json()["features"][0]["geometry"]["coordinates"][0], strict=True)
    assert (min(xs), min(ys)) == pytest.approx(first, abs=1e-4)
    one = served.get(f"/collections/tiny.cells/items/c1?crs={EPSG}{code}")
    assert one.headers["content-crs"] == f"<{EPSG}{code}>"
    assert one.json()["geometry"] == answer.json()["features"][0]["geometry"]


def test_crs84_and_web_mercator_are_east_first(served: TestClient) -> None:
    plain = served.get("/collections/tiny.cells/items?id=c1")
    assert plain.headers["content-crs"] == f"<{crs.CRS84}>"
    assert plain.json()["features"][0]["geometry"]["coordinates"][0][0][0] > 101
    mercator = items(served, "cells", id="c1", crs=f"{EPSG}3857")
    assert mercator["features"][0]["geometry"]["coordinates"][0][0][0] > 11_000_000


def test_boxes_in_other_systems(served: TestClient) -> None:
    found = items(served, "cells", bbox="25.03,102,25.04,102.01", bbox_crs=f"{EPSG}4326")
    assert [feature["id"] for feature in found["features"]] == ["c1", "c2"]
    found = items(served, "cells", bbox="2770000,500000,2770100,501000", bbox_crs=f"{EPSG}4543")
    assert [feature["id"] for feature in found["features"]] == ["c1", "c2"]


def test_axis_order_is_the_authority_s() -> None:
    assert crs.north_first("EPSG:4543")
    assert crs.north_first("EPSG:4490")
    assert not crs.north_first("EPSG:32651")
    assert not crs.north_first("EPSG:3857")
