"""OGC API Tiles: vector tiles of every layer, with what clients need to find and draw them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.results.columns import Column
from lifecircle.analysis.results.model import Manifest
from lifecircle.service import i18n
from lifecircle.service.errors import MissingError
from lifecircle.service.ogc.collections import found_layer, split_id
from lifecircle.service.ogc.filters import layer_schema
from lifecircle.service.ogc.links import (
    TILING_SCHEME,
    collection_url,
    link,
)
from lifecircle.service.ogc.tile_grid import (
    DEEPEST,
    MERCATOR,
    QUAD,
    QUAD_URI,
    check_within,
    limits_of,
    tile_matrix_set,
    tile_of,
)
from lifecircle.service.ogc.tile_layers import (
    SHOWN_FROM,
    SQUARES,
    coarse_columns,
    drawn_layer,
    tile,
)
from lifecircle.service.queries.questions import NOTHING_ELSE, Asked, OfYear
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.responses import ASKED_AGAIN, JSON, MVT, TILEJSON, answer, encode

router = APIRouter(tags=["ogc"])
DIMENSIONS: Final = {"facilities": 0, "proposals": 0, "network": 1}

CONFORMS_TO: Final = tuple(
    f"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/{part}"
    for part in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30")
)


class TileQuery(OfYear):
    """What a tile takes."""

    f: Literal["mvt"] | None = None


class TilesetQuery(Asked):
    """What the description of a tileset takes."""

    f: Literal["json", "tilejson"] | None = None


@router.get("/tileMatrixSets", dependencies=[NOTHING_ELSE])
async def list_tile_matrix_sets(reader: ReaderNow) -> Response:
    """The one grid of tiles."""
    home = f"{reader.base}/tileMatrixSets"
    document = {
        "links": [link("self", home, JSON)],
        "tileMatrixSets": [
            {"id": QUAD, "uri": QUAD_URI, "crs": MERCATOR, "links": [
                link("self", f"{home}/{QUAD}", JSON),
            ]},
        ],
    }  # fmt: skip
    return Response(encode(document), media_type=JSON, headers=ASKED_AGAIN)


@router.get("/tileMatrixSets/{grid}", dependencies=[NOTHING_ELSE])
async def show_tile_matrix_set(grid: str) -> Response:
    """The definition of the grid."""
    _check_grid(grid)
    return Response(encode(tile_matrix_set()), media_type=JSON, headers=ASKED_AGAIN)


def _check_grid(grid: str) -> None:
    if grid != QUAD:
        raise MissingError("no_tile_grid", grid=grid, known=QUAD)


@router.get("/collections/{collection}/tiles", dependencies=[NOTHING_ELSE])
async def list_tilesets(reader: ReaderNow, collection: str) -> Response:
    """The tilesets of a layer: one."""
    manifest, layer = await found_layer(reader, collection)
    home = f"{collection_url(reader.base, collection)}/tiles"
    row = {
        "title": _title(reader, manifest, layer),
        "dataType": "vector",
        "crs": MERCATOR,
        "tileMatrixSetURI": QUAD_URI,
        "links": [
            link("self", f"{home}/{QUAD}", JSON),
            link(TILING_SCHEME, f"{reader.base}/tileMatrixSets/{QUAD}", JSON),
        ],
    }
    document = {"links": [link("self", home, JSON)], "tilesets": [row]}
    return Response(encode(document), media_type=JSON, headers=ASKED_AGAIN)


@router.get("/collections/{collection}/tiles/{grid}")
async def show_tileset(
    reader: ReaderNow, collection: str, grid: str, query: Annotated[TilesetQuery, Query()]
) -> Response:
    """What a tileset holds and where its tiles are; as TileJSON for maps in browsers."""
    _check_grid(grid)
    manifest, layer = await found_layer(reader, collection)
    columns = (await run_in_threadpool(reader.areas.columns, manifest.area))[layer]
    if query.f == "tilejson":
        document = tilejson(reader, manifest, layer, columns)
        return Response(encode(document), media_type=TILEJSON, headers=ASKED_AGAIN)
    document = tileset_document(reader, manifest, layer, columns)
    return Response(encode(document), media_type=JSON, headers=ASKED_AGAIN)


def _title(reader: Reader, manifest: Manifest, layer: str) -> str:
    layer_title = i18n.text(f"layer_{layer}", reader.lang)
    return f"{manifest.title.text(reader.lang)} · {layer_title}"


def tileset_document(
    reader: Reader, manifest: Manifest, layer: str, columns: tuple[Column, ...]
) -> dict[str, Any]:
    """Metadata of a tileset (OGC TMS 2.0, clause 9); tiles are of whatever run is the latest."""
    home = f"{collection_url(reader.base, f'{manifest.area}.{layer}')}/tiles/{QUAD}"
    first = SHOWN_FROM.get(layer, 0)
    properties = layer_schema(columns, reader.lang)
    del properties["geometry"]
    shape = {"geometryDimension": DIMENSIONS.get(layer, 2)}
    template = link("item", f"{home}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", MVT)
    return {
        "title": _title(reader, manifest, layer),
        "description": i18n.text(
            f"tileset_{layer}" if layer in SQUARES else f"layer_{layer}_about", reader.lang
        ),
        "dataType": "vector",
        "crs": MERCATOR,
        "tileMatrixSetURI": QUAD_URI,
        "boundingBox": {
            "lowerLeft": list(manifest.bbox[:2]),
            "upperRight": list(manifest.bbox[2:]),
            "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        },
        "tileMatrixSetLimits": [limits_of(manifest.bbox, z) for z in range(DEEPEST + 1)],
        "layers": [
            {
                "id": layer,
                "dataType": "vector",
                **shape,
                "minTileMatrix": str(first),
                "maxTileMatrix": str(DEEPEST),
                "propertiesSchema": {"type": "object", "properties": properties},
            }
        ],
        "links": [
            link("self", home, JSON),
            link("describedby", f"{home}?f=tilejson", TILEJSON),
            link(TILING_SCHEME, f"{reader.base}/tileMatrixSets/{QUAD}", JSON),
            {**template, "templated": True},
        ],
    }


def tilejson(
    reader: Reader, manifest: Manifest, layer: str, columns: tuple[Column, ...]
) -> dict[str, Any]:
    """TileJSON 3.0; its tiles are all of the run of this moment, and may be kept for a day."""
    home = f"{collection_url(reader.base, f'{manifest.area}.{layer}')}/tiles/{QUAD}"
    shown = dict.fromkeys((*columns, *coarse_columns(layer, columns)))
    west, south, east, north = manifest.bbox
    return {
        "tilejson": "3.0.0",
        "name": _title(reader, manifest, layer),
        "tiles": [f"{home}/{{z}}/{{y}}/{{x}}?run={manifest.run}"],
        "scheme": "xyz",
        "minzoom": SHOWN_FROM.get(layer, 0),
        "maxzoom": DEEPEST,
        "bounds": list(manifest.bbox),
        "center": [(west + east) / 2, (south + north) / 2, 12],
        "vector_layers": [
            {
                "id": layer,
                "fields": {column.name: column.title.text(reader.lang) for column in shown},
                "minzoom": SHOWN_FROM.get(layer, 0),
                "maxzoom": DEEPEST,
            }
        ],
    }


@router.get("/collections/{collection}/tiles/{grid}/{zoom}/{row}/{column}")
async def show_tile(
    request: Request,
    reader: ReaderNow,
    collection: str,
    grid: str,
    zoom: str,
    row: str,
    column: str,
    query: Annotated[TileQuery, Query()],
) -> Response:
    """One vector tile; 204 where nothing lies in it."""
    _check_grid(grid)
    at = tile_of(zoom, row, column)
    area, layer = split_id(collection)
    state = await reader.state_of(area, query)
    table = await run_in_threadpool(state.layer, layer)
    mark = state.mark(layer)

    def produce() -> bytes:
        drawn = drawn_layer(state, table, mark, at[0])
        return b"" if drawn is None else tile(drawn, *at)

    found = await answer(
        request,
        state,
        reader.lang,
        produce,
        media_type=MVT,
        about=(mark,),
        still=state.unmarked(layer, mark),
    )
    if found.status_code == HTTPStatus.OK and not found.body:
        check_within(at, state.run.manifest.bbox)
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=_without_length(found))
    return found


def _without_length(answered: Response) -> dict[str, str]:
    gone = ("content-length", "content-type")
    return {name: value for name, value in answered.headers.items() if name not in gone}
