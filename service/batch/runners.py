"""Where the cities of a batch are worked on: here, in processes beside each other, or on Dask.

Every runner takes tasks and gives the record of each as it is done; what a city's work does is
the same in all of them, so the runs are too.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from threading import Event, current_thread, main_thread
from typing import Any, Literal, Protocol

from lifecircle.service.batch.records import Record
from lifecircle.service.batch.work import Task, given_up, run_city
from lifecircle.service.errors import BatchError, BatchUnfinishedError

RunnerName = Literal["here", "processes", "dask"]
_FIRST_WAIT_S, _NEXT_WAIT_S = 30, 120  # for a scheduler: at the beginning; that answered before
_SETTLE_S, _POLL_S = 5, 0.05
_LOSSES = 5  # connections that may be lost with no city answering between
_AHEAD, _AHEAD_LEAST = 4, 64  # cities with the scheduler: for each worker's thread; at least
_PATIENT = {
    "distributed.scheduler.allowed-failures": 20,  # workers that may die over one city
    "distributed.worker.daemon": False,  # a worker's cities are processes of its own
    # a cluster of ours would close for good a worker that is not back in 15 seconds
    "distributed.deploy.lost-worker-timeout": "24h",
    # where many processes share few cores, one may not be heard for minutes and work all the same
    "distributed.comm.timeouts.connect": "120s",
    "distributed.comm.timeouts.tcp": "300s",
    "distributed.comm.retry.count": 4,
    "distributed.client.heartbeat": "15s",
    "distributed.scheduler.worker-ttl": "30 minutes",
    # looking at themselves takes scheduler and workers a tenth of a core, which cities could have
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}


class Runner(Protocol):
    """Does tasks; `apart`: all in processes of their own, within their limits."""

    apart: bool

    def records(self, tasks: Sequence[Task]) -> Iterator[Record]:
        """The record of each task, as it is done."""
        ...


class Here:
    """One city after another in this process, where a debugger sees all.

    A city that may take so much memory and no more is a process of its own all the same: a limit
    of this process would be one of all that come after it.
    """

    apart = False

    def records(self, tasks: Sequence[Task]) -> Iterator[Record]:
        """The record of each task, in their order."""
        for task in tasks:
            yield run_city(task.to_json(), apart=task.city.memory_gb is not None)


class Processes:
    """So many cities at a time, each in a process of its own."""

    apart = True

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


class _ConnectionLostError(Exception):
    """The scheduler does not answer this client any more; another may be answered."""


class Dask:
    """A cluster of ``dask.distributed``: its own on this machine, or one that runs already.

    A worker that dies loses nothing: its city is begun anew on another. A connection that is lost
    is made anew, and what had not answered is asked for again.

    Parameters
    ----------
    on_lost : told how often the connection was lost since a city last answered.
    """

    apart = True

    def __init__(
        self,
        workers: int,
        scheduler: str | None = None,
        on_lost: Callable[[int], None] | None = None,
    ) -> None:
        self.workers = workers
        self.scheduler = scheduler
        self.on_lost = on_lost

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
        with dask.config.set(_PATIENT):
            cluster: Any = None
            try:
                if self.scheduler is None:
                    with _deaf_to_interruptions():  # Ctrl-C is for us, who end the workers
                        cluster = distributed.LocalCluster(
                            n_workers=self.workers, threads_per_worker=1, dashboard_address=None
                        )
                # a cluster that runs already is said to be as large as its machines
                within = _within(tasks, 1 if cluster is None else _cores() // self.workers)
                yield from self._all(cluster or self.scheduler, within)
            except OSError as error:
                raise BatchUnfinishedError("batch_cluster", detail=str(error)) from error
            finally:
                if cluster is not None:
                    cluster.close()

    def _all(self, where: Any, tasks: Sequence[Task]) -> Iterator[Record]:
        """The record of each task, over as many connections as it takes."""
        import distributed

        batch = secrets.token_hex(4)  # two batches may share a scheduler
        left = {f"{task.title}-{batch}": task for task in tasks}
        lost, wait_s = 0, _FIRST_WAIT_S
        while left:
            asked: set[str] = set()
            try:
                with distributed.Client(where, timeout=wait_s) as client:
                    for key, record in _answers(client, left, asked):
                        del left[key]
                        lost = 0
                        yield record
            except _ConnectionLostError as error:
                lost, wait_s = lost + 1, _NEXT_WAIT_S
                if lost > _LOSSES:
                    raise BatchUnfinishedError("batch_cluster", detail=str(error)) from error
                if self.on_lost is not None:
                    self.on_lost(lost)
                for key in asked & left.keys():  # it may have been built, only not answered
                    left[key] = replace(left[key], resume=True)


def _answers(
    client: Any, tasks: Mapping[str, Task], asked: set[str]
) -> Iterator[tuple[str, Record]]:
    """Key and record of each task, as it is done; few are with the scheduler at a time.

    Parameters
    ----------
    asked : takes the keys that were given to the scheduler.

    Raises
    ------
    _ConnectionLostError : the scheduler does not answer any more.
    """
    import distributed

    waiting = iter([*tasks.items()])
    under_way: Any = distributed.as_completed(loop=client.loop)

    def ask() -> None:
        ahead = max(_AHEAD_LEAST, _AHEAD * sum(client.nthreads().values()))
        for key, task in islice(waiting, max(0, ahead - under_way.count())):
            asked.add(key)
            under_way.add(client.submit(run_city, task.to_json(), key=key, pure=False))

    try:
        ask()
        for future in under_way:
            try:
                record = future.result()
            except distributed.KilledWorker as error:
                record = given_up(tasks[future.key].name, str(error))
            key = future.key
            del future  # the scheduler forgets what has answered
            ask()
            yield key, record
    except (OSError, CancelledError, RuntimeError, distributed.client.ClosedClientError) as error:
        if isinstance(error, RuntimeError) and client.rpc.status is distributed.Status.running:
            raise  # else its pool of connections is closed, and says only that
        _settle(client)
        raise _ConnectionLostError(str(error)) from error


def _settle(client: Any) -> None:
    """Let a client end what it tries by itself: closed meanwhile, it leaves sockets behind."""
    until = time.monotonic() + _SETTLE_S
    while client.status == "connecting" and time.monotonic() < until:
        time.sleep(_POLL_S)


def runner_of(
    name: str | None,
    workers: int,
    scheduler: str | None,
    on_lost: Callable[[int], None] | None = None,
) -> Runner:
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
            return Dask(workers, scheduler, on_lost)
    raise BatchError("batch_runner", value=chosen, known="here, processes, dask")
