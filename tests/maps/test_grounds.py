"""Styles of the ground: what stands out on them, and the browser that changes them."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lifecircle.analysis.measures.question import Question
from lifecircle.service.maps import scales
from lifecircle.service.maps.context_layers import GROUNDS, TIANDITU
from lifecircle.service.maps.offline import asset
from lifecircle.service.maps.pages import Page, map_page
from tests.maps.test_ground import drawn_ground
from tests.maps.test_late_pieces import WHOLE
from tests.pages.browser import LONGEST_MS, NO_CHROMIUM, saved, watched
from tests.pages.map_pages import drawn_run

SCRIPT = asset("lifecircle-grounds.js").decode()
PAPER = dict(re.findall(r'(\w+): Object\.assign\(\{\}, \w+, \{\s*paper: "(#\w{6})"', SCRIPT))
SCALES = (
    (scales.MINUTE_COLOURS, 0.86),
    (scales.SHARE_COLOURS, scales.SHARE_OPACITY),
    (scales.PERSON_COLOURS, scales.PERSON_OPACITY),
    (scales.SEQUENTIAL_COLOURS, scales.UNIT_OPACITY),
)
# Machado, Oliveira and Fernandes 2009, severity 1
EYES = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
}


def light(colour: Any) -> Any:
    share = np.asarray(colour) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def channels(colour: str) -> Any:
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], dtype=float)


def contrast(one: Any, other: Any) -> float:
    """WCAG's ratio of two colours."""
    low, high = sorted(float(light(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(colour: Any, eye: str) -> Any:
    """CIE L*a*b* of a colour as an eye sees it."""
    seen = np.clip(np.array(EYES[eye]) @ light(colour), 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ seen / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def drawn(colours: tuple[str, ...], opacity: float, paper: str) -> list[Any]:
    return [channels(c) * opacity + channels(paper) * (1 - opacity) for c in colours]


def apart(seen: list[Any], eye: str) -> float:
    return float(min(np.linalg.norm(lab(a, eye) - lab(b, eye)) for a, b in combinations(seen, 2)))


def test_the_script_and_the_page_know_the_same_grounds() -> None:
    assert tuple(PAPER) == (*GROUNDS, *TIANDITU)
    assert PAPER["colour"] == scales.GROUND_COLOUR


@pytest.mark.parametrize(("colours", "opacity"), SCALES)
def test_on_dark_paper_data_stand_out_as_on_light(colours: tuple[str, ...], opacity: float) -> None:
    """Least contrast to the paper no less; classes no closer to each other (within 0.5 ΔE)."""
    on = {name: drawn(colours, opacity, PAPER[name]) for name in ("colour", "plain", "dark")}
    least = {name: min(contrast(c, channels(PAPER[name])) for c in on[name]) for name in on}
    assert least["dark"] >= least["colour"]
    assert least["plain"] >= least["colour"]
    for eye in EYES:
        assert apart(on["dark"], eye) > apart(on["colour"], eye) - 0.5
        assert apart(on["plain"], eye) > apart(on["colour"], eye) - 0.5


PIXELS = """() => { const held = new Set();
  document.querySelectorAll(".leaflet-ground-pane canvas").forEach((canvas) => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) {
      held.add("#" + [0, 1, 2].map((k) => data[i + k].toString(16).padStart(2, "0")).join("")); }
  }); return Array.from(held); }"""


@NO_CHROMIUM
def test_a_reader_changes_the_ground_and_the_address_keeps_it(browser: Any, tmp_path: Path) -> None:
    run = drawn_run()
    ground = drawn_ground(tmp_path / "g.osm.pbf")
    run = replace(run, city=replace(run.city, ground=ground))
    page = map_page(run, "coverage", Question(), Page(mode="inline", lang="zh"))
    address = saved(tmp_path, page)
    assert "tianditu_vec" not in re.findall(r'name="ground" value="(\w+)"', page)
    with watched(browser, address) as seen:
        seen.open(address)
        seen.page.wait_for_selector(WHOLE, state="attached", timeout=LONGEST_MS)
        swatch = "[data-opacity]"
        colour = "(e) => e.style.background"
        before = seen.page.locator(swatch).first.evaluate(colour)
        seen.page.locator(".folium-map").focus()
        names = []
        for _ in range(4):
            seen.page.keyboard.press("g")
            names.append(seen.page.evaluate("lifecircle.worn(map_main)"))
        assert names == ["plain", "dark", "none", "colour"]
        seen.page.check("input[name=ground][value=dark]")
        seen.page.wait_for_timeout(300)
        assert "ground=dark" in seen.page.url
        assert seen.page.locator(swatch).first.evaluate(colour) != before
        kept = seen.page.url
        with seen.page.expect_download(timeout=LONGEST_MS):
            seen.page.click("[data-tool=picture]")
        seen.assert_clean()
    with watched(browser, address) as seen:
        seen.open(kept)
        seen.page.wait_for_selector(WHOLE, state="attached", timeout=LONGEST_MS)
        assert seen.page.locator("input[name=ground]:checked").get_attribute("value") == "dark"
        box = ground.lonlat / 1e5
        west, south = box.min(axis=0).tolist()
        east, north = box.max(axis=0).tolist()
        seen.page.evaluate(f"map_main.fitBounds([[{south}, {west}], [{north}, {east}]])")
        seen.page.wait_for_timeout(500)
        shown = seen.page.evaluate(PIXELS)
        assert "#223c50" in shown  # water of the dark ground
        assert "#b5d3e6" not in shown
        seen.page.evaluate("lifecircle.wear(map_main, 'constructor')")
        seen.page.evaluate("lifecircle.wear(map_main, 'tianditu_img')")  # a file has no tiles
        assert seen.page.evaluate("lifecircle.worn(map_main)") == "dark"
        seen.assert_clean()
