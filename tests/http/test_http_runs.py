"""Answers kept between asks, runs that come and stay, warnings that travel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient

from lifecircle.analysis.errors import Warn
from lifecircle.analysis.pipeline import save_run
from lifecircle.analysis.results.store import Workspace
from tests.pages.served import client
from tests.worlds.tiny import tiny_city, tiny_manifest, tiny_policy, tiny_run, walks


def test_an_answer_is_not_sent_twice(served: TestClient) -> None:
    first = served.get("/areas/tiny/coverage?service=pharmacy&lang=en")
    tag = first.headers["etag"]
    again = served.get(
        "/areas/tiny/coverage?service=pharmacy&lang=en", headers={"if-none-match": f'"x", W/{tag}'}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    other = served.get(
        "/areas/tiny/coverage?service=pharmacy&lang=zh", headers={"if-none-match": tag}
    )
    assert other.status_code == 200
    assert other.headers["etag"] != tag


def test_a_new_run_is_seen_and_the_old_one_stays(tmp_path: Path) -> None:
    old = tiny_run(tmp_path).manifest.run
    served = client(tmp_path)
    url = "/areas/tiny/coverage?service=pharmacy&lang=en"
    before = served.get(url)
    assert before.json()["run"] == old
    assert "no-cache" in before.headers["cache-control"]

    rules, city = tiny_policy(), tiny_city(places=())
    table = walks(city, tuple(rules.services))
    new = save_run(Workspace(tmp_path), tiny_manifest(city, rules), rules, city, table).manifest.run
    after = served.get(url, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.json()["run"] == new
    assert after.json()["total"]["P"] is None
    pinned = served.get(f"{url}&run={old}")
    assert pinned.json() == before.json()
    assert "max-age" in pinned.headers["cache-control"]
    assert served.get("/areas/tiny").json()["runs"] == sorted([old, new])


def test_only_the_last_runs_stay_open(tmp_path: Path) -> None:
    for area in ("a", "b", "c"):
        tiny_run(tmp_path, area=area)
    served = client(tmp_path, open_runs=2)
    for _ in range(2):
        for area in ("a", "b", "c"):
            assert served.get(f"/areas/{area}/gaps").status_code == 200


def test_warnings_of_the_area_travel_in_the_reader_s_language(tmp_path: Path) -> None:
    from dataclasses import replace

    remark = Warn("point_unsnapped", {"limit_m": 250})
    tiny_run(tmp_path, change=lambda city: replace(city, warnings=(remark,)))
    served = client(tmp_path)
    texts = [
        served.get(f"/areas/tiny?lang={lang}").json()["warnings"][0]["text"]
        for lang in ("zh", "en")
    ]
    assert texts == [remark.text("zh"), remark.text("en")]


def test_a_year_is_of_its_latest_run_wherever_current_points(tmp_path: Path) -> None:
    old = tiny_run(tmp_path).manifest.run
    served, workspace = client(tmp_path), Workspace(tmp_path)
    (year,) = set(workspace.years("tiny").values())
    url = f"/areas/tiny/coverage?service=pharmacy&lang=en&year={year}"
    assert served.get(url).json()["run"] == served.get(url).json()["run"] == old  # now kept
    rules, city = tiny_policy(), tiny_city(places=())
    table = walks(city, tuple(rules.services))
    later = replace(tiny_manifest(city, rules), created="2025-06-02T03:04:05+00:00")
    new = save_run(workspace, later, rules, city, table).manifest.run
    (tmp_path / "tiny" / "current").write_text(old, "utf-8")  # moved back, as `doctor --mend` does
    assert workspace.run_of_year("tiny", year) == new
    assert served.get(url).json()["run"] == new
