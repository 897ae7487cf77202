"""Polygons that hold more residents than any place can: a density, a slip, a sign for no data."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from pyproj import Geod

from lifecircle.analysis.policy.sections.plausible import plausible
from lifecircle.analysis.quantities import FloatArray, IntArray
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.findings import Findings

_M2_PER_HECTARE: Final = 10_000.0
_GEOD: Final = Geod(ellps="WGS84")


def refuse_crowds(where: Located, persons: FloatArray, column: str, found: Findings) -> None:
    """Faults of polygons denser than any place; only doubts where one building may stand.

    Points have no ground, so nothing is said of them. `persons` (n,): NaN unknown.
    """
    bounds = plausible()
    most, least = bounds.most_per_hectare.value, bounds.smallest_hectares.value
    many = np.flatnonzero(persons > most * least)  # fewer fit even on the smallest ground
    many = many[shapely.get_dimensions(where.shapes[many]) == 2]
    if len(many) == 0:
        return
    hectares = _measure_hectares(where, many)
    crowded = persons[many] > most * np.maximum(hectares, least)
    wide = hectares >= bounds.building_hectares.value
    for i in np.flatnonzero(crowded & wide).tolist():
        found.add(
            "input_people_dense",
            row=int(found.rows[many[i]]),
            column=column,
            value=float(persons[many[i]]),
            hectares=f"{hectares[i]:.2g}",
            density=float(persons[many[i]] / hectares[i]),
            most=most,
        )
    doubtful = np.zeros(len(persons), dtype=np.bool_)
    doubtful[many[crowded & ~wide]] = True
    found.remark("input_people_crowded", doubtful, column=column, most=most)


def _measure_hectares(where: Located, rows: IntArray) -> FloatArray:
    """Ground of some polygons on the ellipsoid."""
    shapes = where.take(rows).in_degrees()
    area = [abs(_GEOD.geometry_area_perimeter(shape)[0]) for shape in shapes]
    return np.array(area, dtype=np.float64) / _M2_PER_HECTARE
