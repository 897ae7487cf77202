"""Search by what people type: characters, pinyin, initials, English."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifecircle.service.catalog import Names, search_document
from tests.http.served.test_scenario_served import place
from tests.measures.gaps.test_street_names import named
from tests.pages.map_pages import drawn_run
from tests.worlds.tiny import tiny_run


@pytest.fixture(scope="module")
def names() -> Names:
    return Names.of(drawn_run())


@pytest.mark.parametrize(
    "typed", ["一社区", "yishequ", "Yi She Qu", "ysq", "YSQ", "First", "first", "一社"]
)
def test_one_unit_in_every_spelling(names: Names, typed: str) -> None:
    found = search_document(names, typed)["hits"]
    assert found[0]["name"] == "一社区"
    assert (found[0]["kind"], found[0]["kind_title"]) == ("unit", "社区")
    west, south, east, north = found[0]["bbox"]
    assert west <= found[0]["lon"] <= east
    assert south <= found[0]["lat"] <= north


@pytest.mark.parametrize("typed", ["一心堂", "yixintang", "yxt"])
def test_a_facility_has_a_place_and_no_box(names: Names, typed: str) -> None:
    hit = search_document(names, typed, lang="en")["hits"][0]
    assert (hit["name"], hit["kind"], hit["bbox"]) == ("一心堂", "facility", None)
    assert hit["kind_title"] == "Pharmacy"


def test_nothing_is_found_where_nothing_is_said(names: Names) -> None:
    for typed in (" ", "…", "%", "zzzz", "<script>"):
        assert search_document(names, typed)["hits"] == []


def test_readings_that_depend_on_the_word() -> None:
    run = drawn_run()
    found = Names.of(run).find("chongqing")
    assert found == []
    from lifecircle.service.catalog.places.search import _spell

    assert "chongqinglu" in _spell("重庆路")
    assert "yinhangdasha" in _spell("银行大厦")


def test_a_service_is_found_by_its_title(names: Names) -> None:
    for typed in ("药店", "yaodian", "pharm"):
        hit = search_document(names, typed)["hits"][0]
        assert (hit["kind"], hit["id"], hit["lon"]) == ("service", "pharmacy", None)


@pytest.mark.parametrize("typed", ["环城路", "huanchenglu", "hcl", "Ring road", "ring"])
def test_a_street_in_every_spelling(tmp_path: Path, typed: str) -> None:
    run = tiny_run(tmp_path, change=named)
    hit = search_document(Names.of(run), typed, lang="en")["hits"][0]
    assert (hit["kind"], hit["name"], hit["kind_title"]) == ("street", "环城路", "Street")
    assert hit["name_en"] == "Ring Road"
    west, _, east, _ = hit["bbox"]
    assert (west, east) == pytest.approx((place(4000, 0)[0], place(5000, 0)[0]), abs=1e-5)
    assert west <= hit["lon"] <= east
