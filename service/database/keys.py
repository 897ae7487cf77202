"""Keys: who may ask the service from elsewhere, and what for.

A key is ``lc_<id>_<secret>``; the secret has 256 random bits and is shown once. Kept is an HMAC of
it with a salt of its own, so that whoever reads the database can use no key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import Engine, func, or_, select

from lifecircle.service.database.audit import Writer, at_work, moment, now_utc, record
from lifecircle.service.database.tables import KeyRow
from lifecircle.service.errors import MissingError, RequestError

Role = Literal["viewer", "reviewer", "planner", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
_WRITTEN: Final = re.compile(r"lc_([0-9a-f]{12})_([\w-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """A key as people see it. `state`: valid, expired or revoked."""

    id: str
    name: str
    role: Role
    created: datetime
    expires: datetime | None
    revoked: datetime | None

    def valid_at(self, now: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def may(self, role: Role) -> bool:
        """Whether it has a role or one above it."""
        return ROLES.index(self.role) >= ROLES.index(role)


def add_key(
    engine: Engine, name: str, role: str, expires: datetime | None, actor: str
) -> tuple[Key, str]:
    """A new key and what is written on it, which is told this once.

    Raises
    ------
    RequestError : no such role, no name, or an end that has passed.
    """
    if role not in ROLES:
        raise RequestError("key_role", role=role, known=", ".join(ROLES))
    if not name.strip():
        raise RequestError("key_no_name")
    now = now_utc()
    if expires is not None and expires <= now:
        raise RequestError("key_over", expires=expires.isoformat())
    identity, secret, salt = (
        secrets.token_hex(6),
        secrets.token_urlsafe(32),
        secrets.token_bytes(16),
    )
    row = KeyRow(
        id=identity, name=name.strip()[:200], role=role, salt=salt, digest=_digest(salt, secret),
        created=now, expires=expires, revoked=None,
    )  # fmt: skip
    with at_work(engine) as session:
        session.add(row)
        session.flush()
        key = key_of_row(row)
        record(session, Writer(actor), "key.add", f"key/{identity}", None, told_key(key))
    return key, f"lc_{identity}_{secret}"


def list_keys(engine: Engine) -> list[Key]:
    """All keys, the oldest first, also those that open nothing any more."""
    with at_work(engine) as session:
        return [key_of_row(row) for row in session.scalars(select(KeyRow).order_by(KeyRow.created))]


def revoke_key(engine: Engine, identity: str, actor: str) -> Key:
    """Make a key open nothing from now on.

    Raises
    ------
    MissingError : no such key.
    """
    with at_work(engine) as session:
        row = session.get(KeyRow, identity)
        if row is None:
            raise MissingError("no_key", key=identity)
        before = told_key(key_of_row(row))
        if row.revoked is None:
            row.revoked = now_utc()
            subject, writer = f"key/{identity}", Writer(actor)
            record(session, writer, "key.revoke", subject, before, told_key(key_of_row(row)))
        return key_of_row(row)


def find_key(engine: Engine, written: str) -> Key | None:
    """The key with this written on it if it is valid now, else None; equally slow either way."""
    parts = _WRITTEN.fullmatch(written)
    if parts is None:
        return None
    with at_work(engine) as session:
        row = session.get(KeyRow, parts[1])
        salt, held = (bytes(16), bytes(32)) if row is None else (row.salt, row.digest)
        same = hmac.compare_digest(_digest(salt, parts[2]), held)
        if row is None or not same:
            return None
        key = key_of_row(row)
    return key if key.valid_at(now_utc()) else None


def any_valid(engine: Engine) -> bool:
    """Whether some key opens something."""
    lasting = or_(KeyRow.expires.is_(None), KeyRow.expires > now_utc())
    asked = select(func.count()).where(KeyRow.revoked.is_(None), lasting)
    with at_work(engine) as session:
        return bool(session.scalar(asked))


def _digest(salt: bytes, secret: str) -> bytes:
    return hmac.new(salt, secret.encode(), hashlib.sha256).digest()


def key_of_row(row: KeyRow) -> Key:
    """A key as it is kept."""
    role: Any = row.role
    return Key(row.id, row.name, role, row.created, row.expires, row.revoked)


def told_key(key: Key) -> dict[str, Any]:
    """A key as the audit log has it: never what is written on it."""
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "created": moment(key.created),
        "expires": moment(key.expires),
        "revoked": moment(key.revoked),
    }
