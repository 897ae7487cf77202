"""The page of a batch in a browser: cities on a map and in rows, each saying what it rests on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from lifecircle.service.batch.outlines import outline_of
from lifecircle.service.batch.page import batch_page
from lifecircle.service.batch.records import Record
from lifecircle.service.maps.scales import SHARE_COLOURS, UNKNOWN_COLOUR
from lifecircle.service.report.standalone import own_policy
from tests.pages.browser import NO_CHROMIUM, browser, watched

__all__ = ["browser"]

BOX = (102.0, 24.0, 103.0, 25.0)
NO_PLACES = {"zh": "没有这类设施的清单", "en": "no list of such places"}
DOUBT = {"zh": "居民是推算的", "en": "residents are modelled"}


def city(
    name: str, share: float | None, west: float, why: list[dict[str, str]], wide: float = 1.0
) -> dict[str, Any]:
    """Figures of a city of one service and one row, a box `wide` degrees large."""
    lost = None if share is None else round(1000 * (1 - share))
    total = {"residents": 1000, "P": share, "not_covered": lost, "P_low": None, "P_high": None}
    if share is not None:
        total |= {"P_low": share - 0.05, "P_high": share + 0.05}
    ring = [(west, 24.0), (west + wide, 24.0), (west + wide, 24.0 + wide), (west, 24.0 + wide)]
    return {
        "title": {"zh": name, "en": name}, "residents": 1000, "outline": [ring],
        "services": [
            {
                "service": "clinic", "title": {"zh": "诊所", "en": "Clinic"},
                "group": {"zh": "卫生", "en": "Health"}, "total": total, "why": why, "units": [],
            }
        ],
        "rows": [
            {
                "id": "A01", "title": {"zh": "目标", "en": "Target"}, "status": "not_met",
                "value": 0.5, "told": "50.0%", "unit_title": {"zh": "", "en": ""},
                "unit": "fraction", "direction": "at least", "why": [],
            }
        ],
    }  # fmt: skip


FIGURES = {
    "甲": city("甲", 0.9, 100.0, [DOUBT]),
    "乙": city("乙", 0.1, 101.5, []),
    "丙": city("丙", None, 103.0, [NO_PLACES], wide=0.001),
}


@NO_CHROMIUM
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_cities_stand_on_a_map_and_open_to_what_they_rest_on(
    browser: Any, tmp_path: Path, lang: Any
) -> None:
    records = {name: Record(name, "", "done") for name in FIGURES}
    file = tmp_path / "index.html"
    file.write_text(batch_page(records, FIGURES, {}, lang), encoding="utf-8")
    with watched(browser, file.as_uri()) as seen:
        seen.page.goto(file.as_uri())
        drawn = seen.page.locator("#map svg").locator("path, circle")
        fills = [drawn.nth(i).get_attribute("fill") for i in range(drawn.count())]
        assert fills == [SHARE_COLOURS[4], SHARE_COLOURS[0], UNKNOWN_COLOUR]
        assert seen.page.locator("#map circle").count() == 1  # the city too small to be seen
        names = seen.page.locator("#ranking tbody tr td:nth-child(2)").all_inner_texts()
        assert names == ["乙", "甲", "丙"]  # the worst first, the unknown last
        rows = seen.page.locator("#ranking tbody tr")
        assert "5–15%" in rows.nth(0).inner_text()
        for row, told in ((1, DOUBT), (2, NO_PLACES)):
            rows.nth(row).locator("summary").press("Enter")
            assert rows.nth(row).locator("details p").inner_text() == told[lang]
        drawn.nth(2).click()
        assert "丙" in seen.page.locator("tr.shown").inner_text()
        groups = seen.page.locator("#indicator optgroup").evaluate_all(
            "all => all.map(g => g.label)"
        )
        assert groups[0] == {"zh": "卫生", "en": "Health"}[lang]
        seen.assert_clean()


def test_an_outline_closes_seams_and_leaves_out_what_cannot_be_seen() -> None:
    left, right = shapely.box(0, 0, 0.99999, 2), shapely.box(1.00001, 0, 2, 2)  # a seam between
    holed = shapely.difference(left, shapely.box(0.4, 0.4, 0.6, 0.6))
    speck, island = shapely.box(2.5, 0, 2.505, 0.005), shapely.box(2.5, 1, 2.8, 1.3)
    shapes = np.array([holed, right, speck, island])
    rings = outline_of(shapes, BOX)
    drawn = [shapely.Polygon(ring) for ring in rings]
    assert len(drawn) == 2
    assert drawn[0].area == pytest.approx(4, rel=0.02)
    assert drawn[1].area == pytest.approx(0.09, rel=0.2)
    assert all(one.is_valid for one in drawn)


def test_villages_too_small_to_be_seen_are_the_box_around_them() -> None:
    far = np.array([shapely.box(x, 24, x + 0.004, 24.004) for x in (100.0, 101.0, 103.0)])
    empty = np.array([shapely.Polygon(), None], dtype=object)
    (ring,) = outline_of(np.concatenate([far, empty]), BOX)
    assert shapely.Polygon(ring).bounds == (100, 24, 103.004, 24.004)
    (ring,) = outline_of(empty, BOX)
    assert shapely.Polygon(ring).bounds == BOX


def test_a_city_without_units_is_its_box() -> None:
    (ring,) = outline_of(np.array([], dtype=object), BOX)
    assert shapely.Polygon(ring).bounds == BOX


def test_two_scripts_are_one_rule_of_the_policy() -> None:
    policy = own_policy("a{}", scripts=("one()", "two()"))
    (rule,) = [part for part in policy.split("; ") if part.startswith("script-src")]
    assert rule.count("'sha256-") == 2
