"""A job as everybody sees it, and which of those that wait comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from lifecircle.analysis.errors import Language

State = Literal["accepted", "running", "successful", "failed", "dismissed"]
Answered = Literal["raw", "document"]  # how a result is told, by the order
STATES: Final[tuple[State, ...]] = get_args(State)
LIVE: Final[tuple[State, ...]] = ("accepted", "running")
BUILD: Final = "build"
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `owner`: the id of a key, or who writes without one; `told`: what came of it."""

    id: str
    process: str
    owner: str
    area: str
    lang: Language
    inputs: Mapping[str, Any]
    response: Answered
    digest: str
    state: State
    created: datetime
    started: datetime | None
    finished: datetime | None
    error: Mapping[str, Any] | None
    told: Mapping[str, Any] | None

    def seconds(self, now: datetime) -> float | None:
        """How long it took, or takes until now; None where it has not begun."""
        return (
            None
            if self.started is None
            else ((self.finished or now) - self.started).total_seconds()
        )


def choose_next(live: Sequence[Job], served: Mapping[str, datetime], at_once: int) -> Job | None:
    """The waiting job that comes next; None where all places are taken.

    Whoever has the fewest jobs under way is first, then whoever was served longest ago, then the
    oldest job. Two builds of one area never run at once.

    Parameters
    ----------
    live : all jobs that wait or run.
    served : when a job of each owner was last begun.
    """
    running = [job for job in live if job.state == "running"]
    if len(running) >= at_once:
        return None
    building = {job.area for job in running if job.process == BUILD}
    waiting = [
        job
        for job in live
        if job.state == "accepted" and not (job.process == BUILD and job.area in building)
    ]

    def turn(job: Job) -> tuple[int, datetime, datetime, str]:
        at_work = sum(other.owner == job.owner for other in running)
        return at_work, served.get(job.owner, _NEVER), job.created, job.id

    return min(waiting, key=turn, default=None)
