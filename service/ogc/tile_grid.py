"""WebMercatorQuad: where tiles lie (OGC Two Dimensional Tile Matrix Set 2.0, annex D.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from lifecircle.service.errors import MissingError

QUAD: Final = "WebMercatorQuad"
QUAD_URI: Final = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
MERCATOR: Final = "http://www.opengis.net/def/crs/EPSG/0/3857"
HALF_M: Final = math.pi * 6_378_137.0  # from the middle of the world to its edge, in EPSG:3857
PIXEL_M: Final = 0.00028  # of the standard's rendering
TILE_PIXELS: Final = 256
DEEPEST: Final = 16  # the last zoom told; clients draw it larger beyond
_MOST_DIGITS: Final = 9
Box = tuple[float, float, float, float]


def width_m(zoom: int) -> float:
    """Width of a tile in EPSG:3857, metres."""
    return 2 * HALF_M / (1 << zoom)


def tile_of(zoom: str, row: str, column: str) -> tuple[int, int, int]:
    """Zoom, row and column as written in an address.

    Raises
    ------
    MissingError
        There is no such tile in the tile matrix set as served.
    """
    told = (zoom, row, column)
    if all(part.isascii() and part.isdecimal() and len(part) <= _MOST_DIGITS for part in told):
        z, y, x = map(int, told)
        if z <= DEEPEST and max(x, y) < 1 << z:
            return z, y, x
    raise MissingError("no_tile", tile="/".join(told), deepest=DEEPEST)


def box_of(zoom: int, row: int, column: int, buffer: float = 0.0) -> Box:
    """Bounds of a tile in EPSG:3857 (west, south, east, north), `buffer` tile widths wider."""
    width = width_m(zoom)
    west, north = column * width - HALF_M, HALF_M - row * width
    more = buffer * width
    return west - more, north - width - more, west + width + more, north + more


def limits_of(bbox: Sequence[float], zoom: int) -> dict[str, Any]:
    """Rows and columns of the tiles that a box in degrees meets at a zoom."""
    west, south, east, north = bbox
    first_column, first_row = _cell(west, north, zoom)
    last_column, last_row = _cell(east, south, zoom)
    return {
        "tileMatrix": str(zoom),
        "minTileRow": first_row,
        "maxTileRow": last_row,
        "minTileCol": first_column,
        "maxTileCol": last_column,
    }


def check_within(at: tuple[int, int, int], bbox: Sequence[float]) -> None:
    """Refuse an empty tile beyond the limits that its tileset tells (/req/core/tc-error).

    Streets may lead on beyond the area; what lies there is shown.

    Raises
    ------
    MissingError
        Its row or column lies outside.
    """
    zoom, row, column = at
    told = limits_of(bbox, zoom)
    rows = told["minTileRow"] <= row <= told["maxTileRow"]
    if not rows or not told["minTileCol"] <= column <= told["maxTileCol"]:
        raise MissingError("tile_outside", tile="/".join(map(str, at)))


def _cell(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    many = 1 << zoom
    bent = math.asinh(math.tan(math.radians(min(max(lat, -85.0511), 85.0511))))
    column, row = (lon / 360 + 0.5) * many, (0.5 - bent / (2 * math.pi)) * many
    return min(max(int(column), 0), many - 1), min(max(int(row), 0), many - 1)


def tile_matrix_set() -> dict[str, Any]:
    """The definition as a document, down to the last zoom served."""
    return {
        "id": QUAD,
        "uri": QUAD_URI,
        "crs": MERCATOR,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [_tile_matrix(zoom) for zoom in range(DEEPEST + 1)],
    }


def _tile_matrix(zoom: int) -> dict[str, Any]:
    size = width_m(zoom) / TILE_PIXELS
    return {
        "id": str(zoom),
        "scaleDenominator": size / PIXEL_M,
        "cellSize": size,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": [-HALF_M, HALF_M],
        "tileWidth": TILE_PIXELS,
        "tileHeight": TILE_PIXELS,
        "matrixWidth": 1 << zoom,
        "matrixHeight": 1 << zoom,
    }
