"""Pages for browsers: maps and the documentation of the API, all without internet."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.service.queries import NOTHING_ELSE, AreaName, MapQuery, Name, ReaderNow
from lifecircle.service.responses import new_nonce, page, page_response
from lifecircle.service.routes.studies import two_runs

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
    from lifecircle.service.maps.pages import COMPARE, Page, map_page

    reader.minutes(query.minutes)
    state = await reader.state(area, query.run)
    before = None
    if layer == COMPARE:
        earlier, state = await two_runs(reader, area, query.from_, query.run)
        before = earlier.run
    nonce = new_nonce()
    html = await run_in_threadpool(
        map_page,
        state.run,
        layer,
        query.question,
        Page(
            lang=reader.lang,
            static_url=f"{request.scope.get('root_path', '')}/static",
            nonce=nonce,
            keep={} if query.run is None else {"run": query.run},
            kind=query.kind,
            variant=query.variant,
            before=before,
            solution=query.solution,
            ask_at=f"{request.scope.get('root_path', '')}/areas/{quote(area)}",
        ),
    )
    return page_response(html, reader.lang, nonce, policy=page_policy(nonce, asks=True))


@router.get("/docs", include_in_schema=False, dependencies=[NOTHING_ELSE])
async def show_docs(request: Request, reader: ReaderNow) -> Response:
    """Swagger UI from files of this service, nothing from outside."""
    return page(request, "docs.html", reader.lang)
