"""What an opened run leaves in its files until someone asks, and what a ready service holds."""

from __future__ import annotations

import dataclasses
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lifecircle as lc
from lifecircle.analysis.access.walking import walk_costs
from lifecircle.analysis.city.model import Deferred
from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.quantities import read_only
from lifecircle.analysis.results.run_files.catchments import read_catchments, write_catchments
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.state import AreaState
from tests.results.test_store import same
from tests.worlds.tiny import tiny_city, tiny_run


def broken(file: Path) -> None:
    """Turn the bits of what lies before the foot of a parquet file."""
    held = bytearray(file.read_bytes())
    foot = int.from_bytes(held[-8:-4], "little") + 8
    held[4:-foot] = bytes(255 - byte for byte in held[4:-foot])
    file.write_bytes(held)


@pytest.mark.parametrize("column", ["id", "polygon"])
def test_what_cannot_be_read_later_is_told_as_at_opening(tmp_path: Path, column: str) -> None:
    run = tiny_run(tmp_path)
    broken(run.path / "cells.parquet")
    cells = Workspace(tmp_path).open("tiny").city.cells
    assert int(cells.residents.sum()) == int(run.city.cells.residents.sum())
    with pytest.raises(WorkspaceError, match="Build the area again"):
        getattr(cells, column)


def test_shapes_that_are_none_are_told_as_what_cannot_be_read(tmp_path: Path) -> None:
    file = tiny_run(tmp_path).path / "cells.parquet"
    table = pq.read_table(file)
    at = table.schema.get_field_index("geometry")
    torn = [shape[:30] for shape in table["geometry"].to_pylist()]
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array(torn)), file)
    cells = Workspace(tmp_path).open("tiny").city.cells
    with pytest.raises(WorkspaceError, match="Build the area again"):
        assert cells.polygon is None


@pytest.mark.parametrize("name", ["cells.parquet", "cells.xy_m.npy"])
def test_a_file_cut_short_is_known_at_opening(tmp_path: Path, name: str) -> None:
    file = tiny_run(tmp_path).path / name
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(WorkspaceError, match="Build the area again"):
        Workspace(tmp_path).open("tiny")


def test_catchments_are_read_when_asked_for_though_the_files_be_gone(tmp_path: Path) -> None:
    study = lc.tiny_town().study
    found = lc.catchments(study, lc.Question("health_centre"))
    write_catchments(tmp_path, {"health_centre": found})
    again = read_catchments(tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()
    assert (len(again), list(again)) == (1, ["health_centre"])
    same(found, again["health_centre"])
    write_catchments(tmp_path, {"health_centre": found})
    broken(tmp_path / "catchments.parquet")
    unread = read_catchments(tmp_path)
    assert unread.get("pharmacy") is None
    with pytest.raises(WorkspaceError):
        unread.get("health_centre")


def test_threads_that_ask_at_once_are_given_one_array() -> None:
    both = threading.Barrier(2, timeout=10)
    made: list[np.ndarray] = []

    def make() -> np.ndarray:
        time.sleep(0.05)  # the other asks meanwhile
        made.append(np.empty(1, dtype=object))
        return made[-1]

    later = Deferred(make)

    def ask() -> np.ndarray:
        both.wait()
        return later.made()

    with ThreadPoolExecutor(2) as pool:
        one, other = (future.result() for future in [pool.submit(ask), pool.submit(ask)])
    assert one is other is made[0]
    assert len(made) == 1


def test_what_could_not_be_made_is_made_when_asked_again() -> None:
    tries: list[int] = []

    def make() -> np.ndarray:
        tries.append(1)
        if len(tries) == 1:
            raise WorkspaceError("run_unreadable", path="x", file="*")
        return np.empty(1, dtype=object)

    later = Deferred(make)
    with pytest.raises(WorkspaceError):
        later.made()
    assert later.made() is later.made()


def test_a_warm_area_has_read_no_cells_and_indexed_no_streets(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    unread = Deferred(lambda: pytest.fail("cells were read"))
    cells = dataclasses.replace(run.city.cells, ids=unread, outline=unread)
    bare = dataclasses.replace(run, city=dataclasses.replace(run.city, cells=cells))
    AreaState(bare).warm()
    assert "study" not in vars(bare)


def test_the_first_edge_alone_costs_what_it_costs_among_the_others() -> None:
    network = tiny_city().network
    one = network.first_edge()
    assert (one.edge_count, one.node_count) == (1, 2)
    assert one.lines()[0].equals(network.lines()[0])
    whole, alone = walk_costs(network), walk_costs(one)
    assert alone.uv_cm.tolist() == whole.uv_cm[:1].tolist()
    types = {
        name: (held.dtype, held.ndim, held.flags.writeable)
        for name in ("edge_u", "start", "link", "uv_cm", "vu_cm", "half_edge")
        for held in (getattr(alone, name),)
    }
    frozen = network.edge_u.copy()
    read_only(frozen)
    assert types["edge_u"] == (frozen.dtype, 1, False)
    assert types["link"] == (np.dtype(np.int64), 1, False)
