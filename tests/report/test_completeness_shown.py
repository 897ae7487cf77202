"""What two lists both miss is shown by unit: JSON, page and workbook; figures by hand."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from openpyxl import load_workbook

from lifecircle.analysis.measures.question import Question
from lifecircle.service.catalog.coverage import coverage_document
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.scenes.coverage import coverage_scene
from lifecircle.service.report.workbook import report_workbook
from lifecircle.service.wording import Words
from tests.measures.test_rests_on import two_lists
from tests.worlds.tiny import tiny_run

MISSED = pytest.approx(11 * 13 / 8 - 1 - 15)  # tags name 10, the list 12, 7 are in both: 1.875


def test_by_unit_in_json_page_and_workbook(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, change=lambda _: two_lists(shared=7, tagged=3, listed=5))
    found = coverage_document(run, Question("pharmacy"))["completeness"]
    assert (found["mapped"], found["listed"], found["both"]) == (10, 12, 7)
    assert (found["known"], found["missed"]) == (15, MISSED)
    assert [(one["code"], one["missed"]) for one in found["units"]] == [("C1", MISSED)]
    assert found["missed_low"] < found["missed"] < found["missed_high"]
    told = Words("zh", "map").missed(found)
    assert told is not None and told.startswith("约 2 处")

    scene = coverage_scene(Ask(run, "coverage", Question("pharmacy"), "zh", "linked"), "pharmacy")
    facts = {fact.label: fact.value for fact in scene.view["facts"]}
    assert facts["两份清单均遗漏的设施（估计）"] == told

    book = load_workbook(io.BytesIO(report_workbook(run, "zh")))
    heads, *rows = book["覆盖率（分单元）"].iter_rows(values_only=True)
    service, code, missed = (
        heads.index(name) for name in ("服务代码", "单元代码", "两份清单均遗漏的设施（估计）")
    )
    by_unit = {row[code]: row[missed] for row in rows if row[service] == "pharmacy"}
    assert by_unit.pop("C1") == MISSED
    assert by_unit.pop(None, by_unit.pop("", None)) == MISSED  # the whole
    assert set(by_unit.values()) == {None}


def test_too_few_in_both_says_how_many_and_estimates_nothing(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, change=lambda _: two_lists(shared=2, tagged=8, listed=9))
    found = coverage_document(run, Question("pharmacy"))["completeness"]
    assert (found["both"], found["missed"], found["units"]) == (2, None, [])
    assert coverage_document(run, Question("health_centre"))["completeness"] is None
