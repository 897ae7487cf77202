"""OGC API Processes, part 1: jobs, how they stand, what they gave, calling them off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import Language
from lifecircle.service import i18n
from lifecircle.service.database.audit import moment
from lifecircle.service.errors import ForbiddenError, RequestError
from lifecircle.service.guards import PLANNER, RoleFirst, writer_of
from lifecircle.service.jobs.desk import Jobs
from lifecircle.service.jobs.model import BUILD, Answered, Job, State
from lifecircle.service.jobs.records import Wanted
from lifecircle.service.ogc.links import link, with_query
from lifecircle.service.ogc.selection import moment_of
from lifecircle.service.queries.questions import NOTHING_ELSE, Name, PlainQuery
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.request_origin import key_of
from lifecircle.service.responses import HTML, JSON, PROBLEM, UNCACHED, encode

router = APIRouter(tags=["processes"], route_class=RoleFirst)
JOBS_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/job-list"
RESULTS_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/results"
_FAR: Final = 100.0
_SAID: Final = re.compile(r"(?P<at>\d\d:\d\d:\d\d )(?P<key>\w+)(?P<faults> \(\d+\))?")


class JobsQuery(PlainQuery):
    """What `/jobs` takes."""

    type: list[Literal["process"]] = Field(default=[], max_length=5)
    processID: list[Name] = Field(default=[], max_length=20)
    status: list[State] = Field(default=[], max_length=5)
    datetime: str | None = Field(default=None, max_length=100)
    minDuration: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    maxDuration: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    limit: int = Field(default=20, ge=1, le=1_000)
    offset: int = Field(default=0, ge=0, le=2**31)


@router.get("/jobs", dependencies=[PLANNER])
async def list_jobs(
    request: Request, reader: ReaderNow, query: Annotated[JobsQuery, Query()]
) -> Response:
    """The jobs, the newest first."""
    jobs = _jobs(request)
    after, before = _interval(query.datetime)
    wanted = Wanted(
        tuple(query.status), tuple(query.processID), after, before, query.minDuration,
        query.maxDuration,
    )  # fmt: skip

    def produce() -> dict[str, Any]:
        found, count = jobs.listed(wanted, query.limit, query.offset)
        home = f"{reader.base}/jobs"
        links = [
            link("self", str(request.url), JSON),
            link("alternate", f"{reader.base}/build", HTML),
        ]
        end = query.offset + query.limit
        if end < count:
            asked = {**query.model_dump(exclude_defaults=True), "offset": end, "limit": query.limit}
            links.append(link("next", with_query(home, asked), JSON))
        told = [status_document(jobs, job, reader, log=False) for job in found]
        return {"jobs": told, "links": links, "numberMatched": count, "numberReturned": len(told)}

    return _told(await run_in_threadpool(produce))


@router.get("/jobs/{job}", dependencies=[PLANNER, NOTHING_ELSE])
async def show_job(request: Request, reader: ReaderNow, job: Name) -> Response:
    """How a job stands: its step, how much is done, the end of its log."""
    jobs = _jobs(request)
    found = await run_in_threadpool(jobs.find, job)
    return _told(await run_in_threadpool(status_document, jobs, found, reader))


@router.get("/jobs/{job}/results", dependencies=[PLANNER, NOTHING_ELSE])
async def show_results(request: Request, reader: ReaderNow, job: Name) -> Response:
    """What a job gave."""
    jobs = _jobs(request)
    found = await run_in_threadpool(jobs.find, job)
    if found.state == "failed" and found.error is not None:
        problem = found.error[reader.lang]
        told = {**UNCACHED, "content-language": reader.lang}
        return Response(
            encode(problem), status_code=problem["status"], media_type=PROBLEM, headers=told
        )
    body = await run_in_threadpool(jobs.result, job)
    return Response(result_document(body, found.response), media_type=JSON, headers=UNCACHED)


@router.delete("/jobs/{job}", dependencies=[PLANNER, NOTHING_ELSE])
async def dismiss_job(request: Request, reader: ReaderNow, job: Name) -> Response:
    """Call a job off, or put away what it gave."""
    writer = writer_of(request, "planner")
    jobs = _jobs(request)
    found = await run_in_threadpool(jobs.find, job)
    _check_owner(request, found)
    gone = await run_in_threadpool(jobs.dismiss, job, writer)
    return _told(await run_in_threadpool(status_document, jobs, gone, reader))


def _check_owner(request: Request, job: Job) -> None:
    """Let a key call off its own jobs; this machine and admins any."""
    key = key_of(request)
    if key is not None and key.id != job.owner and not key.may("admin"):
        raise ForbiddenError("job_not_yours", id=job.id)


# ---- documents -----------------------------------------------------------------------------


def job_url(base: str, identity: str) -> str:
    """The address of a job."""
    return f"{base}/jobs/{identity}"


def status_document(jobs: Jobs, job: Job, reader: Reader, *, log: bool = True) -> dict[str, Any]:
    """A job as OGC tells it, and beside that its area, error and the end of its log."""
    running = jobs.folders.progress(job.id) if job.state == "running" else None
    done = 100 if job.state == "successful" else round(_FAR * running.share) if running else 0
    made = {
        "jobID": job.id,
        "processID": job.process,
        "type": "process",
        "status": job.state,
        "message": _message(job, running.step if running else None, reader.lang),
        "created": moment(job.created),
        "started": moment(job.started),
        "finished": moment(job.finished),
        "updated": moment(
            datetime.now(UTC) if job.state == "running" else job.finished or job.created
        ),
        "progress": done,
        "area": job.area,
        "result": job.told,
        "problem": None if job.error is None else job.error[reader.lang],
        "log": list(_log(jobs.folders.log_tail(job.id), reader.lang)) if log else None,
        "links": _links(job, reader),
    }
    kept = ("problem", "result", "area")
    return {name: value for name, value in made.items() if value is not None or name in kept}


def _message(job: Job, step: str | None, lang: Language) -> str:
    if job.error is not None:
        return str(job.error[lang]["detail"])
    if step is not None and i18n.TEXTS.has(step):
        return i18n.text(step, lang)
    return i18n.text(f"job_state_{job.state}", lang)


def _log(lines: Iterable[str], lang: Language) -> Iterator[str]:
    """Lines of a log, each step in words; an error's own line is left out: it is the message."""
    for line in lines:
        said = _SAID.fullmatch(line)
        if said is None or not i18n.TEXTS.has(said["key"]):
            yield line
        elif said["faults"] is None:
            yield said["at"] + i18n.text(said["key"], lang)


def _links(job: Job, reader: Reader) -> list[dict[str, str]]:
    home = job_url(reader.base, job.id)
    made = [link("self", home, JSON), link("up", f"{reader.base}/jobs", JSON)]
    if job.state == "successful":
        made.append(link(RESULTS_REL, f"{home}/results", JSON))
        if job.process == BUILD:
            made.append(link("related", reader.address("areas", job.area), JSON))
            made.append(link("alternate", reader.address("maps", job.area, "coverage"), HTML))
    return made


def result_document(body: bytes, response: Answered) -> bytes:
    """What was computed, as it was wanted: itself, or as the output of its name."""
    if response == "raw":
        return body
    value = {"value": orjson.Fragment(body), "mediaType": JSON}
    return orjson.dumps({"result": value})


def _interval(text: str | None) -> tuple[datetime | None, datetime | None]:
    """The ends of a time or interval; open ones are None."""
    if text is None:
        return None, None
    ends = text.split("/")
    times = [None if end in ("", "..") else moment_of(end) for end in ends]
    unread = [end for end, time in zip(ends, times, strict=True) if not time]
    if len(ends) > 2 or not any(times) or set(unread) - {"", ".."}:
        raise RequestError("datetime_not_read", given=text)
    first, last = times[0], times[-1]
    if first is not None and last is not None and first > last:
        raise RequestError("datetime_not_read", given=text)
    return first, last


def _jobs(request: Request) -> Jobs:
    found: Jobs = request.app.state.jobs
    return found


def _told(document: Any) -> Response:
    return Response(encode(document), media_type=JSON, headers=UNCACHED)
