"""Runs of several years over HTTP: `year=` wherever residents count, growth, places by stages."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from lifecircle.analysis.results.store import Workspace
from lifecircle.service.cli import app
from lifecircle.service.jobs.inbox import Inbox, Quotas
from lifecircle.service.jobs.processes import process_of
from tests.pages.map_pages import visible
from tests.pages.served import ask, client
from tests.worlds.referral import CELLS, referral_city, referral_policy
from tests.worlds.tiny import tiny_run

HERE = ("localhost", "testserver")
LATER = {"c4": 60, "c1": 25}  # of 2026; 40 and 10 in 2020
RESIDENTS = {2020: 100, 2026: 135}
HOME = "/areas/tiny"
OF_A_YEAR = (  # every question whose answer tells residents, and how
    ("/areas/tiny", lambda told: told["residents"]),
    ("/areas/tiny/coverage?service=health_centre", lambda told: told["total"]["residents"]),
    ("/areas/tiny/circles", lambda told: _circle(told)["total"]["residents"]),
    ("/areas/tiny/equity?service=health_centre", lambda told: told["total"]["residents"]),
    ("/areas/tiny/catchments", lambda told: told["residents"]),
    ("/areas/tiny/referral", lambda told: told["residents"]),
    ("/areas/tiny/siting?service=health_centre&add=1", lambda told: told["residents"]),
    ("/areas/tiny/report?f=json", lambda told: told["residents"]),
    ("/collections/tiny.cells/items", lambda told: sum(
        one["properties"]["residents"] for one in told["features"]
    )),
)  # fmt: skip


def _circle(told: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(told["circles"].values()))
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The street of referral in 2020 and, with more people, in 2026."""
    folder = tmp_path_factory.mktemp("workspace")
    grown = [replace(one, residents=LATER.get(one.id, one.residents)) for one in CELLS]
    for year, cells in ((2020, CELLS), (2026, grown)):
        city = referral_city(cells=cells)
        tiny_run(
            folder, policy=referral_policy(), change=lambda _, city=city: city,
            created=f"{year}-01-02T03:04:05+00:00",
        )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def served(root: Path) -> TestClient:
    return client(root, allowed_hosts=HERE)


@pytest.mark.parametrize(("path", "told"), OF_A_YEAR, ids=[path for path, _ in OF_A_YEAR])
def test_every_answer_can_be_of_another_year(
    served: TestClient, root: Path, path: str, told: Any
) -> None:
    at, _, rest = path.partition("?")
    query = dict(pair.split("=") for pair in rest.split("&") if pair)
    for year, residents in RESIDENTS.items():
        assert told(ask(served, at, **query, year=year)) == residents
    assert told(ask(served, at, **query)) == RESIDENTS[2026]  # the latest run
    run = Workspace(root).run_of_year("tiny", 2020)
    for more, status in (({"year": 2019}, 404), ({"year": 2020, "run": run}, 400)):
        assert served.get(at, params={**query, **more}).status_code == status


def test_pages_and_places_are_of_the_year_too(served: TestClient, root: Path) -> None:
    for path in (
        "/areas/tiny/gaps", "/areas/tiny/quality", "/areas/tiny/search?q=a",
        "/areas/tiny/point?lon=102.7&lat=25", "/areas/tiny/accessibility?service=health_centre",
        "/collections/tiny.units/items/990101001",
    ):  # fmt: skip
        mark = "&" if "?" in path else "?"
        assert served.get(f"{path}{mark}year=2020").status_code != 400, path
        assert served.get(f"{path}{mark}year=2019").status_code == 404, path
    run = Workspace(root).run_of_year("tiny", 2020)
    quality = served.get("/areas/tiny/quality", params={"year": 2020, "f": "html"}).text
    assert quality.count(f"&amp;run={run}") + quality.count(f"&run={run}") == 2  # map and table
    area = served.get("/areas/tiny", params={"year": 2020, "f": "html"}).text
    links = re.findall(r'<a class="button[^"]*" href="([^"]*)"', area)
    assert {link for link in links if f"run={run}" not in link} == {
        link for link in links if "/qgis" in link
    }
    assert "run=" not in served.get("/areas/tiny", params={"f": "html"}).text
    page = served.get("/maps/tiny/referral", params={"year": 2020, "lang": "zh"}).text
    assert "100 名居民中的 50 人" in visible(page)
    assert '<option value="2020" selected>' in page and '<option value="2026">' in page
    assert "catchments?lang=zh&amp;year=2020" in page.replace("walker=adult&amp;", "")
    assert '<select name="year">' not in served.get("/maps/tiny/compare?lang=zh").text


@pytest.mark.parametrize("path", ["growth", "compare", "reviews"])
def test_what_is_about_all_years_refuses_one(served: TestClient, path: str) -> None:
    assert served.get(f"{HOME}/{path}", params={"year": 2020}).status_code == 400


def test_growth(served: TestClient) -> None:
    told = ask(served, f"{HOME}/growth", by="subdistrict")
    assert [one["year"] for one in told["years"]] == [2020, 2026]
    assert told["total"]["residents"] == {"2020": 100, "2026": 135}
    assert (told["total"]["change"], told["total"]["growth"]) == (35, 0.35)
    assert sum(row["change"] for row in told["units"]) == 35
    assert served.get(f"{HOME}/growth", params={"group": "nobody"}).status_code == 404


STAGED = {"service": "health_centre", "objective": "capacity", "add": 1, "candidates": "generated"}


def test_places_by_stages(served: TestClient) -> None:
    """c4 has no centre within 1,000 m: 40 and then 60 people; one place beside it serves them."""
    told = ask(served, f"{HOME}/siting", **STAGED, stages="2026,2020")
    assert [one["year"] for one in told["stages"]] == [2020, 2026]
    assert [one["unserved_before"] for one in told["stages"]] == [40, 60]
    assert [one["unserved"] for one in told["stages"]] == [0, 0]
    assert [one["opens"] for one in told["proposals"]] == [2020]
    assert told["proposals"][0]["loads"] == {"2020": 40, "2026": 60}
    assert (told["proven"], told["unserved"], told["bound"]) == (True, 0, 0)
    for lang, words in (("zh", "建设顺序"), ("en", "Order of opening")):
        query = {**STAGED, "stages": "2020,2026", "f": "html", "lang": lang}
        assert words in served.get(f"{HOME}/siting", params=query).text


@pytest.mark.parametrize(
    "query",
    [
        {"stages": "2020"}, {"stages": "2020,2020"}, {"stages": "2020,x"}, {"stages": "2019,2026"},
        {"stages": "2020,2026", "objective": "covered"}, {"stages": "2020,2026", "add": 5},
        {"stages": "2020,2026", "year": 2020}, {"per_stage": 1},
        {"stages": "2020,2026", "target": 0.9}, {"stages": "2020,2021,2022,2023,2024,2025,2026"},
    ],
)  # fmt: skip
def test_stages_that_cannot_be_are_refused(served: TestClient, query: dict[str, Any]) -> None:
    answer = served.get(f"{HOME}/siting", params={**STAGED, **query, "lang": "zh"})
    assert 400 <= answer.status_code < 500, answer.text


def executed(served: TestClient, process: str, **inputs: Any) -> Any:
    body = {"inputs": {"area": "tiny", **inputs}}
    return served.post(f"http://localhost/processes/{process}/execution", json=body)


def test_the_processes_take_years_and_stages(served: TestClient, root: Path) -> None:
    """The same documents as over HTTP, at once; a job names its runs when it is ordered."""
    found = executed(served, "siting", **STAGED, stages=[2020, 2026])
    assert found.status_code == 200, found.text
    same = ask(served, f"{HOME}/siting", **STAGED, stages="2020,2026")
    assert found.json()["proposals"] == same["proposals"]
    assert found.json()["stages"] == same["stages"]
    assert executed(served, "referral", year=2020).json() == ask(
        served, f"{HOME}/referral", year=2020
    )
    assert executed(served, "catchments", year=2020).json()["residents"] == 100
    for inputs in ({"stages": [2020]}, {"stages": [2020, 2026], "year": 2020}, {"per_stage": 1},
                   {"stages": [2020, 2026], "objective": "covered"},
                   {"stages": [2020, 2026], "target": 0.9}):  # fmt: skip
        assert 400 <= executed(served, "siting", **{**STAGED, **inputs}).status_code < 500, inputs
    store, inbox = Workspace(root), Inbox(root, Quotas(1, 1, 1, 1))
    old, new = (store.run_of_year("tiny", year) for year in RESIDENTS)
    staged = process_of("siting")(area="tiny", **STAGED, stages=[2026, 2020])
    settled = staged.settled(store, inbox)
    assert (settled.runs, settled.stages, settled.opens) == ([old, new], [], new)
    assert settled.settled(store, inbox) == settled
    plain = process_of("referral")(area="tiny", year=2020).settled(store, inbox)
    assert (plain.run, plain.year) == (old, None)


@pytest.mark.parametrize(
    "words",
    [
        ("gaps", "tiny", "--json"), ("circles", "tiny", "--json"), ("equity", "tiny", "--json"),
        ("map", "tiny", "referral"), ("export", "tiny", "cells"), ("report", "tiny"),
        ("quality", "tiny", "--json"),
    ],
)  # fmt: skip
def test_commands_take_a_year(root: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    out = {"map": ["--out", "m.html"], "export": ["cells.csv"], "report": ["--out", "r.html"]}
    more = [str(tmp_path / one) if "." in one else one for one in out.get(words[0], [])]

    def told(*year: str) -> str:
        asked = [*words, *more, *year, "--workspace", str(root), "--lang", "en"]
        answer = CliRunner().invoke(app, asked)
        files = "".join(path.read_text("utf-8") for path in sorted(tmp_path.iterdir()))
        return f"{answer.output if not files else ''}{files}{answer.exception or ''}"

    old = told("--year", "2020")
    assert old != told()
    assert old == told("--run", Workspace(root).run_of_year("tiny", 2020))
    assert "2019" in CliRunner().invoke(
        app, [*words, *more, "--year", "2019", "--workspace", str(root)]
    ).exception.text("en")  # type: ignore[union-attr]
