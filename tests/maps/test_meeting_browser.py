"""A review meeting in a real browser: three sites compared, one chosen, marked and exported; then
the area's data change, and scenario and mark go with them."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import shape

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog import gaps_document
from lifecircle.service.encoding import encode
from tests.http.served.test_scenario_served import place
from tests.maps.test_desk_browser import Desk
from tests.pages.browser import LONGEST_MS, NO_CHROMIUM, Watched, watched
from tests.pages.served import running
from tests.worlds.tiny import tiny_run, without

pytestmark = NO_CHROMIUM

SITES = ("东址", "西址", "北址")
GAINED = ("gained", "health_centre")
WORLDS = ("tiny", "springcity") if os.environ.get("LIFECIRCLE_WHOLE") else ("tiny",)
QUERY = "lang=zh&service=health_centre"


class Meeting(Desk):
    """A desk at which sites are tried."""

    def __init__(self, seen: Watched, host: str, area: str) -> None:
        super().__init__(seen, host)
        self.area = area

    def place(self, lon: float, lat: float) -> None:
        """Set a place with keys alone: tool 1, the middle of the map, Enter."""
        self.page.evaluate(f"void map_main.setView([{lat}, {lon}], 14, {{ animate: false }})")
        self.page.keyboard.press("1")
        self.page.keyboard.press("Enter")
        self.settled()

    def keep(self, title: str) -> str:
        """Keep what is drawn under a title; the id it has."""
        ids = "[...document.querySelectorAll('.lc-scenarios li')].map(one => one.dataset.scenario)"
        before = self.page.evaluate(ids)
        self.page.fill(".lc-keep [name=title]", title)
        self.page.fill(".lc-keep [name=author]", "王工")
        self.page.click("[data-act=keep]")
        self.until(f"{ids}.filter(Boolean).length > {len([one for one in before if one])}")
        return next(str(one) for one in self.page.evaluate(ids) if one not in before)

    def asked(self, path: str) -> Any:
        """What the service tells of the area."""
        with urllib.request.urlopen(f"{self.host}/areas/{self.area}/{path}", timeout=60) as answer:
            return json.load(answer)

    def said(self, text: str) -> None:
        """Wait until the block of scenarios says something."""
        self.until(f"document.querySelector('.lc-kept .lc-said').textContent.includes('{text}')")


@dataclass(frozen=True)
class World:
    """An area: three sites for a centre, and other data of it, which have no facility `gone`."""

    root: Path
    area: str
    sites: Sequence[tuple[float, float]]
    gone: str
    exchange: Callable[[], object]


def play(desk: Meeting, world: World, look: Callable[[str], None] = lambda name: None) -> None:
    """The whole meeting."""
    sites, gone = world.sites, world.gone
    page = desk.page
    desk.seen.open(f"{desk.host}/maps/{desk.area}/desk?{QUERY}")
    page.wait_for_selector(".lc-result[data-warm]", timeout=3 * LONGEST_MS)
    ids = []
    for title, site in zip(SITES, sites, strict=True):
        desk.place(*site)
        desk.assert_figures()
        ids.append(desk.keep(title))
        page.locator("h1").click()
        page.keyboard.press("Control+z")
        desk.until("document.querySelectorAll('.lc-edit').length === 0")
    look("kept")

    for title in SITES:
        page.get_by_label(title).first.check()
    page.evaluate("void map_main.panBy([3000, 0], { animate: false })")  # somebody looked elsewhere
    page.click("[data-act=beside]")
    page.wait_for_selector(".lc-beside[data-ready]", timeout=LONGEST_MS)
    box = [float(side) for side in page.get_attribute(".lc-beside", "data-box").split(",")]
    for lon, lat in sites:
        assert box[0] < lon < box[2] and box[1] < lat < box[3]
    told = desk.asked(f"scenarios/compare?ids={','.join(reversed(ids))}")
    row = next(one for one in told["rows"] if (one["indicator"], one["of"]) == GAINED)
    shown = page.locator(f".lc-beside tr[data-row='{'/'.join(GAINED)}'] td").all_inner_texts()
    figures = {f"{value['after']:,}" for value in row["values"]}
    assert figures <= set(shown) and "0" not in figures
    assert len(page.locator(".lc-beside-map").all()) == 3
    look("beside")
    page.keyboard.press("Escape")

    page.locator(f"[data-scenario='{ids[0]}'] .lc-open").click()  # the one chosen
    desk.until("document.querySelectorAll('.lc-edit').length === 1")
    desk.settled()
    assert f"scenario={ids[0]}" in page.url
    with page.expect_download() as got:
        page.click("[data-act=export_geojson]")
    kept = json.loads(Path(got.value.path()).read_text(encoding="utf-8"))
    assert kept["features"][0]["properties"]["op"] == "add_facility"
    desk.place(*sites[1])  # and one that closes a centre the other data do not have
    sent = {"title": "撤并", "edits": [{"op": "remove_facility", "id": gone}, *desk.edits()]}
    asked = urllib.request.Request(
        f"{desk.host}/areas/{desk.area}/scenarios",
        json.dumps(sent).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        merged = json.load(answer)["id"]

    desk.seen.open(f"{desk.host}/maps/{desk.area}/gaps?{QUERY}")
    page.wait_for_selector(".lc-marks[data-loaded]", timeout=LONGEST_MS)
    page.locator("button[data-area=gaps]").first.click()
    page.locator("[data-mark-as=planned]").first.click()
    page.locator(".lc-mark-form textarea").fill("东址可覆盖")
    page.locator(".lc-mark-form button[type=submit]").click()
    desk.until("document.querySelector('.lc-marks').dataset.told === '1'")
    look("marked")

    world.exchange()
    page.evaluate("sessionStorage.clear()")
    desk.seen.open(f"{desk.host}/maps/{desk.area}/desk?{QUERY}&scenario={ids[0]}")
    desk.settled()
    desk.said("计算批次")  # opened by its link, and told to be of other data
    before = desk.asked(f"scenarios/{ids[0]}")
    page.locator(f"[data-scenario='{ids[0]}'] [data-act=rebase]").click()
    desk.said("已按当前批次重算")
    after = desk.asked(f"scenarios/{ids[0]}")
    assert (after["base"]["current"], before["base"]["current"]) == (True, False)
    assert after["edits"] == before["edits"]
    desk.settled()
    desk.assert_figures()
    page.locator(f"[data-scenario='{ids[0]}'] .lc-history summary").click()
    steps = page.locator(f"[data-scenario='{ids[0]}'] .lc-history li b")
    desk.until(
        f"document.querySelectorAll('[data-scenario=\"{ids[0]}\"] .lc-history li').length === 2"
    )
    assert steps.all_inner_texts() == ["换批次重算", "保存"]

    page.locator(f"[data-scenario='{merged}'] [data-act=rebase]").click()
    page.wait_for_selector(".lc-misfits li", timeout=LONGEST_MS)
    assert gone in page.inner_text(".lc-misfits")
    look("misfit")
    page.click("[data-act=rebase_without]")
    desk.said("已按当前批次重算")
    left = desk.asked(f"scenarios/{merged}")
    assert [one["op"] for one in left["edits"]] == ["add_facility"] * 2

    desk.seen.open(f"{desk.host}/maps/{desk.area}/gaps?{QUERY}")
    page.wait_for_selector(".lc-marks[data-loaded]", timeout=LONGEST_MS)
    (mark,) = desk.asked("reviews")["reviews"]
    assert (mark["verdict"], mark["note"]) == ("planned", "东址可覆盖")
    assert page.locator(f"[data-mark='{mark['id']}']").count() == 1
    look("marks")


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    root = tmp_path / "workspace"
    if request.param == "springcity":
        shutil.copytree(request.getfixturevalue("springcity_runs"), root, copy_function=shutil.copy)
        return springcity(root)
    tiny_run(root)
    return World(
        root,
        "tiny",
        [tuple(place(x, 0)) for x in (3000, 2850, 2700)],
        "p1",
        lambda: tiny_run(root, change=lambda city: without(city, "pharmacy")),
    )


def springcity(root: Path) -> World:
    """The generated city as it is today; the other data are those of five years before."""
    folder, store = root / "springcity", Workspace(root)
    before, today = sorted(one.name for one in (folder / "runs").iterdir())
    old, new = (store.open("springcity", run) for run in (before, today))
    places = new.city.facilities
    centre = places.service_ids.index("health_centre")
    known = set(old.city.facilities.id)
    gone = next(
        one
        for one, service in zip(places.id, places.service, strict=True)
        if service == centre and one not in known
    )
    told = json.loads(encode(gaps_document(new, Question("health_centre"))))
    gaps = told["features"][: len(SITES)]
    spots = [shape(gap["geometry"]).representative_point() for gap in gaps]
    return World(
        root,
        "springcity",
        [(spot.x, spot.y) for spot in spots],
        gone,
        lambda: (folder / "current").write_text(before + "\n", encoding="utf-8"),
    )


def test_a_meeting_is_played_through(browser: Any, world: World) -> None:
    with running(world.root) as host, watched(browser, host) as seen:
        play(Meeting(seen, host, world.area), world)
        seen.assert_clean()
