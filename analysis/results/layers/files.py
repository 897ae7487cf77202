"""Layers of a run as files: GeoParquet in which a shape of many rows stands once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from lifecircle.analysis.city.model import GeometryArray
from lifecircle.analysis.machine import collecting_seldom
from lifecircle.analysis.quantities import NOBODY, Int32Array
from lifecircle.analysis.results.layers.values import looked_up

GEOPARQUET: Final = "1.1.0"
_ALL_DISTINCT: Final = 1 << 30  # bytes of distinct values a column holds before it repeats them


def write_layer(file: Path, frame: gpd.GeoDataFrame) -> None:
    """Write a layer; rows that hold one shape (the same object) share one in the file too.

    Source: GeoParquet 1.1.0 (WKB); Parquet's dictionary encoding.
    """
    name = frame.geometry.name
    shapes = frame.geometry.to_numpy()
    distinct, row = distinct_shapes(shapes)
    plain = pa.Table.from_pandas(pd.DataFrame(frame.drop(columns=name)), preserve_index=False)
    wkb = pa.array(shapely.to_wkb(distinct), pa.binary())
    index = pa.array(row, mask=row == NOBODY)
    table = plain.append_column(name, pa.DictionaryArray.from_arrays(index, wkb))
    with pq.ParquetWriter(
        file,
        table.schema,
        compression="zstd",
        dictionary_pagesize_limit=_ALL_DISTINCT,
        store_schema=False,  # to other programs the shapes are plain WKB
    ) as writer:
        writer.write_table(table)
        about = plain.schema.metadata | {b"geo": _about(name, distinct, frame.crs)}
        writer.add_key_value_metadata(about)


def read_layer(file: Path) -> gpd.GeoDataFrame:
    """A layer as it was written, texts as objects with None; rows share the shapes they share."""
    with pq.ParquetFile(file, read_dictionary=["geometry"]) as held:
        table = held.read(use_threads=False)
    about = json.loads(table.schema.metadata[b"geo"])["columns"]["geometry"]
    column = table.column("geometry").combine_chunks()
    with collecting_seldom():
        distinct = shapely.from_wkb(column.dictionary.to_numpy(zero_copy_only=False))
    row = column.indices.fill_null(NOBODY).to_numpy()
    shapes = looked_up(np.asarray(distinct, dtype=np.object_), row)
    frame = table.drop_columns(["geometry"]).to_pandas()
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=about["crs"])


def distinct_shapes(shapes: GeometryArray) -> tuple[GeometryArray, Int32Array]:
    """The distinct objects among shapes (n,), the first met first, and where each row's is.

    NOBODY where there is no shape.
    """
    place: dict[int, int] = {id(None): NOBODY}
    row = np.array([place.setdefault(id(one), len(place) - 1) for one in shapes], dtype=np.int32)
    first = np.empty(len(place) - 1, dtype=np.int64)
    there = np.flatnonzero(row != NOBODY)[::-1]
    first[row[there]] = there
    return shapes[first], row


def _about(name: str, shapes: GeometryArray, crs: Any) -> str:
    """What GeoParquet says of the column of shapes."""
    kinds = np.unique(shapely.get_type_id(shapes))
    told: dict[str, Any] = {
        "encoding": "WKB",
        "crs": crs.to_json_dict(),
        "geometry_types": sorted(_KINDS[kind] for kind in kinds.tolist()),
    }
    if not shapely.is_empty(shapes).all():  # what has no place has no box: JSON knows no NaN
        told["bbox"] = shapely.total_bounds(shapes).tolist()
    columns = {"primary_column": name, "columns": {name: told}, "version": GEOPARQUET}
    return json.dumps(columns)


_KINDS: Final = {
    int(kind): name
    for kind, name in (
        (shapely.GeometryType.POINT, "Point"),
        (shapely.GeometryType.LINESTRING, "LineString"),
        (shapely.GeometryType.POLYGON, "Polygon"),
        (shapely.GeometryType.MULTIPOINT, "MultiPoint"),
        (shapely.GeometryType.MULTILINESTRING, "MultiLineString"),
        (shapely.GeometryType.MULTIPOLYGON, "MultiPolygon"),
        (shapely.GeometryType.GEOMETRYCOLLECTION, "GeometryCollection"),
    )
}
