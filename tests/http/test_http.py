"""The contract of ``docs/http.md``: the drawn city (see `worlds`) over HTTP, figures by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import shapely
from shapely.geometry import shape
from starlette.testclient import TestClient

from lifecircle.analysis.access.nearest import from_positions
from lifecircle.analysis.access.point_query import NearestQuery
from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.measures.circles import circle_table
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog import (
    Destination,
    PointDesk,
    coverage_document,
    point_document,
    route_document,
)
from tests.pages.served import ask
from tests.worlds.tiny import CRS, ORIGIN, tiny_policy


def lonlat(x: float, y: float) -> tuple[float, float]:
    """Degrees of a place of the drawing."""
    lon, lat = to_lonlat(np.array([[x + ORIGIN[0], y + ORIGIN[1]]]), CRS)[0]
    return float(lon), float(lat)


# ---- areas -------------------------------------------------------------------------------


def test_the_list_of_areas(served: TestClient) -> None:
    listed = ask(served, "/areas")
    (row,) = listed["areas"]
    assert row["area"] == "tiny"
    assert row["residents"] == 1910
    assert row["title"] == {"zh": "小城", "en": "Tiny"}
    assert {link["rel"] for link in row["links"]} >= {"self", "coverage", "gaps", "circles", "map"}
    for link in row["links"]:
        assert served.get(link["href"]).status_code == 200


def test_the_summary_of_an_area(served: TestClient) -> None:
    area = ask(served, "/areas/tiny")
    promised = (
        "area run title crs bbox residents cells facilities units services policy synthetic "
        "modelled warnings"
    )
    assert set(promised.split()) <= set(area)
    assert area["crs"] == "EPSG:4543"
    assert (area["cells"], area["facilities"], area["units"]) == (10, 9, 7)
    assert area["policy"]["id"] == "drawn"
    assert area["policy"]["digest"] == "d" * 64
    assert "health_centre" in area["services"]
    assert area["synthetic"] is True
    assert area["runs"] == [area["run"]]
    quality = area["quality"]
    assert (quality["unsnapped_cells"], quality["unsnapped_residents"]) == (1, 60)
    assert quality["unsnapped_facilities"] == 1
    assert set(quality["not_assessed"]) == {"market", "school_grounds", "park"}
    assert quality["walkable_km"] == 12.0
    by_service = {row["service"]: row for row in area["service_table"]}
    assert by_service["pharmacy"]["minutes"] == 10
    assert by_service["pharmacy"]["facilities"] == 2


# ---- coverage ----------------------------------------------------------------------------


def test_coverage_of_one_service(served: TestClient) -> None:
    found = ask(served, "/areas/tiny/coverage", service="health_centre")
    told = {name: found[name] for name in ("service", "minutes", "walker", "group", "by")}
    assert told == {
        "service": "health_centre",
        "minutes": 15,
        "walker": "adult",
        "group": "total",
        "by": "community",
    }
    total = found["total"]
    assert {"code", "name", "residents", "covered", "unsnapped", "U", "P", "P_core", "L", "C"} <= (
        set(total)
    )
    # h1 at x 500: c1 (370 m), c2 (470 m), c3 (970 m) are within 1,000 m
    assert (total["residents"], total["covered"], total["unsnapped"]) == (1910, 600, 60)
    assert total["P"] == 600 / 1910
    assert total["C"] is None
    assert [row["code"] for row in found["units"]] == ["C1", "C2", "C3", "C4", "C5"]
    assert sum(row["covered"] for row in found["units"]) == 600
    assert "coverage_no_catchments" in {warning["key"] for warning in found["warnings"]}


def test_coverage_by_subdistrict_minutes_walker_and_group(served: TestClient) -> None:
    by = ask(served, "/areas/tiny/coverage", service="health_centre", by="subdistrict")
    assert [(row["code"], row["covered"]) for row in by["units"]] == [("S1", 600), ("S2", 0)]
    # 7 minutes are 466.6 m: c1 only; the older walk 0.8 m/s x 900 s = 720 m: c1 and c2
    assert self_covered(served, minutes=7) == 100
    assert self_covered(served, walker="older") == 300
    assert self_covered(served, group="65") == 20 + 30 + 40


def self_covered(served: TestClient, **query: Any) -> int:
    answer = ask(served, "/areas/tiny/coverage", service="health_centre", **query)
    return int(answer["total"]["covered"])


def test_coverage_of_all_services_is_the_same_blocks(served: TestClient) -> None:
    found = ask(served, "/areas/tiny/coverage")
    blocks = {block["service"]: block for block in found["services"]}
    assert list(blocks) == list(tiny_policy().services)
    one = ask(served, "/areas/tiny/coverage", service="pharmacy")
    assert {key: one[key] for key in blocks["pharmacy"]} == blocks["pharmacy"]
    assert blocks["market"]["total"]["P"] is None
    assert blocks["market"]["total"]["covered"] is None
    assert "service_not_assessed" in {warning["key"] for warning in blocks["market"]["warnings"]}
    assert blocks["swimming_pool"]["total"]["P"] == 0  # surveyed: there is none


def test_the_command_and_http_give_the_same_document(root: Path, served: TestClient) -> None:
    run = Workspace(root).open("tiny")
    document = coverage_document(run, Question(service="pharmacy", by="subdistrict"), lang="en")
    over_http = ask(served, "/areas/tiny/coverage", service="pharmacy", by="subdistrict", lang="en")
    assert over_http == document


# ---- gaps --------------------------------------------------------------------------------


def test_gaps_are_geojson_worst_first(served: TestClient) -> None:
    found = ask(served, "/areas/tiny/gaps", service="health_centre")
    residents = [feature["properties"]["residents"] for feature in found["features"]]
    assert residents == sorted(residents, reverse=True)
    assert sum(residents) == 1910 - 600
    worst = found["features"][0]["properties"]
    promised = (
        "gap service residents residents_65 minutes_to_nearest nearest_facility reason "
        "unit_code unit_name"
    )
    assert set(promised.split()) <= set(worst)
    assert (worst["residents"], worst["residents_65"]) == (400, 50)
    assert worst["nearest_facility"] == "h1"
    assert worst["minutes_to_nearest"] == pytest.approx(2070 / 1000 * 15)
    assert (worst["reason"], worst["unit_code"]) == ("too_far", "C2")
    reasons = {feature["properties"]["reason"] for feature in found["features"]}
    assert reasons == {"too_far", "unsnapped", "cut_off"}
    place = shape(found["features"][0]["geometry"])
    assert place.is_valid
    assert place.contains(shapely.Point(lonlat(2500, 50)))


def test_gaps_of_all_services_and_smaller_ones_left_out(served: TestClient) -> None:
    found = ask(served, "/areas/tiny/gaps")
    services = {feature["properties"]["service"] for feature in found["features"]}
    assert {"health_centre", "swimming_pool"} <= services
    assert "market" not in services
    assert set(found["not_assessed"]) == {"market", "school_grounds", "park"}
    pool = [f for f in found["features"] if f["properties"]["service"] == "swimming_pool"]
    assert {f["properties"]["nearest_facility"] for f in pool} == {None}
    large = ask(served, "/areas/tiny/gaps", service="health_centre", min_residents=300)
    assert [f["properties"]["residents"] for f in large["features"]] == [400, 350]


def test_gaps_are_read_as_geojson(served: TestClient) -> None:
    answer = served.get("/areas/tiny/gaps?service=health_centre")
    assert answer.headers["content-type"] == "application/geo+json"
    ids = [feature["id"] for feature in answer.json()["features"]]
    assert len(set(ids)) == len(ids)


# ---- circles -----------------------------------------------------------------------------


def test_circles(served: TestClient) -> None:
    found = ask(served, "/areas/tiny/circles")["circles"]
    assert list(found) == ["convenience", "fitness"]
    fitness = found["fitness"]
    # three of indoor (2600), outdoor (2000-2200), pitch (2500): c4 at 2500 only
    assert (fitness["required"], fitness["total"]["complete"]) == (3, 400)
    assert fitness["total"]["share"] == 400 / 1910
    assert fitness["all_at"]["minutes"] == 15
    assert found["convenience"]["not_assessed"] == ["market"]
    one = ask(served, "/areas/tiny/circles", kind="fitness", minutes=15)["circles"]
    assert list(one) == ["fitness"]
    assert "all_at" not in one["fitness"]


# ---- one place ---------------------------------------------------------------------------


def test_a_place_on_the_street(served: TestClient) -> None:
    lon, lat = lonlat(600, 30)
    found = ask(served, "/areas/tiny/point", lon=lon, lat=lat)
    assert found["snapped"]["access_m"] == pytest.approx(30, abs=0.05)
    rows = {row["service"]: row for row in found["services"]}
    health = rows["health_centre"]
    assert (health["facility"], health["name"]) == ("h1", "阳光社区卫生服务中心")
    assert health["metres"] == pytest.approx(30 + 100 + 20, abs=0.1)
    assert health["minutes"] == pytest.approx(150 / 1000 * 15, abs=0.01)
    assert health["within"] is True
    assert rows["convenience_store"]["within"] is False
    assert rows["swimming_pool"]["within"] is False
    assert rows["swimming_pool"]["minutes"] is None
    assert rows["market"]["within"] is None
    assert "convenience_store" in found["missing"]
    assert "market" not in found["missing"]
    assert [unit["code"] for unit in found["units"]] == ["S1", "C1"]
    assert found["circles"]["convenience"]["complete"] is False
    older = ask(served, "/areas/tiny/point", lon=lon, lat=lat, walker="older")
    assert older["services"][3]["minutes"] == pytest.approx(150 / 0.8 / 60, abs=0.01)


def test_a_place_far_from_any_street(served: TestClient) -> None:
    lon, lat = lonlat(600, 700)
    found = ask(served, "/areas/tiny/point", lon=lon, lat=lat)
    assert found["snapped"] is None
    assert {row["minutes"] for row in found["services"]} == {None}
    assert [warning["key"] for warning in found["warnings"]] == ["point_unsnapped"]


@pytest.mark.parametrize("place", [(-180, -90), (-78, 0), (12, 0), (102, 90), (180, 0)])
def test_places_where_the_metric_system_ends(
    served: TestClient, place: tuple[float, float]
) -> None:
    lon, lat = place
    assert ask(served, "/areas/tiny/point", lon=lon, lat=lat)["snapped"] is None
    assert ask(served, "/areas/tiny/isochrone", lon=lon, lat=lat)["features"] == []


def test_the_circles_of_a_place_are_those_of_its_cell(root: Path) -> None:
    run = Workspace(root).open("tiny")
    desk = PointDesk.of(run, Question())
    states = {True: 1, False: 0, None: -1}
    for kind in run.policy.circles:
        table = circle_table(run.study, Question(), kind=kind)
        for i, xy in enumerate(run.city.cells.xy_m):
            lon, lat = to_lonlat(xy[None], run.city.crs)[0]
            circle = point_document(desk, float(lon), float(lat))["circles"][kind]
            assert states[circle["complete"]] == table.state[i]
            assert circle["reached"] == table.reached[i]
            assert circle["required"] == table.required


def test_asking_place_by_place_gives_the_figures_of_the_table(root: Path) -> None:
    run = Workspace(root).open("tiny")
    costs = run.study.costs
    asker = NearestQuery.of(run.city, costs, run.travel)
    cells = run.city.cells.position
    table_cm, table_facility = from_positions(run.city, costs, run.travel, cells)
    for i in range(len(cells)):
        cm, facility = asker.nearest(cells.take(np.array([i])))
        assert cm == table_cm[:, i].tolist()
        assert facility == table_facility[:, i].tolist()


def test_isochrones_are_nested_and_the_widest_comes_first(served: TestClient) -> None:
    lon, lat = lonlat(3000, 0)
    answer = served.get(f"/areas/tiny/isochrone?lon={lon}&lat={lat}&minutes=5,15,10")
    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    assert [feature["properties"]["minutes"] for feature in features] == [15, 10, 5]
    wide, middle, small = (shape(feature["geometry"]) for feature in features)
    assert wide.buffer(1e-9).contains(middle)
    assert middle.buffer(1e-9).contains(small)
    assert wide.contains(shapely.Point(lonlat(3900, 0)))
    assert not wide.contains(shapely.Point(lonlat(4150, 0)))
    assert not wide.contains(shapely.Point(lonlat(3300, 3000)))  # another street, no way there


def test_isochrones_by_default_have_the_minutes_of_the_policy(served: TestClient) -> None:
    lon, lat = lonlat(3000, 0)
    found = ask(served, "/areas/tiny/isochrone", lon=lon, lat=lat)
    assert found["minutes"] == [10, 15]
    far = ask(served, "/areas/tiny/isochrone", lon=lon, lat=lat + 1)
    assert (far["features"], far["snapped"]) == ([], None)


def test_the_walk_to_a_facility_is_the_minutes_of_the_point(root: Path) -> None:
    run = Workspace(root).open("tiny")
    desk = PointDesk.of(run, Question())
    for xy in run.city.cells.xy_m:
        lon, lat = (float(x) for x in to_lonlat(xy[None], run.city.crs)[0])
        rows = point_document(desk, lon, lat)["services"]
        for row in [row for row in rows if row["within"] is not None]:
            walk = route_document(run, (lon, lat), Destination(row["service"]))
            told = walk["properties"]
            asked = ("minutes", "metres", "facility", "name", "within")
            assert {k: told[k] for k in asked} == {k: row[k] for k in asked}
            assert (walk["geometry"] is None) == (row["metres"] is None)
            if walk["geometry"] is not None:
                line = shape(orjson.loads(orjson.dumps(walk["geometry"])))
                assert line.coords[0] == pytest.approx((lon, lat), abs=1e-6)
                assert told["length_m"] == pytest.approx(row["metres"], abs=0.05)  # flat
            assert told["ascent_m"] is None


def test_a_walk_to_another_place(served: TestClient) -> None:
    (lon, lat), (to_lon, to_lat) = lonlat(3000, 0), lonlat(3400, 0)
    there = {"to_lon": to_lon, "to_lat": to_lat}
    walk = ask(served, "/areas/tiny/route", lon=lon, lat=lat, **there)["properties"]
    assert walk["metres"] == pytest.approx(400, abs=0.5)
    assert walk["minutes"] == pytest.approx(6, abs=0.01)
    assert (walk["facility"], walk["within"]) == (None, None)
    for wrong in ({}, {"to_lon": to_lon}, {**there, "service": "pharmacy"}):
        answer = served.get("/areas/tiny/route", params={"lon": lon, "lat": lat, **wrong})
        assert (answer.status_code, answer.json()["key"]) == (400, "route_where_to")


# ---- maps --------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["coverage", "gaps", "units", "facilities"])
def test_maps_take_what_their_own_form_sends(served: TestClient, layer: str) -> None:
    run = ask(served, "/areas/tiny")["run"]
    form = f"service=pharmacy&minutes=&walker=older&by=subdistrict&lang=en&run={run}"
    answer = served.get(f"/maps/tiny/{layer}?{form}")
    assert answer.status_code == 200
    assert run in answer.text
    assert served.get(f"/maps/tiny/{layer}?service=").status_code == 200
