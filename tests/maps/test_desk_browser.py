"""The desk in a real browser, nothing outside asked: what is drawn, and the figures of the API."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.http.served.test_scenario_served import place
from tests.pages.browser import (
    CHROMIUM,
    LONGEST_MS,
    Watched,
    watched,
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
HOSTILE = "<img src=x onerror=alert(1)>"
HELD = "Object.keys(sessionStorage).find((name) => name.startsWith('lifecircle-desk '))"
KEPT = f"JSON.parse(sessionStorage[{HELD}]).edits"


class Desk:
    """A desk that somebody sits at."""

    area = "tiny"

    def __init__(self, seen: Watched, host: str) -> None:
        self.seen, self.page, self.host = seen, seen.page, host

    def open(self, query: str = "lang=zh&service=health_centre") -> None:
        self.seen.open(f"{self.host}/maps/{self.area}/desk?{query}")
        self.page.evaluate("void map_main.setZoom(map_main.getZoom() - 0.75, { animate: false })")

    def spot(self, x: float, y: float) -> tuple[float, float]:
        lon, lat = place(x, y)
        at = self.page.evaluate(
            f"(() => {{ const p = map_main.latLngToContainerPoint([{lat}, {lon}]);"
            " return [p.x, p.y]; })()"
        )
        return at[0], at[1]

    def draw(self, tool: str, *corners: tuple[float, float], finish: bool = False) -> None:
        if not self.page.locator(f"[data-tool={tool}][aria-pressed=true]").count():
            self.page.click(f"[data-tool={tool}]")
        for x, y in corners:
            self.page.mouse.click(*self.spot(x, y))
        if finish:
            self.page.click(".lc-desk-hint .lc-act:not([hidden]):first-of-type")
        if self.page.locator(f"[data-tool={tool}][aria-pressed=true]").count():
            self.page.keyboard.press("Escape")

    def edits(self) -> list[dict[str, Any]]:
        held = self.page.evaluate(KEPT)
        return [{k: v for k, v in one.items() if not k.startswith("_")} for one in held]

    def until(self, script: str) -> None:
        """Wait until a script says so; the page's policy bars playwright's own way."""
        for _ in range(LONGEST_MS // 50):
            if self.page.evaluate(script):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(script)

    def settled(self) -> None:
        self.page.wait_for_selector(
            ".lc-result[aria-busy=false][data-answer=whole]", timeout=LONGEST_MS
        )

    def told(self, **more: Any) -> dict[str, Any]:
        """What the service says of the same edits."""
        body = json.dumps({"edits": self.edits(), **more}).encode()
        asked = urllib.request.Request(
            f"{self.host}/areas/{self.area}/scenario", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return dict(json.load(answer))

    def assert_figures(self) -> None:
        self.settled()
        found = self.told()
        for side in ("winners", "losers"):
            shown = self.page.inner_text(f".lc-{side} strong").lstrip("+−").replace(",", "")
            assert int(shown) == found[side]["residents"]
            for group, persons in found[side]["groups"].items():
                told = self.page.locator(f".lc-{side} [data-group='{group}']")
                assert group == "households" or int(told.inner_text().replace(",", "")) == persons
        moved = [one for one in found["services"] if one["gained"] or one["lost"]]
        for one in moved:
            row = self.page.locator(f".lc-change-services tr[data-service='{one['service']}'] td")
            shown = [row.nth(k).inner_text().lstrip("+−").replace(",", "") for k in (2, 3)]
            assert [int(figure) for figure in shown] == [one["gained"], one["lost"]]


def test_each_kind_of_edit_is_drawn_undone_and_done_again(browser: Any, host: str) -> None:
    with watched(browser, host) as seen:
        desk = Desk(seen, host)
        desk.open()
        assert seen.page.locator(".lc-result").get_attribute("data-answer") == "none"
        desk.draw("add_facility", (3000, 0))
        desk.assert_figures()
        assert seen.page.inner_text(".lc-winners strong") == "+650"
        desk.draw("add_way", (1000, 0), (1000, 3000), finish=True)
        desk.draw("close_way", (1500, 0))
        desk.draw("add_residents", (300, 300), (900, 300), (900, 900), finish=True)
        desk.draw("remove_residents", (2000, -400), (2900, -400), (2900, 400), finish=True)
        dot = seen.page.evaluate(
            "(() => { const p = map_main.latLngToContainerPoint("
            "lifecircle.scene(map_main).layers.dots.at(0)); return [p.x, p.y]; })()"
        )
        for tool in ("change_facility", "remove_facility"):
            seen.page.click(f"[data-tool={tool}]")
            seen.page.mouse.click(*dot)
            seen.page.keyboard.press("Escape")
        ops = [one["op"] for one in desk.edits()]
        assert ops == ["add_facility", "add_way", "close_way", "add_residents",
                       "remove_residents", "change_facility", "remove_facility"]  # fmt: skip
        desk.assert_figures()
        whole = desk.edits()
        for _ in ops:
            seen.page.keyboard.press("Control+z")
        assert desk.edits() == []
        assert seen.page.locator("[data-tool=undo]").is_disabled()
        for _ in ops:
            seen.page.keyboard.press("Control+y")
        assert desk.edits() == whole
        desk.open("lang=en&service=pharmacy")  # nothing is lost by another language
        assert desk.edits() == whole
        desk.assert_figures()
        seen.assert_clean()


def test_a_place_is_dragged_kept_and_opened_again(browser: Any, host: str, tmp_path: Path) -> None:
    with watched(browser, host) as seen:
        desk = Desk(seen, host)
        desk.open()
        desk.draw("add_facility", (3000, 0))
        desk.settled()
        (x, y), (x1, y1) = desk.spot(3000, 0), desk.spot(2700, 0)
        seen.page.mouse.move(x, y)
        seen.page.mouse.down()
        seen.page.mouse.move((x + x1) / 2, (y + y1) / 2, steps=4)
        seen.page.wait_for_selector(".lc-result[data-answer=moving]", timeout=LONGEST_MS)
        seen.page.mouse.move(x1, y1, steps=4)
        seen.page.mouse.up()
        desk.assert_figures()
        assert "&at=" not in seen.page.url  # letting go is no question about a place
        (lon, lat), told = place(2700, 0), desk.edits()[0]
        assert abs(told["lon"] - lon) < 5e-4
        assert abs(told["lat"] - lat) < 5e-4
        seen.page.fill(".lc-fields input[maxlength='200']", HOSTILE)
        seen.page.keyboard.press("Tab")
        desk.settled()
        for title in (HOSTILE, "乙"):
            seen.page.fill(".lc-keep [name=title]", title)
            seen.page.fill(".lc-keep [name=note]", HOSTILE)
            before = seen.page.locator(".lc-scenarios li[data-scenario]").count()
            seen.page.click("[data-act=keep]")
            desk.until(
                f"document.querySelectorAll('.lc-scenarios li[data-scenario]').length > {before}"
            )
            desk.draw("add_way", (1000, 0), (1000, 3000), finish=True)
            desk.settled()
        kept = desk.edits()[:1]
        assert seen.page.locator(".lc-open b").all_inner_texts() == ["乙", HOSTILE]
        seen.page.locator(".lc-open").last.click()
        desk.until(f"{KEPT}.length === 1")
        assert [one["name"] for one in desk.edits()] == [HOSTILE]
        assert desk.edits()[0]["lon"] == kept[0]["lon"]
        desk.assert_figures()

        seen.page.locator(".lc-scenarios input").first.check()
        seen.page.locator(".lc-scenarios input").last.check()
        seen.page.click("[data-act=beside]")
        seen.page.wait_for_selector(".lc-beside[data-ready]", timeout=LONGEST_MS)
        assert seen.page.locator(".lc-beside-map").count() == 2
        rows = seen.page.locator(".lc-beside tr[data-row='gained/health_centre'] td")
        block = next(one for one in desk.told()["services"] if one["service"] == "health_centre")
        assert block["gained"] > 0
        assert f"{block['gained']:,}" in rows.all_inner_texts()
        seen.page.keyboard.press("Escape")

        hostile = [{"op": "add_facility", "service": "health_centre", "lon": place(2000, 0)[0],
                    "lat": place(2000, 0)[1], "name": "x" * 100_000}]  # fmt: skip
        file = tmp_path / "edits.geojson"
        file.write_text(json.dumps({"edits": hostile}))
        seen.page.set_input_files(".lc-kept input[type=file]", file)
        seen.page.wait_for_selector(".lc-said.lc-wrong")
        assert len(desk.edits()) == 1  # refused, and nothing is lost
        assert seen.said.pop().startswith("Failed to load resource")
        hostile[0]["name"] = HOSTILE
        file.write_text(json.dumps({"edits": hostile}))
        seen.page.set_input_files(".lc-kept input[type=file]", file)
        desk.until(f"{KEPT}.length === 2")
        desk.assert_figures()
        assert seen.page.locator(".lc-panel img, .lc-beside img").count() == 0
        seen.assert_clean()
