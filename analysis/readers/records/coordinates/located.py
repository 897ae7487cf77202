"""Where the rows of a table are: shapes as their files wrote them, and how those are understood.

A table's shapes are moved once, straight to where they are wanted: to degrees of WGS84, or by way
of them to the metric CRS of a city. Shapes that a file wrote in that very CRS are not moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray, ObjectArray
from lifecircle.analysis.readers.records.coordinates.datums import (
    SHIFTED,
    from_wgs84,
    in_shifted_area,
    to_wgs84,
)

if TYPE_CHECKING:
    import pyproj

DEGREES: Final = "EPSG:4326"

_MOST: Final = (180.0, 90.0)
_CORNERS: Final = ((0, 1), (0, 3), (2, 1), (2, 3))  # of a box: west, south, east, north
_ON_A_SIDE: Final = 21  # places looked at along each side of a box

Move = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Reading:
    """How the coordinates of one file were understood: of the next `count` rows of its table.

    `crs` is an authority's code or WKT, of degrees before the datum was undone ``EPSG:4326``;
    `x_is_north`: the file wrote the northing first; `own`: the layer said so itself.
    """

    file: str
    count: int
    crs: str
    datum: str
    x_is_north: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True)
class Located:
    """Shapes (n,), easting first, as the files of `readings` wrote them; None where there is none.

    Rows that no reading counts have no shape.
    """

    shapes: ObjectArray
    readings: tuple[Reading, ...] = ()

    def __len__(self) -> int:
        return len(self.shapes)

    @classmethod
    def of_degrees(cls, shapes: ObjectArray, name: str = "") -> Located:
        """Shapes that are degrees of WGS84."""
        return cls(shapes, (Reading(name, len(shapes), DEGREES, "wgs84", own=True),))

    @classmethod
    def joined(cls, parts: Sequence[Located]) -> Located:
        """The rows of several files, one below the other."""
        empty: list[ObjectArray] = [np.empty(0, dtype=np.object_)]
        shapes = np.concatenate([*empty, *(part.shapes for part in parts)])
        return cls(shapes, tuple(reading for part in parts for reading in part._counted()))

    def _counted(self) -> tuple[Reading, ...]:
        """The readings, so many that all rows are counted."""
        rest = len(self) - sum(reading.count for reading in self.readings)
        return self.readings if not rest else (*self.readings, Reading("", rest, DEGREES, "wgs84"))

    def parts(self) -> Iterator[tuple[Reading, ObjectArray]]:
        """Each reading with its shapes."""
        start = 0
        for reading in self.readings:
            yield reading, self.shapes[start : start + reading.count]
            start += reading.count

    def with_shapes(self, shapes: ObjectArray) -> Located:
        """The same rows with other shapes."""
        return replace(self, shapes=shapes)

    def take(self, rows: IntArray) -> Located:
        """Some rows, in the order of the table."""
        kept, start = [], 0
        for reading in self._counted():
            end = start + reading.count
            count = int(np.count_nonzero((rows >= start) & (rows < end)))
            kept.append(replace(reading, count=count))
            start = end
        return Located(self.shapes[rows], tuple(kept))

    def in_degrees(self) -> ObjectArray:
        """The shapes in degrees of WGS84, longitude first."""
        return self._moved(steps_to_degrees)

    def centres(self) -> FloatArray:
        """The centroids (n, 2) in degrees of WGS84, NaN where there is no shape."""
        places = np.full((len(self), 2), np.nan)
        start = 0
        for reading, shapes in self.parts():
            there = np.flatnonzero(~shapely.is_missing(shapes))
            middle = _middle_of(shapes[there], reading)
            places[start + there] = to_degrees(middle, reading)
            start += reading.count
        return places

    def in_metres(self, crs: str) -> ObjectArray:
        """The shapes in a metric CRS (``EPSG:code``), moved in one go."""
        return self._moved(lambda reading: steps_to(reading, crs))

    def _moved(self, steps_of: Callable[[Reading], tuple[Move, ...]]) -> ObjectArray:
        moved = self.shapes
        start = 0
        for reading, shapes in self.parts():
            steps = steps_of(reading)
            if steps:
                if moved is self.shapes:
                    moved = self.shapes.copy()
                moved[start : start + reading.count] = _move_shapes(shapes, steps)
            start += reading.count
        return moved


def _middle_of(shapes: ObjectArray, reading: Reading) -> FloatArray:
    """Centroids (n, 2) as written; of shapes on both sides of the antimeridian where they are."""
    box = shapely.bounds(shapes)
    across = np.flatnonzero(box[:, 2] - box[:, 0] > _MOST[0]) if is_wgs84(reading.crs) else ()
    if not len(across):
        return shapely.get_coordinates(shapely.centroid(shapes))
    whole = shapes.copy()
    whole[across] = shapely.transform(
        shapes[across], lambda xy: np.column_stack((xy[:, 0] % 360, xy[:, 1]))
    )
    middle = shapely.get_coordinates(shapely.centroid(whole))
    middle[:, 0] -= np.where(middle[:, 0] > _MOST[0], 360.0, 0.0)
    return middle


def steps_to_degrees(reading: Reading) -> tuple[Move, ...]:
    """What takes coordinates as written, easting first, to degrees of WGS84."""
    steps: list[Move] = []
    if not is_wgs84(reading.crs):
        steps.append(_projection(reading.crs, DEGREES))
    if reading.datum in SHIFTED:
        steps.append(lambda xy: to_wgs84(xy, reading.datum))
    return tuple(steps)


def steps_to(reading: Reading, crs: str) -> tuple[Move, ...]:
    """What takes coordinates as written, easting first, to a CRS; nothing where they are of it."""
    if reading.crs == crs and reading.datum not in SHIFTED:
        return ()
    return (*steps_to_degrees(reading), _projection(DEGREES, crs))


def _move_shapes(shapes: ObjectArray, steps: Sequence[Move]) -> ObjectArray:
    def move(xy: FloatArray) -> FloatArray:
        for step in steps:
            xy = step(xy)
        return xy

    return np.asarray(shapely.transform(shapes, move), dtype=np.object_)


def _projection(source: str, target: str) -> Move:
    transformer = projector(source, target)
    return lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))


@cache
def projector(source: str, target: str) -> pyproj.Transformer:
    """From one CRS to another, easting (longitude) first."""
    import pyproj  # a process that reads a map does without

    return pyproj.Transformer.from_crs(source, target, always_xy=True)


@cache
def is_wgs84(crs: str) -> bool:
    """Whether a CRS is degrees of WGS84, whatever its order of axes."""
    if crs == DEGREES:
        return True
    import pyproj

    return bool(pyproj.CRS.from_user_input(crs).equals(DEGREES, ignore_axis_order=True))


# ---- single places, as written and back ---------------------------------------------------


def to_degrees(xy: FloatArray, reading: Reading) -> FloatArray:
    """Degrees of WGS84 (k, 2) of coordinates as written, but easting first."""
    for step in steps_to_degrees(reading):
        xy = step(xy)
    return xy


def write_as(lonlat: FloatArray, reading: Reading) -> FloatArray:
    """WGS84 degrees (k, 2) as the file they were read from wrote them: x, y (k, 2)."""
    xy = from_wgs84(lonlat, reading.datum)
    if reading.crs != DEGREES:
        xy = _projection(DEGREES, reading.crs)(xy)
    return xy[:, ::-1] if reading.x_is_north else xy


def read_again(xy: FloatArray, reading: Reading) -> FloatArray:
    """WGS84 degrees (k, 2) of coordinates as written, were they of `reading`; NaN outside it."""
    xy = xy[:, ::-1] if reading.x_is_north else xy
    if reading.crs != DEGREES:
        xy = _projection(reading.crs, DEGREES)(xy)
    sound = np.isfinite(xy).all(axis=1) & (np.abs(xy) <= _MOST).all(axis=1)
    again = np.full(xy.shape, np.nan)
    again[sound] = to_wgs84(xy[sound], reading.datum)
    return again


# ---- what cannot be where it is said ------------------------------------------------------


def off_the_earth(shapes: ObjectArray, crs: str) -> BoolArray:
    """Shapes (n,) as written whose coordinates are no place on the Earth in their CRS.

    The box around all of them is looked at first: as long as that lies on the Earth, they do.
    """
    nowhere = np.zeros(len(shapes), np.bool_)
    there = ~shapely.is_missing(shapes)
    if is_wgs84(crs):
        low, high = np.array(_MOST) * -1, np.array(_MOST)
        box = shapely.bounds(shapes[there])
        nowhere[there] = ~((box[:, :2] >= low) & (box[:, 2:] <= high)).all(axis=1)
        return nowhere
    if not there.any() or _lies_on_earth(shapely.total_bounds(shapes), crs):
        return nowhere
    degrees = _move_shapes(shapes[there], (_projection(crs, DEGREES),))
    coordinates, owner = shapely.get_coordinates(degrees, return_index=True)
    wrong = ~np.isfinite(coordinates).all(axis=1) | (np.abs(coordinates) > _MOST).any(axis=1)
    nowhere[np.flatnonzero(there)[owner[wrong]]] = True
    return nowhere


def _lies_on_earth(box: FloatArray, crs: str) -> bool:
    """Whether the sides of a box, as written, all are places on the Earth."""
    west, south, east, north = box.tolist()
    along, up = np.linspace(west, east, _ON_A_SIDE), np.linspace(south, north, _ON_A_SIDE)
    sides = [np.column_stack((along, np.full(_ON_A_SIDE, y))) for y in (south, north)]
    sides += [np.column_stack((np.full(_ON_A_SIDE, x), up)) for x in (west, east)]
    lonlat = _projection(crs, DEGREES)(np.vstack(sides))
    return bool(np.isfinite(lonlat).all() and (np.abs(lonlat) <= _MOST).all())


def outside_shifted_area(shapes: ObjectArray, crs: str) -> BoolArray:
    """Shapes (n,) as written that reach out of the area in which GCJ-02 shifts."""
    outside = np.zeros(len(shapes), np.bool_)
    there = np.flatnonzero(~shapely.is_missing(shapes))
    box = shapely.bounds(shapes[there])
    for corner in _CORNERS:
        places: Any = box[:, corner]
        if not is_wgs84(crs):
            places = _projection(crs, DEGREES)(places)
        outside[there] |= ~in_shifted_area(places)
    return outside
