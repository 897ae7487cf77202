"""The audit log: every write with who, when, before and after, in the transaction of what is done.

What it holds of one record is that record's history.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from lifecircle.service.database.engine import file_of, reason_of
from lifecircle.service.database.tables import AuditRow
from lifecircle.service.errors import ConflictError, DatabaseError


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: a name for people, and the id of the key used (None on this machine)."""

    name: str
    key_id: str | None = None


def now_utc() -> datetime:
    """The time now."""
    return datetime.now(UTC)


def moment(when: datetime | None) -> str | None:
    """A time as documents tell it."""
    return None if when is None else when.isoformat(timespec="seconds")


@contextmanager
def at_work(engine: Engine) -> Iterator[Session]:
    """A transaction; all of it holds, or nothing.

    Raises
    ------
    ConflictError : somebody changed the same record meanwhile.
    DatabaseError : the database failed.
    """
    try:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session
    except StaleDataError as fault:
        raise ConflictError("changed_meanwhile") from fault
    except SQLAlchemyError as fault:
        reason = reason_of(fault, file_of(engine))
        raise DatabaseError("database_unreachable", reason=reason) from fault


def record(
    session: Session,
    writer: Writer,
    action: str,
    subject: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    """Write into the audit log, in the transaction of what is done."""
    row = AuditRow(
        at=now_utc(), actor=writer.name, key_id=writer.key_id, action=action, subject=subject,
        before=before, after=after,
    )  # fmt: skip
    session.add(row)


def history_of(engine: Engine, subject: str) -> list[dict[str, Any]]:
    """What was done to a record, the first first: `at, actor, action, before, after`."""
    asked = select(AuditRow).where(AuditRow.subject == subject).order_by(AuditRow.id)
    with at_work(engine) as session:
        return [
            {
                "at": moment(row.at),
                "actor": row.actor,
                "action": row.action,
                "before": row.before,
                "after": row.after,
            }
            for row in session.scalars(asked)
        ]
