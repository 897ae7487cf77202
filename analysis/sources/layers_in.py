"""Geographic layers: GeoPackage, GeoJSON, shapefile, GeoParquet; and every table by its suffix.

GDAL opens GeoPackages (driver forced) and shapefiles (magic bytes checked) only; GeoJSON is read
here, so that no text of a stranger chooses a driver.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pyproj
import shapely

from analysis.sources.columns_in import Column, objects
from analysis.sources.files_in import (
    SUFFIXES,
    checked_path,
    decoded,
    guard_gdal,
    refuse,
    steady,
)
from analysis.sources.findings import ObjectArray
from analysis.sources.records import Records
from analysis.sources.sheets_in import read_text_table, read_workbook

GEOJSON_CRS: Final = "OGC:CRS84"  # RFC 7946: WGS84, longitude first

_NAMED_CRS = re.compile(
    r"(?i)^(?:urn:ogc:def:crs:)?(EPSG|OGC)(?::[0-9.]*)?:+([A-Z0-9]+)$"
    r"|^https?://www\.opengis\.net/def/crs/(EPSG|OGC)/[0-9.]+/([A-Z0-9]+)$"
)
_SHAPE_PARTS: Final = (".shx", ".dbf")


def read_records(path: Path) -> Records:
    """Records of any supported file.

    Raises
    ------
    InputError
        The file is missing, empty, something else than its suffix says, damaged, or changes
        while it is read.
    """
    given = Path(path)
    whole = checked_path(given, SUFFIXES)
    readers = {
        ".csv": read_text_table,
        ".tsv": read_text_table,
        ".txt": read_text_table,
        ".gpkg": _read_geopackage,
        ".geojson": _read_geojson,
        ".json": _read_geojson,
        ".shp": _read_shapefile,
        ".parquet": _read_parquet,
        ".geoparquet": _read_parquet,
    }
    records = readers.get(whole.suffix.lower(), read_workbook)(whole)
    if len(records) == 0:
        raise refuse(whole, "input_no_rows")
    return records


def _read_geopackage(path: Path) -> Records:
    guard_gdal()
    import pyogrio

    with steady(path):
        try:
            source = f"GPKG:{path}"
            layers = [str(n) for n, geometry in pyogrio.list_layers(source) if geometry]
            if len(layers) != 1:
                key = "input_layers_many" if layers else "input_layers_none"
                raise refuse(path, key, layers=", ".join(layers))
            frame = pyogrio.read_dataframe(source, layer=layers[0])
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise refuse(path, "input_broken", detail=str(error)) from error
    return _from_frame(path, frame)


def _read_shapefile(path: Path) -> Records:
    guard_gdal()
    import pyogrio

    missing = [part for part in _SHAPE_PARTS if not _beside(path, part).exists()]
    if missing:
        raise refuse(path, "input_shape_parts", missing=", ".join(missing))
    with steady(path):
        encoding = None if _beside(path, ".cpg").exists() else _dbf_encoding(_beside(path, ".dbf"))
        try:
            frame = pyogrio.read_dataframe(path, encoding=encoding)
        except (
            pyogrio.errors.DataSourceError,
            pyogrio.errors.DataLayerError,
            UnicodeDecodeError,
        ) as error:
            raise refuse(path, "input_broken", detail=str(error)) from error
    return _from_frame(path, frame)


def _beside(path: Path, suffix: str) -> Path:
    """The companion of a shapefile, whatever the case of its suffix."""
    upper = path.with_suffix(suffix.upper())
    return upper if upper.exists() else path.with_suffix(suffix)


def _dbf_encoding(path: Path) -> str:
    """Encoding of a dbf without .cpg: strict UTF-8 where its bytes allow it, else GB18030."""
    raw = path.read_bytes()
    start = int.from_bytes(raw[8:10], "little")
    names = b"".join(raw[at : at + 11].split(b"\x00")[0] for at in range(32, start - 1, 32))
    try:
        (names + raw[start:]).decode("utf-8")
    except UnicodeDecodeError:
        return "GB18030"
    return "UTF-8"


def _read_parquet(path: Path) -> Records:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with steady(path):
        try:
            metadata = pq.read_schema(path).metadata or {}
            read = gpd.read_parquet if b"geo" in metadata else pd.read_parquet
            frame = read(path)
        except (pa.ArrowException, ValueError, shapely.errors.ShapelyError) as error:
            raise refuse(path, "input_broken", detail=str(error)) from error
    return _from_frame(path, frame)


def _from_frame(path: Path, frame: pd.DataFrame) -> Records:
    """Records of a frame; its CRS counts only where it names a place on the Earth."""
    shape, crs = None, None
    if isinstance(frame, gpd.GeoDataFrame):
        shape = objects(list(frame.geometry))
        crs = frame.crs if is_earthly(frame.crs) else None
        frame = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    columns = tuple(
        Column(str(title), _cells(frame.iloc[:, place]))
        for place, title in enumerate(frame.columns)
    )
    return Records(path, columns, np.arange(1, len(frame) + 1, dtype=np.int64), shape, crs)


def _cells(series: pd.Series[Any]) -> ObjectArray:
    """Cells as Python objects, None where missing."""
    plain = series.astype(object)
    return objects(list(plain.where(series.notna(), None)))


def is_earthly(crs: Any) -> bool:
    """Whether a CRS says where on the Earth: not undefined, not an engineering grid."""
    if crs is None or str(crs.name).lower().startswith(("undefined", "unknown")):
        return False
    return bool(crs.is_geographic or crs.is_projected)


def _read_geojson(path: Path) -> Records:
    with steady(path):
        raw = path.read_bytes()
    try:
        content = orjson.loads(decoded(path, raw).removeprefix("\ufeff"))
    except orjson.JSONDecodeError as error:
        raise refuse(path, "input_broken", detail=str(error)) from None
    features = _features(path, content)
    shapes = [feature.get("geometry") for feature in features]
    texts = [None if shape is None else orjson.dumps(shape).decode() for shape in shapes]
    geometry = shapely.from_geojson(objects(texts), on_invalid="ignore")
    named = content.get("crs")
    try:
        crs = pyproj.CRS.from_user_input(GEOJSON_CRS if named is None else _crs_name(named))
    except pyproj.exceptions.CRSError:
        raise refuse(path, "input_crs_unknown", crs=str(named)) from None
    titles = dict.fromkeys(t for feature in features for t in feature.get("properties") or {})
    columns = tuple(
        Column(title, objects([(f.get("properties") or {}).get(title) for f in features]))
        for title in titles
    )
    if "id" not in titles and any("id" in feature for feature in features):
        columns += (Column("id", objects([feature.get("id") for feature in features])),)
    rows = np.arange(1, len(features) + 1, dtype=np.int64)
    return Records(path, columns, rows, objects(list(geometry)), crs)


def _features(path: Path, content: Any) -> Sequence[dict[str, Any]]:
    """The features of a GeoJSON document."""
    kind = content.get("type") if isinstance(content, dict) else None
    features = content.get("features") if kind == "FeatureCollection" else [content]
    if kind not in ("FeatureCollection", "Feature") or not isinstance(features, list):
        raise refuse(path, "input_not_geojson")
    sound = all(
        isinstance(f, dict) and isinstance(f.get("properties") or {}, dict) for f in features
    )
    if not sound:
        raise refuse(path, "input_not_geojson")
    return features


def _crs_name(named: Any) -> str:
    """``AUTHORITY:code`` of a GeoJSON `crs` member; anything else is refused."""
    properties = named.get("properties") if isinstance(named, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    match = _NAMED_CRS.match(name) if isinstance(name, str) else None
    if match is None:
        raise pyproj.exceptions.CRSError(str(named))
    return f"{match[1] or match[3]}:{match[2] or match[4]}"
