"""Kept scenarios over HTTP and by command: roles, versions, compared, exported, rebased, pruned."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.results.folders import AreaFolders
from lifecircle.service.app import create_app
from lifecircle.service.catalog.scenarios.kept import kept_document
from lifecircle.service.cli import main
from lifecircle.service.database.audit import Writer, now_utc
from lifecircle.service.database.engine import open_database
from lifecircle.service.database.kept import SCENARIOS, Kept
from lifecircle.service.database.keys import add_key
from lifecircle.service.jobs.records import Bounds, Order, add_job, dismiss_job
from lifecircle.service.settings import Settings
from tests.http.served.test_scenario_served import box, place
from tests.worlds.tiny import tiny_run, without

HERE = ("127.0.0.1", 50_000)
AWAY = ("10.0.0.9", 1)
SERVICE = "health_centre"
ADD = {"op": "add_facility", "service": SERVICE, "lon": place(3000, 0)[0],
       "lat": place(3000, 0)[1], "name": "=1+1<script>", "attributes": {"beds": 20}}  # fmt: skip
CLOSE = {"op": "remove_facility", "id": "h1"}
ESTATE = {"op": "add_residents", "geometry": box(450, 40, 550, 60), "residents": 3000,
          "groups": {"pop_65": 300}}  # fmt: skip
BRIDGE = {"op": "add_way", "kind": "footbridge", "coordinates": [place(1000, 0), place(1000, 3000)]}
CUT = {"op": "close_way", "geometry": {"type": "Point", "coordinates": place(2000, 0)}}


def asked(root: Path, address: tuple[str, int] = HERE, **settings: Any) -> TestClient:
    app = create_app(Settings(workspace=root, **settings))
    return TestClient(app, base_url="http://127.0.0.1", client=address)


def keep(served: TestClient, edits: Any, title: str = "方案", **more: Any) -> dict[str, Any]:
    answer = served.post("/areas/tiny/scenarios", json={"title": title, "edits": edits, **more})
    assert answer.status_code == 201, answer.text
    kept: dict[str, Any] = answer.json()
    assert answer.headers["location"].endswith(f"/areas/tiny/scenarios/{kept['id']}")
    assert answer.headers["cache-control"] == "no-store"
    return kept


def test_kept_figures_are_those_of_the_scenario(root: Path) -> None:
    served = asked(root)
    assert served.get("/areas/tiny/scenarios").json() == {"area": "tiny", "scenarios": []}
    assert served.get("/areas/tiny/scenarios/x").json()["key"] == "no_scenario"
    assert not (root / ".service").exists()  # reading makes nothing
    kept = keep(served, [ADD, CLOSE], "<b>方案</b>", author="王工", note="第一版\n待议")
    plain = served.post("/areas/tiny/scenario", json={"edits": [ADD, CLOSE]}).json()
    figures = {**kept["results"]}
    assert (kept["version"], kept["winners"], kept["losers"]) == (1, 650, 600)
    assert kept["base"]["current"] is True
    skip = ("edits", "stored", "changed_cells")
    assert {k: v for k, v in figures.items() if k not in skip} == {
        k: v for k, v in plain.items() if k not in skip
    }
    (row,) = served.get("/areas/tiny/scenarios").json()["scenarios"]
    assert (row["id"], row["title"], row["author"], row["note"], row["edits_in_all"]) == (
        kept["id"], "<b>方案</b>", "王工", "第一版\n待议", 2,
    )  # fmt: skip
    assert "results" not in row
    again = served.get(f"/areas/tiny/scenarios/{kept['id']}?lang=en").json()
    assert again["edits"] == kept["edits"] and len(again["history"]) == 1


def test_every_kind_of_edit_comes_back_from_geojson(root: Path) -> None:
    served = asked(root)
    change = {"op": "change_facility", "id": "h1", "attributes": {"beds": None}}
    leave = {"op": "remove_residents", "geometry": box(100, 0, 300, 100)}
    kept = keep(served, [ADD, change, BRIDGE, CUT, ESTATE, leave, CLOSE])
    answer = served.get(f"/areas/tiny/scenarios/{kept['id']}?f=geojson")
    assert answer.headers["content-type"].startswith("application/geo+json")
    second = keep(served, answer.json())
    assert second["edits"] == kept["edits"]
    assert second["results"] == kept["results"]


def test_a_change_names_the_version_it_was_made_from(root: Path) -> None:
    served = asked(root)
    kept = keep(served, [ADD])
    address = f"/areas/tiny/scenarios/{kept['id']}"
    renamed = served.put(address, json={"version": 1, "title": "二"}).json()
    assert (renamed["version"], renamed["title"]) == (2, "二")
    assert renamed["results"] == kept["results"]
    late = served.put(address, json={"version": 1, "note": "late"})
    assert (late.status_code, late.json()["key"]) == (409, "changed_since")
    drawn = served.put(address, json={"version": 2, "edits": [CLOSE], "minutes": 30}).json()
    plain = served.post("/areas/tiny/scenario", json={"edits": [CLOSE], "minutes": 30}).json()
    assert drawn["results"]["services"] == plain["services"]
    assert (drawn["minutes"], drawn["title"]) == (30, "二")
    actions = [one["action"] for one in drawn["history"]]
    assert actions == ["scenario.add", "scenario.change", "scenario.change"]
    assert drawn["history"][2]["before"]["edits"] == kept["edits"]
    assert served.delete(f"{address}?version=2").status_code == 409
    assert served.delete(address).status_code == 204
    assert served.get(address).status_code == 404
    assert served.delete(address).status_code == 404


def test_who_may_write(root: Path) -> None:
    engine = open_database(root)
    keys = {role: add_key(engine, role, role, None, "test")[1]
            for role in ("viewer", "reviewer", "planner", "admin")}  # fmt: skip
    engine.dispose()
    away, body = asked(root, AWAY, public_read=True), {"title": "a", "edits": [CLOSE]}
    path = "/areas/tiny/scenarios"
    refused = away.post(path, json=body)
    assert (refused.status_code, refused.json()["key"]) == (401, "key_missing")
    for role in ("viewer", "reviewer"):
        refused = away.post(path, json=body, headers={"x-api-key": keys[role]})
        assert (refused.status_code, refused.json()["key"]) == (403, "role_needed")
    assert away.get(path).json()["scenarios"] == []
    made = away.post(path, json=body, headers={"x-api-key": keys["planner"]})
    assert (made.status_code, made.json()["author"]) == (201, "planner")
    own = {**body, "author": "someone else"}
    told = away.post(path, json=own, headers={"x-api-key": keys["admin"]}).json()
    assert (told["author"], told["history"][0]["actor"]) == ("someone else", "admin")
    assert len(away.get(path).json()["scenarios"]) == 2
    one = f"{path}/{told['id']}"
    for answer in (away.put(one, json={"version": 1, "title": "x"}), away.delete(one),
                   away.post(f"{one}/rebase", json={"version": 1})):  # fmt: skip
        assert answer.status_code == 401
    near = asked(root)
    for head in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"},
                 {"x-forwarded-for": "1.2.3.4"}):  # fmt: skip
        assert near.post(path, json=body, headers=head).status_code == 401
    assert near.post(path, json=body).json()["history"][0]["actor"] == "local"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"title": "", "edits": [CLOSE]}, {"title": "  ", "edits": [CLOSE]},
        {"title": "a\x00", "edits": [CLOSE]}, {"title": "a\nb", "edits": [CLOSE]},
        {"title": "a" * 201, "edits": [CLOSE]}, {"title": "a", "edits": []},
        {"title": "a", "edits": [{"op": "remove_facility", "id": "nobody"}]},
        {"title": "a", "edits": [CLOSE], "note": "x" * 4_001},
        {"title": "a", "edits": [CLOSE], "note": "\x00"},
        {"title": "a", "edits": [CLOSE], "results": {}},
    ],
)  # fmt: skip
def test_what_cannot_be_kept(root: Path, body: dict[str, Any]) -> None:
    served = asked(root)
    answer = served.post("/areas/tiny/scenarios", json=body)
    assert answer.status_code == 400, answer.text
    assert served.get("/areas/tiny/scenarios").json()["scenarios"] == []


def test_scenarios_side_by_side(root: Path) -> None:
    served = asked(root)
    first, second = keep(served, [ADD], "一"), keep(served, [ESTATE], "二")
    third = keep(served, [CLOSE], "三", minutes=30)
    path = "/areas/tiny/scenarios/compare?ids="
    found = served.get(f"{path}{first['id']},{second['id']}").json()
    assert found["same_base"] is True
    assert [one["title"] for one in found["scenarios"]] == ["一", "二"]
    rows = {(row["indicator"], row["of"]): row["values"] for row in found["rows"]}
    assert [(v["before"], v["after"]) for v in rows["residents", None]] == [
        (1910, 1910), (1910, 4910),
    ]  # fmt: skip
    covered = rows["P", SERVICE]
    assert covered[0]["before"] == covered[1]["before"] == 600 / 1910
    assert (covered[0]["after"], covered[1]["after"]) == (1250 / 1910, 3600 / 4910)
    assert [v["after"] for v in rows["gained", SERVICE]] == [650, 0]
    # the first leaves fitness as it is, of which the second tells
    other = next(key for key in rows if key[0] == "P" and key[1] != SERVICE)
    assert rows[other][0]["after"] == rows[other][0]["before"] == rows[other][1]["before"]
    mixed = served.get(f"{path}{first['id']},{third['id']}").json()
    assert mixed["same_base"] is False
    book = openpyxl.load_workbook(
        io.BytesIO(served.get(f"{path}{first['id']},{second['id']}&f=xlsx&lang=en").content)
    )
    table = list(book.worksheets[0].iter_rows(values_only=True))
    assert len(table) == 1 + len(found["rows"]) and "1 一: before" in table[0]
    book.close()
    for ids in ("", ",", "nobody"):
        assert served.get(path + ids).status_code in (400, 404)
    assert served.get(path + ",".join(map(str, range(11)))).json()["key"] == "compare_how_many"


def test_a_workbook_of_one(root: Path) -> None:
    served = asked(root)
    kept = keep(served, [ADD], 'a"b/c')
    answer = served.get(f"/areas/tiny/scenarios/{kept['id']}?f=xlsx")
    assert answer.status_code == 200
    assert 'filename="a_b_c.xlsx"' in answer.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert any(650 in row for row in book.worksheets[0].iter_rows(values_only=True))
    book.close()


def no_centre(city: City) -> City:
    return without(city, SERVICE)


def test_rebased_on_a_newer_run(root: Path) -> None:
    served = asked(root)
    kept = keep(served, [ADD, CLOSE, {"op": "change_facility", "id": "edit-1",
                                     "attributes": {"beds": 3}}])  # fmt: skip
    address = f"/areas/tiny/scenarios/{kept['id']}"
    newer = tiny_run(root, change=no_centre).manifest.run
    assert newer != kept["base"]["run"]
    told = served.get(address).json()
    assert told["base"] == {"run": kept["base"]["run"], "current": False}
    stopped = served.post(f"{address}/rebase", json={"version": 1}).json()
    assert (stopped["rebased"], stopped["run"]) == (False, newer)
    assert [(one["edit"], one["op"], one["key"]) for one in stopped["misfits"]] == [
        (2, "remove_facility", "edit_id_unknown")
    ]
    assert stopped["scenario"]["version"] == 1
    done = served.post(f"{address}/rebase", json={"version": 1, "leave_out": True}).json()
    assert done["rebased"] is True and len(done["misfits"]) == 1
    scenario = done["scenario"]
    assert scenario["base"] == {"run": newer, "current": True}
    assert [one["op"] for one in scenario["edits"]] == ["add_facility", "change_facility"]
    plain = served.post("/areas/tiny/scenario", json={"edits": scenario["edits"]}).json()
    assert scenario["results"]["services"] == plain["services"]
    last = scenario["history"][-1]
    assert last["action"] == "scenario.rebase"
    assert (len(last["before"]["edits"]), len(last["after"]["edits"])) == (3, 2)
    late = served.post(f"{address}/rebase", json={"version": 1})
    assert late.status_code == 409


def command(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["lifecircle", *map(str, words)])
    return main()


def test_the_command_keeps_and_prune_leaves_the_base(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "edits.json"
    file.write_text(json.dumps([ADD]), encoding="utf-8")
    asked_for = ["scenario", "tiny", file, "--workspace", root, "--lang", "en"]
    assert command(monkeypatch, *asked_for, "--keep") == 2
    assert "--title" in capsys.readouterr().err
    assert command(monkeypatch, *asked_for, "--keep", "--title", "一", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    served = asked(root)
    kept = served.get(f"/areas/tiny/scenarios/{printed['scenario']}").json()
    assert kept["results"]["services"] == printed["services"]
    assert kept["history"][0]["actor"].startswith("command:")
    base = kept["base"]["run"]
    tiny_run(root, change=no_centre, created="2025-02-01T00:00:00+00:00")
    tiny_run(root, created="2025-03-01T00:00:00+00:00")
    folders = AreaFolders(root)
    assert base == min(folders.runs("tiny")) != folders.current("tiny")
    prune = ["prune", "tiny", "--keep", "1", "--workspace", root]
    assert command(monkeypatch, *prune) == 0
    assert base in folders.runs("tiny")
    engine = open_database(root)
    order = Order("siting", "tiny", "en", {"area": "tiny", "run": base}, "raw", "a" * 64)
    job, _ = add_job(engine, order, Writer("test"), Bounds(9, 9), lambda _: True)
    SCENARIOS.put_away(engine, "tiny", kept["id"], None, Writer("test"))
    assert command(monkeypatch, *prune) == 0
    assert base in folders.runs("tiny")  # a job that waits is about it
    dismiss_job(engine, job.id, Writer("test"))
    engine.dispose()
    assert command(monkeypatch, *prune) == 0
    assert base not in folders.runs("tiny")


def test_remarks_are_said_in_the_language_of_the_reader() -> None:
    old = {"key": "a_text_of_old", "params": {}, "text": "as it was"}
    here = {"key": "nobody_counted", "params": {}, "text": "?"}
    results = {"winners": {"residents": 1}, "losers": {"residents": 0}, "services": [],
               "warnings": [old, here]}  # fmt: skip
    held = {"title": "a", "author": "b", "note": "", "run": "r1", "edits": [], "asked": {},
            "results": results}  # fmt: skip
    kept = Kept("1", "tiny", 1, now_utc(), now_utc(), held)
    for lang in ("zh", "en"):
        told = kept_document(kept, "r2", lang, ())["results"]["warnings"]
        assert told[0] == old
        assert told[1]["text"] == Warn("nobody_counted").text(lang)
