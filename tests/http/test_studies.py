"""Equity, circles in full, moments and comparison over HTTP, on maps and as commands."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.measures.circles import circle_table, circles
from lifecircle.analysis.measures.compare import compare
from lifecircle.analysis.measures.opening import night_moment, night_states
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.pipeline import save_run
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.results.layers.layers import layer_frame
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog import circles_document, coverage_document
from lifecircle.service.cli import main
from lifecircle.service.figures import points
from lifecircle.service.maps.pages import Page, map_page
from lifecircle.service.maps.scenes.compare import CHANGE_COLOURS, change_class
from tests.pages.map_pages import blocks, drawn_run
from tests.worlds.parts import study_of
from tests.worlds.tiny import TINY_PLACES, Place, tiny_city, tiny_manifest, tiny_policy, walks


def policy_in_full() -> Policy:
    """The drawn policy with upgraded types and an evening."""
    plain = tiny_policy()
    hour = dataclasses.replace(plain.circles["fitness"].minutes_all, value=20)
    kinds = {
        "convenience": dataclasses.replace(
            plain.circles["convenience"], upgraded=("elder_care", "park")
        ),
        "fitness": dataclasses.replace(plain.circles["fitness"], night_hour=hour),
    }
    return dataclasses.replace(plain, circles=kinds)


# in the evening: f1 (a park at x 2000-2200) is lit, f2 closes at 18:00, f3 says nothing
LIGHT = {
    "f1": {"lit": "是"},
    "f2": {"opening_hours": "每天8:00-18:00"},
    "p1": {"opening_hours": "24小时"},
    "p2": {"opening_hours": "周一至周五 9:00-18:00"},
}
PLACES = tuple(
    dataclasses.replace(place, attributes=LIGHT.get(place.id, place.attributes))
    for place in TINY_PLACES
)
POLICY = policy_in_full()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: a second pharmacy beside c7 opens in the later one, p2 is gone."""
    folder = tmp_path_factory.mktemp("workspace")
    later = (*(p for p in PLACES if p.id != "p2"), Place("p9", "pharmacy", 5500, -20, "新药房"))
    for stamp, places in (("2020-01-01T00:00:00Z", PLACES), ("2025-01-01T00:00:00Z", later)):
        city = tiny_city(places=places)
        manifest = dataclasses.replace(tiny_manifest(city, POLICY), created=stamp)
        save_run(Workspace(folder), manifest, POLICY, city, walks(city, tuple(POLICY.services)))
    return folder


def ask(served: TestClient, path: str, **query: Any) -> Any:
    answer = served.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


# ---- circles in full ---------------------------------------------------------------------------


def test_the_evening_by_hand() -> None:
    city = tiny_city(places=PLACES)
    moment = night_moment(POLICY, "fitness")
    assert moment is not None
    assert moment.text == "We 20:00"
    states = dict(zip(city.facilities.id, night_states(city, POLICY, moment), strict=True))
    assert (states["f1"], states["f2"], states["f3"]) == (1, 0, -1)
    assert night_moment(POLICY, "convenience") is None
    dark = [dataclasses.replace(p, attributes={"lit": "no"}) for p in PLACES if p.id == "f1"]
    assert night_states(tiny_city(places=dark), POLICY, moment).tolist() == [0]


def test_circles_with_all_variants(root: Path) -> None:
    run = Workspace(root).open("tiny", Workspace(root).runs("tiny")[0])
    document = circles_document(run, Question())["circles"]
    fitness, convenience = document["fitness"], document["convenience"]
    # by day c4 reaches indoor, outdoor and pitch; in the evening only the park is surely open
    assert fitness["total"]["complete"] == 400
    assert fitness["night"]["at"] == "We 20:00"
    assert fitness["night"]["total"]["complete"] == 0
    counts = {row["service"]: row for row in fitness["night"]["facilities"]}
    assert counts["fitness_indoor"] == {
        "service": "fitness_indoor", "facilities": 1, "open": 0, "closed": 1, "unknown": 0,
        "unreadable": [],
    }  # fmt: skip
    assert counts["sports_pitch"]["unknown"] == 1
    # with the pitch open too: c4 reaches two types, the pool never: short of three
    assert fitness["night"]["upper"]["total"]["complete"] == 0
    assert fitness["night"]["upper"]["total"]["score"] > fitness["night"]["total"]["score"]
    assert "school_grounds" in fitness["with_optional"]["not_assessed"]
    # upgraded apart: elder care has one facility that joins no street, parks are not assessed
    assert convenience["upgraded"]["assessed"] == ["elder_care"]
    assert convenience["upgraded"]["not_assessed"] == ["park"]
    assert convenience["upgraded"]["total"]["complete"] == 0
    assert set(convenience["assessed"]) == {"convenience_store", "pharmacy"}


def test_the_score_is_the_mean_share_of_types_reached() -> None:
    city = tiny_city()
    travel = walks(city, tuple(POLICY.services))
    table = circle_table(study_of(city, POLICY, travel=travel), Question(), kind="fitness")
    found = circles(study_of(city, POLICY, travel=travel), Question(), kind="fitness")
    people = city.cells.residents
    assert found.total.score == pytest.approx(
        float((people * table.reached).sum()) / (1910 * int(table.assessed.sum()))
    )
    for row in found.units:
        mine = city.cells.unit["community"] == list(city.units.code).index(row.code)
        expected = np.average(table.reached[mine], weights=people[mine]) / 4
        assert row.score == pytest.approx(float(expected))


def test_completeness_per_cell_in_the_layer(root: Path) -> None:
    run = Workspace(root).open("tiny", Workspace(root).runs("tiny")[0])
    frame = layer_frame(run, "cells").set_index("id")
    assert frame.loc["c4", "circle_fitness"] == "complete"
    assert frame.loc["c4", "circle_fitness_reached"] == 3
    assert frame.loc["c4", "circle_fitness_missing"] == "swimming_pool"
    assert frame.loc["c1", "circle_fitness_missing"].count(";") == 3
    table = circle_table(run.study, Question(), kind="fitness")
    complete = frame["residents"][frame["circle_fitness"] == "complete"].sum()
    assert complete == int(run.city.cells.residents[table.state == 1].sum())


def test_more_types_reach_no_fewer_people(served: TestClient) -> None:
    day = ask(served, "/areas/tiny/circles", kind="fitness")["circles"]["fitness"]
    night, upper = day["night"]["total"], day["night"]["upper"]["total"]
    assert night["complete"] <= upper["complete"] <= day["total"]["complete"]
    assert day["total"]["complete"] <= day["with_optional"]["total"]["complete"]


# ---- a moment of the week ----------------------------------------------------------------------


def test_coverage_at_a_moment_by_hand(served: TestClient, root: Path) -> None:
    run = Workspace(root).runs("tiny")[0]
    plain = ask(served, "/areas/tiny/coverage", service="pharmacy", run=run)
    night = ask(served, "/areas/tiny/coverage", service="pharmacy", run=run, at="周六 19:00")
    # p1 never closes (c1, c2 within 10 minutes), p2 is shut: c5 (250) is without
    assert (plain["total"]["covered"], night["total"]["covered"]) == (550, 300)
    assert night["at"] == "Sa 19:00"
    assert night["facilities"] == {
        "service": "pharmacy", "facilities": 2, "open": 1, "closed": 1, "unknown": 0,
        "unreadable": [],
    }  # fmt: skip
    assert night["upper"]["total"] == night["total"]
    monday = ask(served, "/areas/tiny/coverage", service="pharmacy", run=run, at="Mo 10:00")
    assert monday["total"]["covered"] == 550
    every = ask(served, "/areas/tiny/coverage", run=run, at="Sa 19:00")
    block = next(b for b in every["services"] if b["service"] == "pharmacy")
    assert block["total"] == night["total"]
    centre = ask(served, "/areas/tiny/coverage", service="health_centre", run=run, at="Mo 10:00")
    assert centre["total"]["C"] is None  # catchments are those of all centres
    direct = coverage_document(
        Workspace(root).open("tiny", run), Question(service="pharmacy", at="Sa 19:00")
    )
    assert direct["total"] == night["total"]


def test_unknown_hours_are_a_range(served: TestClient) -> None:
    # the later run's p9 says nothing: not open for sure, open at best
    found = ask(served, "/areas/tiny/coverage", service="pharmacy", at="Sa 19:00", lang="en")
    assert (found["total"]["covered"], found["upper"]["total"]["covered"]) == (300, 650)
    assert found["facilities"]["unknown"] == 1
    assert "1 of 2 facilities are unknown" in found["warnings"][0]["text"]
    gaps = ask(served, "/areas/tiny/gaps", service="pharmacy", at="Sa 19:00")
    assert sum(f["properties"]["residents"] for f in gaps["features"]) == 1910 - 300
    assert gaps["facilities"][0]["open"] == 1
    nearest = {f["properties"]["nearest_facility"] for f in gaps["features"]}
    assert nearest <= {"p1", None}
    circle = ask(served, "/areas/tiny/circles", kind="convenience", at="Sa 19:00")
    block = circle["circles"]["convenience"]
    assert block["total"]["incomplete"] >= block["upper"]["total"]["incomplete"]


@pytest.mark.parametrize("path", ["coverage", "gaps", "circles"])
def test_a_moment_that_cannot_be_read(served: TestClient, path: str) -> None:
    answer = served.get(f"/areas/tiny/{path}?at=teatime&lang=zh")
    assert answer.status_code == 400
    assert answer.json()["key"] == "moment_unreadable"
    assert "周六 19:00" in answer.json()["detail"]


# ---- equity ------------------------------------------------------------------------------------


def test_equity_over_http(served: TestClient) -> None:
    found = ask(served, "/areas/tiny/equity", service="health_centre", group="65", by="subdistrict")
    assert found["total"]["residents"] == 319
    assert [row["code"] for row in found["groups"]] == ["total", "0_3", "65"]
    assert [row["code"] for row in found["units"]] == ["S1", "S2"]
    assert len(found["tenths"]) == 10
    assert found["worst_tenth"]["units"][0]["code"] == "S2"
    every = ask(served, "/areas/tiny/equity")
    assert len(every["services"]) == len(POLICY.services)
    market = next(b for b in every["services"] if b["service"] == "market")
    assert (market["total"]["gini"], market["worst_tenth"]) == (None, None)
    assert served.get("/areas/tiny/equity?group=cats").status_code == 404
    assert served.get("/areas/tiny/equity?at=Sa+19:00").status_code == 400


# ---- two runs ----------------------------------------------------------------------------------


def test_compare_over_http(served: TestClient, root: Path) -> None:
    first, last = Workspace(root).runs("tiny")
    found = ask(served, "/areas/tiny/compare", **{"from": first, "to": last})
    assert found["changed"] is True
    assert (found["from"]["run"], found["to"]["run"]) == (first, last)
    pharmacy = next(b for b in found["services"] if b["service"] == "pharmacy")
    # c7 (350) gains p9; c5 (250) loses p2
    assert (pharmacy["total"]["gained"], pharmacy["total"]["lost"]) == (350, 250)
    assert pharmacy["total"]["covered_to"] - pharmacy["total"]["covered_from"] == 100
    centre = next(b for b in found["services"] if b["service"] == "health_centre")
    assert centre["changed"] is False
    assert ask(served, "/areas/tiny/compare") == found  # by default the last two
    page = served.get("/maps/tiny/compare", params={"lang": "zh"}).text
    labels = re.findall(r'<option value="([^"]+)"[^>]*>([^<]*)<', page.split('name="from"')[1])
    value, label = labels[0]
    made = Workspace(root).manifest("tiny", first).created
    assert value == first
    assert made[:10] in label
    assert first not in label
    same = ask(served, "/areas/tiny/compare", **{"from": last, "to": last})
    assert same["changed"] is False
    assert served.get(f"/areas/tiny/compare?to={first}").status_code == 404  # nothing before it
    assert served.get("/areas/tiny/compare?from=r0").json()["key"] == "unknown_run"


def test_the_map_of_two_runs(served: TestClient, root: Path) -> None:
    store = Workspace(root)
    before, after = (store.open("tiny", name) for name in store.runs("tiny"))
    page = map_page(
        after,
        "compare",
        Question(service="pharmacy"),
        Page(before=before, lang="zh", mode="inline"),
    )
    block = re.search(r'id="data_cell_dots_main">(.*?)</script>', page)
    assert block is not None
    cells = json.loads(block.group(1))
    assert [after.city.cells.id[i] for i, c in enumerate(cells["c"]) if c == 0] == ["c7"]
    assert [after.city.cells.id[i] for i, c in enumerate(cells["c"]) if c == 1] == ["c5"]
    linked = served.get("/maps/tiny/compare?service=pharmacy&lang=en")
    assert linked.status_code == 200
    assert "two runs compared" in linked.text
    assert f'value="{before.manifest.run}" selected' in linked.text
    assert served.get("/maps/tiny/circles?kind=fitness&variant=night&lang=en").status_code == 200
    assert "compare?" in served.get("/maps/tiny/coverage").text
    assert compare(before.study, after.study, Question(service="pharmacy")).total.gained == 350


def test_classes_of_change() -> None:
    known = [change_class(c) for c in (-0.5, -0.1, -0.01, -1e-15, 0.0, 1e-15, 0.01, 0.1, 0.5)]
    assert known == [0, 1, 2, 2, 3, 4, 4, 5, 6]
    assert change_class(None) == len(CHANGE_COLOURS)
    assert [points(c) for c in (None, 0.0, 1e-9, -1e-9, 0.0123)] == [
        None, "0", "+0.01", "-0.01", "+1.23",
    ]  # fmt: skip


def test_the_circles_map_tells_the_figures_of_the_table(root: Path) -> None:
    run = Workspace(root).open("tiny")
    page = map_page(run, "circles", Question(), Page(kind="fitness", lang="en", mode="inline"))
    block = re.search(r'id="data_cell_dots_main">(.*?)</script>', page)
    assert block is not None
    cells = json.loads(block.group(1))
    table = circle_table(run.study, Question(), kind="fitness")
    for i, (which, state) in enumerate(zip(cells["t"], table.state, strict=True)):
        reached, told, _missing = cells["texts"][which]
        assert reached == f"{table.reached[i]} of 4"
        assert told == {1: "complete", 0: "incomplete", -1: "Not assessed"}[int(state)]


# ---- commands ----------------------------------------------------------------------------------


def lifecircle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path, *words: object
) -> str:
    """What the command prints, in this process."""
    monkeypatch.setenv("LIFECIRCLE_WORKSPACE", str(root))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("sys.argv", ["lifecircle", *map(str, words)])
    code = main()
    told = capsys.readouterr()
    assert code == 0, told.err
    return told.out


def test_commands_give_the_answers_of_http(
    served: TestClient,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, last = Workspace(root).runs("tiny")
    pairs = [
        (("equity", "tiny", "--service", "pharmacy", "--json"), "equity?service=pharmacy"),
        (("circles", "tiny", "--kind", "fitness", "--json"), "circles?kind=fitness"),
        (("compare", "tiny", first, last, "--json"), f"compare?from={first}&to={last}"),
        (("coverage", "tiny", "--at", "Sa 19:00", "--json"), "coverage?at=Sa+19:00"),
    ]
    for words, path in pairs:
        told = lifecircle(monkeypatch, capsys, root, *words, "--lang", "en")
        joined = "&" if "?" in path else "?"
        assert json.loads(told) == served.get(f"/areas/tiny/{path}{joined}lang=en").json()
    tables = {
        "equity": ("equity", "tiny", "--service", "pharmacy"),
        "compare": ("compare", "tiny", first, last, "--service", "pharmacy"),
    }
    for name, words in tables.items():
        asked = served.get(f"/areas/tiny/{name}?service=pharmacy").json()
        units = asked["units"] if name == "equity" else asked["services"][0]["units"]
        key = "gini" if name == "equity" else "P_change"
        lifecircle(monkeypatch, capsys, root, *words, "--out", tmp_path / f"{name}.csv")
        with (tmp_path / f"{name}.csv").open(encoding="utf-8-sig") as handle:
            rows = {row["code"]: row[key] for row in csv.DictReader(handle)}
        for row in units:
            assert (float(rows[row["code"]]) if rows[row["code"]] else None) == row[key]
        lifecircle(monkeypatch, capsys, root, *words, "--out", tmp_path / f"{name}.xlsx")
    out, book = tmp_path / "r.html", tmp_path / "r.xlsx"
    lifecircle(
        monkeypatch, capsys, root, "report", "tiny", "--out", out, "--xlsx", book, "--lang", "both"
    )
    assert out.read_text(encoding="utf-8").count("<article") == 2
    assert book.read_bytes()[:2] == b"PK"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_commands_for_people(
    root: Path,
    lang: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, last = Workspace(root).runs("tiny")
    told = {
        ("circles", "tiny"): {"zh": "健身圈", "en": "Fitness circle"},
        ("equity", "tiny", "--service", "pharmacy"): {"zh": "基尼系数", "en": "Gini"},
        ("compare", "tiny", first, last, "--service", "pharmacy"): {"zh": "新增", "en": "gained"},
        ("compare", "tiny", last, last): {"zh": "没有变化", "en": "no change"},
        ("coverage", "tiny", "--service", "pharmacy", "--at", "周六 19:00"): {
            "zh": "开放时间未知",
            "en": "unknown",
        },
    }
    for words, expected in told.items():
        said = lifecircle(monkeypatch, capsys, root, *words, "--lang", lang)
        assert expected[lang] in said


def test_every_map_page_has_a_search(served: TestClient) -> None:
    for layer in ("coverage", "gaps", "circles", "compare", "units", "facilities", "quality"):
        page = served.get(f"/maps/tiny/{layer}", params={"lang": "en"}).text
        assert blocks(page)["data_panel"]["search"]["url"] == "/areas/tiny", layer  # type: ignore[index]
    alone = map_page(drawn_run(), "coverage", Question(), Page(mode="inline"))
    assert "search" not in blocks(alone)["data_panel"]  # type: ignore[operator]
