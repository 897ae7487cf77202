"""Named places to find one's way by: what a gap or a site is said to be near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from lifecircle.analysis.city.model import City
from lifecircle.analysis.quantities import NOBODY, FloatArray, Int32Array


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The named facilities of a city; `facility` int32 (n,) are their indices."""

    facility: Int32Array
    tree: shapely.STRtree

    @classmethod
    def of(cls, city: City) -> Landmarks:
        """Every facility that has a name and a place."""
        places = city.facilities
        there = ~(shapely.is_missing(places.geometry) | shapely.is_empty(places.geometry))
        named = np.array([bool(name) for name in places.name], dtype=np.bool_)
        facility = np.flatnonzero(named & there).astype(np.int32)
        return cls(facility, shapely.STRtree(places.geometry[facility]))

    def nearest(self, xy_m: FloatArray) -> tuple[Int32Array, FloatArray]:
        """The nearest of each point (k, 2) and its distance in metres, in a straight line.

        The lowest index of several as near; NOBODY and NaN where no place has a name.
        """
        found = np.full(len(xy_m), NOBODY, dtype=np.int32)
        metres = np.full(len(xy_m), np.nan)
        if len(self.facility) == 0 or len(xy_m) == 0:
            return found, metres
        (point, row), distance = self.tree.query_nearest(
            shapely.points(xy_m), return_distance=True, all_matches=True
        )
        order = np.lexsort((row, point))
        _, first = np.unique(point[order], return_index=True)
        found[point[order][first]] = self.facility[row[order][first]]
        metres[point[order][first]] = distance[order][first]
        return found, metres
