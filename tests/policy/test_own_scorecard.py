"""The example of docs/examples/own-policy, through every door a user takes.

A new service, a row of an existing kind, a row "at most", a row in minutes and own settings:
command, HTTP, page, report, workbook. The town is drawn by tests/kept/draw_town.py: streets every
250 m, a cell in each block 105 m above the street below it, one charging station at a junction.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import Result
from starlette.testclient import TestClient
from typer.testing import CliRunner

from lifecircle.analysis.errors import UnknownNameError
from lifecircle.service.cli import app
from tests.kept.draw_town import PEOPLE, main, point
from tests.pages.served import ask, client

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "own-policy" / "district-2026.toml"
HOME = "/areas/own/scorecard"
COLUMN, ROW = 4, 2  # the junction of the charging station


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    main(folder)
    lon, lat = point(COLUMN, ROW)
    (folder / "charging.csv").write_text(
        f"type,name,lon,lat\n充电桩,河湾充电站,{lon},{lat}\n", encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def workspace(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    files = [
        "--osm", "town.osm", "--population", "cells.csv", "--units", "subdistricts.geojson",
        "--units", "communities.geojson", "--facilities", "facilities.csv",
        "--facilities", "charging.csv", "--statistics", "statistics.csv",
    ]  # fmt: skip
    given = [word if word.startswith("--") else inputs / word for word in files]
    built = run(
        "build", "own", *given, "--datum", "wgs84", "--policy", EXAMPLE, "--workspace", root
    )
    assert built.exit_code == 0, built.output
    return root


@pytest.fixture(scope="module")
def served(workspace: Path) -> Iterator[TestClient]:
    yield client(workspace)


@pytest.fixture(scope="module")
def document(served: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = ask(served, HOME, lang="en")
    return found


def rows(document: dict[str, Any]) -> dict[str, Any]:
    return {row["id"]: row for row in document["rows"]}


def people(x: int, y: int) -> int:
    """Residents of a block, as draw_town has them."""
    home = ("C1" if y < 2 else "C2") if x < 4 else ("V1" if y < 2 else "C3")
    return PEOPLE[home] + 7 * x + 11 * y


def within(metres: float) -> int:
    """Residents within a walk of the charging station: along the grid, by hand."""
    return sum(
        people(x, y)
        for x in range(8)
        for y in range(5)
        if 105 + 250 * (abs(x + 0.5 - COLUMN) + abs(y - ROW)) <= metres
    )


EVERYBODY = sum(people(x, y) for x in range(8) for y in range(5))


# ---- the new service ---------------------------------------------------------------------------


def test_check_knows_the_new_service_only_under_its_policy(inputs: Path) -> None:
    table = inputs / "charging.csv"
    with_it = run("check", table, "--policy", EXAMPLE, "--datum", "wgs84", "--lang", "en")
    assert with_it.exit_code == 0, with_it.output
    without = run("check", table, "--datum", "wgs84", "--lang", "en")
    assert without.exit_code == 2
    assert "充电桩" in without.output


def test_coverage_of_the_new_service_by_command_and_http(
    workspace: Path, served: TestClient
) -> None:
    told = run(
        "coverage", "own", "--service", "charging_station", "--workspace", workspace, "--json"
    )
    block = json.loads(told.output)
    assert block["minutes"] == 10
    assert block["total"]["residents"] == EVERYBODY
    assert block["total"]["covered"] == within(1000 * 10 / 15)
    asked = ask(served, "/areas/own/coverage", service="charging_station")
    assert asked["total"] == block["total"]
    page = served.get("/maps/own/coverage", params={"service": "charging_station", "lang": "zh"})
    assert page.status_code == 200
    assert "公共充电站" in page.text


# ---- the rows ----------------------------------------------------------------------------------


def test_rows_are_added_replaced_and_dropped(document: dict[str, Any]) -> None:
    found = rows(document)
    assert len(found) == 65 - 2 + 3
    assert list(found)[-3:] == ["C01", "C02", "C03"]
    assert not {"A04", "B11"} & set(found)
    assert [one["id"] for one in document["not_computed"]] == [f"N0{i}" for i in range(1, 6)]
    assert found["A05"]["target"] == 0.95
    assert found["A05"]["source"].startswith("示例区2026年实施方案")
    assert found["A01"]["source"] == document["policy"]["source"]
    assert [one["id"] for one in document["groups"]] == ["boxed", "spatial", "unit", "district"]


def test_a_row_of_an_existing_kind(document: dict[str, Any]) -> None:
    row = rows(document)["C01"]
    assert row["value"] == within(1000 * 10 / 15) / EVERYBODY
    assert (row["status"], row["headline"]) == ("not_met", "P")
    assert row["readings"]["U"] == 1 / 3  # on a corner of four units: the lowest code has it
    assert row["settings"] == ["charging_headline", "charging_minutes", "walk"]


def test_a_row_where_less_is_better(document: dict[str, Any]) -> None:
    row = rows(document)["C02"]
    assert row["value"] == 11_000 / 25
    assert (row["direction"], row["target"], row["status"]) == ("at most", 350, "not_met")
    assert document["units"]["persons per worker"] == {
        "title": {"zh": "人/名", "en": "residents per worker"}, "show": "number", "decimals": 0,
    }  # fmt: skip


def test_a_row_in_minutes_is_a_mean(document: dict[str, Any]) -> None:
    # 08:30-17:30 is 9 hours, 09:00-16:00 is 7, the third station does not say
    row = rows(document)["C03"]
    assert row["value"] == (9 + 7) / 2 * 60
    assert row["unit"] == "minutes"
    assert (row["lower"], row["upper"]) == ((9 + 7) * 60 / 3, None)
    assert row["status"] == "met"  # the district judges by what is known


# ---- its settings ------------------------------------------------------------------------------


def test_settings_come_as_pairs_or_by_their_names(served: TestClient) -> None:
    for asked in ({"set": "charging_minutes=20"}, {"charging_minutes": 20}):
        row = rows(ask(served, HOME, **asked))["C01"]
        assert row["value"] == within(1000 * 20 / 15) / EVERYBODY
    both = rows(ask(served, HOME, set=["charging_headline=U", "missing=range"]))
    assert both["C01"]["headline"] == "U"
    assert both["C03"]["status"] == "partly"
    told = {one["setting"]: one for one in ask(served, HOME)["settings"]}
    assert list(told)[-2:] == ["charging_minutes", "charging_headline"]
    assert told["charging_minutes"]["most"] == 30
    assert told["missing"]["value"] == "known"
    assert "adjacent_m" not in told


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"set": "charging_minutes"}, 400, "setting=value"),
        ({"set": "charging_minutes=31"}, 400, "30"),
        ({"set": "charging_minutes=-1"}, 400, "0 or more"),
        ({"set": "charging_minutes=soon"}, 400, "0 or more"),
        ({"set": "charging_headline=P5"}, 400, "P, U"),
        ({"set": "charging=1"}, 404, "charging_minutes"),
        ({"charging": 1}, 400, "charging"),
        ({"adjacent_m": 100}, 400, "adjacent_m"),  # a setting of Kunming's that was dropped
        ({"set": ["missing=range", "missing=worst"]}, 400, "twice"),
        ({"missing": "range", "set": "missing=worst"}, 400, "twice"),
    ],
)
def test_settings_that_are_refused(
    served: TestClient, asked: dict[str, Any], status: int, words: str
) -> None:
    for lang in ("en", "zh"):
        answer = served.get(HOME, params={**asked, "lang": lang})
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        if lang == "en":
            assert words in answer.json()["detail"]


def test_the_command_takes_the_same_settings(workspace: Path, served: TestClient) -> None:
    words = ("scorecard", "own", "--workspace", workspace, "--lang", "en")
    told = run(*words, "--json", "--set", "charging_minutes=20", "--set", "charging_headline=P")
    asked = ask(served, HOME, lang="en", set=["charging_minutes=20", "charging_headline=P"])
    assert json.loads(told.output)["rows"] == asked["rows"]
    table = run(*words)
    assert "440 residents per worker" in re.sub(r"\s+", " ", table.output)
    assert "≤ 350" in table.output
    assert "480 minutes" in table.output
    refused = run(*words, "--set", "charging=1").exception
    assert isinstance(refused, UnknownNameError)
    assert "charging_minutes" in refused.text("zh")


# ---- its pages and files -----------------------------------------------------------------------


def part_of(page: str, row: str) -> str:
    return page.split(f'id="{row}"')[1].split("</article>")[0]


def test_the_page_in_both_languages(served: TestClient, document: dict[str, Any]) -> None:
    zh, en = (served.get(HOME, params={"f": "html", "lang": lang}).text for lang in ("zh", "en"))
    assert re.findall("<h2>(.*?)</h2>", zh)[3] == "区级指标"
    assert "本区方案另行提出" in zh
    workers, minutes = part_of(zh, "C02"), part_of(zh, "C03")
    assert "<b>≤ 350</b>" in workers
    assert '<b class="not_met">440</b><small>人/名</small>' in workers
    assert "示例区2026年实施方案" in workers
    assert '<b class="met">480</b><small>分钟</small>' in minutes
    assert "年目标" not in minutes  # 2025 is the year of Kunming's plan, not of the notice
    assert "2025 年目标" in part_of(zh, "A08")
    assert "residents per worker" in part_of(en, "C02")
    assert 'name="charging_minutes"' in zh
    assert 'max="30"' in zh
    for row in document["rows"]:
        shown = [float(x) for x in re.findall(r'data-value="([^"]+)"', part_of(zh, row["id"]))]
        assert shown == [one for one in row["readings"].values() if one is not None]


def test_what_the_form_sends_is_answered(served: TestClient) -> None:
    page = served.get(HOME, params={"f": "html", "lang": "zh"}).text
    names = set(re.findall(r'<(?:select|input) name="([a-z_0-9]+)"', page))
    sent = {"f": "html", "lang": "zh", "level": "", "year": "", "charging_minutes": "20"}
    assert {"charging_minutes", "charging_headline", "missing"} <= names
    turned = served.get(HOME, params=sent)
    assert turned.status_code == 200
    assert "charging_minutes=20" in turned.text  # links keep what was asked
    assert f'data-value="{within(1000 * 20 / 15) / EVERYBODY!r}"' in part_of(turned.text, "C01")


def test_files_say_the_direction(served: TestClient, document: dict[str, Any]) -> None:
    answer = served.get(HOME, params={"f": "csv", "lang": "en"})
    lines = {line["id"]: line for line in csv.DictReader(io.StringIO(answer.text[1:]))}
    assert lines["C02"]["direction"] == "at most"
    assert lines["C01"]["direction"] == "at least"
    assert float(lines["C02"]["value"]) == rows(document)["C02"]["value"]
    book = served.get(HOME, params={"f": "xlsx", "lang": "zh"})
    sheet = list(openpyxl.load_workbook(io.BytesIO(book.content)).worksheets[0].values)
    wanted = sheet[0].index("要求")
    assert {row[0]: row[wanted] for row in sheet[1:]}["C02"] == "不高于"


def test_the_report_and_its_workbook(served: TestClient) -> None:
    page = served.get("/areas/own/report", params={"f": "html", "pages": "zh"}).text
    assert "440 人/名" in page
    assert "≤ 350" in page
    assert "480 分钟" in page
    made = served.get("/areas/own/report", params={"f": "xlsx", "lang": "zh"})
    sheet = list(openpyxl.load_workbook(io.BytesIO(made.content)).worksheets[0].values)
    value = sheet[0].index("现值")
    assert {row[0]: row[value] for row in sheet[1:]}["C02"] == 440
