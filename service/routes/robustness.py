"""How firm an area's answers stand: JSON, a page to print, Excel."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from lifecircle.analysis.measures.question import Question
from lifecircle.service.catalog import robustness_document
from lifecircle.service.catalog.robustness import BUDGET, RobustnessTask
from lifecircle.service.flights import ReaderLeftError
from lifecircle.service.queries.questions import AreaName, Reader, ReaderNow, RobustnessQuery
from lifecircle.service.report.robustness import page_policy, robustness_page, robustness_workbook
from lifecircle.service.responses import (
    READER_LEFT,
    XLSX,
    answer,
    disposition,
    kept_body,
    page_response,
    wants_page,
)
from lifecircle.service.state import AreaState

router = APIRouter(tags=["areas"])


@router.get("/areas/{area}/robustness")
async def show_robustness(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[RobustnessQuery, Query()]
) -> Response:
    """Bands of coverage and circles, and in how many draws each verdict holds."""
    state = await reader.state_of(area, query)
    if query.f == "html" or (query.f is None and wants_page(request)):
        key = ("page", request.url.netloc, request.url.path, request.url.query, reader.lang)
        try:
            html = await kept_body(
                request, state, key, lambda: _page(state, reader, query).encode()
            )
        except ReaderLeftError:
            return Response(status_code=READER_LEFT)
        return page_response(html, reader.lang, "", policy=page_policy())
    if query.f == "xlsx":
        return await answer(
            request,
            state,
            reader.lang,
            lambda: robustness_workbook(_document(state, reader, query), reader.lang),
            media_type=XLSX,
            headers={"content-disposition": disposition(f"{area}.robustness.xlsx")},
        )
    return await answer(request, state, reader.lang, lambda: _document(state, reader, query))


def _document(state: AreaState, reader: Reader, query: RobustnessQuery) -> dict[str, Any]:
    return robustness_document(
        state.run,
        Question(query.service, walker=query.walker, by=query.by),
        RobustnessTask(query.draws, query.seed, query.lists, BUDGET, propose=query.propose),
        lang=reader.lang,
    )


def _page(state: AreaState, reader: Reader, query: RobustnessQuery) -> str:
    return robustness_page(_document(state, reader, query), reader.lang)
