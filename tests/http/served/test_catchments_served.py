"""Catchments as people get them: HTTP, OGC Features, the command, the map page."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import Result
from starlette.testclient import TestClient
from typer.testing import CliRunner

from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.service.app import create_app
from lifecircle.service.catalog import catchments_document, coverage_document, gaps_document
from lifecircle.service.cli import app
from lifecircle.service.maps.pages import Page, map_page
from lifecircle.service.settings import Settings
from tests.command.test_command import lifecircle
from tests.pages.map_pages import blocks, visible
from tests.pages.served import ask
from tests.worlds.capacity import capacity_policy, centre, city_with
from tests.worlds.tiny import tiny_run

PLACES = (
    centre("h1", 500),
    centre("h2", 5000, ownership=None),
    centre("x", 2990, service="elder_care", beds=10),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    tiny_run(folder, policy=capacity_policy(100, 500), change=lambda _: city_with(*PLACES))
    tiny_run(folder, area="plain")
    rules = capacity_policy(100, 500)
    tiny_run(folder, area="empty", policy=rules, change=lambda _: city_with())
    return folder


@pytest.fixture(scope="module")
def run(root: Path) -> Run:
    from lifecircle.analysis.results.store import Workspace

    return Workspace(root).open("tiny")


CENTRE = {"facility", "name", "load", "min", "max", "state", "overload", "underload"}


def test_the_promised_shape(served: TestClient) -> None:
    found = ask(served, "/areas/tiny/catchments")
    assert (found["service"], found["minutes"], found["walker"]) == ("health_centre", 15, "adult")
    assert (found["closed"], found["whole"], found["group"]) == (False, False, "total")
    for which in ("natural", "balanced"):
        solution = found[which]
        assert set(solution) >= {"centres", "unserved", "person_minutes", "bound"}
        assert set(solution["unserved"]) == {"reachable_full", "unreachable"}
        for one in solution["centres"]:
            assert set(one) >= CENTRE
        total = solution["served"] + sum(solution["unserved"].values())
        assert total == found["residents"] == 1910
    loads = {one["facility"]: one["load"] for one in found["balanced"]["centres"]}
    assert loads == {"h1": 500, "h2": 500}
    assert found["balanced"]["unserved"] == {"reachable_full": 100, "unreachable": 810}
    assert found["C"] == 1000 / 1910
    natural = {one["facility"]: one["state"] for one in found["natural"]["centres"]}
    assert natural == {"h1": "overload", "h2": "overload"}
    assert found["by"] == "subdistrict"
    east, west = found["units"]
    assert (east["code"], east["A"], east["B"], east["state"]) == ("S1", True, False, "达标但超载")
    assert (west["code"], west["A"], west["B"], west["state"]) == ("S2", None, None, "NOT_ASSESSED")
    assert west["missing"] == ["ownership"]
    assert east["served"] + east["reachable_full"] + east["unreachable"] == east["residents"]
    assert found["rule"]["states"]["NOT_ASSESSED"] == 1
    assert "rule_undecided" in {warning["key"] for warning in found["warnings"]}


def test_a_scenario_tells_c_of_all_residents_at_the_minutes_of_p_alone(root: Path) -> None:
    """At other minutes, or of beds for older people, what catchments serve is no C beside P."""
    served = TestClient(
        create_app(Settings(workspace=root)), base_url="http://127.0.0.1",
        client=("127.0.0.1", 50_000),
    )  # fmt: skip
    for service, gone in (("health_centre", "h1"), ("elder_care", "x")):
        for minutes in (15, 10):
            body = {"edits": [{"op": "remove_facility", "id": gone}], "minutes": minutes}
            told = served.post("/areas/tiny/scenario", json=body).json()["services"]
            (block,) = [one for one in told if one["service"] == service]
            asked = f"/areas/tiny/coverage?service={service}&minutes={minutes}"
            total = served.get(asked).json()["total"]
            same = (service, minutes) == ("health_centre", 15)
            assert block["P_before"] == total["P"]
            assert block["C_before"] == (total["C"] if same else None)
            assert (block["C_after"] is None) != same


def test_every_option_answers(served: TestClient) -> None:
    free = ask(served, "/areas/tiny/catchments", minutes="none")
    assert free["minutes"] is None
    assert free["balanced"]["served"] == 1000  # both full
    longer = ask(served, "/areas/tiny/catchments", minutes=20, walker="older")
    assert (longer["minutes"], longer["walker"]) == (20, "older")
    for name in ("closed", "whole", "estimates"):
        answer = ask(served, "/areas/tiny/catchments", **{name: "true", "minutes": "none"})
        assert answer[name] is True
    old = ask(served, "/areas/tiny/catchments", service="elder_care", by="community")
    assert (old["group"], old["by"], old["rule"]) == ("65", "community", None)
    assert old["units"][0]["state"] is None and old["units"][0]["A"] is None
    english = served.get("/areas/tiny/catchments", params={"lang": "en"})
    assert "English" not in english.text and english.headers["content-language"] == "en"


@pytest.mark.parametrize(
    ("query", "status"),
    [({"service": "market"}, 404), ({"service": "nothing"}, 404), ({"walker": "x"}, 404),
     ({"minutes": "soon"}, 400), ({"minutes": "-3"}, 400), ({"minutes": "inf"}, 400),
     ({"closed": "perhaps"}, 400), ({"by": "x"}, 404), ({"odd": 1}, 400)],
)  # fmt: skip
def test_bad_questions_are_refused(served: TestClient, query: dict[str, Any], status: int) -> None:
    answer = served.get("/areas/tiny/catchments", params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_an_area_without_rules_says_so(served: TestClient) -> None:
    answer = served.get("/areas/plain/catchments")
    assert answer.status_code == 404
    listed = [one["id"] for one in ask(served, "/collections")["collections"]]
    assert "tiny.catchments" in listed and "plain.catchments" not in listed
    for path in ("", "/items", "/queryables"):
        assert served.get(f"/collections/plain.catchments{path}").status_code == 404


@pytest.mark.parametrize("solution", ["natural", "balanced", "balanced_all"])
def test_a_map_without_a_centre_says_not_assessed(served: TestClient, solution: str) -> None:
    page = served.get("/maps/empty/catchments", params={"solution": solution, "lang": "en"})
    assert page.status_code == 200, page.text
    assert "not assessed" in page.text.lower()
    told = ask(served, "/areas/empty/catchments")
    assert told["assessed"] is False
    for which in ("natural", "balanced"):  # unknown is null, never 0
        assert told[which]["unserved"] == {"reachable_full": None, "unreachable": None}
        assert {told[which][key] for key in ("served", "overload", "underload", "bound")} == {None}


def test_the_collection(served: TestClient) -> None:
    items = ask(served, "/collections/tiny.catchments/items", solution="balanced")
    properties = [one["properties"] for one in items["features"]]
    assert {one["facility"] for one in properties} == {"h1", "h2", "x"}
    assert ask(served, "/collections/tiny.catchments")["id"] == "tiny.catchments"
    assert "state" in ask(served, "/collections/tiny.catchments/queryables")["properties"]
    cells = ask(served, "/collections/tiny.cells/items", id="c3")["features"][0]["properties"]
    assert cells["unserved_health_centre"] == 100


def test_coverage_and_gaps_agree_with_the_catchments(served: TestClient, run: Run) -> None:
    found = ask(served, "/areas/tiny/catchments")
    table = ask(served, "/areas/tiny/coverage", service="health_centre", by="subdistrict")
    assert table["total"]["C"] == found["C"]
    assert [row["C"] for row in table["units"]] == [row["C"] for row in found["units"]]
    for minutes in (None, 10, 25):
        wider = coverage_document(run, Question(service="health_centre", minutes=minutes))["total"]
        same = catchments_document(run, Question(minutes=minutes))
        assert wider["C"] == same["C"] and wider["P"] >= wider["C"]
    gaps = ask(served, "/areas/tiny/gaps", service="health_centre")
    unserved = sum(found["balanced"]["unserved"].values())
    assert sum(one["properties"]["residents"] for one in gaps["features"]) == unserved
    assert "over_capacity" in {one["properties"]["reason"] for one in gaps["features"]}
    assert len(gaps_document(run, Question(service="pharmacy"))["features"]) == 0  # not assessed


def command(root: Path, *words: str | Path, lang: str = "en") -> Result:
    """The command in this process."""
    asked = ["catchments", "tiny", "--workspace", root, "--lang", lang, *words]
    return CliRunner(env={"COLUMNS": "220"}).invoke(app, [str(word) for word in asked])


def test_the_command_gives_the_same(root: Path, run: Run, tmp_path: Path) -> None:
    done = lifecircle("catchments", "tiny", "--json", workspace=root)  # a process of its own
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(
        json.dumps(catchments_document(run, Question(), lang="en"))
    )
    shown = command(root, "--minutes", "none", "--whole").output
    assert "h1中心" in shown and "not assessed" in shown and "no limit" in shown
    chinese = command(root, lang="zh").output
    assert "达标但超载" in chinese and "未评估" in chinese
    csv_file, sheet = tmp_path / "c.csv", tmp_path / "u.xlsx"
    assert command(root, "--out", csv_file).exit_code == 0
    with csv_file.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 4 and rows[0]["solution"] == "natural"
    assert {row["load"] for row in rows if row["solution"] == "balanced"} == {"500"}
    assert command(root, "--out", sheet, "--table", "units", lang="zh").exit_code == 0
    first = openpyxl.load_workbook(sheet).worksheets[0]
    assert "达标但超载" in [cell.value for row in first.iter_rows() for cell in row]
    refused = lifecircle("catchments", "tiny", "--minutes", "soon", workspace=root)
    assert refused.returncode == 2 and "minutes = 'soon'" in refused.stderr
    refused = command(root, "--service", "market")
    assert isinstance(refused.exception, UnknownNameError) and refused.exception.exit_code == 2


@pytest.mark.parametrize("solution", ["natural", "balanced", "balanced_all"])
def test_the_map_page(run: Run, solution: str) -> None:
    page = map_page(
        run, "catchments", Question(), Page(solution=solution, lang="en", mode="inline")
    )
    assert "http://" not in page.replace("http://www.w3.org", "")
    data = blocks(page)
    drawn = next(v for k, v in data.items() if k.endswith("catchments"))
    loads = {
        f["properties"]["name"]: f["properties"]["values"][0] for f in drawn["features"]["features"]
    }  # type: ignore[index]
    expected = {"natural": ("1,000", "750"), "balanced": ("500", "500"),
                "balanced_all": ("500", "500")}[solution]  # fmt: skip
    assert loads == dict(zip(("h1中心", "h2中心"), expected, strict=True))
    text = visible(page)
    for word in ("Catchments", "In reach, but full", "Rule: not assessed", "Loads"):
        assert word in text
    assert ("Above the maximum 2 centres" in text) == (solution == "natural")
    heading = {
        "natural": "Everyone to the nearest, no limit",
        "balanced": "Capacity respected, within 15 min",
        "balanced_all": "Capacity respected, no limit",
    }
    assert heading[solution] in text
    out, full, served = {
        "natural": ("160", "0", "1,750"),
        "balanced": ("810", "100", "1,000"),
        "balanced_all": ("160", "750", "1,000"),
    }[solution]
    bridge = f"Out of reach {out} + in reach, but full {full} + served {served} = all 1,910"
    assert bridge in text
    assert page.count("data-left=") == 2 * len(run.catchments["health_centre"].natural.centres)


def test_the_map_over_http(served: TestClient) -> None:
    page = served.get("/maps/tiny/catchments", params={"solution": "balanced", "lang": "zh"})
    assert page.status_code == 200 and "服务区" in page.text
    assert 'name="solution"' in page.text and 'href="catchments?' in page.text
    assert served.get("/maps/tiny/catchments", params={"solution": "odd"}).status_code == 404
    assert served.get("/maps/plain/catchments").status_code == 404
    opened = served.get("/maps/tiny/catchments", params={"lang": "en"}).text
    assert "Capacity respected, within 15 min" in opened  # balanced, at the service's own minutes
    other = served.get("/maps/plain/coverage")
    assert "catchments?" not in other.text


def test_names_are_escaped(tmp_path: Path) -> None:
    hostile = '</script><img src=x onerror="alert(1)">'
    place = centre("h1", 500)
    from dataclasses import replace

    named = replace(place, name=hostile)
    bad = tiny_run(
        tmp_path, policy=capacity_policy(), change=lambda _: city_with(named, centre("h2", 5000))
    )
    for mode in ("inline", "linked"):
        page = map_page(bad, "catchments", Question(), Page(mode=mode))  # type: ignore[arg-type]
        assert "<img" not in page and 'onerror="' not in page
