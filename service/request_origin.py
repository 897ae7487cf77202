"""Where a request comes from, and with what key or session of a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import Scope

from lifecircle.service.settings import Settings, is_loopback

if TYPE_CHECKING:
    from lifecircle.service.database.keys import Key

KEY: Final = "lifecircle.key"  # in the scope of a request: its valid key
SESSION: Final = "lifecircle.session"  # what a browser that logged in holds
COOKIE: Final = "lifecircle"
ACCOUNT_COOKIE: Final = "lifecircle-oidc"  # between leaving for an issuer and coming back
CSRF_COOKIE: Final = "lifecircle-csrf"  # for scripts of our pages; the one above they cannot read
CSRF_FIELD: Final = "csrf_token"  # of a form, its first field
CSRF_HEADER: Final = "x-csrf-token"
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
    settings = request.app.state.settings
    if not is_near(request.scope, settings):
        return False
    return is_loopback(request.url.hostname or "") and from_our_page(request)


def from_our_page(request: Request, base_url: str | None = None) -> bool:
    """Whether no other site made the browser send a request, by what the browser says itself."""
    headers = request.headers
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    ours = {request.url.netloc, urlsplit(base_url or "").netloc} - {""}
    return origin is None or urlsplit(origin).netloc in ours


def is_secure(scope: Scope, settings: Settings) -> bool:
    """Whether the reader came by TLS, here or at the proxy in front."""
    told = dict(scope["headers"]).get(b"x-forwarded-proto", b"")
    public = settings.base_url or ""
    return scope["scheme"] == "https" or public.startswith("https:") or told == b"https"


def cookie_name(scope: Scope, settings: Settings, name: str = COOKIE) -> str:
    """The name of a cookie: with TLS one that no other host and no page without TLS can set."""
    return f"__Host-{name}" if is_secure(scope, settings) else name


def session_of(request: Request) -> str | None:
    """What a browser with an open session holds."""
    found: str | None = request.scope.get(SESSION)
    return found


def key_of(request: Request) -> Key | None:
    """The valid key a request came with."""
    found: Key | None = request.scope.get(KEY)
    return found
