"""How firm answers stand, over HTTP, on a page, as a workbook and by the command."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import orjson
import pytest
from openpyxl import load_workbook
from starlette.testclient import TestClient
from typer.testing import CliRunner

import lifecircle as lc
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.question import Question
from lifecircle.service.catalog import robustness_document
from lifecircle.service.catalog.firm.robustness import RobustnessTask
from lifecircle.service.cli import app
from lifecircle.service.report.robustness import robustness_page, robustness_workbook
from lifecircle.service.responses import encode
from tests.pages.served import client

ROOT = "/areas/tiny/robustness"
ABOUT = Question("pharmacy")


@cache
def town() -> lc.Area:
    return lc.tiny_town()


def at_home() -> list[str]:
    return ["--workspace", str(town().run.path.parents[2])]


@cache
def document() -> dict[str, Any]:
    return robustness_document(town().run, ABOUT, RobustnessTask(4, 3, lists=False))


@pytest.fixture(scope="module")
def served() -> Any:
    with client(town().run.path.parents[2]) as held:
        yield held


def test_http_and_command_give_the_document(served: TestClient) -> None:
    asked = {"service": "pharmacy", "draws": 4, "seed": 3, "lang": "zh"}
    answer = served.get(ROOT, params=asked)
    assert answer.status_code == 200
    assert answer.json() == orjson.loads(encode(document()))
    told = CliRunner().invoke(
        app,
        ["robust", "tiny", *at_home(), "--service", "pharmacy", "--json", "--draws",
         "4", "--seed", "3", "--no-lists", "--lang", "zh"],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert orjson.loads(told.stdout) == answer.json()


def test_places_that_stay_best_are_told_where_asked(served: TestClient) -> None:
    asked = {"service": "pharmacy", "draws": 4, "seed": 3, "propose": 1, "lang": "zh"}
    task = RobustnessTask(4, 3, lists=False, propose=1)
    told = served.get(ROOT, params=asked)
    assert told.json() == orjson.loads(encode(robustness_document(town().run, ABOUT, task)))
    assert told.json()["proposals"]["add"] == 1
    assert served.get(ROOT, params={"propose": 1}).status_code == 400  # of which service?


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"draws": 1}, 400), ({"draws": 101}, 400), ({"seed": -1}, 400), ({"service": "none"}, 404),
     ({"pages": "both"}, 400), ({"f": "pdf"}, 400)],
)  # fmt: skip
def test_what_is_no_question_is_refused_as_everywhere(
    served: TestClient, asked: dict[str, Any], status: int
) -> None:
    answer = served.get(ROOT, params=asked)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_more_draws_than_a_request_may_cost_are_refused_with_how_many_fit() -> None:
    run = town().run
    each = len(run.city.cells) * len(run.policy.services)
    with pytest.raises(ParameterError) as caught:
        robustness_document(run, Question(), RobustnessTask(9, budget=8 * each))
    assert caught.value.key == "robustness_budget"
    assert caught.value.params["most"] == 8


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_and_the_workbook_hold_the_document(lang: Any) -> None:
    made = document()
    page = robustness_page(made, lang)
    assert page == robustness_page(made, lang)
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    for row in made["rows"]:
        assert (f'id="{row["id"]}"' in page) == (row["holds"] is not None)
    book = robustness_workbook(made, lang)
    assert book == robustness_workbook(made, lang)
    sheets = load_workbook(io.BytesIO(book)).worksheets
    services = next(one for one in sheets if one.max_column == 8)
    held = [one.value for one in services[2]]
    pharmacy = made["services"][0]
    assert held[1:7] == [
        *(pharmacy["P"][end] for end in ("value", "low", "high")),
        *(pharmacy["residents"][name] for name in ("always", "sometimes", "never")),
    ]


def test_the_file_of_one_service_names_every_cell_and_all_services_none() -> None:
    cells = document()["services"][0]["cells"]
    assert [one["cell"] for one in cells] == [str(one) for one in town().run.city.cells.id]
    assert all(0 <= one["share"] <= 1 for one in cells)
    rows = document()["rows"]
    assert {row["holds"] for row in rows if row["status"] == "NOT_ASSESSED"} == {None}


def test_the_command_writes_what_the_name_says_and_refuses_others(tmp_path) -> None:
    plain = [
        "robust",
        "tiny",
        "--workspace",
        str(town().run.path.parents[2]),
        "--draws",
        "2",
        "--no-lists",
    ]
    shown = CliRunner().invoke(app, [*plain, "--service", "park", "--lang", "en"])
    assert shown.exit_code == 0
    assert "Holds in" in shown.output
    out = tmp_path / "firm.html"
    told = CliRunner().invoke(app, [*plain, "--out", str(out)])
    assert told.exit_code == 0
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert CliRunner().invoke(app, [*plain, "--out", str(tmp_path / "a.pdf")]).exit_code != 0
