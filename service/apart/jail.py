"""Work on files nobody vouches for, in a process of its own with limits; the service opens none.

The process comes from a server of processes that has loaded the readers (starting one costs
milliseconds) and knows no secret of the service (`children`). It may use so much memory, processor
time and disk, and is killed when its time is over or whoever asked has left. It answers in bytes:
nothing it says is run or unpickled.
"""

from __future__ import annotations

import importlib
import multiprocessing
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Literal

from lifecircle.service.apart.children import begin_clean, die_with_service
from lifecircle.service.errors import NotReadyError, RequestError
from lifecircle.service.flights import ReaderLeftError

if sys.platform != "win32":  # there, time alone is limited
    import resource

READERS: Final = "lifecircle.service.checking"  # imported by the jail alone
CHECK: Final = f"{READERS}:check_upload"
DEAR: Final = tuple(  # what dear answers are made with (`apart`)
    f"lifecircle.service.{room}"
    for room in (
        "apart.workshop",
        "routes.siting",
        "routes.robustness",
        "routes.catchments",
        "routes.studies",
        "routes.areas",
        "routes.pages",
        "routes.quality",
        "maps.pages",
        "routes.scorecard",
        "ogc.items",
        "ogc.processes",
    )
)
TICK_S: Final = 0.05
WAIT_S: Final = 10.0  # for one of the few places
MOST_TIMES: Final = 5  # of its seconds, however crowded the machine is
START_S: Final = 120.0  # the first one waits until the readers are loaded
SPARE_CPU_S: Final = 5
OPEN_FILES: Final = 64
_BEGUN, _DONE, _NO_MEMORY = b"+", b"=", b"m"
Fault = Literal["time", "memory"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process may use: memory beyond what it starts with, bytes of a file; `seconds` in
    which it had a processor or waited for anything but one.
    """

    memory_bytes: int
    seconds: float
    file_bytes: int
    open_files: int = OPEN_FILES
    processors: int = 1  # as many seconds of each
    faults: tuple[str, str] = ("check_too_long", "check_too_much_memory")


class Jail:
    """A few places for work in processes of their own."""

    def __init__(self, limits: Limits, at_once: int) -> None:
        self.limits = limits
        self._places = threading.BoundedSemaphore(at_once)
        self._asking: set[threading.Event] = set()

    def run(self, work: str, told: bytes, folder: str, left: threading.Event) -> bytes:
        """What the function ``module:name`` gives for `told`; its temporary files go to `folder`.

        Raises
        ------
        NotReadyError : all places are taken.
        RequestError : a limit was reached.
        ReaderLeftError : `left` was set; the process is gone and its place free.
        """
        self._asking.add(left)
        try:
            self._take_place(left)
            try:
                return supervised(work, told, folder, self.limits, left)
            finally:
                self._places.release()
        finally:
            self._asking.discard(left)

    def end(self) -> None:
        """End what is under way: the service stops, and whoever asked is told nothing more."""
        for left in list(self._asking):
            left.set()

    def _take_place(self, left: threading.Event) -> None:
        until = time.monotonic() + WAIT_S
        while not self._places.acquire(timeout=TICK_S):
            if left.is_set():
                raise ReaderLeftError
            if time.monotonic() > until:
                raise NotReadyError("check_busy")


def supervised(work: str, told: bytes, folder: str, limits: Limits, left: threading.Event) -> bytes:
    """What `work` gives for `told` in a process of its own, which is gone afterwards.

    Raises
    ------
    RequestError : a limit was reached.
    ReaderLeftError : `left` was set.
    """
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = _processes().Process(
        target=_inside, args=(theirs, work, told, folder, limits), daemon=True
    )
    begin_clean(process)
    theirs.close()
    try:
        clock = _Clock(process.pid)
        _next_word(ours, START_S, clock, limits, left)  # it runs from when it begins to read
        said = _next_word(ours, limits.seconds, clock, limits, left)
    except (EOFError, OSError):  # it ended without a word
        process.join(5)
        used_up = process.exitcode == -getattr(signal, "SIGXCPU", 0)
        raise _over("time" if used_up else "memory", limits) from None
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()
    if said[:1] != _DONE:
        raise _over("memory", limits)
    return said[1:]


def load_readers() -> None:
    """Have the server of processes load what they work with, before anybody waits for it."""
    limits = Limits(memory_bytes=1 << 30, seconds=START_S, file_bytes=1 << 20)
    supervised(f"{__name__}:nothing", b"", tempfile.gettempdir(), limits, threading.Event())


def nothing(_: bytes) -> bytes:
    """What a process does that is asked for nothing."""
    return b""


def _next_word(
    ours: Connection, seconds: float, clock: _Clock, limits: Limits, left: threading.Event
) -> bytes:
    began, waited = time.monotonic(), clock.waited_s()
    while not ours.poll(TICK_S):
        if left.is_set():
            raise ReaderLeftError
        took = time.monotonic() - began
        if took > seconds and (
            took > seconds * MOST_TIMES or took - (clock.waited_s() - waited) > seconds
        ):
            raise _over("time", limits)
    return ours.recv_bytes()


class _Clock:
    """Seconds in which a process was ready and others had the processors: Linux tells them.

    On a crowded machine they are most of the time an honest file takes; elsewhere they are 0.
    """

    def __init__(self, pid: int | None) -> None:
        self._told = Path(f"/proc/{pid}/schedstat")

    def waited_s(self) -> float:
        try:
            return int(self._told.read_text("ascii").split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0


def _over(what: Fault, limits: Limits) -> RequestError:
    late, large = limits.faults
    if what == "time":
        return RequestError(late, seconds=f"{limits.seconds:g}")
    return RequestError(large, megabytes=f"{limits.memory_bytes / 1e6:,.0f}")


def _processes() -> Any:
    """Where processes come from: a server that has loaded the readers, where there is one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([READERS, *DEAR])
    return context


# ---- inside ----------------------------------------------------------------------------------


def _inside(answer_to: Connection, work: str, told: bytes, folder: str, limits: Limits) -> None:
    die_with_service()
    sys.dont_write_bytecode = True  # Python keeps what a limit cuts off, and fails to import it
    tempfile.tempdir = folder
    _limit(limits)
    answer_to.send_bytes(_BEGUN)
    module, _, name = work.partition(":")
    try:
        function: Callable[[bytes], bytes] = getattr(importlib.import_module(module), name)
        said = _DONE + function(told)
    except MemoryError:
        said = _NO_MEMORY
    answer_to.send_bytes(said)


def _limit(limits: Limits) -> None:
    """Take limits on that this process can never lift again."""
    if sys.platform == "win32":
        return
    held = _address_space()
    for kind, most in (
        (resource.RLIMIT_AS, held + limits.memory_bytes),
        (resource.RLIMIT_CPU, int(limits.seconds) * limits.processors + SPARE_CPU_S),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))


def _address_space() -> int:
    """Bytes of address space in use: what the readers need before they read."""
    try:
        with open("/proc/self/statm", encoding="ascii") as told:  # noqa: PTH123  no real file
            return int(told.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 4 * 2**30
