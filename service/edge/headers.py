"""Headers that every answer has, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lifecircle.service.queries.reader import language_of
from lifecircle.service.responses import PROTECTION

_WORDED: Final = (
    b"application/json", b"application/geo+json", b"application/problem+json",
    b"application/schema+json", b"application/vnd.oai", b"application/vnd.openxml", b"text/html",
    b"text/csv",
)  # fmt: skip
_WORDLESS: Final = ("/static/", "/healthz", "/metrics", "/tileMatrixSets")
_PROTECTION = [(name.encode(), value.encode()) for name, value in PROTECTION]


class CommonHeaders:
    """Puts on every answer what it lacks: protective headers, and of what has words their language.

    What reads the same in every language says none: files, liveness, counts, the grid of tiles.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; add headers to the start of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = dict(message["headers"])
                headers = message["headers"] = list(message["headers"])
                headers += [pair for pair in _PROTECTION if pair[0] not in told]
                if _has_words(scope, told):
                    _tell_language(scope, headers, told)
            await send(message)

        await self.app(scope, receive, protected)


def _has_words(scope: Scope, told: Mapping[bytes, bytes]) -> bool:
    kind = told.get(b"content-type", b"")
    return kind.startswith(_WORDED) and not scope["path"].startswith(_WORDLESS)


def _tell_language(
    scope: Scope, headers: list[tuple[bytes, bytes]], told: Mapping[bytes, bytes]
) -> None:
    """Say in which language an answer is, and that readers of another get another."""
    if b"content-language" not in told:
        headers.append((b"content-language", language_of(Request(scope)).encode()))
    varies = told.get(b"vary", b"")
    if b"accept-language" not in varies.lower():
        headers[:] = [pair for pair in headers if pair[0] != b"vary"]
        both = varies + b", Accept-Language" if varies else b"Accept-Language"
        headers.append((b"vary", both))
