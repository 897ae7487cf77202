"""Everything that goes wrong, said as RFC 9457 problem documents (or a page for browsers)."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from lifecircle.analysis.errors import Language, LifecircleError
from lifecircle.service import i18n
from lifecircle.service.errors import (
    NotReadyError,
    TooManyError,
    problem,
    problem_of,
    status_of,
    storage_fault,
)
from lifecircle.service.pages import page
from lifecircle.service.queries.reader import language_of
from lifecircle.service.responses import PROBLEM, PROTECTION, encode, wants_page
from lifecircle.service.wording import Words

log = logging.getLogger(__name__)
RETRY_AFTER_S = "5"
MOST_FAULTS: Final = 100  # of a request, told: a short question gets no long answer
_UNION_MEMBER: Final = re.compile(
    r"[\[({]"
)  # pydantic's own word for a type, in the path of a fault

PLAIN_FAULTS = {
    "missing": "fault_missing",
    "extra_forbidden": "fault_unknown",
    "int_parsing": "fault_whole_number",
    "int_from_float": "fault_whole_number",
    "float_parsing": "fault_number",
    "finite_number": "fault_number",
    "greater_than": "fault_above",
    "greater_than_equal": "fault_at_least",
    "less_than": "fault_below",
    "less_than_equal": "fault_at_most",
    "literal_error": "fault_one_of",
    "string_too_long": "fault_too_long",
    "string_too_short": "fault_empty",
    "string_pattern_mismatch": "fault_other",
    "json_invalid": "fault_json",
}


async def family_problem(request: Request, error: Exception) -> Response:
    """An error raised on purpose: its own key and text."""
    assert isinstance(error, LifecircleError)
    lang = language_of(request)
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        defect = status == HTTPStatus.INTERNAL_SERVER_ERROR
        log.log(
            logging.ERROR if defect else logging.WARNING,
            "%s at %s: %s",
            error.key,
            request.url.path,
            error.text("en"),
            exc_info=error if defect else None,
        )
    full = isinstance(error, (NotReadyError, TooManyError))
    later = {"retry-after": RETRY_AFTER_S} if full else None
    return respond(request, problem_of(error, lang), lang, headers=later)


async def parameter_problem(request: Request, error: Exception) -> Response:
    """A request whose parameters do not fit: its faults, in the reader's language."""
    assert isinstance(error, RequestValidationError)
    lang = language_of(request)
    told = [_fault(found, lang) for found in error.errors()[:MOST_FAULTS]]
    faults = list({tuple(fault.values()): fault for fault in told}.values())  # a union's once
    detail = (" " if lang == "en" else "").join(fault["text"] for fault in faults)
    return respond(request, problem(400, "bad_parameters", detail, lang, faults=faults), lang)


def _fault(found: Any, lang: Language) -> dict[str, str]:
    where = [str(one) for one in found["loc"][1:]]
    named = [one for one in where if not one.isdecimal() and not _UNION_MEMBER.search(one)]
    name = named[-1] if named else ""
    key = PLAIN_FAULTS.get(found["type"], "fault_other")
    if key == "fault_json" or tuple(found["loc"]) == ("body",):
        name, key = "body", key if key == "fault_json" else "fault_body"
    limits = dict(found.get("ctx") or {})
    limit = next((limits[k] for k in ("gt", "ge", "lt", "le", "expected") if k in limits), "")
    limit = limits.get("max_length", limit)
    if key == "fault_one_of":  # pydantic tells them in English
        limit = Words(lang).listed(re.findall("'(.*?)'", limit))
    given = found.get("input")
    text = i18n.text(key, lang, name=name, limit=limit, given="" if given is None else given)
    return {"parameter": name, "key": key, "text": text}


async def http_problem(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: no such page, wrong method, too large."""
    assert isinstance(error, HTTPException)
    lang = language_of(request)
    key = f"status_{error.status_code}"
    known = i18n.TEXTS.has(key)
    status = error.status_code if known else 400
    detail = i18n.text(f"detail_{status}", lang, path=request.url.path, method=request.method)
    body = problem(status, f"http_{status}", detail, lang)
    return respond(request, body, lang, headers=dict(error.headers or {}))


async def system_problem(request: Request, error: Exception) -> Response:
    """A disk that is full or takes nothing; what else the system says is a defect."""
    told = storage_fault(error)
    if told is None:
        raise error
    return await family_problem(request, told)


async def unknown_problem(request: Request, error: Exception) -> Response:
    """A defect: logged whole, told without a word of what is inside."""
    log.error("unexpected error at %s", request.url.path, exc_info=error)
    lang = language_of(request)
    body = problem(500, "internal", i18n.text("detail_500", lang), lang)
    told = dict(PROTECTION)
    if "request_id" in request.scope:
        told["x-request-id"] = request.scope["request_id"]
    return respond(request, body, lang, headers=told)


def respond(
    request: Request, body: dict[str, Any], lang: Language, headers: dict[str, str] | None = None
) -> Response:
    """The problem as JSON, or as a page for a browser."""
    status = int(body["status"])
    told = {
        "content-language": lang, "cache-control": "no-store", "vary": "Accept, Accept-Language",
        **(headers or {}),
    }  # fmt: skip
    if wants_page(request):
        shown = page(request, "problem.html", lang, status=status, problem=body)
        shown.headers.update({k: v for k, v in told.items() if not k.startswith("content-sec")})
        return shown
    return Response(encode(body), status_code=status, media_type=PROBLEM, headers=told)


def install(app: FastAPI) -> None:
    """Give an app these handlers."""
    app.add_exception_handler(LifecircleError, family_problem)
    app.add_exception_handler(RequestValidationError, parameter_problem)
    app.add_exception_handler(HTTPException, http_problem)
    app.add_exception_handler(OSError, system_problem)
    app.add_exception_handler(Exception, unknown_problem)
