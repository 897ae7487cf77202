"""Which names the service answers to.

A page elsewhere may point a name of its own at this machine (DNS rebinding) and read what a
service "for this machine only" tells. Such a request carries that name in ``Host``; an address
in figures it can never carry.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from lifecircle.service.errors import ForbiddenError
from lifecircle.service.routes.problems import family_problem
from lifecircle.service.settings import Settings, is_loopback

EVERY_HOST = "*"


class Names:
    """The names that a service answers to."""

    def __init__(self, settings: Settings) -> None:
        self._names = known_names(settings)
        self._addresses = settings.public_read or not is_loopback(settings.host)
        self._allowed: set[str] = set()  # what was asked and let in, as it was written

    def known(self, written: str) -> bool:
        """Whether this was let in before."""
        return written in self._allowed

    def allows(self, written: str) -> bool:
        """Whether what a request carries as ``Host`` is a name of ours."""
        if written in self._allowed:
            return True
        name = host_name(written)
        known = (
            EVERY_HOST in self._names
            or name in self._names
            or is_loopback(name)
            or (self._addresses and _is_address(name))
        )
        if known and len(self._allowed) < 1_000:
            self._allowed.add(written)
        return known


class AllowedHosts:
    """Refuses, with 403, a request to a name that is not the service's own."""

    def __init__(self, app: ASGIApp, names: Names) -> None:
        self.app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it asks for a name of ours."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).getlist("host")
        if len(asked) == 1 and self._names.allows(asked[0]):
            await self.app(scope, receive, send)
            return
        told = ", ".join(asked) or "-"
        refused = await family_problem(
            Request(scope), ForbiddenError("host_not_allowed", host=told)
        )
        await refused(scope, receive, send)


def known_names(settings: Settings) -> frozenset[str]:
    """The names told in the settings: those allowed, the public address, where it listens."""
    told = {host_name(name) for name in settings.allowed_hosts if name != EVERY_HOST}
    told.add(host_name(settings.host))
    if settings.base_url is not None:
        told.add((urlsplit(settings.base_url).hostname or "").rstrip("."))
    told.discard("")
    return frozenset(told | ({EVERY_HOST} & set(settings.allowed_hosts)))


def host_name(written: str) -> str:
    """The name in a ``Host`` header: no port, no brackets, small letters; empty if it is none."""
    bare = f"[{written}]" if written.count(":") > 1 and "[" not in written else written
    try:
        parts = urlsplit(f"//{bare}")
    except ValueError:
        return ""
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return ""
    return (parts.hostname or "").rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
