"""A batch from its plan to the records of all its cities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lifecircle.service.batch.cities import Plan
from lifecircle.service.batch.records import Record, Records
from lifecircle.service.batch.runners import Runner
from lifecircle.service.batch.work import Task


def tasks_of(plan: Plan, workspace: Path, *, resume: bool) -> list[Task]:
    """The tasks of a plan, the largest streets first, so that none is left to the end alone."""
    day = Records(workspace).day(anew=not resume).isoformat()
    tasks = [
        Task(name, city, str(workspace.absolute()), day, dict(plan.digests), resume)
        for name, city in plan.cities.items()
    ]
    return sorted(tasks, key=lambda task: (-_size(task), task.name))


def run_batch(
    plan: Plan, workspace: Path, runner: Runner, *, resume: bool = False
) -> Iterator[Record]:
    """The record of every city, as it is done.

    Parameters
    ----------
    resume : cities that are done with the same inputs, options and code are not done again.
    """
    yield from runner.records(tasks_of(plan, workspace, resume=resume))


def _size(task: Task) -> int:
    """Bytes of the streets, 0 where they are to be fetched."""
    for given in (task.city.osm, task.city.graph):
        if given is not None and Path(given).is_file():
            return Path(given).stat().st_size
    return 0
