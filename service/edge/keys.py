"""Who may ask: this machine, everybody where reading was opened, and whoever has a key.

Behind a proxy nothing is this machine. A key that is offered has to be valid wherever it comes
from. A browser that logged in (`routes.login`) offers a session instead; one that is over is as if
it were not there. Both are looked up again after `FRESH_S`, so a key that was revoked opens nothing
after that. What a session is to change has to carry its token: a page elsewhere can make a browser
send the cookie, but does not know the token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from http.cookies import CookieError, SimpleCookie
from time import monotonic
from typing import Final
from urllib.parse import quote, urlencode

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lifecircle.service.database.keys import Key
from lifecircle.service.edge.csrf import carries_token
from lifecircle.service.edge.limits import KeyLimit
from lifecircle.service.errors import (
    DatabaseError,
    ForbiddenError,
    ServiceError,
    TooManyError,
    UnauthorizedError,
)
from lifecircle.service.outside.accounts import BEGIN, CALLBACK, END
from lifecircle.service.request_origin import (
    KEY,
    SESSION,
    cookie_name,
    from_our_page,
    is_near,
)
from lifecircle.service.responses import wants_page
from lifecircle.service.routes.problems import family_problem
from lifecircle.service.settings import Settings

OPEN: Final = frozenset({"/healthz", "/readyz"})  # for who looks whether the service is alive
LOGIN: Final = "/login"
LOGINS: Final = frozenset({LOGIN, BEGIN, CALLBACK, END})  # for who has no key yet
NO_KEY: Final = "key_missing"
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FRESH_S: Final = 1.0
MOST_HELD: Final = 1_000
LONGEST: Final = 200  # signs; what is longer is neither key nor session, and not held
_BEARER: Final = b"Bearer "
Find = Callable[[str], Key | None]


class Known:
    """Keys by what is written on them, or by a session; looked up again when they are not fresh.

    Whoever asks while a key is looked up waits for that same look. One that is asked with all the
    time is looked up ahead, so that its readers never wait.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self._held: dict[str, tuple[float, Key | None]] = {}
        self._looks: dict[str, asyncio.Task[Key | None]] = {}

    async def key(self, offered: str) -> Key | None:
        """The valid key, None where nothing is opened."""
        if len(offered) > LONGEST:
            return None
        held = self._held.get(offered)
        if held is not None and monotonic() - held[0] < FRESH_S:
            return held[1]
        return await asyncio.shield(self._look(offered))

    def fresh(self, offered: str) -> Key | None:
        """The valid key, where it was looked up just now; None where it has to be looked up."""
        held = self._held.get(offered)
        if held is None:
            return None
        age_s = monotonic() - held[0]
        if age_s >= FRESH_S:
            return None
        if age_s > FRESH_S / 2 and offered not in self._looks:
            self._look(offered)
        return held[1]

    def forget(self, offered: str) -> None:
        """Look it up again at the next request."""
        self._held.pop(offered, None)
        self._looks.pop(offered, None)

    def _look(self, offered: str) -> asyncio.Task[Key | None]:
        """The look under way for it, or one that begins."""
        loop, under = asyncio.get_running_loop(), self._looks.get(offered)
        if under is not None and under.get_loop() is loop and not under.done():
            return under
        look = self._looks[offered] = loop.create_task(self._found(offered))
        look.add_done_callback(partial(self._landed, offered))
        return look

    async def _found(self, offered: str) -> Key | None:
        began = monotonic()
        found = await to_thread.run_sync(self._find, offered)
        if self._looks.get(offered) is asyncio.current_task():
            if len(self._held) >= MOST_HELD:
                self._held.clear()
            self._held[offered] = (began, found)
        return found

    def _landed(self, offered: str, look: asyncio.Task[Key | None]) -> None:
        if self._looks.get(offered) is look:
            del self._looks[offered]
        if not look.cancelled():
            look.exception()  # told to those who wait; nobody may


class KeyGate:
    """Lets a request through, with its key in the scope, or answers 401."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        keys: Known,
        sessions: Known,
        limit: KeyLimit,
    ) -> None:
        self.app = app
        self.settings = settings
        self._limit = limit
        self._keys = keys
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on who may ask."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self.app(scope, receive, send)
            return
        try:
            error, receive = await self._check(scope, receive)
        except DatabaseError as fault:
            error = fault
        key = scope.get(KEY)
        if error is None and key is not None and (wait_s := self._limit.wait_s(key.id)):
            error = TooManyError("key_too_often", most=self._limit.per_minute, seconds=wait_s)
        if error is None:
            await self.app(scope, receive, send)
        else:
            await _refuse(scope, receive, send, error)

    async def _check(self, scope: Scope, receive: Receive) -> tuple[ServiceError | None, Receive]:
        """Why a request is refused, None where it is not; and what gives its body."""
        written = _written(scope)
        if written is not None:
            scope[KEY] = await self._keys.key(written)
            return None if scope[KEY] is not None else UnauthorizedError("key_wrong"), receive
        if await self._has_session(scope):
            if scope["method"] in READS or scope["path"] == LOGIN:
                return None, receive
            ours = from_our_page(Request(scope), self.settings.base_url)
            found, receive = await carries_token(scope, receive, scope[SESSION])
            return None if ours and found else ForbiddenError("csrf_missing"), receive
        open_to_all = self.settings.public_read or is_near(scope, self.settings)
        known = open_to_all or scope["path"] in LOGINS
        return None if known else UnauthorizedError(NO_KEY), receive

    async def _has_session(self, scope: Scope) -> bool:
        token = _cookie(scope, cookie_name(scope, self.settings))
        key = None if token is None else await self._sessions.key(token)
        if key is not None:
            scope[KEY], scope[SESSION] = key, token
        return key is not None


def lets_in(scope: Scope, asked: dict[bytes, bytes], settings: Settings, keys: Known) -> Key | bool:
    """The key of a read that is let in without anything being looked up.

    True where it needs none, False where something has to be looked up.
    """
    if b"cookie" in asked:
        return False
    written, other = asked.get(b"authorization"), asked.get(b"x-api-key")
    if written is None and other is None:
        return settings.public_read or is_near(scope, settings)
    if written is None or other is not None or not written.startswith(_BEARER):
        return False
    return keys.fresh(written[len(_BEARER) :].decode("latin-1")) or False


async def _refuse(scope: Scope, receive: Receive, send: Send, error: ServiceError) -> None:
    """The problem; a browser that wants a page is sent to where it can log in."""
    request = Request(scope)
    if error.key == NO_KEY and scope["method"] == "GET" and wants_page(request):
        refused: Response = RedirectResponse(_login_address(scope), status_code=303)
        refused.headers["cache-control"] = "no-store"
    else:
        refused = await family_problem(request, error)
        if isinstance(error, TooManyError):
            refused.headers["retry-after"] = str(error.params["seconds"])
        if isinstance(error, UnauthorizedError):
            refused.headers["www-authenticate"] = 'Bearer realm="lifecircle"'
    await refused(scope, receive, send)


def _login_address(scope: Scope) -> str:
    root = scope.get("root_path", "")
    asked = quote(scope["path"], safe="/") + (
        "?" + scope["query_string"].decode("latin-1") if scope["query_string"] else ""
    )
    whole = asked if scope["path"].startswith(root) else root + asked
    return f"{root}{LOGIN}?" + urlencode({"next": whole})


def _cookie(scope: Scope, name: str) -> str | None:
    """The value of a cookie; the first where there are several (browsers put the closest first)."""
    for header, value in scope["headers"]:
        if header == b"cookie" and name.encode() in value:
            try:
                found = SimpleCookie(value.decode("latin-1")).get(name)
            except CookieError:
                return None
            if found is not None:
                return found.value
    return None


def _written(scope: Scope) -> str | None:
    """What a request offers as its key: ``Authorization: Bearer`` or ``X-API-Key``."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, rest = value.decode("latin-1").partition(" ")
            return rest.strip() if kind.lower() == "bearer" else ""
        if name == b"x-api-key":
            return str(value.decode("latin-1").strip())
    return None
