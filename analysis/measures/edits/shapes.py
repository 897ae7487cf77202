"""Shapes of edits as people and desks write them: checked before anything is made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import shapely

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.measures.edits.model import MOST_VERTICES
from lifecircle.analysis.measures.question import Study

_FRAME: Final = "frame_of_edits"
_POINT = ("Point",)
_LINE = ("LineString",)
AREA = ("Polygon", "MultiPolygon")
ANY = (*_POINT, *_LINE, "MultiLineString", *AREA)
HOME = (*_POINT, *AREA)
_DEPTH = {"Point": 0, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_LEAST = {"LineString": 2, "MultiLineString": 2, "Polygon": 4, "MultiPolygon": 4}


class ShapeError(ValueError):
    """A shape that cannot be used: the key of its text, and what the text names."""

    def __init__(self, key: str, /, **params: Any) -> None:
        super().__init__(key)
        self.key = key
        self.params = params


@dataclass(frozen=True, slots=True)
class Frame:
    """The box (degrees: west, south, east, north) around everything of a study area."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def of(cls, study: Study) -> Frame:
        """The box around units, cells and streets, wider by the longest access leg; made once."""
        if _FRAME not in study.kept:
            study.kept[_FRAME] = cls._around(study)
        return cast(Frame, study.kept[_FRAME])

    @classmethod
    def _around(cls, study: Study) -> Frame:
        city = study.city
        shapes = [one for one in city.units.geometry if one is not None]
        bounds = shapely.total_bounds(np.array([*shapes, None], dtype=object))
        corners = np.vstack([bounds[:2], bounds[2:], city.network.node_xy_m, city.cells.xy_m])
        corners = corners[np.isfinite(corners).all(axis=1)]
        margin = study.policy.attachment.max_leg_m.value
        (west, south), (east, north) = corners.min(axis=0) - margin, corners.max(axis=0) + margin
        ring = [[west, south], [west, north], [east, south], [east, north]]
        lonlat = to_lonlat(np.array(ring), city.crs)
        low, high = lonlat.min(axis=0).tolist(), lonlat.max(axis=0).tolist()
        return cls(*low, *high)

    def holds(self, lon: float, lat: float) -> bool:
        """Whether a place lies inside."""
        return self.west <= lon <= self.east and self.south <= lat <= self.north


def read_place(lon: Any, lat: Any, frame: Frame) -> tuple[float, float]:
    """A place in degrees inside the area.

    Raises
    ------
    ShapeError : no number, no place on the globe, or one outside the area.
    """
    pair = []
    for value in (lon, lat):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ShapeError("edit_no_place", value=_shown(value))
        if not math.isfinite(value):
            raise ShapeError("edit_no_place", value=_shown(value))
        pair.append(float(value))
    x, y = pair
    if not (-180 <= x <= 180 and -90 <= y <= 90):
        raise ShapeError("edit_off_globe", lon=f"{x:g}", lat=f"{y:g}")
    if not frame.holds(x, y):
        told = {"lon": f"{x:.5f}", "lat": f"{y:.5f}"}
        box = (frame.west, frame.south, frame.east, frame.north)
        swapped = frame.holds(y, x)
        key = "edit_outside_swapped" if swapped else "edit_outside"
        raise ShapeError(key, **told, box=", ".join(f"{side:.4f}" for side in box))
    return x, y


def read_line(coordinates: Any, frame: Frame) -> tuple[tuple[float, float], ...]:
    """A way as its places, at least two of them different.

    Raises
    ------
    ShapeError : no list of places, too many of them, or a line of no length.
    """
    places = tuple(_places(coordinates, 1, frame))
    if len(set(places)) < 2:
        raise ShapeError("edit_line_short", count=len(places))
    line = tuple(place for k, place in enumerate(places) if k == 0 or place != places[k - 1])
    if not shapely.is_simple(shapely.LineString(line)):
        raise ShapeError("edit_line_crosses")
    return line


def read_geometry(given: Any, kinds: Sequence[str], frame: Frame) -> shapely.Geometry:
    """A GeoJSON geometry of one of some kinds, simple and inside the area.

    Raises
    ------
    ShapeError : another kind, coordinates that are none, a border that crosses itself.
    """
    kind = str(given.get("type")) if isinstance(given, Mapping) else type(given).__name__
    if kind not in kinds:
        raise ShapeError("edit_shape_kind", kind=_shown(kind), kinds=", ".join(kinds))
    places = list(_places(given.get("coordinates"), _DEPTH[kind], frame))
    least = _LEAST.get(kind, 1)
    if len(places) < least:
        raise ShapeError("edit_shape_short", kind=kind, least=least, count=len(places))
    try:
        shape = shapely.geometry.shape({"type": kind, "coordinates": given["coordinates"]})
        shape = shapely.force_2d(shape)
    except (ValueError, TypeError, IndexError, shapely.errors.ShapelyError) as error:
        raise ShapeError("edit_shape_broken", kind=kind) from error
    if not shapely.is_valid(shape):
        raise ShapeError("edit_shape_crosses", why=shapely.is_valid_reason(shape))
    if kind in AREA and shape.area == 0.0:
        raise ShapeError("edit_shape_empty")
    return shape


def _places(given: Any, depth: int, frame: Frame) -> Iterator[tuple[float, float]]:
    """The places of nested lists, counted before they are read."""
    if _count(given, depth, MOST_VERTICES + 1) > MOST_VERTICES:
        raise ShapeError("edit_vertices", most=MOST_VERTICES)
    lists = [given]
    for _ in range(depth):
        lists = [part for one in lists for part in _list(one)]
    for pair in lists:
        if not isinstance(pair, list | tuple) or len(pair) not in (2, 3):
            raise ShapeError("edit_no_place", value=_shown(pair))
        yield read_place(pair[0], pair[1], frame)


def _count(given: Any, depth: int, most: int) -> int:
    if depth == 0:
        return 1
    found = 0
    for part in _list(given):
        found += _count(part, depth - 1, most - found)
        if found >= most:
            break
    return found


def _list(given: Any) -> Sequence[Any]:
    if not isinstance(given, list | tuple):
        raise ShapeError("edit_no_place", value=_shown(given))
    return given


def _shown(value: Any) -> str:
    return repr(value)[:60]
