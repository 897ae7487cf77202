"""Connections that are not served for ever: half a request, or an answer that nobody takes.

uvicorn itself waits without limit for both. A connection that sends no whole head within
`HEAD_S` and `HEAD_BYTES`, or takes its answer slower than `SLOWEST_READ` over `STALLED_S`, is
closed. Where there are as many connections as may be, the one that has waited longest without
sending a head makes room. (A body that comes slowly is the business of `guards.BodyLimit`.)
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S: Final = 20.0
HEAD_BYTES: Final = 256 * 1024
TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
STALLED_S: Final = 60.0
SLOWEST_READ: Final = 10_000  # bytes a second that an answer has to be taken at
LOOKS: Final = 10  # within the time a head has


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with an end to its patience.

    When a head began is written down, and all connections are looked at together now and then: a
    timer for each request would cost more than an answer that is kept.
    """

    head_s = HEAD_S
    stalled_s = STALLED_S
    _head_since: float | None = None
    _head_bytes = 0
    _stalled: asyncio.TimerHandle | None = None
    _untaken = 0

    def data_received(self, data: bytes) -> None:
        """Read what came; a head that does not end ends its connection."""
        before = self._head_since
        super().data_received(data)
        if self._head_since is None or before is None:
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._head_since = None
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the head of a request."""
        super().connection_made(transport)
        self._head_since = self.loop.time()
        if len(self.connections) == 1:
            _look(self.loop, self.connections, self.head_s)
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            _make_room(self.connections, self)

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
        self._name_target()
        super().on_headers_complete()

    @property
    def head_since(self) -> float | None:
        """Since when a head is waited for; None where it came."""
        return self._head_since

    def _name_target(self) -> None:
        """Take the name of an address asked for whole (``GET http://name/path``) for ``Host``.

        RFC 9112, 3.2.2: what ``Host`` says is ignored then, so that no two on the way differ.
        """
        if not self.url.startswith((b"/", b"*")) and b"://" in self.url:
            name = self.url.partition(b"://")[2].partition(b"/")[0].partition(b"?")[0]
            others = [pair for pair in self.headers if pair[0] != b"host"]
            self.headers[:] = [*others, (b"host", name)]

    def end_late_head(self, now: float) -> None:
        """End the connection if its head is not whole in time."""
        if self._head_since is not None and now - self._head_since > self.head_s:
            self.end()

    def end(self) -> None:
        """End the connection."""
        self._head_since = None
        self.transport.abort()

    def pause_writing(self) -> None:
        """Whoever asked takes no more for now."""
        super().pause_writing()
        if self._stalled is None:
            self._wait_for_reader()

    def _wait_for_reader(self) -> None:
        self._untaken = self.transport.get_write_buffer_size()
        self._stalled = self.loop.call_later(self.stalled_s, self._end_slow_reader)

    def _end_slow_reader(self) -> None:
        taken = self._untaken - self.transport.get_write_buffer_size()
        if taken < SLOWEST_READ * self.stalled_s:
            self.transport.abort()
        else:
            self._wait_for_reader()

    def resume_writing(self) -> None:
        """It is taken again."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


def _make_room(connections: set[Any], newest: PatientProtocol) -> None:
    """End the connection that has waited longest without a head, so that others are answered."""
    waiting = [
        (one.head_since, k, one)
        for k, one in enumerate(connections)
        if isinstance(one, PatientProtocol) and one.head_since is not None and one is not newest
    ]
    if waiting:
        one = min(waiting)[2]
        one.end()
        connections.discard(one)  # its end is told later, whoever asks is counted now


def _look(loop: asyncio.AbstractEventLoop, connections: set[Any], head_s: float) -> None:
    """Look at all connections, and again while there are any."""
    now = loop.time()
    for one in list(connections):
        if isinstance(one, PatientProtocol):
            one.end_late_head(now)
    if connections:
        loop.call_later(head_s / LOOKS, _look, loop, connections, head_s)
