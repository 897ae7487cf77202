"""Sequences of edits on the generated city: page's question, command and rebuild agree.

With ``LIFECIRCLE_WHOLE=1`` 40 sequences, as docs/scenarios.md tells.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.demo.samples import SpringCityFiles
from lifecircle.analysis.measures.catchments.catchments import Catchments
from lifecircle.analysis.measures.catchments.kept import default_catchments
from lifecircle.analysis.measures.catchments.population_rule import population_rule
from lifecircle.analysis.measures.circles import circles
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.scorecard.card import scorecard
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.app import create_app
from lifecircle.service.settings import Settings
from tests.command.run import lifecircle
from tests.edits.springcity_rebuild import Town, draw_edits

CIRCLE = ("complete", "incomplete", "not_assessed", "share")
SEQUENCES = 40 if os.environ.get("LIFECIRCLE_WHOLE") else 1


@pytest.fixture(scope="module")
def town(springcity: SpringCityFiles, tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(springcity, tmp_path_factory.mktemp("sequences"))


@pytest.fixture(scope="module")
def served(springcity_runs: Path) -> TestClient:
    app = create_app(Settings(workspace=springcity_runs))
    return TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000))


def figures_of(study: Study) -> dict[str, Any]:
    """Every figure of a study that a scenario tells, by what it is called there."""
    study = Study(study.city, study.travel, study.policy, default_catchments(study))
    card = scorecard(study)
    found: dict[str, Any] = {
        f"promise {row.row.id}": (row.figure.value, row.status) for row in card.rows
    }
    for service in study.policy.services:
        told = coverage(study, Question(service)).total
        found[f"service {service}"] = (told.residents, told.covered, told.P)
    for kind in study.policy.circles:
        told = circles(study, Question(), kind=kind)
        for row in (told.total, *told.units):
            found[f"circle {kind} {row.code}"] = tuple(getattr(row, name) for name in CIRCLE)
    rule = population_rule(study)
    assert rule is not None
    found["rule"] = {row.code: (row.state, row.residents, row.government) for row in rule.rows}
    names = study.city.facilities.id
    for service, one in study.catchments.items():
        assert isinstance(one, Catchments)
        for kind in ("natural", "balanced"):
            solved = getattr(one, kind)
            loads = {str(names[c.facility]): (c.load, c.state) for c in solved.centres}
            found[f"{kind} {service}"] = (loads, solved.served, solved.unreachable)
    return found


def figures_told(document: dict[str, Any], side: str) -> dict[str, Any]:
    """The figures of one side of a scenario's answer."""
    found: dict[str, Any] = {
        f"promise {row['id']}": (row[f"value_{side}"], row[f"status_{side}"])
        for row in document["scorecard"]
    }
    for row in document["services"]:
        found[f"service {row['service']}"] = tuple(
            row[f"{name}_{side}"] for name in ("residents", "covered", "P")
        )
    for kind, one in document["circles"].items():
        for row in ({**one["total"], "code": TOTAL}, *one["units"]):
            found[f"circle {kind} {row['code']}"] = tuple(row[f"{name}_{side}"] for name in CIRCLE)
    names = ("state", "residents", "government")
    found["rule"] = {
        row["code"]: tuple(row[f"{name}_{side}"] for name in names)
        for row in document["rule"]["units"]
    }
    for one in document["catchments"]:
        for kind in ("natural", "balanced"):
            solved = one[kind]
            loads = {
                c["facility"]: (c[f"load_{side}"], c[f"state_{side}"])
                for c in solved["centres"]
                if c[f"load_{side}"] is not None
            }
            sums = (solved[f"served_{side}"], solved[f"unreachable_{side}"])
            found[f"{kind} {one['service']}"] = (loads, *sums)
    return found


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_answer_is_that_of_files_with_the_edits_written_into_them(
    seed: int, town: Town, served: TestClient, springcity_runs: Path, tmp_path: Path
) -> None:
    edits = draw_edits(random.Random(seed), town)
    body = {"edits": edits, "walker": "adult", "changed_cells": True}
    answer = served.post("/areas/springcity/scenario", json=body)  # as the desk asks
    assert answer.status_code == 200, answer.text
    document = answer.json()
    plain = served.post("/areas/springcity/scenario", json={"edits": edits}).json()
    assert {**document, "changed_cells": None} == plain
    if seed % 4 == 0:  # the command opens the workspace each time
        file, out = tmp_path / "edits.json", tmp_path / "told.json"
        file.write_text(json.dumps(edits), encoding="utf-8")
        done = lifecircle("scenario", "springcity", file, "--out", out, workspace=springcity_runs)
        assert done.returncode == 0, done.stderr
        told = json.loads(out.read_text(encoding="utf-8"))
        for part in ("services", "catchments", "rule", "circles", "scorecard", "winners", "losers"):
            assert told[part] == plain[part], part
    rebuilt = figures_of(town.build(edits, f"sequence-{seed}"))
    before = figures_of(town.study)
    after = figures_told(document, "after")
    for name, figure in after.items():
        assert rebuilt[name] == figure, (name, edits)
    for name, figure in figures_told(document, "before").items():
        assert before[name] == figure, (name, edits)
    for name in rebuilt.keys() - after.keys():  # what no answer names stays as it was
        assert rebuilt[name] == before[name], (name, edits)


def test_runs_are_of_the_same_files(town: Town, springcity_runs: Path) -> None:
    """The run that is asked is the one that the files make."""
    run = Workspace(springcity_runs).open("springcity")
    assert run.travel.cell_cm.tolist() == town.study.travel.cell_cm.tolist()
