"""What answers rest on, and how many places two lists both miss: figures by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.analysis.city.extents import extents_of, find_units
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.notes import BuildNotes, SamePlace, Spread
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.completeness import chapman, completeness
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.rests_on import FOLD, SEVERITIES, Rest, by_share, rests_on
from lifecircle.analysis.policy.sections.doubts import doubts
from lifecircle.analysis.texts import LANGUAGES
from lifecircle.service.catalog.rests import folded_rests, rests_document, rests_of_row
from tests.worlds.parts import study_of
from tests.worlds.tiny import Place, tiny_city, tiny_policy, tiny_travel

POLICY = tiny_policy()
CITY = tiny_city()
TRAVEL = tiny_travel(CITY)


def by_tags(city: City) -> City:
    """The same places, all of them known from tags."""
    source = np.full(len(city.facilities), "osm", dtype=object)
    return replace(city, facilities=replace(city.facilities, source=source))


def keys(city: City, service: str, **more: int) -> list[tuple[str, str]]:
    found = rests_on(study_of(city, POLICY, travel=TRAVEL), Question(service), **more)
    return [(one.severity, one.warn.key) for one in found]


def test_a_surveyed_list_rests_on_nothing() -> None:
    assert keys(CITY, "health_centre") == []


def test_tags_alone_say_which_way_p_is_wrong() -> None:
    city = by_tags(CITY)
    # labelled (docs/tags.md): pharmacies 100 % and 98 %, pools 100 % and little found, indoor
    # fitness 100 % of those called, 68 % of the true ones
    assert keys(city, "pharmacy") == [("weighty", "rest_tags_lower")]
    assert keys(city, "fitness_indoor") == [("serious", "rest_tags_lower")]
    declared = replace(city, surveyed=frozenset({"pharmacy"}))
    assert keys(declared, "pharmacy") == []


def test_a_list_of_some_units_stands_first_by_its_share() -> None:
    named = {"pharmacy": find_units(["C2"], CITY.units, "pharmacy")}
    city = replace(CITY, extents=extents_of(named, {}, CITY.units))
    # 1,210 of 1,910 live outside C2; 10 at the edge are less than a hundredth
    assert keys(city, "pharmacy", edge=10) == [
        ("serious", "list_extent"), ("minor", "edge_of_list")]  # fmt: skip


def test_few_places_for_many_residents() -> None:
    cells = replace(CITY.cells, residents=CITY.cells.residents * 1000)  # 1,910,000
    city = replace(CITY, cells=cells)
    assert keys(city, "convenience_store") == [("serious", "rest_few")]  # two of them
    assert keys(replace(city, surveyed=frozenset({"convenience_store"})), "convenience_store") == []


def test_modelled_residents_weigh_by_how_many_another_way_would_move() -> None:
    modelled = np.zeros(len(CITY.cells), dtype=np.bool_)
    modelled[:4] = True  # 1,000 of 1,910
    city = replace(CITY, cells=replace(CITY.cells, modelled=modelled))
    assert keys(city, "pharmacy") == [("weighty", "rest_modelled")]
    spread = (Spread("C1", "community", 1000, "buildings", "land", 600),)
    noted = replace(city, notes=replace(city.notes, spread=spread))
    assert keys(noted, "pharmacy") == [("serious", "rest_modelled_compared")]  # 0.6 * 0.52 = 0.31
    calm = replace(noted, notes=BuildNotes(spread=(replace(spread[0], moved=100),)))
    assert keys(calm, "pharmacy") == [("weighty", "rest_modelled_compared")]  # 0.05


def test_what_the_build_noticed_of_datums_and_streets_is_told_again() -> None:
    noticed = (
        Warn("file_remark", {"remark_zh": "某", "remark_en": "x", "fault": "placed_datum"}),
        Warn("file_remark", {"remark_zh": "某", "remark_en": "x", "fault": "osm_dropped"}),
        Warn("residents_on_islands", {"residents": 1, "count": 1}),
    )
    assert keys(replace(CITY, warnings=noticed), "pharmacy") == [
        ("serious", "file_remark"), ("weighty", "file_remark")]  # fmt: skip


def test_the_most_serious_stand_before_the_fold_in_both_languages() -> None:
    many = tuple(
        Warn("file_remark", {"remark_zh": f"某{i}", "remark_en": f"x{i}", "fault": fault})
        for i, fault in enumerate(("osm_dropped",) * 5 + ("placed_datum",))
    )
    study = study_of(replace(CITY, warnings=many), POLICY, travel=TRAVEL)
    lines = rests_document(study, Question("pharmacy"))
    for lang in LANGUAGES:
        shown, folded = folded_rests(lines, lang)
        assert (len(shown), len(folded)) == (FOLD, 1)
        assert shown[0]["text"] == {"zh": "某5", "en": "x5"}[lang]
        assert folded_rests(lines, lang, of_service=True) == ([], [])


def test_shares_weigh_by_the_packaged_numbers() -> None:
    told, serious = doubts().share_told.value, doubts().share_serious.value
    assert [by_share(x) for x in (0.0, told, serious, 1.0)] == [
        "minor", "weighty", "serious", "serious"]  # fmt: skip
    assert SEVERITIES == ("serious", "weighty", "minor")
    assert isinstance(Rest("minor", Warn("no_way")), Rest)


def test_a_promise_rests_on_what_its_services_rest_on() -> None:
    class Reading:
        any_of = ("pharmacy", "fitness_indoor")
        service = None

    class Row:
        readings = {"P": Reading(), "again": Reading()}  # noqa: RUF012

    study = study_of(by_tags(CITY), POLICY, travel=TRAVEL)
    lines = rests_of_row(study, Row())  # type: ignore[arg-type]
    assert [(line["severity"], line["key"]) for line in lines] == [
        ("serious", "rest_tags_lower"), ("weighty", "rest_tags_lower")]  # fmt: skip


# ---- two lists ------------------------------------------------------------------------------


def test_chapman_by_hand() -> None:
    # 21 * 31 / 15 - 1 = 42.4; 36 known, 6.4 missed; variance 21*31*6*16 / (225*16) = 17.36;
    # sqrt(ln(1 + 17.36 / 40.96)) = 0.59443, times 1.96 is a factor of 3.2063
    found = chapman(20, 30, 14)
    assert found.total == pytest.approx(42.4)
    assert found.known == 36 and found.missed == pytest.approx(6.4)
    assert found.low == pytest.approx(36 + 6.4 / 3.2063, abs=1e-3)
    assert found.high == pytest.approx(36 + 6.4 * 3.2063, abs=1e-3)
    same = chapman(5, 5, 5)
    assert (same.total, same.low, same.high) == (5.0, 5.0, 5.0)


@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_an_estimate_is_never_below_what_is_known(
    mapped: int, listed: int, data: st.DataObject
) -> None:
    both = data.draw(st.integers(0, min(mapped, listed)))
    found = chapman(mapped, listed, both)
    assert found.known - 1e-9 <= found.low <= found.total + 1e-9 <= found.high + 1e-9
    assert math.isclose(chapman(listed, mapped, both).total, found.total)


def two_lists(shared: int, tagged: int, listed: int) -> City:
    """Pharmacies in C1: `shared` in both lists, more in one of them alone."""
    count = shared + tagged + listed
    places = [Place(f"p{i:02}", "pharmacy", 100 + 10 * i, -20, f"药房{i}") for i in range(count)]
    city = tiny_city(places=places)
    source = np.array(["osm" if i < tagged else "bureau.csv" for i in range(count)], dtype=object)
    merged = tuple(
        SamePlace(
            "merged", "pharmacy", f"p{i:02}", None, "bureau.csv", f"n{i}", None, "osm",
            "same_name", 5.0, 1.0, (), 0.0, 0.0,
        )
        for i in range(tagged, tagged + shared)
    )  # fmt: skip
    return replace(
        city,
        facilities=replace(city.facilities, source=source),
        notes=replace(city.notes, same_places=merged),
    )


def test_two_lists_are_counted_where_both_cover() -> None:
    city = two_lists(shared=7, tagged=3, listed=5)  # tags name 10, the list 12
    study = study_of(city, POLICY)
    found = completeness(study, "pharmacy")
    assert found is not None and found.whole is not None
    assert (found.mapped, found.listed, found.both) == (10, 12, 7)
    assert found.whole.total == pytest.approx(11 * 13 / 8 - 1)  # 16.875, 15 known
    assert [CITY.units.code[one.unit] for one in found.units] == ["C1"]  # seven are enough
    rest = rests_on(study, Question("pharmacy"))
    # 1.875 of 16.875 are 11 %
    assert [(one.severity, one.warn.key) for one in rest] == [("weighty", "rest_incomplete")]
    assert rest[0].warn.params["missed"] == 2
    elsewhere = {"pharmacy": find_units(["C3"], city.units, "pharmacy")}
    cut = replace(city, extents=extents_of(elsewhere, {}, city.units))
    assert completeness(study_of(cut, POLICY), "pharmacy") is None


def test_too_small_an_overlap_says_so_and_nothing_more() -> None:
    study = study_of(two_lists(shared=2, tagged=8, listed=9), POLICY)
    found = completeness(study, "pharmacy")
    assert found is not None and found.whole is None and found.units == ()
    assert [one.warn.key for one in rests_on(study, Question("pharmacy"))] == ["rest_overlap_small"]


def test_one_list_alone_estimates_nothing() -> None:
    assert completeness(study_of(CITY, POLICY, travel=TRAVEL), "pharmacy") is None
    assert completeness(study_of(by_tags(CITY), POLICY, travel=TRAVEL), "pharmacy") is None


def test_illustrative_residents_and_rows_of_exports_are_doubts() -> None:
    reckoned = Warn(
        "residents_from_buildings", {"residents": 1910, "floor_m2": 30.0, "buildings": 9}
    )
    found = keys(replace(CITY, warnings=(reckoned,)), "health_centre")
    assert found == [("serious", "residents_from_buildings")]
    source = np.full(len(CITY.facilities), "osm_export", dtype=object)
    city = replace(CITY, facilities=replace(CITY.facilities, source=source))
    assert keys(city, "pharmacy") == [("weighty", "rest_tags_lower")]


def test_a_study_works_its_doubts_out_once() -> None:
    study = study_of(by_tags(CITY), POLICY, travel=TRAVEL)
    first = rests_document(study, Question("pharmacy"))
    assert rests_document(study, Question("pharmacy")) == first
    assert rests_document(study, Question("pharmacy"))[0] is first[0]
    assert rests_document(study, Question("pharmacy", group="65"))[0] is not first[0]
    first.clear()
    assert rests_document(study, Question("pharmacy"))
