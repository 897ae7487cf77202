"""Files sent for builds over HTTP, and the page: who may, what is refused, what the check says."""

from __future__ import annotations

import errno
import os
import re
import time
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from shapely.geometry import box
from starlette.testclient import TestClient

from lifecircle.analysis.texts import MESSAGES
from lifecircle.service.jobs import inbox as keeping
from lifecircle.service.jobs.desk import Jobs
from lifecircle.service.jobs.processes.building import Build
from tests.pages.served import client

GOOD = "type,name,lon,lat\n药店,东药房,102.71,25.04\n".encode()
BAD = "type,name,lon,lat\n药店,=cmd|' /C calc'!A1,不详,25.04\n".encode()


@pytest.fixture
def at(tmp_path: Path) -> TestClient:
    made = client(tmp_path, upload_bytes=1_000, inbox_bytes_per_key=1_500, inbox_files=3)
    made.base_url = made.base_url.copy_with(host="localhost")
    return made


def send(at: TestClient, name: str, content: bytes, **headers: str) -> Any:
    return at.post("/uploads", params={"name": name}, content=content, headers=headers)


def test_the_page_in_both_languages(at: TestClient) -> None:
    for lang, said in (("zh", "构建区域"), ("en", "Build an area")):
        shown = at.get("/build", params={"lang": lang}, headers={"accept": "text/html"})
        assert shown.status_code == 200
        assert said in shown.text
        assert "http://" not in shown.text.replace("http://localhost", "")
    assert at.get("/build", headers={"X-Forwarded-For": "1.2.3.4"}).status_code in (401, 403)


def test_a_file_is_taken_told_and_removed(at: TestClient) -> None:
    made = send(at, "../../小学.csv", GOOD)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["name"], told["size_bytes"], told["suffix"]) == ("小学.csv", len(GOOD), ".csv")
    assert at.get(made.headers["location"]).json() == told
    assert at.get("/uploads").json()["uploads"] == [told]
    assert "owner" not in told
    assert at.delete(f"/uploads/{told['id']}").status_code == 204
    for answer in (at.get(f"/uploads/{told['id']}"), at.delete(f"/uploads/{told['id']}")):
        assert answer.status_code == 404
    assert list(inbox(at).folder.iterdir()) == []


def inbox(at: TestClient) -> Any:
    jobs: Jobs = at.app.state.jobs  # type: ignore[attr-defined]
    return jobs.inbox


def test_too_much_is_refused_and_leaves_nothing(at: TestClient) -> None:
    assert send(at, "a.csv", b"x" * 1_001).status_code == 413
    assert at.post("/uploads?name=a.csv", content=iter([b"x" * 600] * 2)).status_code == 413
    assert send(at, "a.exe", b"x").status_code == 400
    assert send(at, "a.csv", b"").status_code == 400
    assert at.post("/uploads", content=b"x").status_code == 400
    assert send(at, "a.csv", b"x" * 900).status_code == 201
    full = send(at, "b.csv", b"x" * 900)
    assert (full.status_code, full.headers["retry-after"]) == (429, "5")
    assert [one.name for one in inbox(at).all()] == ["a.csv"]
    assert len(list(inbox(at).folder.iterdir())) == 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_nothing_is_no_defect(
    at: TestClient, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(keeping, "write_aside", full)
    told = send(at, "a.csv", GOOD)
    assert (told.status_code, told.json()["key"]) == (503, "nothing_written")
    assert os.strerror(code) in told.json()["detail"]
    assert list(inbox(at).folder.iterdir()) == []
    at.raise_server_exceptions = False  # type: ignore[attr-defined]
    code = errno.EIO  # anything else is one, and logged as such
    told = send(at, "a.csv", GOOD)
    assert (told.status_code, told.json()["key"]) == (500, "internal")


def test_nobody_else_sends_or_sees_files(at: TestClient) -> None:
    kept = send(at, "a.csv", GOOD).json()["id"]
    for headers in ({"X-Forwarded-For": "1.2.3.4"}, {"Origin": "http://elsewhere.example"}):
        assert send(at, "b.csv", GOOD, **headers).status_code in (401, 403)
        for path in ("/uploads", f"/uploads/{kept}"):
            assert at.get(path, headers=headers).status_code in (401, 403)
        assert at.delete(f"/uploads/{kept}", headers=headers).status_code in (401, 403)


def test_a_check_says_what_the_command_says(at: TestClient) -> None:
    good, bad = (
        send(at, name, told).json()["id"] for name, told in (("a.csv", GOOD), ("b.csv", BAD))
    )
    said = {"kind": "facilities", "datum": "wgs84"}
    found = at.post(f"/uploads/{good}/check?lang=en", json=said).json()
    assert (found["errors"], found["rows"], found["usable"]) == (0, 1, True)
    found = at.post(f"/uploads/{bad}/check?lang=en", json=said).json()
    assert found["errors"] == 1
    assert found["faults"][0]["column"] == "lon"
    streets = send(at, "town.osm.pbf", b"x").json()["id"]
    assert at.post(f"/uploads/{streets}/check", json={}).status_code == 400
    for wrong in ({"kind": "x"}, {"policy": "/etc/passwd"}, {"path": "/etc/passwd"}):
        assert at.post(f"/uploads/{good}/check", json=wrong).status_code == 400


def test_every_field_that_a_check_names_is_on_the_page(at: TestClient) -> None:
    texts = [MESSAGES.entry(key) for key in sorted(MESSAGES.keys())]
    told = [text["page"]["zh"] for text in texts if "page" in text]
    named = set(re.findall(r"(?:勾选“|请在“|填写“)([^”]+)”", " ".join(told)))
    shown = at.get("/build", params={"lang": "zh"}, headers={"accept": "text/html"}).text
    assert {"图层", "工作表", "坐标基准"} < named
    for field in named - {"内容"}:  # which box a file lies in says what it holds
        assert field in shown, field


def test_one_layer_of_several_is_checked(tmp_path: Path) -> None:
    at = client(tmp_path)
    at.base_url = at.base_url.copy_with(host="localhost")
    shapes = gpd.GeoDataFrame(
        {"name": ["东", "西"], "level": ["subdistrict"] * 2},
        geometry=[box(102.7, 25, 102.71, 25.01), box(102.71, 25, 102.72, 25.01)],
        crs=4326,
    )
    packed = tmp_path / "u.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for layer, rows in (("one", shapes), ("two", shapes.iloc[:1])):
            rows.to_file(tmp_path / f"{layer}.shp", encoding="utf-8")
            for part in tmp_path.glob(f"{layer}.*"):
                archive.write(part, part.name)
    sent = send(at, packed.name, packed.read_bytes()).json()["id"]
    asked = {"kind": "units", "datum": "wgs84", "layer": "two"}
    one = at.post(f"/uploads/{sent}/check", json=asked).json()
    assert (one["rows"], one["usable"]) == (1, True)


def test_a_build_names_files_that_lie_here(at: TestClient) -> None:
    kept = send(at, "town.osm.pbf", b"no streets").json()
    at.app.state.jobs._workshop.start = lambda: None  # type: ignore[attr-defined]

    def order(**inputs: Any) -> Any:
        return at.post("/processes/build/execution", json={"inputs": {"area": "a", **inputs}})

    assert order(osm="0" * 24).status_code == 404
    assert order(osm=str(Path("/etc/passwd"))).status_code == 400
    assert order(osm=kept["id"], area="../x").status_code == 400
    assert order().status_code == 400
    stranger = order(osm=kept["id"], of_files=[{"file": "0" * 24, "sheet": "二"}])
    assert (stranger.status_code, stranger.json()["key"]) == (404, "no_upload")
    made = order(osm={"href": kept["links"][0]["href"]})
    assert made.status_code == 201, made.text
    job = made.json()
    assert (job["status"], job["area"], job["processID"]) == ("accepted", "a", "build")
    at.delete(f"/uploads/{kept['id']}")
    folder = at.app.state.jobs.folders.of(job["jobID"])  # type: ignore[attr-defined]
    assert [one.read_bytes() for one in folder.glob("inputs/*/*")] == [b"no streets"]


def test_a_check_ends_at_its_time(tmp_path: Path) -> None:
    made = client(tmp_path, allowed_hosts=("localhost",), check_seconds=0.05)
    made.base_url = made.base_url.copy_with(host="localhost")
    kept = send(made, "a.csv", GOOD).json()["id"]
    refused = made.post(f"/uploads/{kept}/check", json={"datum": "wgs84"})
    assert (refused.status_code, refused.json()["key"]) == (400, "check_too_long"), refused.text
    assert made.get(f"/uploads/{kept}").status_code == 200


@pytest.mark.parametrize(
    ("limit", "keys"),
    [
        ({"job_memory_bytes": 2**28}, ("job_memory", "job_died")),  # a library may abort by itself
        ({"job_minutes": 0.0005}, ("job_timeout",)),
    ],
)
def test_a_build_ends_at_its_limits(
    tmp_path: Path, limit: dict[str, Any], keys: tuple[str, ...]
) -> None:
    made = client(tmp_path, allowed_hosts=("localhost",), **limit)
    made.base_url = made.base_url.copy_with(host="localhost")
    kept = send(made, "town.osm.pbf", b"x").json()["id"]
    job = made.post("/processes/build/execution", json={"inputs": {"area": "a", "osm": kept}})
    assert job.status_code == 201, job.text
    jobs: Jobs = made.app.state.jobs  # type: ignore[attr-defined]
    identity, end = job.json()["jobID"], time.monotonic() + 60
    try:
        while (found := jobs.find(identity)).state in ("accepted", "running"):
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        jobs.stop()
    assert found.state == "failed"
    assert found.error is not None
    assert found.error["en"]["key"] in keys
    assert found.error["zh"]["detail"] != found.error["en"]["detail"]
    assert made.get("/areas").json()["areas"] == []


def test_each_file_may_mean_a_sheet_of_its_own(tmp_path: Path) -> None:
    ids = {name: f"{number:024x}" for number, name in enumerate(("a.osm", "b.xlsx", "c.gpkg"))}
    for name, identity in ids.items():
        (tmp_path / identity).mkdir()
        (tmp_path / identity / name).write_bytes(b"")
    build = Build.model_validate({
        "area": "a", "osm": ids["a.osm"], "facilities": [ids["b.xlsx"]], "units": [ids["c.gpkg"]],
        "sheet": "一", "x_north": True,
        "of_files": [
            {"file": ids["b.xlsx"], "sheet": "二"},
            {"file": ids["c.gpkg"], "layer": "街道", "x_north": False},
        ],
    })  # fmt: skip
    said = build.request(tmp_path).declared()
    told = [(one.sheet, one.layer, one.x_is_north) for one in map(said.of, map(Path, ids))]
    assert told == [("一", None, True), ("二", None, True), ("一", "街道", False)]
