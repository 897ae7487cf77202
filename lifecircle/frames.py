"""Rows of documents as frames: units with their polygons, persons as whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import pandas as pd

from lifecircle.analysis.results.layers.layers import DEGREES
from lifecircle.analysis.results.model import Run

Row = Mapping[str, Any]
_WORDS = ("name", "name_en", "missing", "unit")  # texts even where none is known


def unit_frame(run: Run, level: str, rows: Sequence[Row]) -> gpd.GeoDataFrame:
    """Rows about units of a level with their polygons (EPSG:4326), indexed by unit code."""
    units = run.city.units
    at = {str(units.code[i]): units.geometry[i] for i in units.of_level(level)}
    shapes = gpd.GeoSeries([at[row["code"]] for row in rows], crs=run.city.crs).to_crs(DEGREES)
    table = row_table(rows)
    return gpd.GeoDataFrame(table, geometry=shapes.array, crs=DEGREES).set_index("code")


def row_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Rows as a table: whole numbers Int64 (unknown NA), other numbers float64 (unknown NaN)."""
    names = list(rows[0]) if rows else ["code"]
    return pd.DataFrame({name: _column(name, [row[name] for row in rows]) for name in names})


def _column(name: str, values: Sequence[Any]) -> Any:
    if name in _WORDS:
        return pd.Series(list(values), dtype=object)
    known = [value for value in values if value is not None]
    if known and all(type(value) is int for value in known):
        return pd.array(list(values), dtype="Int64")
    if all(type(value) in (int, float) for value in known):
        return pd.array(list(values), dtype="Float64").to_numpy(dtype=float, na_value=float("nan"))
    return pd.Series(list(values), dtype=object)


def texts_of(document: Row) -> list[str]:
    """The remarks of a document as sentences."""
    return [str(remark["text"]) for remark in document["warnings"]]
