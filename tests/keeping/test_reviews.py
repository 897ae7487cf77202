"""Marks of reviews: matched by place after a rebuild, two reviewers at once, roles, Excel."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.policy.sections.matching import matching
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog.reviews import match
from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key
from lifecircle.service.state import AreaState
from tests.http.served.test_scenario_served import place
from tests.keeping.test_scenarios_kept import AWAY, asked
from tests.worlds.tiny import tiny_run, without

SERVICE = "health_centre"
PATH = "/areas/tiny/reviews"


def mark(served: TestClient, kind: str, identity: str, **more: Any) -> dict[str, Any]:
    body = {"target": {"kind": kind, "id": identity}, "verdict": "confirmed", **more}
    answer = served.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def gap_of(served: TestClient) -> dict[str, Any]:
    items = served.get("/collections/tiny.gaps/items").json()["features"]
    return next(one for one in items if one["properties"]["service"] == SERVICE)


def test_marks_on_everything_are_kept_through_a_rebuild(root: Path) -> None:
    served = asked(root)
    assert served.get(PATH).json()["reviews"] == []
    assert not (root / ".service").exists()
    gap = gap_of(served)
    marks = [
        mark(served, "gap", gap["id"], verdict="not_a_gap", note="有班车", author="王工"),
        mark(served, "facility", "h1", verdict="wrong_data"),
        mark(served, "unit", "C1"),
    ]
    lon, lat = place(500, -20)
    assert marks[1]["target"]["lon"] == pytest.approx(lon, abs=1e-6)
    assert marks[1]["target"]["lat"] == pytest.approx(lat, abs=1e-6)
    assert marks[1]["target"]["service"] == SERVICE
    assert [one["matched"] for one in marks] == ["same"] * 3
    tiny_run(root, change=lambda city: without(city, SERVICE))
    found = served.get(PATH).json()
    assert [one["id"] for one in found["reviews"]] == [one["id"] for one in marks]
    told = {one["target"]["kind"]: one["matched"] for one in found["reviews"]}
    assert (told["facility"], told["unit"]) == ("gone", "same")
    gone = served.get(f"{PATH}?matched=gone").json()["reviews"]
    assert marks[1]["id"] in [one["id"] for one in gone]
    old = served.get(PATH, params={"run": marks[0]["target"]["run"]}).json()
    assert [one["matched"] for one in old["reviews"]] == ["same"] * 3


def test_a_place_with_another_id_is_known_by_place_and_name(town: Path) -> None:
    state = AreaState(Workspace(town).open("tiny"))
    h1 = int(np.flatnonzero(state.layer("facilities").frame["id"] == "h1")[0])
    name = state.layer("facilities").frame["name"][h1]
    assert isinstance(name, str)

    def found(metres: float, target: str, called: str | None, service: str = SERVICE) -> Any:
        lon, lat = place(500 + metres, -20)
        held = {"kind": "facility", "target": target, "service": service, "name": called}
        state_of, now = match(state, {**held, "lon": lon, "lat": lat})
        if now is not None:
            assert now["id"] == "h1"
            assert now["metres"] == pytest.approx(metres, abs=0.2)
        return state_of

    for metres, own, other in (
        (0, "same", "same"), (49, "same", "same"), (51, "moved", "moved"),
        (999, "moved", "moved"), (1_001, "moved", "gone"),
    ):  # fmt: skip
        assert found(metres, "h1", name) == own
        assert found(metres, "new", name) == other
        assert found(metres, "new", "别处") == "gone"  # of another name it is another place
        assert found(metres, "h1", name, "market_other") == "gone"
    assert [found(one, "new", None) for one in (49, 51)] == ["same", "gone"]


def test_two_reviewers_at_once(root: Path) -> None:
    served = asked(root)
    first, second = mark(served, "facility", "h1", author="甲"), mark(
        served, "facility", "h1", author="乙", verdict="built"
    )  # fmt: skip
    assert [one["author"] for one in served.get(PATH).json()["reviews"]] == ["甲", "乙"]
    address = f"{PATH}/{first['id']}"
    done = served.put(address, json={"version": 1, "verdict": "planned", "author": "丙"}).json()
    assert (done["version"], done["verdict"], done["author"]) == (2, "planned", "丙")
    late = served.put(address, json={"version": 1, "verdict": "built"})
    assert (late.status_code, late.json()["key"]) == (409, "changed_since")
    one = served.get(address).json()
    assert [step["after"]["verdict"] for step in one["history"]] == ["confirmed", "planned"]
    assert served.delete(f"{address}?version=1").status_code == 409
    assert served.delete(address).status_code == 204
    assert [one["id"] for one in served.get(PATH).json()["reviews"]] == [second["id"]]


def test_who_may_mark(root: Path) -> None:
    engine = open_database(root)
    keys = {role: add_key(engine, role, role, None, "test")[1] for role in ("viewer", "reviewer")}
    engine.dispose()
    away = asked(root, AWAY, public_read=True)
    body = {"target": {"kind": "unit", "id": "C1"}, "verdict": "confirmed"}
    assert away.post(PATH, json=body).status_code == 401
    assert away.post(PATH, json=body, headers={"x-api-key": keys["viewer"]}).status_code == 403
    made = away.post(PATH, json=body, headers={"x-api-key": keys["reviewer"]})
    assert (made.status_code, made.json()["author"]) == (201, "reviewer")
    one = f"{PATH}/{made.json()['id']}"
    assert away.put(one, json={"version": 1, "verdict": "built"}).status_code == 401
    assert away.delete(one).status_code == 401
    assert len(away.get(PATH).json()["reviews"]) == 1
    for role, may in ((None, False), ("viewer", False), ("reviewer", True)):
        told = {} if role is None else {"x-api-key": keys[role]}
        assert away.get(PATH, headers=told).json()["may_mark"] is may
    assert asked(root).get(PATH).json()["may_mark"] is True


def test_what_cannot_be_marked(root: Path) -> None:
    served = asked(root)
    lon, lat = place(3000, 0)
    at = {"kind": "gap", "id": "other", "lon": lon, "lat": lat, "service": SERVICE}
    for body, key in (
        ({"target": {"kind": "gap", "id": "x"}, "verdict": "confirmed"}, "review_no_target"),
        ({"target": {**at, "kind": "facility"}, "verdict": "built"}, "review_no_target"),
        ({"target": {**at, "service": "palace"}, "verdict": "built"}, "review_no_target"),
        ({"target": {**at, "lon": 2.0}, "verdict": "built"}, "review_outside"),
        ({"target": {"kind": "unit", "id": "C1"}, "verdict": "not_a_gap"}, "review_because"),
        ({"target": {"kind": "unit", "id": "C1"}, "verdict": "fine"}, "bad_parameters"),
        ({"target": {"kind": "cell", "id": "c1"}, "verdict": "built"}, "bad_parameters"),
        ({"target": {"kind": "unit", "id": "C1\x00"}, "verdict": "built"}, "bad_parameters"),
    ):
        for lang in ("zh", "en"):
            answer = served.post(f"{PATH}?lang={lang}", json=body)
            assert (answer.json()["key"], answer.status_code) == (
                key, 404 if key == "review_no_target" else 400,
            )  # fmt: skip
            assert "{" not in answer.json()["detail"]
    assert served.get(PATH).json()["reviews"] == []
    free = served.post(PATH, json={"target": at, "verdict": "planned"}).json()
    assert free["target"]["service"] == SERVICE  # a gap at other minutes than the layer's


def test_files_of_marks(root: Path) -> None:
    served = asked(root)
    mark(served, "facility", "h1", note="=HYPERLINK(1)", verdict="built")
    mark(served, "unit", "C1", note="<script>")
    answer = served.get(f"{PATH}?f=xlsx&lang=en")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    table = list(book.worksheets[0].iter_rows())
    assert len(table) == 3
    (cell,) = [one for one in table[1] if one.value == "=HYPERLINK(1)"]
    assert cell.data_type == "s"  # words, not a formula
    book.close()
    found = served.get(f"{PATH}?f=geojson&verdict=built").json()
    (feature,) = found["features"]
    assert feature["geometry"]["coordinates"] == pytest.approx(place(500, -20), abs=1e-6)
    assert feature["properties"]["target_id"] == "h1"


def test_half_a_character_is_refused_wherever_it_stands(root: Path) -> None:
    served = asked(root)
    marked = '{"target": {"kind": "unit", "id": "C1"}, "verdict": "built", '
    edit = '{"op": "add_facility", "service": "health_centre", "lon": 102.0, "lat": 25.0, '
    for path, body in (
        ("reviews", marked + '"note": "\\ud83d"}'),
        ("reviews", marked + '"\\udc00": 1}'),
        ("scenario", '{"edits": [' + edit + '"name": "\\ud800"}]}'),
        ("scenario", '{"edits": [' + edit + '"attributes": {"\\ud800": 1}}]}'),
        ("scenarios", '{"title": "a", "edits": [' + edit + '"name": "\\ud800"}]}'),
        ("what-if", '{"service": "\\ud800"}'),
    ):
        for sent in (body.encode(), body.encode().replace(b"\\ud800", b"\xed\xa0\x80")):
            for lang in ("zh", "en"):
                told = {"content-type": "application/json; charset=utf-8"}
                answer = served.post(f"/areas/tiny/{path}?lang={lang}", content=sent, headers=told)
                assert (answer.status_code, answer.json()["key"]) == (400, "text_half_character")
                assert "U+D" in answer.json()["detail"]
    assert served.get(PATH).json()["reviews"] == []
    whole = marked + '"note": "\\ud83d\\ude00 \\\\ud800"}'  # a whole one, and six plain signs
    made = served.post(PATH, content=whole, headers={"content-type": "application/json"})
    assert made.json()["note"] == "😀 \\ud800"
    assert served.post(PATH, content="{", headers=told).json()["key"] == "bad_parameters"


def test_limits_of_matching_are_cited() -> None:
    limits = matching()
    assert (limits.same_place_m.value, limits.nearby_m.value) == (50, 1_000)
    assert all(one.source and one.clause for one in (limits.same_place_m, limits.nearby_m))


def test_marks_stand_in_the_report_and_its_workbook(root: Path) -> None:
    served = asked(root)
    report = "/areas/tiny/report?lang=en"
    assert "Review marks" not in served.get(f"{report}&f=html").text
    mark(served, "unit", "C1", note="<script>alert(1)</script>", verdict="planned", author="甲")
    told = served.get(f"{report}&f=json").json()["reviews"]
    assert [one["verdict"] for one in told] == ["planned"]
    page = served.get(f"{report}&f=html").text
    assert "Review marks" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    book = openpyxl.load_workbook(io.BytesIO(served.get(f"{report}&f=xlsx").content))
    rows = list(book["Review marks"].values)
    assert (rows[0][0], rows[1][0], rows[1][3:6]) == (
        "Marked", "Unit", ("Planned", "<script>alert(1)</script>", "甲"),
    )  # fmt: skip
    book.close()
