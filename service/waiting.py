"""How long whoever asks now would wait: what is under way and waiting, added over all workers."""

from __future__ import annotations

import mmap
import os
import sys
from pathlib import Path
from threading import Lock
from typing import Final

from lifecircle.analysis.locks import unlock, wait_for_lock

FIRST_S: Final = 0.25  # what a kind is taken to cost until one was done
FIRST_APART_S: Final = 3.0
RISING: Final = 0.2  # how much the last one counts, where it took longer than they did
FALLING: Final = 0.5
MOST_TIMES: Final = 10.0  # what took many times as long met a run being opened, or a busy machine
MOST_KINDS: Final = 256
MOST_ROWS: Final = 128
FILE: Final = "waiting"
_SIZE: Final = 16 * MOST_ROWS  # of each worker: its process, the seconds it has under way


class Costs:
    """What dear questions cost, by kind: a running mean of their seconds, sooner down than up."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def of(self, kind: str, apart: bool) -> float:
        """The seconds that one is likely to take; `apart`: in a process of its own."""
        return self._seconds.get(kind, FIRST_APART_S if apart else FIRST_S)

    def learn(self, kind: str, apart: bool, seconds: float) -> None:
        """Remember how long one took."""
        if kind in self._seconds or len(self._seconds) < MOST_KINDS:
            before = self.of(kind, apart)
            more = min(seconds, MOST_TIMES * before) - before
            self._seconds[kind] = before + (RISING if more > 0 else FALLING) * more


class WaitingList:
    """The seconds of work that all workers have under way or waiting.

    Each worker writes its own row of a file that all map into memory; rows of dead ones do not
    count. `folder` None: there is one worker.
    """

    def __init__(self, folder: Path | None) -> None:
        self._own = 0.0
        self._lock = Lock()
        self._pids: memoryview | None = None
        if folder is None or sys.platform == "win32":
            return
        handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            wait_for_lock(handle)
            os.ftruncate(handle, _SIZE)
            held = memoryview(mmap.mmap(handle, _SIZE))
            self._pids, self._seconds = held[: _SIZE // 2].cast("Q"), held[_SIZE // 2 :].cast("d")
            free = (row for row in range(MOST_ROWS) if not is_running(int(self._pids[row])))
            self._row = next(free, MOST_ROWS - 1)
            self._pids[self._row], self._seconds[self._row] = os.getpid(), 0.0
        finally:
            unlock(handle)  # a mapping keeps the file open, and so its lock
            os.close(handle)

    def add(self, seconds: float) -> None:
        """So much more (less than 0: less) is under way or waits."""
        with self._lock:
            self._own = max(0.0, self._own + seconds)
            if self._pids is not None:
                self._seconds[self._row] = self._own

    def seconds(self) -> float:
        """What is under way and waits, of all."""
        if self._pids is None:
            return self._own
        rows = ((int(pid), self._seconds[row]) for row, pid in enumerate(self._pids) if pid)
        return sum(seconds for pid, seconds in rows if seconds > 0 and is_running(pid))


def is_running(pid: int) -> bool:
    """Whether there is a process of that number."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another's
        return True
    return True
