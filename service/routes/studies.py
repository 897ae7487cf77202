"""Questions that look at an area as a whole: equity, two runs compared, the report."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import Language, UnknownNameError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.service.apart.workshop import Apart, apart_if_large
from lifecircle.service.catalog import (
    compare_document,
    equity_document,
    growth_document,
    report_document,
    settings_given,
)
from lifecircle.service.catalog.reviews import kept_marks
from lifecircle.service.queries.questions import (
    AreaName,
    CompareQuery,
    EquityQuery,
    GrowthQuery,
    ReportQuery,
)
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.report import report_page, report_workbook
from lifecircle.service.report.page import style_policy
from lifecircle.service.responses import HTML, XLSX, answer, wants_page
from lifecircle.service.state import AreaState, NamedRun

router = APIRouter(tags=["studies"])


@router.get("/areas/{area}/equity")
async def show_equity(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[EquityQuery, Query()]
) -> Response:
    """Gini, Palma, residents below the floor and the worst tenth, by group and unit."""
    reader.minutes(query.minutes)
    state = await reader.state_of(area, query, query.profile)
    produce = Apart(_equity, (state,), (query.question, reader.lang))
    return await answer(request, state, reader.lang, produce)


def _equity(runs: list[Run], question: Question, lang: Language) -> dict[str, Any]:
    return equity_document(runs[0], question, lang=lang)


@router.get("/areas/{area}/growth")
async def show_growth(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[GrowthQuery, Query()]
) -> Response:
    """Residents by unit in the latest run of every year."""
    state = await reader.state(area, query.run)
    beside = await reader.beside(state)
    named = {"by": query.by, "group": query.group, "lang": reader.lang}
    produce = apart_if_large(Apart(_growth, (state, *beside), (), named))
    about = tuple(other.name for other in beside)
    return await answer(request, state, reader.lang, produce, about=about)


def _growth(runs: list[Run], **named: Any) -> dict[str, Any]:
    return growth_document(runs[0], runs[1:], **named)


@router.get("/areas/{area}/compare")
async def show_compare(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[CompareQuery, Query()]
) -> Response:
    """Residents gained and lost by service, circle and unit, from one run to another."""
    reader.minutes(query.minutes)
    before, after = await two_runs(reader, area, query.from_, query.to)

    asked = Apart(_compared, (after, before), (query.question, reader.lang))
    produce = apart_if_large(asked)
    return await answer(request, after, reader.lang, produce, about=(before.name,))


def _compared(runs: list[Run], question: Question, lang: Language) -> dict[str, Any]:
    after, before = runs
    return compare_document(before, after, question, lang=lang)


@router.get("/areas/{area}/report")
async def show_report(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[ReportQuery, Query()]
) -> Response:
    """Scorecard, coverage, gaps, circles, equity, quality, sources: JSON, a page, a workbook."""
    state = await reader.state_of(area, query)
    lang: Language = query.pages if query.pages in ("zh", "en") else reader.lang
    given = settings_given(query.set_)
    wanted = query.f or ("html" if wants_page(request) else "json")
    marks = await run_in_threadpool(kept_marks, state, request.app.state.database)
    beside = await reader.beside(state)
    about = (
        "reviews",
        *(f"{one['id']}.{one['version']}" for one in marks),
        *(other.name for other in beside),
    )
    states: tuple[AreaState | NamedRun, ...] = (state, *beside)
    named: dict[str, Any] = {"settings": given, "marks": marks}
    if wanted == "json":
        produce = Apart(_report, states, (lang,), named)
        return await answer(request, state, lang, produce, about=about)
    if wanted == "xlsx":
        name = f"attachment; filename*=UTF-8''{quote(f'{area}-report.xlsx')}"
        return await answer(
            request,
            state,
            lang,
            Apart(_workbook, states, (lang,), named),
            media_type=XLSX,
            about=about,
            headers={"content-disposition": name},
        )
    languages: tuple[Language, ...] = ("zh", "en") if query.pages == "both" else (lang,)
    return await answer(
        request,
        state,
        lang,
        Apart(_page, states, (languages,), named),
        about=about,
        media_type=f"{HTML}; charset=utf-8",
        headers={"content-security-policy": style_policy()},
    )


def _report(runs: list[Run], lang: Language, **named: Any) -> dict[str, Any]:
    return report_document(runs[0], lang=lang, others=runs[1:], **named)


def _workbook(runs: list[Run], lang: Language, **named: Any) -> bytes:
    return report_workbook(runs[0], lang, others=runs[1:], **named)


def _page(runs: list[Run], languages: tuple[Language, ...], **named: Any) -> bytes:
    return report_page(runs[0], languages, others=runs[1:], **named).encode()


async def two_runs(
    reader: Reader, area: str, first: str | None, last: str | None
) -> tuple[AreaState, AreaState]:
    """The runs asked for; by default the latest, and the one before the later of the two.

    Raises
    ------
    UnknownNameError
        No such run, or there is only one.
    """
    after = await reader.state(area, last)
    if first is None:
        runs = await run_in_threadpool(reader.areas.workspace.runs, area)
        earlier = [run for run in runs if run < after.name]
        if not earlier:
            raise UnknownNameError("compare_one_run", area=area)
        first = earlier[-1]
    return await reader.state(area, first), after
