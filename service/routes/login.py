"""Logging in with a browser: a key is pasted once, a cookie stands for it until it ends."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from lifecircle.service.database.sessions import csrf_token, end_session, open_session
from lifecircle.service.errors import ForbiddenError, RequestError
from lifecircle.service.queries.questions import Reader, ReaderNow
from lifecircle.service.request_origin import (
    COOKIE,
    CSRF_COOKIE,
    cookie_name,
    from_our_page,
    is_secure,
    key_of,
    session_of,
)
from lifecircle.service.responses import UNCACHED, page

router = APIRouter(include_in_schema=False)

_NEXT: Final = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}")  # on this service, nothing odd in it
_LONGEST_KEY: Final = 200
_MOST_FIELDS: Final = 5


@router.get("/login")
async def show_login(request: Request, reader: ReaderNow) -> Response:
    """The form, or who is logged in."""
    return _page(request, reader, _next(request.query_params.get("next"), request))


@router.post("/login")
async def log_in(request: Request, reader: ReaderNow) -> Response:
    """Open a session with the key of the form; always a new one."""
    if not from_our_page(request, reader.settings.base_url):
        raise ForbiddenError("csrf_missing")
    try:
        form = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    except HTTPException as fault:
        if fault.status_code != HTTPStatus.BAD_REQUEST:
            raise
        raise RequestError("login_form") from fault
    written, onward = form.get("key"), _next(form.get("next"), request)
    held, database = session_of(request), request.app.state.database

    def work() -> str | None:
        if not isinstance(written, str) or not database.there():
            return None
        hours = reader.settings.session_hours
        return open_session(database.engine(), written.strip()[:_LONGEST_KEY], hours, held)

    token = await run_in_threadpool(work)
    if token is None:
        return _page(request, reader, onward, wrong=True)
    _forget(request, held)
    answer = _onward(onward)
    seconds = int(reader.settings.session_hours * 3600)
    secure = is_secure(request.scope, reader.settings)
    name = cookie_name(request.scope, reader.settings)
    for cookie, value, unseen in ((name, token, True), (CSRF_COOKIE, csrf_token(token), False)):
        answer.set_cookie(
            cookie, value, seconds, path="/", secure=secure, httponly=unseen, samesite="lax"
        )
    return answer


@router.post("/logout")
async def log_out(request: Request, reader: ReaderNow) -> Response:
    """End the session; the browser forgets what it holds of this service."""
    held = session_of(request)
    if held is not None:
        await run_in_threadpool(end_session, request.app.state.database.engine(), held)
    _forget(request, held)
    answer = _onward(f"{request.scope.get('root_path', '')}/login?lang={reader.lang}")
    for name in (COOKIE, f"__Host-{COOKIE}", CSRF_COOKIE):
        secure = name.startswith("__Host-") or is_secure(request.scope, reader.settings)
        answer.delete_cookie(name, path="/", secure=secure, samesite="lax")
    answer.headers["clear-site-data"] = '"cache"'
    return answer


def _onward(address: str) -> Response:
    return RedirectResponse(address, status_code=303, headers=dict(UNCACHED))


def _forget(request: Request, held: str | None) -> None:
    if held is not None:
        request.app.state.sessions.forget(held)


def _next(asked: Any, request: Request) -> str:
    """Where to go after logging in; nowhere but to this service."""
    home = f"{request.scope.get('root_path', '')}/"
    return asked if isinstance(asked, str) and _NEXT.fullmatch(asked) else home


def _page(request: Request, reader: Reader, onward: str, *, wrong: bool = False) -> Response:
    key = key_of(request) if session_of(request) is not None else None
    status = 401 if wrong else 200
    values = {"onward": onward, "wrong": wrong, "key": key}
    shown = page(request, "login.html", reader.lang, status=status, **values)
    shown.headers.update(UNCACHED)
    return shown
