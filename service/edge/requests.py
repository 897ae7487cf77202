"""What is written down of every request: an id, a line in the access log, the counts."""

from __future__ import annotations

import logging
import re
from random import getrandbits
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lifecircle.service.observing.logs import ACCESS, access_lines, request_id
from lifecircle.service.observing.metrics import Metrics

access = logging.getLogger(ACCESS)
ID_HEADER: Final = b"x-request-id"
_PLAIN_ID: Final = re.compile(rb"[\w.:-]{1,64}")


class RequestLog:
    """Gives each request an id (a proxy's is kept), tells it in the answer, logs what came of it.

    The query is not logged: keys and places of people may stand in it.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and write down how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identity = identity_of(scope)
        scope["request_id"] = identity
        token = request_id.set(identity)
        began, status, sent = perf_counter(), 500, 0

        async def counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                told = (ID_HEADER, identity.encode("latin-1"))
                message["headers"] = [*message["headers"], told]
            else:
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            note(self.metrics, scope, identity, status, sent, began)
            request_id.reset(token)


def note(
    metrics: Metrics, scope: Scope, identity: str, status: int, sent: int, began: float
) -> None:
    """Write down how a request ended that began then (`perf_counter`)."""
    took_s = perf_counter() - began
    metrics.count(scope["method"], scope["path"], status, took_s)
    if not access.isEnabledFor(logging.INFO):
        return
    told = {
        "request": identity,
        "status": status,
        "ms": round(took_s * 1000, 2),
        "bytes": sent,
        "client": (scope.get("client") or ("-",))[0],
    }
    quick = access_lines()
    if quick is None:
        access.info("%s %s", scope["method"], scope["path"], extra=told)
    else:
        quick.write_access(f"{scope['method']} {scope['path']}", told)


def identity_of(scope: Scope) -> str:
    """The id of a request: a proxy's where it is a plain one, else a new one."""
    for name, value in scope["headers"]:
        if name == ID_HEADER and _PLAIN_ID.fullmatch(value):
            return str(value.decode("ascii"))
    return f"{getrandbits(64):016x}"
