"""Frames drawn in a test as the tables that readers hand over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.analysis.city.facilities.rows import FacilityRows
from lifecircle.analysis.quantities import Counts, ObjectArray
from lifecircle.analysis.readers.records.attributes import restored_attribute
from lifecircle.analysis.readers.records.cells import no_texts, object_array
from lifecircle.analysis.readers.records.coordinates.located import Located, Reading
from lifecircle.analysis.readers.records.groups import group_of
from lifecircle.analysis.readers.records.tables import CellTable, FacilityTable, UnitTable

_OWN = ("id", "service", "name", "source", "geometry", "_row")


def located(frame: gpd.GeoDataFrame) -> Located:
    shapes = np.array(frame.geometry, dtype=object)
    reading = Reading("drawn", len(frame), frame.crs.to_string(), "wgs84", own=True)
    return Located(shapes, (reading,))


def texts(frame: pd.DataFrame, column: str) -> ObjectArray:
    if column not in frame.columns:
        return no_texts(len(frame))
    return object_array([None if pd.isna(v) else str(v) for v in frame[column]])


def counts(frame: pd.DataFrame, column: str) -> Counts:
    if column not in frame.columns:
        return Counts.unknown(len(frame))
    return Counts.listed(None if pd.isna(v) else int(v) for v in frame[column])


def groups(frame: pd.DataFrame) -> dict[str, Counts]:
    names = [c for c in frame.columns if c == "households" or str(c).startswith("pop_")]
    return dict(sorted((group_of(name), counts(frame, name)) for name in names))


def cell_table(frame: gpd.GeoDataFrame) -> CellTable:
    residents = counts(frame, "residents").value
    return CellTable(texts(frame, "id"), residents, groups(frame), located(frame))


def unit_table(frame: gpd.GeoDataFrame) -> UnitTable:
    names = ("code", "name", "name_en", "level", "unit_class", "parent_code")
    return UnitTable(
        **{name: texts(frame, name) for name in names},
        residents=counts(frame, "residents"),
        groups=groups(frame),
        where=located(frame),
    )


def facility_table(frame: gpd.GeoDataFrame) -> FacilityTable:
    def held(name: str) -> Any:
        return restored_attribute(name, (None if pd.isna(v) else v for v in frame[name]))

    rows = frame["_row"] if "_row" in frame.columns else range(1, len(frame) + 1)
    return FacilityTable(
        id=texts(frame, "id"),
        service=texts(frame, "service"),
        name=texts(frame, "name"),
        source=texts(frame, "source"),
        attributes={str(name): held(name) for name in frame.columns if name not in _OWN},
        where=located(frame),
        rows=np.array(rows, dtype=np.int64),
    )


def facility_rows(frames: Sequence[gpd.GeoDataFrame], crs: str) -> list[FacilityRows]:
    return [FacilityRows.of(facility_table(frame), crs) for frame in frames]


def shown(rows: FacilityRows) -> pd.DataFrame:
    columns = {"id": rows.id, "service": rows.service, "name": rows.name, "source": rows.source}
    return pd.DataFrame(columns | dict(rows.attributes))
