"""Features of a layer: filtered, sorted, paged, in the asked coordinate system and format."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.export import csv_blocks, export_blocks, export_frame
from lifecircle.analysis.results.layers.layers import layer_blocks, layer_columns
from lifecircle.analysis.results.model import Run
from lifecircle.service.apart.workshop import Apart, is_large
from lifecircle.service.encoding import disposition, file_bytes
from lifecircle.service.errors import MissingError, RequestError
from lifecircle.service.kept_files import seal
from lifecircle.service.ogc import crs
from lifecircle.service.ogc.collections import FORMS, split_id
from lifecircle.service.ogc.features import (
    BLOCK,
    features_of,
    geojson_blocks,
    head_document,
    item_links,
)
from lifecircle.service.ogc.links import collection_url, with_query
from lifecircle.service.ogc.selection import (
    ItemQuery,
    ItemsQuery,
    Page,
    chosen_columns,
    code_of,
    narrowed,
    select,
)
from lifecircle.service.pages import page
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.responses import FILES, GEOJSON, answer, sent_file, streamed, wants_page
from lifecircle.service.state import AreaState, LayerTable

router = APIRouter(tags=["ogc"])
SHOWN_ROWS: Final = 100  # of a page for browsers, where no limit is asked
APART: Final = {  # values of a file beyond which it is written in a process of its own
    "csv": 50_000, "xlsx": 5_000, "gpkg": 20_000, "parquet": 200_000,
}  # fmt: skip
LONG: Final = 2_000  # features; longer answers are sent piece by piece and not kept


@router.get("/collections/{collection}/items")
async def list_items(
    request: Request, reader: ReaderNow, collection: str, query: Annotated[ItemsQuery, Query()]
) -> Response:
    """A page of features as GeoJSON, or the whole selection as a file."""
    area, layer = split_id(collection)
    state = await reader.state_of(area, query)
    form = query.f or ("html" if wants_page(request) else "geojson")
    if form in FILES and is_large(state):
        return await _from_apart(request, reader, state, layer, query, form)
    whole = await run_in_threadpool(state.layer, layer)
    table = narrowed(whole, chosen_columns(whole, query.properties))
    if form in FILES:
        return await _download(request, reader, state, whole, table, query, form)
    if form == "html":
        return await run_in_threadpool(_table_page, request, reader, state, (whole, table), query)
    limit = min(query.limit or reader.settings.page_size, reader.settings.max_page_size)
    chosen = await run_in_threadpool(select, state, whole, query, limit)
    head = head_document(reader, state.name, collection, query, chosen, limit)
    named = _in_system(chosen.code)
    if len(chosen.rows) > LONG:
        return streamed(
            request, state, reader.lang, geojson_blocks(head, table, chosen),
            media_type=GEOJSON, headers=named, about=(state.mark(layer),),
        )  # fmt: skip
    return await _kept(
        request, reader, state, layer, named,
        lambda: b"".join(geojson_blocks(head, table, chosen)),
    )  # fmt: skip


def _in_system(code: str | None) -> dict[str, str]:
    return {"content-crs": f"<{crs.address(code) if code else crs.CRS84}>"}


async def _kept(
    request: Request,
    reader: Reader,
    state: AreaState,
    layer: str,
    headers: dict[str, str],
    produce: Any,
    media_type: str = GEOJSON,
) -> Response:
    """An answer about a layer, worked out anew once the layer has another mark."""
    mark = state.mark(layer)
    return await answer(
        request,
        state,
        reader.lang,
        produce,
        media_type=media_type,
        headers=headers,
        about=(mark,),
        still=state.unmarked(layer, mark),
    )


async def _from_apart(
    request: Request, reader: Reader, state: AreaState, layer: str, query: ItemsQuery, form: str
) -> Response:
    """The same for a large city, of whose layer nothing is made in this process."""
    _checked_system(state, query, form)
    layer_columns(state.run, layer)  # there is one
    return await sent_file(
        request, state, reader.lang,
        Apart(written_layer, (state,), (layer, query, form, reader.lang)),
        media_type=FORMS[form], headers=_as_file(state, layer, form), about=(state.mark(layer),),
    )  # fmt: skip


def _checked_system(state: AreaState, query: ItemsQuery, form: str) -> None:
    if query.crs is not None and code_of(state, query.crs, "crs") not in (None, crs.WGS84):
        raise RequestError("crs_not_in_files", f=form)


def _as_file(state: AreaState, layer: str, form: str) -> dict[str, str]:
    name = disposition(f"{state.run.manifest.area}.{layer}.{form}")
    return {"content-disposition": name, **_in_system(None)}


async def _download(
    request: Request,
    reader: Reader,
    state: AreaState,
    whole: LayerTable,
    table: LayerTable,
    query: ItemsQuery,
    form: str,
) -> Response:
    """The selection (all of it, unless a limit is asked) as a file in degrees."""
    _checked_system(state, query, form)
    layer = table.name
    chosen = await run_in_threadpool(select, state, whole, query, query.limit)
    told = _as_file(state, layer, form)
    if form == "csv" and len(chosen.rows) > LONG:
        return streamed(
            request, state, reader.lang,
            csv_blocks(table.frame.iloc[chosen.rows], table.columns, BLOCK),
            media_type=FORMS[form], headers=told, about=(state.mark(layer),),
        )  # fmt: skip

    produce: Callable[[], Any] = partial(_file, table, chosen, form, reader.lang)
    if len(chosen.rows) * len(table.columns) > APART[form]:
        produce = Apart(_large_file, (state,), (layer, query, form, reader.lang))
    return await _kept(request, reader, state, layer, told, produce, FORMS[form])


def _file(table: LayerTable, chosen: Page, form: str, lang: Language) -> bytes:
    return file_bytes(f"layer.{form}", lambda path: _write(table, chosen, path, lang))


def _write(table: LayerTable, chosen: Page, path: Path, lang: Language) -> None:
    rows = table.frame.iloc[chosen.rows]
    export_frame(rows, table.columns, path, table.name, lang)


def _large_file(runs: list[Run], layer: str, query: ItemsQuery, form: str, lang: Language) -> bytes:
    return file_bytes(f"layer.{form}", lambda path: _write_large(runs[0], layer, query, path, lang))


def written_layer(
    runs: list[Run], layer: str, query: ItemsQuery, form: str, lang: Language, *, to: str
) -> None:
    """Write what is selected of a layer into the file `to`, sealed (`Workshop.file`)."""
    path = Path(to)
    made = path.with_name(f"layer.{form}")
    _write_large(runs[0], layer, query, made, lang)
    seal(made)
    made.replace(path)


def _write_large(run: Run, layer: str, query: ItemsQuery, path: Path, lang: Language) -> None:
    if query == ItemsQuery(f=query.f, lang=query.lang, run=query.run, year=query.year):
        columns = layer_columns(run, layer)  # all of it: never held at once
        export_blocks(layer_blocks(run, layer), columns, path, layer, lang)
        return
    state = AreaState(run)
    whole = state.layer(layer)
    chosen = select(state, whole, query, query.limit)
    _write(narrowed(whole, chosen_columns(whole, query.properties)), chosen, path, lang)


def _table_page(
    request: Request,
    reader: Reader,
    state: AreaState,
    tables: tuple[LayerTable, LayerTable],
    query: ItemsQuery,
) -> Response:
    """A table of the selection for browsers; `tables`: all columns, and those shown."""
    whole, table = tables
    collection = f"{state.run.manifest.area}.{table.name}"
    limit = min(query.limit or SHOWN_ROWS, reader.settings.max_page_size)
    chosen = select(state, whole, query, limit)
    head = head_document(reader, state.name, collection, query, chosen, limit)
    told = query.model_dump(by_alias=True, exclude_defaults=True, exclude={"f"})
    home = collection_url(reader.base, collection)
    return page(
        request,
        "items.html",
        reader.lang,
        collection=collection,
        home=home,
        title=state.run.manifest.title.text(reader.lang),
        layer=table.name,
        columns=[(c.name, c.title.text(reader.lang), c.dtype) for c in table.columns],
        counted=_counted(table),
        features=features_of(table, chosen.rows, chosen.code),
        matched=chosen.matched,
        first=query.offset + 1,
        links={one["rel"]: one["href"] for one in head["links"]},
        sorts={c.name: _sorted_by(f"{home}/items", told, c.name) for c in table.columns},
        sorted=_first_key(query.sortby),
        told=f"{urlencode({'run': query.run})}&" if query.run else "",
        downloads={
            form: with_query(
                f"{home}/items",
                {k: v for k, v in told.items() if k not in ("limit", "offset")} | {"f": form},
            )
            for form in ("geojson", *FILES)
        },
    )


def _counted(table: LayerTable) -> set[str]:
    return {column.name for column in table.columns if column.unit == "persons"}


def _first_key(written: str | None) -> tuple[str, str]:
    """The column that rows are sorted by first, and how; as `aria-sort` has it."""
    first = (written or "").partition(",")[0]
    return first.lstrip("+- "), "descending" if first.startswith("-") else "ascending"


def _sorted_by(home: str, told: dict[str, Any], name: str) -> str:
    """The same page from its start, sorted by a column; falling where it rises already."""
    turned = f"-{name}" if told.get("sortby", "").lstrip("+ ") == name else name
    return with_query(home, {**told, "f": "html", "sortby": turned, "offset": None})


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
    state = await reader.state_of(area, query)
    whole = await run_in_threadpool(state.layer, layer)
    row = whole.row_of.get(item)
    if row is None:
        raise MissingError("no_item", collection=collection, item=item)
    code = code_of(state, query.crs, "crs")
    table = narrowed(whole, chosen_columns(whole, query.properties))
    told = query.model_dump(exclude_defaults=True, exclude={"f"})

    def feature() -> dict[str, Any]:
        found = features_of(table, np.array([row], dtype=np.intp), code)[0]
        return {**found, "links": item_links(reader, collection, item, told)}

    if query.f == "html" or (query.f is None and wants_page(request)):
        return await run_in_threadpool(_item_page, request, reader, state, table, feature())
    return await _kept(request, reader, state, layer, _in_system(code), feature)


def _item_page(
    request: Request, reader: Reader, state: AreaState, table: LayerTable, feature: dict[str, Any]
) -> Response:
    """One feature for browsers: every property with its title, and where it lies."""
    return page(
        request,
        "item.html",
        reader.lang,
        collection=f"{state.run.manifest.area}.{table.name}",
        title=state.run.manifest.title.text(reader.lang),
        layer=table.name,
        columns=[
            (c.name, c.title.text(reader.lang), c.dtype, c.null.text(reader.lang))
            for c in table.columns
        ],
        counted=_counted(table),
        feature=feature,
        shape=_shape_text(table, feature["id"]),
        links=feature["links"],
    )


def _shape_text(table: LayerTable, identity: str) -> str:
    """A shape as text (WKT), degrees; the middle of a long one is left out by the page."""
    shape = table.frame.geometry.iloc[table.row_of[identity]]
    return "" if shape is None else str(shape.wkt)
