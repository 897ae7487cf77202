"""Map pages: the door for text, pages without internet, and figures equal to the measures'."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import folium
import folium.plugins
import numpy as np
import pytest
import shapely
import world_parts
import worlds
from markupsafe import Markup

from analysis.city.model import City
from analysis.errors import ParameterError, UnknownNameError
from analysis.measures.coverage import coverage
from analysis.measures.gaps import gaps
from analysis.policy import Title
from analysis.quantities import UNREACHED_CM
from analysis.results.model import Run
from service import i18n
from service.errors import MissingError
from service.maps import scales, shapes
from service.maps.escape import html_text, script_json
from service.maps.folium_map import OfflineMap
from service.maps.offline import (
    SCRIPTS,
    STYLES,
    OutsideAddressError,
    asset,
    inline_script,
    inline_style,
    link,
    page_policy,
    refuse_outside,
)
from service.maps.pages import LAYERS, first_service, map_of, map_page
from service.maps.wording import percent

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\"'><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}{# #}",
    "${alert(1)}`",
    "https://evil.example/x.js src=//evil.example url(//evil.example)",
    "\u2028\u2029 lone \ud800",
)


def drawn_run(city: City | None = None, **changes: object) -> Run:
    """The tiny city as a run in memory."""
    city = city or worlds.tiny_city()
    policy = worlds.tiny_policy()
    manifest = replace(worlds.tiny_manifest(city, policy), run="20250102-tiny", **changes)
    travel = worlds.walks(city, tuple(policy.services))
    return Run(Path(), manifest, policy, city, travel)


def blocks(page: str) -> dict[str, object]:
    """The data blocks of a page by id."""
    found = re.findall(r'<script type="application/json" id="(\w+)">(.*?)</script>', page)
    return {name: json.loads(text) for name, text in found}


def visible(page: str) -> str:
    """The panel's text without tags."""
    panel = page[page.index("<aside") : page.index("</aside>")]
    return " ".join(re.sub(r"<[^>]*>", " ", panel).split())


# ---- the door ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_harmless_html(name: str) -> None:
    safe = str(html_text(name))
    assert not re.search(r"[<>\"']", safe)
    assert "//" not in safe
    safe.encode("utf-8")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_survives_as_data_and_cannot_end_its_script(name: str) -> None:
    data = str(script_json({"name": name, name: [name]}))
    assert data.isascii()
    assert not re.search(r"[<>&'/]", data)
    assert json.loads(data) == {"name": name, name: [name]}


def test_markup_made_at_the_door_is_not_escaped_twice() -> None:
    once = html_text("<b>")
    assert html_text(once) == once == Markup("&lt;b&gt;")


def test_json_refuses_numbers_that_are_none() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json([float("nan")])


# ---- no address outside ------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<script src='HTTP://cdn.example/x.js'></script>",
        '<link href="//cdn.example/x.css">',
        "<img src=//cdn.example/x.png>",
        "<style>a{background:url(//cdn.example/x.png)}</style>",
        "<style>@import '//cdn.example/x.css'</style>",
        "fetch('wss://cdn.example')",
        'L.tileLayer("https:\\/\\/tile.example\\/{z}")',
        '<img src="http://www.w3.org/logo.png">',
        '<form action="//cdn.example">',
    ],
)
def test_an_address_outside_is_refused(page: str) -> None:
    with pytest.raises(OutsideAddressError) as refused:
        refuse_outside(page)
    assert "example" in refused.value.text("en") or "w3.org" in refused.value.text("en")
    assert refused.value.text("zh") != refused.value.text("en")


@pytest.mark.parametrize(
    "page",
    [
        'createElementNS("http://www.w3.org/2000/svg","svg")',
        "// a comment\nlet a = 1; // another",
        '<script src="/static/leaflet/leaflet.js"></script>',
        "url(data:image/png;base64,AA//BB==)",
        f"<p>{html_text('see http://www.example.cn//x')}</p>",
        f"<script>{script_json('http://www.example.cn//x')}</script>",
    ],
)
def test_names_of_namespaces_comments_and_plain_text_pass(page: str) -> None:
    assert refuse_outside(page) == page


def test_only_leaflet_is_loaded() -> None:
    assert OfflineMap.default_js == [("leaflet", "leaflet/leaflet.js")]
    assert OfflineMap.default_css == [("leaflet_css", "leaflet/leaflet.css")]
    assert issubclass(OfflineMap, folium.Map)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_linked_page_links_own_files_only(layer: str) -> None:
    page = map_page(drawn_run(), layer, static_url="/static", nonce="n0nce")
    sources = re.findall(r'(?:src|href)="([^"]*)"', page[: page.index("</head>")])
    expected = [link(name, "/static") for name in (*STYLES, *SCRIPTS)]
    assert sorted(sources) == sorted([*expected, "data:,"])
    assert set(re.findall(r"<script([^>]*)>", page)) == {
        *(f' nonce="n0nce" src="{link(name, "/static")}"' for name in SCRIPTS),
        *(f' type="application/json" id="{name}"' for name in blocks(page)),
        ' nonce="n0nce"',
    }


@pytest.mark.parametrize("layer", LAYERS)
def test_an_inline_page_links_nothing(layer: str) -> None:
    page = map_page(drawn_run(), layer, mode="inline")
    head = page[: page.index("</head>")]
    assert not re.search(
        r"<script[^>]* src=|<link rel=\"stylesheet\"|leafletjs\.com|\.map\b$", page
    )
    assert "Content-Security-Policy" in head
    assert "default-src &#39;none&#39;" in head
    assert inline_script("leaflet/leaflet.js") in page
    assert inline_style("lifecircle.css") in page


def test_inlined_files_hold_no_outside_address_and_no_image_file() -> None:
    for name in SCRIPTS:
        assert refuse_outside(inline_script(name))
        assert "sourceMappingURL" not in inline_script(name)
    for name in STYLES:
        text = refuse_outside(inline_style(name))
        assert ".png" not in text
    assert "url(data:image/png;base64," in inline_style("leaflet/leaflet.css")


def test_links_change_with_the_content() -> None:
    marks = {link(name, "/static").partition("?v=")[2] for name in (*SCRIPTS, *STYLES)}
    assert len(marks) == len((*SCRIPTS, *STYLES))
    assert asset("leaflet/images/marker-icon.png").startswith(b"\x89PNG")


def test_a_plugin_from_a_cdn_is_refused() -> None:
    drawn = OfflineMap(location=(25.0, 102.0))
    folium.plugins.Fullscreen().add_to(drawn)
    with pytest.raises(OutsideAddressError):
        drawn.page()


def test_a_tile_service_outside_is_refused() -> None:
    with pytest.raises(OutsideAddressError):
        OfflineMap(location=(25.0, 102.0), tiles="OpenStreetMap").page()


def test_the_policy_of_a_page_names_its_nonce() -> None:
    assert "script-src 'nonce-abc';" in page_policy("abc")
    assert "'self'" not in page_policy("abc", "inline")
    assert "unsafe" not in page_policy("abc")
    assert "script-src 'nonce-abc';" in page_policy("abc", "inline")


def test_a_notebook_gets_the_page_that_stands_alone() -> None:
    drawn = map_of(drawn_run(), "coverage", mode="linked")
    frame = drawn._repr_html_()
    assert frame.startswith('<iframe sandbox="allow-scripts')
    assert "/static/" not in frame
    assert "Content-Security-Policy" in frame
    assert drawn.figure.mode == "linked"
    assert "/static/leaflet/leaflet.js" in drawn.page()


def test_the_same_run_gives_the_same_page() -> None:
    for layer in LAYERS:
        for mode in ("linked", "inline"):
            first = map_page(drawn_run(), layer, mode=mode)
            assert first == map_page(drawn_run(), layer, mode=mode)


# ---- figures -----------------------------------------------------------------------------


def test_the_coverage_page_shows_the_figures_of_the_measures() -> None:
    run = drawn_run()
    page = map_page(run, "coverage", service="convenience_store", mode="inline", lang="en")
    found = coverage(run.city, run.travel, run.policy, service="convenience_store")
    # s1@2400 reaches c4 (140 m + legs) and s2@5400 reaches c7 (170 m): 400 + 350 of 1,910
    assert (found.total.covered, found.total.residents) == (750, 1910)
    text = visible(page)
    assert "P by residents 39.3%" in text
    assert "750 of 1,910 residents" in text
    assert "Not covered 1,160" in text
    features = blocks(page)["data_areas_units"]["features"]["features"]
    shown = {f["properties"]["name"]: f["properties"]["short"] for f in features}
    assert shown == {
        "First": "0.0%",
        "Second": "57.1%",
        "Third": "0.0%",
        "Fourth": "85.4%",
        "五社区": "0.0%",
    }


def test_cells_carry_residents_minutes_and_their_facility() -> None:
    run = drawn_run()
    page = map_page(run, "coverage", service="convenience_store", mode="inline")
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
    cells = blocks(map_page(run, "coverage", mode="inline"))["data_cell_dots_main"]
    steps = np.array(cells["points"]["d"]).reshape(-1, 2)
    lonlat = (np.cumsum(steps, axis=0) + cells["points"]["o"]) / cells["points"]["s"]
    assert np.abs(lonlat - shapes.degrees(run.city.cells.xy_m, run.city.crs)).max() < 6e-6


def test_minutes_walker_and_level_reach_the_figures() -> None:
    run = drawn_run()
    asked = {"service": "convenience_store", "minutes": 20, "walker": "older", "by": "subdistrict"}
    page = map_page(run, "coverage", mode="inline", lang="en", **asked)
    found = coverage(run.city, run.travel, run.policy, **asked)
    text = visible(page)
    assert f"P by residents {percent(found.total.P)}" in text
    assert "20 minutes" in text
    assert "Older person" in text
    assert "960 m" in text  # 20 min at 0.8 m/s
    features = blocks(page)["data_areas_units"]["features"]["features"]
    assert [f["properties"]["name"] for f in features] == ["East Street", "West Street"]


def test_the_gaps_page_ranks_all_uncovered_residents() -> None:
    run = drawn_run()
    page = map_page(run, "gaps", service="convenience_store", mode="inline", lang="en")
    found = gaps(run.city, run.travel, run.policy, service="convenience_store")
    features = blocks(page)["data_areas_gaps"]["features"]["features"]
    assert [f["properties"]["values"][-1] for f in features] == [gap.id for gap in found]
    assert [f["properties"]["always"] for f in features] == ["1", "2", "3", "4", "5", "6", "7"]
    text = visible(page)
    assert "Residents in gaps 1,160" in text
    assert "60.7% of 1,910 residents" in text
    assert "Too far 1,000" in text
    assert "Cut off from any facility 100" in text
    assert "Far from any street 60" in text
    assert page.count('data-area="gaps"') == 7


def test_only_the_worst_twenty_gaps_are_listed() -> None:
    cells = [worlds.Cell(f"c{i:02}", 100 + 300 * i, 50, 10 + i) for i in range(40)]
    city = worlds.tiny_city(
        cells=cells, streets=(worlds.Street(0, 0, 20_000),), surveyed=("swimming_pool",)
    )
    page = map_page(drawn_run(city), "gaps", service="swimming_pool", mode="inline", lang="en")
    assert page.count('data-area="gaps"') == 20
    assert "20 of 40; click to zoom" in visible(page)
    assert "No such facility in the area" in visible(page)


@pytest.mark.parametrize(("lang", "word"), [("zh", "未评估"), ("en", "Not assessed")])
def test_a_service_nobody_surveyed_is_not_assessed(lang: str, word: str) -> None:
    run = drawn_run()
    for layer in ("coverage", "gaps"):
        page = map_page(run, layer, service="market", mode="inline", lang=lang)
        text = visible(page)
        assert word in text
        panel = page[page.index("<aside") : page.index("</aside>")]
        assert "lc-unassessed" in panel
        assert not re.search(r"<strong>[\d.,]+%?</strong>", panel)
    cells = blocks(map_page(run, "coverage", service="market"))["data_cell_dots_main"]
    assert set(cells["c"]) == {7}
    assert set(cells["k"]) == {None}


def test_units_with_unknown_residents_are_grey_not_zero() -> None:
    units = [
        replace(unit, residents=-1) if unit.code == "C5" else unit for unit in worlds.TINY_UNITS
    ]
    cells = [cell for cell in worlds.TINY_CELLS if cell.y < 1500]
    run = drawn_run(worlds.tiny_city(units=units, cells=cells))
    features = blocks(map_page(run, "units"))["data_areas_units"]["features"]["features"]
    unknown = next(f["properties"] for f in features if f["properties"]["values"][-1] == "C5")
    assert unknown["short"] == "未知"
    assert unknown["c"] == 5
    page = map_page(run, "coverage", service="convenience_store", lang="en")
    features = blocks(page)["data_areas_units"]["features"]["features"]
    assert features[4]["properties"]["short"] == "Not assessed"
    assert features[4]["properties"]["c"] == 5
    assert "Units with unknown residents 1" in visible(page)


def test_the_facilities_page_shows_every_service_and_its_count() -> None:
    page = map_page(drawn_run(), "facilities", mode="inline", lang="en")
    dots = blocks(page)["data_facility_dots_main"]
    assert len(dots["xy"]) == len(worlds.TINY_PLACES)
    assert max(dots["c"]) < len(dots["kinds"]) == len(dots["colours"])
    text = visible(page)
    assert "Pharmacy 2" in text
    assert "Swimming pool 0" in text  # surveyed: there is none
    assert "Market Not assessed" in text
    one = blocks(map_page(drawn_run(), "facilities", service="pharmacy"))
    assert one["data_facility_dots_main"]["names"] == ["一心堂", "=2+3 <b>药房</b>"]


def test_the_first_assessed_service_is_shown_unasked() -> None:
    run = drawn_run(services=("market", "pharmacy"))
    assert first_service(run) == "pharmacy"
    assert "药店覆盖情况" in map_page(run, "coverage")
    assert first_service(drawn_run(services=("market",))) == "market"


def test_the_lowest_level_that_holds_most_residents_is_shown() -> None:
    estate = worlds.Unit("E1", "新小区", "unit", ((800, 0, 1000, 100),))
    city = worlds.tiny_city(
        units=(*worlds.TINY_UNITS, estate), levels=(*worlds.TINY_LEVELS, "unit")
    )
    for layer in ("coverage", "units"):
        features = blocks(map_page(drawn_run(city), layer))["data_areas_units"]["features"]
        assert len(features["features"]) == 5
        asked = blocks(map_page(drawn_run(city), layer, by="unit"))["data_areas_units"]["features"]
        assert [f["properties"]["name"] for f in asked["features"]] == ["新小区"]
    gaps_told = visible(map_page(drawn_run(city), "gaps", service="convenience_store"))
    assert "二社区" in gaps_told
    assert "单元范围以外" not in gaps_told


def test_the_frame_names_run_policy_and_synthetic_data() -> None:
    page = map_page(drawn_run(), "coverage", service="pharmacy")
    text = visible(page)
    assert "合成数据" in text
    assert "20250102-tiny" in text
    assert "drawn · dddddddddddd" in text
    assert "10 分钟" in map_page(drawn_run(), "coverage", service="pharmacy", mode="inline")
    assert "a drawn world tests/worlds.py" in text
    assert "OpenStreetMap" not in text
    real = visible(map_page(drawn_run(synthetic=False), "coverage", lang="en"))
    assert "Synthetic" not in real
    assert "© OpenStreetMap contributors" in real


def test_links_of_a_page_keep_the_question() -> None:
    page = map_page(
        drawn_run(), "coverage", service="pharmacy", minutes=7.5, keep={"run": "r&1"}, lang="zh"
    )
    query = "service=pharmacy&amp;minutes=7.5&amp;walker=adult&amp;lang={}&amp;run=r%261"
    assert f'href="gaps?{query.format("zh")}"' in page
    assert f'href="coverage?{query.format("en")}"' in page
    assert '<input type="hidden" name="run" value="r&amp;1">' in page
    assert '<option value="pharmacy" selected>药店</option>' in page
    assert '<option value="market">菜市场（未评估）</option>' in page
    assert "<form" not in map_page(drawn_run(), "coverage", mode="inline")


def test_impossible_questions() -> None:
    run = drawn_run()
    with pytest.raises(MissingError) as missing:
        map_page(run, "walks")
    assert "coverage, gaps, units, facilities" in missing.value.text("en")
    with pytest.raises(UnknownNameError):
        map_page(run, "coverage", service="palace")
    with pytest.raises(UnknownNameError):
        map_page(run, "facilities", service="palace")
    with pytest.raises(UnknownNameError):
        map_page(run, "units", by="galaxy")
    with pytest.raises(UnknownNameError):
        map_page(run, "gaps", walker="bird")
    with pytest.raises(ParameterError):
        map_page(run, "coverage", minutes=-1)


@pytest.mark.parametrize("layer", LAYERS)
def test_hostile_names_leave_no_markup(layer: str) -> None:
    page = map_page(hostile_run(), layer, mode="inline", lang="zh")
    body = page[page.index("<body") :]
    assert "<img" not in body
    assert "<svg" not in body.replace(inline_script("leaflet/leaflet.js"), "")
    assert "alert(1)</script>" not in body
    assert '"49' not in page
    told = json.dumps(blocks(page), ensure_ascii=False)
    assert "{{ 7*7 }}" in told or "{{ 7*7 }}" in visible(page)


def hostile_run() -> Run:
    """The tiny city with hostile names everywhere a name can stand."""
    names = list(HOSTILE[:6])
    units = [
        replace(unit, name=names[i % 6], name_en=names[(i + 1) % 6])
        for i, unit in enumerate(worlds.TINY_UNITS)
    ]
    places = [
        replace(
            place,
            name=names[i % 6],
            attributes={"ownership": names[(i + 2) % 6], "opening_hours": names[(i + 3) % 6]},
        )
        for i, place in enumerate(worlds.TINY_PLACES)
    ]
    run = drawn_run(worlds.tiny_city(units=units, places=places))
    title = Title(names[0], names[1])
    services = {
        key: replace(service, title=Title(f"{names[i % 6]}", f"{names[(i + 1) % 6]}"))
        for i, (key, service) in enumerate(run.policy.services.items())
    }
    return replace(
        run,
        manifest=replace(run.manifest, title=title, run=names[1], policy_id=names[2]),
        policy=replace(run.policy, services=services),
    )


# ---- scales, words, shapes ---------------------------------------------------------------


def test_fifteen_minutes_part_the_scale_as_the_legend_says() -> None:
    scale = scales.minute_scale(15)
    assert scale.edges == (5, 10, 15, 20, 30)
    assert scales.minute_scale(10).edges == (3, 7, 10, 13, 20)
    assert scales.minute_scale(4.5).edges == (1.5, 3.0, 4.5, 6.0, 9.0)
    speed = Fraction(1000, 900)
    walks = np.array([0, 33_333, 33_334, 100_000, 100_001, 200_001, UNREACHED_CM], dtype=np.int32)
    assert scale.classes(walks, speed).tolist() == [0, 0, 1, 2, 3, 5, 6]


def test_percent_says_all_and_nothing_only_when_it_is_so() -> None:
    assert [percent(x) for x in (0.0, 0.0001, 0.3926, 0.9999, 1.0, None)] == [
        "0.0%",
        "0.1%",
        "39.3%",
        "99.9%",
        "100.0%",
        None,
    ]


def test_shares_fall_into_classes_by_their_lower_bound() -> None:
    asked = [0.0, 0.199, 0.2, 0.8, 1.0, None]
    assert [scales.class_of(x, scales.SHARE_EDGES) for x in asked] == [0, 0, 1, 4, 4, 5]


def test_rounded_bounds_rise() -> None:
    edges = scales.round_edges([1, 1, 1, 1, 2])
    assert list(edges) == sorted(set(edges))
    assert scales.round_edges([]) == (1, 2, 3, 4)
    assert scales.round_edges([1000, 2000, 3000, 4000, 5000]) == (1800, 2600, 3400, 4200)


def test_a_colour_laid_over_the_ground() -> None:
    assert scales.laid_over("#000000", 0.0) == scales.GROUND_COLOUR
    assert scales.laid_over("#123456", 1.0) == "#123456"


def test_streets_beyond_the_budget_keep_the_longer_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    network = world_parts.make_network([worlds.Street(0), worlds.Street(300, 0, 50, 10)])
    whole, partial = shapes.pack_streets(network)
    assert (len(whole["n"]), partial) == (11, False)
    monkeypatch.setattr(shapes, "STREET_VERTICES", 12)
    longer, partial = shapes.pack_streets(network)
    assert (longer["n"], partial) == ([2] * 6, True)


def test_too_many_polygon_vertices_fall_back_to_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    city = worlds.tiny_city()
    packed = shapes.pack_polygons(city.cells, city.crs)
    assert packed is not None
    assert sum(packed["own"]) == 7
    assert packed["n"] == [5] * 7
    monkeypatch.setattr(shapes, "POLYGON_VERTICES", 10)
    assert shapes.pack_polygons(city.cells, city.crs) is None


def test_shared_borders_stay_shared_when_simplified() -> None:
    rng = np.random.default_rng(7)
    border = [(500.0 + x, 1000.0 * i / 200) for i, x in enumerate(rng.normal(0, 0.5, 201))]
    origin = np.array(worlds.ORIGIN)
    left = shapely.Polygon(np.array([(0, 0), *border, (0, 1000)]) + origin)
    right = shapely.Polygon(np.array([(1000, 0), *border, (1000, 1000)]) + origin)
    both = world_parts.texts([left, right])
    thin = shapes.polygons_degrees(both, worlds.CRS, shared=True)
    assert shapely.get_num_coordinates(thin).sum() < shapely.get_num_coordinates(both).sum() / 2
    assert shapely.area(shapely.intersection(thin[0], thin[1])) == pytest.approx(0, abs=1e-12)


def test_every_text_exists_in_both_languages() -> None:
    zh, en = i18n.texts("zh"), i18n.texts("en")
    ours = {key for key in zh if key.startswith("map_")}
    assert ours == {key for key in en if key.startswith("map_")}
    fields = re.compile(r"\{(\w+)\}")
    for key in ours:
        assert set(fields.findall(zh[key])) == set(fields.findall(en[key])), key
