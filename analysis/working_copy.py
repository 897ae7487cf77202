"""Copies of this process that work beside it, where they may (`machine.may_fork`)."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import struct
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from mmap import ACCESS_READ, mmap
from tempfile import TemporaryFile
from typing import IO, Final, NoReturn, TypeVar

from lifecircle.analysis.machine import begin, die_with_parent, may_fork

_Made = TypeVar("_Made")

_UPTO: Final = struct.Struct("q")  # where a thing ends in the file of a process
_NO_MORE: Final = -1


class WorkingCopy(Iterator[_Made]):
    """What another process makes, one thing after another; what it cannot is made here.

    The process is a copy of this one (fork), so that it costs no imports; it hands over pickles in
    a file and ends. Should it die, all is made here from the first thing on: an error is raised
    where it would have been without it.
    """

    def __init__(self, make: Callable[[Callable[[_Made], None]], object]) -> None:
        self._make = make  # gives away each thing that it makes; what it returns is of no use
        self._taken = 0
        self._end = 0
        self._here: Iterator[_Made] | None = None
        self._close: Callable[[], object] = _nothing
        try:
            self._file = TemporaryFile()  # noqa: SIM115 - closed with the process
        except OSError:  # nowhere to write: all is made here
            self._here = self._make_here()
            return
        self._told, tell = os.pipe()
        parent = os.getpid()
        try:
            process = _fork()
        except OSError:  # no more processes here: the pipe ends, all is made here
            process = None
        if process == 0:
            _hand_over(make, self._file, (self._told, tell), parent)
        os.close(tell)
        self._close = weakref.finalize(self, _end_process, process, self._told, self._file)

    def __next__(self) -> _Made:
        """The next thing: waits for it."""
        if self._here is None:
            told = _read_exactly(self._told, _UPTO.size)
            if told is not None:
                return self._take(*_UPTO.unpack(told))
            self._close()
            self._here = self._make_here()
        return next(self._here)

    def close(self) -> None:
        """Nobody asks for more: the process is ended, at once."""
        self._close()
        self._here = iter(())

    def _make_here(self) -> Iterator[_Made]:
        """What has not been taken yet; after an error nothing more comes."""
        again: list[_Made] = []
        self._make(again.append)
        yield from again[self._taken :]

    def _take(self, upto: int) -> _Made:
        if upto == _NO_MORE:
            self._close()
            self._here = iter(())
            raise StopIteration
        with mmap(self._file.fileno(), upto, access=ACCESS_READ) as held:
            made: _Made = pickle.loads(memoryview(held)[self._end : upto])  # noqa: S301 - our own
        self._taken, self._end = self._taken + 1, upto
        return made


def begin_in_copy(make: Callable[[], _Made]) -> Callable[[], _Made]:
    """As `begin`, in a copy of this process where there may be one; what is made is pickled."""
    if not may_fork():
        return begin(make)
    made: WorkingCopy[_Made] = WorkingCopy(lambda give: give(make()))
    return cache(lambda: next(made))  # whoever waits twice is told the same


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of idle threads of BLAS
        return os.fork()


def _hand_over(
    make: Callable[[Callable[[_Made], None]], object],
    file: IO[bytes],
    pipe: tuple[int, int],
    parent: int,
) -> NoReturn:
    """Make all, tell where in the file each thing ends, and leave without any cleaning up.

    Whatever is raised, the copy never goes on with what its parent does.
    """

    told, tell = pipe

    def give(made: _Made) -> None:
        pickle.dump(made, file, protocol=5)
        file.flush()
        os.write(tell, _UPTO.pack(file.tell()))

    code = 1
    try:
        os.close(told)
        die_with_parent(parent)
        gc.disable()
        _kept = make(give)  # to free it takes longer than to end
        os.write(tell, _UPTO.pack(_NO_MORE))
        code = 0
    finally:
        os._exit(code)


def _nothing() -> None:
    """There is no process to end."""


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
