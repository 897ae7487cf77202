"""Columns of frames as plain arrays, and the order of codes and ids."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.analysis.city.model import StrArray
from lifecircle.analysis.quantities import IntArray


def texts(values: Iterable[object]) -> StrArray:
    """An object array (k,) of strings, None for null."""
    listed = [None if pd.isna(value) else str(value) for value in values]  # type: ignore[call-overload]
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array


def counts(frame: gpd.GeoDataFrame, column: str) -> IntArray:
    """A column of whole numbers as int64, -1 where null or where the column is missing."""
    if column not in frame.columns:
        return np.full(len(frame), -1, dtype=np.int64)
    return np.asarray(frame[column].astype("Int64").fillna(-1), dtype=np.int64)


def group_columns(frame: gpd.GeoDataFrame) -> dict[str, str]:
    """Population groups of a frame and their columns: ``{"0_3": "pop_0_3", ...}``, sorted."""
    groups = {
        str(column).removeprefix("pop_"): str(column)
        for column in frame.columns
        if str(column) == "households" or str(column).startswith("pop_")
    }
    return dict(sorted(groups.items()))


def code_key(code: str) -> tuple[int, int, str]:
    """Sort key of codes and ids: numbers by value before all others by their letters."""
    return (0, int(code), code) if code.isascii() and code.isdigit() else (1, 0, code)
