"""Profiles of travelling over HTTP, on drawn roads: one-ways, access, barriers, speeds.

::

    d (0, 1500) ======== private ======== c (1000, 1500)
      |                                      |
      x  bollard at y 750                    |
      |                                      |
    a (0, 0) ======= one way, east ======> b (1000, 0) ------------- z (9000, 0)

A pharmacy at b, a health centre at a; homes beside a, b, c and d. Residential streets: a car goes
25 km/h, a cycle 15; the 8 m between a door and the street are walked, 1,000 m in 15 minutes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from lifecircle.analysis.access.nearest import travel_table
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.measures.edits.apply import apply_edits
from lifecircle.analysis.measures.edits.reading import read_edits
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.cli import app
from tests.pages.served import ask, client
from tests.worlds.drawn import STREET, Way, World, draw

DOOR_M = 8.0
LEGS_S = 2 * DOOR_M * 0.9
CAR, CYCLE = 25 / 3.6, 15 / 3.6
HOMES = {"a": (0, -DOOR_M, 100), "b": (1000, -DOOR_M, 50), "c": (1000 + DOOR_M, 1500, 30),
         "d": (-DOOR_M, 1500, 20)}  # fmt: skip
ROOT = "/areas/town"
HERE = {"host": "127.0.0.1"}  # who may try scenarios: this machine


def town() -> World:
    drawn = draw(
        {"a": (0, 0), "b": (1000, 0), "c": (1000, 1500), "d": (0, 1500), "x": (0, 750),
         "z": (9000, 0)},
        Way(("a", "b"), {**STREET, "oneway": "yes"}),
        Way(("c", "d"), {**STREET, "access": "private"}),
        "b c", "d x a", "b z",
    )  # fmt: skip
    return replace(drawn, node_tags={"x": {"barrier": "bollard"}})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    folder: Path = tmp_path_factory.mktemp("profiles")
    world = town()
    homes = ("{},{:.7f},{:.7f},{}\n".format(name, *world.lonlat((x, y)), n)
             for name, (x, y, n) in HOMES.items())  # fmt: skip
    (folder / "homes.csv").write_text("id,lon,lat,population\n" + "".join(homes), "utf-8")
    places = {"p1,pharmacy,药房": (1000, -DOOR_M), "h1,health_centre,中心": (-DOOR_M, 0)}
    rows = ("{},{:.7f},{:.7f}\n".format(name, *world.lonlat(at)) for name, at in places.items())
    (folder / "places.csv").write_text("id,type,name,lon,lat\n" + "".join(rows), "utf-8")
    build_area(
        BuildRequest(
            "town",
            osm=world.write(folder / "town.osm.pbf"),
            population=folder / "homes.csv",
            facilities=(folder / "places.csv",),
            datum="wgs84",
            profiles=("car", "bicycle", "e_bike"),
        ),
        Workspace(folder / "workspace"),
    )
    return client(folder / "workspace", allowed_hosts=("testserver", "127.0.0.1"))


def minutes_at(served: TestClient, home: str, service: str, **who: str) -> float | None:
    x, y, _ = HOMES[home]
    lon, lat = town().lonlat((x, y))
    told = ask(served, f"{ROOT}/point", lon=lon, lat=lat, **who)
    found: float | None = next(
        one["minutes"] for one in told["services"] if one["service"] == service
    )
    return found


CASES = {  # home, service, who: seconds on the streets by hand, None where there is no way
    ("a", "pharmacy", "car"): 1000 / CAR,
    ("a", "pharmacy", "bicycle"): 1000 / CYCLE,
    ("c", "pharmacy", "car"): 1500 / CAR,
    ("d", "pharmacy", "car"): None,  # the bollard, and a private street
    ("d", "pharmacy", "bicycle"): 2500 / CYCLE,  # past the bollard, along the one-way
    ("b", "health_centre", "car"): None,  # against the one-way
    ("b", "health_centre", "bicycle"): None,
    ("d", "health_centre", "bicycle"): 1500 / CYCLE,
}


@pytest.mark.parametrize(("case", "seconds"), CASES.items(), ids=map("-".join, CASES))
def test_a_place_is_told_its_minutes_by_hand(
    served: TestClient, case: tuple[str, str, str], seconds: float | None
) -> None:
    home, service, who = case
    told = minutes_at(served, home, service, profile=who)
    if seconds is None:
        assert told is None
    else:
        assert told == pytest.approx((seconds + LEGS_S) / 60, abs=0.02)


def test_on_foot_nothing_of_it_bars_the_way(served: TestClient) -> None:
    assert minutes_at(served, "b", "health_centre") == pytest.approx(1016 * 0.9 / 60, abs=0.05)


def test_coverage_gaps_circles_and_equity_are_of_the_profile(served: TestClient) -> None:
    asked = {"service": "pharmacy", "minutes": 5, "profile": "car"}
    total = ask(served, f"{ROOT}/coverage", **asked)["total"]
    assert (total["covered"], total["residents"]) == (180, 200)
    gaps = ask(served, f"{ROOT}/gaps", **asked)
    assert sum(one["properties"]["residents"] for one in gaps["features"]) == 20
    assert gaps["walker"] == "car"
    cycle = ask(served, f"{ROOT}/gaps", **(asked | {"profile": "bicycle", "minutes": 11}))
    assert cycle["features"] == []
    foot, by = (
        ask(served, f"{ROOT}/circles", minutes=15, **who) for who in ({}, {"profile": "bicycle"})
    )
    assert by["walker"] == "bicycle"
    assert foot["walker"] == "adult"
    even = ask(served, f"{ROOT}/equity", service="pharmacy", profile="bicycle")
    mean = even["services"][0] if "services" in even else even
    seconds = {"a": 1000 / CYCLE, "b": 0, "c": 1500 / CYCLE, "d": 2500 / CYCLE}
    people = {name: n for name, (_, _, n) in HOMES.items()}
    hand = sum(people[n] * (s + LEGS_S) for n, s in seconds.items()) / 200 / 60
    row = next(one for one in mean["groups"] if one["code"] == "total")
    assert row["mean_minutes"] == pytest.approx(hand, abs=0.02)


def test_isochrones_and_routes_go_the_way_round(served: TestClient) -> None:
    world = town()
    lon, lat = world.lonlat((0, 0))
    asked = {"lon": lon, "lat": lat, "service": "pharmacy"}
    route = ask(served, f"{ROOT}/route", profile="car", **asked)["properties"]
    assert route["length_m"] == pytest.approx(1000 + DOOR_M, abs=0.1)
    assert route["minutes"] == pytest.approx((1000 / CAR + LEGS_S / 2) / 60, abs=0.02)
    lon, lat = world.lonlat((1000, 0))
    reached = [
        ask(served, f"{ROOT}/isochrone", lon=lon, lat=lat, minutes=2, profile="car", direction=way)
        ["features"][0]["geometry"]
        for way in ("from", "to")
    ]  # fmt: skip
    west = [
        min(x for part in _rings(shape) for x, _ in part) < world.lonlat((400, 0))[0]
        for shape in reached
    ]
    assert west == [False, True]  # nobody drives west against the one-way; from there one comes


def _rings(shape: dict[str, Any]) -> list[list[list[float]]]:
    parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    return [ring for part in parts for ring in part]


@pytest.mark.parametrize(
    ("lang", "car", "foot"), [("zh", "小汽车", "步行"), ("en", "Car", "On foot")]
)
def test_pages_have_a_choice_of_profiles(
    served: TestClient, lang: str, car: str, foot: str
) -> None:
    asked = {"service": "pharmacy", "profile": "car", "walker": "older", "lang": lang}
    page = served.get("/maps/town/coverage", params=asked)
    assert page.status_code == 200
    assert '<option value="car" selected>' + car in page.text
    assert '<option value="walk">' + foot in page.text
    assert "gaps?service=pharmacy&amp;profile=car" in page.text
    assert "proposals?service=pharmacy&amp;lang=" in page.text
    for layer in ("gaps", "circles", "units", "facilities"):
        more = served.get(f"/maps/town/{layer}", params=asked)
        assert more.status_code == 200
        assert 'name="walker"' not in more.text
        assert ('name="profile"' in more.text) == (layer in ("gaps", "circles"))


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("/maps/town/proposals", {"profile": "car"}, 400),
        ("/maps/town/catchments", {"profile": "car"}, 400),
        (f"{ROOT}/coverage", {"profile": "broom"}, 404),
        (f"{ROOT}/coverage", {"profile": "wheelchair"}, 400),  # no roads of it in this run
        (f"{ROOT}/gaps", {"profile": "car", "walker": "older"}, 400),
        (f"{ROOT}/catchments", {"profile": "car"}, 400),
        (f"{ROOT}/siting", {"profile": "car", "service": "pharmacy"}, 400),
    ],
)
def test_what_knows_no_profiles_says_so(
    served: TestClient, path: str, asked: dict[str, str], status: int
) -> None:
    answer = served.get(path, params=asked)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_two_runs_are_not_compared_on_other_roads_than_asked(served: TestClient) -> None:
    run = served.app.state.areas.current("town")  # type: ignore[attr-defined]
    asked = {"from": run, "service": "pharmacy", "lang": "en"}
    assert served.get("/maps/town/compare", params=asked).status_code == 200
    told = served.get("/maps/town/compare", params={**asked, "profile": "car"})
    assert (told.status_code, told.json()["key"]) == (400, "profile_only_walk")


def test_the_commands_take_them_too(served: TestClient) -> None:
    root = str(served.app.state.areas.workspace.root)  # type: ignore[attr-defined]
    for command in ("circles", "equity"):
        told = CliRunner().invoke(
            app, [command, "town", "--workspace", root, "--profile", "bicycle", "--json"]
        )
        assert told.exit_code == 0, told.output
        assert '"walker": "bicycle"' in told.output


def test_a_scenario_for_a_profile_is_the_walks_worked_out_anew(served: TestClient) -> None:
    """A pharmacy more at d, and ten people more beside it: as a table made from nothing."""
    lon, lat = town().lonlat((-DOOR_M, 1500))
    edits = [
        {"op": "add_facility", "service": "pharmacy", "lon": lon, "lat": lat},
        {"op": "add_residents", "lon": lon, "lat": lat, "residents": 10},
    ]
    asked = {"edits": edits, "minutes": 5, "profile": "car"}
    told = served.post(f"{ROOT}/scenario", json=asked, headers=HERE)
    assert told.status_code == 200, told.text
    change = next(one for one in told.json()["services"] if one["service"] == "pharmacy")
    assert (change["covered_before"], change["covered_after"]) == (180, 210)
    assert told.json()["scorecard"] == told.json()["catchments"] == []
    study = served.app.state.areas.open("town").by_profile("car").run.study  # type: ignore[attr-defined]
    for more in (edits, edits[:1], [{"op": "remove_facility", "id": "p1"}]):
        after = apply_edits(study, read_edits(study, more, "edits")).study
        fresh = travel_table(after.city, after.costs, after.travel.services)
        assert np.array_equal(after.travel.cell_cm, fresh.cell_cm)
        assert np.array_equal(after.travel.node_cm, fresh.node_cm)


def test_the_process_answers_for_a_profile_as_the_service_does(served: TestClient) -> None:
    """At once, as a job is worked; a walker beside a profile and one without roads are refused."""
    lon, lat = town().lonlat((-DOOR_M, 1500))
    edits = [{"op": "add_facility", "service": "pharmacy", "lon": lon, "lat": lat}]
    asked = {"edits": edits, "minutes": 5, "profile": "car"}
    url = "http://localhost/processes/scenario/execution"

    def executed(**more: object) -> Any:
        return served.post(url, json={"inputs": {"area": "town", **asked, **more}}, headers=HERE)

    found = executed()
    assert found.status_code == 200, found.text
    same = served.post(f"{ROOT}/scenario", json=asked, headers=HERE).json()
    on_foot = executed(profile="walk").json()
    for name in ("services", "circles"):
        assert found.json()[name] == same[name] != [], name
    assert found.json()["services"] != on_foot["services"]
    for refused in ({"walker": "older"}, {"profile": "wheelchair"}, {"profile": "broom"}):
        assert 400 <= executed(**refused).status_code < 500, refused


def test_ways_drawn_for_a_profile_are_refused(served: TestClient) -> None:
    ends = [list(town().lonlat(name)) for name in ("a", "c")]
    way = {"op": "add_way", "kind": "footbridge", "coordinates": ends}
    told = served.post(f"{ROOT}/scenario", json={"edits": [way], "profile": "car"}, headers=HERE)
    assert told.status_code == 400
    assert told.json()["key"] == "profile_no_ways"
