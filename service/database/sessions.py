"""Sessions of browsers: opened with a key, over when it is revoked or expires, or by logging out.

A session is 256 random bits that the browser holds; kept is their SHA-256. It is always a new one:
what a browser offered before it logged in is never taken up.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from lifecircle.service.database.audit import Writer, at_work, now_utc, record
from lifecircle.service.database.keys import Key, find_key, key_of_row, told_key
from lifecircle.service.database.tables import KeyRow, SessionRow
from lifecircle.service.outside.accounts import Account

_WRITTEN: Final = re.compile(r"[\w-]{43}", re.ASCII)
_CSRF: Final = b"lifecircle csrf"


def open_session(
    engine: Engine, written: str, hours: float, instead_of: str | None = None
) -> str | None:
    """What a browser is to hold from now on, which has this key; None where it opens nothing.

    `instead_of`: what it held before, over in the same transaction.
    """
    key = find_key(engine, written)
    if key is None:
        return None
    with at_work(engine) as session:
        return _opened(session, key, hours, instead_of)


def open_account(
    engine: Engine, account: Account, hours: float, instead_of: str | None = None
) -> str | None:
    """The same for an account of an issuer: what opens is a key that nothing is written on.

    Its name and role are those of this login, also for other browsers of the account; it lasts as
    long as the session. None where it was revoked: it stays so.
    """
    now = now_utc()
    with at_work(engine) as session:
        identity = "oidc" + base64.b32encode(account.digest)[:12].decode().lower()
        row = session.get(KeyRow, identity)
        if row is not None and (row.revoked is not None or row.digest != account.digest):
            return None
        before = None if row is None else told_key(key_of_row(row))
        if row is None:
            row = KeyRow(id=identity, salt=b"", digest=account.digest, created=now, revoked=None)
            session.add(row)
        row.name, row.role, row.expires = account.name, account.role, now + timedelta(hours=hours)
        key = key_of_row(row)
        action = "key.add" if before is None else "key.change"
        subject, writer = f"key/{identity}", Writer(account.name)
        session.flush()
        if before is None or (before["name"], before["role"]) != (key.name, key.role):
            record(session, writer, action, subject, before, told_key(key))
        return _opened(session, key, hours, instead_of)


def _opened(session: Session, key: Key, hours: float, instead_of: str | None) -> str:
    token, now = secrets.token_urlsafe(32), now_utc()
    session.execute(delete(SessionRow).where(SessionRow.expires <= now))
    until = now + timedelta(hours=hours)
    session.add(SessionRow(id=_digest(token), key_id=key.id, created=now, expires=until))
    record(session, Writer(key.name, key.id), "session.open", f"key/{key.id}", None, None)
    if instead_of is not None:
        _end(session, instead_of)
    return token


def find_session(engine: Engine, token: str) -> Key | None:
    """The key of a session that is open now, else None."""
    if _WRITTEN.fullmatch(token) is None:
        return None
    now = now_utc()
    with at_work(engine) as session:
        row = session.get(SessionRow, _digest(token))
        if row is None or row.expires <= now:
            return None
        held = session.get(KeyRow, row.key_id)
        key = None if held is None else key_of_row(held)
    return key if key is not None and key.valid_at(now) else None


def end_session(engine: Engine, token: str) -> None:
    """Make a session open nothing from now on."""
    with at_work(engine) as session:
        _end(session, token)


def _end(session: Session, token: str) -> None:
    row = session.get(SessionRow, _digest(token))
    if row is not None:
        session.delete(row)
        held = session.get(KeyRow, row.key_id)
        name = "?" if held is None else held.name
        subject = f"key/{row.key_id}"
        record(session, Writer(name, row.key_id), "session.end", subject, None, None)


def csrf_token(token: str) -> str:
    """What a page of ours sends along with a write, and no page elsewhere can know."""
    return hmac.new(token.encode(), _CSRF, hashlib.sha256).hexdigest()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
