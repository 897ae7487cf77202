"""The report: one source for every number, the same bytes twice, nothing from outside."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from starlette.testclient import TestClient

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.pipeline import save_run
from lifecircle.analysis.results.export import export_coverage
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog import coverage_document, report_document
from lifecircle.service.figures import percent, stamp
from lifecircle.service.maps.pages import Page, map_page
from lifecircle.service.report import report_page, report_workbook
from lifecircle.service.report.drawing import round_up
from tests.pages.served import client
from tests.worlds.tiny import TINY_PLACES, Place, tiny_city, tiny_manifest, tiny_policy, walks

HOURS = {"opening_hours": "周一至周五 8:00-17:30"}
PLACES = (
    *TINY_PLACES,
    Place("p3", "pharmacy", 4300, -20, "<script>alert(1)</script>//evil.example", (), HOURS),
    Place("f4", "fitness_outdoor", 4200, 20, "灯光球场", (4100, 4300), {"lit": "yes"}),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    policy, city = tiny_policy(), tiny_city(places=PLACES)
    travel = walks(city, tuple(policy.services))
    save_run(Workspace(folder), tiny_manifest(city, policy), policy, city, travel)
    return folder


@pytest.fixture(scope="module")
def run(root: Path) -> Run:
    return Workspace(root).open("tiny")


@pytest.fixture(scope="module")
def served(root: Path) -> TestClient:
    return client(root)


class Reader(HTMLParser):
    """Tables of a page by their class, as rows of (text, unrounded value); data of map paths."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[tuple[str, str]]]] = {}
        self.shares: dict[str, list[str]] = {}
        self._table = ""
        self._cell: list[str] | None = None
        self._value = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "table":
            self._table = str(told.get("class"))
            self.tables.setdefault(self._table, [])
        elif tag == "tr" and self._table:
            self.tables[self._table].append([])
        elif tag == "td":
            self._cell, self._value = [], told.get("data-value") or ""
        elif tag == "path" and told.get("data-code"):
            self.shares.setdefault(str(told["data-code"]), []).append(str(told["data-value"]))

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "td" and self._cell is not None:
            self.tables[self._table][-1].append(("".join(self._cell), self._value))
            self._cell = None
        elif tag == "table":
            self._table = ""


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


# ---- one number has one source -----------------------------------------------------------------


def test_table_map_report_and_api_agree_to_the_last_digit(
    run: Run, served: TestClient, tmp_path: Path
) -> None:
    api = served.get("/areas/tiny/coverage?lang=zh").json()["services"]
    page = read(report_page(run, ("zh",)))
    book = load_workbook(io.BytesIO(report_workbook(run)))
    printed = {row[0][0]: row for row in page.tables["coverage"] if row}
    sheet = {row[0]: row for row in book["覆盖率"].iter_rows(min_row=2, values_only=True)}
    lines = list(book["覆盖率（分单元）"].iter_rows(min_row=2, values_only=True))
    heads = [cell.value for cell in book["覆盖率（分单元）"][1]]
    at_p, at_covered = heads.index("人口覆盖率 P"), heads.index("已覆盖的居民")
    by_unit = {(row[1], row[3]): row for row in lines}
    for block in api:
        title, service, total = block["title"]["zh"], block["service"], block["total"]
        # the API and the printed report
        for column, key in ((3, "P"), (4, "P_core"), (5, "L"), (6, "U"), (8, "covered")):
            exact = printed[title][column][1]
            assert (None if exact == "" else float(exact)) == total[key]
        assert printed[title][3][0] == (percent(total["P"]) or "未评估")
        # the workbook
        assert (sheet[title][3], sheet[title][5], sheet[title][8]) == (
            total["P"],
            total["L"],
            total["covered"],
        )
        # the table that the command exports
        found = coverage_document(run, Question(service))
        export_coverage(found, tmp_path / "t.csv")
        with (tmp_path / "t.csv").open(encoding="utf-8-sig") as handle:
            table = {row["code"]: row for row in csv.DictReader(handle)}
        # the map
        shown = map_units(
            map_page(run, "coverage", Question(service=service), Page(lang="zh", mode="inline"))
        )
        for row in block["units"]:
            line, exported = by_unit[service, row["code"]], table[row["code"]]
            assert line[at_p] == row["P"]
            assert line[at_covered] == row["covered"]
            assert (float(exported["P"]) if exported["P"] else None) == row["P"]
            told = shown[row["name"]]
            assert told[0] == (percent(row["P"]) or "未评估")
            assert told[2] == (None if row["covered"] is None else f"{row['covered']:,}")


def map_units(page: str) -> dict[str, list[Any]]:
    """What the units of a map page tell, by name."""
    block = re.search(r'id="data_areas_units">(.*?)</script>', page)
    assert block is not None
    features = json.loads(block.group(1))["features"]["features"]
    return {f["properties"]["name"]: f["properties"]["values"] for f in features}


def test_the_maps_of_the_report_hold_the_figures_of_the_api(run: Run) -> None:
    page = read(report_page(run, ("zh",)))
    document = coverage_document(run, Question())
    drawn = [str(v) for v in page.shares["C2"]]
    known = [
        next(row["P"] for row in block["units"] if row["code"] == "C2")
        for block in document["services"]
    ]
    assert len(drawn) >= 4
    for value in drawn[:-2]:  # the last two are the circles
        assert float(value) in known


def test_gaps_circles_and_equity_agree(run: Run, served: TestClient) -> None:
    api = served.get("/areas/tiny/report?f=json&lang=zh").json()
    assert api == json.loads(json.dumps(plain(report_document(run, lang="zh"))))
    gaps = served.get("/areas/tiny/gaps?lang=zh").json()["features"]
    circles = served.get("/areas/tiny/circles?lang=zh").json()["circles"]
    equity = served.get("/areas/tiny/equity?lang=zh").json()
    assert api["circles"]["circles"] == circles
    assert api["equity"] == equity
    assert [row["gap"] for row in api["gaps"]["rows"]] == [f["properties"]["gap"] for f in gaps]
    book = load_workbook(io.BytesIO(report_workbook(run)))
    listed = list(book["缺口"].iter_rows(min_row=2, values_only=True))
    assert [(row[1], row[9], row[13]) for row in listed] == [
        (gap["gap"], gap["residents"], gap["minutes_to_nearest"]) for gap in api["gaps"]["rows"]
    ]
    page = read(report_page(run, ("zh",)))
    shown = [row for row in page.tables["gaps"] if row]
    assert [float(row[4][1]) for row in shown] == [row[9] for row in listed[: len(shown)]]
    fair = {row[0][0]: row for row in page.tables["equity"] if row}
    for block in equity["services"]:
        if block["worst_tenth"] is not None and block["total"]["gini"] is not None:
            assert float(fair[block["title"]["zh"]][1][1]) == block["total"]["gini"]


def plain(value: Any) -> Any:
    """A document as JSON would have it."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def test_distances_of_the_gaps(run: Run) -> None:
    rows = report_document(run)["gaps"]["rows"]
    assert any(row["metres_to_nearest"] is None for row in rows)  # cut off: no way, not 0
    for row in rows:
        if row["minutes_to_nearest"] is not None:
            metres = row["minutes_to_nearest"] * 1000 / 15
            assert row["metres_to_nearest"] == pytest.approx(metres)


# ---- the same bytes, nothing from outside ------------------------------------------------------


def test_the_same_run_gives_the_same_bytes(run: Run, root: Path) -> None:
    pages = {lang: report_page(run, (lang,)) for lang in ("zh", "en")}
    book = report_workbook(run)
    time.sleep(1.1)  # a clock inside would show
    again = Workspace(root).open("tiny")
    assert {lang: report_page(again, (lang,)) for lang in ("zh", "en")} == pages
    assert report_workbook(again) == book
    with zipfile.ZipFile(io.BytesIO(book)) as held:
        assert {info.date_time for info in held.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert held.read("docProps/core.xml").count(b"2025-01-02T03:04:05Z") == 2


def test_both_languages_in_one_page(run: Run) -> None:
    page = report_page(run, ("zh", "en"))
    assert page.index("覆盖率") < page.index("Coverage")
    assert page.count("<article") == 2
    assert "合成数据" in page
    assert "Synthetic data" in page
    assert "未评估" in page  # markets: not 0
    assert "not assessed" in page


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_from_outside_and_no_script(run: Run, lang: Any) -> None:
    page = report_page(run, (lang,))
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert " style=" not in page
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_every_figure_is_traced(run: Run) -> None:
    document = report_document(run)
    assert document["policy"]["digest"] == "d" * 64
    assert document["run"] == run.manifest.run
    for service in document["sources"]["services"]:
        assert service["minutes"]["clause"]
        assert service["minutes"]["confidence"]
    page = report_page(run, ("zh",))
    assert run.manifest.policy_digest in page
    assert stamp(run.manifest.created) in page


def test_over_http(served: TestClient, run: Run) -> None:
    page = served.get("/areas/tiny/report?f=html&lang=en")
    assert page.status_code == 200
    assert page.text == report_page(run, ("en",))
    assert "sha256-" in page.headers["content-security-policy"]
    both = served.get("/areas/tiny/report?f=html&pages=both")
    assert both.text == report_page(run, ("zh", "en"))
    browser = served.get("/areas/tiny/report", headers={"accept": "text/html"})
    assert browser.headers["content-type"].startswith("text/html")
    book = served.get("/areas/tiny/report?f=xlsx&lang=zh")
    assert book.content == report_workbook(run, "zh")
    assert "tiny-report.xlsx" in book.headers["content-disposition"]
    assert served.get("/areas/tiny/report?f=pdf").status_code == 400


def test_axes_end_at_round_numbers() -> None:
    assert [round_up(x) for x in (0.091, 0.428, 1.0, 42.0, 61.0, 100.0)] == [
        pytest.approx(x) for x in (0.1, 0.6, 1.0, 60.0, 80.0, 100.0)
    ]
