"""The plan's scorecard of an area: JSON, a page to print, CSV and Excel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.results.scorecard_table import export_scorecard
from lifecircle.service.catalog import scorecard_document, settings_given
from lifecircle.service.queries.questions import AreaName, Reader, ReaderNow
from lifecircle.service.queries.scorecard import ScorecardQuery
from lifecircle.service.report.scorecard import Links, page_policy, scorecard_page
from lifecircle.service.responses import (
    CSV,
    XLSX,
    answer,
    disposition,
    file_bytes,
    page_response,
    wants_page,
)
from lifecircle.service.state import AreaState

router = APIRouter(tags=["areas"])
TABLES: Final = {"csv": CSV, "xlsx": XLSX}


@router.get("/areas/{area}/scorecard")
async def show_scorecard(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[ScorecardQuery, Query()]
) -> Response:
    """Each row with its clause, target, baseline, every reading, status and what is missing."""
    state = await reader.state(area, query.run)
    _refuse_unknown(state, query)
    others = await reader.other_years(state)
    about = tuple(other.name for other in others)

    areas, name = reader.areas, state.name  # an answer kept is not to hold the run open

    def still() -> bool:
        return areas.other_years(area, name) == about

    if query.f == "html" or (query.f is None and wants_page(request)):
        html = await run_in_threadpool(_page, request, reader, (state, *others), query)
        return page_response(html, reader.lang, "", policy=page_policy("'self'"))
    if query.f in TABLES:
        form = str(query.f)
        return await answer(
            request,
            state,
            reader.lang,
            lambda: _file((state, *others), reader, query, form),
            media_type=TABLES[form],
            about=about,
            still=still,
            headers={"content-disposition": disposition(f"{area}.scorecard.{form}")},
        )
    return await answer(
        request,
        state,
        reader.lang,
        lambda: _document((state, *others), reader, query),
        about=about,
        still=still,
    )


def _refuse_unknown(state: AreaState, query: ScorecardQuery) -> None:
    """Refuse a parameter that is no setting of the run's scorecard either."""
    card = state.run.policy.scorecard
    if card is None:
        return
    strange = {name: value for name, value in query.named.items() if name not in card.settings}
    if strange:
        raise RequestValidationError(
            [
                {"type": "extra_forbidden", "loc": ("query", name), "msg": "", "input": value}
                for name, value in strange.items()
            ]
        )


def _document(states: Sequence[AreaState], reader: Reader, query: ScorecardQuery) -> dict[str, Any]:
    state, *others = states
    return scorecard_document(
        state.run,
        walker=query.walker,
        level=query.level,
        year=query.year,
        settings=settings_given(query.set_, query.named),
        others=[other.run for other in others],
        lang=reader.lang,
    )


def _file(states: Sequence[AreaState], reader: Reader, query: ScorecardQuery, form: str) -> bytes:
    document = _document(states, reader, query)
    return file_bytes(
        f"scorecard.{form}", lambda path: export_scorecard(document, path, reader.lang)
    )


def _page(
    request: Request, reader: Reader, states: Sequence[AreaState], query: ScorecardQuery
) -> str:
    state = states[0]
    root = request.scope.get("root_path", "")
    home = f"{root}/areas/{quote(state.run.manifest.area)}"
    kept = query.model_dump(
        by_alias=True, exclude_none=True, exclude_defaults=True, exclude={"f", "lang"}
    )

    def to(**more: str) -> str:
        return f"{home}/scorecard?{urlencode(kept | more, doseq=True)}"

    lang = reader.lang
    links = Links(
        home=f"{home}?{urlencode({'lang': lang})}",
        here=f"{home}/scorecard",
        csv=to(f="csv", lang=lang),
        xlsx=to(f="xlsx", lang=lang),
        json=to(f="json", lang=lang),
        turned=to(f="html", lang="en" if lang == "zh" else "zh"),
        run=query.run,
    )
    return scorecard_page(state.run, _document(states, reader, query), lang, links)
