"""How much one key may ask in a minute, whichever worker it reaches.

The workers share a table in a file of their own folder, mapped into memory: a row for each
worker, in which it alone writes, a column for each key. What a key asked is the sum of its column,
so nobody waits for anybody; only who takes a row or a column locks the file. Counted is by the
minute, the last one by the share of it that still lies within sixty seconds. What was refused does
not count. Workers that count in the same instant may each let one request more in.
"""

from __future__ import annotations

import math
import mmap
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lifecircle.analysis.locks import wait_for_lock
from lifecircle.service.waiting import is_running

WINDOW_S: Final = 60
MOST_KEYS: Final = 1_024  # columns; keys beyond them share the last
MOST_ROWS: Final = 128
FILE: Final = "limits"
_NAME: Final = 16  # bytes of a key's id
_NAMES_AT: Final = 8 * (1 + MOST_ROWS)  # behind the number of rows and whose they are
_CELLS_AT: Final = _NAMES_AT + _NAME * MOST_KEYS
_SIZE: Final = _CELLS_AT + 8 * 2 * MOST_KEYS * MOST_ROWS
_SLACK: Final = 1e-6
_COUNT: Final = (1 << 32) - 1


class KeyLimit:
    """Counts what keys ask; `per_minute` None: there is no limit, and nothing is counted.

    `folder` is shared by all workers of a service; None: there is one.
    """

    def __init__(
        self, per_minute: int | None, folder: Path | None, clock: Callable[[], float] = time.time
    ) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._columns: dict[str, int] = {}
        self._path = None if folder is None or sys.platform == "win32" else folder / FILE
        if per_minute is None:
            return
        self._held = _mapped(self._path)
        self._cells = memoryview(self._held)[_CELLS_AT:].cast("Q")
        self._head = memoryview(self._held)[:_NAMES_AT].cast("Q")
        self._row = self._locked(self._take_row)

    def wait_s(self, key: str) -> int:
        """Count a request of a key; 0 where it is let in, else seconds until one is again."""
        if self.per_minute is None:
            return 0
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = self._locked(lambda: self._take_column(key))
        now = self._clock()
        window, past = divmod(now, WINDOW_S)
        this, cells = int(window), self._cells
        last, first = this - 1, 2 * column
        own = first + 2 * MOST_KEYS * self._row + (this & 1)
        current = before = 0
        for row in range(int(self._head[0])):
            at = first + 2 * MOST_KEYS * row
            cell, earlier = cells[at + (this & 1)], cells[at + (last & 1)]
            if cell >> 32 == this:
                current += cell & _COUNT
            if earlier >> 32 == last:
                before += earlier & _COUNT
        within = 1 - past / WINDOW_S
        if current + before * within + 1 > self.per_minute + _SLACK:
            return self._until(current, before, past)
        mine = cells[own]
        cells[own] = mine + 1 if mine >> 32 == this else (this << 32) + 1
        return 0

    def _until(self, current: int, before: int, past: float) -> int:
        """Seconds until the count has fallen below the limit, if nothing more is asked."""
        assert self.per_minute is not None
        most = self.per_minute - 1  # counted before this request
        if current <= most:  # the minute before has to fall out of the sixty seconds so far
            until = WINDOW_S * (1 - (most - current) / before)
        else:
            until = WINDOW_S + WINDOW_S * (1 - most / current)
        return max(1, math.ceil(until - past))

    def _take_row(self) -> int:
        """The first row whose worker is no more; else one more."""
        rows = int(self._head[0])
        for row in range(rows):
            if not is_running(int(self._head[1 + row])):
                break
        else:
            row = min(rows, MOST_ROWS - 1)
            self._head[0] = row + 1
        self._head[1 + row] = os.getpid()
        return row

    def _take_column(self, key: str) -> int:
        name = key.encode()[:_NAME].ljust(_NAME, b"\0")
        for column in range(MOST_KEYS):
            at = _NAMES_AT + _NAME * column
            there = self._held[at : at + _NAME]
            if there == name:
                return column
            if there == bytes(_NAME):
                self._held[at : at + _NAME] = name
                return column
        return MOST_KEYS - 1

    def _locked(self, work: Callable[[], int]) -> int:
        if self._path is None or sys.platform == "win32":
            return work()
        with self._path.open("rb") as handle:
            wait_for_lock(handle.fileno())
            return work()


def _mapped(path: Path | None) -> mmap.mmap:
    """The table of all workers, made by the first; without a file one of this process alone."""
    if path is None:
        return mmap.mmap(-1, _SIZE)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.ftruncate(handle, _SIZE)  # what is there stays
        return mmap.mmap(handle, _SIZE)
    finally:
        os.close(handle)
