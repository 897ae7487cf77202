"""Pages: a template filled with escaped values, under a policy that runs only its own scripts."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any, Final

import jinja2
from fastapi import Request, Response
from markupsafe import Markup

from lifecircle.analysis.errors import Language
from lifecircle.service.database.sessions import csrf_token
from lifecircle.service.figures import FIGURES
from lifecircle.service.request_origin import CSRF_FIELD, from_this_machine, session_of
from lifecircle.service.wording import Words

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'self'; base-uri 'none'"
)


@cache
def _templates() -> jinja2.Environment:
    rooms = jinja2.Environment(
        loader=jinja2.PackageLoader("lifecircle.service", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rooms.globals.update(FIGURES)
    return rooms


def page(
    request: Request, template: str, lang: Language, *, status: int = 200, **values: Any
) -> Response:
    """A page from ``templates/``; every value is escaped, every link stays on this service."""
    nonce, session = new_nonce(), session_of(request)
    other = "en" if lang == "zh" else "zh"
    html = (
        _templates()
        .get_template(template)
        .render(
            t=Words(lang),
            lang=lang,
            other=other,
            turned=str(request.url.include_query_params(lang=other).replace(scheme="", netloc="")),
            root=request.scope.get("root_path", ""),
            here=from_this_machine(request),
            logged_in=session is not None,
            csrf_field=lambda: _csrf_field(session),
            nonce=nonce,
            **values,
        )
    )
    return page_response(html, lang, nonce, status=status)


def _csrf_field(session: str | None) -> Markup:
    """The first field of a form that writes: the token of a browser's session, where it has one."""
    if session is None:
        return Markup("")
    return Markup('<input type="hidden" name="{}" value="{}">').format(
        CSRF_FIELD, csrf_token(session)
    )


def new_nonce() -> str:
    """A fresh number for the scripts of one page."""
    return secrets.token_urlsafe(16)


def page_response(
    html: str | bytes, lang: Language, nonce: str, *, status: int = 200, policy: str | None = None
) -> Response:
    """An HTML answer whose scripts run only when they carry the nonce."""
    return Response(
        html,
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers={
            "content-security-policy": policy or PAGE_POLICY.format(nonce=nonce),
            "content-language": lang,
            "cache-control": "private, no-cache",
            "vary": "Accept, Accept-Language",
        },
    )
