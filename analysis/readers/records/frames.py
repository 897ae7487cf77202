"""Frames at the edges: records of frames that a library read, and tables as frames for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from lifecircle.analysis.quantities import Counts, ObjectArray
from lifecircle.analysis.readers.records.cells import CellArray, object_array
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.coordinates.located import DEGREES
from lifecircle.analysis.readers.records.records import Records, rings_closed


def records_of_frame(path: Path, frame: pd.DataFrame) -> Records:
    """Records of a frame; its CRS counts only where it names a place on the Earth."""
    shape, crs, geometry = None, None, None
    if isinstance(frame, gpd.GeoDataFrame):
        geometry = frame.geometry.name
        shape = np.asarray(frame.geometry.to_numpy(), dtype=np.object_)
        crs = frame.crs if is_earthly(frame.crs) else None
    columns = tuple(
        Column(str(title), _cells_of(pd.Series(frame.iloc[:, place])))
        for place, title in enumerate(frame.columns)
        if title != geometry
    )
    return Records(path, columns, np.arange(1, len(frame) + 1, dtype=np.int64), shape, crs)


def read_layer(path: Path, source: Path | str, **options: Any) -> Records:
    """Records of a layer as GDAL opens it; rings that are open are closed, with a remark.

    Raises
    ------
    Exception : one of `pyogrio_errors`, on a damaged file.
    """
    import pyogrio

    try:
        return records_of_frame(path, pyogrio.read_dataframe(source, **options))
    except shapely.errors.GEOSException:  # a geometry that is none: all of them, one by one
        frame = pyogrio.read_dataframe(source, read_geometry=False, **options)
        said, _, packed, _ = pyogrio.raw.read(source, columns=[], **options)
    return records_of_packed(path, frame, packed, said["crs"])


def records_of_packed(path: Path, frame: pd.DataFrame, packed: Any, crs: Any) -> Records:
    """Records of a frame with its geometries as WKB, of which some cannot be read as they are."""
    shapes = np.asarray(shapely.from_wkb(packed, on_invalid="ignore"), dtype=np.object_)
    broken = [i for i, one in enumerate(packed) if one is not None and shapes[i] is None]
    for at in broken:
        shapes[at] = _close_packed(packed[at])
    unread = np.zeros(len(shapes), np.bool_)
    unread[[at for at in broken if shapes[at] is None]] = True
    records = records_of_frame(path, gpd.GeoDataFrame(frame, geometry=list(shapes), crs=crs))
    told = rings_closed(path, [at + 1 for at in broken if not unread[at]])
    return replace(records, geometry=shapes, remarks=told, unread=unread)


def _close_packed(packed: bytes) -> Any:
    """A geometry in WKB with its rings closed; None where that is not what is wrong."""
    try:
        return shapely.from_wkb(packed, on_invalid="fix")
    except shapely.errors.GEOSException:
        return None


def _cells_of(series: pd.Series[Any]) -> CellArray:
    """Cells of a column: numbers as they are, else Python objects, None where missing."""
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iuf":
        return series.to_numpy()
    plain = series.astype(object)
    return object_array(list(plain.where(series.notna(), None)))


def frame_of(columns: Mapping[str, Any], shapes: ObjectArray | None = None) -> Any:
    """Columns as a frame for people: unknown is None in texts, null in whole numbers, else NaN.

    With `shapes` (degrees of WGS84) it is a GeoDataFrame.
    """
    frame = pd.DataFrame({name: _column_of(values) for name, values in columns.items()})
    if shapes is None:
        return frame
    return gpd.GeoDataFrame(frame, geometry=list(shapes), crs=DEGREES)


def _column_of(values: Any) -> Any:
    if isinstance(values, Counts):
        return pd.arrays.IntegerArray(values.value.copy(), ~values.known)
    if isinstance(values, np.ndarray) and values.dtype == np.object_:
        return pd.Series(values, dtype=object)
    return values


def is_earthly(crs: Any) -> bool:
    """Whether a CRS says where on the Earth: not undefined, not an engineering grid."""
    if crs is None or str(crs.name).lower().startswith(("undefined", "unknown")):
        return False
    return bool(crs.is_geographic or crs.is_projected)


def pyogrio_errors() -> tuple[type[Exception], ...]:
    """What pyogrio raises on a damaged file."""
    import pyogrio

    return (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        pyogrio.errors.FeatureError,
        pyogrio.errors.FieldError,
        pyogrio.errors.GeometryError,
        pyogrio.errors.CRSError,
        pyproj.exceptions.ProjError,
        shapely.errors.ShapelyError,
        UnicodeDecodeError,
        ValueError,
        OverflowError,
    )
