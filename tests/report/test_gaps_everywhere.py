"""Gaps are the same on page, HTTP, command, report, workbook, file, layer and in Python."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import lifecircle as lc
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.export import export_layer
from lifecircle.analysis.results.layers.layers import layer_frame
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog import report_document
from lifecircle.service.maps.pages import Page, map_page
from lifecircle.service.report.page import report_page
from lifecircle.service.report.workbook import report_workbook
from tests.command.test_command import lifecircle
from tests.pages.map_pages import blocks, visible
from tests.pages.served import ask, client
from tests.worlds.capacity import capacity_policy, centre, city_with
from tests.worlds.tiny import tiny_run

SERVICE = "health_centre"
PLACES = (centre("h1", 500), centre("h2", 5000), centre("x", 2990, service="elder_care", beds=10))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    tiny_run(folder, policy=capacity_policy(100, 500), change=lambda _: city_with(*PLACES))
    return folder


@pytest.fixture(scope="module")
def run(root: Path) -> Run:
    return Workspace(root).open("tiny")


@pytest.fixture(scope="module")
def told(root: Path) -> dict[str, Any]:
    """What HTTP says."""
    return ask(client(root), "/areas/tiny/gaps", service=SERVICE)


def rows_of(document: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [row_of(feature["properties"]) for feature in document["features"]]


def row_of(row: Any) -> tuple[Any, ...]:
    names = ("gap", "residents", "reason", "unit_code", "unit_name", "region", "near")
    return tuple(row[name] for name in names)


def test_http_holds_both_lists_and_the_sums(told: dict[str, Any]) -> None:
    full = [f["properties"]["reason"] == "over_capacity" for f in told["features"]]
    assert full == sorted(full) and any(full) and not all(full)
    (sums,) = told["sums"]
    assert (sums["known"], sums["covered"]) == (1910, 1100)
    assert (sums["not_covered"], sums["reachable_full"], sums["served"]) == (810, 100, 1000)
    by_reason: dict[str, int] = {}
    for feature in told["features"]:
        row = feature["properties"]
        by_reason[row["reason"]] = by_reason.get(row["reason"], 0) + row["residents"]
    assert sums["reasons"] == by_reason
    assert told["by"] == "community" and told["group"] == "total"


def test_command_layer_file_and_python_agree(
    told: dict[str, Any], root: Path, run: Run, tmp_path: Path
) -> None:
    answer = lifecircle("gaps", "tiny", "--service", SERVICE, "--json", workspace=root)
    said = json.loads(answer.stdout)
    assert rows_of(said) == rows_of(told) and said["sums"] == told["sums"]
    frame = layer_frame(run, "gaps")
    mine = frame[frame["service"] == SERVICE].to_dict("records")
    assert [row_of(row) for row in mine] == rows_of(told)
    export_layer(run, "gaps", tmp_path / "gaps.geojson")
    written = json.loads((tmp_path / "gaps.geojson").read_text(encoding="utf-8"))["features"]
    kept = [f["properties"] for f in written if f["properties"]["service"] == SERVICE]
    assert [row_of(row) for row in kept] == rows_of(told)
    found = lc.open(root)["tiny"].gaps(SERVICE)
    assert [row_of(row) for row in found.to_dict("records")] == rows_of(told)
    assert found.attrs["sums"] == told["sums"]


def test_the_table_of_the_command_says_the_bridge(root: Path) -> None:
    table = lifecircle("gaps", "tiny", "--service", SERVICE, "--lang", "zh", workspace=root).stdout
    assert "走不到 810 + 走得到但已满 100 + 获得服务 1,000 = 全部居民 1,910 人" in table
    assert "设施已满的缺口（共 1 处）" in table
    whole = lifecircle(
        "gaps", "tiny", "--service", SERVICE, "--by", "none", "--json", workspace=root
    )
    assert json.loads(whole.stdout)["by"] == "none"


def test_the_page_agrees(told: dict[str, Any], run: Run) -> None:
    page = map_page(run, "gaps", Question(SERVICE), Page(mode="inline", lang="en"))
    drawn = [f["properties"] for f in blocks(page)["data_areas_gaps"]["features"]["features"]]
    assert [one["values"][-1] for one in drawn] == [row[0] for row in rows_of(told)]
    native = map_page(run, "gaps", Question(SERVICE), Page(mode="inline", lang="zh"))
    named = [
        f["properties"]["name"] for f in blocks(native)["data_areas_gaps"]["features"]["features"]
    ]
    for name, row in zip(named, rows_of(told), strict=True):
        assert row[4] is None or row[4] in name
        assert row[6] is None or row[6] in name
    text = visible(page)
    for words in ("Out of reach 810", "In reach, but full 100", "Residents served 1,000"):
        assert words in text
    assert "Out of reach 810 + in reach, but full 100 + served 1,000 = all 1,910 residents" in text
    assert "Gaps where facilities are full" in text
    whole = map_page(run, "gaps", Question(SERVICE, by="none"), Page(mode="linked", lang="en"))
    assert "by=none" in whole and 'href="coverage?service=health_centre&amp;walker' in whole


def test_report_and_workbook_agree(told: dict[str, Any], run: Run) -> None:
    document = report_document(run)["gaps"]
    mine = [row for row in document["rows"] if row["service"] == SERVICE]
    assert [row_of(row) for row in mine] == rows_of(told)
    (summed,) = [one for one in document["by_service"] if one["service"] == SERVICE]
    assert {name: summed[name] for name in told["sums"][0]} == told["sums"][0]
    assert summed["residents"] == 910 == summed["not_covered"] + summed["reachable_full"]
    page = report_page(run, ("en",))
    assert "Gaps where facilities are full" in page
    assert "Out of reach 810 + in reach, but full 100 + served 1,000 = all 1,910 residents" in page
    book = openpyxl.load_workbook(io.BytesIO(report_workbook(run, "en")), read_only=True)
    held = [[cell.value for cell in row] for row in book["Gaps"].iter_rows(min_row=2)]
    assert {row[1] for row in held if row[3] == SERVICE} == {row[0] for row in rows_of(told)}
