"""Words that no list has are refused before a run is opened, by every command that takes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lifecircle.analysis.measures.siting.place import OBJECTIVES
from lifecircle.analysis.results import columns
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.commands import siting
from lifecircle.service.commands.words import EXPORT_LAYERS, MAP_LAYERS
from lifecircle.service.maps.scene import CATCHMENTS, COMPARE, LAYERS, REFERRAL
from tests.command.run import lifecircle
from tests.worlds.tiny import tiny_run

HOSTILE = ("<script>", "http://x.org/", "甲" * 2000, "\ud800".encode("utf-8", "replace").decode())


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("words")
    tiny_run(root)
    return root


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("coverage", "tiny", "--by", "parish"), "parish"),
        (("coverage", "tiny", "--group", "teens"), "teens"),
        (("gaps", "tiny", "--by", "parish"), "parish"),
        (("gaps", "tiny", "--group", "teens"), "teens"),
        (("circles", "tiny", "--kind", "sleep"), "sleep"),
        (("circles", "tiny", "--by", "parish"), "parish"),
        (("equity", "tiny", "--by", "parish"), "parish"),
        (("equity", "tiny", "--group", "teens"), "teens"),
        (("compare", "tiny", "{run}", "{run}", "--by", "parish"), "parish"),
        (("catchments", "tiny", "--by", "parish"), "parish"),
        (("catchments", "tiny", "--service", "casino"), "casino"),
        (("scorecard", "tiny", "--level", "parish"), "parish"),
        (("robust", "tiny", "--by", "parish"), "parish"),
        (("scenario", "tiny", "no.geojson", "--by", "parish"), "parish"),
        (("map", "tiny", "circles", "--kind", "sleep"), "sleep"),
        (("site", "tiny", "--service", "market", "--objective", "best"), "best"),
        (("site", "tiny", "--service", "market", "--candidates", "roofs"), "roofs"),
        (("map", "tiny", "roofs"), "roofs"),
        (("export", "tiny", "roofs", "roofs.csv"), "roofs"),
        (("scorecard", "tiny", "--set", "rule_or"), "rule_or"),
        *((("circles", "tiny", "--kind", word), word[:9]) for word in HOSTILE),
    ],
)
def test_no_run_is_opened_for_a_word_that_is_none(monkeypatch, workspace: Path, words, told: str):
    monkeypatch.setattr(Workspace, "open", None)
    (run,) = (one.name for one in (workspace / "tiny" / "runs").iterdir())
    done = lifecircle(*(word.format(run=run) for word in words), workspace=workspace)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--per-stage", "1"), "per_stage"),
        (("--stages", "2020,2026", "--year", "2026"), "stages"),
        (("--stages", "2020,2026", "--target", "0.9"), "target"),
        (("--stages", "2020,2026", "--keep"), "keep"),
        (("--stages", "2020,2026", "--objective", "covered"), "objective"),
    ],
)
def test_what_does_not_go_with_stages_is_refused(monkeypatch, workspace: Path, words, told: str):
    monkeypatch.setattr(Workspace, "open", None)
    asked = ("site", "tiny", "--service", "market", "--add", "1", *words)
    done = lifecircle(*asked, workspace=workspace)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_titles_and_words_of_tables_pass(workspace: Path):
    for words in (
        ("coverage", "tiny", "--service", "market", "--by", "社区", "--json"),
        ("gaps", "tiny", "--service", "market", "--by", "None", "--json"),
        ("circles", "tiny", "--kind", "Fitness circle", "--json"),
        ("coverage", "tiny", "--service", "market", "--group", "常住人口", "--json"),
    ):
        done = lifecircle(*words, workspace=workspace)
        assert (done.returncode, done.stderr) == (0, ""), words


@pytest.mark.parametrize("command", ["scorecard", "report"])
@pytest.mark.parametrize(
    ("given", "told"), [("missng=worst", "missng"), ("rule=C", "either, A"), ("rule", "'rule'")]
)
def test_no_run_is_opened_for_a_setting_that_is_none(monkeypatch, tmp_path, command, given, told):
    monkeypatch.setattr(Workspace, "open", None)
    run = tmp_path / "town" / "runs" / "r1"
    run.mkdir(parents=True)
    (tmp_path / "town" / "current").write_text("r1")
    (run / "manifest.json").write_text("{}")
    settings = {"rule": {"choices": {"either": {}, "A": {}}}, "metres": {"choices": {}}}
    policy = {"scorecard": {"settings": settings}, "unit_levels": {}, "walkers": {}}
    (run / "policy.json").write_text(json.dumps(policy))
    done = lifecircle(command, "town", "--set", given, workspace=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_the_layers_of_the_commands_are_those_of_maps_and_files():
    assert set(MAP_LAYERS) == {*LAYERS, CATCHMENTS, COMPARE, REFERRAL}
    assert columns.LAYERS + columns.OPTIONAL_LAYERS == EXPORT_LAYERS


def test_the_objectives_of_the_command_are_those_of_siting():
    assert siting.OBJECTIVES == OBJECTIVES
