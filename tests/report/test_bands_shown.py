"""Bands kept with a run stand beside the figures they are of, everywhere, and nowhere else."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

import lifecircle as lc
from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.policy.sections.robustness import ranges
from lifecircle.analysis.results.bands import bands_stamp, file_of, kept_cells, kept_document
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.analysis.results.upkeep import prune
from lifecircle.service.catalog import coverage_document, scorecard_document
from lifecircle.service.catalog.circles import circles_document
from lifecircle.service.catalog.firm import robustness as firm
from lifecircle.service.catalog.firm.robustness import RobustnessTask, robustness_document
from lifecircle.service.cli import app
from lifecircle.service.figures import percent_span
from lifecircle.service.maps.pages import Page, map_page
from lifecircle.service.report import report_page, report_workbook
from lifecircle.service.report.firm import told_firm
from lifecircle.service.report.scorecard import scorecard_page
from lifecircle.service.wording import Words
from tests.pages.served import ask, client

DRAWS = 12


@contextmanager
def few_kept() -> Iterator[None]:
    """Bands of few draws are kept, too, which is enough to tell them."""
    told = ranges()
    few = replace(told, kept_least=replace(told.kept_least, value=DRAWS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(firm, "ranges", lambda: few)
        yield


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The tiny town, with nothing kept before or after a test."""
    return lc.tiny_town(tmp_path_factory.mktemp("bare")).run


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The tiny town with bands kept."""
    run = lc.tiny_town(tmp_path_factory.mktemp("bands")).run
    with few_kept():
        robustness_document(run, Question(), RobustnessTask(DRAWS, 3, lists=False, keep=True))
    assert kept_document(run) is not None
    return run


def pharmacy(run: Run) -> dict[str, Any]:
    found = kept_document(run)
    assert found is not None
    return next(one for one in found["services"] if one["service"] == "pharmacy")


def test_documents_tell_the_band_beside_its_own_figure_and_no_other(town: Run) -> None:
    kept = pharmacy(town)
    block = coverage_document(town, Question("pharmacy"))
    total = block["total"]
    assert (total["P"], total["P_low"], total["P_high"]) == tuple(
        kept["P"][end] for end in ("value", "low", "high")
    )
    assert total["P_low"] < total["P_high"]
    assert block["bands"]["draws"] == DRAWS
    of_unit = {one["code"]: one["P"] for one in kept["units"]}
    for row in block["units"]:
        assert (row["P_low"], row["P_high"]) == (
            of_unit[row["code"]]["low"],
            of_unit[row["code"]]["high"],
        )
    for other in (
        Question("pharmacy", minutes=7),
        Question("pharmacy", walker="older"),
        Question("pharmacy", group="65"),
        Question("pharmacy", at="Sa 10:00"),
    ):
        answer = coverage_document(town, other)
        assert answer["bands"] is None, other
        assert {row["P_low"] for row in (answer["total"], *answer["units"])} == {None}


def test_rows_and_circles_tell_theirs_only_under_the_settings_they_are_of(town: Run) -> None:
    kept = kept_document(town)
    assert kept is not None
    rows = {one["id"]: one for one in kept["rows"]}
    for row in scorecard_document(town)["rows"]:
        band = row["band"]
        assert (band is None) == (row["status"] == "NOT_ASSESSED")
        if band is not None:
            assert band["holds"] == rows[row["id"]]["holds"]
    name = next(iter(town.policy.scorecard.settings))  # type: ignore[union-attr]
    other = next(one for one in scorecard_document(town)["settings"] if one["setting"] == name)[
        "choices"
    ][-1]["id"]
    turned = scorecard_document(town, settings={name: other})
    assert {row["band"] is None for row in turned["rows"]} == {True}
    for block in circles_document(town, Question())["circles"].values():
        share = block["total"]["share"]
        assert (block["band"] is None) == (share is None)
    for block in circles_document(town, Question(minutes=9))["circles"].values():
        assert block["band"] is None


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_report_has_a_page_of_verdicts_that_fall_and_a_sheet_of_all(
    town: Run, bare: Run, lang: Any
) -> None:
    kept = kept_document(town)
    assert kept is not None
    assessed = [one for one in kept["rows"] if one["holds"] is not None]
    words, page = firm.FirmWords.of(kept, lang), report_page(town, (lang,))
    (section,) = re.findall(r'<section class="firm">.*?</section>', page, re.S)
    same = [one["id"] for one in assessed if one["holds"] == DRAWS]
    assert words("firm_ones", ids=words.listed(same), draws=DRAWS) in section
    turned = [{**assessed[0], "id": f"X{k}", "holds": DRAWS - 1 - k} for k in range(3)]
    told = told_firm({**kept, "rows": [*turned, *assessed]}, words)
    assert [row[0].told for row in told["rows"]] == ["X2", "X1", "X0"]
    assert [row[3].value for row in told["rows"]] == [DRAWS - 3, DRAWS - 2, DRAWS - 1]
    assert told["firm"] == words("firm_ones", ids=words.listed(same), draws=DRAWS)
    book = load_workbook(io.BytesIO(report_workbook(town, lang)))
    sheet = book[Words(lang, "report")("firm")]
    written = {row[0]: row for row in list(sheet.values)[1:]}
    assert list(written) == [one["id"] for one in assessed]
    for one in assessed:
        assert written[one["id"]][3] == one["holds"]
        assert written[one["id"]][5] == "\n".join(words.flips(one))
    assert 'class="firm"' not in report_page(bare, (lang,))
    assert (
        Words(lang, "report")("firm")
        not in load_workbook(io.BytesIO(report_workbook(bare, lang))).sheetnames
    )


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_report_and_workbook_show_it(town: Run, lang: Any) -> None:
    total = coverage_document(town, Question("pharmacy"))["total"]
    band = percent_span(total["P_low"], total["P_high"])
    page = map_page(town, "coverage", Question("pharmacy"), Page(lang=lang))
    assert f"<small>{band}</small>" in page
    told = Words(lang).banded("100.0%", total["P_low"], total["P_high"])
    assert told in report_page(town, (lang,))
    book = load_workbook(io.BytesIO(report_workbook(town, lang)))
    heads = [Words(lang)("P_low"), Words(lang)("P_high")]
    sheets = [one for one in book.worksheets if heads[0] in [cell.value for cell in one[1]]]
    assert len(sheets) == 2
    for sheet in sheets:
        names = [cell.value for cell in sheet[1]]
        row = next(
            r
            for r in sheet.values
            if r[0] == Words(lang).title(town.policy.services["pharmacy"].title)
        )
        assert [row[names.index(head)] for head in heads] == [total["P_low"], total["P_high"]]
    card = scorecard_page(town, scorecard_document(town, lang=lang), lang)
    assert 'class="band"' in card


def test_the_map_hatches_just_the_cells_that_some_draws_cover(town: Run) -> None:
    cells, kept = kept_cells(town), kept_document(town)
    assert cells is not None
    assert kept is not None
    row = [one["service"] for one in kept["services"]].index("pharmacy")
    some = np.flatnonzero((cells[row] > 0) & (cells[row] < DRAWS))
    residents = kept["services"][row]["residents"]["sometimes"]
    assert int(town.city.cells.residents[some].sum()) == residents > 0
    page = map_page(town, "coverage", Question("pharmacy"), Page(lang="en"))
    block = re.search(r'id="data_hatching_firm">(.*?)</script>', page)
    assert block is not None
    assert json.loads(block[1])["cells"] == some.tolist()
    other = map_page(town, "coverage", Question("pharmacy", minutes=7), Page(lang="en"))
    assert "data_hatching_firm" not in other


def test_over_http_answers_follow_what_is_kept_and_a_get_keeps_nothing(bare: Run) -> None:
    root = bare.path.parents[2]
    with client(root) as served:
        before = ask(served, "/areas/tiny/coverage", service="pharmacy")
        assert before["total"]["P_low"] is None
        ask(served, "/areas/tiny/robustness", draws=50)
        assert kept_document(bare) is None
        plain = ["robust", "tiny", "--workspace", str(root), "--draws", "50", "--no-lists"]
        made = CliRunner().invoke(app, plain)
        assert made.exit_code == 0, made.output
        after = ask(served, "/areas/tiny/coverage", service="pharmacy")
        assert after["total"]["P_low"] is not None
    shown = CliRunner().invoke(
        app, ["coverage", "tiny", "--workspace", str(root), "--service", "pharmacy", "--lang", "en"]
    )
    assert percent_span(after["total"]["P_low"], after["total"]["P_high"]) in shown.output
    file_of(bare.path).write_bytes(b"no archive")
    with pytest.raises(WorkspaceError):
        coverage_document(bare, Question("pharmacy"))
    file_of(bare.path).unlink()


def test_one_service_another_walker_or_few_draws_are_not_kept(bare: Run) -> None:
    with few_kept():
        for question, draws in (
            (Question("pharmacy"), DRAWS),
            (Question(walker="older"), DRAWS),
            (Question(), DRAWS - 1),
        ):
            robustness_document(bare, question, RobustnessTask(draws, lists=False, keep=True))
            assert kept_document(bare) is None, question


def test_bands_go_with_their_run(tmp_path: Path) -> None:
    first, second = (lc.tiny_town(tmp_path).run for _ in range(2))
    for one in (first, second):
        file_of(one.path).parent.mkdir(exist_ok=True)
        file_of(one.path).write_bytes(b"bands")
    assert prune(Workspace(tmp_path), "tiny", 1) == [first.path.name]
    assert not bands_stamp(first.path)
    assert bands_stamp(second.path)


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.831, 0.889, "83–89%"), (0.83, 0.89, "83–89%"), (0.29, 0.57, "29–57%"), (1.0, 1.0, "100%"),
     (0.0, 0.004, "0–1%")],
)  # fmt: skip
def test_a_band_opens_to_the_whole_percents_that_hold_it(
    low: float, high: float, told: str
) -> None:
    assert percent_span(low, high) == told
