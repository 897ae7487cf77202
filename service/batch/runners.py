"""Where the cities of a batch are worked on: here, in processes beside each other, or on Dask.

Every runner takes tasks and gives the record of each as it is done; what a city's work does is
the same in all of them, so the runs are too.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, current_thread, main_thread
from typing import Any, Literal, Protocol

from lifecircle.service.batch.records import Record
from lifecircle.service.batch.work import Task, given_up, run_city
from lifecircle.service.errors import BatchError, BatchUnfinishedError

RunnerName = Literal["here", "processes", "dask"]
_BACK_AFTER = "24h"  # a worker that died has this long to be up again
_DEATHS = 20  # workers that may die over one city before it is given up


class Runner(Protocol):
    """Does tasks."""

    def records(self, tasks: Sequence[Task]) -> Iterator[Record]:
        """The record of each task, as it is done."""
        ...


class Here:
    """One city after another in this process: nothing is limited, a debugger sees all."""

    def records(self, tasks: Sequence[Task]) -> Iterator[Record]:
        """The record of each task, in their order."""
        for task in tasks:
            yield run_city(task.to_json(), apart=False)


class Processes:
    """So many cities at a time, each in a process of its own."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def records(self, tasks: Sequence[Task]) -> Iterator[Record]:
        """The record of each task, as it is done; who goes away before ends all processes."""
        called_off = Event()
        with ThreadPoolExecutor(self.workers) as pool:  # a thread waits for each process
            futures = [
                pool.submit(run_city, task.to_json(), called_off=called_off)
                for task in _within(tasks, _cores() // self.workers)
            ]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                called_off.set()
                pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _deaf_to_interruptions() -> Iterator[None]:
    """Processes that are begun meanwhile do not hear Ctrl-C."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _within(tasks: Sequence[Task], threads: int) -> list[Task]:
    """Each task with so many threads, at least one: workers side by side fill the cores."""
    return [replace(task, threads=max(1, threads)) for task in tasks]


def _cores() -> int:
    return os.cpu_count() or 1


class Dask:
    """A cluster of ``dask.distributed``: its own on this machine, or one that runs already.

    A worker that dies loses nothing: its city is begun anew on another.
    """

    def __init__(self, workers: int, scheduler: str | None = None) -> None:
        self.workers = workers
        self.scheduler = scheduler

    def records(self, tasks: Sequence[Task]) -> Iterator[Record]:
        """The record of each task, as it is done.

        Raises
        ------
        BatchError : ``distributed`` is not installed.
        BatchUnfinishedError : the scheduler is not there, or went away.
        """
        try:
            import dask
            import distributed
        except ImportError:
            raise BatchError("batch_no_dask") from None
        with dask.config.set(
            {
                "distributed.scheduler.allowed-failures": _DEATHS,
                "distributed.worker.daemon": False,  # a worker's cities are processes of its own
                # a cluster of ours would close for good a worker that is not back in 15 seconds
                "distributed.deploy.lost-worker-timeout": _BACK_AFTER,
            }
        ):
            cluster: Any = None
            try:
                if self.scheduler is None:
                    with _deaf_to_interruptions():  # Ctrl-C is for us, who end the workers
                        cluster = distributed.LocalCluster(
                            n_workers=self.workers, threads_per_worker=1, dashboard_address=None
                        )
                with distributed.Client(cluster or self.scheduler, timeout=30) as client:
                    batch = secrets.token_hex(4)  # two batches may share a scheduler
                    names = {f"{task.title}-{batch}": task.name for task in tasks}
                    # a cluster that runs already is said to be as large as its machines
                    threads = 1 if cluster is None else _cores() // self.workers
                    futures = [
                        client.submit(run_city, task.to_json(), key=key, pure=False)
                        for key, task in zip(names, _within(tasks, threads), strict=True)
                    ]
                    for future in distributed.as_completed(futures):
                        try:
                            yield future.result()
                        except distributed.KilledWorker as error:
                            yield given_up(names[future.key], str(error))
            except (OSError, CancelledError) as error:
                raise BatchUnfinishedError("batch_cluster", detail=str(error)) from error
            finally:
                if cluster is not None:
                    cluster.close()


def runner_of(name: str | None, workers: int, scheduler: str | None) -> Runner:
    """The runner of a name; Dask where a scheduler is named, else processes.

    Raises
    ------
    BatchError : no such runner, fewer than one worker, a scheduler for another runner.
    """
    if workers < 1:
        raise BatchError("batch_workers", value=workers)
    chosen = name or ("processes" if scheduler is None else "dask")
    if scheduler is not None and chosen != "dask":
        raise BatchError("batch_scheduler", runner=chosen)
    match chosen:
        case "here":
            return Here()
        case "processes":
            return Processes(workers)
        case "dask":
            return Dask(workers, scheduler)
    raise BatchError("batch_runner", value=chosen, known="here, processes, dask")
