"""Rows without coordinates: told from the others, so that they may be placed at their unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lifecircle.analysis.quantities import BoolArray
from lifecircle.analysis.readers.records.columns import is_blank, pick
from lifecircle.analysis.readers.records.findings import Findings, ObjectArray
from lifecircle.analysis.readers.records.locate import locate
from lifecircle.analysis.readers.records.records import Records


def without_coordinates(records: Records) -> BoolArray:
    """Records (n,) that say nothing about where they are: no geometry, no cell filled."""
    filled = np.zeros(len(records), np.bool_)
    if records.geometry is not None:
        filled |= np.array([g is not None and not g.is_empty for g in records.geometry], np.bool_)
    for column in pick(records.columns, "coordinates", Findings(records.file)).values():
        filled |= np.array([not is_blank(cell) for cell in column.values], np.bool_)
    return ~filled


def locate_where_told(records: Records, datum: str | None, found: Findings) -> ObjectArray:
    """Geometries as `locate` gives them, and None, without a fault, where nothing is told."""
    told = ~without_coordinates(records)
    shapes: ObjectArray = np.full(len(records), None, dtype=np.object_)
    if told.any():
        part = _rows(records, told)
        mine = Findings(records.file, part.rows)
        shapes[told] = locate(part, datum, mine)
        mine.readings = [replace(reading, count=len(records)) for reading in mine.readings]
        found.merge(mine)
    return shapes


def _rows(records: Records, chosen: BoolArray) -> Records:
    return replace(
        records,
        columns=tuple(replace(c, values=c.values[chosen]) for c in records.columns),
        rows=records.rows[chosen],
        geometry=None if records.geometry is None else records.geometry[chosen],
        unread=None if records.unread is None else records.unread[chosen],
    )
