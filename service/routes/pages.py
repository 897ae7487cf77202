"""Pages for browsers: maps and the documentation of the API, all without internet."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from secrets import token_hex
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.service.flights import ReaderLeftError
from lifecircle.service.outside.tianditu import Tianditu
from lifecircle.service.pages import new_nonce, page, page_response
from lifecircle.service.queries.questions import (
    PAGE_ELSE,
    AreaName,
    MapQuery,
    Name,
    PieceQuery,
    ReaderNow,
)
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
from lifecircle.service.state import Areas

router = APIRouter(tags=["pages"])


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
    from lifecircle.service.maps.pages import COMPARE, SOLVED, Page, map_page

    reader.minutes(query.minutes)
    state = await reader.state_of(area, query, query.profile)
    years = await run_in_threadpool(_years, reader.areas, area)
    before = None
    if layer == COMPARE:
        earlier, state = await two_runs(reader, area, query.from_, state.name)
        before = earlier.run
    shown = Page(
        lang=reader.lang,
        static_url=f"{request.scope.get('root_path', '')}/static",
        nonce=_stand_in(),
        keep={
            name: str(value)
            for name, value in (("run", query.run), ("year", query.year))
            if value is not None
        },
        kind=query.kind,
        variant=query.variant,
        before=before,
        solution=query.solution,
        pass_by=bool(query.pass_by),
        years=years,
        tianditu=_tianditu(request),
        ask_at=f"{request.scope.get('root_path', '')}/areas/{quote(area)}",
        pieces_at=f"{request.scope.get('root_path', '')}/maps/{quote(area)}/pieces",
    )
    url = request.url
    earlier_run = "" if before is None else before.manifest.run
    mark, bands = state.mark("proposals"), state.bands()
    key = (url.netloc, url.path, url.query, reader.lang, earlier_run, mark, bands, years)

    def produce(page: Page = shown) -> bytes:
        return map_page(state.run, layer, query.question, page).encode()

    waits = False
    try:
        drawn = None
        if layer in SOLVED and not is_patient(request):
            drawn = await soon_body(request, state, key, produce)
            waits = drawn is None
        if drawn is None:
            made = partial(produce, replace(shown, waits=waits))
            whole = (*key, waits) if waits else key
            drawn = await kept_body(request, state, whole, made, quick=waits)
    except ReaderLeftError:
        return Response(status_code=READER_LEFT)
    stands, nonce = _stand_in(), new_nonce()
    if before is None and not waits and KEPT in request.scope:
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
    from lifecircle.service.maps.context_layers import piece as made

    state = await reader.state_of(area, query, query.profile)
    return await answer(
        request, state, reader.lang, lambda: made(state.run.study, piece, reader.lang).encode()
    )


@cache
def _stand_in() -> str:
    """What stands in a kept page where each answer has a nonce of its own; nobody can know it."""
    return f"nonce-{token_hex(16)}"


@router.get("/docs", include_in_schema=False, dependencies=[PAGE_ELSE])
async def show_docs(request: Request, reader: ReaderNow) -> Response:
    """Swagger UI from files of this service, nothing from outside."""
    return page(request, "docs.html", reader.lang)
