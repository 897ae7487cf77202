"""Who may write, asked before anything is read; a limit on what is sent in."""

from __future__ import annotations

import json
from asyncio import wait_for
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

from fastapi import Depends
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lifecircle.service.database.audit import Writer
from lifecircle.service.database.keys import Role
from lifecircle.service.errors import ForbiddenError, RequestError, UnauthorizedError
from lifecircle.service.request_origin import from_this_machine, key_of
from lifecircle.service.settings import Settings
from lifecircle.service.wording import LOCAL

BODY_S: Final = 30.0
SLOWEST: Final = 100_000  # bytes a second at which the largest body allowed may come


def check_near(request: Request, settings: Settings) -> None:
    """Let only this machine ask, or who has a key, unless reading was opened out loud.

    Raises
    ------
    ForbiddenError
        Somebody else asks.
    """
    known = settings.public_read or key_of(request) is not None
    if not known and not from_this_machine(request):
        raise ForbiddenError("only_here")


def writer_of(request: Request, role: Role, name: str | None = None) -> Writer:
    """Who writes: whoever has a key of this role or one above it, or this machine.

    `name`: what people on this machine call themselves.

    Raises
    ------
    ForbiddenError : the key has a lesser role.
    UnauthorizedError : no key, and not from this machine.
    """
    key = key_of(request)
    if key is not None:
        if not key.may(role):
            raise ForbiddenError("role_needed", role=role, has=key.role)
        return Writer(key.name, key.id)
    if not from_this_machine(request):
        raise UnauthorizedError("key_missing")
    return Writer((name or "").strip() or LOCAL)


Check = Callable[[Request], Coroutine[Any, Any, None]]
_FIRST: Final[set[Callable[..., Any]]] = set()  # what is asked before a body is read


def asked_first(check: Check) -> Check:
    """Mark what says whether a request may be made at all, by the request alone (`RoleFirst`)."""
    _FIRST.add(check)
    return check


class RoleFirst(APIRoute):
    """A route that asks who may before it reads the body or a parameter.

    What is wrong with a body is told to those alone who may send one.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers: the checks marked by `asked_first`, then what the framework does."""
        handle = super().get_route_handler()
        first = [one.dependency for one in self.dependencies if one.dependency in _FIRST]

        async def after_role(request: Request) -> Response:
            for check in first:
                assert check is not None
                await check(request)
            return await handle(request)

        return after_role


@asked_first
async def _planner(request: Request) -> None:
    writer_of(request, "planner")


@asked_first
async def _reviewer(request: Request) -> None:
    writer_of(request, "reviewer")


@asked_first
async def _near(request: Request) -> None:
    check_near(request, request.app.state.settings)


PLANNER: Final = Depends(_planner)
REVIEWER: Final = Depends(_reviewer)
NEAR: Final = Depends(_near)


def may_write(request: Request, role: Role) -> bool:
    """Whether who asks may write what needs this role."""
    try:
        writer_of(request, role)
    except (ForbiddenError, UnauthorizedError):
        return False
    return True


async def check_texts(request: Request) -> None:
    """Refuse a JSON body with half a character in it, which no file and no database can hold.

    Raises
    ------
    RequestError : a lone surrogate in a text or a name.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.endswith(("/json", "+json")):
        return
    try:
        told = await request.json()
    except ValueError:
        return  # whoever reads the body says so
    try:
        json.dumps(told, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise RequestError(
            "text_half_character", code=f"{ord(error.object[error.start]):04X}"
        ) from error


class BodyLimit:
    """Refuses to read more than `max_bytes` of a request's body (413), or a slow one (408).

    `larger`: paths that may take more, with their own limit.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: int, larger: Mapping[str, int] | None = None
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.larger = dict(larger or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; count what is read of it, whatever its length was said to be."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.larger.get(scope["path"], self.max_bytes)
        headers = Headers(scope=scope)
        told = headers.get("content-length", "0")
        coming = told != "0" or "transfer-encoding" in headers
        until = monotonic() + BODY_S + most / SLOWEST
        read = 0

        async def counted() -> Message:
            nonlocal read, coming
            if told.isdecimal() and int(told) > most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            try:
                message = await wait_for(receive(), until - monotonic() if coming else None)
            except TimeoutError:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from None
            coming = coming and message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        await self.app(scope, counted, send)
