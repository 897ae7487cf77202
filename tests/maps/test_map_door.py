"""The door for text, and pages that ask for nothing outside."""

from __future__ import annotations

import json
import re

import folium
import folium.plugins
import pytest
from markupsafe import Markup

from lifecircle.analysis.measures.question import Question
from lifecircle.service.maps.escape import html_text, script_json
from lifecircle.service.maps.folium_map import OfflineMap
from lifecircle.service.maps.offline import (
    SCRIPTS,
    STYLES,
    asset,
    inline_script,
    inline_style,
    link,
    page_policy,
)
from lifecircle.service.maps.outside import OutsideAddressError, refuse_outside
from lifecircle.service.maps.pages import LAYERS, Page, map_of, map_page
from tests.pages.map_pages import HOSTILE, blocks, drawn_run

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
    data.encode("utf-8")  # pages say that they are UTF-8; half a character would be none
    assert not re.search(r"[<>&'/\u2028\u2029]", data)
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
        "<script>fetch('wss://cdn.example')</script>",
        '<script>L.tileLayer("https:\\/\\/tile.example\\/{z}")</script>',
        '<p style="background: url(//cdn.example/x.png)">',
        "<p onclick=\"fetch('https://cdn.example')\">",
        '<img srcset="a.png 1x, //cdn.example/b.png 2x">',
        '<meta http-equiv="refresh" content="0; url=http://cdn.example">',
        '<iframe srcdoc="&lt;img src=//cdn.example/x.png&gt;">',
        '<a href="&#47;&#47;cdn.example">',
        '<svg><use xlink:href="https://cdn.example/x.svg"/></svg>',
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
        '<script>createElementNS("http://www.w3.org/2000/svg","svg")</script>',
        "<script>// a comment\nlet a = 1; // another</script>",
        "<h1>https://example.cn</h1>",
        '<p title="https://example.cn" aria-label="//example.cn">see //example.cn</p>',
        '<script type="application/json">{"name":"https://example.cn"}</script>',
        '<script src="/static/leaflet/leaflet.js"></script>',
        "<style>a{background:url(data:image/png;base64,AA//BB==)}</style>",
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
    page = map_page(drawn_run(), layer, Question(), Page(static_url="/static", nonce="n0nce"))
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
    page = map_page(drawn_run(), layer, Question(), Page(mode="inline"))
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
        assert refuse_outside(f"<script>{inline_script(name)}</script>")
        assert "sourceMappingURL" not in inline_script(name)
    for name in STYLES:
        text = refuse_outside(f"<style>{inline_style(name)}</style>")
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
    drawn = map_of(drawn_run(), "coverage", Question(), Page(mode="linked"))
    frame = drawn._repr_html_()
    assert frame.startswith('<iframe sandbox="allow-scripts')
    assert "/static/" not in frame
    assert "Content-Security-Policy" in frame
    assert drawn.figure.mode == "linked"
    assert "/static/leaflet/leaflet.js" in drawn.page()


def test_the_same_run_gives_the_same_page() -> None:
    for layer in LAYERS:
        for mode in ("linked", "inline"):
            first = map_page(drawn_run(), layer, Question(), Page(mode=mode))
            assert first == map_page(drawn_run(), layer, Question(), Page(mode=mode))
