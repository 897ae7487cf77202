"""Hostile names on map pages in a real browser: nothing of a name runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lifecircle.analysis.measures.question import Question
from lifecircle.service.maps.pages import LAYERS, Page, map_page
from tests.pages.browser import (
    NO_CHROMIUM,
    click_at,
    saved,
    standing,
    watched,
)
from tests.pages.map_pages import hostile_run

pytestmark = NO_CHROMIUM


@pytest.mark.parametrize("layer", LAYERS)
def test_nothing_in_a_name_runs(browser: Any, layer: str) -> None:
    with standing(hostile_run()) as host, watched(browser, host) as seen:
        seen.open(f"{host}/maps/tiny/{layer}")
        _click_everything(seen.page)
        assert seen.page.locator("img[src=x], svg[onload]").count() == 0
        seen.assert_clean()


def test_nothing_in_a_name_runs_even_without_a_policy(browser: Any, tmp_path: Path) -> None:
    for layer in LAYERS if os.environ.get("LIFECIRCLE_WHOLE") else ("coverage", "proposals"):
        page = map_page(hostile_run(), layer, Question(), Page(mode="inline"))
        bare = page.replace('http-equiv="Content-Security-Policy"', 'name="none"')
        assert bare != page
        address = saved(tmp_path, bare)
        with watched(browser, address) as seen:
            seen.open(address)
            _click_everything(seen.page)
            assert seen.page.locator("img[src=x], svg[onload]").count() == 0
            seen.assert_clean()


def _click_everything(page: Any) -> None:
    counts = page.evaluate(
        "(() => { const { dots, cells } = lifecircle.scene(map_main).layers;"
        " return { dots: dots ? dots.data.xy.length : 0, cells: cells ? cells.data.c.length : 0,"
        " ...Object.fromEntries(['units', 'gaps'].map((name) => { const layer ="
        " lifecircle.scene(map_main).layers[name];"
        " return [name, layer ? layer.data.features.features.length : 0]; })) }; })()"
    )
    inside = "layers.{}.data.features.features[{}].properties.at.slice().reverse()"
    spots = [
        inside.format(name, i) if name in {"units", "gaps"} else f"layers.{name}.at({i})"
        for name, count in counts.items()
        for i in range(min(count, 3))
    ]
    answered = 0
    for spot in spots:
        page.evaluate("() => { map_main.closePopup(); }")
        click_at(page, spot)
        answered += page.locator(".lc-popup").count()
    assert answered > 0
    for button in page.locator("button[data-area]").all()[:3]:
        button.click()
    page.wait_for_timeout(100)
