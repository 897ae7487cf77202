"""Who may ask: this machine, everybody where reading was opened, and whoever has a key.

Behind a proxy nothing is this machine. A key that is offered has to be valid wherever it comes
from. It is looked up again after `FRESH_S`, so a key that was revoked opens nothing after that.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

from anyio import to_thread
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from lifecircle.service.database.keys import Key
from lifecircle.service.errors import UnauthorizedError
from lifecircle.service.request_origin import KEY, is_near
from lifecircle.service.routes.problems import family_problem
from lifecircle.service.settings import Settings

OPEN: Final = frozenset({"/healthz", "/readyz"})  # for who looks whether the service is alive
FRESH_S: Final = 2.0
MOST_HELD: Final = 1_000
Find = Callable[[str], Key | None]


class KeyGate:
    """Lets a request through, with its key in the scope, or answers 401."""

    def __init__(self, app: ASGIApp, settings: Settings, find: Find) -> None:
        self.app = app
        self.settings = settings
        self._find = find
        self._held: dict[str, tuple[float, Key | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on who may ask."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self.app(scope, receive, send)
            return
        written = _written(scope)
        if written is None:
            open_to_all = self.settings.public_read or is_near(scope, self.settings)
            error = None if open_to_all else UnauthorizedError("key_missing")
        else:
            scope[KEY] = await self._key(written)
            error = None if scope[KEY] is not None else UnauthorizedError("key_wrong")
        if error is None:
            await self.app(scope, receive, send)
            return
        refused = await family_problem(Request(scope), error)
        refused.headers["www-authenticate"] = 'Bearer realm="lifecircle"'
        await refused(scope, receive, send)

    async def _key(self, written: str) -> Key | None:
        held = self._held.get(written)
        if held is not None and monotonic() - held[0] < FRESH_S:
            return held[1]
        found = await to_thread.run_sync(self._find, written)
        if len(self._held) >= MOST_HELD:
            self._held.clear()
        self._held[written] = (monotonic(), found)
        return found


def _written(scope: Scope) -> str | None:
    """What a request offers as its key: ``Authorization: Bearer`` or ``X-API-Key``."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, rest = value.decode("latin-1").partition(" ")
            return rest.strip() if kind.lower() == "bearer" else ""
        if name == b"x-api-key":
            return str(value.decode("latin-1").strip())
    return None
