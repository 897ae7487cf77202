"""One computation for one question, however many ask; dear ones wait their turn in a short queue.

A flight that nobody waits for any more is called off if it has not begun; once begun it ends, and
what it found is kept for whoever asks next. Work in threads cannot be broken off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from anyio import to_thread

from lifecircle.service.errors import NotReadyError

AT_ONCE: Final = 16  # cheap computations at once; what asks about health has threads left


class ReaderLeftError(Exception):
    """Whoever asked is gone."""


@dataclass(eq=False, slots=True)
class _Flight:
    task: asyncio.Task[bytes] = field(init=False)
    waiters: int = 0
    begun: bool = False


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
    dear_waiting : how many more may wait; whoever comes then is asked to come back.
    """

    def __init__(self, dear_at_once: int, dear_waiting: int) -> None:
        self._at_once = dear_at_once
        self._most = dear_at_once + dear_waiting
        self._rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, _Room] = WeakKeyDictionary()

    @property
    def dear_held(self) -> int:
        """Dear computations under way or waiting."""
        return sum(room.dear_held for room in list(self._rooms.values()))

    async def share(
        self,
        key: Hashable,
        make: Callable[[], bytes],
        left: Callable[[], Awaitable[None]],
        *,
        dear: bool = False,
    ) -> bytes:
        """What `make` gives, from the flight under way for `key` if there is one.

        `left` returns when whoever asks is gone.

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
            if dear and room.dear_held >= self._most:
                raise NotReadyError("too_busy")
            flight = _start(room, key, make, dear)
        return await _wait(flight, left)


def _start(room: _Room, key: Hashable, make: Callable[[], bytes], dear: bool) -> _Flight:
    flight = _Flight()
    gate = room.dear if dear else room.cheap

    async def fly() -> bytes:
        async with gate:
            flight.begun = True
            return await to_thread.run_sync(make)

    def landed(task: asyncio.Task[bytes]) -> None:
        room.dear_held -= dear
        room.flights.pop(key, None)
        if not task.cancelled():
            task.exception()  # told to those who wait; nobody may be left

    room.dear_held += dear
    room.flights[key] = flight
    flight.task = asyncio.create_task(fly())
    flight.task.add_done_callback(landed)
    return flight


async def _wait(flight: _Flight, left: Callable[[], Awaitable[None]]) -> bytes:
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
        if not flight.waiters and not flight.begun:
            flight.task.cancel()
