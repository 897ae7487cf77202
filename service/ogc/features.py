"""Features as GeoJSON: one, a page of them, or a long page piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from lifecircle.service.catalog.common import properties_of
from lifecircle.service.encoding import encode
from lifecircle.service.ogc import crs
from lifecircle.service.ogc.collections import FORMS
from lifecircle.service.ogc.links import collection_url, link, with_query
from lifecircle.service.ogc.selection import ItemsQuery, Page
from lifecircle.service.queries.reader import Reader
from lifecircle.service.responses import GEOJSON, HTML, JSON
from lifecircle.service.state import LayerTable

BLOCK: Final = 500  # features turned into bytes at a time


def head_document(
    reader: Reader, run: str, collection: str, query: ItemsQuery, chosen: Page, limit: int
) -> dict[str, Any]:
    """A FeatureCollection without its features: counts and links.

    Further pages are of the same run, whatever is built meanwhile.
    """
    home = f"{collection_url(reader.base, collection)}/items"
    told = query.model_dump(by_alias=True, exclude={"limit", "offset"}, exclude_defaults=True)

    def at(offset: int, **more: str) -> str:
        return with_query(home, {**told, **more, "limit": limit, "offset": offset or None})

    links = [
        link("self", at(query.offset), GEOJSON),
        *(
            link("alternate", with_query(home, {**told, "f": form}), kind)
            for form, kind in FORMS.items()
        ),
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
        "links": links,
    }


def geojson_blocks(head: dict[str, Any], table: LayerTable, chosen: Page) -> Iterator[bytes]:
    """A FeatureCollection as bytes, some features at a time: no page is held whole."""
    yield encode(head)[:-1] + b',"features":['
    for start in range(0, len(chosen.rows), BLOCK):
        part = features_of(table, chosen.rows[start : start + BLOCK], chosen.code)
        yield (b"," if start else b"") + encode(part)[1:-1]
    yield b"]}"


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
    shown = [column for column in table.columns if column.name != "id"]
    values = properties_of(part, shown) if shown else [{} for _ in rows]
    return [
        {
            "type": "Feature",
            "id": identity,
            "geometry": None if shape is None else orjson.Fragment(shape),
            "properties": row,
        }
        for identity, shape, row in zip(part["id"].astype(str), shapes, values, strict=True)
    ]


def item_links(
    reader: Reader, collection: str, item: str, told: dict[str, Any]
) -> list[dict[str, str]]:
    """The links of one feature; `told`: the parameters of the question."""
    home = collection_url(reader.base, collection)
    own = f"{home}/items/{quote(item)}"
    return [
        link("self", with_query(own, told), GEOJSON),
        link("alternate", with_query(own, {**told, "f": "html"}), HTML),
        link("collection", home, JSON),
    ]
