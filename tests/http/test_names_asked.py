"""Titles and aliases where ids are asked over HTTP; misspelt settings; settings of the report."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.texts import Title
from lifecircle.analysis.unknown_names import Words, find_id
from lifecircle.service.cli import app
from tests.pages.served import ask, client
from tests.worlds.tiny import tiny_run

HOME = "/areas/tiny"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def run(root: Path) -> Run:
    return tiny_run(root, policy=load_policy())


@pytest.fixture(scope="module")
def served(root: Path, run: Run) -> Iterator[TestClient]:
    yield client(root)


@pytest.mark.parametrize(
    ("path", "ids", "words"),
    [
        ("coverage", {"service": "pharmacy", "walker": "older"},
         {"service": "药店", "walker": "老年人"}),
        ("coverage", {"service": "pharmacy", "by": "community", "group": "0_3"},
         {"service": " Pharmacy ", "by": "社区", "group": "0-3"}),
        ("gaps", {"service": "pharmacy", "by": "subdistrict"},
         {"service": "药房", "by": "街道"}),
        ("equity", {"service": "pharmacy", "walker": "older"},
         {"service": "ＰＨＡＲＭＡＣＹ", "walker": "老年人"}),
        ("circles", {"kind": "convenience"}, {"kind": "便民生活圈"}),
        ("point", {"walker": "older", "lon": 102.7, "lat": 25},
         {"walker": "老年人", "lon": 102.7, "lat": 25}),
    ],
)  # fmt: skip
def test_titles_and_aliases_ask_the_same(
    served: TestClient, path: str, ids: dict[str, object], words: dict[str, object]
) -> None:
    assert ask(served, f"{HOME}/{path}", **words) == ask(served, f"{HOME}/{path}", **ids)


def test_a_title_that_several_have_is_refused_with_their_ids() -> None:
    known = {
        "a": Words(Title("诊所", "Clinic"), ("看病",)),
        "b": Words(Title("诊所", "Surgery"), ("看病", "a ")),
        "c": Words(Title("医院", "Hospital"), ("Clinic",)),
    }
    for name in ("诊所", "看病"):
        with pytest.raises(UnknownNameError) as told:
            find_id(name, known)
        assert told.value.key == "name_of_several"
        for lang in ("zh", "en"):
            text = told.value.text(lang)
            meant = {"zh": ("诊所（a）", "诊所（b）"), "en": ("Clinic (a)", "Surgery (b)")}[lang]
            assert [one in text for one in meant] == [True, True], text
            assert "医院" not in text and "Hospital" not in text
    assert find_id("A", known) == "a"  # an id goes before an alias
    assert find_id("clinic", known) == "a"  # a title goes before an alias
    assert find_id("hospital", known) == "c"
    assert find_id("bank", known) is None


def test_a_misspelt_setting_names_the_nearest(served: TestClient) -> None:
    for path in ("scorecard", "report"):
        answer = served.get(f"{HOME}/{path}", params={"set": "adjacent=300", "f": "json"})
        assert answer.status_code == 404, answer.text
        assert "adjacent_m" in answer.text
        wrong = served.get(f"{HOME}/{path}", params={"set": "adjacent_m", "f": "json"})
        assert wrong.status_code == 400


def test_the_report_and_its_workbook_take_settings(
    served: TestClient, root: Path, run: Run, tmp_path: Path
) -> None:
    document = ask(served, f"{HOME}/report", set="adjacent_m=300", f="json")
    settings = {one["setting"]: one["value"] for one in document["scorecard"]["settings"]}
    assert settings["adjacent_m"] == 300
    title = next(
        one["title"]["zh"]
        for one in document["scorecard"]["settings"]
        if one["setting"] == "adjacent_m"
    )
    book = tmp_path / "report.xlsx"
    told = CliRunner().invoke(
        app,
        ["report", "tiny", "--workspace", str(root), "--set", "adjacent_m=300", "--xlsx",
         str(book), "--lang", "zh"],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    served_book = served.get(
        f"{HOME}/report", params={"set": "adjacent_m=300", "f": "xlsx", "lang": "zh"}
    ).content
    for content in (book.read_bytes(), served_book):
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[-1]
        rows = {row[2]: row[3] for row in sheet.iter_rows(values_only=True)}
        assert float(rows[title]) == 300
