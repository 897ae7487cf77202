"""Where next: proposals for new places, access with competition, what-if."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import Language, ParameterError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.service.apart.workshop import Apart, apart_if_large
from lifecircle.service.catalog import accessibility_document, siting_document, what_if_document
from lifecircle.service.catalog.siting.task import SitingTask
from lifecircle.service.catalog.years.staged import stages_document, years_of
from lifecircle.service.encoding import unkept_if_cut
from lifecircle.service.errors import RequestError
from lifecircle.service.flights import ReaderLeftError
from lifecircle.service.guards import NEAR, RoleFirst
from lifecircle.service.jobs.processes.of_runs import (
    MOST_STAGES,
    QUICK_S,
    QUICK_SETS,
    QUICK_STAGED,
    Candidates,
    HowMany,
    Objective,
    Share,
)
from lifecircle.service.pages import page_response
from lifecircle.service.queries.questions import (
    AreaName,
    Latitude,
    Longitude,
    Minutes,
    Name,
    OfUnits,
    OfWalker,
    OfYear,
    PlainQuery,
)
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.report.stages import stages_page, stages_policy
from lifecircle.service.responses import (
    JSON,
    READER_LEFT,
    UNCACHED,
    answer,
    encode,
    page_body,
    wants_page,
)

router = APIRouter(tags=["siting"], route_class=RoleFirst)
MOST_ADDED_FULL: Final = 10  # with capacities, which cost a flow per site tried
MOST_CHANGES: Final = 100


class SitingQuery(OfWalker, OfYear):
    """What `/siting` takes."""

    service: Name = Field()
    add: HowMany | None = None
    target: Share | None = None
    objective: Objective = "covered"
    candidates: Candidates = "all"
    stages: str | None = Field(default=None, max_length=64)
    per_stage: int | None = Field(default=None, ge=1, le=QUICK_STAGED)
    f: Literal["json", "html"] | None = None


class AccessQuery(OfUnits, OfYear, PlainQuery):
    """What `/accessibility` takes."""

    service: Name = Field()
    method: Literal["2sfca", "e2sfca", "3sfca"] = Field(default="e2sfca")
    group: Name = "total"
    supply: Literal["count", "places", "beds", "capacity", "built_area"] = "count"


class WhatIfQuery(OfYear, PlainQuery):
    """What `/what-if` takes beside its body."""


class Added(BaseModel):
    """A place to try."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Name
    lon: Longitude
    lat: Latitude


class WhatIf(BaseModel):
    """Places to add and facilities (ids of the layer `facilities`) to remove."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    add: list[Added] = Field(default=[], max_length=MOST_CHANGES)
    remove: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default=[], max_length=MOST_CHANGES
    )
    minutes: Minutes | None = None
    walker: Name = "adult"
    by: Name | None = None


@router.get("/areas/{area}/siting")
async def show_siting(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[SitingQuery, Query()]
) -> Response:
    """Proposals with their proven bound, found within seconds; kept nowhere."""
    reader.minutes(query.minutes)
    if query.objective == "capacity" and (query.add is None or query.add > MOST_ADDED_FULL):
        raise RequestError("siting_capacity_limit", limit=MOST_ADDED_FULL)
    if query.stages is None and query.per_stage is not None:
        raise RequestError("siting_per_stage_alone")
    if query.stages is not None:
        if query.run is not None or query.year is not None:
            raise ParameterError("siting_stages_run")
        if query.target is not None:
            raise RequestError("siting_stages_others")
        return await _staged(request, reader, area, query, query.stages)
    state = await reader.state_of(area, query)
    task = SitingTask(
        query.add, query.target, query.objective, query.candidates, time_limit_s=QUICK_S
    )
    produce = Apart(_proposals, (state,), (query.question, task), {"lang": reader.lang})
    return await answer(request, state, reader.lang, produce)


def _proposals(runs: list[Run], question: Question, task: SitingTask, *, lang: Language) -> Any:
    began = perf_counter()
    document = siting_document(runs[0], question, task, lang=lang)
    return unkept_if_cut(document, perf_counter() - began, task.time_limit_s)


async def _staged(
    request: Request, reader: Reader, area: str, query: SitingQuery, stages: str
) -> Response:
    """Which place first, and in which year: the latest run of each year."""
    if query.objective != "capacity" or query.add is None or query.add > QUICK_STAGED:
        raise RequestError("siting_stages_limit", limit=QUICK_STAGED)
    years = years_of(stages)
    if len(years) > MOST_STAGES:
        raise RequestError("siting_stages_limit", limit=QUICK_STAGED)
    names = [await run_in_threadpool(reader.areas.run_of_year, area, year) for year in years]
    states = [await reader.state(area, name) for name in names]
    task = SitingTask(query.add, None, "capacity", query.candidates)

    named = {"per_stage": query.per_stage, "most_sets": QUICK_SETS, "lang": reader.lang}
    produce = Apart(stages_document, tuple(states), (query.question, task), named)
    if query.f == "html" or (query.f is None and wants_page(request)):
        key = ("stages", request.url.netloc, request.url.path, request.url.query, reader.lang)
        asked = replace(produce, make=_stages_page)
        try:
            page = await page_body(request, states[-1], (*key, *names), asked, reader.lang)
        except ReaderLeftError:
            return Response(status_code=READER_LEFT)
        if isinstance(page, Response):
            return page
        return page_response(page, reader.lang, "", policy=stages_policy())
    return await answer(request, states[-1], reader.lang, produce, about=tuple(names))


def _stages_page(runs: list[Run], *given: Any, lang: Language, **named: Any) -> bytes:
    document = stages_document(runs, *given, lang=lang, **named)
    return stages_page(runs[-1], document, lang).encode()


@router.get("/areas/{area}/accessibility")
async def show_accessibility(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[AccessQuery, Query()]
) -> Response:
    """The floating catchments 2SFCA, E2SFCA and 3SFCA, by unit and over cells."""
    reader.minutes(query.minutes)
    state = await reader.state_of(area, query)

    named = {"method": query.method, "supply": query.supply, "lang": reader.lang}
    produce = apart_if_large(Apart(_accessibility, (state,), (query.question,), named))
    return await answer(request, state, reader.lang, produce)


def _accessibility(runs: list[Run], question: Question, **named: Any) -> dict[str, Any]:
    return accessibility_document(runs[0], question, **named)


@router.post("/areas/{area}/what-if", dependencies=[NEAR])
async def try_changes(
    reader: ReaderNow,
    area: AreaName,
    query: Annotated[WhatIfQuery, Query()],
    body: WhatIf,
) -> Response:
    """Before and after by unit for every service touched; nothing is stored."""
    reader.minutes(body.minutes)
    state = await reader.state_of(area, query)
    document = await run_in_threadpool(
        what_if_document,
        state,
        Question(minutes=body.minutes, walker=body.walker, by=body.by),
        add=[one.model_dump() for one in body.add],
        remove=body.remove,
        lang=reader.lang,
    )
    return Response(encode(document), media_type=JSON, headers=UNCACHED)
