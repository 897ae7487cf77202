"""How good the data of an area are, and the list of facilities that were merged."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.merge_list import write_merge_list
from lifecircle.analysis.results.model import Run
from lifecircle.service.apart.workshop import Apart, apart_if_large
from lifecircle.service.catalog.quality import histogram, quality_document, quality_figures
from lifecircle.service.encoding import file_bytes
from lifecircle.service.pages import page
from lifecircle.service.queries.questions import AreaName, AreaQuery, OfYear
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.responses import CSV, XLSX, answer, wants_page
from lifecircle.service.state import AreaState
from lifecircle.service.wording import Words

router = APIRouter(tags=["areas"])


class MergesQuery(OfYear):
    """What `/merges` takes."""

    f: Literal["csv", "xlsx"] = "csv"


@router.get("/areas/{area}/quality")
async def show_quality(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[AreaQuery, Query()]
) -> Response:
    """Distances to streets, islands, what is off the streets or outside, merges, doubts."""
    state = await reader.state_of(area, query)
    if query.f == "html" or (query.f is None and wants_page(request)):
        named = query.run if query.year is None else state.name
        return await run_in_threadpool(_page, request, reader, state, named)

    produce = apart_if_large(Apart(_quality, (state,), (reader.lang,)))
    return await answer(request, state, reader.lang, produce)


def _quality(runs: list[Run], lang: Language) -> dict[str, Any]:
    return quality_document(runs[0], lang=lang)


def _page(request: Request, reader: Reader, state: AreaState, run: str | None) -> Response:
    document = quality_document(state.run, lang=reader.lang)
    words, services = Words(reader.lang), state.run.policy.services
    columns = dict.fromkeys(name for row in document["missing"] for name in row["missing"])
    return page(
        request,
        "quality.html",
        reader.lang,
        q=document,
        run=run,
        figures=quality_figures(document, reader.lang),
        bins=histogram(document),
        attributes=list(columns),
        filled=lambda pair: words.listed(map(words.attribute, pair["filled"])),
        titles={name: one.title.text(reader.lang) for name, one in services.items()},
    )


@router.get("/areas/{area}/merges")
async def list_merges(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[MergesQuery, Query()]
) -> Response:
    """The list as a table; with decisions filled in, ``lifecircle build --merges`` reads it."""
    state = await reader.state_of(area, query)

    produce = apart_if_large(Apart(_merges, (state,), (query.f, reader.lang)))
    return await answer(
        request,
        state,
        reader.lang,
        produce,
        media_type=f"{CSV}; charset=utf-8" if query.f == "csv" else XLSX,
        headers={"content-disposition": f'attachment; filename="merges.{query.f}"'},
    )


def _merges(runs: list[Run], form: str, lang: Language) -> bytes:
    places = runs[0].city.notes.same_places
    return file_bytes(f"merges.{form}", lambda path: write_merge_list(places, path, lang))
