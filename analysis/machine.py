"""How a build uses the machine: threads and processes side by side, garbage collected seldom."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import struct
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from itertools import islice
from mmap import ACCESS_READ, mmap
from tempfile import TemporaryFile
from typing import IO, Final, NoReturn, TypeVar

from lifecircle.analysis.errors import ParameterError

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

_ALLOCATIONS: Final = 5_000_000  # of objects before the collector looks; Python's own is 700
_WAITS: Final = 16  # at once
_UPTO: Final = struct.Struct("q")  # where a thing ends in the file of a process
_NO_MORE: Final = -1
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
    if thread_count() == 1:
        return [make(one) for one in of]
    with ThreadPoolExecutor(thread_count()) as pool:
        return list(pool.map(make, of))


def wait_side_by_side(wait: Callable[[_Given], None], of: Iterable[_Given]) -> None:
    """Wait for each at once, as for a disk, which takes several orders together."""
    with ThreadPoolExecutor(1 if thread_count() == 1 else _WAITS) as pool:
        list(pool.map(wait, of))


def begin(make: Callable[[], _Made]) -> Callable[[], _Made]:
    """Begin something beside what follows; call what is given to wait for what it makes."""
    if thread_count() == 1:
        made = make()
        return lambda: made
    pool = ThreadPoolExecutor(1)
    future = pool.submit(make)
    pool.shutdown(wait=False)
    return future.result


def begin_apart(make: Callable[[], _Made]) -> Callable[[], _Made]:
    """As `begin`, in a copy of this process where there may be one; what is made is pickled."""
    if not may_fork():
        return begin(make)
    made: Apart[_Made] = Apart(lambda give: give(make()))
    return lambda: next(made)


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """The collector of garbage looks seldom: a build makes millions of objects and few circles.

    At Python's own pace it takes a fifth of a build's time.
    """
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Apart(Iterator[_Made]):
    """What another process makes, one thing after another; what it cannot is made here.

    The process is a copy of this one (fork), so that it costs no imports; it hands over pickles in
    a file and ends. Should it die, all is made here from the first thing on: an error is raised
    where it would have been without it.
    """

    def __init__(self, make: Callable[[Callable[[_Made], None]], None]) -> None:
        self._make = make  # gives away each thing that it makes
        self._taken = 0
        self._end = 0
        self._here: Iterator[_Made] | None = None
        self._file = TemporaryFile()  # noqa: SIM115 - closed with the process
        self._told, tell = os.pipe()
        try:
            process = _fork()
        except OSError:  # no more processes here: the pipe ends, all is made here
            process = None
        if process == 0:
            os.close(self._told)
            _hand_over(make, self._file, tell)
        os.close(tell)
        self._close = weakref.finalize(self, _end_process, process, self._told, self._file)

    def __next__(self) -> _Made:
        """The next thing: waits for it."""
        if self._here is None:
            told = _read_exactly(self._told, _UPTO.size)
            if told is not None:
                return self._take(*_UPTO.unpack(told))
            self._close()
            again: list[_Made] = []
            self._make(again.append)
            self._here = islice(again, self._taken, None)
        return next(self._here)

    def _take(self, upto: int) -> _Made:
        if upto == _NO_MORE:
            self._close()
            self._here = iter(())
            raise StopIteration
        with mmap(self._file.fileno(), upto, access=ACCESS_READ) as held:
            made: _Made = pickle.loads(memoryview(held)[self._end : upto])  # noqa: S301 - our own
        self._taken, self._end = self._taken + 1, upto
        return made


def may_fork() -> bool:
    """Whether a copy of this process may work beside it: where asked for, while one thread runs."""
    alone = _copies.get() and sys.platform == "linux" and threading.active_count() == 1
    return alone and thread_count() > 1 and len(os.sched_getaffinity(0)) > 1


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of idle threads of BLAS
        return os.fork()


def _hand_over(
    make: Callable[[Callable[[_Made], None]], None], file: IO[bytes], tell: int
) -> NoReturn:
    """Make all, tell where in the file each thing ends, and leave without any cleaning up."""

    def give(made: _Made) -> None:
        pickle.dump(made, file, protocol=5)
        file.flush()
        os.write(tell, _UPTO.pack(file.tell()))

    code = 1
    try:
        gc.disable()
        make(give)
        os.write(tell, _UPTO.pack(_NO_MORE))
        code = 0
    finally:
        os._exit(code)


def _read_exactly(handle: int, size: int) -> bytes | None:
    """So many bytes, None where there are no more."""
    held = b""
    while len(held) < size:
        some = os.read(handle, size - len(held))
        if not some:
            return None
        held += some
    return held


def _end_process(process: int | None, told: int, file: IO[bytes]) -> None:
    if process is not None:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(process, 0)
    os.close(told)
    file.close()
