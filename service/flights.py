"""One computation for one question, however many ask; dear ones wait their turn in a queue.

The queue is as long as the time that whoever comes last would wait, not as the number of those who
wait: sixty answers of a few milliseconds are no queue, six reports are one.

A flight that nobody waits for any more is called off if it has not begun. Once begun, work in a
thread ends, and what it found is kept for whoever asks next; work in a process of its own is ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from anyio import to_thread

from lifecircle.analysis.locks import try_lock
from lifecircle.service.errors import NotReadyError
from lifecircle.service.waiting import Costs, WaitingList

T = TypeVar("T")
_SLACK_S: Final = 1e-6
AT_ONCE: Final = 16  # cheap computations at once; what asks about health has threads left


class ReaderLeftError(Exception):
    """Whoever asked is gone."""


@dataclass(eq=False, slots=True)
class _Flight:
    task: asyncio.Task[Any] = field(init=False)
    apart: bool
    expected_s: float | None  # of a dear one
    waiters: int = 0
    begun: bool = False
    left: threading.Event = field(default_factory=threading.Event)


class Tickets:
    """A few tickets, over all processes that share `folder`; what a dead process held is free.

    Without a folder (or without locks on files, on Windows) they are those of this process.
    """

    def __init__(self, count: int, folder: Path | None, name: str) -> None:
        shared = folder is not None and sys.platform != "win32"
        self._paths = [folder / f"{name}-{k}" for k in range(count)] if folder and shared else None
        self._free = threading.BoundedSemaphore(count)

    def take(self) -> int | None:
        """A ticket, None where all are taken."""
        if self._paths is None:
            return 0 if self._free.acquire(blocking=False) else None
        for path in self._paths:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if try_lock(handle):
                return handle
            os.close(handle)
        return None

    def give(self, ticket: int) -> None:
        """Give one back."""
        if self._paths is None:
            self._free.release()
        else:
            os.close(ticket)


class _Room:
    """The flights of one event loop."""

    def __init__(self, dear_at_once: int) -> None:
        self.flights: dict[Hashable, _Flight] = {}
        self.cheap = asyncio.Semaphore(AT_ONCE)
        self.dear = asyncio.Semaphore(dear_at_once)
        self.dear_held = 0  # dear flights under way or waiting


class Flights:
    """What is being worked out now, by question.

    Parameters
    ----------
    dear_at_once : dear computations (reports, maps, gaps, tables) at once.
    wait_s : how long whoever comes last may have to wait, as far as is known; else they are asked
        to come back.
    folder : shared by the workers of a service, among whom what is under way and waiting is added.
    """

    def __init__(self, dear_at_once: int, wait_s: float, folder: Path | None = None) -> None:
        self._at_once = dear_at_once
        self._wait_s = wait_s
        self._costs = Costs()
        self._list = WaitingList(folder)
        self._rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, _Room] = WeakKeyDictionary()
        self._watched: set[asyncio.Task[bytes]] = set()  # those nobody waits for

    @property
    def dear_held(self) -> int:
        """Dear computations under way or waiting."""
        return sum(room.dear_held for room in list(self._rooms.values()))

    def end(self) -> None:
        """Call off what is under way in processes of its own: the service stops."""
        for room in list(self._rooms.values()):
            for flight in list(room.flights.values()):
                flight.left.set()

    async def share(
        self,
        key: Hashable,
        make: Callable[[threading.Event], T],
        left: Callable[[], Awaitable[None]],
        *,
        kind: str | None = None,
        apart: bool = False,
    ) -> T:
        """What `make` gives, from the flight under way for `key` if there is one.

        `left` returns when whoever asks is gone. `kind`: of dear questions that take about as long
        as each other; None: it is not dear. `apart`: the work ends with ReaderLeftError when
        the event it is handed is set, which happens when all who waited are gone.

        Raises
        ------
        ReaderLeftError : whoever asked is gone.
        NotReadyError : dear, and the queue is full.
        """
        loop = asyncio.get_running_loop()
        room = self._rooms.get(loop)
        if room is None:
            room = self._rooms[loop] = _Room(self._at_once)
        flight = room.flights.get(key)
        if flight is None:
            expected_s = None
            if kind is not None:
                if self._list.seconds() / self._at_once > self._wait_s + _SLACK_S:
                    raise NotReadyError("too_busy")
                expected_s = self._costs.of(kind, apart)
            flight = self._start(
                room, key, self._timed(make, kind, apart), _Flight(apart, expected_s)
            )

        def forget() -> None:
            if room.flights.get(key) is flight:
                del room.flights[key]

        found: T = await _wait(flight, left, forget)
        return found

    def _timed(
        self, make: Callable[[threading.Event], T], kind: str | None, apart: bool
    ) -> Callable[[threading.Event], T]:
        """The work, whose time is remembered where it was done."""
        if kind is None:
            return make

        def timed(left: threading.Event) -> T:
            began = perf_counter()
            made = make(left)
            self._costs.learn(kind, apart, perf_counter() - began)
            return made

        return timed

    async def within(
        self, seconds: float, key: Hashable, make: Callable[[threading.Event], bytes], kind: str
    ) -> bytes | None:
        """What a dear `make` gives if it gives it so soon; else None, and it is worked on.

        Raises
        ------
        NotReadyError : the queue is full.
        """

        async def stay() -> None:
            await asyncio.Event().wait()

        flight = asyncio.create_task(self.share(key, make, stay, kind=kind))
        self._watched.add(flight)
        flight.add_done_callback(self._landed)
        await asyncio.wait({flight}, timeout=seconds)
        return flight.result() if flight.done() else None

    def _landed(self, flight: asyncio.Task[bytes]) -> None:
        self._watched.discard(flight)
        if not flight.cancelled():
            flight.exception()  # told to whoever asks again

    def _start(
        self,
        room: _Room,
        key: Hashable,
        make: Callable[[threading.Event], Any],
        flight: _Flight,
    ) -> _Flight:
        dear, expected_s = flight.expected_s is not None, flight.expected_s or 0.0
        gate = room.dear if dear else room.cheap

        async def fly() -> Any:
            async with gate:
                flight.begun = True
                return await to_thread.run_sync(make, flight.left)

        def landed(task: asyncio.Task[Any]) -> None:
            room.dear_held -= dear
            self._list.add(-expected_s)
            if room.flights.get(key) is flight:
                del room.flights[key]
            if not task.cancelled():
                task.exception()  # told to those who wait; nobody may be left

        room.dear_held += dear
        self._list.add(expected_s)
        room.flights[key] = flight
        flight.task = asyncio.create_task(fly())
        flight.task.add_done_callback(landed)
        return flight


async def _wait(
    flight: _Flight, left: Callable[[], Awaitable[None]], forget: Callable[[], None]
) -> Any:
    """What a flight gives; `forget` it when all are gone, so that nobody joins what is ended."""
    flight.waiters += 1
    leaving = asyncio.ensure_future(left())
    try:
        await asyncio.wait({flight.task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if flight.task.done():
            return flight.task.result()
        raise ReaderLeftError
    finally:
        leaving.cancel()
        flight.waiters -= 1
        if not flight.waiters and not flight.task.done():
            if not flight.begun:
                forget()
                flight.task.cancel()
            elif flight.apart:
                forget()
                flight.left.set()
