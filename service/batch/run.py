"""A batch from its plan to the records of all its cities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lifecircle.service.batch.cities import Plan
from lifecircle.service.batch.maps import cut_maps
from lifecircle.service.batch.records import Record, Records
from lifecircle.service.batch.runners import Runner
from lifecircle.service.batch.work import CUT, Task


def tasks_of(
    plan: Plan, workspace: Path, *, resume: bool, runs_to: str | None = None
) -> list[Task]:
    """The tasks of a plan."""
    day = Records(workspace).day(anew=not resume).isoformat()
    return [
        Task(
            name, city, str(workspace.absolute()), day, dict(plan.digests), resume, runs_to=runs_to
        )
        for name, city in plan.cities.items()
    ]


def run_batch(
    plan: Plan,
    workspace: Path,
    runner: Runner,
    *,
    resume: bool = False,
    runs_to: str | None = None,
) -> Iterator[Record]:
    """The record of every city, as it is done.

    Cities that share a larger map are cut out of it first. The largest streets come first, so that
    none is left to the end alone. A city in parts is cut, then its parts are worked on, then it is
    built of them: three rounds, in the first of which all other cities are built too.

    Parameters
    ----------
    resume : cities that are done with the same inputs, options and code are not done again.
    runs_to : an address (any that fsspec can write) that every run is put under besides, named
        by ``current`` once it is there whole.
    """
    tasks = tasks_of(plan, workspace, resume=resume, runs_to=runs_to)
    whole, unmapped = cut_maps(tasks, apart=runner.apart)
    yield from unmapped
    whole = sorted(whole, key=lambda task: (-_size(task), task.name))
    large = [task for task in whole if task.city.parts > 1]
    first = [replace(task, step=CUT) for task in large]
    lost: set[str] = set()
    for record in runner.records([*first, *(task for task in whole if task.city.parts == 1)]):
        if record.city not in {task.name for task in large}:
            yield record
        elif record.state == "failed" or record.again:
            lost.add(record.city)
            yield record
    left = [task for task in large if task.name not in lost]
    parts = [replace(task, step=i) for task in left for i in range(task.city.parts)]
    for record in runner.records(parts) if parts else ():
        if record.state == "failed" and record.city not in lost:
            lost.add(record.city)
            yield record
    left = [task for task in left if task.name not in lost]
    yield from runner.records(left) if left else ()


def _size(task: Task) -> int:
    """Bytes of the streets, 0 where they are to be fetched."""
    for given in (task.city.osm, task.city.graph):
        if given is not None and Path(given).is_file():
            return Path(given).stat().st_size
    return 0
