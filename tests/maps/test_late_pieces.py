"""Streets and ground come after the first picture: from the service, or from the end of a page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.readers.osm.ground import Ground
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.errors import MissingError
from lifecircle.service.maps.context_layers import piece
from lifecircle.service.maps.pages import Page, map_page
from tests.maps.test_ground import drawn_ground
from tests.pages.browser import LONGEST_MS, NO_CHROMIUM, saved, standing, watched
from tests.pages.map_pages import blocks, drawn_run, plain
from tests.pages.served import client
from tests.worlds.tiny import tiny_run

WHOLE = "html[data-lifecircle-whole=yes]"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return drawn_ground(tmp_path_factory.mktemp("ground") / "g.osm.pbf")


def test_a_page_of_the_service_holds_neither_and_says_where_they_are(ground: Ground) -> None:
    run = drawn_run()
    run = replace(run, city=replace(run.city, ground=ground))
    page = map_page(run, "units", Question(), Page(lang="en", pieces_at="/maps/tiny/pieces"))
    assert set(blocks(page)) == {"data_areas_units", "data_panel"}
    addresses = [json.loads(told)["from"] for told in re.findall(r"late\((.*?)\)\)", page)]
    assert addresses == [
        f"/maps/tiny/pieces/{name}?run={run.manifest.run}&lang=en" for name in ("ground", "streets")
    ]


def test_a_page_alone_holds_them_behind_its_script() -> None:
    page = map_page(drawn_run(), "coverage", Question(), Page(mode="inline"))
    script = page.index("lifecircle.panel(map_main")
    assert page.index('id="data_cell_dots_main"') < script < page.index('id="data_streets_main"')


def test_the_service_gives_a_piece_once_for_all_pages_of_a_run(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    run = Workspace(tmp_path).open("tiny")
    http = client(tmp_path)
    at = f"/maps/tiny/pieces/streets?run={run.manifest.run}"
    answer = http.get(at)
    assert json.loads(answer.text, object_hook=plain) == json.loads(
        piece(run.study, "streets", "zh"), object_hook=plain
    )
    assert "max-age" in answer.headers["cache-control"]
    again = http.get(at, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    for name in ("ground", "roofs"):  # a run without ground; no such piece
        refused = http.get(f"/maps/tiny/pieces/{name}", params={"lang": "en"})
        assert (refused.status_code, refused.json()["key"]) == (404, "map_piece_unknown")
    assert http.get(at + "&minutes=3").status_code == 400
    with pytest.raises(MissingError):
        piece(run.study, "ground", "zh")


def test_units_lie_where_they_lie(ground: Ground) -> None:
    """Rings are packed without their last vertex; each unit has as many parts and rings."""
    run = drawn_run()
    told = blocks(map_page(run, "units", Question(), Page()))["data_areas_units"]
    assert isinstance(told, dict)
    packed = told["features"]["shapes"]
    lonlat = np.cumsum(np.array(packed["d"]).reshape(-1, 2), axis=0) + packed["o"]
    assert len(lonlat) == sum(packed["n"])
    assert len(packed["n"]) == sum(packed["rings"])
    assert len(packed["rings"]) == sum(packed["parts"])
    assert len(packed["parts"]) == len(told["features"]["features"])


@NO_CHROMIUM
def test_a_page_from_disk_fills_them_in(browser: Any, tmp_path: Path, ground: Ground) -> None:
    run = drawn_run()
    run = replace(run, city=replace(run.city, ground=ground))
    with watched(browser, "file:") as seen:
        page = map_page(run, "coverage", Question(), Page(mode="inline"))
        seen.open(saved(tmp_path, page))
        seen.page.wait_for_selector(WHOLE, state="attached", timeout=LONGEST_MS)
        shapes = (
            "['streets', 'ground'].map((n) => lifecircle.scene(map_main).layers[n].shape.count)"
        )
        streets, lying = seen.page.evaluate(shapes)
        assert streets > 0
        assert lying == len(ground.kind)
        seen.assert_clean()


@NO_CHROMIUM
def test_what_does_not_come_is_said_and_asked_again(browser: Any, tmp_path: Path) -> None:
    tiny_run(tmp_path)
    run = Workspace(tmp_path).open("tiny")
    with standing(run, client(tmp_path)) as base, watched(browser, base) as seen:
        broken = [True]

        def pieces(route: Any) -> None:
            route.abort() if broken[0] else route.continue_()

        seen.page.route("**/pieces/**", pieces)
        seen.open(f"{base}/maps/tiny/coverage")
        again = seen.page.get_by_text("未能载入，点此重试")
        again.wait_for(timeout=LONGEST_MS)
        assert seen.page.locator(".leaflet-cells-pane canvas").count() > 0
        broken[0] = False
        again.click()
        count = "lifecircle.scene(map_main).layers.streets.shape.count"
        for _ in range(100):
            if seen.page.evaluate(count):
                break
            seen.page.wait_for_timeout(50)
        assert seen.page.evaluate(count) > 0
        assert again.count() == 0
        assert seen.outside == []
