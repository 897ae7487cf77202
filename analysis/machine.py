"""How a build uses the machine: threads and processes side by side, garbage collected seldom."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from lifecircle.analysis.errors import ParameterError

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

_ALLOCATIONS: Final = 5_000_000  # of objects before the collector looks; Python's own is 700
_WAITS: Final = 16  # at once
_PR_SET_PDEATHSIG: Final = 1
_copies: Final[ContextVar[bool]] = ContextVar("copies", default=False)
_threads: Final[ContextVar[int | None]] = ContextVar("threads", default=None)


@contextmanager
def using_threads(most: int | None, *, copies: bool = False) -> Iterator[None]:
    """At most so many threads side by side (None: one for each core), whatever comes out is equal.

    `copies`: copies of this process may work beside it, where that is sound (`may_fork`): for
    commands that do nothing else.

    Raises
    ------
    ParameterError : less than one.
    """
    if most is not None and most < 1:
        raise ParameterError("threads_too_few", threads=most)
    before, alone = _threads.set(most), _copies.set(copies)
    try:
        yield
    finally:
        _threads.reset(before)
        _copies.reset(alone)


def thread_count() -> int:
    """How many threads may run side by side."""
    return _threads.get() or os.cpu_count() or 1


def map_side_by_side(make: Callable[[_Given], _Made], of: Iterable[_Given]) -> list[_Made]:
    """What `make` makes of each, in their order; it has to leave Python's lock to gain anything."""
    count = thread_count()
    given = [*of]
    if count == 1 or len(given) < 2:
        return [make(one) for one in given]
    if len(given) > count:
        with _pool(count) as pool:
            return list(pool.map(make, given))
    with _pool(len(given) - 1) as pool:  # the last by the one who asks: a thread less to begin
        others = pool.map(make, given[:-1])
        try:
            last = make(given[-1])
        finally:
            first = list(others)  # of several faults the first is raised, as by one thread
        return [*first, last]


def wait_side_by_side(wait: Callable[[_Given], None], of: Iterable[_Given]) -> None:
    """Wait for each at once, as for a disk, which takes several orders together."""
    with _pool(1 if thread_count() == 1 else _WAITS) as pool:
        list(pool.map(wait, of))


def begin(make: Callable[[], _Made]) -> Callable[[], _Made]:
    """Begin something beside what follows; call what is given to wait for what it makes."""
    if thread_count() == 1:
        made = make()
        return lambda: made
    pool = _pool(1)
    future = pool.submit(make)
    pool.shutdown(wait=False)

    def wait() -> _Made:
        try:
            return future.result()
        finally:
            pool.shutdown()  # its thread has ended too: a copy of the process may be made

    return wait


def _pool(size: int) -> ThreadPoolExecutor:
    """Threads under the limit of the one that begins them, of which a new one knows nothing."""
    return ThreadPoolExecutor(size, initializer=_threads.set, initargs=(_threads.get(),))


def return_freed_memory() -> None:
    """Give the system what is free between what is kept; nothing where the C library is not glibc.

    For a moment before much is needed: at a million cells some 400 MB lie free by then.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "malloc_trim"):  # musl has none
            library.malloc_trim(0)


class _Seldom:
    """How many have the collector look seldom now, and how often it looked before the first.

    `frozen`: what a server began with is out of its sight, and has to stay so.
    """

    def __init__(self) -> None:
        self.frozen = False
        self._lock = threading.Lock()
        self._many = 0
        self._before = gc.get_threshold()

    def begin(self) -> None:
        """One more."""
        with self._lock:
            if self._many == 0:
                self._before = gc.get_threshold()
                gc.set_threshold(_ALLOCATIONS, *self._before[1:])
            self._many += 1

    def end(self) -> None:
        """One less; the last puts back what was, unless somebody set it otherwise meanwhile."""
        with self._lock:
            self._many -= 1
            if not self.frozen:
                gc.freeze()
                gc.unfreeze()  # into the oldest generation: neither looks at an object
            if self._many == 0 and gc.get_threshold()[0] == _ALLOCATIONS:
                gc.set_threshold(*self._before)


_seldom: Final = _Seldom()


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """The collector of garbage looks seldom: a build makes millions of objects and few circles.

    At Python's own pace it takes a fifth of a build's time, and most of the time in which a
    hundred thousand shapes are made at once. What was made meanwhile counts as old at the end, so
    that no pass through all of it follows at once. Threads may ask for it side by side.
    """
    _seldom.begin()
    try:
        yield
    finally:
        _seldom.end()


def collect_no_more() -> None:
    """The collector never looks at what there is now: for servers, before they begin to serve."""
    _seldom.frozen = True
    gc.freeze()


def may_fork() -> bool:
    """Whether a copy of this process may work beside it: where asked for, while one thread runs."""
    alone = _copies.get() and sys.platform == "linux" and threading.active_count() == 1
    return alone and thread_count() > 1 and len(os.sched_getaffinity(0)) > 1


def die_with_parent(parent: int) -> None:
    """Ask the system to end this process when the one that started it ends (Linux).

    `parent`: its process id (in a container it may be 1).
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        os.kill(os.getpid(), signal.SIGKILL)
