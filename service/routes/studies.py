"""Questions that look at an area as a whole: equity, two runs compared, the report."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from analysis.errors import UnknownNameError
from service.catalog import compare_document, equity_document
from service.media import answer
from service.parameters import AreaName, CompareQuery, EquityQuery, Reader, ReaderNow
from service.state import AreaState

router = APIRouter(tags=["studies"])


@router.get("/areas/{area}/equity", summary="How evenly walks are spread over people")
async def show_equity(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[EquityQuery, Query()]
) -> Response:
    """Gini, Palma, residents below the floor and the worst tenth, by group and unit."""
    reader.minutes(query.minutes)
    state = await reader.state(area, query.run)
    asked = query.model_dump(exclude={"lang", "run"})
    return await answer(
        request,
        state,
        reader.lang,
        lambda: equity_document(state.run, **asked, lang=reader.lang),
    )


@router.get("/areas/{area}/compare", summary="What changed between two runs")
async def show_compare(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[CompareQuery, Query()]
) -> Response:
    """Residents gained and lost by service, circle and unit, from one run to another."""
    reader.minutes(query.minutes)
    before, after = await two_runs(reader, area, query.from_, query.to)
    asked = query.model_dump(exclude={"lang", "from_", "to"})

    def produce() -> dict[str, Any]:
        return compare_document(before.run, after.run, **asked, lang=reader.lang)

    return await answer(request, after, reader.lang, produce, about=(before.name,))


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
