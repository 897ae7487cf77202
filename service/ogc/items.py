"""Features of a layer: filtered, paged, in the asked coordinate system and format."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import numpy as np
import orjson
import shapely
from fastapi import APIRouter, Query, Request, Response
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.export import export_frame
from lifecircle.service.catalog.common import properties_of
from lifecircle.service.errors import MissingError, RequestError
from lifecircle.service.ogc import crs
from lifecircle.service.ogc.collections import split_id
from lifecircle.service.ogc.cql import MOST_LETTERS, matching_filter
from lifecircle.service.ogc.filters import matching
from lifecircle.service.ogc.links import collection_url, link, with_query
from lifecircle.service.queries.questions import Name, OfRun, Reader, ReaderNow
from lifecircle.service.responses import (
    CSV,
    GEOJSON,
    GPKG,
    HTML,
    JSON,
    XLSX,
    answer,
    disposition,
    file_bytes,
    page,
    wants_page,
)
from lifecircle.service.state import AreaState, LayerTable

router = APIRouter(tags=["ogc"])
DOWNLOADS: Final = {"csv": CSV, "xlsx": XLSX, "gpkg": GPKG}
_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d))?", re.ASCII
)
SHOWN_ROWS: Final = 100  # of a page for browsers, where no limit is asked


class ItemsQuery(BaseModel):
    """What `items` takes beside the filters of the layer."""

    model_config = ConfigDict(frozen=True, extra="allow")

    bbox: str | None = Field(default=None, max_length=200)
    bbox_crs: str | None = Field(default=None, alias="bbox-crs", max_length=200)
    crs: str | None = Field(default=None, max_length=200)
    datetime: str | None = Field(default=None, max_length=100)
    filter: str | None = Field(default=None, max_length=MOST_LETTERS)
    filter_lang: Literal["cql2-text", "cql2-json"] | None = Field(default=None, alias="filter-lang")
    filter_crs: str | None = Field(default=None, alias="filter-crs", max_length=200)
    limit: int | None = Field(default=None, ge=1)
    offset: int = Field(default=0, ge=0)
    f: Literal["json", "geojson", "csv", "xlsx", "gpkg", "html"] | None = None
    lang: Language | None = None
    run: Name | None = None


class ItemQuery(OfRun):
    """What one item takes."""

    crs: str | None = Field(default=None, max_length=200)
    f: Literal["json", "geojson"] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page, how many rows match in all, and the system to write them in."""

    rows: NDArray[np.intp]
    matched: int
    code: str | None


@router.get("/collections/{collection}/items")
async def list_items(
    request: Request, reader: ReaderNow, collection: str, query: Annotated[ItemsQuery, Query()]
) -> Response:
    """A page of features as GeoJSON, or the whole selection as a file."""
    area, layer = split_id(collection)
    state = await reader.state(area, query.run)
    form = query.f or ("html" if wants_page(request) else "geojson")
    if form in DOWNLOADS:
        return await _download(request, reader, state, layer, query, form)
    table = await run_in_threadpool(state.layer, layer)
    if form == "html":
        return await run_in_threadpool(_table_page, request, reader, table, collection, query)
    code = _code(state, query.crs, "crs")
    select(state, table, query, 1)  # refuse bad parameters before the answer is looked up

    def produce() -> dict[str, Any]:
        limit = min(query.limit or reader.settings.page_size, reader.settings.max_page_size)
        chosen = select(state, table, query, limit)
        return features_document(reader, state.name, table, collection, query, chosen, limit)

    return await _features(request, reader, state, layer, code, produce)


async def _features(
    request: Request,
    reader: Reader,
    state: AreaState,
    layer: str,
    code: str | None,
    produce: Callable[[], dict[str, Any]],
) -> Response:
    """Features in a coordinate system, told anew once the layer has another mark."""
    mark = state.mark(layer)
    return await answer(
        request,
        state,
        reader.lang,
        produce,
        media_type=GEOJSON,
        headers={"content-crs": f"<{crs.address(code) if code else crs.CRS84}>"},
        about=(mark,),
        still=lambda: state.mark(layer) == mark,
    )


def _code(state: AreaState, asked: str | None, parameter: str) -> str | None:
    return None if asked is None else crs.code_of(asked, state.run.manifest.crs, parameter)


def select(state: AreaState, table: LayerTable, query: ItemsQuery, limit: int | None) -> Page:
    """The rows that a question selects, in row order.

    Raises
    ------
    RequestError
        A parameter that nobody reads, or a value that cannot be read.
    """
    box_code = _code(state, query.bbox_crs, "bbox-crs")
    _check_time(query.datetime)
    keep = matching(table, query.model_extra or {})
    filter_code = _code(state, query.filter_crs, "filter-crs")
    if query.filter is not None:
        keep &= matching_filter(table, query.filter, query.filter_lang, filter_code)
    rows = np.flatnonzero(keep)
    if query.bbox is not None:
        inside = table.rows_within(crs.boxes_of(query.bbox, box_code))
        rows = inside[keep[inside]]
    last = None if limit is None else query.offset + limit
    return Page(rows[query.offset : last], len(rows), _code(state, query.crs, "crs"))


def _check_time(text: str | None) -> None:
    """Layers have no time of their own: any instant or interval matches, nonsense does not."""
    if text is None:
        return
    ends = text.split("/")
    times = [_moment(part) for part in ends if part not in ("", "..")]
    open_ends = len(ends) - len(times)
    if None in times or len(ends) > 2 or open_ends > len(ends) - 1:
        raise RequestError("datetime_not_read", given=text)
    first, last = times[0], times[-1]
    if first is not None and last is not None and first > last:
        raise RequestError("datetime_not_read", given=text)


def _moment(text: str) -> datetime | None:
    """An RFC 3339 date-time, or a whole day; None where it is neither."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def features_document(
    reader: Reader,
    run: str,
    table: LayerTable,
    collection: str,
    query: ItemsQuery,
    chosen: Page,
    limit: int,
) -> dict[str, Any]:
    """A FeatureCollection with its links; further pages are of the same run, whatever is built."""
    home = f"{collection_url(reader.base, collection)}/items"
    told = query.model_dump(by_alias=True, exclude={"limit", "offset"}, exclude_defaults=True)

    def at(offset: int, **more: str) -> str:
        return with_query(home, {**told, **more, "limit": limit, "offset": offset or None})

    links = [
        link("self", at(query.offset), GEOJSON),
        link("alternate", with_query(home, {**told, "f": "html"}), HTML),
        link("collection", collection_url(reader.base, collection), JSON),
    ]
    if query.offset + len(chosen.rows) < chosen.matched and len(chosen.rows):
        links.append(link("next", at(query.offset + limit, run=run), GEOJSON))
    if query.offset:
        links.append(link("prev", at(max(0, query.offset - limit), run=run), GEOJSON))
    return {
        "type": "FeatureCollection",
        "numberMatched": chosen.matched,
        "numberReturned": len(chosen.rows),
        "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "features": features_of(table, chosen.rows, chosen.code),
        "links": links,
    }


def features_of(
    table: LayerTable, rows: NDArray[np.intp], code: str | None
) -> list[dict[str, Any]]:
    """Rows as GeoJSON features; coordinates in CRS84, or in a system's own axis order."""
    system = code or crs.WGS84
    part = table.frame.iloc[rows]

    def placed(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        return lonlat.round(7) if code is None else crs.from_degrees(system, lonlat)

    turned = shapely.orient_polygons(table.geometry[rows])  # counter-clockwise: RFC 7946, 3.1.6
    shapes = shapely.to_geojson(shapely.transform(turned, placed))
    values = properties_of(part, [column for column in table.columns if column.name != "id"])
    return [
        {
            "type": "Feature",
            "id": identity,
            "geometry": None if shape is None else orjson.Fragment(shape),
            "properties": row,
        }
        for identity, shape, row in zip(part["id"].astype(str), shapes, values, strict=True)
    ]


@router.get("/collections/{collection}/items/{item:path}")
async def show_item(
    request: Request,
    reader: ReaderNow,
    collection: str,
    item: str,
    query: Annotated[ItemQuery, Query()],
) -> Response:
    """One feature by its id, which may hold slashes (``node/27844``)."""
    area, layer = split_id(collection)
    state = await reader.state(area, query.run)
    table = await run_in_threadpool(state.layer, layer)
    row = table.row_of.get(item)
    if row is None:
        raise MissingError("no_item", collection=collection, item=item)
    code = _code(state, query.crs, "crs")
    home = collection_url(reader.base, collection)

    def produce() -> dict[str, Any]:
        feature = features_of(table, np.array([row], dtype=np.intp), code)[0]
        self_link = link("self", str(request.url), GEOJSON)
        return {**feature, "links": [self_link, link("collection", home, JSON)]}

    return await _features(request, reader, state, layer, code, produce)


async def _download(
    request: Request, reader: Reader, state: AreaState, layer: str, query: ItemsQuery, form: str
) -> Response:
    """The selection (all of it, unless a limit is asked) as a file in degrees."""
    if query.crs is not None and _code(state, query.crs, "crs") not in (None, crs.WGS84):
        raise RequestError("crs_not_in_files", f=form)
    table = await run_in_threadpool(state.layer, layer)
    chosen = select(state, table, query, query.limit)

    def produce() -> bytes:
        rows = table.frame.iloc[chosen.rows]
        return file_bytes(
            f"layer.{form}",
            lambda path: export_frame(rows, table.columns, path, layer, reader.lang),
        )

    name = disposition(f"{state.run.manifest.area}.{layer}.{form}")
    mark = state.mark(layer)
    return await answer(
        request,
        state,
        reader.lang,
        produce,
        media_type=DOWNLOADS[form],
        headers={"content-disposition": name},
        about=(mark,),
        still=lambda: state.mark(layer) == mark,
    )


def _table_page(
    request: Request, reader: Reader, table: LayerTable, collection: str, query: ItemsQuery
) -> Response:
    """A table of the selection for browsers."""
    area, _ = split_id(collection)
    state = reader.areas.open(area, query.run)
    limit = min(query.limit or SHOWN_ROWS, reader.settings.max_page_size)
    chosen = select(state, table, query, limit)
    document = features_document(reader, state.name, table, collection, query, chosen, limit)
    told = query.model_dump(by_alias=True, exclude_defaults=True, exclude={"f"})
    return page(
        request,
        "items.html",
        reader.lang,
        collection=collection,
        title=state.run.manifest.title.text(reader.lang),
        layer=table.name,
        columns=[(c.name, c.title.text(reader.lang), c.dtype) for c in table.columns],
        counted={c.name for c in table.columns if c.unit == "persons"},
        features=document["features"],
        matched=chosen.matched,
        first=query.offset + 1,
        links={one["rel"]: one["href"] for one in document["links"]},
        downloads={
            form: with_query(
                f"{collection_url(reader.base, collection)}/items",
                {k: v for k, v in told.items() if k not in ("limit", "offset")} | {"f": form},
            )
            for form in ("geojson", "csv", "xlsx", "gpkg")
        },
    )
