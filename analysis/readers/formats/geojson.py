"""GeoJSON, read without GDAL, so that no text of a stranger chooses a driver.

One document, or a feature a line (newline-delimited, and text sequences of RFC 8142).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyproj
import shapely

from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.coordinates.places_written import close_rings
from lifecircle.analysis.readers.records.files import decode_text, refuse, watch_file
from lifecircle.analysis.readers.records.records import Records, rings_closed

GEOJSON_CRS: Final = "OGC:CRS84"  # RFC 7946: WGS84, longitude first

_SEPARATOR: Final = "\x1e"  # before each document of a sequence

_NAMED_CRS = re.compile(
    r"(?i)^(?:urn:ogc:def:crs:)?(EPSG|OGC)(?::[0-9.]*)?:+([A-Z0-9]+)$"
    r"|^https?://www\.opengis\.net/def/crs/(EPSG|OGC)/[0-9.]+/([A-Z0-9]+)$"
)


def read_geojson(path: Path) -> Records:
    """Records of a FeatureCollection, a Feature, or of one Feature a line."""
    with watch_file(path):
        raw = path.read_bytes()
    text, _ = decode_text(path, raw)
    content = _parse(path, text)
    features = _find_features(path, content)
    if len(features) > limits.ROWS:
        raise refuse(path, "input_table_large", most=f"{limits.ROWS:,}", cells=f"{limits.CELLS:,}")
    shapes = [feature.get("geometry") for feature in features]
    texts = [None if shape is None else str(_flatten_value(path, shape)) for shape in shapes]
    geometry = shapely.from_geojson(object_array(texts), on_invalid="ignore")
    closed = [i for i, g in enumerate(geometry) if g is None and close_rings(shapes[i])]
    for at in closed:
        mended = str(_flatten_value(path, shapes[at]))
        geometry[at] = shapely.from_geojson(mended, on_invalid="ignore")
    unread = [t is not None and g is None for t, g in zip(texts, geometry, strict=True)]
    told = rings_closed(path, [at + 1 for at in closed if not unread[at]])
    named = content.get("crs")
    try:
        crs = pyproj.CRS.from_user_input(GEOJSON_CRS if named is None else _parse_crs_name(named))
    except pyproj.exceptions.CRSError:
        raise refuse(path, "input_crs_unknown", crs=str(named)) from None
    properties = [feature.get("properties") or {} for feature in features]
    titles = dict.fromkeys(title for held in properties for title in held)
    if len(titles) > limits.COLUMNS or len(titles) * len(features) > limits.CELLS:
        raise refuse(path, "input_columns_many", most=limits.COLUMNS)
    columns = tuple(_read_column(path, title, properties) for title in titles)
    if "id" not in titles and any("id" in feature for feature in features):
        columns += (_read_column(path, "id", features),)
    rows = np.arange(1, len(features) + 1, dtype=np.int64)
    return Records(path, tuple(columns), rows, geometry, crs, told, np.array(unread, np.bool_))


def _parse(path: Path, text: str) -> Any:
    """The document; of several, one a line, a FeatureCollection of them."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        lines = [line for line in text.replace(_SEPARATOR, "\n").splitlines() if line.strip()]
        try:
            each = [orjson.loads(line) for line in lines]
        except orjson.JSONDecodeError:
            raise refuse(path, "input_broken", detail=str(error)) from None
    if len(each) == 1:
        return each[0]
    if not all(isinstance(one, dict) and one.get("type") == "Feature" for one in each):
        raise refuse(path, "input_not_geojson")
    return {"type": "FeatureCollection", "features": each}


def _read_column(path: Path, title: str, holders: Sequence[dict[str, Any]]) -> Column:
    """What every holder (a feature, or its properties) has under a title."""
    return Column(title, object_array([_flatten_value(path, one.get(title)) for one in holders]))


def _flatten_value(path: Path, value: Any) -> Any:
    """A property as a cell: lists and objects as JSON text."""
    if not isinstance(value, list | dict):
        return value
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # nested deeper than 254
        raise refuse(path, "input_nested", most=limits.JSON_DEPTH) from None


def _find_features(path: Path, content: Any) -> Sequence[dict[str, Any]]:
    """The features of a GeoJSON document."""
    kind = content.get("type") if isinstance(content, dict) else None
    features = content.get("features") if kind == "FeatureCollection" else [content]
    if kind not in ("FeatureCollection", "Feature") or not isinstance(features, list):
        raise refuse(path, _tell_other(content))
    sound = all(
        isinstance(f, dict) and isinstance(f.get("properties") or {}, dict) for f in features
    )
    if not sound:
        raise refuse(path, _tell_other(content))
    return features


def _tell_other(content: Any) -> str:
    """What is said of JSON that is no GeoJSON: its form, where people send it."""
    if isinstance(content, dict):
        if content.get("type") == "Topology":
            return "input_topojson"
        if isinstance(content.get("elements"), list):
            return "input_overpass_json"
        if "spatialReference" in content or "geometryType" in content:
            return "input_esri_json"
    return "input_not_geojson"


def _parse_crs_name(named: Any) -> str:
    """``AUTHORITY:code`` of a GeoJSON `crs` member; anything else is refused."""
    properties = named.get("properties") if isinstance(named, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    match = _NAMED_CRS.match(name) if isinstance(name, str) else None
    if match is None:
        raise pyproj.exceptions.CRSError(str(named))
    return f"{match[1] or match[3]}:{match[2] or match[4]}"
