"""The demo's two runs of springcity, 2020 and 2025: what changed is what the truth table says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog.compare import compare_document
from lifecircle.service.catalog.gaps import gaps_document


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
