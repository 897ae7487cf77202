"""Residents that lie on one another: rows pasted twice, two grids of the same people."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.grouping.pair_blocks import PairBudget, TooManyPairsError, find_in_blocks
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray, ObjectArray
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.tables.heaps import unique_shapes

_DEGREES: Final = 360.0  # coordinates within this are degrees
_HALF: Final = 0.51  # of the last decimal: what rounding moves, and a little
_DECIMALS: Final = (6, 1)  # of degrees and of metres: nearer is one place, written more shortly


def remark_people_twice(shapes: ObjectArray, persons: FloatArray, found: Findings) -> None:
    """Warn where cells with residents stand on a point or in a polygon of another cell.

    A fault where polygons lie on one another so often that they cannot be cells.
    """
    peopled = np.flatnonzero((persons > 0) & ~shapely.is_missing(shapes))
    try:
        again = _find_again(shapes[peopled])
    except TooManyPairsError:
        found.add("input_cells_heaped")
        return
    if again.any():
        twice = np.zeros(len(shapes), dtype=np.bool_)
        twice[peopled[again]] = True
        found.remark("input_people_twice", twice, residents=round(float(persons[twice].sum())))


def _find_again(shapes: ObjectArray) -> BoolArray:
    """Rows whose place a row before has too, or whose middle lies in a larger polygon."""
    whole = shapely.transform(shapes, _round_off)
    first = unique_shapes(whole)
    again = np.ones(len(shapes), dtype=np.bool_)
    again[first] = False
    again[_near_ones(shapes, first)] = True
    area = shapely.area(shapes)
    areal = first[area[first] > 0]
    tree = shapely.STRtree(shapes[areal])
    budget = PairBudget.of(len(first))
    for one, other in find_in_blocks(tree, shapely.centroid(shapes[first]), budget,
                                     predicate="within"):  # fmt: skip
        point, holder = first[one], areal[other]
        larger = area[holder] > area[point] * 1.01
        larger |= (holder < point) & (area[holder] >= area[point] * 0.99)
        again[point[larger]] = True
    return again


def _near_ones(shapes: ObjectArray, first: IntArray) -> IntArray:
    """Points that a row before has too, but for the rounding of its last decimal.

    `first`: rows whose place, rounded, no other of them has; so a point has few others near.
    """
    points = first[shapely.get_type_id(shapes[first]) == 0]
    xy = shapely.get_coordinates(shapes[points])
    if len(points) == 0:
        return first[:0]
    reach = _HALF * 10.0 ** -_decimals(xy)
    from scipy.spatial import cKDTree  # a fifth of a second to load, and few files have points

    pairs = cKDTree(xy).query_pairs(reach, p=np.inf, output_type="ndarray")
    again: IntArray = points[pairs.max(axis=1)] if len(pairs) else points[:0]
    return again


def _decimals(xy: FloatArray) -> int:
    degrees = len(xy) == 0 or float(np.abs(xy).max()) <= _DEGREES
    return _DECIMALS[0] if degrees else _DECIMALS[1]


def _round_off(xy: FloatArray) -> FloatArray:
    """Coordinates to about ten centimetres; -0.0 becomes 0.0."""
    return np.round(xy, _decimals(xy)) + 0.0
