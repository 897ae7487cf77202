"""Marks of reviews in a browser: made on a gap, a clash shown, a file that asks nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pyproj import Geod

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog.reviews import kept_marks
from lifecircle.service.database.engine import Database
from lifecircle.service.maps.pages import Page, map_page
from lifecircle.service.state import AreaState
from tests.pages.browser import CHROMIUM, watched
from tests.pages.served import running
from tests.worlds.tiny import tiny_run

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
HOSTILE = "有班车 <script>window.ran.push(1)</script>\n<img src=x onerror=alert(1)>"


def test_a_gap_is_marked_and_a_clash_is_shown(browser: Any, tmp_path: Path) -> None:
    tiny_run(tmp_path)
    with running(tmp_path) as base, watched(browser, base) as seen:
        page, reviews = seen.page, f"{base}/areas/tiny/reviews"
        seen.open(f"{base}/maps/tiny/gaps?service=health_centre&lang=zh")
        page.wait_for_selector(".lc-marks[data-loaded]", state="attached")
        page.locator("button[data-area=gaps]").first.click()
        page.locator("[data-mark-as=confirmed]").click()
        page.locator(".lc-mark-form [value=not_a_gap]").check()
        page.locator(".lc-mark-form [type=submit]").click()
        page.get_by_text("需要说明原因").or_(page.locator(".lc-problem:not(:empty)")).wait_for()
        seen.said.clear()  # the browser itself tells of the refusal, 400
        page.locator(".lc-mark-form textarea").fill(HOSTILE)
        page.locator(".lc-mark-form > label > input").fill("王工")
        page.locator(".lc-mark-form [type=submit]").click()
        page.wait_for_selector(".lc-marks[data-told='1']", state="attached")
        (made,) = page.request.get(reviews).json()["reviews"]
        assert (made["note"], made["author"], made["target"]["kind"]) == (HOSTILE, "王工", "gap")
        assert "<script>" in page.locator(".lc-marks .lc-detail").inner_text()
        seen.assert_clean()

        page.locator("[data-mark]").click()
        page.locator(".lc-mark .lc-plain").click()
        assert page.locator(".lc-mark-form > label > input").input_value() == "王工"
        theirs = {"version": 1, "verdict": "planned", "note": "2027", "author": "李工"}
        assert page.request.put(f"{reviews}/{made['id']}", data=theirs).ok
        page.locator(".lc-mark-form [value=built]").check()
        page.locator(".lc-mark-form [type=submit]").click()
        page.locator(".lc-problem .lc-over").wait_for()
        assert "李工" in page.locator(".lc-problem").inner_text()
        assert "2027" in page.locator(".lc-problem").inner_text()
        page.locator(".lc-problem .lc-over").click()
        page.locator(".lc-saved").wait_for()
        now = page.request.get(f"{reviews}/{made['id']}").json()
        assert (now["verdict"], now["version"], now["note"]) == ("built", 3, HOSTILE)
        assert [one for one in seen.said if "409" not in one] == []
        seen.said.clear()
        seen.assert_clean()

    run = Workspace(tmp_path).open("tiny")
    marks = kept_marks(AreaState(run), Database(tmp_path))
    shown = Page(lang="en", mode="inline", marks=marks)
    file = tmp_path / "gaps.html"
    file.write_text(map_page(run, "gaps", Question("health_centre"), shown), encoding="utf-8")
    with watched(browser, file.as_uri()) as seen:
        seen.open(file.as_uri())
        assert "Built 1" in seen.page.locator(".lc-verdicts").inner_text()
        assert "<script>" in seen.page.locator(".lc-marks .lc-detail").inner_text()
        assert seen.page.locator(".lc-marks a, .lc-mark-it").count() == 0
        seen.page.locator("[data-verdict=built]").uncheck()
        assert seen.page.locator("[data-mark]").count() == 0
        seen.page.locator("[data-tool=measure]").click()
        for x in (300, 500):
            seen.page.mouse.click(x, 300)
        seen.page.get_by_text(re.compile(r"^[\d,]+ m$")).and_(
            seen.page.locator(".lc-measured")
        ).wait_for()
        ends = (102.72, 25.04, 102.80, 25.09)
        west, south, east, north = ends
        told = seen.page.evaluate(
            f"lifecircle.metres({{lng: {west}, lat: {south}}}, {{lng: {east}, lat: {north}}})"
        )
        assert told == pytest.approx(Geod(ellps="WGS84").inv(*ends)[2], rel=1e-5)
        seen.assert_clean()
