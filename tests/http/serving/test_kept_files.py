"""Dear answers kept for all workers: worked out once, given whole, gone with their run."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecircle.analysis.results.folders import AreaFolders, answers_folder, answers_root
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.analysis.results.upkeep import prune
from lifecircle.service import kept_files
from lifecircle.service.apart.jail import Limits
from lifecircle.service.apart.workshop import FAULTS, OPEN_FILES, Apart, Workshop
from lifecircle.service.flights import ReaderLeftError
from lifecircle.service.kept_files import KeptFiles, seal
from lifecircle.service.state import Areas, AreaState
from lifecircle.service.waiting import FIRST_APART_S, FIRST_S, Costs, WaitingList
from tests.worlds.tiny import tiny_run

LIMITS = Limits(2**32, 60.0, 2**28, open_files=OPEN_FILES, processors=2, faults=FAULTS)


def counts(runs: list[Run], beside: str) -> str:
    """A document that says how often it was worked out."""
    with Path(beside).open("a", encoding="utf-8") as told:
        told.write("x")
    time.sleep(0.3)
    return runs[0].manifest.area


def state_of(root: Path) -> AreaState:
    workspace = Workspace(root)
    return AreaState(workspace.open("tiny", workspace.current("tiny")))


def test_two_workers_work_one_answer_out_once(root: Path, tmp_path: Path) -> None:
    one, other = (Workshop(root, LIMITS, 2, tmp_path, 2**20) for _ in range(2))
    state, beside = state_of(root), tmp_path / "beside"
    told: list[bytes] = []

    def ask(shop: Workshop) -> None:
        asked = Apart(counts, (state,), (str(beside),))
        told.append(shop.answer(asked, ("zh", str(beside)), threading.Event()))

    asking = [threading.Thread(target=ask, args=(shop,)) for shop in (one, other)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(60)
    assert told == [b'"tiny"'] * 2
    assert beside.read_text("utf-8") == "x"
    again = Workshop(root, LIMITS, 2, None, 2**20)  # after a restart
    asked = Apart(counts, (state,), (str(beside),))
    assert again.answer(asked, ("zh", str(beside)), threading.Event()) == b'"tiny"'
    assert beside.read_text("utf-8") == "x"
    again.answer(asked, ("en", str(beside)), threading.Event())  # another question
    assert beside.read_text("utf-8") == "xx"


def test_who_leaves_does_not_wait_for_another_worker(tmp_path: Path) -> None:
    kept, left = KeptFiles(tmp_path, 2**20, tmp_path), threading.Event()
    path = kept.path("a", "r", "question")
    left.set()
    with (
        kept.alone(path, threading.Event()),
        pytest.raises(ReaderLeftError),
        kept.alone(path, left),
    ):
        raise AssertionError
    with kept.alone(path, left):  # free again
        pass


def test_a_damaged_file_is_none_and_the_oldest_go_first(tmp_path: Path) -> None:
    kept = KeptFiles(tmp_path, 1_000, None)
    paths = [kept.path("a", f"r{k}", "question") for k in range(6)]
    assert len({*paths, kept.path("a", "r0", "another"), kept.path("b", "r0", "question")}) == 8
    for k, path in enumerate(paths):
        kept.put(path, bytes([k]) * 200)
        if path.exists():
            os.utime(path, (k, k))
    assert [path.exists() for path in paths] == [False, False, True, True, True, True]
    assert kept.get(paths[5]) == b"\x05" * 200
    whole = paths[5].read_bytes()
    for broken in (whole[:-1], whole[:40] + b"\xff" + whole[41:], b""):
        paths[5].write_bytes(broken)
        assert kept.get(paths[5]) is None
    kept.put(paths[4], b"x" * 300)  # more than a quarter
    assert kept.get(paths[4]) == b"\x04" * 200


def test_a_long_file_is_sent_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_files, "PIECE", 7)
    kept, body = KeptFiles(tmp_path, 1_000, None), bytes(range(200))
    path, long = (kept.path("a", "r0", name) for name in ("question", "long"))
    stale = answers_root(tmp_path) / ".writing-stale"
    stale.mkdir(parents=True)
    os.utime(stale, (1, 1))

    def write(to: Path, what: bytes = body) -> None:
        to.write_bytes(what)
        seal(to)

    held = kept.written(path, write)
    other = kept.open(path)
    assert other is not None
    mixed = [first + second for first, second in zip(held.pieces(), other.pieces(), strict=True)]
    assert max(map(len, mixed)) == 14
    assert b"".join(one[: len(one) // 2] for one in mixed) == body
    assert not stale.exists()
    whole = path.read_bytes()
    for broken in (whole[:-1], b"\xff" + whole[1:], b""):
        path.write_bytes(broken)
        assert kept.open(path) is None
    path.write_bytes(whole)
    path.unlink()
    assert b"".join(other.pieces()) == body  # to who began, also when it is gone
    large = kept.written(long, lambda to: write(to, body * 2))  # more than a quarter
    assert b"".join(large.pieces()) == body * 2
    assert not long.exists()
    assert not list(answers_root(tmp_path).glob(".writing-*"))


def test_what_is_kept_is_counted_once_for_many_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, many, limit = 50, 10_000, 600_000
    folder = answers_folder(tmp_path / "a", "r0")
    folder.mkdir(parents=True)
    for k in range(many):
        (folder / f"{k:040}").write_bytes(b"x" * size)
        os.utime(folder / f"{k:040}", (k, k))
    counts = [0]
    glob = Path.glob

    def counting(path: Path, pattern: str) -> Iterator[Path]:
        counts[0] += 1
        return glob(path, pattern)

    monkeypatch.setattr(Path, "glob", counting)
    kept = KeptFiles(tmp_path, limit, None)
    paths = [kept.path("a", "r1", k) for k in range(2_000)]
    for path in paths:
        kept.put(path, b"x" * (200 - 32))
    assert counts[0] <= 40  # and not 2,000
    held = sum(one.stat().st_size for one in glob(folder.parent, "*/*"))
    assert limit * 0.9 <= held <= limit
    assert not (folder / f"{0:040}").exists()
    assert paths[-1].exists()


def test_another_run_under_the_same_name_is_another_question(tmp_path: Path) -> None:
    kept, beside = KeptFiles(tmp_path, 2**20, None), [("a", "r2")]
    before = kept.path("a", "r1", "question", beside=beside)
    assert before != kept.path("a", "r1", "question")
    manifest = tmp_path / "a" / "runs" / "r2" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}", "utf-8")
    assert before != kept.path("a", "r1", "question", beside=beside)


def test_runs_beside_are_known_by_what_lies_there_and_not_by_name(tmp_path: Path) -> None:
    run, areas = tiny_run(tmp_path), Areas(Workspace(tmp_path), 2, 2**20)
    (before,) = areas.stamped_runs("tiny")
    assert before.split()[0] == run.manifest.run
    assert areas.stamped_runs("tiny") == (before,)
    os.utime(run.path / "manifest.json", ns=(1, 1))  # another one under the name
    (after,) = areas.stamped_runs("tiny")
    assert (after != before, after.split()[0]) == (True, run.manifest.run)


def test_answers_go_with_their_run(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    folders, runs = AreaFolders(tmp_path), tmp_path / "tiny" / "runs"
    (first,) = folders.runs("tiny")
    kept = KeptFiles(tmp_path, 2**20, None)
    path = kept.path("tiny", first, "question")
    kept.put(path, b"answer")
    assert path.parent == answers_folder(tmp_path / "tiny", first)
    assert kept.get(path) == b"answer"
    for later in (f"{first}-2", f"{first}-3"):
        (runs / later).mkdir()
        (runs / later / "manifest.json").write_text("{}", "utf-8")
    (tmp_path / "tiny" / "current").write_text(f"{first}-3", "utf-8")
    assert prune(folders, "tiny", 2) == [first]
    assert not path.parent.exists()


def test_what_waits_is_added_over_workers_and_by_kind(tmp_path: Path) -> None:
    one, costs = WaitingList(tmp_path), Costs()
    one.add(2.5)
    assert WaitingList(tmp_path).seconds() == 2.5  # of another worker, whose process lives
    one.add(-2.5)
    assert one.seconds() == 0
    assert (costs.of("gaps", False), costs.of("report", True)) == (FIRST_S, FIRST_APART_S)
    costs.learn("gaps", False, 30.0)  # it met a run being opened: counts as ten times at most
    assert costs.of("gaps", False) == pytest.approx(FIRST_S * 2.8)
    for _ in range(20):
        costs.learn("gaps", False, 0.004)
    assert costs.of("gaps", False) == pytest.approx(0.004, abs=0.001)
    for _ in range(60):
        costs.learn("gaps", False, 1.0)
    assert costs.of("gaps", False) == pytest.approx(1.0, abs=0.001)
