"""OGC API Processes, part 1: what can be asked for, and asking for it at once or as a job."""

from __future__ import annotations

import json
from time import perf_counter
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.model import Run
from lifecircle.service.apart.workshop import Apart
from lifecircle.service.encoding import unkept_if_cut
from lifecircle.service.errors import RequestError
from lifecircle.service.flights import ReaderLeftError
from lifecircle.service.guards import RoleFirst, asked_first, check_near, writer_of
from lifecircle.service.jobs.desk import Jobs
from lifecircle.service.jobs.processes import PROCESSES, OfRun, Process, process_of
from lifecircle.service.jobs.processes.of_runs import QUICK_S, Siting
from lifecircle.service.ogc.jobs import job_url, result_document, status_document
from lifecircle.service.ogc.links import link, with_query
from lifecircle.service.ogc.process_description import description, summary
from lifecircle.service.queries.questions import NOTHING_ELSE, Name, PlainQuery
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.responses import JSON, READER_LEFT, UNCACHED, encode, kept_body
from lifecircle.service.state import AreaState

router = APIRouter(tags=["processes"], route_class=RoleFirst)
CONFORMS_TO: Final = tuple(
    f"http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/{name}"
    for name in ("core", "json", "oas30", "job-list", "dismiss", "ogc-process-description")
)
PROCESSES_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/processes"
_WRAPPED: Final = frozenset({"value", "mediaType", "encoding", "schema", "format"})
_LINKED: Final = frozenset({"href", "rel", "type", "hreflang", "title"})
_DATA: Final = ("data:application/json,", "data:application/geo+json,")
_DOES: Final[dict[int | str, dict[str, Any]]] = {201: {}}


class ListQuery(PlainQuery):
    """What `/processes` takes."""

    limit: int = Field(default=100, ge=1, le=1_000)
    offset: int = Field(default=0, ge=0, le=1_000)


class Wanted(BaseModel):
    """How an output is wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: dict[str, Any] | None = None
    transmissionMode: Literal["value"] = "value"


class Execute(BaseModel):
    """An execute request: the inputs, and how the one output is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: dict[str, Any] = {}
    outputs: dict[Literal["result"], Wanted] | None = None
    response: Literal["raw", "document"] = "raw"


@router.get("/processes")
async def list_processes(reader: ReaderNow, query: Annotated[ListQuery, Query()]) -> Response:
    """What can be asked for."""
    every = list(PROCESSES.values())
    end = query.offset + query.limit
    home = f"{reader.base}/processes"
    links = [link("self", home, JSON)]
    if end < len(every):
        asked = {"limit": query.limit, "offset": end, "lang": query.lang}
        links.append(link("next", with_query(home, asked), JSON))
    shown = [summary(one, reader.lang, reader.base) for one in every[query.offset : end]]
    return _told({"processes": shown, "links": links})


@router.get("/processes/{process}", dependencies=[NOTHING_ELSE])
async def show_process(reader: ReaderNow, process: Name) -> Response:
    """The inputs and the output of a process."""
    return _told(description(process_of(process), reader.lang, reader.base))


@asked_first
async def _may_execute(request: Request) -> None:
    """Whoever may read may have a quick answer, a planner what becomes a job."""
    kind = process_of(request.path_params["process"])
    if not kind.QUICK or "respond-async" in _preferences(request.headers.get("prefer")):
        writer_of(request, "planner")
    else:
        check_near(request, request.app.state.settings)


MAY_EXECUTE: Final = Depends(_may_execute)


@router.post(
    "/processes/{process}/execution", dependencies=[MAY_EXECUTE, NOTHING_ELSE], responses=_DOES
)
async def execute(
    request: Request,
    reader: ReaderNow,
    process: Name,
    body: Execute,
    prefer: Annotated[str | None, Header(max_length=1_000)] = None,
) -> Response:
    """Do a process: at once, or as a job where that is preferred or it takes long."""
    kind = process_of(process)
    asked = read_inputs(kind, body.inputs, reader)
    later = not kind.QUICK or "respond-async" in _preferences(prefer)
    if not later and isinstance(asked, OfRun):
        return await _at_once(request, reader, asked, body)
    writer = writer_of(request, "planner")
    jobs: Jobs = request.app.state.jobs
    job, _ = await run_in_threadpool(jobs.order, asked, reader.lang, writer, body.response)
    document = await run_in_threadpool(status_document, jobs, job, reader)
    told = {"location": job_url(reader.base, job.id), **UNCACHED}
    if "respond-async" in _preferences(prefer):
        told["preference-applied"] = "respond-async"
    return Response(encode(document), status_code=201, media_type=JSON, headers=told)


async def _at_once(request: Request, reader: Reader, asked: OfRun, body: Execute) -> Response:
    """The answer while somebody waits; nothing is stored."""
    check_near(request, reader.settings)
    inbox = request.app.state.jobs.inbox
    asked = await run_in_threadpool(asked.settled, reader.areas.workspace, inbox)
    state = await reader.state(asked.area, asked.opens)
    beside = await run_in_threadpool(reader.areas.stamped_runs, asked.area)
    inputs = encode(asked.model_dump(mode="json"))
    key = ("execution", asked.ID, inputs, reader.lang, state.bands(), *beside)
    try:
        found = await kept_body(
            request,
            state,
            key,
            Apart(_document, (state,), (asked, reader.lang))
            if asked.DEAR
            else lambda: asked.document(state, reader.lang, quick=True),
        )
    except ReaderLeftError:
        return Response(status_code=READER_LEFT)
    return Response(
        result_document(found, body.response),
        media_type=JSON,
        headers={**UNCACHED, "content-language": reader.lang},
    )


def _document(runs: list[Run], asked: OfRun, lang: Language) -> Any:
    began = perf_counter()
    document = asked.document(AreaState(runs[0]), lang, quick=True)
    if not isinstance(asked, Siting):
        return document
    return unkept_if_cut(document, perf_counter() - began, min(asked.time_limit, QUICK_S))


def read_inputs(kind: type[Process], given: dict[str, Any], reader: Reader) -> Process:
    """The process with its inputs, given by value or by reference.

    Raises
    ------
    RequestValidationError : they do not fit; every fault is named.
    RequestError : a reference that is not followed.
    """
    inputs: dict[str, Any] = {}
    for name, value in given.items():
        field = kind.model_fields.get(name)
        several = field is not None and getattr(field.annotation, "__origin__", None) is list
        if isinstance(value, list):
            inputs[name] = [_plain(one, name, reader) for one in value]
        else:
            found = _plain(value, name, reader)
            inputs[name] = [found] if several and not isinstance(found, list) else found
    try:
        asked = kind.model_validate(inputs)
    except ValidationError as error:
        faults = [{**one, "loc": ("body", *one["loc"][:1])} for one in error.errors()]
        raise RequestValidationError(faults) from None
    minutes = getattr(asked, "minutes", None)
    if isinstance(minutes, float):
        reader.minutes(minutes)
    return asked


def _plain(value: Any, name: str, reader: Reader) -> Any:
    """An input as it is meant: unwrapped, and what it points to."""
    if not isinstance(value, dict):
        return value
    if "value" in value and value.keys() <= _WRAPPED:
        return value["value"]
    if "href" in value and value.keys() <= _LINKED:
        return _pointed_to(str(value["href"]), name, reader)
    return value


def _pointed_to(href: str, name: str, reader: Reader) -> Any:
    """What an address means: a file of the inbox, or the data that it holds itself.

    Nothing is fetched from anywhere.
    """
    home = f"{reader.base}/uploads/"
    if href.startswith(home) and len(href) == len(home) + 24:
        return href.removeprefix(home)
    for begin in _DATA:
        if href.startswith(begin):
            try:
                return json.loads(unquote_to_bytes(href.removeprefix(begin)))
            except (ValueError, RecursionError):
                break
    raise RequestError("input_reference", name=name, home=home)


def _preferences(header: str | None) -> set[str]:
    return {part.partition(";")[0].strip().lower() for part in (header or "").split(",")}


def _told(document: Any) -> Response:
    told = {"cache-control": "private, no-cache", "vary": "Accept-Language"}
    return Response(encode(document), media_type=JSON, headers=told)
