"""What answers rest on stands with every answer: pages, documents and the screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lifecircle.analysis.city.model import City
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog import circles_document, compare_document, what_if_document
from lifecircle.service.cli import app
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.scenes.catchments import catchments_scene
from lifecircle.service.maps.scenes.circles import circles_scene
from lifecircle.service.maps.scenes.compare import compare_scene
from lifecircle.service.maps.scenes.proposals import proposals_scene
from lifecircle.service.state import AreaState
from tests.measures.test_rests_on import by_tags
from tests.worlds.capacity import capacity_policy
from tests.worlds.tiny import tiny_run

KEY = "rest_tags_lower"  # tags of pharmacies are right, and lack some
SAID = "known from OpenStreetMap tags alone"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def run(root: Path) -> Run:
    return tiny_run(root, policy=capacity_policy(), change=_of_tags)


def _of_tags(city: City) -> City:
    return by_tags(city)


def _ask(run: Run, layer: str, service: str) -> Ask:
    return Ask(run, layer, Question(service), "en", "linked", before=run)


def test_pages(run: Run) -> None:
    for found in (
        catchments_scene(_ask(run, "catchments", "health_centre"), "health_centre"),
        proposals_scene(_ask(run, "proposals", "pharmacy"), "pharmacy"),
        compare_scene(_ask(run, "compare", "pharmacy"), "pharmacy"),
        circles_scene(_ask(run, "circles", "pharmacy")),
    ):
        lines = (*found.view["rests"], *found.view["rests_folded"])
        assert any(SAID in line for line in lines), found.view["rests"]


def test_documents(run: Run) -> None:
    block = circles_document(run, Question())["circles"]["convenience"]
    told = [line["params"]["title_en"] for line in block["rests_on"] if line["key"] == KEY]
    assert len(told) == len(set(told)) >= 1
    asked = compare_document(run, run, Question("pharmacy"))["services"]
    assert [line["key"] for line in asked[0]["rests_on"]] == [KEY]
    tried = what_if_document(
        AreaState(run), Question("pharmacy"), add=[], remove=["p2"]
    )["services"]  # fmt: skip
    assert [line["key"] for line in tried[0]["rests_on"]] == [KEY]


@pytest.mark.parametrize("command", ["equity", "circles"])
def test_the_screen(root: Path, run: Run, command: str) -> None:
    more = ["--service", "pharmacy"] if command == "equity" else ["--kind", "convenience"]
    told = CliRunner().invoke(
        app, [command, run.manifest.area, "--workspace", str(root), "--lang", "en", *more]
    )
    assert told.exit_code == 0, told.output
    assert SAID in " ".join(told.output.split())
