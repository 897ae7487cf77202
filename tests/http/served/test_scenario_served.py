"""Edits over HTTP and by command: the same figures, refusals that name the edit, nothing kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.service.app import create_app
from lifecircle.service.cli import main
from lifecircle.service.settings import Settings
from tests.http.served.test_siting_served import digests
from tests.worlds.tiny import CRS, ORIGIN

SERVICE = "health_centre"


def place(x: float, y: float) -> list[float]:
    """Degrees of a place of the tiny city."""
    return to_lonlat(np.array([[x + ORIGIN[0], y + ORIGIN[1]]]), CRS)[0].tolist()


def box(x0: float, y0: float, x1: float, y1: float) -> dict[str, Any]:
    ring = [place(x0, y0), place(x1, y0), place(x1, y1), place(x0, y1), place(x0, y0)]
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.fixture(scope="module")
def served(root: Path) -> TestClient:
    app = create_app(Settings(workspace=root))
    return TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000))


def told(served: TestClient, edits: object, **more: object) -> dict[str, Any]:
    answer = served.post("/areas/tiny/scenario", json={"edits": edits, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def of(document: dict[str, Any], service: str) -> dict[str, Any]:
    (block,) = [one for one in document["services"] if one["service"] == service]
    return block


def test_the_state_before_any_edit_can_be_prepared(served: TestClient) -> None:
    cold = told(served, [{"op": "remove_facility", "id": "h1"}])
    told_ready = served.get("/areas/tiny/scenario", params={"by": "community"})
    assert told_ready.json() == {
        "area": "tiny", "base": cold["base"], "walker": "adult", "by": "community", "ready": True,
    }  # fmt: skip
    assert told(served, [{"op": "remove_facility", "id": "h1"}]) == cold
    unknown = served.get("/areas/tiny/scenario", params={"walker": "bird"})
    assert (unknown.status_code, unknown.json()["key"]) == (404, "unknown_walker")


def test_a_centre_opens_and_one_closes(served: TestClient, root: Path) -> None:
    before = digests(root)
    lon, lat = place(3000, 0)
    edits = [
        {"op": "add_facility", "service": "社区卫生服务中心", "lon": lon, "lat": lat},
        {"op": "remove_facility", "id": "h1"},
    ]
    found = told(served, edits, changed_cells=True, parts=["services"])
    block = of(found, SERVICE)
    assert (block["gained"], block["lost"]) == (650, 600)
    assert (block["covered_before"], block["covered_after"]) == (600, 650)
    assert [one["service"] for one in found["services"]] == [SERVICE]
    what = served.post(
        "/areas/tiny/what-if",
        json={"add": [{"service": SERVICE, "lon": lon, "lat": lat}], "remove": ["h1"]},
    ).json()["services"][0]
    assert (what["gained"], what["lost"]) == (650, 600)
    assert (found["winners"]["residents"], found["losers"]["residents"]) == (650, 600)
    cells = found["changed_cells"]["features"]
    assert sum(c["properties"]["residents"] for c in cells if c["properties"]["gained"]) == 650
    assert found["edits"][0]["service"] == SERVICE
    assert digests(root) == before


def test_people_move_in_and_out(served: TestClient) -> None:
    estate = {"op": "add_residents", "geometry": box(450, 40, 550, 60), "residents": 3000,
              "groups": {"pop_65": 300}, "id": "estate"}  # fmt: skip
    leave = {"op": "remove_residents", "geometry": box(100, 0, 300, 100)}
    found = told(served, [estate, leave])
    assert found["residents"] == {"before": 1910, "after": 1910 + 3000 - 100}
    block = of(found, SERVICE)
    assert (block["gained"], block["lost"]) == (0, 0)
    assert (block["covered_before"], block["covered_after"]) == (600, 600 + 3000 - 100)
    assert block["groups"]["65"]["covered_after"] == 90 + 300 - 20
    (first,) = [row for row in block["units"] if row["code"] == "C1"]
    assert (first["residents_before"], first["residents_after"]) == (300, 3200)


def test_a_bridge_leads_off_the_island(served: TestClient) -> None:
    bridge = {"op": "add_way", "kind": "footbridge", "coordinates": [place(1000, 0),
              place(1000, 3000)]}  # fmt: skip
    found = told(served, {"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": "LineString",
         "coordinates": bridge["coordinates"]}, "properties": {"op": "add_way",
         "kind": "footbridge", "fid": None}}]}, minutes=120)  # fmt: skip
    block = of(found, SERVICE)
    assert block["gained"] == 100  # c9 and c10 walk 500 + 3,000 + 2,300 m
    assert found["warnings"] == []
    closed = told(served, [bridge, {"op": "close_way", "lon": place(1000, 1500)[0],
                                    "lat": place(1000, 1500)[1]}], minutes=120)  # fmt: skip
    # the bridge is cut in the middle: nobody comes over
    assert of(closed, SERVICE)["gained"] == 0


@pytest.mark.parametrize("broken", [{"name": "a\ud800"}, {"attributes": {"\udc00": 1}}])
def test_half_a_character_is_refused_by_its_field(
    served: TestClient, broken: dict[str, Any]
) -> None:
    edit = {"op": "add_facility", "service": SERVICE, "lon": 102.01, "lat": 25.03, **broken}
    answer = served.post("/areas/tiny/scenario", content=json.dumps({"edits": [edit]}),
                         headers={"content-type": "application/json"})  # fmt: skip
    assert answer.status_code == 400
    assert answer.json()["key"] == "text_half_character"


@pytest.mark.parametrize(
    ("edits", "key", "number"),
    [
        ([], "edit_none", None),
        ("x", "edit_no_list", None),
        (5, "edit_no_list", None),
        ([{"op": "remove_facility", "id": "p1"}] * 10_000, "edit_too_many", None),
        ([{"op": "remove_facility", "id": "p1"}, {"op": "remove_facility", "id": "p1"}],
         "edit_id_gone", 2),
        ([{"op": "remove_facility", "id": "h11"}], "edit_id_unknown", 1),
        ([{"op": "move_facility", "id": "h1"}], "edit_unknown_op", 1),
        ([{"op": "add_facility", "service": "palace", "lon": 102.01, "lat": 25.03}],
         "unknown_service", 1),
        ([{"op": "add_facility", "service": SERVICE, "lon": 25.03, "lat": 102.01}],
         "edit_off_globe", 1),
        ([{"op": "add_facility", "service": SERVICE, "lon": 2.0, "lat": 25.03}],
         "edit_outside", 1),
        ([{"op": "change_facility", "id": "h1", "attributes": {"bedz": 3}}],
         "edit_unknown_attribute", 1),
        ([{"op": "change_facility", "id": "h1", "attributes": {"beds": -3}}],
         "edit_attribute_number", 1),
        ([{"op": "add_residents", "geometry": box(0, 0, 9, 9), "residents": 10**12}],
         "edit_field_whole", 1),
        ([{"op": "add_residents", "geometry": box(0, 0, 9, 9), "residents": 5,
           "groups": {"65": 6}}], "edit_group_large", 1),
        ([{"op": "add_residents", "residents": 5, "geometry": {"type": "Polygon",
           "coordinates": [[place(0, 0), place(9, 9), place(9, 0), place(0, 9), place(0, 0)]]}}],
         "edit_shape_crosses", 1),
        ([{"op": "add_way", "kind": "path", "coordinates": [place(0, 0)] * 10_000}],
         "edit_vertices", 1),
        ([{"op": "add_way", "kind": "path", "coordinates": [place(0, 0)] * 3}],
         "edit_line_short", 1),
        ([{"op": "add_way", "kind": "tunnel", "coordinates": [place(0, 0), place(9, 0)]}],
         "edit_unknown_kind", 1),
    ],
)  # fmt: skip
def test_hostile_edits_are_refused_with_their_number(
    served: TestClient, edits: object, key: str, number: int | None
) -> None:
    for lang in ("zh", "en"):
        answer = served.post(f"/areas/tiny/scenario?lang={lang}", json={"edits": edits})
        said = answer.json()
        assert answer.status_code == 400, said
        (fault,) = said["faults"]
        assert (fault["key"], fault["row"]) == (key, number)
        assert "{" not in fault["text"].replace('{"', "")


def test_numbers_that_are_none(served: TestClient) -> None:
    body = '{"edits": [{"op": "add_facility", "service": "health_centre", "lon": NaN, "lat": 25}]}'
    head = {"content-type": "application/json"}
    answer = served.post("/areas/tiny/scenario", content=body, headers=head)
    assert answer.status_code == 400


def test_every_fault_is_told_at_once(served: TestClient) -> None:
    bad = [{"op": "remove_facility", "id": "x"}, {"op": "remove_facility", "id": "h1"}, 7]
    said = served.post("/areas/tiny/scenario", json={"edits": bad}).json()
    assert [fault["row"] for fault in said["faults"]] == [1, 3]


def run_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["lifecircle", *map(str, words)])
    code = main()
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_command_gives_the_same_figures(
    served: TestClient,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": place(3000, 0)},
               "properties": {"op": "add_facility", "service": SERVICE, "beds": 20}}  # fmt: skip
    file = tmp_path / "edits.geojson"
    document = {"type": "FeatureCollection", "features": [feature]}
    file.write_text(json.dumps(document), encoding="utf-8")
    asked = ["scenario", "tiny", file, "--workspace", root, "--lang", "zh"]
    code, out, _ = run_command(monkeypatch, capsys, *asked, "--json")
    assert code == 0
    printed = json.loads(out)
    answer = served.post("/areas/tiny/scenario?lang=zh", json={"edits": document})
    assert printed == answer.json()
    for name in ("a.xlsx", "a.json", "a.geojson", "a.csv"):
        assert run_command(monkeypatch, capsys, *asked, "--out", tmp_path / name)[0] == 0
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["services"] == printed["services"]
    cells = json.loads((tmp_path / "a.geojson").read_text("utf-8"))["features"]
    assert sum(one["properties"]["residents"] for one in cells) == 650
    code, out, _ = run_command(monkeypatch, capsys, *asked)
    assert code == 0 and "650" in out
    feature["properties"]["id"] = "h1"
    file.write_text(json.dumps(document), encoding="utf-8")
    code, _, err = run_command(monkeypatch, capsys, *asked)
    assert code == 2 and "edits.geojson" in err


def test_edits_that_are_no_list_are_told_by_their_name(served: TestClient) -> None:
    answer = served.post("/areas/tiny/scenario", params={"lang": "zh"}, json={"edits": "x"})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("edits：这里没有编辑列表")
