"""Records of frames that a library read, and what such libraries raise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from lifecircle.analysis.readers.records.columns import Column, objects
from lifecircle.analysis.readers.records.findings import ObjectArray
from lifecircle.analysis.readers.records.records import Records


def records_of_frame(path: Path, frame: pd.DataFrame) -> Records:
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


def unreadable() -> tuple[type[Exception], ...]:
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
