"""Kept scenarios and marks worked by keys alone: tick, history, export, side by side, a review.

Minutes: `LIFECIRCLE_WHOLE`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.http.served.test_scenario_served import place
from tests.pages.browser import LONGEST_MS, NO_CHROMIUM, watched

pytestmark = [NO_CHROMIUM, pytest.mark.whole]
TITLES = ("甲案", "乙案", "丙案", "丁案")


def tab_to(page: Any, selector: str, most: int = 150) -> None:
    """Press Tab until what `selector` says has the focus, and can be seen to."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(what) => document.activeElement.matches(what)", selector):
            assert page.evaluate("document.activeElement.checkVisibility()")
            return
    raise AssertionError(f"no Tab reaches {selector}")


def test_scenarios_by_keys_alone(browser: Any, host: str) -> None:
    with watched(browser, host) as seen:
        page = seen.page
        page.set_default_timeout(4 * LONGEST_MS)
        for number, title in enumerate(TITLES):
            lon, lat = place(3000 - 150 * number, 0)
            edit = {"op": "add_facility", "service": "health_centre", "lon": lon, "lat": lat}
            sent = {"title": title, "author": "王工", "edits": [edit]}
            assert page.request.post(f"{host}/areas/tiny/scenarios", data=sent, timeout=120_000).ok
        seen.open(f"{host}/maps/tiny/desk?lang=zh&service=health_centre")
        page.wait_for_selector(".lc-scenarios li[data-scenario]")
        for wanted in (2, 3, 4):
            page.evaluate("document.activeElement.blur()")
            for tick in range(wanted):
                tab_to(page, ".lc-scenarios input[type=checkbox]")
                if not page.evaluate("document.activeElement.checked"):
                    page.keyboard.press("Space")
                assert page.evaluate("document.activeElement.checked"), tick
            tab_to(page, "[data-act=beside]")
            page.keyboard.press("Enter")
            page.wait_for_selector(".lc-beside[data-ready]")
            assert page.locator(".lc-beside-map").count() == wanted
            for _ in range(12):  # the keys stay in the sheet
                page.keyboard.press("Tab")
                inside = "document.activeElement.closest('.lc-beside') !== null"
                assert page.evaluate(f"document.activeElement === document.body || {inside}")
            page.keyboard.press("Escape")
            page.wait_for_selector(".lc-beside", state="detached")
            assert page.evaluate("document.activeElement.matches('[data-act=beside]')")
        page.evaluate("document.activeElement.blur()")
        tab_to(page, ".lc-scenarios li[data-scenario] a[href*='f=xlsx']")
        with page.expect_download() as got:
            page.keyboard.press("Enter")
        assert Path(got.value.path()).read_bytes().startswith(b"PK")
        tab_to(page, ".lc-history summary")
        page.keyboard.press("Enter")
        page.wait_for_selector(".lc-history[open] li b")
        page.evaluate("document.activeElement.blur()")
        tab_to(page, ".lc-scenarios .lc-open")
        page.keyboard.press("Enter")
        page.wait_for_selector(".lc-edit")
        seen.assert_clean()


def test_a_mark_by_keys_alone(browser: Any, host: str) -> None:
    with watched(browser, host) as seen:
        page = seen.page
        page.set_default_timeout(4 * LONGEST_MS)
        seen.open(f"{host}/maps/tiny/gaps?service=health_centre&lang=en")
        page.wait_for_selector(".lc-marks[data-loaded]", state="attached")
        tab_to(page, "button[data-area=gaps]")
        page.keyboard.press("Enter")
        page.wait_for_selector(".leaflet-popup [data-mark-as]")
        tab_to(page, "[data-mark-as=confirmed]")
        page.keyboard.press("Enter")
        page.wait_for_selector(".lc-mark-form")
        tab_to(page, ".lc-mark-form input[type=radio]")
        page.keyboard.press("ArrowDown")
        assert page.locator(".lc-mark-form [value=not_a_gap]").is_checked()
        tab_to(page, ".lc-mark-form textarea")
        page.keyboard.type("a footbridge is open")
        tab_to(page, ".lc-mark-form input:not([type=radio])")
        page.keyboard.type("Li")
        page.keyboard.press("Enter")
        page.wait_for_selector(".lc-marks[data-told='1']", state="attached")
        (made,) = page.request.get(f"{host}/areas/tiny/reviews").json()["reviews"]
        assert (made["verdict"], made["author"], made["note"]) == (
            "not_a_gap", "Li", "a footbridge is open",
        )  # fmt: skip
        page.keyboard.press("Escape")
        page.wait_for_selector(".leaflet-popup", state="detached")
        page.evaluate("document.activeElement.blur()")
        tab_to(page, ".lc-verdicts [data-verdict=not_a_gap]")
        page.keyboard.press("Space")
        page.wait_for_selector("[data-mark]", state="detached")
        page.keyboard.press("Space")
        page.wait_for_selector("[data-mark]")
        tab_to(page, "button[data-mark], [data-mark] button, [data-mark]")
        page.keyboard.press("Enter")
        page.wait_for_selector(".lc-mark")
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        tab_to(page, ".lc-marks a[href*=xlsx]")
        with page.expect_download() as got:
            page.keyboard.press("Enter")
        assert Path(got.value.path()).read_bytes().startswith(b"PK")
        seen.assert_clean()
