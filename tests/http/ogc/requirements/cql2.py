"""CQL2 (21-065r2), as text and as JSON, against rows picked by hand.

Residents of the cells, c1 to c10: 100, 200, 300, 400, 250, 150, 350, 60, 90, 10.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.testclient import TestClient

from tests.http.ogc.asked import LAYER, items, refused
from tests.http.ogc.requirements.registry import of, requirement

CQL = "cql2/1.0/req"
EVERY = frozenset(f"c{number}" for number in range(1, 11))
JSON = {"filter-lang": "cql2-json"}


def ids(served: TestClient, written: Any, layer: str = "cells", **query: Any) -> set[str]:
    more = {} if isinstance(written, str) else JSON
    told = written if isinstance(written, str) else json.dumps(written)
    return {
        one["id"]
        for one in items(served, layer, filter=told, limit=1000, **more, **query)["features"]
    }


def op(name: str, *parts: Any) -> dict[str, Any]:
    return {"op": name, "args": list(parts)}


def of_property(name: str) -> dict[str, str]:
    return {"property": name}


R = of_property("residents")


@requirement(*of(CQL, "basic-cql2/cql2-filter", "basic-cql2/property",
                 "basic-cql2/binary-comparison-predicate", "basic-cql2/null-predicate",
                 "cql2-text/basic-cql2"))  # fmt: skip
def basic(served: TestClient) -> None:
    for written, found in {
        "residents = 60": {"c8"}, "residents <> 60": EVERY - {"c8"}, "residents < 60": {"c10"},
        "residents <= 60": {"c8", "c10"}, "residents > 350": {"c4"},
        "residents >= 350": {"c4", "c7"},
        "350 <= residents": {"c4", "c7"}, "id = 'c3'": {"c3"}, "snapped = FALSE": {"c8"},
        "residents = 10 OR residents = 60 AND id = 'c1'": {"c10"},
        "(residents = 10 OR residents = 60) AND NOT id = 'c8'": {"c10"},
        "access_m IS NULL": {"c8"}, "access_m IS NOT NULL": EVERY - {"c8"},
        "access_m > 0 OR NOT access_m > 0": EVERY - {"c8"},  # null is neither
    }.items():  # fmt: skip
        assert ids(served, written) == found, written
    refused(served, "filter=resident%20%3D%201", "cql_no_property")
    refused(served, "filter=residents%20%3D%20%27x%27", "cql_other_kind")


@requirement(f"{CQL}/cql2-json/basic-cql2")
def basic_json(served: TestClient) -> None:
    for written, found in (
        (op("=", R, 60), {"c8"}),
        (op("and", op(">", R, 100), op("<", R, 250)), {"c2", "c6"}),
        (op("or", op("=", R, 10), op("not", op("<>", R, 60))), {"c8", "c10"}),
        (op("isNull", of_property("access_m")), {"c8"}),
        (op("=", of_property("snapped"), False), {"c8"}),
    ):
        assert ids(served, written) == found, written


@requirement(f"{CQL}/cql2-text/escaping")
def escaping(served: TestClient) -> None:
    for written in ("'it''s'", r"'it\'s'", *(rf"'a\{sign}b'" for sign in "abtnvfr")):
        assert ids(served, f"id = {written}") == set(), written
    assert ids(served, r"id LIKE 'c\%'") == set()


@requirement(*of(CQL, "advanced-comparison-operators/like-predicate",
                 "advanced-comparison-operators/between-predicate",
                 "advanced-comparison-operators/in-predicate",
                 "cql2-text/advanced-comparison-operators"))  # fmt: skip
def advanced(served: TestClient) -> None:
    for written, found in {
        "id LIKE 'c1%'": {"c1", "c10"}, "id LIKE 'c_'": EVERY - {"c10"}, "id NOT LIKE 'c1%'":
            EVERY - {"c1", "c10"}, "id LIKE 'C1%'": set(), "residents BETWEEN 60 AND 100":
            {"c1", "c8", "c9"}, "residents NOT BETWEEN 60 AND 400": {"c10"},
        "residents IN (10, 60)": {"c8", "c10"}, "id NOT IN ('c1','c2')": EVERY - {"c1", "c2"},
    }.items():  # fmt: skip
        assert ids(served, written) == found, written
    assert "c8" not in ids(served, "access_m BETWEEN 0 AND 1 OR NOT access_m BETWEEN 0 AND 1")


@requirement(f"{CQL}/cql2-json/advanced-comparison-operators")
def advanced_json(served: TestClient) -> None:
    for written, found in (
        (op("like", of_property("id"), "c1%"), {"c1", "c10"}),
        (op("between", R, 60, 100), {"c1", "c8", "c9"}),
        (op("in", R, [10, 60]), {"c8", "c10"}),
    ):
        assert ids(served, written) == found, written


@requirement(*of(CQL, "case-insensitive-comparison/casei-function",
                 "cql2-text/case-insensitive-comparison",
                 "cql2-json/case-insensitive-comparison"))  # fmt: skip
def case_insensitive(served: TestClient) -> None:
    name = of_property("id")
    for written, found in (
        ("CASEI(id) = CASEI('C3')", {"c3"}),
        ("CASEI(id) LIKE CASEI('C_0')", {"c10"}),
        ("CASEI(id) IN (CASEI('C3'), CASEI('c4'))", {"c3", "c4"}),
        ("id = 'C3'", set()),
        (op("=", op("casei", name), op("casei", "C3")), {"c3"}),
        (op("like", op("casei", name), op("casei", "C_0")), {"c10"}),
    ):
        assert ids(served, written) == found, written


def corners(served: TestClient) -> tuple[float, float, float, float]:
    """A box round c1 and what is near it."""
    ring = served.get(f"{LAYER}/items/c1").json()["geometry"]["coordinates"][0]
    lon, lat = (min(one) for one in zip(*ring, strict=True))
    return lon - 0.002, lat - 0.002, lon + 0.002, lat + 0.002


@requirement(*of(CQL, "basic-spatial-functions/spatial-predicate",
                 "basic-spatial-functions/spatial-functions", "cql2-text/basic-spatial-functions",
                 "cql2-json/basic-spatial-functions"))  # fmt: skip
def basic_spatial(served: TestClient) -> None:
    w, s, e, n = corners(served)
    inside = {f["id"] for f in items(served, "cells", bbox=f"{w},{s},{e},{n}")["features"]}
    assert 0 < len(inside) < 10
    shape = of_property("geometry")
    assert ids(served, f"S_INTERSECTS(geometry, BBOX({w},{s},{e},{n}))") == inside
    assert ids(served, op("s_intersects", shape, {"bbox": [w, s, e, n]})) == inside
    middle = {"type": "Point", "coordinates": [(w + e) / 2, (s + n) / 2]}
    assert ids(served, op("s_intersects", shape, middle)) <= inside
    assert ids(served, f"S_INTERSECTS(geometry, POINT({w + 0.00205} {s + 0.00205}))") == {"c1"}


@requirement(*of(CQL, "basic-spatial-functions-plus/spatial-data-types",
                 "cql2-text/basic-spatial-functions-plus",
                 "cql2-json/basic-spatial-functions-plus"))  # fmt: skip
def spatial_literals(served: TestClient) -> None:
    w, s, e, n = corners(served)
    ring = f"(({w} {s},{e} {s},{e} {n},{w} {n},{w} {s}))"
    corner = [[w, s], [e, s], [e, n], [w, n], [w, s]]
    x, y = w + 0.00205, s + 0.00205  # inside c1
    inside = ids(served, f"S_INTERSECTS(geometry, BBOX({w},{s},{e},{n}))")
    for written, found in {
        f"POLYGON{ring}": inside, f"MULTIPOLYGON({ring})": inside, f"POINT({x} {y})": {"c1"},
        f"MULTIPOINT(({x} {y}),(0 0))": {"c1"}, f"LINESTRING({x} {y},{x} {s})": {"c1"},
        f"MULTILINESTRING(({x} {y},{x} {s}),(0 0,1 1))": {"c1"},
        f"GEOMETRYCOLLECTION(POINT({x} {y}),LINESTRING(0 0,1 1))": {"c1"},
    }.items():  # fmt: skip
        assert ids(served, f"S_INTERSECTS(geometry, {written})") == found, written
    told: tuple[tuple[str, Any, set[str]], ...] = (
        ("Polygon", [corner], inside), ("MultiPolygon", [[corner]], inside),
        ("MultiPoint", [[x, y], [0, 0]], {"c1"}), ("LineString", [[x, y], [x, s]], {"c1"}),
        ("MultiLineString", [[[x, y], [x, s]]], {"c1"}),
    )  # fmt: skip
    for kind, coordinates, found in told:
        shape = {"type": kind, "coordinates": coordinates}
        assert ids(served, op("s_intersects", of_property("geometry"), shape)) == found, kind
    point = {"type": "Point", "coordinates": [x, y]}
    both = {"type": "GeometryCollection", "geometries": [point, point]}
    assert ids(served, op("s_intersects", of_property("geometry"), both)) == {"c1"}


@requirement(*of(CQL, "spatial-functions/spatial-functions", "cql2-text/spatial-functions",
                 "cql2-json/spatial-functions"))  # fmt: skip
def spatial(served: TestClient) -> None:
    w, s, e, n = corners(served)
    box = f"POLYGON(({w} {s},{e} {s},{e} {n},{w} {n},{w} {s}))"
    inside = ids(served, f"S_INTERSECTS(geometry, {box})")
    within = ids(served, f"S_WITHIN(geometry, {box})")
    assert "c1" in within <= inside
    assert ids(served, f"S_DISJOINT(geometry, {box})") == EVERY - inside
    assert ids(served, f"S_CONTAINS({box}, geometry)") == within
    shape = of_property("geometry")
    lon, lat = w + 0.00205, s + 0.00205  # inside c1, as is all of `small`
    ring = [[lon, lat], [lon + 1e-4, lat], [lon + 1e-4, lat + 1e-4], [lon, lat + 1e-4], [lon, lat]]
    small = {"type": "Polygon", "coordinates": [ring]}
    for name, found in (
        ("s_equals", set()), ("s_within", set()), ("s_contains", {"c1"}), ("s_touches", set()),
        ("s_crosses", set()), ("s_overlaps", set()), ("s_intersects", {"c1"}),
        ("s_disjoint", EVERY - {"c1"}),
    ):  # fmt: skip
        assert ids(served, op(name, shape, small)) == found, name
    assert ids(served, op("s_equals", shape, shape)) == EVERY
    across = f"LINESTRING({lon - 1} {lat},{lon + 1} {lat})"
    assert "c1" in ids(served, f"S_CROSSES({across}, geometry)")
    x, y = lon, lat
    m = x + 1e-4
    half = f"POLYGON(({x - 1} {y - 1},{m} {y - 1},{m} {y + 1},{x - 1} {y + 1},{x - 1} {y - 1}))"
    assert "c1" in ids(served, f"S_OVERLAPS(geometry, {half})")


@requirement(*of(CQL, "property-property/withdraw-permissions", "cql2-text/property-property",
                 "cql2-json/property-property"))  # fmt: skip
def between_properties(served: TestClient) -> None:
    rows = {one["id"]: one["properties"] for one in items(served, "units")["features"]}
    one, other = "spread_moved", "residents"
    for sign, kept in (
        ("=", lambda a, b: a == b), ("<>", lambda a, b: a != b), ("<", lambda a, b: a < b),
        (">=", lambda a, b: a >= b),
    ):  # fmt: skip
        found = {
            name for name, row in rows.items()
            if row[one] is not None and row[other] is not None and kept(row[one], row[other])
        }  # fmt: skip
        assert ids(served, f"{one} {sign} {other}", "units") == found, sign
        told = op(sign, of_property(one), of_property(other))
        assert ids(served, told, "units") == found, sign
    named = {name for name, row in rows.items() if row["code"] == name}
    assert ids(served, "code = id", "units") == named
    assert ids(served, "CASEI(code) = CASEI(id)", "units") == named
    cells = {one["id"]: one["properties"] for one in items(served, "cells")["features"]}
    far = {name for name, row in cells.items() if (row["access_m"] or 0) > row["residents"]}
    assert ids(served, "residents BETWEEN access_m AND residents") == EVERY - far - {"c8"}
    assert ids(served, "residents IN (residents, 3)") == EVERY
    assert ids(served, "5 < 6") == EVERY
    assert ids(served, "S_EQUALS(geometry, geometry)") == EVERY
    assert ids(served, "S_INTERSECTS(POINT(1 1), POINT(1 1)) AND 'a' = 'a'") == EVERY
    refused(served, "filter=residents%20%3D%20id", "cql_other_kind")
