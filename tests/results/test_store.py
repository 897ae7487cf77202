"""The workspace: atomic, one run never mixed with another, equal inputs give equal bytes."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import shapely

from lifecircle.analysis.city.model import Deferred
from lifecircle.analysis.errors import ParameterError, UnknownNameError, Warn, WorkspaceError
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.gaps.gaps import gaps
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.pipeline import save_run
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.provenance import InputFile
from lifecircle.analysis.results import store
from lifecircle.analysis.results.folders import AreaFolders
from lifecircle.analysis.results.frozen.policy import policy_from, policy_text
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.names import safe_name
from lifecircle.analysis.results.run_files.manifest import read_manifest, write_manifest
from lifecircle.analysis.results.store import Workspace
from lifecircle.analysis.results.upkeep import is_whole
from tests.worlds.parts import study_of
from tests.worlds.tiny import tiny_city, tiny_manifest, tiny_policy, tiny_run, tiny_travel


def same(a: object, b: object) -> None:
    """Equal field by field, arrays by content and type."""
    if isinstance(a, np.ndarray):
        assert isinstance(b, np.ndarray)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        if a.dtype == object and any(isinstance(item, shapely.Geometry) for item in a):
            assert [None if s is None else s.wkb for s in a] == [
                None if s is None else s.wkb for s in b
            ]
        else:
            assert a.tolist() == b.tolist()
    elif dataclasses.is_dataclass(a):
        assert type(a) is type(b)
        for field in dataclasses.fields(a):
            same(getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, Deferred):
        assert isinstance(b, Deferred)
        same(a.made(), b.made())
    elif isinstance(a, Mapping):
        assert isinstance(b, Mapping)
        assert list(a) == list(b)
        for name in a:
            same(a[name], b[name])
    else:
        assert a == b


def test_shapes_of_cells_are_made_when_asked_for_though_the_files_be_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path)
    built, policy = tiny_city(), tiny_policy()
    save_run(workspace, tiny_manifest(built, policy), policy, built, tiny_travel())
    opened = workspace.open(workspace.areas()[0])
    asked: list[int] = []
    read = shapely.from_wkb

    def counted(held: np.ndarray) -> object:
        asked.append(len(held))
        return read(held)

    monkeypatch.setattr(shapely, "from_wkb", counted)
    shutil.rmtree(opened.path)
    cells = dataclasses.replace(opened.city.cells, counted=True)
    assert asked == []
    assert cells.polygon is opened.city.cells.polygon
    assert asked == [sum(shape is not None for shape in built.cells.polygon)]
    same(cells.polygon, built.cells.polygon)
    assert {shape is None for shape in cells.polygon} == {True, False}


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def figures(run: Run) -> dict[str, bytes]:
    return {name: data for name, data in files(run.path).items() if name != "manifest.json"}


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    city = tiny_city()
    same(city, run.city)
    same(tiny_travel(city), run.travel)
    assert run.policy == tiny_policy()
    assert set(run.manifest.timings_s) == {"catchments", "layers", "save"}
    written = dataclasses.replace(
        tiny_manifest(city, tiny_policy()),
        run=run.manifest.run,
        timings_s=run.manifest.timings_s,
    )
    assert run.manifest == written
    assert run.manifest.run.startswith("r20250102030405-")
    assert run.path == tmp_path / "tiny" / "runs" / run.manifest.run


def test_measures_on_an_opened_run_are_the_same(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    city, travel, policy = tiny_city(), tiny_travel(), tiny_policy()
    for service in policy.services:
        assert coverage(run.study, Question(service=service)) == coverage(
            study_of(city, policy, travel=travel), Question(service=service)
        )
        opened = gaps(run.study, Question(service=service))
        drawn = gaps(study_of(city, policy, travel=travel), Question(service=service))
        assert [(g.id, g.residents, g.geometry.wkb) for g in opened] == [
            (g.id, g.residents, g.geometry.wkb) for g in drawn
        ]


def test_arrays_are_memory_mapped_and_read_only(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    assert isinstance(run.travel.cell_cm.base, np.memmap)
    assert isinstance(run.city.network.vertex_xy_m.base, np.memmap)
    for array in (run.travel.cell_cm, run.city.cells.residents, run.city.cells.xy_m):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_without_land_units_attributes_or_facilities(tmp_path: Path) -> None:
    def bare(city: object) -> object:
        return tiny_city(places=(), land=None, cells=())

    run = tiny_run(tmp_path, change=bare)  # type: ignore[arg-type]
    same(tiny_city(places=(), land=None, cells=()), run.city)
    assert run.travel.land_cm.shape == (11, 0)


def test_equal_inputs_give_equal_bytes(tmp_path: Path) -> None:
    one, two = tiny_run(tmp_path / "one"), tiny_run(tmp_path / "two")
    assert figures(one) == figures(two)
    assert one.manifest.run == two.manifest.run
    fewer = tiny_run(
        tmp_path / "three", change=lambda city: dataclasses.replace(city, surveyed=frozenset())
    )
    assert fewer.manifest.run != one.manifest.run


def test_runs_are_added_and_current_moves_last(tmp_path: Path) -> None:
    first, second = tiny_run(tmp_path), tiny_run(tmp_path)
    space = Workspace(tmp_path)
    assert first.manifest.run != second.manifest.run
    assert space.areas() == ["tiny"]
    assert space.runs("tiny") == [first.manifest.run, second.manifest.run]
    assert space.current("tiny") == second.manifest.run
    assert space.open("tiny").manifest == second.manifest
    assert space.open("tiny", first.manifest.run).manifest == first.manifest
    assert space.manifest("tiny", first.manifest.run) == first.manifest
    assert not list((tmp_path / "tiny").glob(".tmp-*"))


@pytest.mark.parametrize("step", ["write_city", "write_manifest", "_to_disk", "_point"])
@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("before", [True, False])
def test_a_crash_leaves_the_workspace_as_before(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    fault: BaseException,
    before: bool,
) -> None:
    if before:
        tiny_run(tmp_path)
    earlier = files(tmp_path)

    def fail(*_: object) -> None:
        raise fault

    whole = getattr(store, step)
    monkeypatch.setattr(store, step, fail)
    with pytest.raises(WorkspaceError if isinstance(fault, OSError) else KeyboardInterrupt):
        tiny_run(tmp_path)
    monkeypatch.setattr(store, step, whole)
    if step != "_point":
        assert files(tmp_path) == earlier
    assert Workspace(tmp_path).areas() == (["tiny"] if before else [])
    if before:
        assert len(Workspace(tmp_path).open("tiny").city.cells) == 10


def test_a_crash_while_current_moves_leaves_it_and_drops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_run(tmp_path)
    earlier = files(tmp_path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(WorkspaceError) as caught:
        tiny_run(tmp_path)
    assert "No space left on device" in caught.value.text("zh")
    assert files(tmp_path) == earlier


def test_leftovers_of_dead_builds_are_ignored_and_swept(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    area = tmp_path / "tiny"
    for name, age_s in (("old", 2 * 24 * 3600), ("new", 60)):
        left = area / f".tmp-{name}"
        left.mkdir()
        (left / "cells.parquet").write_bytes(b"half")
        os.utime(left, (time.time() - age_s,) * 2)
    (area / ".tmp-file").write_text("half")
    os.utime(area / ".tmp-file", (0, 0))
    assert len(Workspace(tmp_path).runs("tiny")) == 1
    tiny_run(tmp_path)
    assert sorted(path.name for path in area.glob(".tmp-*")) == [".tmp-new"]


def test_unknown_names_say_what_there_is(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "none")
    assert space.areas() == []
    with pytest.raises(UnknownNameError):
        space.open("tiny")
    run = tiny_run(tmp_path)
    space = Workspace(tmp_path)
    with pytest.raises(UnknownNameError, match="It has: tiny"):
        space.open("other")
    with pytest.raises(UnknownNameError, match=run.manifest.run):
        space.open("tiny", "r0")


def test_broken_runs_are_named(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    space = Workspace(tmp_path)
    manifest = (run.path / "manifest.json").read_text()
    (run.path / "manifest.json").write_text(manifest.replace('"format": 1', '"format": 99'))
    with pytest.raises(WorkspaceError, match="99"):
        space.open("tiny")
    (run.path / "manifest.json").write_text("{")
    with pytest.raises(WorkspaceError, match="cannot be read"):
        space.open("tiny")
    (run.path / "manifest.json").write_text(manifest)
    (run.path / "travel.cell_cm.npy").write_bytes(b"")
    with pytest.raises(WorkspaceError, match="Build the area again"):
        space.open("tiny")
    (run.path / "policy.json").write_text('{"id": 1}')
    with pytest.raises(WorkspaceError, match="policy"):
        space.open("tiny")
    (tmp_path / "tiny" / "current").write_text("gone\n")
    with pytest.raises(WorkspaceError, match="gone"):
        space.open("tiny")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        ".hidden",
        "-x",
        "a b",
        "a.",
        "x" * 65,
        "con",
        "NUL",
        "com1.txt",
        "Lpt9",
        "a\n",
        "a:b",
        "<b>",
    ],
)
def test_names_that_cannot_be_folders(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParameterError):
        safe_name(name)
    with pytest.raises(ParameterError):
        Workspace(tmp_path).runs(name)
    manifest = tiny_manifest(tiny_city(), tiny_policy(), name)
    with pytest.raises(ParameterError):
        save_run(Workspace(tmp_path), manifest, tiny_policy(), tiny_city(), tiny_travel())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["malta", "五华区", "a.b-c_2", "console", "9", "x" * 64])
def test_names_that_can(name: str) -> None:
    assert safe_name(name) == name


def test_a_link_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "elsewhere")
    root = tmp_path / "root"
    root.mkdir()
    (root / "tiny").symlink_to(run.path.parent.parent, target_is_directory=True)
    with pytest.raises(ParameterError):
        Workspace(root).open("tiny")


def test_manifests_keep_everything(tmp_path: Path) -> None:
    full = dataclasses.replace(
        tiny_manifest(tiny_city(), tiny_policy()),
        run="r1",
        modelled=("population",),
        warnings=(Warn("coverage_no_land"), Warn("unsafe_name", {"name": "x"})),
        inputs=(InputFile("network", "x.osm.pbf", 12, "ab" * 32),),
        parameters={"datum": None, "units": ["a", "b"], "cells": np.int64(3)},
    )
    write_manifest(tmp_path, full)
    back = read_manifest(tmp_path)
    assert dataclasses.replace(back, parameters={}) == dataclasses.replace(full, parameters={})
    assert dict(back.parameters) == {"datum": None, "units": ["a", "b"], "cells": 3}


def test_an_old_run_keeps_its_judgements() -> None:
    packaged = load_policy()
    assert policy_from(policy_text(packaged)) == packaged
    assert policy_text(policy_from(policy_text(packaged))) == policy_text(packaged)
    with pytest.raises(WorkspaceError):
        policy_from("[]")


def test_a_name_that_is_taken_meanwhile_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tiny_run(tmp_path).manifest.run
    told: list[str] = []
    free = store._free

    def late(runs: Path, stem: str) -> str:
        """The name that another build takes before this one does."""
        told.append(stem)
        return stem if len(told) == 1 else free(runs, stem)

    monkeypatch.setattr(store, "_free", late)
    second = tiny_run(tmp_path).manifest.run
    assert (told, second) == ([first] * 2, f"{first}-2")
    folders = AreaFolders(tmp_path)
    assert (folders.runs("tiny"), folders.current("tiny")) == ([first, second], second)
    assert is_whole(tmp_path / "tiny" / "runs" / second)
    assert Workspace(tmp_path).open("tiny").manifest.run == second


def test_one_damaged_run_takes_no_other_with_it(tmp_path: Path) -> None:
    """Its year is not told; `doctor` names it, and the run that is served answers."""
    workspace = Workspace(tmp_path)
    built, policy = tiny_city(), tiny_policy()
    manifest = tiny_manifest(built, policy)
    for name in ("r1", "r2"):
        one = dataclasses.replace(manifest, run=name)
        save_run(workspace, one, policy, built, tiny_travel())
    runs = workspace.runs(manifest.area)
    assert set(workspace.years(manifest.area)) == set(runs)
    file = workspace.run_folder(manifest.area, runs[0]) / "manifest.json"
    content = file.read_text("utf-8")
    file.write_text(content.replace(manifest.title.en, manifest.title.en + "!", 1), "utf-8")
    with pytest.raises(WorkspaceError):
        workspace.manifest(manifest.area, runs[0])
    assert set(workspace.years(manifest.area)) == {*runs} - {runs[0]}
