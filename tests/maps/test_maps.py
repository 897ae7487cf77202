"""Map pages: figures equal to the measures', and names that leave no markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from lifecircle.analysis.errors import ParameterError, UnknownNameError
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.gaps.gaps import gaps
from lifecircle.analysis.measures.question import Question
from lifecircle.service.errors import MissingError
from lifecircle.service.figures import percent
from lifecircle.service.maps import shapes
from lifecircle.service.maps.offline import inline_script
from lifecircle.service.maps.pages import LAYERS, Page, first_service, map_page
from tests.pages.map_pages import blocks, drawn_run, hostile_run, visible
from tests.worlds import tiny as worlds


def test_the_coverage_page_shows_the_figures_of_the_measures() -> None:
    run = drawn_run()
    page = map_page(
        run, "coverage", Question(service="convenience_store"), Page(mode="inline", lang="en")
    )
    found = coverage(run.study, Question(service="convenience_store"))
    # s1@2400 reaches c4 (140 m + legs) and s2@5400 reaches c7 (170 m): 400 + 350 of 1,910
    assert (found.total.covered, found.total.residents) == (750, 1910)
    text = visible(page)
    assert "Residents covered (P) 39.2%" in text
    assert "750 of 1,910 residents" in text
    assert "Residents not covered 1,160" in text
    features = blocks(page)["data_areas_units"]["features"]["features"]
    shown = {f["properties"]["name"]: f["properties"]["short"] for f in features}
    assert shown == {
        "First": "0.0%",
        "Second": "57.1%",
        "Third": "0.0%",
        "Fourth": "85.3%",
        "五社区": "0.0%",
    }


def test_cells_carry_residents_minutes_and_their_facility() -> None:
    run = drawn_run()
    page = map_page(run, "coverage", Question(service="convenience_store"), Page(mode="inline"))
    cells = blocks(page)["data_cell_dots_main"]
    assert cells["r"] == run.city.cells.residents.tolist()
    # c4: 50 + 100 + 20 m = 170 m = 2.55 minutes, shown as 2.6 and never below the walk
    assert cells["m"][3] == 26
    assert cells["k"][3] == 1
    # c3: 50 + 1000 + 20 m = 1,070 m = 16.05 minutes: the first class beyond 15
    assert (cells["m"][2], cells["c"][2], cells["k"][2]) == (161, 3, 0)
    # c9 lies on the island, c8 off the streets
    assert cells["m"][8] is None
    assert cells["c"][8] == cells["c"][7] == 6
    names = blocks(page)["data_facility_dots_main"]["names"]
    assert names == ["便利一号", None]
    assert [cells["f"][i] for i in (2, 6, 8)] == [0, 1, None]


def test_packed_cells_lie_where_the_cells_lie() -> None:
    run = drawn_run()
    cells = blocks(map_page(run, "coverage", Question(), Page(mode="inline")))[
        "data_cell_dots_main"
    ]
    steps = np.array(cells["points"]["d"]).reshape(-1, 2)
    lonlat = (np.cumsum(steps, axis=0) + cells["points"]["o"]) / cells["points"]["s"]
    assert np.abs(lonlat - shapes.degrees(run.city.cells.xy_m, run.city.crs)).max() < 6e-6


def test_minutes_walker_and_level_reach_the_figures() -> None:
    run = drawn_run()
    asked = {"service": "convenience_store", "minutes": 20, "walker": "older", "by": "subdistrict"}
    page = map_page(run, "coverage", Question(**asked), Page(mode="inline", lang="en"))
    found = coverage(run.study, Question(**asked))
    text = visible(page)
    assert f"Residents covered (P) {percent(found.total.P)}" in text
    assert "Limit 20 min" in text
    assert "Older person" in text
    assert "960 m" in text  # 20 min at 0.8 m/s
    features = blocks(page)["data_areas_units"]["features"]["features"]
    assert [f["properties"]["name"] for f in features] == ["East Street", "West Street"]


def test_the_gaps_page_ranks_all_uncovered_residents() -> None:
    run = drawn_run()
    page = map_page(
        run, "gaps", Question(service="convenience_store"), Page(mode="inline", lang="en")
    )
    found = gaps(run.study, Question(service="convenience_store"))
    features = blocks(page)["data_areas_gaps"]["features"]["features"]
    assert [f["properties"]["values"][-1] for f in features] == [gap.id for gap in found]
    assert [f["properties"]["always"] for f in features] == ["1", "2", "3", "4", "5", "6", "7"]
    text = visible(page)
    assert "Out of reach 1,160" in text
    assert "60.7% of 1,910 residents" in text
    assert "Too far 1,000" in text
    assert "No way to any facility 100" in text
    assert "Far from any street 60" in text
    assert page.count('data-area="gaps"') == 7


def test_only_the_worst_twenty_gaps_are_listed() -> None:
    cells = [worlds.Cell(f"c{i:02}", 100 + 300 * i, 50, 10 + i) for i in range(40)]
    city = worlds.tiny_city(
        cells=cells, streets=(worlds.Street(0, 0, 20_000),), surveyed=("swimming_pool",)
    )
    page = map_page(
        drawn_run(city), "gaps", Question(service="swimming_pool"), Page(mode="inline", lang="en")
    )
    assert page.count('data-area="gaps"') == 20
    assert "20 of 40; click to zoom" in visible(page)
    assert "No such facility in the area" in visible(page)


@pytest.mark.parametrize(("lang", "word"), [("zh", "未评估"), ("en", "not assessed")])
def test_a_service_nobody_surveyed_is_not_assessed(lang: str, word: str) -> None:
    run = drawn_run()
    for layer in ("coverage", "gaps"):
        page = map_page(run, layer, Question(service="market"), Page(mode="inline", lang=lang))
        text = visible(page)
        assert word in text
        panel = page[page.index("<aside") : page.index("</aside>")]
        assert "lc-unassessed" in panel
        assert not re.search(r"<strong>[\d.,]+%?</strong>", panel)
    cells = blocks(map_page(run, "coverage", Question(service="market"), Page()))[
        "data_cell_dots_main"
    ]
    assert set(cells["c"]) == {7}
    assert set(cells["k"]) == {None}


def test_units_with_unknown_residents_are_grey_not_zero() -> None:
    units = [
        replace(unit, residents=None) if unit.code == "C5" else unit for unit in worlds.TINY_UNITS
    ]
    cells = [cell for cell in worlds.TINY_CELLS if cell.y < 1500]
    run = drawn_run(worlds.tiny_city(units=units, cells=cells))
    features = blocks(map_page(run, "units", Question(), Page()))["data_areas_units"]["features"][
        "features"
    ]
    unknown = next(f["properties"] for f in features if f["properties"]["values"][-1] == "C5")
    assert unknown["short"] == "未知"
    assert unknown["c"] == 5
    page = map_page(run, "coverage", Question(service="convenience_store"), Page(lang="en"))
    features = blocks(page)["data_areas_units"]["features"]["features"]
    assert features[4]["properties"]["short"] == "not assessed"
    assert features[4]["properties"]["c"] == 5
    assert "Units with unknown residents 1" in visible(page)


def test_the_facilities_page_shows_every_service_and_its_count() -> None:
    page = map_page(drawn_run(), "facilities", Question(), Page(mode="inline", lang="en"))
    dots = blocks(page)["data_facility_dots_main"]
    assert len(dots["xy"]) == len(worlds.TINY_PLACES)
    assert max(dots["c"]) < len(dots["kinds"]) == len(dots["colours"])
    text = visible(page)
    assert "Pharmacy 2" in text
    assert "Swimming pool 0" in text  # surveyed: there is none
    assert "Market not assessed" in text
    one = blocks(map_page(drawn_run(), "facilities", Question(service="pharmacy"), Page()))
    assert one["data_facility_dots_main"]["names"] == ["一心堂", "=2+3 <b>药房</b>"]


def test_the_first_assessed_service_is_shown_unasked() -> None:
    run = drawn_run(services=("market", "pharmacy"))
    assert first_service(run) == "pharmacy"
    assert "药店覆盖情况" in map_page(run, "coverage", Question(), Page())
    assert first_service(drawn_run(services=("market",))) == "market"


def test_the_lowest_level_that_holds_most_residents_is_shown() -> None:
    estate = worlds.Unit("E1", "新小区", "unit", ((800, 0, 1000, 100),))
    city = worlds.tiny_city(
        units=(*worlds.TINY_UNITS, estate), levels=(*worlds.TINY_LEVELS, "unit")
    )
    for layer in ("coverage", "units"):
        features = blocks(map_page(drawn_run(city), layer, Question(), Page()))["data_areas_units"][
            "features"
        ]
        assert len(features["features"]) == 5
        asked = blocks(map_page(drawn_run(city), layer, Question(by="unit"), Page()))[
            "data_areas_units"
        ]["features"]
        assert [f["properties"]["name"] for f in asked["features"]] == ["新小区"]
    gaps_told = visible(
        map_page(drawn_run(city), "gaps", Question(service="convenience_store"), Page())
    )
    assert "二社区" in gaps_told
    assert "单元范围以外" not in gaps_told


def test_the_frame_names_run_policy_and_synthetic_data() -> None:
    page = map_page(drawn_run(), "coverage", Question(service="pharmacy"), Page())
    text = visible(page)
    assert "合成数据" in text
    assert "20250102-tiny" in text
    assert "drawn · dddddddddddd" in text
    assert "10 分钟" in map_page(
        drawn_run(), "coverage", Question(service="pharmacy"), Page(mode="inline")
    )
    assert "a drawn world tests/worlds/tiny.py" in text
    assert "OpenStreetMap" not in text
    real = visible(map_page(drawn_run(synthetic=False), "coverage", Question(), Page(lang="en")))
    assert "Synthetic" not in real
    assert "© OpenStreetMap contributors" in real


def test_links_of_a_page_keep_the_question() -> None:
    page = map_page(
        drawn_run(),
        "coverage",
        Question(service="pharmacy", minutes=7.5),
        Page(keep={"run": "r&1"}, lang="zh"),
    )
    query = "service=pharmacy&amp;minutes=7.5&amp;walker=adult&amp;lang={}&amp;run=r%261"
    assert f'href="gaps?{query.format("zh")}"' in page
    assert f'href="coverage?{query.format("en")}"' in page
    assert '<input type="hidden" name="run" value="r&amp;1">' in page
    assert '<option value="pharmacy" selected>药店</option>' in page
    assert '<option value="market">菜市场（未评估）</option>' in page
    assert "<form" not in map_page(drawn_run(), "coverage", Question(), Page(mode="inline"))


def test_impossible_questions() -> None:
    run = drawn_run()
    with pytest.raises(MissingError) as missing:
        map_page(run, "walks", Question(), Page())
    assert "coverage, gaps, circles, " in missing.value.text("en")
    with pytest.raises(UnknownNameError):
        map_page(run, "coverage", Question(service="palace"), Page())
    with pytest.raises(UnknownNameError):
        map_page(run, "facilities", Question(service="palace"), Page())
    with pytest.raises(UnknownNameError):
        map_page(run, "units", Question(by="galaxy"), Page())
    with pytest.raises(UnknownNameError):
        map_page(run, "gaps", Question(walker="bird"), Page())
    with pytest.raises(ParameterError):
        map_page(run, "coverage", Question(minutes=-1), Page())


@pytest.mark.parametrize("layer", LAYERS)
def test_hostile_names_leave_no_markup(layer: str) -> None:
    page = map_page(hostile_run(), layer, Question(), Page(mode="inline", lang="zh"))
    body = page[page.index("<body") :]
    assert "<img" not in body
    ours = body.replace(inline_script("leaflet/leaflet.js"), "")
    assert "<svg" not in ours.replace('<svg class="lc-curve"', "")
    assert "alert(1)</script>" not in body
    assert '"49' not in re.sub(r'nonce="[0-9a-f]+"', "", page)  # drawn anew for every page
    told = json.dumps(blocks(page), ensure_ascii=False)
    assert "{{ 7*7 }}" in told or "{{ 7*7 }}" in visible(page)
