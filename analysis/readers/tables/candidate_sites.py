"""Places where something could be built, from people's tables and layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.columns import duplicates, objects, pick, texts
from lifecircle.analysis.readers.records.findings import Table, absent, frame_of
from lifecircle.analysis.readers.records.locate import locate, repaired


def read_sites(path: Path, datum: str | None = None) -> Table:
    """Candidate sites of a table or layer: points, or the outlines of plots and buildings.

    Parameters
    ----------
    path
        CSV, TSV, workbook, GeoPackage, GeoJSON, shapefile or GeoParquet with coordinates; an id
        and a name are welcome, nothing else is read.
    datum
        Of bare coordinates: wgs84, gcj02, bd09 or cgcs2000. A layer's own CRS needs none.

    Returns
    -------
    Table
        EPSG:4326; `id` (``row/N`` without a column for it), `name` or None, `geometry`.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    records = read_records(path)
    found = records.findings()
    picked = pick(records.columns, "facilities", found)
    geometry = repaired(locate(records, datum, found), found)
    ids = objects([f"row/{row}" for row in records.rows])
    if "id" in picked:
        column = picked["id"]
        ids = texts(column.values)
        found.each("input_id_blank", absent(ids), column=column.title)
        repeats, earlier = duplicates(ids)
        for index in np.flatnonzero(repeats):
            first = int(records.rows[earlier[int(index)]])
            row = int(records.rows[index])
            found.add("input_id_twice", row=row, column=column.title, value=ids[index],
                      first_row=first)  # fmt: skip
    names = texts(picked["name"].values) if "name" in picked else objects([None] * len(records))
    columns: dict[str, Any] = {"id": ids, "name": names}
    frame = gpd.GeoDataFrame(frame_of(columns), geometry=list(geometry), crs="EPSG:4326")
    return found.table(frame)
