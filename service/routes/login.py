"""Logging in with a browser: a key is pasted once, or an issuer of accounts says who it is.

A cookie stands for it until it ends.
"""

from __future__ import annotations

import base64
import re
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from lifecircle.analysis.texts import LANGUAGES
from lifecircle.service import i18n
from lifecircle.service.database.sessions import (
    csrf_token,
    end_session,
    open_account,
    open_session,
)
from lifecircle.service.errors import AccountError, ForbiddenError, RequestError
from lifecircle.service.outside.accounts import BEGIN, CALLBACK, END, Accounts
from lifecircle.service.pages import page
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.request_origin import (
    ACCOUNT_COOKIE,
    COOKIE,
    CSRF_COOKIE,
    cookie_name,
    from_our_page,
    is_secure,
    key_of,
    session_of,
)
from lifecircle.service.responses import UNCACHED

router = APIRouter(include_in_schema=False)

_NEXT: Final = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}")  # on this service, nothing odd in it
_LONGEST_KEY: Final = 200
_MOST_FIELDS: Final = 5
_AWAY_S: Final = 600  # how long a browser may be at the issuer
_STATUS: Final = {
    "account_no_answer": HTTPStatus.BAD_GATEWAY,
    "account_no_role": HTTPStatus.FORBIDDEN,
    "account_revoked": HTTPStatus.FORBIDDEN,
}


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
        return _page(request, reader, onward, wrong=i18n.text("key_wrong", reader.lang))
    return _logged_in(request, reader, token, onward)


@router.get(BEGIN)
async def begin_account(request: Request, reader: ReaderNow) -> Response:
    """Send a browser to the issuer of accounts; a cookie keeps what its answer is held against."""
    accounts = _accounts(request)
    onward = _next(request.query_params.get("next"), request)
    try:
        address, seed = await to_thread.run_sync(accounts.begin, limiter=accounts.at_once)
    except AccountError as fault:
        return _failed(request, reader, onward, fault)
    answer = _onward(address)
    kept = f"{seed}.{base64.urlsafe_b64encode(onward.encode()).decode().rstrip('=')}"
    name = cookie_name(request.scope, reader.settings, ACCOUNT_COOKIE)
    _set(answer, request, reader, name, kept, _AWAY_S)
    return answer


@router.get(CALLBACK)
async def finish_account(request: Request, reader: ReaderNow) -> Response:
    """Open a session for the account that the issuer's answer is about; always a new one."""
    accounts = _accounts(request)
    name = cookie_name(request.scope, reader.settings, ACCOUNT_COOKIE)
    seed, _, told = request.cookies.get(name, "").partition(".")
    onward = _next(_text(told), request)
    held, database = session_of(request), request.app.state.database

    def work() -> str:
        account = accounts.finish(seed, request.query_params)
        hours = reader.settings.session_hours
        token = open_account(database.engine(), account, hours, held)
        if token is None:
            raise AccountError("account_revoked", name=account.name)
        return token

    try:
        token = await to_thread.run_sync(work, limiter=accounts.at_once)
        answer = _logged_in(request, reader, token, onward)
    except AccountError as fault:
        answer = _failed(request, reader, onward, fault)
    secure = is_secure(request.scope, reader.settings)
    answer.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
    return answer


@router.get(END)
async def end_account(request: Request, reader: ReaderNow) -> Response:
    """Send a browser to where it ends its session at the issuer too."""
    accounts = _accounts(request)
    try:
        address = await to_thread.run_sync(accounts.end, limiter=accounts.at_once)
    except AccountError as fault:
        return _failed(request, reader, _next(None, request), fault)
    return _onward(address)


def _accounts(request: Request) -> Accounts:
    found: Accounts | None = request.app.state.accounts
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return found


def _text(told: str) -> str:
    """What a cookie says in base64; nothing where it is none."""
    try:
        return base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)).decode("ascii")
    except ValueError:
        return ""


def _failed(request: Request, reader: Reader, onward: str, fault: AccountError) -> Response:
    return _page(
        request, reader, onward,
        wrong=fault.text(reader.lang), status=_STATUS.get(fault.key, HTTPStatus.UNAUTHORIZED),
    )  # fmt: skip


def _logged_in(request: Request, reader: Reader, token: str, onward: str) -> Response:
    """The way on, with the cookies of a session that has just been opened."""
    _forget(request, session_of(request))
    answer = _onward(onward)
    seconds = int(reader.settings.session_hours * 3600)
    name = cookie_name(request.scope, reader.settings)
    _set(answer, request, reader, name, token, seconds)
    _set(answer, request, reader, CSRF_COOKIE, csrf_token(token), seconds)
    return answer


def _set(
    answer: Response, request: Request, reader: Reader, name: str, value: str, seconds: int
) -> None:
    """A cookie of ours; scripts of our pages may read the token against forged requests alone."""
    secure = is_secure(request.scope, reader.settings)
    unseen = name != CSRF_COOKIE
    answer.set_cookie(
        name, value, seconds, path="/", secure=secure, httponly=unseen, samesite="lax"
    )


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
    """Where to go after logging in, in the language of the form; nowhere but to this service."""
    home = f"{request.scope.get('root_path', '')}/"
    onward = asked if isinstance(asked, str) and _NEXT.fullmatch(asked) else home
    address, mark, place = onward.partition("#")
    lang = request.query_params.get("lang")
    if lang not in LANGUAGES or "lang" in parse_qs(address.partition("?")[2]):
        return onward
    return f"{address}{'&' if '?' in address else '?'}lang={lang}{mark}{place}"


def _page(
    request: Request, reader: Reader, onward: str, *, wrong: str = "", status: int | None = None
) -> Response:
    key = key_of(request) if session_of(request) is not None and not wrong else None
    status = status or (401 if wrong else 200)
    accounts: Accounts | None = request.app.state.accounts
    values = {
        "onward": onward,
        "wrong": wrong,
        "key": key,
        "accounts": accounts is not None,
        "ends": accounts is not None and accounts.ends_sessions(),
    }
    shown = page(request, "login.html", reader.lang, status=status, **values)
    shown.headers.update(UNCACHED)
    return shown
