"""Dear answers from processes of their own: the same, within limits, ended when nobody waits."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import re
import threading
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from geopandas.testing import assert_geodataframe_equal

from lifecircle.analysis.errors import Fault, InputError, LifecircleError
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.apart import workshop as workshop_room
from lifecircle.service.apart.jail import Limits
from lifecircle.service.apart.workshop import FAULTS, OPEN_FILES, Apart, BrokenError, Workshop
from lifecircle.service.encoding import Unkept, encode, unkept_if_cut
from lifecircle.service.errors import MissingError, NotReadyError, RequestError, StorageError
from lifecircle.service.flights import Flights, ReaderLeftError, Tickets
from lifecircle.service.routes import siting as siting_routes
from lifecircle.service.state import AreaState
from tests.pages.served import client

SITING = "/areas/tiny/siting?service=health_centre&add=1&lang=en"


def fills(runs: list[Run]) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(runs[0].path))


def refuses(runs: list[Run]) -> None:
    raise MissingError("no_key", key=runs[0].manifest.area)


def unread(runs: list[Run]) -> None:
    raise InputError([Fault("file_missing", "a.csv")])


def breaks(runs: list[Run]) -> None:
    raise ZeroDivisionError


def sleeps(runs: list[Run], beside: str) -> None:
    Path(beside).write_text("begun", encoding="utf-8")
    time.sleep(30)


def workshop(root: Path, seconds: float = 30.0, folder: Path | None = None) -> Workshop:
    limits = Limits(2**32, seconds, 2**28, open_files=OPEN_FILES, processors=2, faults=FAULTS)
    return Workshop(root, limits, 1, folder)


@pytest.fixture
def state(root: Path) -> AreaState:
    workspace = Workspace(root)
    return AreaState(workspace.open("tiny", workspace.current("tiny")))


def test_an_answer_from_its_own_process_is_the_answer(root: Path) -> None:
    here, apart = client(root), client(root, dear_apart=True)
    one, other = here.get(SITING), apart.get(SITING)
    told, same = one.json(), other.json()
    assert told.pop("seconds") > 0 < same.pop("seconds")
    assert (other.status_code, encode(same)) == (200, encode(told))
    assert other.headers["etag"] == one.headers["etag"]


@pytest.mark.parametrize(
    "path",
    [
        "coverage",
        "circles?lang=en",
        "accessibility?service=health_centre",
        "quality?f=json",
        "merges",
        "growth?lang=en",
        "coverage?service=health_centre&at=Sa%2019:00",
    ],
)
def test_what_is_dear_of_a_large_city_is_the_same_from_its_own_process(
    root: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop_room, "LARGE_CELLS", -1)
    asked: list[Apart] = []
    answer = Workshop.answer

    def noting(self: Workshop, one: Apart, *given: Any) -> bytes:
        asked.append(one)
        return answer(self, one, *given)

    monkeypatch.setattr(Workshop, "answer", noting)
    here, apart = client(root), client(root, dear_apart=True)
    one, other = here.get(f"/areas/tiny/{path}"), apart.get(f"/areas/tiny/{path}")
    assert (one.status_code, len(asked)) == (200, 1)
    assert (other.content, other.headers["etag"]) == (one.content, one.headers["etag"])


@pytest.mark.parametrize("asked", ["f=parquet", "f=parquet&sortby=-residents&limit=3"])
def test_a_file_of_a_large_city_is_written_by_its_own_process_and_never_held_here(
    root: Path, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, plain = f"/collections/tiny.cells/items?{asked}", {"accept-encoding": "identity"}
    one = client(root).get(path, headers=plain)
    monkeypatch.setattr(workshop_room, "LARGE_CELLS", -1)
    alone = client(root).get(path, headers=plain)  # where no process is begun
    runs: list[Apart] = []
    run = Workshop.run

    def noting(self: Workshop, asked: Apart, left: threading.Event) -> bytes:
        runs.append(asked)
        return run(self, asked, left)

    def held(self: AreaState, name: str) -> None:
        raise AssertionError(name)

    monkeypatch.setattr(AreaState, "layer", held)
    monkeypatch.setattr(Workshop, "run", noting)
    apart = client(root, dear_apart=True, kept_file_bytes=2**24)
    told = [apart.get(path, headers=plain) for _ in range(2)]
    assert {said.content for said in (alone, *told)} == {alone.content}
    frames = [gpd.read_parquet(io.BytesIO(said.content)) for said in (one, alone)]
    assert_geodataframe_equal(*frames)
    assert {said.headers["etag"] for said in (one, *told)} == {one.headers["etag"]}
    assert told[0].headers["content-length"] == str(len(alone.content))
    assert len(runs) == 1  # the second is the file kept
    assert not list((root / ".cache" / "answers").glob(".writing-*"))


def test_a_map_from_its_own_process_has_a_nonce_of_its_own_for_each_reader(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop_room, "LARGE_CELLS", -1)
    kept = {"dear_apart": True, "kept_file_bytes": 2**24}
    pages = []
    for served in (client(root), client(root, **kept), client(root, **kept)):  # and a restart
        for _ in range(2):
            page = served.get("/maps/tiny/coverage")
            (nonce,) = set(re.findall(r'nonce="([^"]+)"', page.text))
            assert page.text.startswith("<!DOCTYPE html>")
            assert f"'nonce-{nonce}'" in page.headers["content-security-policy"]
            pages.append((nonce, page.text.replace(nonce, "")))
    assert len({nonce for nonce, _ in pages}) == 6
    assert len({text for _, text in pages}) == 1


def test_an_answer_that_the_clock_ended_is_kept_nowhere(
    root: Path, state: AreaState, tmp_path: Path
) -> None:
    limits = Limits(2**32, 30.0, 2**28, open_files=OPEN_FILES, processors=2, faults=FAULTS)
    shop, beside = Workshop(root, limits, 1, None, 2**20), tmp_path / "beside"
    for times in ("x", "xx"):
        asked = Apart(cut_short, (state,), (str(beside),))
        said = shop.answer(asked, "question", threading.Event())
        assert (bytes(said), type(said)) == (encode({"proven": False}), Unkept)
        assert beside.read_text("utf-8") == times
    assert unkept_if_cut({"proven": True}, 5.0, 3.0) == {"proven": True}
    assert unkept_if_cut({"proven": False}, 1.0, 3.0) == {"proven": False}  # it ended by itself
    assert unkept_if_cut({"proven": False}, 1.0, 0.0) == {"proven": False}  # no clock was asked
    full = {"proven": True, "loads": {"aims_proven": 1}}  # the least unserved, but which walks?
    assert isinstance(unkept_if_cut(full, 5.0, 3.0), Unkept)
    assert unkept_if_cut(full, 1.0, 3.0) == full
    full["loads"] = {"aims_proven": 3}
    assert unkept_if_cut(full, 5.0, 3.0) == full
    assert unkept_if_cut({"proven": True, "loads": None}, 5.0, 3.0)["proven"]


def cut_short(runs: list[Run], beside: str) -> Any:
    with Path(beside).open("a", encoding="utf-8") as told:
        told.write("x")
    return unkept_if_cut({"proven": False}, 3.0, 3.0)


def test_siting_that_the_clock_ended_has_no_tag(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = client(root)
    assert "etag" in served.get(SITING).headers
    monkeypatch.setattr(siting_routes, "unkept_if_cut", lambda one, *_: Unkept(encode(one)))
    cut = client(root)
    for _ in range(2):
        said = cut.get(SITING)
        assert said.json()["service"] == "health_centre"
        assert "etag" not in said.headers
        assert said.headers["cache-control"] == "no-store"


def test_what_a_document_refuses_is_told_as_ever(root: Path, state: AreaState) -> None:
    here, apart = client(root), client(root, dear_apart=True)
    for lang in ("zh", "en"):  # with words in two languages, names and numbers in it
        nobody = f"/areas/tiny/siting?service=helth_centre&add=1&lang={lang}"
        one, other = here.get(nobody), apart.get(nobody)
        assert (one.status_code, one.json()) == (404, other.json())
    shop, left = workshop(root), threading.Event()
    with pytest.raises(MissingError, match="tiny"):
        shop.run(Apart(refuses, (state,)), left)
    with pytest.raises(LifecircleError) as told:  # made of more than key and parameters
        shop.run(Apart(unread, (state,)), left)
    assert (told.value.key, told.value.params) == ("input_faults", {"count": 1})
    with pytest.raises(BrokenError, match="ZeroDivisionError"):
        shop.run(Apart(breaks, (state,)), left)
    with pytest.raises(StorageError, match="No space left"):  # no defect of ours
        shop.run(Apart(fills, (state,)), left)


def test_time_is_limited_and_a_place_is_given_back(
    root: Path, state: AreaState, tmp_path: Path
) -> None:
    shop, left = workshop(root, 0.5, tmp_path), threading.Event()
    for _ in range(2):
        with pytest.raises(RequestError) as told:
            shop.run(Apart(sleeps, (state,), (str(tmp_path / "begun"),)), left)
        assert told.value.key == "dear_too_long"
    held = Tickets(1, tmp_path, "at-once")  # another worker's
    place = held.take()
    assert place is not None
    left.set()
    with pytest.raises(ReaderLeftError):
        shop.run(Apart(sleeps, (state,), (str(tmp_path / "none"),)), left)
    held.give(place)
    assert not (tmp_path / "none").exists()


def test_work_nobody_waits_for_is_ended_and_begun_anew_for_who_asks_then(
    root: Path, state: AreaState, tmp_path: Path
) -> None:
    shop, began = workshop(root), tmp_path / "began"

    async def story() -> None:
        flights, gone = Flights(1, 60), asyncio.Event()

        async def leaves() -> None:
            await gone.wait()

        async def stays() -> None:
            await asyncio.Event().wait()

        slow = Apart(sleeps, (state,), (str(began),))
        asking = asyncio.create_task(
            flights.share("a", lambda left: shop.run(slow, left), leaves, kind="gaps", apart=True)
        )
        while not began.exists():
            await asyncio.sleep(0.01)
        gone.set()
        with pytest.raises(ReaderLeftError):
            await asking
        since = time.monotonic()
        quick = Apart(encode_area, (state,))
        said = await flights.share(
            "a", lambda left: shop.run(quick, left), stays, kind="gaps", apart=True
        )
        assert said == encode("tiny")
        assert time.monotonic() - since < 20  # not the thirty seconds of the other

    asyncio.run(story())


def encode_area(runs: list[Run]) -> Any:
    return runs[0].manifest.area


def test_who_waits_is_counted_over_all_workers(tmp_path: Path) -> None:
    async def story() -> None:
        one, other = (Flights(1, 0, tmp_path) for _ in range(2))
        go = threading.Event()

        async def stays() -> None:
            await asyncio.Event().wait()

        def waits(left: threading.Event) -> bytes:
            assert go.wait(10)
            return b"done"

        first = asyncio.create_task(one.share("a", waits, stays, kind="gaps"))
        await asyncio.sleep(0)
        with pytest.raises(NotReadyError):
            await other.share("b", waits, stays, kind="gaps")
        go.set()
        assert await first == b"done"
        await asyncio.sleep(0)
        assert await other.share("b", waits, stays, kind="gaps") == b"done"

    asyncio.run(story())


@pytest.mark.parametrize(("form", "pages"), [("json", ""), ("html", "&pages=both"), ("xlsx", "")])
def test_a_report_from_its_own_process_is_the_report(root: Path, form: str, pages: str) -> None:
    path = f"/areas/tiny/report?f={form}&lang=en{pages}"
    one, other = client(root).get(path), client(root, dear_apart=True).get(path)
    assert other.status_code == 200
    assert (other.content, other.headers["content-type"]) == (
        one.content, one.headers["content-type"],
    )  # fmt: skip
