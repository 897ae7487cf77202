"""Connections that are not served for ever: half a request, or an answer that nobody takes.

uvicorn itself waits without limit for both. A connection that sends no whole head within
`HEAD_S`, or takes nothing of its answer for `STALLED_S`, is closed. (A body that comes slowly is
the business of `guards.BodyLimit`.)
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S: Final = 20.0
STALLED_S: Final = 60.0
LOOKS: Final = 10  # within the time a head has


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with an end to its patience.

    When a head began is written down, and all connections are looked at together now and then: a
    timer for each request would cost more than an answer that is kept.
    """

    head_s = HEAD_S
    stalled_s = STALLED_S
    _head_since: float | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the head of a request."""
        super().connection_made(transport)
        self._head_since = self.loop.time()
        if len(self.connections) == 1:
            _look(self.loop, self.connections, self.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._head_since = None
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins on a connection kept open."""
        super().on_message_begin()
        if self._head_since is None:
            self._head_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head_since = None
        super().on_headers_complete()

    def end_late_head(self, now: float) -> None:
        """End the connection if its head is not whole in time."""
        if self._head_since is not None and now - self._head_since > self.head_s:
            self._head_since = None
            self.transport.abort()

    def pause_writing(self) -> None:
        """Whoever asked takes no more for now."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.stalled_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It is taken again."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


def _look(loop: asyncio.AbstractEventLoop, connections: set[Any], head_s: float) -> None:
    """Look at all connections, and again while there are any."""
    now = loop.time()
    for one in list(connections):
        if isinstance(one, PatientProtocol):
            one.end_late_head(now)
    if connections:
        loop.call_later(head_s / LOOKS, _look, loop, connections, head_s)
