"""Areas and their figures: coverage, gaps, circles, one place, isochrones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import Language, LifecircleError
from lifecircle.analysis.measures.question import Question, settle
from lifecircle.analysis.measures.travelling import mover_of
from lifecircle.analysis.results.model import Manifest, Run
from lifecircle.service.apart.workshop import Apart, apart_if_large
from lifecircle.service.catalog import (
    Destination,
    Names,
    PointDesk,
    WrittenPoints,
    area_document,
    area_row,
    circles_document,
    coverage_document,
    gaps_document,
    headline_of,
    isochrone_document,
    point_document,
    route_document,
    search_document,
)
from lifecircle.service.figures import number
from lifecircle.service.pages import page
from lifecircle.service.queries.questions import (
    NOTHING_ELSE,
    AreaName,
    AreaQuery,
    CirclesQuery,
    CoverageQuery,
    GapsQuery,
    IsochroneQuery,
    PointQuery,
    RouteQuery,
    RunQuery,
    SearchQuery,
    minute_list,
)
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.responses import GEOJSON, JSON, answer, encode, wants_page
from lifecircle.service.state import AreaState

router = APIRouter(tags=["areas"])
_COUNTED = {"catchments": "catchments", "scorecard": "scorecard_rows"}
FRESH = {"cache-control": "private, no-cache", "vary": "Accept-Language"}


@router.get("/areas", dependencies=[NOTHING_ELSE])
async def list_areas(reader: ReaderNow) -> Response:
    """Every area with its latest run."""
    document = await run_in_threadpool(areas_document, reader)
    return Response(encode(document), media_type=JSON, headers=FRESH)


def areas_document(reader: Reader) -> dict[str, Any]:
    """The list of areas; one that cannot be read is named, not hidden."""
    rows, unreadable = [], []
    for area in reader.areas.names():
        try:
            manifest = reader.areas.manifest(area)
        except LifecircleError as error:
            unreadable.append({"area": area, "key": error.key, "text": error.text(reader.lang)})
            continue
        rows.append({**area_row(manifest), "links": area_links(reader.base, manifest)})
    return {
        "areas": rows,
        "unreadable": unreadable,
        "links": [{"rel": "self", "type": JSON, "href": f"{reader.base}/areas"}],
    }


def area_links(base: str, manifest: Manifest) -> list[dict[str, str]]:
    """Where an area's figures are: of what its latest run has."""
    area, counts = manifest.area, manifest.counts
    home = f"{base}/areas/{quote(area)}"
    some = [name for name in ("catchments", "scorecard") if counts.get(_COUNTED[name])]
    return [
        {"rel": "self", "type": JSON, "href": home},
        {"rel": "coverage", "type": JSON, "href": f"{home}/coverage"},
        {"rel": "gaps", "type": GEOJSON, "href": f"{home}/gaps"},
        {"rel": "circles", "type": JSON, "href": f"{home}/circles"},
        {"rel": "equity", "type": JSON, "href": f"{home}/equity"},
        {"rel": "report", "type": JSON, "href": f"{home}/report"},
        {"rel": "quality", "type": JSON, "href": f"{home}/quality"},
        *({"rel": name, "type": JSON, "href": f"{home}/{name}"} for name in some),
        {"rel": "map", "type": "text/html", "href": f"{base}/maps/{quote(area)}/coverage"},
        {"rel": "proposals", "type": "text/html", "href": f"{base}/maps/{quote(area)}/proposals"},
        {"rel": "data", "type": JSON, "href": f"{base}/collections"},
    ]


@router.get("/areas/{area}")
async def show_area(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[AreaQuery, Query()]
) -> Response:
    """What the area holds, from which files, and how good they are."""
    state = await reader.state_of(area, query)
    if query.f == "html" or (query.f is None and wants_page(request)):
        named = query.run is not None or query.year is not None
        return await run_in_threadpool(_area_page, request, reader, state, named=named)

    runs = await run_in_threadpool(reader.areas.workspace.runs, area)

    def produce() -> dict[str, Any]:
        document = area_document(state.run, lang=reader.lang)
        return {**document, "runs": runs, "links": area_links(reader.base, state.run.manifest)}

    return await answer(request, state, reader.lang, produce, about=tuple(runs))


def _area_page(request: Request, reader: Reader, state: AreaState, *, named: bool) -> Response:
    """The page of a run; `named`: what it links to is of this run too, not of the latest."""
    document = area_document(state.run, lang=reader.lang)
    quality = document["quality"]
    numbers = {
        "word_residents": document["residents"],
        "word_unsnapped": quality["unsnapped_residents"],
        "word_facilities": document["facilities"],
        "word_units": document["units"],
        "word_cells": document["cells"],
        "page_walkable": quality["walkable_km"],
    }
    tiles = [(name, number(count)) for name, count in numbers.items()]
    kept = f"&run={quote(state.name)}" if named else ""
    return page(request, "area.html", reader.lang, a=document, tiles=tiles, kept=kept)


@router.get("/areas/{area}/coverage")
async def show_coverage(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[CoverageQuery, Query()]
) -> Response:
    """Coverage in the readings U, P, L and C; persons and fractions 0-1."""
    reader.minutes(query.minutes)
    state = await reader.state_of(area, query, query.profile)
    produce: Callable[[], Any] = partial(_coverage, [state.run], query.question, reader.lang)
    if _is_dear(state, query.question):
        asked = Apart(_coverage, (state,), (query.question, reader.lang))
        produce = apart_if_large(asked)
    return await answer(request, state, reader.lang, produce)


def _is_dear(state: AreaState, question: Question) -> bool:
    """Whether coverage is that of all services, at a moment, or is solved for (reading C)."""
    asked = settle(state.run.study, question)
    solved = asked.service in state.run.policy.capacity_services
    own = asked.minutes is None and asked.walker == Question().walker
    return asked.service is None or asked.at is not None or (solved and not own)


def _coverage(runs: list[Run], question: Question, lang: Language) -> dict[str, Any]:
    return coverage_document(runs[0], question, lang=lang)


@router.get("/areas/{area}/gaps")
async def show_gaps(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[GapsQuery, Query()]
) -> Response:
    """Connected groups of uncovered cells as GeoJSON."""
    reader.minutes(query.minutes)
    state = await reader.state_of(area, query, query.profile)
    named = {"min_residents": query.min_residents, "lang": reader.lang}
    if query.service is None:
        produce: Callable[[], Any] = Apart(_gaps, (state,), (query.question,), named)
    else:
        produce = partial(_gaps, [state.run], query.question, **named)
    return await answer(request, state, reader.lang, produce, media_type=GEOJSON)


def _gaps(runs: list[Run], question: Question, **named: Any) -> dict[str, Any]:
    return gaps_document(runs[0], question, **named)


@router.get("/areas/{area}/circles")
async def show_circles(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[CirclesQuery, Query()]
) -> Response:
    """Residents whose circle is complete, incomplete or not assessed, by kind and unit."""
    reader.minutes(query.minutes)
    state = await reader.state_of(area, query, query.profile)
    named = {"kind": query.kind, "lang": reader.lang}
    produce = apart_if_large(Apart(_circles, (state,), (query.question,), named))
    return await answer(request, state, reader.lang, produce)


def _circles(runs: list[Run], question: Question, **named: Any) -> dict[str, Any]:
    return circles_document(runs[0], question, **named)


@router.get("/areas/{area}/point")
async def show_point(
    reader: ReaderNow, area: AreaName, query: Annotated[PointQuery, Query()]
) -> Response:
    """Minutes to the nearest facility of every service from one place, and what is missing."""
    reader.minutes(query.minutes)
    state = await reader.state_of(area, query, query.profile)
    desk = await desk_of(state, mover_of(query.walker, query.profile))
    if query.minutes is not None:
        desk = desk.with_minutes(query.minutes)
    document = point_document(desk, query.lon, query.lat, lang=reader.lang)
    return Response(encode(document), media_type=JSON, headers=FRESH)


def point_key(walker: str) -> Hashable:
    """Where the desk for a walker is kept."""
    return ("point", walker)


async def desk_of(state: AreaState, walker: str) -> PointDesk:
    """What answers questions about places, made in a thread the first time."""
    key = point_key(walker)

    def make() -> WrittenPoints:
        desk = PointDesk.of(state.run, Question(walker=walker))
        return state.derived(key, lambda: WrittenPoints(desk))

    found: WrittenPoints | None = state.found(key)
    if found is None:
        found = await run_in_threadpool(make)
        asyncio.get_running_loop().run_in_executor(None, found.prepare)
    return found.desk


@router.get("/areas/{area}/isochrone")
async def show_isochrone(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[IsochroneQuery, Query()]
) -> Response:
    """One polygon per limit as GeoJSON."""
    limits = minute_list(query.minutes, reader.settings)
    state = await reader.state_of(area, query, query.profile)

    def produce() -> dict[str, Any]:
        return isochrone_document(
            state.run,
            query.lon,
            query.lat,
            minutes=limits,
            walker=mover_of(query.walker, query.profile),
            direction=query.direction,
            lang=reader.lang,
        )

    return await answer(request, state, reader.lang, produce, media_type=GEOJSON)


@router.get("/areas/{area}/route")
async def show_route(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[RouteQuery, Query()]
) -> Response:
    """The walk from a place to its nearest facility or to another place, along the streets."""
    state = await reader.state_of(area, query, query.profile)
    destination = Destination(query.service, query.to_place)

    def produce() -> dict[str, Any]:
        here = (query.lon, query.lat)
        walker = mover_of(query.walker, query.profile)
        return route_document(state.run, here, destination, walker=walker, lang=reader.lang)

    return await answer(request, state, reader.lang, produce, media_type=GEOJSON)


@router.get("/areas/{area}/search")
async def show_search(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[SearchQuery, Query()]
) -> Response:
    """Services, units, streets and facilities by name, pinyin, initials or English."""
    state = await reader.state_of(area, query)

    def produce() -> dict[str, Any]:
        names = state.derived("names", lambda: Names.of(state.run))
        return search_document(names, query.q, lang=reader.lang)

    return await answer(request, state, reader.lang, produce)


@router.get("/areas/{area}/headline")
async def show_headline(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[RunQuery, Query()]
) -> Response:
    """The service farthest below its target, and the new place that would reach most residents."""
    state = await reader.state_of(area, query)
    produce = apart_if_large(Apart(_headline, (state,), (reader.lang,)))
    return await answer(request, state, reader.lang, produce)


def _headline(runs: list[Run], lang: Language) -> Any:
    return headline_of(runs[0], lang=lang)


@router.get("/areas/{area}/pictures", include_in_schema=False)
async def show_pictures(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[RunQuery, Query()]
) -> Response:
    """The pictures beside the sentence of the home page; no contract but theirs."""
    state = await reader.state_of(area, query)
    produce = apart_if_large(Apart(_pictures, (state,), (reader.lang,)))
    return await answer(request, state, reader.lang, produce)


def _pictures(runs: list[Run], lang: Language) -> Any:
    from lifecircle.service.report.pictures import pictures_document

    return pictures_document(runs[0], lang)
