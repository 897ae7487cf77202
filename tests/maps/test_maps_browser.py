"""Map pages in a real browser: nothing asked outside, clicks answer."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import folium
import numpy as np
import pytest

from lifecircle.analysis.city.model import Deferred
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.maps.folium_map import Fit, OfflineMap
from lifecircle.service.maps.pages import LAYERS, Page, map_of, map_page
from tests.pages.browser import (
    LONGEST_MS,
    NO_CHROMIUM,
    READY,
    click_at,
    saved,
    standing,
    watched,
)
from tests.pages.map_pages import drawn_run
from tests.pages.served import client
from tests.worlds.tiny import tiny_run

pytestmark = NO_CHROMIUM


# ---- alone and linked --------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("layer", LAYERS)
def test_a_page_from_disk_asks_for_nothing(
    browser: Any, tmp_path: Path, layer: str, lang: str
) -> None:
    address = saved(
        tmp_path, map_page(drawn_run(), layer, Question(), Page(mode="inline", lang=lang))
    )
    with watched(browser, address) as seen:
        seen.open(address)
        assert seen.page.locator(".leaflet-control-scale-line").inner_text().endswith("m")
        assert seen.page.locator(".lc-panel h1").inner_text()
        seen.assert_clean()


@pytest.mark.parametrize("layer", LAYERS)
def test_a_linked_page_runs_under_its_policy(browser: Any, layer: str) -> None:
    with standing(drawn_run()) as host, watched(browser, host) as seen:
        seen.open(f"{host}/maps/tiny/{layer}")
        assert seen.page.locator(".lc-tabs a[aria-current]").count() == 1
        seen.assert_clean()


def test_the_chooser_leads_to_the_same_page_with_the_choice(browser: Any) -> None:
    with standing(drawn_run()) as host, watched(browser, host) as seen:
        seen.open(f"{host}/maps/tiny/coverage")
        with seen.page.expect_navigation():
            seen.page.select_option("select[name=service]", "pharmacy")
        assert seen.page.url == (
            f"{host}/maps/tiny/coverage?lang=zh&service=pharmacy&walker=adult&by=community"
        )
        with seen.page.expect_navigation():
            seen.page.click("a.lc-lang")
        assert "lang=en" in seen.page.url
        seen.assert_clean()


def test_the_map_is_drawn(browser: Any, tmp_path: Path) -> None:
    address = saved(tmp_path, map_page(drawn_run(), "coverage", Question(), Page(mode="inline")))
    count = """(name) => { const pixels = new Set();
      document.querySelectorAll(".leaflet-" + name + "-pane canvas").forEach((canvas) => {
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) {
          pixels.add(data[i] + "," + data[i + 1] + "," + data[i + 2]); }
      }); return pixels.size; }"""
    with watched(browser, address) as seen:
        seen.open(address)
        seen.page.wait_for_timeout(400)
        for pane in ("areas", "cells", "dots"):
            assert seen.page.evaluate(count, pane) > 0, pane
        tiles = ".leaflet-streets-pane canvas"
        assert seen.page.locator(tiles).count() > 0
        transparent = f"getComputedStyle(document.querySelector('{tiles}')).backgroundColor"
        assert seen.page.evaluate(transparent) == "rgba(0, 0, 0, 0)"
        labels = seen.page.locator(".lc-label").all_inner_texts()
        assert sorted(label.split("\n")[0] for label in labels) == sorted(
            ["一社区", "二社区", "三社区", "四社区", "五社区"]
        )


# ---- what a click answers ----------------------------------------------------------------


def test_a_click_on_a_cell_answers_with_walk_and_unit(browser: Any, tmp_path: Path) -> None:
    page = map_page(
        drawn_run(), "coverage", Question(service="pharmacy"), Page(mode="inline", lang="en")
    )
    address = saved(tmp_path, page)
    with watched(browser, address) as seen:
        seen.open(address)
        click_at(seen.page, "layers.cells.at(2)")
        told = " ".join(seen.page.locator(".lc-popup").inner_text().split())
        # c3: 50 + 900 + 20 m = 970 m to p1, 14.55 minutes, beyond the 10 of a pharmacy
        assert "Residents 300 Walking time 14.6 min Nearest facility 一心堂" in told
        assert "State beyond the limit" in told
        assert "Second Residents covered (P) 0.0%" in told
        seen.assert_clean()


def test_a_served_map_answers_anywhere_and_its_address_keeps_the_answer(
    browser: Any, tmp_path: Path
) -> None:
    tiny_run(tmp_path)
    run = Workspace(tmp_path).open("tiny")
    with (
        standing(run, client(tmp_path), service="pharmacy") as host,
        watched(browser, host) as seen,
    ):
        seen.open(f"{host}/maps/tiny/coverage")
        click_at(seen.page, "layers.cells.at(2)")
        seen.page.wait_for_selector(".lc-answer[data-answered]", timeout=LONGEST_MS)
        told = " ".join(seen.page.locator(".lc-answer").inner_text().split())
        # 970 m from the cell itself; a pixel of the map is a few metres
        assert re.search("步行到一心堂：14.[4-7] 分钟，9[67][0-9] 米", told)
        assert seen.page.locator(".lc-services button.lc-far").count() >= 1
        rings = "document.querySelectorAll('.leaflet-reach-pane canvas').length"
        assert seen.page.evaluate(rings) == 1
        link = seen.page.url
        assert "&at=" in link
        seen.page.keyboard.press("Escape")
        assert not seen.page.locator(".lc-answer").is_visible()
        seen.page.goto("about:blank")
        seen.open(link)
        seen.page.wait_for_selector(".lc-answer[data-answered]", timeout=LONGEST_MS)
        assert seen.page.url == link
        seen.assert_clean()


def test_the_table_of_units_sorts_and_leads_to_its_polygon(browser: Any, tmp_path: Path) -> None:
    page = map_page(drawn_run(), "coverage", Question(service="pharmacy"), Page(mode="inline"))
    with watched(browser, saved(tmp_path, page)) as seen:
        seen.open((tmp_path / "page.html").as_uri())
        seen.page.click(".lc-table summary")
        seen.page.locator(".lc-table th button").nth(1).click()
        column = seen.page.locator(".lc-table tbody td:nth-child(2)").all_inner_texts()
        figures = [int(text.replace(",", "")) for text in column if text[0].isdigit()]
        assert figures == sorted(figures, reverse=True)
        assert len(column) == 5
        row = seen.page.locator(".lc-table tbody tr").first
        name = row.locator("td").first.inner_text()
        row.click()
        assert name in seen.page.locator(".leaflet-popup h3").inner_text()
        with seen.page.expect_download() as got:
            seen.page.click("[data-tool=picture]")
        assert Path(got.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        seen.assert_clean()


def test_a_click_on_the_worst_gap_zooms_to_it(browser: Any, tmp_path: Path) -> None:
    address = saved(
        tmp_path, map_page(drawn_run(), "gaps", Question(), Page(mode="inline", lang="en"))
    )
    with watched(browser, address) as seen:
        seen.open(address)
        before = seen.page.evaluate("map_main.getZoom()")
        seen.page.locator("button[data-area=gaps]").first.click()
        seen.page.wait_for_timeout(900)
        assert seen.page.evaluate("map_main.getZoom()") > before
        told = " ".join(seen.page.locator(".lc-popup").inner_text().split())
        assert told.startswith("Gap 1 of 7 Second (near 健身公园) Residents 300 Reason Too far")
        seen.assert_clean()


def test_layers_and_services_can_be_switched_off(browser: Any, tmp_path: Path) -> None:
    address = saved(tmp_path, map_page(drawn_run(), "facilities", Question(), Page(mode="inline")))
    shown = "lifecircle.scene(map_main).layers.dots.data.colours.length"
    shown += " - lifecircle.scene(map_main).layers.dots.hidden.size"
    with watched(browser, address) as seen:
        seen.open(address)
        before = seen.page.evaluate(shown)
        seen.page.locator("input[data-group]").first.uncheck()
        assert seen.page.evaluate(shown) == before - 1
        seen.page.locator("input[data-layer=streets]").uncheck()
        assert seen.page.locator(".leaflet-streets-pane canvas").count() == 0
        seen.page.locator("input[data-layer=streets]").check()
        assert seen.page.locator(".leaflet-streets-pane canvas").count() > 0
        seen.assert_clean()


# ---- large, and in a notebook ------------------------------------------------------------


def large_run(cells: int = 20_000, edges: int = 44_000) -> Run:
    """The tiny city with many cells and edges strewn over it (seeded)."""
    run = drawn_run()
    rng = np.random.default_rng(11)
    times = cells // len(run.city.cells)

    def again(array: Any) -> Any:
        return np.tile(array, times)

    old, network = run.city.cells, run.city.network
    xy = np.tile(old.xy_m, (times, 1)) + rng.uniform(-400, 400, (len(old) * times, 2))
    position = replace(old.position, edge=again(old.position.edge))
    strewn = replace(
        old,
        ids=Deferred.of(again(old.id)),
        xy_m=xy,
        outline=Deferred.of(np.full(len(xy), None, dtype=object)),
        residents=again(old.residents),
        groups=MappingProxyType({name: again(count) for name, count in old.groups.items()}),
        unit={level: again(index) for level, index in old.unit.items()},
        modelled=again(old.modelled),
        position=position,
    )
    start = rng.uniform([0, -500], [6000, 3500], (edges, 2)) + network.node_xy_m[0]
    bend = np.stack([start, start + rng.normal(0, 30, start.shape), start + 40], axis=1)
    many = replace(
        network,
        vertex_start=np.arange(edges + 1, dtype=np.int64) * 3,
        vertex_xy_m=bend.reshape(-1, 2),
        edge_length_m=np.full(edges, 60.0),
    )
    travel = replace(
        run.travel,
        cell_cm=np.tile(run.travel.cell_cm, (1, times)),
        cell_facility=np.tile(run.travel.cell_facility, (1, times)),
    )
    return replace(run, city=replace(run.city, cells=strewn, network=many), travel=travel)


def test_twenty_thousand_cells_stay_below_ten_megabytes_and_open_soon(
    browser: Any, tmp_path: Path
) -> None:
    page = map_page(large_run(), "coverage", Question(), Page(mode="inline"))
    assert len(page.encode()) < 10_000_000
    address = saved(tmp_path, page)
    with watched(browser, address) as seen:
        seen.open(address)
        took = seen.page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive")
        assert took < 10_000  # about 1 s on a quiet machine; the bound allows for a busy one
        seen.assert_clean()


def test_a_notebook_shows_folium_layers_and_popups(browser: Any, tmp_path: Path) -> None:
    drawn = OfflineMap(location=(25.04, 102.72), zoom_start=13, title="<b>笔记")
    folium.Marker((25.04, 102.72), popup="你好").add_to(drawn)
    folium.GeoJson({"type": "Point", "coordinates": [102.73, 25.04]}).add_to(drawn)
    address = saved(tmp_path, f"<!DOCTYPE html><meta charset='utf-8'>{drawn._repr_html_()}")
    with watched(browser, address) as seen:
        seen.page.goto(address)
        frame = seen.page.frame_locator("iframe")
        marker = frame.locator("img.leaflet-marker-icon").first
        marker.wait_for(timeout=LONGEST_MS)
        assert marker.evaluate("(image) => image.complete && image.naturalWidth") == 25
        marker.click()
        frame.get_by_text("你好").wait_for(timeout=LONGEST_MS)
        assert seen.said == []
        assert seen.outside == []


@pytest.mark.parametrize("hidden", [True, False], ids=["no size yet", "small at first"])
def test_a_map_in_a_notebook_opens_on_its_data(browser: Any, tmp_path: Path, hidden: bool) -> None:
    """The frame of an output cell has no size, or another one, when its page is first drawn."""
    run = drawn_run()
    drawn = map_of(run, "coverage")
    fits = [child for child in drawn._children.values() if isinstance(child, Fit)]
    (south, west), (north, east) = json.loads(fits[0].payload)["bounds"]
    page = browser.new_page()
    small = "display:none" if hidden else "width:90px;height:60px;overflow:hidden"
    page.set_content(f'<div id="cell" style="{small}">{drawn._repr_html_()}</div>')
    frame = page.wait_for_selector("iframe", state="attached").content_frame()
    frame.wait_for_selector(READY, state="attached", timeout=LONGEST_MS)
    page.evaluate("document.getElementById('cell').style = 'width:900px;height:640px'")
    corners = f"L.latLngBounds([[{south}, {west}], [{north}, {east}]])"
    shown_well = (
        f"map_main.getSize().x > 300 && map_main.getBounds().contains({corners})"
        f" && map_main.getBoundsZoom({corners}) - map_main.getZoom() < 1"
    )
    for _ in range(50):
        if frame.evaluate(shown_well):
            break
        page.wait_for_timeout(100)
    assert frame.evaluate(shown_well)
    page.close()


def test_many_dots_are_drawn_as_few_are(browser: Any, tmp_path: Path) -> None:
    """The same dots, drawn one by one and laid pixel by pixel, differ by less than a pixel."""
    address = saved(tmp_path, map_page(drawn_run(), "facilities", Question(), Page(mode="inline")))
    differs = """(() => {
      const spots = lifecircle.scene(map_main).layers.dots.spots;
      const colours = spots.dots.data.colours;
      const box = L.bounds([0, 0], [60, 40]);
      const seen = [12, 20, 0, 17, 22, colours.length - 1, 40, 9, 0, 59, 39, 0];
      const [one, other] = [0, 1].map(() => {
        const made = document.createElement("canvas");
        made.width = 60; made.height = 40;
        return made.getContext("2d"); });
      spots.lay(one, seen, box);
      for (let k = 0; k < seen.length; k += 3) {
        spots.dot(other, seen[k], seen[k + 1], colours[seen[k + 2]]); }
      const [a, b] = [one, other].map((c) => c.getImageData(0, 0, 60, 40).data);
      let sum = 0, drawn = 0;
      for (let k = 3; k < a.length; k += 4) { sum += Math.abs(a[k] - b[k]); drawn += b[k]; }
      return [sum / drawn, drawn]; })()"""
    with watched(browser, address) as seen:
        seen.open(address)
        share, drawn = seen.page.evaluate(differs)
        assert drawn > 20_000
        assert share < 0.2  # a dot stands on whole pixels there
        seen.assert_clean()
