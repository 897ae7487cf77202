"""Shapes in degrees where 180 degrees east and west are one line."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.quantities import FloatArray, ObjectArray

_HALF: Final = 180.0
_ROUND: Final = 360.0
_TOUCH: Final = 1e-9  # degrees: the edge of a pixel at 180, rounded


def part_across(area: Any) -> Any:
    """An area in degrees, of which what goes the long way round the Earth is parted at 180."""
    parts = shapely.get_parts(area)
    box = shapely.bounds(parts)
    long_way = box[:, 2] - box[:, 0] > _HALF
    if not long_way.any():
        return area
    kept = [*parts[~long_way]]
    for shape in shapely.transform(parts[long_way], _turn_east):
        west = shapely.intersection(shape, shapely.box(0.0, -90.0, _HALF, 90.0))
        east = shapely.intersection(shape, shapely.box(_HALF, -90.0, _ROUND, 90.0))
        kept += [west, _move(east, -_ROUND)]
    return shapely.union_all(kept)


def is_beyond(shapes: ObjectArray) -> bool:
    """Whether some longitudes are beyond 180 degrees, but no more than a round of the Earth."""
    box = shapely.bounds(shapes)
    low, high = float(np.nanmin(box[:, 0])), float(np.nanmax(box[:, 2]))
    return low >= -_ROUND and high <= _ROUND and (low < -_HALF or high > _HALF)


def repeat_around(area: Any) -> Any:
    """An area in degrees, and a round farther east and west, for what counts beyond 180."""
    return shapely.union_all([area, _move(area, -_ROUND), _move(area, _ROUND)])


def wrap(shapes: ObjectArray) -> ObjectArray:
    """Small shapes with longitudes between 180 degrees west and east.

    Those that 180 degrees runs through keep corners on both sides.
    """
    box = shapely.bounds(shapes)
    middle = (box[:, 0] + box[:, 2]) / 2
    wrapped = shapes.copy()
    for beyond, by in ((middle > _HALF, -_ROUND), (middle < -_HALF, _ROUND)):
        wrapped[beyond] = _move(wrapped[beyond], by)
    box = shapely.bounds(wrapped)
    across = (box[:, 0] < -_HALF - _TOUCH) | (box[:, 2] > _HALF + _TOUCH)
    wrapped[across] = shapely.transform(wrapped[across], _wrap_each)
    return wrapped


def _turn_east(xy: FloatArray) -> FloatArray:
    return np.column_stack((xy[:, 0] % _ROUND, xy[:, 1]))


def _move(shapes: Any, by: float) -> Any:
    return shapely.transform(shapes, lambda xy: xy + np.array([by, 0.0]))


def _wrap_each(xy: FloatArray) -> FloatArray:
    return np.column_stack(((xy[:, 0] + _HALF) % _ROUND - _HALF, xy[:, 1]))
