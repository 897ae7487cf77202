"""Pages for browsers: maps and the documentation of the API, all without internet."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.service.apart.workshop import Apart, apart_if_large
from lifecircle.service.flights import ReaderLeftError
from lifecircle.service.outside.tianditu import Tianditu
from lifecircle.service.pages import new_nonce, page, page_response
from lifecircle.service.queries.questions import PAGE_ELSE, AreaName, MapQuery, Name, PieceQuery
from lifecircle.service.queries.reader import ReaderNow
from lifecircle.service.responses import (
    KEPT,
    READER_LEFT,
    Kept,
    answer,
    is_patient,
    kept_body,
    soon_body,
    unmoved,
)
from lifecircle.service.routes.studies import two_runs
from lifecircle.service.state import Areas, AreaState

if TYPE_CHECKING:
    from lifecircle.service.maps.pages import Page

router = APIRouter(tags=["pages"])
STAND_IN: Final = len("nonce-") + 32  # signs of what stands for a nonce before a page


@router.get("/maps/{area}/{layer}", response_class=Response)
async def show_map(
    request: Request,
    reader: ReaderNow,
    area: AreaName,
    layer: Name,
    query: Annotated[MapQuery, Query()],
) -> Response:
    """A page with a map of coverage, gaps, circles, units or facilities, or of two runs."""
    from lifecircle.service.maps.offline import page_policy
    from lifecircle.service.maps.pages import COMPARE, SOLVED, Page

    reader.minutes(query.minutes)
    state = await reader.state_of(area, query, query.profile)
    years = await run_in_threadpool(_years, reader.areas, area)
    states: tuple[AreaState, ...] = (state,)
    if layer == COMPARE:
        earlier, _ = await two_runs(reader, area, query.from_, state.name)
        states = (state, earlier)
    shown = Page(
        lang=reader.lang,
        static_url=f"{request.scope.get('root_path', '')}/static",
        keep={
            name: str(value)
            for name, value in (("run", query.run), ("year", query.year))
            if value is not None
        },
        kind=query.kind,
        variant=query.variant,
        solution=query.solution,
        pass_by=bool(query.pass_by),
        years=years,
        tianditu=_tianditu(request),
        ask_at=f"{request.scope.get('root_path', '')}/areas/{quote(area)}",
        pieces_at=f"{request.scope.get('root_path', '')}/maps/{quote(area)}/pieces",
    )
    url = request.url
    earlier_run = "" if len(states) == 1 else states[1].name
    mark, bands = state.mark("proposals"), state.bands()
    told_of = (earlier_run, mark, bands, years, shown.static_url, repr(shown.tianditu))
    key = (url.netloc, url.path, url.query, reader.lang, *told_of)
    asked = Apart(_map, states, (layer, query.question, shown))
    made = asked if layer in SOLVED else apart_if_large(asked)
    waits = False
    try:
        drawn = None
        if layer in SOLVED and not is_patient(request):
            drawn = await soon_body(request, state, key, made)
            waits = drawn is None
        if drawn is None:
            whole: tuple[Hashable, ...] = key
            if waits:
                whole = (*key, "waits")
                made = partial(_map, [state.run], layer, query.question, replace(shown, waits=True))
            drawn = await kept_body(request, state, whole, made, quick=waits)
    except ReaderLeftError:
        return Response(status_code=READER_LEFT)
    stands, drawn, nonce = drawn[:STAND_IN].decode(), drawn[STAND_IN:], new_nonce()
    if len(states) == 1 and not waits and KEPT in request.scope:
        empty = page_response(b"", reader.lang, stands, policy=page_policy(stands, asks=True))
        empty.headers["vary"] = "Accept, Accept-Language, Accept-Encoding"
        told = tuple(pair for pair in empty.raw_headers if pair[0] != b"content-length")
        unmarked, areas = state.unmarked("proposals", mark), reader.areas

        def still() -> bool:  # it does not hold the run open
            return unmarked() and _years(areas, area) == years

        same = unmoved(request, state, query.run is not None, bands, still)
        request.scope[KEPT].append(Kept(drawn, b"", told, True, same, stands.encode()))
    html = drawn.replace(stands.encode(), nonce.encode())
    return page_response(html, reader.lang, nonce, policy=page_policy(nonce, asks=True))


def _map(runs: list[Run], layer: str, question: Question, shown: Page) -> bytes:
    """A page behind what stands in it for a nonce: each answer has one of its own, and nobody can
    know this one before the page is made.
    """
    from lifecircle.service.maps.pages import map_page

    stands = f"nonce-{token_hex(16)}"
    before = runs[1] if len(runs) > 1 else None
    page = replace(shown, nonce=stands, before=before)
    return (stands + map_page(runs[0], layer, question, page)).encode()


def _tianditu(request: Request) -> dict[str, str] | None:
    """Where a page finds tiles, and whose they are; None where this service has none."""
    tianditu: Tianditu | None = request.app.state.tianditu
    if tianditu is None:
        return None
    at = f"{request.scope.get('root_path', '')}/ground/tianditu"
    return {"at": at, "review_number": tianditu.review_number or ""}


def _years(areas: Areas, area: str) -> tuple[int, ...]:
    """The years of which an area has runs, ascending."""
    return tuple(sorted(set(areas.years(area).values())))


@router.get("/maps/{area}/pieces/{piece}", include_in_schema=False)
async def show_piece(
    request: Request,
    reader: ReaderNow,
    area: AreaName,
    piece: Name,
    query: Annotated[PieceQuery, Query()],
) -> Response:
    """Streets or ground of a run, as its map pages draw them; no contract but theirs."""
    state = await reader.state_of(area, query, query.profile)
    produce = apart_if_large(Apart(_piece, (state,), (piece, reader.lang)))
    return await answer(request, state, reader.lang, produce)


def _piece(runs: list[Run], name: str, lang: Language) -> bytes:
    from lifecircle.service.maps.context_layers import piece

    return piece(runs[0].study, name, lang).encode()


@router.get("/docs", include_in_schema=False, dependencies=[PAGE_ELSE])
async def show_docs(request: Request, reader: ReaderNow) -> Response:
    """Swagger UI from files of this service, nothing from outside."""
    return page(request, "docs.html", reader.lang)
