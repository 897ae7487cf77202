"""Files nobody vouches for are read in a process with limits; a place is freed at once."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lifecircle.service.apart import jail as jails
from lifecircle.service.apart.jail import Jail, Limits
from lifecircle.service.errors import NotReadyError, RequestError
from lifecircle.service.flights import ReaderLeftError

LIMITS = Limits(memory_bytes=200 * 2**20, seconds=60.0, file_bytes=10_000)
HERE = "tests.http.serving.test_jail"


# ---- what the processes do --------------------------------------------------------------


def repeats(told: bytes) -> bytes:
    return told * 2


def eats(told: bytes) -> bytes:
    held = []
    while True:
        held.append(bytearray(2**24))


def sleeps(told: bytes) -> bytes:
    Path(told.decode()).write_text(str(os.getpid()))
    time.sleep(60)
    return b""


def spins(told: bytes) -> bytes:
    while True:
        pass


def dies(told: bytes) -> bytes:
    os.abort()


def writes(told: bytes) -> bytes:
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        Path(told.decode()).write_bytes(b"x" * 20_000)
    except OSError:
        return b"refused"
    return b"written"


def opens(told: bytes) -> bytes:
    held: list[Any] = []
    try:
        while len(held) < 1_000:
            held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return b"refused"
    return b"opened"


def imports(told: bytes) -> bytes:
    """Import a module that nobody imported before, larger than a file may be."""
    sys.path.insert(0, told.decode())
    return str(len(importlib.import_module("large_module").TEXT)).encode()


def run(name: str, told: bytes = b"", *, jail: Jail | None = None, folder: str = ".") -> bytes:
    return (jail or Jail(LIMITS, 1)).run(f"{HERE}:{name}", told, folder, threading.Event())


def test_what_it_says_comes_back() -> None:
    assert run("repeats", b"ab") == b"abab"


@pytest.mark.parametrize(
    ("name", "key"),
    [("eats", "check_too_much_memory"), ("dies", "check_too_much_memory"),
     ("spins", "check_too_long")],
)  # fmt: skip
def test_limits_end_it_and_free_its_place(name: str, key: str) -> None:
    jail = Jail(replace(LIMITS, seconds=0.3) if name == "spins" else LIMITS, 1)
    for _ in range(2):
        with pytest.raises(RequestError) as told:
            run(name, jail=jail)
        assert told.value.key == key
        assert told.value.text("zh") != told.value.text("en")
    assert jail._places.acquire(blocking=False)


def test_files_are_few_and_small(tmp_path: Path) -> None:
    assert run("writes", str(tmp_path / "big").encode()) == b"refused"
    assert run("opens") == b"refused"


def test_what_is_imported_first_in_there_can_be_imported_again(tmp_path: Path) -> None:
    """A limit on files cuts off what Python keeps of a module, which nobody can import then."""
    (tmp_path / "large_module.py").write_text(f"TEXT = {'x' * 20_000!r}\n", "utf-8")
    once = f"print(run('imports', {str(tmp_path)!r}.encode()))"
    asks = f"from {HERE} import run\n{once}\n{once}"
    keeping = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    said = subprocess.run(
        [sys.executable, "-c", asks], env=keeping, check=True, capture_output=True, text=True
    )
    assert said.stdout.split() == ["b'20000'"] * 2
    assert not (tmp_path / "__pycache__").exists()


def test_who_leaves_frees_the_place_and_ends_the_process(tmp_path: Path) -> None:
    jail, left = Jail(Limits(2**28, 30.0, 10_000), 1), threading.Event()
    mark = tmp_path / "pid"

    def ask() -> None:
        with pytest.raises(ReaderLeftError):
            jail.run(f"{HERE}:sleeps", str(mark).encode(), str(tmp_path), left)

    asking = threading.Thread(target=ask)
    asking.start()
    until = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()):
        assert time.monotonic() < until
        time.sleep(0.01)
    left.set()
    asking.join(5)
    assert not asking.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
    assert run("repeats", b"a", jail=jail) == b"aa"


def test_no_place_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecircle.service.apart.jail.WAIT_S", 0.0)
    jail = Jail(LIMITS, 1)
    assert jail._places.acquire()
    with pytest.raises(NotReadyError):
        run("repeats", jail=jail)


def test_what_others_had_the_processors_for_is_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = time.monotonic()
    monkeypatch.setattr(jails._Clock, "waited_s", lambda _: time.monotonic() - began)
    monkeypatch.setattr(jails, "MOST_TIMES", 6)
    with pytest.raises(RequestError) as refused:
        run("spins", jail=Jail(replace(LIMITS, seconds=0.3), 1))
    assert refused.value.key == "check_too_long"
    assert time.monotonic() - began > 6 * 0.3


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="Linux tells it")
def test_a_process_waits_for_its_processor_no_longer_than_it_lives() -> None:
    clock, began = jails._Clock(os.getpid()), time.monotonic()
    before = clock.waited_s()
    sum(range(200_000))
    assert 0 <= clock.waited_s() - before <= time.monotonic() - began
    assert jails._Clock(2**22 + 1).waited_s() == 0
