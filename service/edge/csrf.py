"""Whether a write that a cookie carries also carries the token of its session.

Scripts send it as a header (``X-CSRF-Token``), forms as their first field. Of a form's body only
its beginning is read here; it is handed on as it came.
"""

from __future__ import annotations

import hmac
import re
from asyncio import wait_for
from typing import Final

from starlette.types import Message, Receive, Scope

from lifecircle.service.database.sessions import csrf_token
from lifecircle.service.request_origin import CSRF_FIELD, CSRF_HEADER

_BEGINNING: Final = 16_384  # bytes of a form within which its first field ends
_PATIENCE_S: Final = 30.0
_FORMS: Final = (b"application/x-www-form-urlencoded", b"multipart/form-data")
# Where it stands need not be told apart from what looks like it: nobody else knows the value.
_FIELD: Final = re.compile(CSRF_FIELD.encode() + rb'(?:=|"[^\n]{0,100}\n\r?\n)([0-9a-f]{64})')


async def carries_token(scope: Scope, receive: Receive, token: str) -> tuple[bool, Receive]:
    """Whether the token is there; and what gives the body from its beginning."""
    told = dict(scope["headers"])
    expected = csrf_token(token)
    sent = told.get(CSRF_HEADER.encode())
    if sent is not None:
        return hmac.compare_digest(sent, expected.encode()), receive
    if not told.get(b"content-type", b"").lower().startswith(_FORMS):
        return False, receive
    read: list[Message] = []
    begun = b""
    while len(begun) < _BEGINNING:
        try:
            message = await wait_for(receive(), _PATIENCE_S)
        except TimeoutError:
            break
        read.append(message)
        begun += message.get("body", b"")
        if _found(begun, expected) or not message.get("more_body", False):
            break
    waiting = iter(read)

    async def again() -> Message:
        for message in waiting:
            return message
        return await receive()

    return _found(begun, expected), again


def _found(begun: bytes, expected: str) -> bool:
    sent = _FIELD.search(begun[: 2 * _BEGINNING])
    return sent is not None and hmac.compare_digest(sent[1], expected.encode())
