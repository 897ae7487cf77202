"""What is kept takes as much memory as was said, and goes with its run."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
import weakref
from pathlib import Path

import pytest

from lifecircle.analysis.pipeline import save_run
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.edge.kept import ENTRY_BYTES, SWEPT, Entry, Shelf
from lifecircle.service.kept_bytes import ANSWER_BYTES, AnswerCache
from lifecircle.service.responses import Kept
from tests.pages.served import client
from tests.worlds.tiny import tiny_city, tiny_manifest, tiny_policy, tiny_run, walks

TABLE = "/areas/tiny/coverage?service=health_centre"


def test_kept_answers_are_bounded_over_all_runs_together() -> None:
    kept = AnswerCache(100 * ANSWER_BYTES)
    for run in (Path("a"), Path("b"), Path("c")):
        for number in range(200):
            kept.put(run, number, b"x" * (number % 50))
            assert kept.held_bytes <= 100 * ANSWER_BYTES
    assert kept.get(Path("a"), 199) is None  # long ago
    assert kept.get(Path("c"), 199) == b"x" * 49
    kept.forget(Path("c"))
    assert kept.get(Path("c"), 199) is None
    assert kept.held_bytes == 0


def small(number: int) -> Entry:
    return Entry(Kept(b"x", b'"%d"' % number, (), text=True, still=lambda: number % 2 > 0))


def test_small_answers_count_what_they_take_beside_their_bytes() -> None:
    shelf = Shelf(40 * ENTRY_BYTES)
    tracemalloc.start()
    try:
        for number in range(1_000):
            shelf.keep((f"/areas/tiny/point?lon={number}",), small(number))
        took, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert took < 40 * ENTRY_BYTES + 100_000


def test_what_a_replaced_run_answered_goes_at_once() -> None:
    moved = [0]
    shelf = Shelf(2**20, lambda: moved[0])
    shelf.keep(("even",), even := small(2))
    shelf.keep(("odd",), small(3))
    gone = weakref.ref(even.kept.still)
    del even
    assert gone() is not None
    moved[0] += 1
    shelf.keep(("another",), small(5))
    assert gone() is None
    assert shelf.find(("odd",)) is not None


def test_no_answer_waits_for_a_look_at_all_that_is_kept() -> None:
    moved, asked = [0], [0]

    def still() -> bool:
        asked[0] += 1
        return False

    shelf = Shelf(2**26, lambda: moved[0])
    for number in range(10_000):
        shelf.keep((number,), Entry(Kept(b"x", b"", (), text=True, still=still)))
    assert asked[0] == 0
    moved[0] += 1
    later = 0
    while asked[0] < 10_000:
        before = asked[0]
        shelf.keep(("later", later), small(3))
        later += 1
        assert 0 < asked[0] - before <= SWEPT
    assert later == 10_000 / SWEPT
    assert all(shelf.find(("later", number)) is not None for number in range(later))


def test_a_replaced_run_is_closed_by_its_last_reader(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = tiny_run(tmp_path).manifest.run
    served = client(tmp_path)
    areas = served.app.state.areas  # type: ignore[attr-defined]
    assert served.get(TABLE).json()["run"] == first
    at = "lon=24.94&lat=60.17"
    for path in (
        f"/areas/tiny/gaps?run={first}", f"/maps/tiny/units?run={first}",
        "/collections/tiny.cells/items?limit=1",
        f"/areas/tiny/point?{at}", f"/areas/tiny/isochrone?{at}", "/areas/tiny/circles",
    ):  # fmt: skip
        assert served.get(path).status_code == 200
    reading = areas.open("tiny")
    open_, run = weakref.ref(reading), weakref.ref(reading.run)
    rules, city = tiny_policy(), tiny_city(places=())
    table = walks(city, tuple(rules.services))
    second = save_run(workspace, tiny_manifest(city, rules), rules, city, table).manifest.run
    assert served.get(TABLE).json()["run"] == second
    assert open_() is reading  # somebody still reads it
    gc.disable()  # nothing goes round in a circle: a served process collects seldom
    try:
        del reading
        served.get(TABLE + "&minutes=7")
        assert (open_(), run()) == (None, None)
    finally:
        gc.enable()
    assert served.get(f"{TABLE}&run={first}").json()["run"] == first


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_large_arrays_are_given_back_however_large_others_were() -> None:
    code = (
        "import ctypes, numpy as np, sys\n"
        "from lifecircle.service.serving import give_memory_back\n"
        "if sys.argv[1] == 'told': give_memory_back()\n"
        "class Info(ctypes.Structure):\n"
        "    _fields_ = [(n, ctypes.c_size_t) for n in 'abcdefghij']\n"
        "asked = getattr(ctypes.CDLL(None), 'mallinfo2', None)\n"
        "if asked is None: sys.exit(print('none'))\n"
        "asked.restype = Info\n"
        "first = np.ones(3_000_000); del first\n"
        "before = asked().e; second = np.ones(2_000_000)\n"
        "print('mapped' if asked().e > before else 'heap')\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code, how], capture_output=True, text=True, check=True
        ).stdout.strip()
        for how in ("told", "plain")
    ]
    if "none" in said:
        pytest.skip("glibc before 2.33, or another library")
    assert said == ["mapped", "heap"]
