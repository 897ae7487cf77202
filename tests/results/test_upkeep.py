"""Leftovers of killed builds, old runs, files that changed on the disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lifecircle.analysis.results.folders import AreaFolders
from lifecircle.analysis.results.store import Workspace
from lifecircle.analysis.results.upkeep import (
    claimed_aside,
    leftovers,
    prune,
    runs_to_remove,
    sweep,
)
from lifecircle.service.cli import app
from tests.worlds.tiny import tiny_run

BUILD = """
import sys, time
from pathlib import Path
from lifecircle.analysis.results.upkeep import claimed_aside

with claimed_aside(Path(sys.argv[1])) as aside:
    aside.mkdir()
    (aside / "cells.parquet").write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    tiny_run(folder)
    return folder


def a_while_ago(area: Path) -> None:
    for lock in area.glob(".tmp-*.lock"):
        os.utime(lock, (time.time() - 5,) * 2)


def test_what_a_killed_build_leaves_goes_at_once_and_a_living_one_s_stays(tmp_path: Path) -> None:
    area = tmp_path / "area"
    area.mkdir()
    builds = [
        subprocess.Popen([sys.executable, "-c", BUILD, str(area)], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        for one in builds:
            assert one.stdout is not None
            assert one.stdout.readline() == b"writing\n"
        a_while_ago(area)
        assert leftovers(area) == []
        builds[0].kill()
        builds[0].wait()
        assert len(leftovers(area)) == 2  # the folder and its lock
        sweep(area)
        assert len(list(area.glob(".tmp-*"))) == 2
        assert len(list(area.glob(".tmp-*/cells.parquet"))) == 1
    finally:
        for one in builds:
            one.kill()
            one.communicate()
    sweep(area)
    assert list(area.iterdir()) == []


def test_a_lock_is_gone_when_its_block_ends(tmp_path: Path) -> None:
    with claimed_aside(tmp_path) as aside:
        assert len(list(tmp_path.iterdir())) == 1
        assert not aside.exists()
    assert list(tmp_path.iterdir()) == []


def test_which_runs_are_removed() -> None:
    runs = ["r2023-a", "r2024-a", "r2024-b", "r2025-a", "r2025-b", "r2025-c", "r2025-d"]
    gone = runs_to_remove(runs, "r2025-a", 1, frozenset())
    assert gone == ["r2024-a", "r2025-b", "r2025-c"]
    assert runs_to_remove(runs, "r2025-a", 2, frozenset({"r2024-a"})) == ["r2025-b"]
    assert runs_to_remove(runs, "r2025-d", 100, frozenset()) == []
    assert runs_to_remove(["r2025-a"], "r2025-a", 0, frozenset()) == []


def test_pruning_a_workspace(tmp_path: Path) -> None:
    names = [tiny_run(tmp_path).manifest.run for _ in range(3)]
    folders = AreaFolders(tmp_path)
    assert prune(folders, "tiny", 1, dry=True) == names[:2]
    assert folders.runs("tiny") == names
    assert prune(folders, "tiny", 1) == names[:2]
    assert folders.runs("tiny") == names[2:]
    assert folders.current("tiny") == names[2]
    assert Workspace(tmp_path).open("tiny").manifest.residents == 1910
    assert list((tmp_path / "tiny").glob(".tmp-*")) == []


def ask(*words: str, root: Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--workspace", str(root), "--lang", "en"])
    return done.exit_code, done.output


def test_the_doctor_sees_one_flipped_bit(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    code, said = ask("doctor", root=tmp_path)
    assert (code, "tiny: 1 run, all as they were written" in said) == (0, True)
    file = min(run.path.glob("*.npy"))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.unlink()  # the opened run has it mapped
    file.write_bytes(bytes(content))
    code, said = ask("doctor", "tiny", root=tmp_path)
    assert code == 2
    assert run.manifest.run in said
    assert "not as they were written" in said


@pytest.mark.parametrize("broken", ["bytes", "folder", "link"])
def test_the_doctor_mends_a_pointer_and_clears_leftovers(tmp_path: Path, broken: str) -> None:
    names = [tiny_run(tmp_path).manifest.run for _ in range(2)]
    area = tmp_path / "tiny"
    if broken == "bytes":
        (area / "current").write_bytes(b"\xff\xfe")
    else:
        (area / "current").unlink()
    if broken == "folder":
        (area / "current").mkdir()
        (area / "current" / "of_somebody.txt").touch()
    elif broken == "link":
        (area / "current").symlink_to("nowhere")
    (area / ".tmp-0f").mkdir()
    (area / ".tmp-0f.lock").touch()
    a_while_ago(area)
    assert ask("doctor", root=tmp_path)[0] == 2
    code, said = ask("doctor", "--mend", root=tmp_path)
    assert code == 0, said
    assert AreaFolders(tmp_path).current("tiny") == names[1]
    assert list(area.glob(".tmp-*")) == []
    assert len(list(area.glob("current*/of_somebody.txt"))) == (broken == "folder")


def test_the_doctor_leads_from_a_damaged_run_to_the_one_before(tmp_path: Path) -> None:
    names = [tiny_run(tmp_path).manifest.run for _ in range(2)]
    runs = tmp_path / "tiny" / "runs"
    (runs / names[1] / "policy.json").write_bytes(b"{}")
    code, said = ask("doctor", "--mend", root=tmp_path)
    assert (code, AreaFolders(tmp_path).current("tiny")) == (2, names[0])  # the damaged one is told
    assert names[1] in said and Workspace(tmp_path).open("tiny").manifest.run == names[0]
    (runs / names[0] / "policy.json").write_bytes(b"{}")
    assert ask("doctor", "--mend", root=tmp_path)[0] == 2
    assert AreaFolders(tmp_path).current("tiny") == names[0]  # nothing whole to lead to


def test_pruning_by_the_command_says_what_it_does(root: Path) -> None:
    code, said = ask("prune", "--keep", "1", "--dry-run", root=root)
    assert (code, said.strip()) == (0, "tiny: 0 runs would be removed, 1 would be left")
    code, said = ask("prune", root=root / "nowhere")
    assert code != 0
