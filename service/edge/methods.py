"""``HEAD`` and ``OPTIONS`` wherever there is something, and an ``Allow`` that is right.

Routes know their own method alone; a path may have several (``/check``: GET and POST).
"""

from __future__ import annotations

from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TRIED: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class HeadAndOptions:
    """Answers HEAD as GET without its body, OPTIONS with what is allowed; mends ``Allow``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer for all routes of a path."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["method"] == "HEAD":
            bare = _without_body(_with_allow(scope, send))
            await self.app({**scope, "method": "GET"}, receive, bare)
        elif scope["method"] == "OPTIONS" and (allowed := methods_of(scope)):
            told = {"allow": ", ".join(allowed), "cache-control": "no-store"}
            await Response(status_code=204, headers=told)(scope, receive, send)
        else:
            await self.app(scope, receive, _with_allow(scope, send))


def methods_of(scope: Scope) -> list[str]:
    """The methods that the path of a request takes; empty where there is nothing."""
    if scope["path"].startswith("/static/"):
        return ["GET", "HEAD", "OPTIONS"]
    routes: Any = scope["app"].routes
    found = [
        method
        for method in _TRIED
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    if "GET" in found:
        found.insert(1, "HEAD")
    return [*found, "OPTIONS"] if found else []


def _without_body(send: Send) -> Send:
    async def bare(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return bare


def _with_allow(scope: Scope, send: Send) -> Send:
    async def mended(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 405:
            MutableHeaders(scope=message)["allow"] = ", ".join(methods_of(scope))
        await send(message)

    return mended
