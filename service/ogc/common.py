"""The landing page, the conformance declaration and the API definition."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import LifecircleError
from lifecircle.service import i18n
from lifecircle.service.catalog import area_row, kept_headline
from lifecircle.service.ogc import cql, selection, tiles
from lifecircle.service.ogc.definition import api_document
from lifecircle.service.ogc.jobs import JOBS_REL
from lifecircle.service.ogc.links import TILING_SCHEMES, link
from lifecircle.service.ogc.processes import CONFORMS_TO as PROCESSES
from lifecircle.service.ogc.processes import PROCESSES_REL
from lifecircle.service.pages import page
from lifecircle.service.queries.questions import PageQuery
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.responses import ASKED_AGAIN, HTML, JSON, OPENAPI, encode, wants_page

router = APIRouter(tags=["ogc"])

CONFORMS_TO: Final = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    *PROCESSES,
    *selection.CONFORMS_TO,
    *cql.CONFORMS_TO,
    *tiles.CONFORMS_TO,
)


@router.get("/")
async def landing(
    request: Request, reader: ReaderNow, query: Annotated[PageQuery, Query()]
) -> Response:
    """The landing page: links for programs, a page for browsers."""
    if query.f == "html" or (query.f is None and wants_page(request)):
        rows = await run_in_threadpool(_cards, reader)
        return page(request, "landing.html", reader.lang, areas=rows, base=reader.base)
    return Response(encode(landing_document(reader)), media_type=JSON, headers=ASKED_AGAIN)


def landing_document(reader: Reader) -> dict[str, Any]:
    """Title, description and links, in the reader's language."""
    base, lang = reader.base, reader.lang
    return {
        "title": i18n.text("service_title", lang),
        "description": i18n.text("service_about", lang),
        "links": [
            link("self", f"{base}/", JSON),
            link("alternate", f"{base}/?f=html", HTML),
            link("service-desc", f"{base}/api", OPENAPI),
            link("service-doc", f"{base}/docs", HTML),
            link("conformance", f"{base}/conformance", JSON),
            link("data", f"{base}/collections", JSON),
            link(TILING_SCHEMES, f"{base}/tileMatrixSets", JSON),
            link("areas", f"{base}/areas", JSON),
            link(PROCESSES_REL, f"{base}/processes", JSON),
            link(JOBS_REL, f"{base}/jobs", JSON),
        ],
    }


def _cards(reader: Reader) -> list[dict[str, Any]]:
    cards: list[dict[str, Any]] = []
    for area in reader.areas.names():
        try:
            manifest = reader.areas.manifest(area)
        except LifecircleError as error:
            cards.append({"area": area, "broken": error.text(reader.lang)})
            continue
        cards.append(
            {
                **area_row(manifest),
                "broken": None,
                "headline": kept_headline(reader.areas.run_folder(manifest.area, manifest.run)),
                "counts": dict(manifest.counts),
                "services": len(manifest.services),
                "warnings": [warn.text(reader.lang) for warn in manifest.warnings],
            }
        )
    return sorted(cards, key=lambda card: -(card.get("residents") or 0))  # the largest first


@router.get("/conformance")
async def conformance(
    request: Request, reader: ReaderNow, query: Annotated[PageQuery, Query()]
) -> Response:
    """The conformance classes."""
    if query.f == "html" or (query.f is None and wants_page(request)):
        return page(request, "conformance.html", reader.lang, classes=CONFORMS_TO)
    return Response(encode({"conformsTo": CONFORMS_TO}), media_type=JSON, headers=ASKED_AGAIN)


@router.get("/api")
async def api(
    request: Request, reader: ReaderNow, query: Annotated[PageQuery, Query()]
) -> Response:
    """The API definition with a literal path for every collection."""
    if query.f == "html" or (query.f is None and wants_page(request)):
        return page(request, "docs.html", reader.lang)
    document = await run_in_threadpool(api_document, request.app, reader)
    return Response(encode(document), headers={**ASKED_AGAIN, "content-type": OPENAPI})
