"""The report of the generated city: the scorecard in four places, two builds of the same files."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from starlette.testclient import TestClient

from lifecircle.analysis.demo.build import build_springcity
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.scorecard_table import export_scorecard
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog import scorecard_document
from lifecircle.service.catalog.compare import compare_document
from lifecircle.service.figures import stamp
from lifecircle.service.report import report_page, report_workbook
from lifecircle.service.report.scorecard import scorecard_page
from lifecircle.service.wording import Words
from tests.pages.served import client
from tests.report.test_report import read

SCALE = 0.1
ROWS = 65


@pytest.fixture(scope="module")
def root(springcity_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated city of 2020 and 2025, the latter built twice from the same files."""
    folder = tmp_path_factory.mktemp("twice") / "workspace"
    shutil.copytree(springcity_runs, folder)
    build_springcity(Workspace(folder), scale=SCALE, before=False)
    return folder


@pytest.fixture(scope="module")
def run(root: Path) -> Run:
    return Workspace(root).open("springcity")


@pytest.fixture(scope="module")
def served(root: Path) -> TestClient:
    return client(root)


def test_the_scorecard_is_one_in_api_page_report_and_workbook(
    run: Run, root: Path, served: TestClient, tmp_path: Path
) -> None:
    others = Workspace(root).other_years(run)
    assert [one.manifest.year for one in others] == [2020]
    api = served.get("/areas/springcity/scorecard?f=json&lang=zh").json()["rows"]
    assert len(api) == ROWS
    page = report_page(run, ("zh",), others=others)
    printed = {row[0][0]: row for row in read(page).tables["scorecard"] if row}
    book = load_workbook(io.BytesIO(report_workbook(run, others=others)))["达标表"]
    heads = [cell.value for cell in book[1]]
    sheet = {row[0]: dict(zip(heads, row, strict=True)) for row in book.iter_rows(
        min_row=2, values_only=True)}  # fmt: skip
    document = scorecard_document(run, others=others, lang="zh")
    export_scorecard(document, tmp_path / "s.csv", "zh")
    with (tmp_path / "s.csv").open(encoding="utf-8-sig") as handle:
        table = {row["id"]: row for row in csv.DictReader(handle)}
    own_page, words = scorecard_page(run, document, "zh"), Words("zh")
    for row in api:
        exact = printed[row["id"]][3][1]
        assert number(exact) == row["value"]
        assert number(printed[row["id"]][2][1]) == row["target"]
        told = words.with_unit(row["value"], document["units"][row["unit"]], row["direction"])
        assert printed[row["id"]][3][0] == told
        assert sheet[row["id"]]["现值"] == row["value"]
        assert sheet[row["id"]]["判定"] == row["status"] == table[row["id"]]["status"]
        assert number(table[row["id"]]["value"]) == row["value"]
        if row["value"] is not None:
            assert f'"{row["value"]!r}"' in own_page
    assert {row["status"] for row in api} >= {"met", "not_met", "partly", "no_target"}
    assert any(row["value"] is None and row["status"] == "NOT_ASSESSED" for row in api)


def number(text: str) -> float | None:
    return None if text == "" else float(text)


def test_the_circles_of_the_scorecard_are_those_of_the_report(run: Run, served: TestClient) -> None:
    """A12 and A13 count the circles of their scope; without a scope they are the same figures."""
    report: dict[str, Any] = served.get("/areas/springcity/report?f=json").json()
    rows = {row["id"]: row for row in report["scorecard"]["rows"]}
    for name, kind in (("A12", "convenience"), ("A13", "fitness")):
        block = report["circles"]["circles"][kind]
        assert block["total"]["share"] is not None
        if not rows[name]["scope"]["units"]:
            assert rows[name]["value"] in (
                block["total"]["share"], block["all_at"]["total"]["share"],
            )  # fmt: skip


def test_two_builds_of_the_same_files_differ_in_nothing(root: Path) -> None:
    store = Workspace(root)
    _, *alike = store.runs("springcity")
    before, after = (store.open("springcity", name) for name in alike)
    document = compare_document(before, after, Question())
    assert document["changed"] is False
    assert document["policy_changed"] is False
    assert document["inputs_changed"] == []
    assert len(document["indicators"]) == ROWS
    assert all(row["change"] in (0, None) for row in document["indicators"])
    assert all(block["changed"] is False for block in document["services"])
    # pages of the two runs differ in the stamps of the runs only
    pages = []
    for run in (before, after):
        page = report_page(run, ("en",))
        made = stamp(run.manifest.created)
        pages.append(page.replace(run.manifest.run, "RUN").replace(made, "STAMP"))
    assert pages[0] == pages[1]


def test_five_years_of_change(root: Path) -> None:
    store = Workspace(root)
    before, after = (store.open("springcity", name) for name in store.runs("springcity")[:2])
    document = compare_document(before, after, Question())
    assert document["changed"] is True
    assert {row["in"] for row in document["inputs_changed"]} == {"from", "to"}
    assert any(row["changed"] for row in document["indicators"])
    assert any(block["total"]["gained"] for block in document["services"])
    for block in document["services"]:
        for row in (block["total"], *block["units"]):
            if row["gained"] is not None:
                assert row["gained"] - row["lost"] + row["moved"] == (
                    row["covered_to"] - row["covered_from"]
                )
    # the same question turned round: what was gained is lost, but for people who came or went
    back = compare_document(after, before, Question(service="health_centre"))["services"][0]
    there = next(b for b in document["services"] if b["service"] == "health_centre")
    assert back["total"]["P_change"] == -there["total"]["P_change"]
