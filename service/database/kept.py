"""Scenarios and reviews as they are kept: added, changed from a known version, put away.

A change names the version it was made from; another one made meanwhile is never written over.
Nothing is erased: what is deleted is no longer shown, and the audit log has all of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lifecircle.service.database.audit import Writer, at_work, now_utc, record
from lifecircle.service.database.tables import KeptRow, ReviewRow, ScenarioRow
from lifecircle.service.errors import ConflictError, MissingError


@dataclass(frozen=True, slots=True)
class Kept:
    """A record at one version; `held` has the fields of its kind."""

    id: str
    area: str
    version: int
    created: datetime
    changed: datetime
    held: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The records of one kind: its name, its table, what is said where there is none, its fields.

    `told` are those that history tells; `unlogged` ones follow from them.
    """

    kind: str
    row: type[KeptRow]
    none: str
    told: tuple[str, ...]
    unlogged: tuple[str, ...] = ()

    def subject(self, identity: str) -> str:
        """What the audit log calls a record."""
        return f"{self.kind}/{identity}"

    def missing(self, area: str, identity: str) -> MissingError:
        """What is raised where an area has no record of that id."""
        return MissingError(self.none, id=identity, area=area)

    def add(self, engine: Engine, area: str, held: Mapping[str, Any], writer: Writer) -> Kept:
        """Keep a new record."""
        now = now_utc()
        with at_work(engine) as session:
            row = self.row(
                id=secrets.token_hex(6), area=area, created=now, changed=now, deleted=None, **held
            )
            session.add(row)
            session.flush()
            record(session, writer, f"{self.kind}.add", self.subject(row.id), None, self._log(row))
            return self._kept(row)

    def all_of(self, engine: Engine, area: str) -> list[Kept]:
        """The records of an area, the oldest first."""
        row = self.row
        asked = select(row).where(row.area == area, row.deleted.is_(None))
        with at_work(engine) as session:
            return [self._kept(one) for one in session.scalars(asked.order_by(row.created, row.id))]

    def one(self, engine: Engine, area: str, identity: str) -> Kept:
        """One record.

        Raises
        ------
        MissingError : none of that id in the area.
        """
        with at_work(engine) as session:
            return self._kept(self._found(session, area, identity))

    def change(
        self,
        engine: Engine,
        known: Kept,
        changes: Mapping[str, Any],
        writer: Writer,
        action: str = "change",
    ) -> Kept:
        """Change fields of a record that is still at the version known.

        Raises
        ------
        ConflictError : it is at another version by now.
        MissingError : it is gone.
        """
        with at_work(engine) as session:
            row = self._found(session, known.area, known.id)
            self._same(row, known.version)
            before = self._log(row)
            for name, value in changes.items():
                setattr(row, name, value)
            row.changed = now_utc()
            session.flush()
            subject = self.subject(row.id)
            record(session, writer, f"{self.kind}.{action}", subject, before, self._log(row))
            return self._kept(row)

    def put_away(
        self, engine: Engine, area: str, identity: str, version: int | None, writer: Writer
    ) -> None:
        """Show a record no longer; the audit log keeps it.

        Raises
        ------
        ConflictError, MissingError : as `change`.
        """
        with at_work(engine) as session:
            row = self._found(session, area, identity)
            if version is not None:
                self._same(row, version)
            before = self._log(row)
            row.deleted = now_utc()
            session.flush()
            record(session, writer, f"{self.kind}.delete", self.subject(row.id), before, None)

    def _found(self, session: Session, area: str, identity: str) -> KeptRow:
        row = session.get(self.row, identity)
        if row is None or row.area != area or row.deleted is not None:
            raise self.missing(area, identity)
        return row

    @staticmethod
    def _same(row: KeptRow, version: int) -> None:
        if row.version != version:
            raise ConflictError("changed_since", version=version, now=row.version)

    def _log(self, row: KeptRow) -> dict[str, Any]:
        return {"version": row.version, **{name: getattr(row, name) for name in self.told}}

    def _kept(self, row: KeptRow) -> Kept:
        held = {name: getattr(row, name) for name in (*self.told, *self.unlogged)}
        return Kept(row.id, row.area, row.version, row.created, row.changed, held)


SCENARIOS: Final = Shelf(
    "scenario",
    ScenarioRow,
    "no_scenario",
    ("title", "author", "note", "run", "asked", "edits"),
    ("results",),
)
REVIEWS: Final = Shelf(
    "review",
    ReviewRow,
    "no_review",
    ("kind", "target", "name", "service", "lon", "lat", "run", "verdict", "note", "author"),
)


def runs_held(engine: Engine, area: str) -> frozenset[str]:
    """The runs that kept scenarios of an area are drawn on."""
    asked = select(ScenarioRow.run).where(ScenarioRow.area == area, ScenarioRow.deleted.is_(None))
    with at_work(engine) as session:
        return frozenset(session.scalars(asked))
