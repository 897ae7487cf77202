"""Data quality of a drawn city: every figure by hand, the same in document, page, map, command."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lifecircle.analysis.city.notes import BuildNotes, SamePlace, Spread
from lifecircle.analysis.measures.quality import area_quality, city_remarks, islands
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.layers.layers import layer_frame
from lifecircle.service.catalog.quality import quality_document, quality_summary
from lifecircle.service.cli import main
from lifecircle.service.maps.pages import Page, map_page
from lifecircle.service.responses import encode
from tests.pages.served import client
from tests.worlds.tiny import TINY_PLACES, TINY_STREETS, Place, tiny_city, tiny_policy, tiny_run

HTML = {"accept": "text/html"}
PAIR = SamePlace(
    "merged", "pharmacy", "p1", "一心堂", "table", "node/9", "一心堂药店", "osm", "same_name",
    12.5, 1.0, ("opening_hours",), 500_500.0, 2_769_980.0,
)  # fmt: skip
DOUBT = replace(PAIR, state="suspected", kept="p2", other="<b>w</b>", filled=(), likeness=0.9,
                rule="like_name", kept_name=None)  # fmt: skip
SPREAD = (
    Spread("C1", "community", 300, "buildings", "land", 45),
    Spread("C2", "community", 700, "unit", None, None),
)


def noted(city):
    places = city.facilities
    marks = places.id.copy()
    marks[:] = None
    marks[0] = "C1"
    attributes = {**places.attributes, "placed_by_unit": marks}
    notes = BuildNotes((PAIR, DOUBT), (), SPREAD, ())
    return replace(city, notes=notes, facilities=replace(places, attributes=attributes))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    return tiny_run(tmp_path_factory.mktemp("quality"), change=noted)


def test_distances_islands_and_what_is_off_the_streets_by_hand():
    city = tiny_city()
    found = area_quality(city, tiny_policy())
    # legs are 50 m but for c8, which is 700 m off: bins of 25 m, bounds above inclusive
    assert [(b.to_m, b.cells, b.residents) for b in found.snap if b.cells] == [(50.0, 9, 1850)]
    assert sum(b.facilities for b in found.snap) == len(TINY_PLACES) - 1
    assert (found.unsnapped_cells, found.unsnapped_residents) == (1, 60)
    assert found.mean_leg_m == found.longest_leg_m == 50.0
    assert [str(city.facilities.id[i]) for i in found.unsnapped_facilities] == ["e1"]
    (island,) = found.islands
    assert (island.cells, island.residents, island.facilities) == (2, 100, 0)
    assert island.length_m == 6000
    assert found.largest_m == 6000
    assert found.modelled_residents == 0
    assert len(found.outside) == 0
    assert [warn.key for warn in city_remarks(city)] == ["residents_on_islands"]


def test_residents_of_the_histogram_and_the_unsnapped_are_all():
    city = tiny_city()
    found = area_quality(city, tiny_policy())
    whole = sum(b.residents for b in found.snap) + found.unsnapped_residents
    assert whole == int(city.cells.residents.sum())


def test_facilities_outside_every_unit_are_told():
    far = Place("x1", "market", 9000, -20, "城外市场")
    city = tiny_city(places=(*TINY_PLACES, far))
    found = area_quality(city, tiny_policy())
    assert [str(city.facilities.id[i]) for i in found.outside] == ["x1"]
    told = {warn.key: warn for warn in city_remarks(city)}
    assert told["facilities_outside"].params == {"count": 1, "ids": "x1"}


def test_missing_attributes_by_service():
    found = area_quality(tiny_city(), tiny_policy())
    missing = {row.service: row for row in found.missing}
    assert missing["health_centre"].missing["ownership"] == 0
    assert missing["pharmacy"].missing["ownership"] == missing["pharmacy"].facilities == 2
    assert missing["convenience_store"].missing["name"] == 1
    assert "park" not in missing


def test_a_city_of_one_piece_has_no_islands():
    assert islands(tiny_city(streets=TINY_STREETS[:1])) == ()


# ---- the same figures everywhere


def test_the_document_and_the_summary(run):
    document = quality_document(run, lang="zh")
    assert document["unsnapped"]["residents"] == 60
    assert document["islands"]["residents"] == 100
    assert document["unsnapped"]["facilities"]["list"][0]["id"] == "e1"
    assert document["facilities_placed_by_unit"]["count"] == 1
    assert [(p["state"], p["other"]) for p in document["same_places"]["list"]] == [
        ("merged", "node/9"),
        ("suspected", "<b>w</b>"),
    ]
    people = document["population"]
    assert (people["compared"], people["moved"], people["moved_share"]) == (300, 45, 0.15)
    assert people["methods"] == {"buildings": 300, "unit": 700}
    assert people["units"][0]["unit_name"] == "一社区"
    summary = quality_summary(run)
    assert summary["facilities_merged"] == summary["facilities_suspected"] == 1
    assert (summary["spread_moved"], summary["spread_compared"]) == (45, 300)


def test_notes_come_back_from_the_workspace_as_they_were(run):
    assert run.city.notes == BuildNotes((PAIR, DOUBT), (), SPREAD, ())


def test_http_gives_the_document_the_page_and_the_list(run):
    asked = client(run.path.parents[2])
    document = asked.get("/areas/tiny/quality?lang=en").json()
    assert document == json.loads(encode(quality_document(run, lang="en")))
    assert asked.get("/areas/tiny").json()["quality"]["facilities_merged"] == 1
    for lang, words in (("zh", ("数据质量", "路网孤岛")), ("en", ("Data quality", "Islands"))):
        page = asked.get(f"/areas/tiny/quality?lang={lang}", headers=HTML)
        assert page.status_code == 200
        assert all(word in page.text for word in words)
        assert "<b>w</b>" not in page.text
        assert "15.0%" in page.text
    for f in ("csv", "xlsx"):
        found = asked.get(f"/areas/tiny/merges?f={f}")
        assert found.status_code == 200
        assert f'filename="merges.{f}"' in found.headers["content-disposition"]
    text = asked.get("/areas/tiny/merges").content.decode("utf-8-sig")
    assert text.splitlines()[1].startswith(",merged,pharmacy,p1,一心堂,table,node/9")
    assert asked.get("/areas/nowhere/quality").status_code == 404
    assert asked.get("/areas/tiny/quality?service=x").status_code == 400


@pytest.mark.parametrize("mode", ["linked", "inline"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_map_page_is_whole_and_stays_offline(run, lang, mode):
    page = map_page(run, "quality", Question(), Page(lang=lang, mode=mode))
    assert {"zh": "远离道路的居民", "en": "Residents far from any street"}[lang] in page
    assert "<b>w</b>" not in page
    assert not re.search(r"https?://(?!www\.w3\.org)", page)
    assert ">60<" in page


def test_unit_rows_state_how_they_were_spread(run):
    units = layer_frame(run, "units").set_index("code")
    assert units.loc["C1", "spread_method"] == "buildings"
    assert units.loc["C1", "spread_moved"] == 45
    assert units["spread_moved"].isna().sum() == len(units) - 1
    places = layer_frame(run, "facilities").set_index("id")
    assert (places["placed_by_unit"] == "C1").sum() == 1


def test_the_command_says_the_same(run, capsys, monkeypatch, tmp_path: Path):
    target = tmp_path / "m.csv"
    folder = str(run.path.parents[2])
    monkeypatch.setattr(sys, "argv", ["lifecircle", "quality", "tiny", "--workspace", folder,
                                      "--lang", "en", "--merges", str(target)])  # fmt: skip
    assert main() == 0
    told = capsys.readouterr().out
    assert "Residents far from any street" in told
    assert "15.0%" in told
    assert target.is_file()
