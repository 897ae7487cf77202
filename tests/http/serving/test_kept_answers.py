"""One flight per answer, bytes kept and compressed, a short queue for dear questions."""

from __future__ import annotations

import asyncio
import gc
import gzip
import subprocess
import sys
import threading
import time
import tracemalloc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.pipeline import save_run
from lifecircle.analysis.results.store import Workspace
from lifecircle.service import flights
from lifecircle.service.edge.kept import ENTRY_BYTES, Entry, Shelf, takes_gzip
from lifecircle.service.errors import NotReadyError
from lifecircle.service.flights import Flights, ReaderLeftError
from lifecircle.service.kept_bytes import ANSWER_BYTES, AnswerCache
from lifecircle.service.responses import Kept
from lifecircle.service.waiting import FIRST_S
from tests.pages.served import client
from tests.worlds.tiny import tiny_city, tiny_manifest, tiny_policy, tiny_run, walks

TABLE = "/areas/tiny/coverage?service=health_centre"


@pytest.fixture
def served(root: Path) -> TestClient:
    return client(root)


async def never() -> None:
    await asyncio.Event().wait()


class Work:
    """Work that waits until it is let go; counts how often it was begun."""

    def __init__(self, answer: bytes = b"done") -> None:
        self.answer, self.begun, self.go = answer, 0, threading.Event()

    def __call__(self, left: threading.Event) -> bytes:
        self.begun += 1
        assert self.go.wait(10)
        return self.answer


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


# ---- flights -----------------------------------------------------------------------------


def test_many_readers_of_one_answer_share_one_computation() -> None:
    async def story() -> None:
        shared, work = Flights(2, 2), Work()
        asking = [
            asyncio.create_task(shared.share("a", work, never, kind="gaps")) for _ in range(64)
        ]
        await until(lambda: work.begun == 1)
        work.go.set()
        assert set(await asyncio.gather(*asking)) == {b"done"}
        assert (work.begun, shared.dear_held) == (1, 0)

    asyncio.run(story())


def test_a_full_queue_refuses_and_empties_when_readers_leave() -> None:
    async def story() -> None:
        shared, first, waiting = Flights(1, FIRST_S), Work(), Work()
        left = asyncio.Event()

        async def leaves() -> None:
            await left.wait()

        one = asyncio.create_task(shared.share("a", first, never, kind="gaps"))
        await until(lambda: first.begun == 1)
        two = asyncio.create_task(shared.share("b", waiting, leaves, kind="gaps"))
        await asyncio.sleep(0.02)
        with pytest.raises(NotReadyError):
            await shared.share("c", Work(), never, kind="gaps")
        cheap = Work()
        cheap.go.set()
        assert await shared.share("c", cheap, never) == b"done"  # cheap ones do not wait for dear
        left.set()
        with pytest.raises(ReaderLeftError):
            await two
        await until(lambda: shared.dear_held == 1)
        first.go.set()
        assert await one == b"done"
        assert waiting.begun == 0  # nobody waited for it: it was never begun

    asyncio.run(story())


def test_who_comes_as_a_flight_is_called_off_has_one_of_his_own() -> None:
    async def story() -> None:
        shared, first, work, again = Flights(1, 1), Work(), Work(), Work()
        busy = asyncio.create_task(shared.share("a", first, never, kind="gaps"))
        await until(lambda: first.begun == 1)
        waits = asyncio.create_task(shared.share("b", work, never, kind="gaps"))
        await asyncio.sleep(0.02)
        waits.cancel()
        later = asyncio.create_task(shared.share("b", again, never))  # before the flight has ended
        first.go.set()
        again.go.set()
        assert (await busy, await later) == (b"done", b"done")
        assert (work.begun, again.begun, shared.dear_held) == (0, 1, 0)

    asyncio.run(story())


def test_work_that_has_begun_serves_who_comes_later() -> None:
    async def story() -> None:
        shared, work, gone = Flights(1, 1), Work(), asyncio.Event()

        async def leaves() -> None:
            await gone.wait()

        first = asyncio.create_task(shared.share("a", work, leaves))
        await until(lambda: work.begun == 1)
        gone.set()
        with pytest.raises(ReaderLeftError):
            await first
        second = asyncio.create_task(shared.share("a", work, never))
        await asyncio.sleep(0)
        work.go.set()
        assert await second == b"done"
        assert work.begun == 1

    asyncio.run(story())


def test_a_failure_is_told_to_all_and_not_kept() -> None:
    def broken(left: threading.Event) -> bytes:
        raise ValueError("no")

    async def story() -> None:
        shared = Flights(1, 1)
        told = await asyncio.gather(
            *(shared.share("a", broken, never) for _ in range(3)), return_exceptions=True
        )
        assert [type(one) for one in told] == [ValueError] * 3
        good = Work()
        good.go.set()
        assert await shared.share("a", good, never) == b"done"

    asyncio.run(story())


def test_a_full_queue_is_503_with_retry_after(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any, **__: Any) -> bytes:
        raise NotReadyError("too_busy")

    monkeypatch.setattr(flights.Flights, "share", full)
    answer = client(root).get("/areas/tiny/gaps?minutes=7&lang=en")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["key"] == "too_busy"


# ---- kept bytes --------------------------------------------------------------------------


def count(served: TestClient, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Requests that reach the router from now on."""
    seen: list[str] = []
    held = served.app.state.areas  # type: ignore[attr-defined]
    ask = held.held

    def counted(area: str, run: str | None = None) -> Any:
        seen.append(area)
        return ask(area, run)

    monkeypatch.setattr(held, "held", counted)
    return seen


def test_the_second_answer_is_the_first_and_reaches_no_router(
    served: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = count(served, monkeypatch)
    first, second = served.get(TABLE), served.get(TABLE)
    assert len(reached) == 1
    assert second.content == first.content
    same = set(first.headers) - {"x-request-id"}
    assert {n: first.headers[n] for n in same} == {n: second.headers[n] for n in same}
    for other in ({"accept-language": "en"}, {"host": "localhost"}, {"accept": "text/html"}):
        served.get(TABLE, headers=other)
    assert len(reached) == 4  # each a question of its own


def test_compressed_and_plain_have_tags_of_their_own(served: TestClient) -> None:
    plain = served.get(TABLE, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for _ in range(2):
        small = served.get(TABLE, headers={"accept-encoding": "gzip, br"})
        assert small.headers["content-encoding"] == "gzip"
        assert int(small.headers["content-length"]) < len(plain.content)
        assert small.json() == plain.json()
    assert small.headers["etag"] != plain.headers["etag"]
    assert "Accept-Encoding" in small.headers["vary"]
    for tag in (
        small.headers["etag"],
        f"W/{plain.headers['etag']}",
        '"x", ' + plain.headers["etag"],
    ):
        again = served.get(TABLE, headers={"if-none-match": tag})
        assert (again.status_code, again.content) == (304, b"")
    assert served.get(TABLE, headers={"if-none-match": '"other"'}).status_code == 200


def test_pages_and_first_answers_are_compressed_too(served: TestClient) -> None:
    with served.stream("GET", "/maps/tiny/coverage", headers={"accept-encoding": "gzip"}) as page:
        raw = b"".join(page.iter_raw())
    assert page.headers["content-encoding"] == "gzip"
    assert b"<!DOCTYPE html>" in gzip.decompress(raw)
    small = served.get("/healthz", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers


def test_a_kept_map_has_another_nonce_each_time(served: TestClient) -> None:
    pages = [served.get("/maps/tiny/gaps").text for _ in range(2)]
    nonces = [page.split('nonce="')[1].split('"')[0] for page in pages]
    assert nonces[0] != nonces[1]
    assert pages[0].replace(nonces[0], nonces[1]) == pages[1]


def test_a_new_run_is_answered_at_once(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    served = client(tmp_path)
    old = [served.get(TABLE).json()["run"] for _ in range(2)]
    pinned = served.get(f"{TABLE}&run={old[0]}")
    time.sleep(0.01)
    new = tiny_run(tmp_path).manifest.run
    assert old == [old[0]] * 2
    assert served.get(TABLE).json()["run"] == new != old[0]
    assert served.get(f"{TABLE}&run={old[0]}").content == pinned.content


def test_a_run_taken_away_is_not_answered_from_what_is_kept(tmp_path: Path) -> None:
    import shutil

    run = tiny_run(tmp_path).manifest.run
    tiny_run(tmp_path)
    served = client(tmp_path)
    question = f"{TABLE}&run={run}"
    assert [served.get(question).status_code for _ in range(2)] == [200, 200]
    shutil.rmtree(tmp_path / "tiny" / "runs" / run)
    state = served.app.state.areas  # type: ignore[attr-defined]
    state._states.clear()
    assert served.get(question).status_code == 404


def test_files_of_layers_are_kept_with_their_tag(served: TestClient) -> None:
    for form in ("csv", "xlsx", "gpkg"):
        url = f"/collections/tiny.units/items?f={form}"
        first = served.get(url)
        assert served.get(url).content == first.content
        again = served.get(url, headers={"if-none-match": first.headers["etag"]})
        assert again.status_code == 304


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        (b"gzip", True), (b"br, GZIP;q=0.5", True), (b"*", True), (b"gzip;q=0", False),
        (b"gzip;q=0.0, *", False), (b"br", False), (b"identity", False), (b"gzip;q=x", False),
    ],
)  # fmt: skip
def test_who_takes_gzip(accepted: bytes, taken: bool) -> None:
    assert takes_gzip(accepted) == taken


# ---- what is held, and for how long -------------------------------------------------------


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


def test_a_process_done_at_once_is_done_anew_when_there_is_a_run_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, told = tiny_run(tmp_path).manifest.run, [0]

    def counted(*_: Any, **__: Any) -> dict[str, int]:
        told[0] += 1
        return {"n": told[0]}

    monkeypatch.setattr("lifecircle.service.catalog.firm.robustness.robustness_document", counted)
    served, inputs = client(tmp_path), {"area": "tiny", "run": first}

    def asked() -> Any:
        at = "http://127.0.0.1/processes/robustness/execution"
        body = {"inputs": inputs, "response": "document"}
        answer = served.post(at, json=body)
        assert answer.status_code == 200, answer.text
        return answer.content

    assert asked() == asked()
    before, rules, city = asked(), tiny_policy(), tiny_city(places=())
    table = walks(city, tuple(rules.services))
    save_run(Workspace(tmp_path), tiny_manifest(city, rules), rules, city, table)
    assert asked() != before
    assert told == [2]


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


def test_the_end_of_the_service_calls_off_what_is_under_way() -> None:
    def waits(left: threading.Event) -> bytes:
        assert left.wait(10)
        raise ReaderLeftError

    async def story() -> None:
        shared = Flights(1, 60)
        asking = asyncio.create_task(shared.share("a", waits, never, kind="report", apart=True))
        await until(lambda: shared.dear_held == 1)
        shared.end()
        with pytest.raises(ReaderLeftError):
            await asking
        await until(lambda: shared.dear_held == 0)

    asyncio.run(story())


def test_the_queue_is_as_long_as_its_wait() -> None:
    async def story() -> None:
        shared, first = Flights(2, 10), Work()
        first.go.set()
        for k in range(12):  # they take no time, which is learned
            assert await shared.share(f"first {k}", first, never, kind="gaps") == b"done"
        slow = Work()
        asked = [shared.share(k, slow, never, kind="gaps") for k in range(400)]
        asking = [asyncio.create_task(one) for one in asked]
        await until(lambda: shared.dear_held == 400)  # nobody is refused
        slow.go.set()
        assert set(await asyncio.gather(*asking)) == {b"done"}
        reports = [shared.share(k, Work(), never, kind="report", apart=True) for k in range(8)]
        held = [asyncio.create_task(one) for one in reports]  # unknown yet: three seconds each
        await until(lambda: any(one.done() for one in held))
        assert [one.done() for one in held] == [False] * 7 + [True]
        with pytest.raises(NotReadyError):
            held[7].result()
        for one in held:
            one.cancel()
        shared.end()

    asyncio.run(story())
