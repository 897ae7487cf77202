"""Connections whose plainest questions are answered while their head is read.

uvicorn makes a task, an event and a cycle of every request before the application is asked. What
`front.Front` can give without any work needs none of them: it is written at once, and every other
request goes uvicorn's way. Answers come in the order they were asked for, each written to a
connection that takes what it is sent.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any, Final

import httptools

from lifecircle.service.edge.front import LOOKED, Front, Service
from lifecircle.service.edge.kept import asked_of
from lifecircle.service.edge.patience import PatientProtocol
from lifecircle.service.edge.requests import ID_HEADER, identity_of, note
from lifecircle.service.observing.metrics import Metrics

_NOT_PLAIN: Final = frozenset({  # a body comes, or a proxy says who asks
    b"content-length", b"transfer-encoding", b"expect", b"upgrade",
    b"x-forwarded-for", b"x-forwarded-proto",
})  # fmt: skip


class QuickProtocol(PatientProtocol):
    """uvicorn's protocol, patient within limits, that gives at once what is kept."""

    _answered = False  # the request being read
    _used = False  # one answer for what came at once: many requests sent together take turns

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        service = _service_of(self.app)
        self._front: Front | None = None if service is None else service.front
        self._metrics: Metrics | None = None if service is None else service.state.metrics

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        self._used = False
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._answered = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Answer at once, or make a task of it."""
        self._name_target()
        if self._front is not None and not self._used and self._is_plain():
            self._answered = self._used = self._answer(self._front)
        if self._answered:
            self._head_since = None
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """What is sent with a request (nothing with one that was answered)."""
        if not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._answered:
            super().on_message_complete()

    def _is_plain(self) -> bool:
        """Whether an answer written now would be in its turn, and be taken."""
        parser, cycle = self.parser, self.cycle
        return (
            parser.get_method() == b"GET"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
            and not self.root_path
            and not self.transport.is_closing()
            and (self.limit_concurrency is None or len(self.connections) < self.limit_concurrency)
        )

    def _answer(self, front: Front) -> bool:
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        asked = asked_of(scope)
        if not _NOT_PLAIN.isdisjoint(asked):
            return False
        began, url = perf_counter(), httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        if "%" in path:
            return False
        scope["method"], scope["path"], scope["raw_path"] = "GET", path, url.path
        scope["query_string"] = url.query or b""
        try:
            given = front.find(scope, asked)
        except Exception:  # the application meets it again, and says so
            return False
        scope[LOOKED] = True
        if given is None:
            return False
        identity = identity_of(scope)
        told = [given.line]
        for name, value in self.server_state.default_headers:
            told += (name, b": ", value, b"\r\n")
        told += (given.told, ID_HEADER, b": ", identity.encode("ascii"), b"\r\n\r\n")
        self.transport.writelines((b"".join(told), given.body))
        self.on_response_complete()
        if self._metrics is not None:
            note(self._metrics, scope, identity, given.status, len(given.body), began)
        return True


def _service_of(app: Any) -> Service | None:
    """Our application, whatever the server put around it."""
    while app is not None and not isinstance(app, Service):
        app = getattr(app, "app", None)
    return app
