"""A bit that flips on the disk, in any file of a run: no figure of the run is given any more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.results.run_files.manifest import read_manifest
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.app import create_app
from lifecircle.service.settings import Settings
from tests.worlds.tiny import tiny_run

DAMAGED = {"run_damaged", "run_unreadable", "run_policy_unreadable"}


def flip(file: Path) -> None:
    """Turn one bit in the middle of a file round."""
    held = bytearray(file.read_bytes())
    held[len(held) // 2] ^= 0b100
    file.write_bytes(held)


def test_no_file_of_a_run_may_change(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path).path
    files = [file for file in folder.iterdir() if file.name != "manifest.json"]
    assert {file.suffix for file in files} == {".json", ".npy", ".parquet"}
    workspace = Workspace(tmp_path)
    for file in files:
        if not file.stat().st_size:
            continue
        flip(file)
        with pytest.raises(WorkspaceError) as raised:
            workspace.open_whole("tiny")
        assert raised.value.key in DAMAGED, file.name
        flip(file)
    assert workspace.open_whole("tiny").path == folder
    (folder / "more.npy").write_bytes(b"")
    with pytest.raises(WorkspaceError):
        workspace.open_whole("tiny")


def test_a_manifest_is_as_it_was_written_or_refused(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path).path
    file, whole = folder / "manifest.json", read_manifest(folder)
    held, refused = file.read_bytes(), 0
    for place in range(0, len(held), 7):
        turned = bytearray(held)
        turned[place] ^= 0b100
        file.write_bytes(turned)
        try:
            assert read_manifest(folder) == whole, held[place - 20 : place + 20]
        except WorkspaceError as fault:
            assert fault.key in {*DAMAGED, "run_format"}
            refused += 1
    assert refused > len(held) / 14
    content = json.loads(held)
    file.write_text(json.dumps({**content, "residents": 1}), encoding="utf-8")
    with pytest.raises(WorkspaceError, match="not as they were written"):
        Workspace(tmp_path).open("tiny")
    del content["sha256"]  # a run of an earlier version
    file.write_text(json.dumps(content), encoding="utf-8")
    assert Workspace(tmp_path).open_whole("tiny").manifest == whole


def test_a_changed_run_is_not_served_and_the_others_are(tmp_path: Path) -> None:
    changed, _ = tiny_run(tmp_path), tiny_run(tmp_path, area="whole")
    flip(changed.path / "cells.parquet")
    with TestClient(
        create_app(Settings(workspace=tmp_path)),
        base_url="http://127.0.0.1",
        client=("127.0.0.1", 50000),
    ) as client:
        asked = {"service": "health_centre"}
        for question in ("coverage", "gaps", "point?lon=102.6&lat=24.9", "report?f=json"):
            path = question if "?" in question else f"{question}?service=health_centre"
            refused = client.get(f"/areas/tiny/{path}")
            assert refused.status_code == 503, (path, refused.text)
            assert refused.json()["key"] in DAMAGED
        assert client.get("/areas/whole/coverage", params=asked).status_code == 200
