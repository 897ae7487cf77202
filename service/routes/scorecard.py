"""The plan's scorecard of an area: JSON, a page to print, CSV and Excel."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.scorecard_table import export_scorecard
from lifecircle.service.apart.workshop import Apart
from lifecircle.service.catalog import scorecard_document, settings_given
from lifecircle.service.encoding import disposition, file_bytes
from lifecircle.service.flights import ReaderLeftError
from lifecircle.service.pages import page_response
from lifecircle.service.queries.questions import AreaName
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.queries.scorecard import ScorecardQuery
from lifecircle.service.report.scorecard import Links, page_policy, scorecard_page
from lifecircle.service.responses import CSV, READER_LEFT, XLSX, answer, kept_body, wants_page
from lifecircle.service.state import AreaState, NamedRun

router = APIRouter(tags=["areas"])
TABLES: Final = {"csv": CSV, "xlsx": XLSX}


@router.get("/areas/{area}/scorecard")
async def show_scorecard(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[ScorecardQuery, Query()]
) -> Response:
    """Each row with its clause, target, baseline, every reading, status and what is missing."""
    state = await reader.state(area, query.run)
    _refuse_unknown(state, query)
    others = await reader.beside(state)
    about = tuple(other.name for other in others)

    areas, name = reader.areas, state.name  # an answer kept is not to hold the run open

    def still() -> bool:
        return areas.other_years(area, name) == about

    states: tuple[AreaState | NamedRun, ...] = (state, *others)
    named: dict[str, Any] = {
        "walker": query.walker,
        "level": query.level,
        "year": query.year,
        "settings": settings_given(query.set_, query.named),
        "lang": reader.lang,
    }
    if query.f == "html" or (query.f is None and wants_page(request)):
        links = _links(request, reader, area, query)
        asked = Apart(_page, states, (links,), named)
        url = request.url
        key = ("page", url.netloc, url.path, url.query, reader.lang, state.bands(), *about)
        try:
            html = await kept_body(request, state, key, asked)
        except ReaderLeftError:
            return Response(status_code=READER_LEFT)
        return page_response(html, reader.lang, "", policy=page_policy("'self'"))
    if query.f in TABLES:
        form = str(query.f)
        return await answer(
            request,
            state,
            reader.lang,
            Apart(_file, states, (form,), named),
            media_type=TABLES[form],
            about=about,
            still=still,
            headers={"content-disposition": disposition(f"{area}.scorecard.{form}")},
        )
    produce = Apart(_document, states, (), named)
    return await answer(request, state, reader.lang, produce, about=about, still=still)


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


def _document(runs: list[Run], **named: Any) -> dict[str, Any]:
    return scorecard_document(runs[0], others=runs[1:], **named)


def _file(runs: list[Run], form: str, *, lang: Language, **named: Any) -> bytes:
    document = _document(runs, lang=lang, **named)
    return file_bytes(f"scorecard.{form}", lambda path: export_scorecard(document, path, lang))


def _page(runs: list[Run], links: Links, *, lang: Language, **named: Any) -> bytes:
    return scorecard_page(runs[0], _document(runs, lang=lang, **named), lang, links).encode()


def _links(request: Request, reader: Reader, area: str, query: ScorecardQuery) -> Links:
    """Where the page leads."""
    root = request.scope.get("root_path", "")
    home = f"{root}/areas/{quote(area)}"
    kept = query.model_dump(
        by_alias=True, exclude_none=True, exclude_defaults=True, exclude={"f", "lang"}
    )

    def to(**more: str) -> str:
        return f"{home}/scorecard?{urlencode(kept | more, doseq=True)}"

    lang = reader.lang
    return Links(
        home=f"{home}?{urlencode({'lang': lang})}",
        here=f"{home}/scorecard",
        csv=to(f="csv", lang=lang),
        xlsx=to(f="xlsx", lang=lang),
        json=to(f="json", lang=lang),
        turned=to(f="html", lang="en" if lang == "zh" else "zh"),
        run=query.run,
    )
