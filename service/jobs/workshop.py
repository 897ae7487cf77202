"""Runs the jobs that wait: one thread begins, watches and ends their processes.

A process dies with the service that started it (and a job that dies so is `failed: interrupted`
after the next start). A job of another process of the service over the same workspace is left to
that one for as long as its process lives.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.results.folders import RUNS
from lifecircle.analysis.results.store import Workspace
from lifecircle.analysis.results.upkeep import sweep
from lifecircle.service.apart.children import clean_environment
from lifecircle.service.database.audit import now_utc
from lifecircle.service.database.engine import Database
from lifecircle.service.errors import JobError, storage_fault
from lifecircle.service.jobs.folders import LOG, RESULT, TASK, TEMPORARY, JobFolders, hold
from lifecircle.service.jobs.inbox import Inbox
from lifecircle.service.jobs.model import BUILD, LIVE, Job
from lifecircle.service.jobs.processes import process_of
from lifecircle.service.jobs.records import (
    begin_next,
    end_job,
    forget_jobs,
    jobs_in,
    states_of,
)
from lifecircle.service.jobs.worker import OUT_OF_MEMORY, error_of

log = logging.getLogger(__name__)
TICK_S: Final = 0.2
IDLE_S: Final = 5.0
ASK_S: Final = 0.5  # how often the database is asked who was called off
ORPHANS_S: Final = 10.0
TIDY_S: Final = 600.0
SETTLE_S: Final = 1.5  # a lock younger than a second is not yet taken for a dead one's


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What one job may use, how many run at once, how long what they gave is kept."""

    memory_bytes: int
    seconds: float
    file_bytes: int
    at_once: int
    days: int


@dataclass(slots=True)
class _Under:
    """A job under way."""

    job: Job
    process: subprocess.Popen[bytes]
    until: float


@dataclass(slots=True)
class _Clock:
    """When things are due again."""

    due: dict[str, float] = field(default_factory=dict)

    def strikes(self, what: str, every_s: float) -> bool:
        """Whether it is time for something."""
        now = time.monotonic()
        if now < self.due.get(what, 0.0):
            return False
        self.due[what] = now + every_s
        return True


class Workshop:
    """The one who runs jobs; nothing happens before `start`."""

    def __init__(
        self, workspace: Workspace, database: Database, inbox: Inbox, limits: JobLimits
    ) -> None:
        self.folders = JobFolders(workspace.root)
        self._workspace = workspace
        self._database = database
        self._inbox = inbox
        self._limits = limits
        self._under: dict[str, _Under] = {}
        self._sweeps: list[tuple[float, str]] = []
        self._clock = _Clock()
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to run jobs, and end those that a dead service left."""
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    def stop(self) -> None:
        """End all jobs under way: they are told as interrupted."""
        with self._lock:
            self._stopped.set()
            self._woken.set()
            thread = self._thread
        if thread is not None:
            thread.join(15)

    # ---- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                try:
                    self._round()
                except Exception as fault:
                    known = isinstance(fault, LifecircleError) or storage_fault(fault) is not None
                    log.log(logging.WARNING, "jobs: %s", fault, exc_info=None if known else fault)
                    self._stopped.wait(IDLE_S)
                self._woken.wait(TICK_S if self._under or self._sweeps else IDLE_S)
                self._woken.clear()
        finally:
            for one in list(self._under.values()):
                self._kill(one)
                with contextlib.suppress(LifecircleError):
                    self._finish(one.job, interrupted())

    def _round(self) -> None:
        engine = self._database.engine()
        self._reap()
        if self._under and self._clock.strikes("dismissed", ASK_S):
            states = states_of(engine, list(self._under))
            for identity, one in list(self._under.items()):
                if states.get(identity) != "running":
                    self._kill(one)
                    self._clean(one.job)
                    self.folders.drop(identity)
        if self._clock.strikes("orphans", ORPHANS_S):
            self._end_orphans()
        if self._clock.strikes("tidy", TIDY_S):
            self._tidy()
        self._sweep_due()
        while self._begin():
            pass

    def _begin(self) -> bool:
        held: list[int] = []

        def take(job: Job) -> bool:
            folder = self.folders.of(job.id)
            (folder / TEMPORARY).mkdir(parents=True, exist_ok=True)
            handle = hold(folder)
            if handle is None:
                return False
            held.append(handle)
            (folder / TASK).write_text(json.dumps(self._task(job)), encoding="utf-8")
            return True

        try:
            with self.folders.alone():
                job = begin_next(self._database.engine(), self._limits.at_once, take)
            if job is None:
                return False
            self._spawn(job, held[0])
        finally:
            for handle in held:  # the process holds it from now on
                os.close(handle)
        return True

    def _task(self, job: Job) -> dict[str, Any]:
        limits = self._limits
        return {
            "process": job.process,
            "inputs": dict(job.inputs),
            "lang": job.lang,
            "workspace": str(self._workspace.root.absolute()),
            "limits": {
                "memory_bytes": limits.memory_bytes,
                "seconds": limits.seconds,
                "file_bytes": limits.file_bytes,
            },
        }

    def _spawn(self, job: Job, lock: int) -> None:
        folder = self.folders.of(job.id)
        env = clean_environment(os.environ)
        env["TMPDIR"] = str((folder / TEMPORARY).absolute())
        argv = [
            sys.executable, "-m", "lifecircle.service.jobs.worker", str(folder.absolute()),
            str(os.getpid()),
        ]  # fmt: skip
        try:
            with (folder / LOG).open("ab") as said:
                process = subprocess.Popen(  # noqa: S603 - our own module
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    env=env,
                    start_new_session=True,
                    pass_fds=(lock,) if sys.platform != "win32" else (),
                )
        except OSError as fault:
            log.warning("job %s: %s", job.id, fault)
            self._finish(job, failed("job_not_begun", reason=fault.strerror or "OSError"))
            return
        self._under[job.id] = _Under(job, process, time.monotonic() + self._limits.seconds)

    def _reap(self) -> None:
        for one in list(self._under.values()):
            code = one.process.poll()
            if code is not None:
                self._under.pop(one.job.id, None)
                self._finish(one.job, self._ended(one.job, code))
            elif time.monotonic() > one.until:
                self._kill(one)
                minutes = f"{self._limits.seconds / 60:g}"
                self._finish(one.job, failed("job_timeout", minutes=minutes))

    def _kill(self, one: _Under) -> None:
        self._under.pop(one.job.id, None)
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                one.process.kill()
            else:
                os.killpg(one.process.pid, signal.SIGKILL)
        one.process.wait()

    def _ended(self, job: Job, code: int) -> Mapping[str, Any]:
        """How a job ended: by its own word, else by how its process did."""
        answer = self.folders.answer(job.id)
        if answer is not None and answer.get("state") in ("successful", "failed"):
            return answer
        if code == OUT_OF_MEMORY:
            return failed("job_memory", gb=f"{self._limits.memory_bytes / 2**30:g}")
        if -code == getattr(signal, "SIGXCPU", None):
            return failed("job_timeout", minutes=f"{self._limits.seconds / 60:g}")
        names = {known.value: known.name for known in signal.Signals}
        return failed("job_died", how=names.get(-code, str(code)))

    def _finish(self, job: Job, ended: Mapping[str, Any]) -> None:
        """Write down how a job ended; what it used of the inbox goes when it succeeded."""
        state = ended["state"]
        if state == "successful" and not (self.folders.of(job.id) / RESULT).is_file():
            ended, state = interrupted(), "failed"
        told, error = ended.get("told"), ended.get("error")
        if not end_job(self._database.engine(), job.id, state, error=error, told=told):
            self._clean(job)
            self.folders.drop(job.id)
            return
        if state == "successful":
            for identity in _files(job):
                self._inbox.remove(identity)
        self._clean(job)
        self.folders.tidy(job.id)

    def _clean(self, job: Job) -> None:
        """Have what a dead build left aside removed, at once and when its lock has settled."""
        if job.process == BUILD:
            self._sweeps.append((time.monotonic(), job.area))
            self._sweeps.append((time.monotonic() + SETTLE_S, job.area))

    def _sweep_due(self) -> None:
        now = time.monotonic()
        due = [area for when, area in self._sweeps if when <= now]
        self._sweeps = [one for one in self._sweeps if one[0] > now]
        for area in due:
            folder = self._workspace.root / area
            with contextlib.suppress(OSError):
                sweep(folder)
                for empty in (folder / RUNS, folder):  # an area that never got a run
                    empty.rmdir()

    def _end_orphans(self) -> None:
        """Jobs that a service began which is no more."""
        for job in jobs_in(self._database.engine(), ["running"]):
            if job.id in self._under or self.folders.is_alive(job.id):
                continue
            answer = self.folders.answer(job.id)
            self._finish(job, answer if answer is not None else interrupted())

    def _tidy(self) -> None:
        engine = self._database.engine()
        for identity in forget_jobs(engine, now_utc() - timedelta(days=self._limits.days)):
            self.folders.drop(identity)
        held = {name for job in jobs_in(engine, LIVE) for name in _files(job)}
        self._inbox.sweep(time.time(), frozenset(held))


def _files(job: Job) -> tuple[str, ...]:
    """Ids of the files of the inbox that a job needs."""
    return process_of(job.process).model_construct(**job.inputs).files()


def failed(key: str, **params: Any) -> dict[str, Any]:
    """The end of a job that could not say itself what was wrong."""
    return {"state": "failed", "error": error_of(JobError(key, **params))}


def interrupted() -> dict[str, Any]:
    """The end of a job whose service was stopped or died."""
    return failed("job_interrupted")
