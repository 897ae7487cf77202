"""Every control of every map page, by mouse and by keyboard alone: no error, nothing outside.

Minutes in all: `LIFECIRCLE_WHOLE`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lifecircle.analysis.results.store import Workspace
from lifecircle.service.maps.scene import layers_for
from tests.maps.test_late_pieces import WHOLE
from tests.pages.browser import LONGEST_MS, NO_CHROMIUM, Watched, watched
from tests.pages.served import running
from tests.worlds.tiny import tiny_run

pytestmark = [NO_CHROMIUM, pytest.mark.whole]

SIZES = {"desk": (1600, 900), "wall": (1920, 1080), "phone": (390, 844)}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("controls")
    tiny_run(root)
    with running(root) as base:
        yield base, Workspace(root).open("tiny")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_control_of_every_page(
    browser: Any, served: tuple[str, Any], lang: str, size: str, tmp_path: Path
) -> None:
    base, run = served
    for layer in (*layers_for(run), "desk"):
        with watched(browser, base) as seen:
            seen.page.set_default_timeout(LONGEST_MS)
            seen.page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
            seen.open(f"{base}/maps/tiny/{layer}?lang={lang}")
            seen.page.wait_for_selector(WHOLE, state="attached", timeout=LONGEST_MS)
            by_mouse(seen)
            by_keys(seen)
            fits = "document.documentElement.scrollWidth - innerWidth"
            assert seen.page.evaluate(fits) <= 0, layer
            seen.assert_clean()


def by_mouse(seen: Watched) -> None:
    """Every switch off and on, every fold open, every row, tool and place of the map."""
    page = seen.page
    page.evaluate("window.print = () => {}")
    for switch in page.locator(".lc-panel input[type=checkbox]:visible").all():
        was = switch.is_checked()
        switch.click()
        assert switch.is_checked() != was
        switch.click()
    for fold in page.locator(".lc-panel summary:visible").all():
        fold.click()
    for heading in page.locator(".lc-table th button:visible").all():
        heading.click()
    for row in page.locator("button[data-area]:visible").all()[:3]:
        row.click()
    page.keyboard.press("Escape")
    for tool in ("measure", "measure", "print"):
        page.click(f"[data-tool={tool}]")
    with page.expect_download(timeout=LONGEST_MS):
        page.click("[data-tool=picture]")
    box = page.locator(".folium-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(200)
    page.keyboard.press("Escape")


def by_keys(seen: Watched) -> None:
    """Tab reaches every control that can be seen, in one round; the keys of the map answer."""
    page = seen.page
    page.evaluate("document.activeElement.blur()")
    wanted = page.evaluate(
        "Array.from(document.querySelectorAll('.lc-panel a[href], .lc-panel select,"
        " .lc-panel button, .lc-panel input:not([type=hidden]), [data-tool]'))"
        ".filter((e) => !e.disabled && e.type !== 'radio' && e.checkVisibility({visibilityProperty:"
        " true})).map((e, k) => { e.dataset.round = k; return k; })"
    )
    reached: set[str] = set()
    for _ in range(3 * len(wanted) + 60):
        page.keyboard.press("Tab")
        found = page.evaluate("document.activeElement.dataset.round")
        if found is not None:
            reached.add(found)
        if len(reached) == len(wanted):
            break
    assert sorted(map(int, reached)) == wanted
    page.locator(".folium-map").focus()
    for key in ("+", "ArrowLeft", "m", "m", "Enter", "Escape", "-"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
