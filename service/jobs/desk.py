"""Where jobs are ordered, looked at and called off."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Final

from lifecircle.analysis.errors import Language, LifecircleError
from lifecircle.analysis.provenance import code_version
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.database.audit import Writer
from lifecircle.service.database.engine import Database
from lifecircle.service.errors import JobNotDoneError, MissingError
from lifecircle.service.jobs.folders import INPUTS, RESULT, JobFolders
from lifecircle.service.jobs.inbox import Inbox, Quotas
from lifecircle.service.jobs.model import BUILD, Answered, Job
from lifecircle.service.jobs.processes import Process
from lifecircle.service.jobs.processes.building import lay_out
from lifecircle.service.jobs.records import (
    Bounds,
    Order,
    Wanted,
    add_job,
    dismiss_job,
    find_job,
    list_jobs,
)
from lifecircle.service.jobs.workshop import JobLimits, Workshop
from lifecircle.service.settings import Settings

GONE_S: Final = 2.0  # a job that was called off is dead by then
_LOOK_S: Final = 0.05


class Jobs:
    """The jobs of one workspace. The database is made by the first order."""

    def __init__(self, workspace: Workspace, database: Database, settings: Settings) -> None:
        self.inbox = Inbox(
            workspace.root,
            Quotas(
                settings.upload_bytes,
                settings.inbox_bytes_per_key,
                settings.inbox_bytes,
                settings.inbox_files,
            ),
        )
        self.folders = JobFolders(workspace.root)
        self._workspace = workspace
        self._database = database
        self._bounds = Bounds(settings.jobs_live, settings.jobs_per_key)
        limits = JobLimits(
            settings.job_memory_bytes,
            60 * settings.job_minutes,
            settings.job_file_bytes,
            settings.jobs_at_once,
            settings.job_days,
        )
        self._workshop = Workshop(workspace, database, self.inbox, limits)

    def start(self) -> None:
        """Go on with what waits, where anything was ever ordered."""
        if self._database.there():
            self._workshop.start()

    def stop(self) -> None:
        """End what is under way."""
        self._workshop.stop()

    def order(
        self, process: Process, lang: Language, writer: Writer, response: Answered = "raw"
    ) -> tuple[Job, bool]:
        """A job for a process, or the one that does the same already; and whether it is new.

        Raises
        ------
        LifecircleError : it names what is not there, or there is no room.
        """
        asked = process.settled(self._workspace, self.inbox)
        told = {
            "process": process.ID,
            "asked": asked.asked(self.inbox),
            "lang": lang if process.QUICK else "",
            "response": response,
            "code": code_version(),
        }
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        inputs = asked.model_dump(mode="json", exclude_defaults=True)
        order = Order(process.ID, asked.area, lang, inputs, response, digest)
        engine = self._database.engine()
        with self.folders.alone():
            job, new = add_job(engine, order, writer, self._bounds, self._stands)
            if new:
                lay_out(asked.files(), self.inbox, self.folders.of(job.id) / INPUTS)
        self._workshop.start()
        self._workshop.wake()
        return job, new

    def _stands(self, job: Job) -> bool:
        """Whether what a job gave is still there, and a built run still the current one."""
        if not (self.folders.of(job.id) / RESULT).is_file():
            return False
        if job.process != BUILD:
            return True
        try:
            return self._workspace.current(job.area) == (job.told or {}).get("run")
        except LifecircleError:
            return False

    def find(self, identity: str) -> Job:
        """A job.

        Raises
        ------
        MissingError : there is none of that id.
        """
        if not self._database.there():
            raise MissingError("no_job", id=identity)
        return find_job(self._database.engine(), identity)

    def listed(self, wanted: Wanted, limit: int, offset: int = 0) -> tuple[list[Job], int]:
        """Jobs, the newest first, and how many there are."""
        if not self._database.there():
            return [], 0
        return list_jobs(self._database.engine(), wanted, limit, offset)

    def result(self, identity: str) -> bytes:
        """What a job gave, as JSON.

        Raises
        ------
        MissingError : no such job, or what it gave was put away.
        JobNotDoneError : it waits or runs.
        """
        job = self.find(identity)
        if job.state in ("accepted", "running"):
            raise JobNotDoneError("job_not_done", id=identity)
        try:
            return (self.folders.of(identity) / RESULT).read_bytes()
        except OSError:
            raise MissingError("job_no_result", id=identity) from None

    def dismiss(self, identity: str, writer: Writer) -> Job:
        """Call a job off: its process is dead when this returns; what it gave is put away.

        Raises
        ------
        MissingError : no such job.
        """
        self.find(identity)
        before = dismiss_job(self._database.engine(), identity, writer)
        if before.state == "running":
            self._workshop.wake()
            until = time.monotonic() + GONE_S
            while self.folders.is_alive(identity) and time.monotonic() < until:
                time.sleep(_LOOK_S)
        if not self.folders.is_alive(identity):
            self.folders.drop(identity)
        return self.find(identity)
