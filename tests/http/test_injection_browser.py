"""What people write into every field of the service, seen in a browser: nothing of it runs.

Titles and files of a build, names in files, parameters of pages, scenarios, marks and searches.
Minutes: `LIFECIRCLE_WHOLE`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.batch.towns import write_town
from tests.pages.browser import LONGEST_MS, NO_CHROMIUM, READY, Watched, browser, watched
from tests.pages.served import running

__all__ = ["browser"]
pytestmark = [NO_CHROMIUM, pytest.mark.whole]

EVIL = "<img src=x onerror=alert(1)>'\"><svg onload=alert(2)></script><script>alert(3)</script>"
FILE = "<img src=x onerror=alert(4)>'.csv"
LAYERS = ("coverage", "gaps", "circles", "catchments", "referral", "proposals", "units",
          "facilities", "quality", "desk")  # fmt: skip
ASKED = ("service", "minutes", "walker", "by", "run", "year", "kind", "variant", "from", "solution",
         "pass_by", "scenario", "profile", "at", "lang", EVIL)  # fmt: skip
FIGURES = ("report", "robustness", "quality", "scorecard", "siting", "compare", "gaps", "search",
           "reviews", "scenarios", "scenarios/compare")  # fmt: skip


def assert_harmless(seen: Watched, where: str) -> None:
    """Nothing ran, nothing was asked outside, no element was made of what was written."""
    page = seen.page
    assert page.locator("img[src=x], svg[onload], [onerror]").count() == 0, where
    assert page.evaluate("window.ran") == [], where
    assert seen.outside == [], where


def write_files(folder: Path) -> None:
    """A town whose streets, shop and files have names that would run."""
    write_town(folder, "town")
    named = EVIL.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    streets = (folder / "town.osm").read_text(encoding="utf-8")
    tag = f'<tag k="name" v="{named}"/><tag k="highway"'
    (folder / "town.osm").write_text(streets.replace('<tag k="highway"', tag), encoding="utf-8")
    told = EVIL.replace('"', '""')
    (folder / FILE).write_text(
        f'type,name,ownership,lon,lat\npharmacy,"{told}","{told}",0.0002,0\n'
        f'health_centre,"{told}","{told}",0.0003,0\n',
        encoding="utf-8",
    )


def build(seen: Watched, base: str, folder: Path) -> None:
    """Build the town in the browser, every field that takes words filled with what would run."""
    page = seen.page
    page.goto(f"{base}/build?lang=zh")
    page.fill("#area", EVIL[:64])
    page.fill("#crs", EVIL[:40])
    for name in ("title_zh", "title_en"):
        page.fill(f"#{name}", EVIL)
    page.click("summary")
    page.fill("#surveyed_in", EVIL)
    page.set_input_files("#file-streets", folder / "town.osm")
    page.set_input_files("#file-facilities", folder / FILE)
    page.set_input_files("#file-population", folder / "town.csv")
    page.wait_for_selector("[data-role=facilities] .file:is(.good, .so, .bad)")
    page.click("#start")
    page.wait_for_selector("#wrong:not(:empty), #faults li")
    assert_harmless(seen, "refused")
    page.fill("#area", "evil")
    page.fill("#surveyed_in", "")
    page.fill("#crs", "")
    page.select_option("#datum", "wgs84")
    page.wait_for_timeout(300)
    page.wait_for_selector("[data-role=facilities] .file:is(.good, .so)")
    page.click("#start")
    page.wait_for_selector("#map", state="visible", timeout=90_000)
    assert_harmless(seen, "built")


def test_nothing_that_people_write_runs(browser: Any, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    write_files(tmp_path)
    with running(folder) as base, watched(browser, base) as seen:
        page = seen.page
        page.set_default_timeout(2 * LONGEST_MS)
        build(seen, base, tmp_path)
        home = f"{base}/areas/evil"
        edit = {"op": "add_facility", "service": "pharmacy", "lon": 0.01, "lat": 0, "name": EVIL}
        sent = {"title": EVIL, "note": EVIL, "author": EVIL, "edits": [edit]}
        kept = [page.request.post(f"{home}/scenarios", data=sent).json()["id"] for _ in range(2)]
        gap = page.request.get(f"{home}/gaps?service=pharmacy").json()["features"][0]
        target = {"kind": "gap", "id": gap["properties"]["gap"]}
        mark = {"target": target, "verdict": "not_a_gap", "note": EVIL, "author": EVIL}
        assert page.request.post(f"{home}/reviews", data=mark).ok
        for lang in ("zh", "en"):
            for path in ("/", "/build", "/collections?f=html", "/areas/evil?f=html",
                         "/areas/evil/report?f=html", "/areas/evil/quality?f=html",
                         "/areas/evil/robustness?f=html&draws=2",
                         "/collections/evil.facilities/items?f=html",
                         "/collections/evil.network/items?f=html"):  # fmt: skip
                page.goto(f"{base}{path}{'&' if '?' in path else '?'}lang={lang}")
                page.wait_for_timeout(300)
                assert_harmless(seen, path)
                told = "onerror" in page.inner_text("body")
                assert told or path not in ("/", "/areas/evil?f=html"), "the title is not shown"
            for layer in LAYERS:
                answer = page.goto(f"{base}/maps/evil/{layer}?lang={lang}&service=pharmacy")
                if answer.ok:
                    page.wait_for_selector(READY, state="attached")
                    page.wait_for_timeout(500)
                    look(seen)
                assert_harmless(seen, layer)
        beside(seen, base, kept)
        asked(seen, base)
        assert [one for one in seen.said if "Failed to load resource" not in one] == []


def look(seen: Watched) -> None:
    """Click a row and the middle of a map, search for what would run."""
    page = seen.page
    for row in page.locator("button[data-area]:visible").all()[:2]:
        row.click()
    box = page.locator(".folium-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(".folium-map").focus()
    page.keyboard.press("/")
    page.keyboard.type("img")
    page.wait_for_timeout(600)
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)


def beside(seen: Watched, base: str, kept: list[str]) -> None:
    """The kept scenarios on the desk: opened, their history, side by side."""
    page = seen.page
    page.goto(f"{base}/maps/evil/desk?lang=zh&service=pharmacy&scenario={kept[0]}")
    page.wait_for_selector(".lc-scenarios li[data-scenario]")
    for fold in page.locator(".lc-history summary").all():
        fold.click()
    for tick in page.locator(".lc-scenarios input[type=checkbox]").all()[:2]:
        tick.check()
    page.click("[data-act=beside]")
    page.wait_for_selector(".lc-beside[data-ready]")
    assert_harmless(seen, "beside")
    page.keyboard.press("Escape")


def asked(seen: Watched, base: str) -> None:
    """Every parameter of pages, and names in their addresses, written as what would run."""
    page, evil = seen.page, quote(EVIL, safe="")
    paths = [f"/maps/evil/{layer}?{quote(name, safe='')}={evil}"
             for layer in ("coverage", "circles", "desk") for name in ASKED]  # fmt: skip
    some = ("service", "year", "f", "q", "ids", "stages")
    paths += [f"/areas/evil/{name}?{key}={evil}" for name in FIGURES for key in some]
    paths += [f"/areas/{evil}", f"/maps/evil/{evil}", f"/maps/{evil}/coverage", f"/{evil}",
              f"/collections/{evil}", f"/collections/evil.units/items/{evil}",
              f"/collections/evil.units/items?f=html&filter={evil}",
              f"/collections/evil.units/items?f=html&sortby={evil}", f"/jobs/{evil}",
              f"/login?next={evil}", "/login?next=javascript:alert(1)", f"/login?lang={evil}",
              f"/processes/{evil}", f"/uploads/{evil}"]  # fmt: skip
    for path in paths:
        page.goto(base + path)
        assert_harmless(seen, path)
