"""A map on paper in a real browser: one sheet with all that a sheet needs, and the map on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lifecircle.analysis.measures.question import Question
from lifecircle.service.maps.pages import Page, map_page
from tests.pages.browser import NO_CHROMIUM, saved, watched
from tests.pages.map_pages import drawn_run

pytestmark = NO_CHROMIUM
POINTS = {"A4": (842, 595), "A3": (1191, 842)}
PRINTS = (
    "window.print = () => { window.printing = true; dispatchEvent(new Event('beforeprint')); };"
    " null"  # a function would be called
)


@pytest.mark.parametrize(("by", "size"), [("button", "A3"), ("menu", "A4")])
def test_a_sheet_has_a_size_and_the_map_on_it(
    browser: Any, tmp_path: Path, by: str, size: str
) -> None:
    run = drawn_run()
    at = saved(tmp_path, map_page(run, "coverage", Question(), Page(mode="inline", lang="en")))
    with watched(browser, at) as seen:
        seen.open(at)
        page = seen.page
        page.wait_for_selector("html[data-lifecircle-whole=yes]", state="attached")
        page.wait_for_timeout(200)
        if by == "button":
            page.evaluate(PRINTS)
            page.click("[data-tool=print]")
            page.wait_for_selector(".lc-sheet .lc-legend")
            page.wait_for_timeout(300)
            assert page.evaluate("window.printing")
            told = " ".join(page.locator(".lc-sheet").all_inner_texts())
            for said in (
                run.manifest.run,
                run.manifest.created[:4],
                page.locator("h1").first.inner_text(),
            ):
                assert said in told
            assert page.locator(".lc-north, .leaflet-control-scale-line").count() == 2
        paper = page.pdf(format=size, landscape=True, print_background=True)
        box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)
        assert box is not None
        assert [round(float(side)) for side in box.groups()] == pytest.approx(POINTS[size], abs=2)
        assert paper.count(b"/Subtype /Image") >= 4  # cells, streets, units, each with its mask
        assert page.locator("body.lc-paper, .lc-sheet, .lc-north").count() == 0
        seen.assert_clean()


def test_a_frame_that_may_not_print_stays_a_page(browser: Any, tmp_path: Path) -> None:
    at = saved(tmp_path, map_page(drawn_run(), "coverage", Question(), Page(mode="inline")))
    with watched(browser, at) as seen:
        seen.open(at)
        seen.page.evaluate("window.print = () => { window.asked = 1; }")
        seen.page.keyboard.press("Control+p")
        seen.page.wait_for_timeout(500)
        assert seen.page.evaluate("window.asked") == 1
        assert seen.page.locator("body.lc-paper, .lc-sheet").count() == 0
        seen.assert_clean()
