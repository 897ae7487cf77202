"""Where a request comes from, and with what key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import Scope

from lifecircle.service.settings import Settings, is_loopback

if TYPE_CHECKING:
    from lifecircle.service.database.keys import Key

KEY: Final = "lifecircle.key"  # in the scope of a request: its valid key
_PASSED_ON: Final = frozenset({
    b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip",
    b"via",
})  # fmt: skip


def is_near(scope: Scope, settings: Settings) -> bool:
    """Whether a request comes from a program on this very machine; behind a proxy none does."""
    client = scope.get("client")
    if settings.behind_proxy or client is None or not is_loopback(client[0]):
        return False
    return all(name not in _PASSED_ON for name, _ in scope["headers"])


def from_this_machine(request: Request) -> bool:
    """Whether a request comes from this machine, to its own address, and from our own page.

    The name asked for has to be loopback too (a page elsewhere may point a name of its own at
    127.0.0.1), and a browser must not send it for another site.
    """
    headers = request.headers
    if not is_near(request.scope, request.app.state.settings):
        return False
    if not is_loopback(request.url.hostname or ""):
        return False
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.url.netloc


def key_of(request: Request) -> Key | None:
    """The valid key a request came with."""
    found: Key | None = request.scope.get(KEY)
    return found
