"""Pages that are no map, and what a map's form, search and full screen do: at three widths and in
both languages nothing outside is asked, nothing said on the console, nothing scrolls sideways.

Minutes in all: `LIFECIRCLE_WHOLE`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.maps.test_desk_browser import Desk
from tests.maps.test_every_control import SIZES
from tests.maps.test_late_pieces import WHOLE
from tests.pages.browser import LONGEST_MS, NO_CHROMIUM, Watched, watched

pytestmark = [NO_CHROMIUM, pytest.mark.whole]
FITS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PAGES = (
    "/", "/areas/tiny?f=html", "/areas/tiny/report?f=html", "/areas/tiny/quality?f=html",
    "/areas/tiny/robustness?f=html", "/build", "/check", "/login", "/docs",
    "/collections?f=html", "/conformance?f=html",
)  # fmt: skip
CHOSEN = "document.querySelector('.lc-form').elements"


def sized(seen: Watched, size: str) -> None:
    seen.page.set_default_timeout(LONGEST_MS)
    seen.page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_that_is_no_map(browser: Any, host: str, lang: str, size: str) -> None:
    for path in PAGES:
        with watched(browser, host) as seen:
            sized(seen, size)
            joined = "&" if "?" in path else "?"
            answer = seen.page.goto(f"{host}{path}{joined}lang={lang}", wait_until="load")
            assert answer.status == 200, path
            assert answer.headers["content-type"].startswith("text/html"), path
            for fold in seen.page.locator("summary:visible").all()[:20]:
                fold.click()
            assert seen.page.evaluate(FITS) <= 0, path
            seen.assert_clean()


@pytest.mark.parametrize("size", SIZES)
def test_choices_search_and_full_screen_of_a_map(browser: Any, host: str, size: str) -> None:
    with watched(browser, host) as seen:
        sized(seen, size)
        page = seen.page
        seen.open(f"{host}/maps/tiny/coverage?lang=zh")
        names = page.evaluate(
            f"Array.from({CHOSEN}).filter(e => e.tagName === 'SELECT').map(e => e.name)"
        )
        assert "service" in names
        for name in names:
            field = page.locator(f".lc-form select[name={name}]")
            last = field.locator("option").last.get_attribute("value")
            with page.expect_navigation(timeout=LONGEST_MS):
                field.evaluate(
                    f"(e) => {{ e.value = {last!r}; e.dispatchEvent(new Event('change')); }}"
                )
            page.wait_for_selector(WHOLE, state="attached", timeout=LONGEST_MS)
            assert page.locator(f".lc-form select[name={name}]").input_value() == last
        page.locator(".folium-map").focus()
        page.keyboard.press("/")
        page.keyboard.type("药", delay=20)
        page.wait_for_selector(".lc-search li button", timeout=LONGEST_MS)
        page.keyboard.press("Enter")
        page.wait_for_timeout(400)
        page.keyboard.press("Escape")
        page.locator(".folium-map").focus()
        page.keyboard.press("f")
        page.wait_for_timeout(300)
        assert page.evaluate("document.fullscreenElement !== null")
        page.keyboard.press("f")
        page.wait_for_timeout(300)
        assert page.evaluate("document.fullscreenElement === null")
        assert page.evaluate(FITS) <= 0
        seen.assert_clean()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_key_of_the_desk(browser: Any, host: str, lang: str, size: str) -> None:
    with watched(browser, host) as seen:
        sized(seen, size)
        desk, page = Desk(seen, host), seen.page
        desk.open(f"lang={lang}&service=health_centre")
        for number in range(1, 8):
            page.keyboard.press(str(number))
            assert page.locator("[data-tool][aria-pressed=true]:visible").count() == 1, number
        page.keyboard.press("Escape")
        page.keyboard.press("2")  # a way: a point, another taken back
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(400)
        page.keyboard.press("Enter")
        page.keyboard.press("Backspace")
        page.keyboard.press("Escape")
        assert page.locator(".lc-result").get_attribute("data-answer") == "none"
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        desk.settled()
        assert [one["op"] for one in desk.edits()] == ["add_facility"]
        page.locator(".folium-map").focus()
        page.keyboard.press("Delete")
        desk.until("document.querySelector('.lc-result').dataset.answer === 'none'")
        assert desk.edits() == []
        page.keyboard.press("Control+z")
        assert len(desk.edits()) == 1
        assert page.evaluate(FITS) <= 0
        seen.assert_clean()
