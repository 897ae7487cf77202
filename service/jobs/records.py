"""Jobs in the database: ordered, begun, ended, listed. Every change names the state it came from,
so that of two who end a job one alone has done it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, delete, func, select, update
from sqlalchemy.orm import Session

from lifecircle.analysis.errors import Language
from lifecircle.service.database.audit import Writer, at_work, now_utc, record
from lifecircle.service.database.tables import JobRow
from lifecircle.service.errors import MissingError, NotReadyError, TooManyError
from lifecircle.service.jobs.model import LIVE, Answered, Job, State, choose_next


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, with inputs that were checked; equal digests ask for the same."""

    process: str
    area: str
    lang: Language
    inputs: Mapping[str, Any]
    response: Answered
    digest: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many jobs may wait or run, of all and of one owner."""

    of_all: int
    of_one: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs of a list: any of these states, processes; begun and long enough."""

    states: tuple[State, ...] = ()
    processes: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    least_s: float | None = None
    most_s: float | None = None


def add_job(
    engine: Engine,
    order: Order,
    writer: Writer,
    bounds: Bounds,
    still: Callable[[Job], bool],
) -> tuple[Job, bool]:
    """A new job, or the one that does or did the same; and whether it is new.

    `still`: whether what a job did still stands.

    Raises
    ------
    TooManyError : the owner has too many jobs already.
    NotReadyError : the queue is full.
    """
    owner = owner_of(writer)
    with at_work(engine) as session:
        same = select(JobRow).where(
            JobRow.digest == order.digest, JobRow.state.in_((*LIVE, "successful"))
        )
        for row in session.scalars(same.order_by(JobRow.created.desc())):
            known = _job(row)
            if known.state in LIVE or still(known):
                return known, False
        _check(session, owner, bounds)
        row = JobRow(
            id=secrets.token_hex(8), process=order.process, owner=owner, key_id=writer.key_id,
            area=order.area, lang=order.lang, inputs=dict(order.inputs),
            response=order.response, digest=order.digest,
            state="accepted", created=now_utc(), started=None, finished=None, error=None,
            told=None,
        )  # fmt: skip
        session.add(row)
        session.flush()
        told = {"process": order.process, "area": order.area, "digest": order.digest}
        record(session, writer, "job.add", f"job/{row.id}", None, told)
        return _job(row), True


def owner_of(writer: Writer) -> str:
    """Whose a job is: the key's, or that of who writes without one."""
    return writer.key_id or writer.name[:200]


def _check(session: Session, owner: str, bounds: Bounds) -> None:
    live = select(func.count()).select_from(JobRow).where(JobRow.state.in_(LIVE))
    own = session.scalar(live.where(JobRow.owner == owner)) or 0
    if own >= bounds.of_one:
        raise TooManyError("jobs_own_full", most=bounds.of_one)
    if (session.scalar(live) or 0) >= bounds.of_all:
        raise NotReadyError("jobs_full", most=bounds.of_all)


def begin_next(engine: Engine, at_once: int, take: Callable[[Job], bool]) -> Job | None:
    """Begin the job that comes next; None where none waits or all places are taken.

    `take` makes it ours (its folder and lock) before the database says that it runs.
    """
    with at_work(engine) as session:
        asked = select(JobRow).where(JobRow.state.in_(LIVE))
        live = [_job(row) for row in session.scalars(asked)]
        owners = {job.owner for job in live}
        begun = select(JobRow.owner, func.max(JobRow.started)).where(JobRow.owner.in_(owners))
        served = session.execute(begun.group_by(JobRow.owner))
        known = {owner: when for owner, when in served if when is not None}
        found = choose_next(live, known, at_once)
        if found is None or not take(found):
            return None
        change = {"state": "running", "started": now_utc()}
        if not _change(session, found.id, ("accepted",), change):
            return None
        return _job(session.get_one(JobRow, found.id, populate_existing=True))


def end_job(
    engine: Engine,
    identity: str,
    state: State,
    *,
    error: Mapping[str, Any] | None = None,
    told: Mapping[str, Any] | None = None,
) -> bool:
    """Say what came of a running job; False where somebody has said so already."""
    change = {
        "state": state,
        "finished": now_utc(),
        "error": None if error is None else dict(error),
        "told": None if told is None else dict(told),
    }
    with at_work(engine) as session:
        return _change(session, identity, ("running",), change)


def dismiss_job(engine: Engine, identity: str, writer: Writer) -> Job:
    """Call a job off, or put away what it gave; the job as it was before.

    Raises
    ------
    MissingError : no such job.
    """
    with at_work(engine) as session:
        row = session.get(JobRow, identity, with_for_update=True)
        if row is None:
            raise MissingError("no_job", id=identity)
        before = _job(row)
        if before.state != "dismissed":
            row.state = "dismissed"
            row.finished = row.finished or now_utc()
            row.told = None
            was = {"state": before.state}
            record(session, writer, "job.dismiss", f"job/{identity}", was, None)
        return before


def find_job(engine: Engine, identity: str) -> Job:
    """One job.

    Raises
    ------
    MissingError : no such job.
    """
    with at_work(engine) as session:
        row = session.get(JobRow, identity)
        if row is None:
            raise MissingError("no_job", id=identity)
        return _job(row)


def list_jobs(engine: Engine, wanted: Wanted, limit: int, offset: int = 0) -> tuple[list[Job], int]:
    """Jobs, the newest first, and how many there are."""
    asked = select(JobRow)
    for column, allowed in ((JobRow.state, wanted.states), (JobRow.process, wanted.processes)):
        if allowed:
            asked = asked.where(column.in_(allowed))
    if wanted.after is not None:
        asked = asked.where(JobRow.created >= wanted.after)
    if wanted.before is not None:
        asked = asked.where(JobRow.created <= wanted.before)
    asked = asked.order_by(JobRow.created.desc(), JobRow.id)
    with at_work(engine) as session:
        found = [_job(row) for row in session.scalars(asked)]
    now = now_utc()
    kept = [job for job in found if _lasted(job.seconds(now), wanted)]
    return kept[offset : offset + limit], len(kept)


def _lasted(seconds: float | None, wanted: Wanted) -> bool:
    if wanted.least_s is None and wanted.most_s is None:
        return True
    if seconds is None:
        return False
    return (wanted.least_s or 0) <= seconds and (wanted.most_s is None or seconds <= wanted.most_s)


def jobs_in(engine: Engine, states: Sequence[State]) -> list[Job]:
    """The jobs in some states."""
    asked = select(JobRow).where(JobRow.state.in_(states))
    with at_work(engine) as session:
        return [_job(row) for row in session.scalars(asked)]


def runs_asked(engine: Engine, area: str) -> frozenset[str]:
    """The runs of an area that jobs which wait or run are about."""
    asked = select(JobRow.inputs).where(JobRow.state.in_(LIVE), JobRow.area == area)
    with at_work(engine) as session:
        found = [inputs.get("run") for inputs in session.scalars(asked)]
    return frozenset(run for run in found if isinstance(run, str))


def states_of(engine: Engine, identities: Sequence[str]) -> dict[str, str]:
    """How some jobs stand now."""
    asked = select(JobRow.id, JobRow.state).where(JobRow.id.in_(identities))
    with at_work(engine) as session:
        return {row.id: row.state for row in session.execute(asked)}


def forget_jobs(engine: Engine, before: datetime) -> list[str]:
    """Erase jobs that ended before a time; the audit log has that they were. Their ids."""
    old = select(JobRow.id).where(JobRow.state.not_in(LIVE), JobRow.finished < before)
    with at_work(engine) as session:
        gone = list(session.scalars(old))
        if gone:
            session.execute(delete(JobRow).where(JobRow.id.in_(gone)))
        return gone


def _change(
    session: Session, identity: str, states: Sequence[str], change: Mapping[str, Any]
) -> bool:
    asked = update(JobRow).where(JobRow.id == identity, JobRow.state.in_(states)).values(**change)
    done = cast("CursorResult[Any]", session.execute(asked))
    return done.rowcount == 1


def _job(row: JobRow) -> Job:
    state: Any = row.state
    response: Any = row.response
    lang: Any = row.lang
    return Job(
        row.id, row.process, row.owner, row.area, lang, row.inputs, response, row.digest, state,
        row.created, row.started, row.finished, row.error, row.told,
    )  # fmt: skip
