"""The map of a build begins to be read by the words of the command line, before they are parsed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from lifecircle.service.cli import app
from lifecircle.service.commands import foreseen
from lifecircle.service.commands.foreseen import foresee, reading_of
from tests.command.run import lifecircle

Begun = list[tuple[object, ...]]


@dataclass
class Reading:
    """One of the maps that are read, in the order they were begun in."""

    number: int
    is_left: bool = False

    def leave(self) -> None:
        self.is_left = True


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Begun:
    """The maps that were begun to be read."""
    seen: Begun = []
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")

    def begin(*asked: object) -> Any:
        seen.append(asked)
        return Reading(len(seen))

    monkeypatch.setattr(foreseen, "begin_reading", begin)
    return seen


@pytest.mark.parametrize(
    ("words", "policy", "threads"),
    [
        ("build t --osm {map}", None, None),
        ("build t --osm={map} --policy=mine", "mine", None),
        ("build --threads 2 --osm other --policy mine t --osm {map}", "mine", 2),
    ],
)
def test_what_was_foreseen_is_what_the_build_reads(
    tmp_path: Path, begun: Begun, words: str, policy: str | None, threads: int | None
) -> None:
    path = tmp_path / "t.osm"
    path.touch()
    found = foresee(words.format(map=path).split())
    assert begun == [(path, policy, threads)]
    assert reading_of(found, path, policy, threads) == Reading(1)
    assert reading_of(found, tmp_path / "u.osm", policy, threads) == Reading(2)
    assert found is not None
    assert found.ahead == Reading(1, is_left=True)  # what nobody asks for is not read on
    assert reading_of(None, path, policy, threads) == Reading(3)


@pytest.mark.parametrize(
    "words",
    ["", "coverage t --osm {map}", "build t", "build t --osm nowhere.osm", "build t --osm",
     "build t --osm {map} --threads 0", "build t --osm {map} --threads many",
     f"build t --osm {'x' * 300}"],
)  # fmt: skip
def test_nothing_is_read_that_no_build_asks_for(tmp_path: Path, begun: Begun, words: str) -> None:
    (tmp_path / "t.osm").touch()
    assert foresee(words.format(map=tmp_path / "t.osm").split()) is None
    assert begun == []


def test_a_name_too_long_is_that_of_no_file(tmp_path: Path) -> None:
    done = lifecircle("build", "t", "--osm", "x" * 300, workspace=tmp_path)
    assert done.returncode == 2
    assert "there is no such file" in done.stderr


def test_the_command_asked_for_is_all_that_typer_looks_at() -> None:
    asked = app.asked_for(["map", "t"])
    assert len(asked.registered_commands) == 1
    assert list(get_command(asked).commands) == ["map"]  # type: ignore[attr-defined]
    assert len(app.registered_commands) > 1
    assert all(app.asked_for(words) is app for words in ([], ["--lang", "zh"], ["nothing"]))
