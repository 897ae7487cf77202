"""The scorecard over HTTP, on a page, as files and by the command: one source of figures."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.texts import cut
from lifecircle.service.catalog import scorecard_document
from lifecircle.service.cli import app
from lifecircle.service.figures import figure
from lifecircle.service.report.scorecard import scorecard_page
from tests.pages.served import ask, client
from tests.worlds.cards import with_statistics
from tests.worlds.tiny import tiny_run

CONTRACT = (
    "id", "section", "phrase", "target", "unit", "nature", "baseline", "readings", "headline",
    "status", "assessed_share", "missing", "clause",
)  # fmt: skip
STATUSES = {"met", "not_met", "partly", "no_target", "NOT_ASSESSED"}
HOME = "/areas/tiny/scorecard"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def run(root: Path) -> Run:
    rows = [(f"C{i}", "parent_school", float(i < 4), 2025) for i in range(1, 5)]
    return tiny_run(root, policy=load_policy(), change=lambda city: with_statistics(city, rows))


@pytest.fixture(scope="module")
def served(root: Path, run: Run) -> Iterator[TestClient]:
    yield client(root)


def test_the_contract_of_every_row(served: TestClient) -> None:
    document = ask(served, HOME)
    assert len(document["rows"]) == 65
    for row in document["rows"]:
        assert [key for key in CONTRACT if key not in row] == []
        assert row["status"] in STATUSES
        assert row["headline"] in row["readings"]
        assert row["readings"][row["headline"]] == row["value"]
        assert (row["value"] is None) == (row["status"] == "NOT_ASSESSED") or row["target"]
        if row["status"] == "NOT_ASSESSED":
            assert row["missing"]
            assert all(one["text"] for one in row["missing"])
    assert sum(document["counts"].values()) == 65
    assert [one["id"] for one in document["not_computed"]] == [f"N0{i}" for i in range(1, 7)]


def test_a_value_by_hand(served: TestClient) -> None:
    rows = {row["id"]: row for row in ask(served, HOME)["rows"]}
    school = rows["B03"]  # C1, C2, C3 are urban and have one; nobody knows whether C5 is urban
    assert school["readings"]["U"] == 1.0
    assert (school["lower"], school["upper"]) == (3 / 4, 1.0)
    assert school["status"] == "partly"
    assert rows["B04"]["value"] == 0.0  # C4 is rural and has none
    assert [one["code"] for one in rows["B04"]["left_out"]] == ["C4"]
    assert rows["A05"]["value"] is None
    assert rows["A11"]["baseline"]["value"] == 1.0


def test_the_same_figures_everywhere(served: TestClient, run: Run, root: Path) -> None:
    document = ask(served, HOME, level="subdistrict")
    assert document["rows"][0]["by_unit"]
    direct = scorecard_document(run, level="subdistrict")
    assert [row["readings"] for row in document["rows"]] == [
        row["readings"] for row in direct["rows"]
    ]
    lines = list(csv.DictReader(io.StringIO(served.get(HOME, params={"f": "csv"}).text[1:])))
    page = served.get(HOME, params={"f": "html", "lang": "en"}).text
    book = openpyxl.load_workbook(io.BytesIO(served.get(HOME, params={"f": "xlsx"}).content))
    sheet = list(book.worksheets[0].iter_rows(values_only=True))
    value = [str(cell) for cell in sheet[0]].index("现值")
    for row, line, cells in zip(document["rows"], lines, sheet[1:], strict=True):
        assert (float(line["value"]) if line["value"] else None) == row["value"]
        assert cells[value] == row["value"]
        told = page.split(f'id="{row["id"]}"')[1].split("</article>")[0]
        shown = [float(x) for x in re.findall(r'data-value="([^"]+)"', told)]
        assert shown == [one for one in row["readings"].values() if one is not None]
    answer = CliRunner().invoke(
        app, ["scorecard", "tiny", "--workspace", str(root), "--json", "--lang", "zh"]
    )
    assert answer.exit_code == 0, answer.output
    assert '"B04"' in answer.output


def test_the_page_in_both_languages(served: TestClient) -> None:
    for lang, words in (
        ("zh", ("达标表", "未评估", "原文")),
        ("en", ("Scorecard", "Not assessed")),
    ):
        answer = served.get(HOME, params={"f": "html", "lang": lang})
        assert answer.status_code == 200
        assert all(word in answer.text for word in words)
        assert "<script" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "城市社区日间照料机构覆盖率达到90%以上" in answer.text
    browser = served.get(HOME, headers={"accept": "text/html,*/*"})
    assert browser.headers["content-type"].startswith("text/html")


def test_names_from_files_are_text_on_the_page(run: Run) -> None:
    document = scorecard_document(run, lang="zh")
    document["rows"][0]["left_out"].append(
        {**_nobody(), "name": "<img src=x onerror=alert(1)>", "code": "Z"}
    )
    page = scorecard_page(run, document, "zh")
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def _nobody() -> dict[str, Any]:
    keys = ("reading", "level", "name_en", "facility", "persons", "value", "label")
    return dict.fromkeys(keys)


def test_settings_as_parameters_and_refusals(served: TestClient) -> None:
    settings = {one["setting"]: one for one in ask(served, HOME, adjacent_m=300)["settings"]}
    assert settings["adjacent_m"]["value"] == 300
    assert settings["adjacent_m"]["default"] == 100
    assert settings["adjacent_m"]["source"]["confidence"] == "interpretation"
    refused: tuple[dict[str, Any], ...] = (
        {"rule_or": "C"}, {"adjacent_m": -1}, {"adjacent_m": 10_001}, {"walk": "run"},
        {"nothing": 1}, {"set": "walk"}, {"set": "walk=run"}, {"set": "=1"},
        {"adjacent_m": [1, 2]},
    )  # fmt: skip
    for wrong in refused:
        assert served.get(HOME, params=wrong).status_code == 400, wrong
    for wrong in ({"level": "planet"}, {"walker": "bird"}):
        assert served.get(HOME, params=wrong).status_code == 404, wrong
    sent_by_a_form = {"f": "html", "level": "", "year": "", "adjacent_m": ""}
    assert served.get(HOME, params=sent_by_a_form).status_code == 200


def test_settings_stand_in_the_definition_of_the_api(served: TestClient) -> None:
    for lang, title in (("en", "How near"), ("zh", "毗邻")):
        paths = ask(served, "/api", lang=lang)["paths"]
        told = {one["name"]: one for one in paths["/areas/{area}/scorecard"]["get"]["parameters"]}
        assert {"set", "walker", "level", "year", "run", "f", "lang"} <= set(told)
        assert told["set"]["schema"]["type"] == "array"
        assert told["rule_or"]["schema"]["enum"] == ["either", "A", "B"]
        assert told["adjacent_m"]["schema"]["maximum"] == 10_000
        assert title in told["adjacent_m"]["description"]
        assert len(told) == len(paths["/areas/{area}/scorecard"]["get"]["parameters"])


def test_a_policy_without_a_scorecard_says_so(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    with pytest.raises(ParameterError) as caught:
        scorecard_document(run)
    assert caught.value.key == "scorecard_none"


def test_the_command_writes_what_it_is_asked_for(root: Path, run: Run, tmp_path: Path) -> None:
    for suffix in ("html", "csv", "xlsx", "json"):
        out = tmp_path / f"card.{suffix}"
        first = CliRunner().invoke(
            app, ["scorecard", "tiny", "--workspace", str(root), "--out", str(out), "--lang", "zh"]
        )
        assert first.exit_code == 0, first.output
        assert out.stat().st_size > 5000
    text = (tmp_path / "card.html").read_text("utf-8")
    assert "Content-Security-Policy" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    table = CliRunner().invoke(app, ["scorecard", "tiny", "--workspace", str(root), "--lang", "en"])
    assert "Not assessed" in table.output
    wrong = CliRunner().invoke(
        app, ["scorecard", "tiny", "--workspace", str(root), "--set", "adjacent_m"]
    )
    assert wrong.exit_code != 0


UNITS = {
    "fraction": {"show": "percent", "decimals": 1},
    "m2 per 100 households": {"show": "number", "decimals": 2},
    "minutes": {"show": "number", "decimals": 1},
    "metres": {"show": "number", "decimals": 0},
}


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (4.615, "minutes", "4.6"),
        (100.0, "metres", "100"),
        (0.8999, "fraction", "89.9%"),
        (0.9, "fraction", "90.0%"),
        (0.57, "fraction", "57.0%"),
        (0.99999, "fraction", "99.9%"),
        (1.0, "fraction", "100.0%"),
        (29.999, "m2 per 100 households", "29.99"),
        (30.0, "m2 per 100 households", "30"),
        (None, "fraction", None),
    ],
)
def test_nothing_is_rounded_up(value: float | None, unit: str, told: str | None) -> None:
    assert figure(value, UNITS[unit]) == told
    if value is not None:
        assert float(cut(value, 3)) <= value
