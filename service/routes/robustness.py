"""How firm an area's answers stand: JSON, a page to print, Excel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.service.apart.workshop import Apart
from lifecircle.service.catalog import robustness_document
from lifecircle.service.catalog.firm.robustness import BUDGET, RobustnessTask
from lifecircle.service.encoding import disposition
from lifecircle.service.flights import ReaderLeftError
from lifecircle.service.pages import page_response
from lifecircle.service.queries.questions import AreaName, RobustnessQuery
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.report.robustness import page_policy, robustness_page, robustness_workbook
from lifecircle.service.responses import READER_LEFT, XLSX, answer, page_body, wants_page
from lifecircle.service.state import AreaState

router = APIRouter(tags=["areas"])


@router.get("/areas/{area}/robustness")
async def show_robustness(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[RobustnessQuery, Query()]
) -> Response:
    """Bands of coverage and circles, and in how many draws each verdict holds."""
    state = await reader.state_of(area, query)
    beside = await run_in_threadpool(reader.areas.stamped_runs, area)  # which it is tried with
    if query.f == "html" or (query.f is None and wants_page(request)):
        key = ("page", request.url.netloc, request.url.path, request.url.query, reader.lang)
        try:
            produce = _asked(_page, state, reader, query)
            html = await page_body(request, state, (*key, *beside), produce, reader.lang)
        except ReaderLeftError:
            return Response(status_code=READER_LEFT)
        if isinstance(html, Response):
            return html
        return page_response(html, reader.lang, "", policy=page_policy())
    if query.f == "xlsx":
        return await answer(
            request,
            state,
            reader.lang,
            _asked(_workbook, state, reader, query),
            media_type=XLSX,
            headers={"content-disposition": disposition(f"{area}.robustness.xlsx")},
            about=beside,
        )
    produce = _asked(_document, state, reader, query)
    return await answer(request, state, reader.lang, produce, about=beside)


def _asked(
    make: Callable[..., Any], state: AreaState, reader: Reader, query: RobustnessQuery
) -> Apart:
    question = Question(query.service, walker=query.walker, by=query.by)
    task = RobustnessTask(query.draws, query.seed, query.lists, BUDGET, propose=query.propose)
    return Apart(make, (state,), (question, task), {"lang": reader.lang})


def _document(
    runs: list[Run], question: Question, task: RobustnessTask, *, lang: Language
) -> dict[str, Any]:
    return robustness_document(runs[0], question, task, lang=lang)


def _page(runs: list[Run], question: Question, task: RobustnessTask, *, lang: Language) -> bytes:
    return robustness_page(_document(runs, question, task, lang=lang), lang).encode()


def _workbook(
    runs: list[Run], question: Question, task: RobustnessTask, *, lang: Language
) -> bytes:
    return robustness_workbook(_document(runs, question, task, lang=lang), lang)
