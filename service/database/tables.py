"""The tables, as SQLAlchemy maps them; a change of them is a migration beside it.

A new kind of record is a class here and a file in ``migrations/versions``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column


class Moment(TypeDecorator[datetime]):
    """A time in UTC, also where a database keeps no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As it is written."""
        del dialect
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As it is read."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What all tables share."""


class KeyRow(Base):
    """A key: whose it is, what it may do, and a digest of its secret (never the secret)."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    created: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime | None] = mapped_column(Moment)
    revoked: Mapped[datetime | None] = mapped_column(Moment)


class SessionRow(Base):
    """A browser that logged in with a key: a digest of what it holds, and until when."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(16), ForeignKey("keys.id"), index=True)
    created: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime] = mapped_column(Moment)


class AuditRow(Base):
    """One write: when, by whom, what was done to what, before and after."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    actor: Mapped[str] = mapped_column(String(200))
    key_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("keys.id"))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(200), index=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class KeptRow(Base):
    """What people keep of an area: a version that each change counts up, and its times."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    area: Mapped[str] = mapped_column(String(64), index=True)
    version: Mapped[int] = mapped_column()
    created: Mapped[datetime] = mapped_column(Moment)
    changed: Mapped[datetime] = mapped_column(Moment)
    deleted: Mapped[datetime | None] = mapped_column(Moment)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version}


class ScenarioRow(KeptRow):
    """A kept scenario: edits drawn on a run, what was asked of them, and the answer."""

    __tablename__ = "scenarios"

    title: Mapped[str] = mapped_column(String(200))
    author: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text)
    run: Mapped[str] = mapped_column(String(64))
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)
    edits: Mapped[list[Any]] = mapped_column(JSON)
    results: Mapped[dict[str, Any]] = mapped_column(JSON)


class ReviewRow(KeptRow):
    """A mark on a gap, proposal, facility or unit: where that stood, and what was found."""

    __tablename__ = "reviews"

    kind: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(String(200))
    name: Mapped[str | None] = mapped_column(String(200))
    service: Mapped[str | None] = mapped_column(String(64))
    lon: Mapped[float] = mapped_column()
    lat: Mapped[float] = mapped_column()
    run: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(200))


class JobRow(Base):
    """Work that runs beside the service: whose it is, what it was asked, how it stands."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    process: Mapped[str] = mapped_column(String(32))
    owner: Mapped[str] = mapped_column(String(200), index=True)
    key_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("keys.id"))
    area: Mapped[str] = mapped_column(String(64), index=True)
    lang: Mapped[str] = mapped_column(String(2))
    inputs: Mapped[dict[str, Any]] = mapped_column(JSON)
    response: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    created: Mapped[datetime] = mapped_column(Moment, index=True)
    started: Mapped[datetime | None] = mapped_column(Moment)
    finished: Mapped[datetime | None] = mapped_column(Moment)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    told: Mapped[dict[str, Any] | None] = mapped_column(JSON)
