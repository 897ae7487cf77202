"""Where a request comes from."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from lifecircle.service.settings import is_loopback


def from_this_machine(request: Request) -> bool:
    """Whether a request comes from this very machine, to its own address, and from our own page.

    The name asked for has to be loopback too (a page elsewhere may point a name of its own at
    127.0.0.1), nothing may have passed it on, and a browser must not send it for another site.
    """
    headers = request.headers
    client = request.client.host if request.client is not None else ""
    if not (is_loopback(client) and is_loopback(request.url.hostname or "")):
        return False
    if any(name in headers for name in ("forwarded", "x-forwarded-for", "x-real-ip")):
        return False
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.url.netloc
