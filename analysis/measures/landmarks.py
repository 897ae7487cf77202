"""Named places to find one's way by: what a gap or a site is said to be near."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.model import City
from lifecircle.analysis.quantities import NOBODY, FloatArray, Int32Array

NumberArray = NDArray[Any]


class OfCells:
    """Columns by cell that are worked out when a cell is asked for the first time."""

    def __init__(self, cells: int, work_out: Callable[[Int32Array], Sequence[NumberArray]]) -> None:
        self._work_out = work_out
        self._known = np.zeros(cells, dtype=np.bool_)
        self._held: list[NumberArray] = []
        self._one_at_a_time = threading.Lock()

    def __call__(self, cell: Int32Array) -> list[NumberArray]:
        """The columns at some cells (k,); several threads may ask."""
        new = np.unique(cell[~self._known[cell]])
        if len(new) or not self._held:
            columns = self._work_out(new)
            with self._one_at_a_time:
                if not self._held:
                    self._held = [np.zeros(len(self._known), dtype=one.dtype) for one in columns]
                for held, values in zip(self._held, columns, strict=True):
                    held[new] = values
                self._known[new] = True
        return [held[cell] for held in self._held]


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
