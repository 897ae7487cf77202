"""Filters in CQL2, requirement by requirement, against rows picked by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from lifecircle.service.errors import RequestError
from lifecircle.service.ogc.cql import read_filter
from tests.pages.served import ask

CELLS = "/collections/tiny.cells/items"
# residents: c1 100, c2 200, c3 300, c4 400, c5 250, c6 150, c7 350, c8 60, c9 90, c10 10


def ids(served: TestClient, written: str, layer: str = "cells", **query: Any) -> set[str]:
    told = ask(served, f"/collections/tiny.{layer}/items", filter=written, limit=1000, **query)
    assert told["numberMatched"] == len(told["features"])
    return {feature["id"] for feature in told["features"]}


def refused(served: TestClient, written: str, **query: Any) -> Any:
    answer = served.get(CELLS, params={"filter": written, **query})
    assert answer.status_code == 400, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("residents >= 350", {"c4", "c7"}),
        ("350 <= residents", {"c4", "c7"}),
        ("residents > 100 AND residents < 250", {"c2", "c6"}),
        ("residents = 10 OR residents = 60 AND id = 'c1'", {"c10"}),
        ("NOT residents <> 60", {"c8"}),
        ("residents BETWEEN 60 AND 100", {"c1", "c8", "c9"}),
        ("residents IN (10, 60.0)", {"c8", "c10"}),
        ("id LIKE 'c1%'", {"c1", "c10"}),
        ("id LIKE 'c_'", {f"c{n}" for n in range(1, 10)}),
        ("CASEI(id) = CASEI('C3')", {"c3"}),
        ("CASEI(id) LIKE casei('C_0')", {"c10"}),
        ("id NOT LIKE 'c%'", set()),
        ("id = 'it''s'; DROP TABLE cells", None),
        ("snapped = false", {"c8"}),
        ("NOT snapped", {"c8"}),
        ("access_m IS NULL", {"c8"}),
        ("access_m IS NOT NULL AND residents < 80", {"c10"}),
        ("NOT access_m > 0", set()),  # unknown is neither true nor false
    ],
)
def test_req_basic_cql2_and_comparisons(
    served: TestClient, written: str, found: set[str] | None
) -> None:
    if found is None:
        assert refused(served, written)["key"] == "cql_not_read"
    else:
        assert ids(served, written) == found


def test_req_cql2_json(served: TestClient) -> None:
    told = {"op": "and", "args": [
        {"op": ">", "args": [{"property": "residents"}, 200]},
        {"op": "like", "args": [{"property": "id"}, "c%"]},
    ]}  # fmt: skip
    asked = {"filter-lang": "cql2-json"}
    assert ids(served, json.dumps(told), **asked) == {"c3", "c4", "c5", "c7"}
    for wrong in ("[]", "{", "1", '{"op": "="}', '{"op": "=", "args": []}', "residents > 1"):
        assert refused(served, wrong, **asked)["status"] == 400


def test_req_spatial_functions_in_every_system(served: TestClient) -> None:
    # a box round c1 and c2 (x 200 and 900, y 50, from 102, 25.03 or so)
    shape = ask(served, f"{CELLS}/c1")["geometry"]
    lon, lat = shape["coordinates"] if shape["type"] == "Point" else shape["coordinates"][0][0]
    box = (lon - 0.002, lat - 0.002, lon + 0.002, lat + 0.002)
    w, s, e, n = box
    inside = {f["id"] for f in ask(served, CELLS, bbox=",".join(map(str, box)))["features"]}
    assert "c1" in inside
    assert len(inside) < 10
    bbox = f"S_INTERSECTS(geometry, BBOX({w},{s},{e},{n}))"
    ring = f"POLYGON(({w} {s},{e} {s},{e} {n},{w} {n},{w} {s}))"
    turned = f"POLYGON(({s} {w},{s} {e},{n} {e},{n} {w},{s} {w}))"
    north = {"filter-crs": "http://www.opengis.net/def/crs/EPSG/0/4490"}
    assert ids(served, bbox) == inside
    assert ids(served, f"S_INTERSECTS(geometry, {ring})") == inside
    assert ids(served, f"S_INTERSECTS(geometry, {turned})", **north) == inside
    every = {f"c{number}" for number in range(1, 11)}
    assert ids(served, f"S_DISJOINT(geometry, {ring})") == every - inside
    assert ids(served, f"NOT S_INTERSECTS(geometry, {ring})") == every - inside
    assert ids(served, f"S_CONTAINS({ring}, geometry)") == ids(
        served, f"S_WITHIN(geometry, {ring})"
    )
    assert refused(served, bbox, **{"filter-crs": "EPSG:2154"})["key"] == "crs_not_offered"
    for bad, key in (
        ("POINT(1e999 1)", "cql_not_read"),
        ("POLYGON((0 0,1 1,1 0,0 1,0 0))", "cql_no_shape"),
        ("POLYGON((0 0,1 1,0 1))", "cql_no_shape"),
        ("GEOMETRYCOLLECTION(MULTIPOLYGON(((0 0,1 1,0 1,1 2))))", "cql_no_shape"),
    ):
        assert refused(served, f"S_INTERSECTS(geometry, {bad})")["key"] == key


def test_filters_go_with_files_boxes_and_pages(served: TestClient) -> None:
    assert len(served.get(CELLS, params={"filter": "residents > 200", "f": "csv"}).text.split()) > 4
    page = ask(served, CELLS, filter="residents > 200", limit=1, modelled="false")
    assert (page["numberMatched"], page["numberReturned"]) == (4, 1)
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert served.get(following).json()["numberMatched"] == 4


def test_an_unknown_property_is_named_with_the_nearest(served: TestClient) -> None:
    told = refused(served, "resident > 1", lang="en")
    assert told["key"] == "cql_no_property"
    assert "'resident'" in told["detail"]
    assert "residents" in told["detail"].split("first: ")[1][:30]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("residents = 'x'", "cql_other_kind"),
        ("id > 5", "cql_other_kind"),
        ("snapped = 1", "cql_other_kind"),
        ("id", "cql_other_kind"),
        ("residents LIKE '1%'", "cql_other_kind"),
        ("residents + 1 > 2", "cql_not_done"),
        ("residents > id", "cql_other_kind"),
        ("residents > 1e400", "cql_too_large"),
        ("access_m BETWEEN -1e999 AND 1", "cql_too_large"),
        ("residents IN (1, 1e400)", "cql_too_large"),
        ("residents > NaN", "cql_no_property"),
        ("id LIKE id", "cql_not_done"),
        ("foo(residents) = 1", "cql_not_done"),
        ("residents > DATE('2020-01-01')", "cql_not_read"),
        ("1 = 'x'", "cql_other_kind"),
        ("S_INTERSECTS(unit_code, POINT(1 1))", "cql_no_shape"),
        ("", "cql_not_read"),
        ("(" * 20_000, "bad_parameters"),
        ("a" * 60_000, "bad_parameters"),
        ("(" * 1_000 + "residents=1" + ")" * 1_000, "cql_too_deep"),
        ("NOT " * 900 + "snapped", "cql_too_deep"),
        ("residents = " + "-" * 3_000 + "1", "cql_too_deep"),
        ("<script>alert(1)</script>", "cql_not_read"),
        ("id = '\ud800'", None),
    ],
)
def test_hostile_filters_are_refused(served: TestClient, written: str, key: str | None) -> None:
    if key is None:  # a client cannot write it, a raw address can
        answer = served.get(f"{CELLS}?filter=id%3D%27%ED%A0%80%27")
        assert answer.status_code in (200, 400)
        return
    assert refused(served, written)["key"] == key


def test_what_is_too_long_is_not_even_read() -> None:
    for written in ("(" * 100_000, "a" * 1_000_000):
        with pytest.raises(RequestError, match="4000"):
            read_filter(written, None)


def test_a_pattern_of_many_signs_takes_no_time(served: TestClient) -> None:
    assert ids(served, "unit_name LIKE '" + "%a_" * 1_200 + "%b'") == set()
    assert ids(served, "id LIKE '" + "%" * 3_000 + "0'") == {"c10"}
    assert ids(served, "id LIKE 'c1%1'") == set()  # the same sign is not taken twice
    assert ids(served, r"id LIKE 'c\%'") == set()


def test_the_classes_kept_are_told(served: TestClient) -> None:
    told = ask(served, "/conformance")["conformsTo"]
    for part in ("cql2-text", "cql2-json", "basic-cql2", "basic-spatial-functions"):
        assert f"http://www.opengis.net/spec/cql2/1.0/conf/{part}" in told
    assert "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter" in told
