"""Which units a place lies in, looked up on a grid of what is far from every border.

A cell of the grid that no border touches lies in the same units everywhere, and so do its pure
neighbours: one place of each connected piece of such cells is asked of the polygons, once. In the
other cells every place is asked for itself. So the answers are those of the polygons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.grouping.connected import connected_pieces
from lifecircle.analysis.quantities import BoolArray, FloatArray, Int32Array

MOST_CELLS: Final = 2**20  # a matter of speed only, both
CELLS_A_UNIT: Final = 2**12
_MIXED: Final = -1
_WIDER: Final = 1e-6  # of a cell: what rounding may move a corner or a place by


@dataclass(frozen=True, slots=True)
class UnitsAt:
    """The units of places in a city's metric CRS.

    `held` int32 (rows, columns) from `origin_m` in steps of `side_m`: which of `sets` (rows of
    units, ascending) every place of a cell lies in; -1 where a border may run.
    """

    tree: shapely.STRtree
    origin_m: tuple[float, float]
    side_m: float
    held: Int32Array
    sets: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, geometry: NDArray[Any]) -> UnitsAt:
        """Of polygons (u,), None where a unit has none."""
        tree, shapes = shapely.STRtree(geometry), geometry[~shapely.is_missing(geometry)]
        bounds = shapely.total_bounds(shapes).tolist() if len(shapes) else [0.0] * 4
        west, south, east, north = bounds
        wide, high = east - west, north - south
        if not wide * high > 0:
            return cls(tree, (0.0, 0.0), 1.0, np.empty((0, 0), dtype=np.int32), ())
        most_cells = min(MOST_CELLS, CELLS_A_UNIT * len(shapes))
        side_m = float(max(np.sqrt(wide * high / most_cells), max(wide, high) / most_cells))
        size = (int(high / side_m) + 1, int(wide / side_m) + 1)
        origin = (west, south)
        mixed = _touched(shapes, origin, side_m, size)
        held, sets = _sets(tree, mixed, origin, side_m)
        return cls(tree, origin, side_m, held, sets)

    def rows(self, x_m: float, y_m: float) -> tuple[int, ...]:
        """Rows of the units that a place lies in or on the border of, ascending."""
        column = (x_m - self.origin_m[0]) / self.side_m
        row = (y_m - self.origin_m[1]) / self.side_m
        rows, columns = self.held.shape
        if 0 <= column < columns and 0 <= row < rows:
            found = int(self.held[int(row), int(column)])
            if found != _MIXED:
                return self.sets[found]
        return units_meeting(self.tree, x_m, y_m)


def units_meeting(tree: shapely.STRtree, x_m: float, y_m: float) -> tuple[int, ...]:
    """Rows of the polygons of a tree that a place lies in or on the border of, ascending."""
    meets = tree.query(shapely.Point(x_m, y_m), predicate="intersects")
    return tuple(sorted(meets.tolist()))


def _touched(
    shapes: NDArray[Any], origin: tuple[float, float], side_m: float, size: tuple[int, int]
) -> BoolArray:
    """Cells (rows, columns) that a border may touch."""
    lines = shapely.get_parts(shapely.boundary(shapes))
    xy_m, of = shapely.get_coordinates(shapely.segmentize(lines, side_m), return_index=True)
    steps = (xy_m - np.array(origin)) / side_m
    along = np.flatnonzero(of[1:] == of[:-1])
    low = np.floor(np.minimum(steps[along], steps[along + 1]) - _WIDER).astype(np.int64)
    high = np.floor(np.maximum(steps[along], steps[along + 1]) + _WIDER).astype(np.int64)
    touched = np.zeros(size, dtype=np.bool_)
    for over in range(int((high - low).max(initial=0)) + 1):
        for right in range(int((high - low).max(initial=0)) + 1):
            at = np.minimum(low + np.array((right, over)), high)
            touched[_within(at[:, 1], size[0]), _within(at[:, 0], size[1])] = True
    return touched


def _within(step: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.clip(step, 0, count - 1)


def _sets(
    tree: shapely.STRtree, mixed: BoolArray, origin: tuple[float, float], side_m: float
) -> tuple[Int32Array, tuple[tuple[int, ...], ...]]:
    """For each cell the set of units it lies in, and the sets."""
    pure, number = ~mixed, np.arange(mixed.size).reshape(mixed.shape)
    beside, above = pure[:, :-1] & pure[:, 1:], pure[:-1] & pure[1:]
    one = np.concatenate((number[:, :-1][beside], number[:-1][above]))
    other = np.concatenate((number[:, 1:][beside], number[1:][above]))
    piece = connected_pieces(mixed.size, one, other)
    asked, first, which = np.unique(piece[pure.ravel()], return_index=True, return_inverse=True)
    cell = np.flatnonzero(pure.ravel())[first]
    held = np.full(mixed.size, _MIXED, dtype=np.int32)
    held[pure.ravel()] = which
    place: FloatArray = np.column_stack((cell % mixed.shape[1], cell // mixed.shape[1])) + 0.5
    meets = tree.query(shapely.points(place * side_m + np.array(origin)), predicate="intersects")
    units: list[list[int]] = [[] for _ in asked]
    for at, unit in zip(*meets.tolist(), strict=True):
        units[at].append(unit)
    return held.reshape(mixed.shape), tuple(tuple(sorted(each)) for each in units)
