"""Closed places: points, lines and polygons where nobody walks through."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.findings import Table, frame_of
from lifecircle.analysis.readers.records.locate import locate, repaired


def read_closures(path: Path, datum: str | None) -> Table:
    """Closures of a table or layer of any kind of geometry.

    Returns
    -------
    Table
        EPSG:4326; `row` int64, the row people see in the file; `geometry`.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    records = read_records(path)
    found = records.findings()
    geometry = repaired(locate(records, datum, found), found)
    frame = gpd.GeoDataFrame(
        frame_of({"row": records.rows}), geometry=list(geometry), crs="EPSG:4326"
    )
    return found.table(frame)
