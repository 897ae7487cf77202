"""The demo's two runs of springcity, 2020 and 2025: what changed is what the truth table says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from openpyxl import load_workbook

from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.samples import SpringCityFiles
from lifecircle.analysis.errors import Language, ParameterError, UnknownNameError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.residents import sums_by
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.tables.population_and_facilities import read_population
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.scorecard_table import export_scorecard
from lifecircle.analysis.results.store import Workspace, latest_of_years
from lifecircle.service.catalog.compare import compare_document
from lifecircle.service.catalog.gaps import gaps_document
from lifecircle.service.catalog.scorecard import scorecard_document
from lifecircle.service.catalog.siting.task import SitingTask
from lifecircle.service.catalog.years.growth import growth_document
from lifecircle.service.catalog.years.staged import stages_document, years_of
from lifecircle.service.report.scorecard import scorecard_page
from lifecircle.service.report.stages import stages_page

WGS84 = Declarations(Declaration(datum="wgs84"))


@pytest.fixture(scope="module")
def runs(springcity_runs: Path) -> tuple[Run, Run]:
    store = Workspace(springcity_runs)
    names = store.runs("springcity")
    assert len(names) == 2
    latest = store.open("springcity")
    assert latest.manifest.run == names[-1]
    return store.open("springcity", names[0]), latest


@pytest.fixture(scope="module")
def changes(runs: tuple[Run, Run]) -> dict[str, Any]:
    return compare_document(*runs, Question(), lang="zh")


def test_the_runs_say_which_year_they_are_of(runs: tuple[Run, Run]) -> None:
    assert [run.manifest.title.zh for run in runs] == [
        "示范市2020年（合成数据）",
        "示范市（合成数据）",
    ]
    assert all(run.manifest.synthetic for run in runs)
    assert runs[0].manifest.residents < runs[1].manifest.residents == 1_000_000


def test_streets_are_the_same_and_people_places_and_figures_are_not(
    changes: dict[str, Any],
) -> None:
    assert changes["changed"] is True
    assert changes["policy_changed"] is False
    assert changes["residents_in_matched_cells"] == 1.0
    roles = {one["role"] for one in changes["inputs_changed"]}
    assert roles == {"population", "units", "facilities", "statistics"}


def test_covered_residents_gained_are_those_of_the_truth_table(
    changes: dict[str, Any], springcity_truth: dict[str, Any]
) -> None:
    seen = 0
    for block in changes["services"]:
        name, minutes = block["service"], f"{block['minutes']:g}"
        if name not in springcity_truth["covered"]:
            continue
        now = springcity_truth["covered"][name][minutes]
        old = springcity_truth["before"]["covered"][name][minutes]
        total = block["total"]
        assert abs(total["covered_from"] - old["residents"]) <= old["doubt"], name
        assert abs(total["covered_to"] - now["residents"]) <= now["doubt"], name
        assert total["gained"] - total["lost"] + total["moved"] == (
            total["covered_to"] - total["covered_from"]
        )
        seen += 1
    assert seen >= 40


def test_rows_move_as_planted(changes: dict[str, Any], springcity_truth: dict[str, Any]) -> None:
    found = {row["id"]: row for row in changes["indicators"]}
    for name in ("A05", "B01", "B03", "B04", "B05", "B11"):
        told = springcity_truth["rows"][name]
        now = told["readings"][told["headline"]]["value"]
        old = springcity_truth["before"]["rows"][name]["readings"][told["headline"]]["value"]
        assert found[name]["change"] == pytest.approx(now - old), name
        assert now > old


def test_there_is_a_gap_for_every_reason(
    runs: tuple[Run, Run], springcity_truth: dict[str, Any]
) -> None:
    """Each planted gap is found with its residents, the hill village within a gap of its reason."""
    _, run = runs
    for told in springcity_truth["gaps"]:
        found = [
            feature["properties"]
            for feature in gaps_document(run, Question(service=told["service"]))["features"]
            if feature["properties"]["reason"] == told["reason"]
        ]
        residents = [one["residents"] for one in found]
        if told["reason"] == "no_facility":
            assert told["residents"] == sum(residents)
        elif told["reason"] in {"cut_off", "unsnapped"}:
            assert told["residents"] == sum(residents), told["reason"]
        else:
            assert told["residents"] in residents, told["reason"]


@pytest.fixture(scope="module")
def card(runs: tuple[Run, Run]) -> dict[str, Any]:
    return scorecard_document(runs[1], level="subdistrict", others=[runs[0]])


def test_an_increase_is_held_against_the_earlier_year(
    runs: tuple[Run, Run], card: dict[str, Any], springcity_truth: dict[str, Any]
) -> None:
    told = {row["id"]: row for row in card["rows"]}["A28"]
    planted = springcity_truth["increases"]["A28"]
    assert planted == {
        "before": "2020", "grown": {"P5": True, "places": False}, "status": "partly",
    }  # fmt: skip
    assert told["status"] == planted["status"]
    assert told["before"]["year"] == 2020
    for name, old in told["before"]["readings"].items():
        assert (told["readings"][name] > old) is planted["grown"][name], name
        then = springcity_truth["before"]["rows"]["A28"]["readings"][name]
        assert old == pytest.approx(then["value"], abs=then.get("doubt", 0) / 1e5), name
    alone = {row["id"]: row for row in scorecard_document(runs[0])["rows"]}["A28"]
    assert (alone["status"], alone["before"]) == ("NOT_ASSESSED", None)
    assert [one["kind"] for one in alone["missing"]] == ["earlier_run"]
    assert alone["value"] is not None


def test_every_row_has_its_course_over_the_years(
    runs: tuple[Run, Run], card: dict[str, Any]
) -> None:
    assert [(one["year"], one["run"]) for one in card["years"]] == [
        (2020, runs[0].manifest.run), (2025, runs[1].manifest.run),
    ]  # fmt: skip
    assert card["run_year"] == 2025
    old = {row["id"]: row for row in scorecard_document(runs[0], level="subdistrict")["rows"]}
    for row in card["rows"]:
        was, now = row["trend"]
        assert (was["value"], was["lower"]) == (old[row["id"]]["value"], old[row["id"]]["lower"])
        assert (now["value"], now["status"]) == (row["value"], row["status"])
        then = {unit["code"]: unit["value"] for unit in old[row["id"]]["by_unit"]}
        for unit in row["by_unit"]:
            assert unit["trend"] == [
                {"year": 2020, "value": then[unit["code"]]},
                {"year": 2025, "value": unit["value"]},
            ]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_and_the_tables_tell_the_years(
    runs: tuple[Run, Run], card: dict[str, Any], lang: Language, tmp_path: Path
) -> None:
    page = scorecard_page(runs[1], card, lang)
    assert {"zh": "早于目标年", "en": "before the target year"}[lang] in page
    assert {"zh": "期末评估", "en": "final assessment"}[lang] in page
    export_scorecard(card, tmp_path / "card.xlsx", lang)
    book = load_workbook(tmp_path / "card.xlsx", read_only=True)
    first, second = (list(sheet.values) for sheet in book.worksheets)
    row = next(row for row in first if row[0] == "B01")
    values = [one["value"] for one in next(r for r in card["rows"] if r["id"] == "B01")["trend"]]
    assert any(f"2020 = {values[0]!r}" in str(cell) for cell in row)
    assert any(str(line[0]).startswith("B01 · ") and "2025 = " in str(line[1]) for line in second)


def test_a_run_says_its_year_and_the_last_of_each_counts(runs: tuple[Run, Run]) -> None:
    old, new = (run.manifest for run in runs)
    assert (old.year, new.year) == (2020, 2025)
    assert replace(new, parameters={}).year == int(new.created[:4])
    years = {"a": 2020, "b": 2025, "c": 2020, "d": 2026, "e": 2025}
    assert latest_of_years(years, "b") == ("c", "d")
    assert latest_of_years(years, "d") == ("c", "e")


def test_later_years_are_conserved_to_the_person(
    springcity: SpringCityFiles, springcity_truth: dict[str, Any]
) -> None:
    assert springcity.years is not None
    for year, held in springcity_truth["years"].items():
        table = read_population(springcity.years, WGS84, int(year))
        assert int(table.residents.sum()) == held["residents"]
    year, told = 2030, springcity_truth["years"]["2030"]
    _, _, city, _ = analyse_city(springcity_request(springcity, year=year))
    assert int(city.cells.residents.sum()) == told["residents"]
    assert int(city.cells.groups["65"].value.sum()) == told["pop_65"]
    assert int(city.cells.groups["0_3"].value.sum()) == told["pop_0_3"]
    level = city.units.of_level("subdistrict")
    summed = sums_by(city.cells.unit["subdistrict"], len(city.units.code), city.cells.residents)
    assert {str(city.units.code[i]): int(summed[i]) for i in level} == told["subdistrict"]
    held = {str(one) for one in city.cells.id if str(one).startswith("new/")}
    assert held == {f"new/{estate}" for estate in told["moved_in"]}
    assert len(held) == 4


def test_growth_by_unit(runs: tuple[Run, Run], springcity_truth: dict[str, Any]) -> None:
    found = growth_document(runs[1], [runs[0]], by="subdistrict")
    assert found["total"]["residents"] == {
        "2020": springcity_truth["before"]["residents"], "2025": 1_000_000,
    }  # fmt: skip
    now = springcity_truth["unit_residents"]["subdistrict"]
    assert {row["code"]: row["residents"]["2025"] for row in found["units"]} == now
    for row in (found["total"], *found["units"]):
        old, new = row["residents"]["2020"], row["residents"]["2025"]
        assert row["change"] == new - old > 0
        assert row["growth"] == pytest.approx(new / old - 1)
    older = growth_document(runs[1], [runs[0]], by="subdistrict", group="65")
    assert older["total"]["residents"]["2025"] == springcity_truth["pop_65"]


def test_a_year_names_its_latest_run(springcity_runs: Path, runs: tuple[Run, Run]) -> None:
    store = Workspace(springcity_runs)
    assert store.run_of_year("springcity", 2020) == runs[0].manifest.run
    with pytest.raises(UnknownNameError) as caught:
        store.run_of_year("springcity", 2031)
    assert "2020" in caught.value.text("zh")


def test_places_by_stages_keep_their_bounds_and_every_resident(
    runs: tuple[Run, Run],
) -> None:
    question, task = Question("health_centre"), SitingTask(2, None, "capacity", "places")
    found = stages_document(runs, question, task, per_stage=1, most_sets=12)
    assert [one["opens"] for one in found["proposals"]] == [2020, 2025]
    for run, stage in zip(runs, found["stages"], strict=True):
        loads = [row["load"] for row in stage["centres"]]
        assert stage["served"] == sum(loads)
        assert stage["served"] + stage["unserved"] == run.manifest.residents
        assert all(row["load"] <= row["maximum"] for row in stage["centres"])
        assert stage["unserved"] < stage["unserved_before"]
    first, last = ({r["id"] for r in s["centres"] if r["new"]} for s in found["stages"])
    assert first < last
    assert found["bound"] <= found["unserved"]
    assert found["unserved"] == sum(stage["unserved"] for stage in found["stages"])
    for lang, heading in (("zh", "建设顺序"), ("en", "Order of opening")):
        page = stages_page(runs[-1], found, cast(Language, lang))
        assert heading in page
        assert f"{found['stages'][0]['served']:,}" in page
        centre = found["stages"][0]["centres"][0]
        assert centre["name" if lang == "zh" else "name_en"] in page
        assert lang == "zh" or centre["name"] not in page


def test_stages_need_years_of_their_own(runs: tuple[Run, Run]) -> None:
    task = SitingTask(1, None, "capacity", "places")
    with pytest.raises(ParameterError):
        stages_document(runs[:1], Question("health_centre"), task)
    assert years_of("2030,2025") == [2025, 2030]
    for text in ("2025", "2025,2025", "a,b"):
        with pytest.raises(ParameterError):
            years_of(text)
