"""Collections: one per area and layer, ``{area}.{layer}``."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.results.columns import LAYERS, OPTIONAL_LAYERS, Column
from lifecircle.analysis.results.model import Manifest
from lifecircle.service import i18n
from lifecircle.service.errors import MissingError
from lifecircle.service.ogc.crs import CRS84, offered
from lifecircle.service.ogc.filters import (
    feature_schema,
    layer_schema,
    queryable_schema,
    queryables,
)
from lifecircle.service.ogc.links import TILESETS, collection_url, link
from lifecircle.service.pages import page
from lifecircle.service.queries.questions import PageQuery
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.responses import (
    ASKED_AGAIN,
    CSV,
    GEOJSON,
    GPKG,
    HTML,
    JSON,
    PARQUET,
    SCHEMA,
    XLSX,
    encode,
    wants_page,
)

router = APIRouter(tags=["ogc"])
SCHEMA_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/schema"
SHAPE_ASKED: Final = {"geometry": {"x-ogc-role": "primary-geometry", "format": "geometry-any"}}
QUERYABLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SORTABLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/sortables"
FORMS: Final = {
    "html": HTML, "csv": CSV, "xlsx": XLSX, "gpkg": GPKG, "parquet": PARQUET,
}  # fmt: skip


def split_id(collection: str) -> tuple[str, str]:
    """Area and layer of a collection id.

    Raises
    ------
    MissingError
        It does not name a layer.
    """
    area, _, layer = collection.rpartition(".")
    if not area or layer not in (*LAYERS, *OPTIONAL_LAYERS):
        raise MissingError("no_collection", collection=collection)
    return area, layer


def listed_layers(reader: Reader, manifest: Manifest) -> tuple[str, ...]:
    """The layers of an area's latest run, without opening it."""
    held = {layer for layer in OPTIONAL_LAYERS if manifest.counts.get(layer)}
    if reader.areas.has_proposals(manifest.area, manifest.run):
        held.add("proposals")
    return (*LAYERS, *(layer for layer in OPTIONAL_LAYERS if layer in held))


def checked_manifest(reader: Reader, manifest: Manifest, layer: str) -> Manifest:
    """The manifest of an area that has a layer.

    Raises
    ------
    MissingError
        Its latest run has no such layer.
    """
    if layer not in listed_layers(reader, manifest):
        raise MissingError("no_collection", collection=f"{manifest.area}.{layer}")
    return manifest


@router.get("/collections")
async def list_collections(
    request: Request, reader: ReaderNow, query: Annotated[PageQuery, Query()]
) -> Response:
    """The collections of this service."""
    listed = await run_in_threadpool(_all_collections, reader)
    if query.f == "html" or (query.f is None and wants_page(request)):
        return page(request, "collections.html", reader.lang, collections=listed)
    document = {
        "links": [
            link("self", f"{reader.base}/collections", JSON),
            link("alternate", f"{reader.base}/collections?f=html", HTML),
        ],
        "collections": listed,
    }
    return Response(encode(document), media_type=JSON, headers=ASKED_AGAIN)


def _all_collections(reader: Reader) -> list[dict[str, Any]]:
    listed = []
    for area in reader.areas.names():
        try:
            manifest = reader.areas.manifest(area)
        except LifecircleError:
            continue  # `/areas` names it and says why
        listed += [
            collection_document(reader, manifest, layer)
            for layer in listed_layers(reader, manifest)
        ]
    return listed


def collection_document(reader: Reader, manifest: Manifest, layer: str) -> dict[str, Any]:
    """Title, extent, coordinate systems and links of one layer."""
    name = f"{manifest.area}.{layer}"
    title = i18n.text(f"layer_{layer}", reader.lang)
    home = collection_url(reader.base, name)
    return {
        "id": name,
        "title": f"{manifest.title.text(reader.lang)} · {title}",
        "description": i18n.text(f"layer_{layer}_about", reader.lang),
        "itemType": "feature",
        "extent": {"spatial": {"bbox": [list(manifest.bbox)], "crs": CRS84}},
        "crs": list(offered(manifest.crs)),
        "storageCrs": CRS84,
        "links": [
            link("self", home, JSON),
            link("alternate", f"{home}?f=html", HTML),
            link("items", f"{home}/items", GEOJSON),
            *(link("items", f"{home}/items?f={form}", kind, form) for form, kind in FORMS.items()),
            link(QUERYABLES, f"{home}/queryables", SCHEMA),
            link(SORTABLES, f"{home}/sortables", SCHEMA),
            link("describedby", f"{home}/schema?profile=geojson", SCHEMA),
            link(SCHEMA_REL, f"{home}/schema", SCHEMA),
            link(TILESETS, f"{home}/tiles", JSON),
        ],
    }


@router.get("/collections/{collection}")
async def show_collection(
    request: Request, reader: ReaderNow, collection: str, query: Annotated[PageQuery, Query()]
) -> Response:
    """Title, extent, coordinate systems and links of a collection."""
    manifest, layer = await found_layer(reader, collection)
    document = collection_document(reader, manifest, layer)
    if query.f == "html" or (query.f is None and wants_page(request)):
        return page(request, "collection.html", reader.lang, c=document, layer=layer,
                    area=manifest.area, run=manifest.run)  # fmt: skip
    return Response(encode(document), media_type=JSON, headers=ASKED_AGAIN)


async def found_layer(reader: Reader, collection: str) -> tuple[Manifest, str]:
    """The manifest of the latest run, and the layer, which it has."""
    area, layer = split_id(collection)
    manifest = await run_in_threadpool(reader.areas.manifest, area)
    return checked_manifest(reader, manifest, layer), layer


@router.get("/collections/{collection}/queryables")
async def show_queryables(
    request: Request, reader: ReaderNow, collection: str, query: Annotated[PageQuery, Query()]
) -> Response:
    """A JSON Schema of the attributes that ``items`` takes as filters."""
    columns = await _columns(reader, collection)
    schema = queryable_schema(queryables(columns).values(), reader.lang) | SHAPE_ASKED
    return _schema(request, reader, f"{collection}/queryables", schema, query.f, closed=True)


@router.get("/collections/{collection}/sortables")
async def show_sortables(
    request: Request, reader: ReaderNow, collection: str, query: Annotated[PageQuery, Query()]
) -> Response:
    """A JSON Schema of the attributes that ``sortby`` takes: every column."""
    schema = queryable_schema(await _columns(reader, collection), reader.lang)
    return _schema(request, reader, f"{collection}/sortables", schema, query.f, closed=True)


async def _columns(reader: Reader, collection: str) -> tuple[Column, ...]:
    manifest, layer = await found_layer(reader, collection)
    return (await run_in_threadpool(reader.areas.columns, manifest.area))[layer]


def _schema(
    request: Request,
    reader: Reader,
    path: str,
    properties: dict[str, Any],
    form: str | None,
    *,
    closed: bool = False,
) -> Response:
    """Properties as a JSON Schema, or as a table for browsers; `path` below ``/collections``."""
    collection, _, kind = path.rpartition("/")
    if form == "html" or (form is None and wants_page(request)):
        return page(request, "properties.html", reader.lang, collection=collection,
                    kind=kind.partition("?")[0], properties=properties)  # fmt: skip
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{reader.base}/collections/{quote(collection)}/{kind}",
        "type": "object",
        "title": collection,
        "properties": properties,
        **({"additionalProperties": False} if closed else {}),
    }
    return Response(encode(document), media_type=SCHEMA, headers=ASKED_AGAIN)


class SchemaQuery(PageQuery):
    """What `/schema` takes; ``geojson`` is the schema of the GeoJSON that `items` answers."""

    profile: Literal["geojson"] | None = None


@router.get("/collections/{collection}/schema")
async def show_schema(
    request: Request, reader: ReaderNow, collection: str, query: Annotated[SchemaQuery, Query()]
) -> Response:
    """A JSON Schema of a feature: the type, title and unit of every property."""
    columns = await _columns(reader, collection)
    if query.profile is None:
        schema = layer_schema(columns, reader.lang)
        return _schema(request, reader, f"{collection}/schema", schema, query.f)
    schema = feature_schema(columns, reader.lang)
    return _schema(
        request, reader, f"{collection}/schema?profile=geojson", schema, query.f or "json"
    )
