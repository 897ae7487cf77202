"""Is a file where it says? Its places against the study area and against the streets.

Nothing is moved: what does not fit is named, with the declaration under which it would fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

import numpy as np
import pyproj
import shapely

from lifecircle.analysis.city.crs import geodesic_m, to_lonlat, to_metric
from lifecircle.analysis.city.datum_shift import (
    AHEAD,
    LIKELY,
    measure_contrast,
    measure_standing,
    sample_rows,
)
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.errors import Fault
from lifecircle.analysis.machine import map_side_by_side
from lifecircle.analysis.quantities import BoolArray, FloatArray, ObjectArray, corners_of
from lifecircle.analysis.readers.records.coordinates.grids import grid_of, nearby_grids
from lifecircle.analysis.readers.records.coordinates.located import (
    DEGREES,
    Located,
    Reading,
    read_again,
    to_degrees,
    write_as,
)

_AROUND_M: Final = 5_000.0  # the area is the box of the streets, and that much around it
_FEW: Final = 0.5  # a smaller share inside than that is worth a question
_NONE: Final = 0.05  # a smaller share inside than that is no study of this area
_MOST: Final = 0.8  # a larger share inside than that explains a file
_LOOKED_AT: Final = 2_000
_SAME_M: Final = 60.0
DATUM_DOUBTS: Final = (  # what is said of another datum
    "placed_datum", "placed_datum_layer", "input_title_datum",
)  # fmt: skip
_APART_M: Final = 100.0  # places nearer to each other on an outline say the same thing twice
_PUZZLING: Final = ("wgs84", "gcj02", "bd09")


@dataclass(frozen=True, slots=True)
class _Area:
    """The box of the streets in their own metric CRS."""

    crs: str
    low: FloatArray
    high: FloatArray
    lon: float

    def holds(self, lonlat: FloatArray) -> BoolArray:
        """Which of places (k, 2), degrees, lie in it; not finite ones do not."""
        inside: BoolArray = np.asarray(np.isfinite(lonlat).all(axis=1))
        xy = to_metric(lonlat[inside], self.crs)
        with np.errstate(invalid="ignore"):
            inside[inside] = ((xy >= self.low) & (xy <= self.high)).all(axis=1)
        return inside


def find_misplaced(
    where: Located, index: EdgeIndex, *, outlines: bool = False
) -> tuple[Fault, ...]:
    """Faults and warnings about where the places of a table lie, file by file.

    Parameters
    ----------
    where
        As read, with its readings.
    index
        The streets of the study area.
    outlines
        Whether the outlines are held against the streets (borders of units run along them), not
        the middles (where facilities and cells are).
    """
    area = _find_area(index)

    def check(part: tuple[Reading, ObjectArray]) -> list[Fault]:
        reading, shapes = part
        own = to_degrees(_find_middles(shapes), reading)
        if len(own) == 0:
            return []
        outside = _check_area(own, reading, area)
        if outside:
            return outside
        close = to_degrees(_sample_outlines(shapes), reading) if outlines else own
        return _check_shift(close[area.holds(close)], reading, index)

    return tuple(chain.from_iterable(map_side_by_side(check, where.parts())))


def _find_area(index: EdgeIndex) -> _Area:
    network = index.network
    low, high = corners_of(network.vertex_xy_m)
    low, high = low - _AROUND_M, high + _AROUND_M
    lon = float(to_lonlat((low + high)[None, :] / 2, network.crs)[0, 0])
    return _Area(network.crs, low, high, lon)


def _find_middles(shapes: ObjectArray) -> FloatArray:
    """The middle (k, 2) of the box of each shape there is, as written."""
    box = shapely.bounds(shapes[~shapely.is_missing(shapes)])
    return np.column_stack(((box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2))


def _sample_outlines(shapes: ObjectArray) -> FloatArray:
    """Places (k, 2) at even distances along the outlines of shapes."""
    lines = shapely.get_parts(shapely.boundary(shapes[~shapely.is_missing(shapes)]))
    lines = lines[shapely.length(lines) > 0]
    length = shapely.length(lines)
    step = max(length.sum() / _LOOKED_AT, _APART_M)
    count = np.maximum(1, np.floor(length / step)).astype(np.int64)
    which = np.repeat(np.arange(len(lines)), count)
    place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    at = (place + 0.5) * (length / count)[which]
    return shapely.get_coordinates(shapely.line_interpolate_point(lines[which], at))


def _check_area(lonlat: FloatArray, reading: Reading, area: _Area) -> list[Fault]:
    """What is said of a file most of which lies outside the area."""
    some = lonlat[:: max(1, len(lonlat) // _LOOKED_AT)]
    share = float(area.holds(some).mean())
    if share >= _FEW:
        return []
    written = write_as(some, reading)
    best: tuple[float, str, dict[str, Any]] = (0.0, "", {})
    for key, other, params in _list_others(reading, area):
        under = float(area.holds(read_again(written, other)).mean())
        if under > best[0]:
            best = (under, key, params)
    inside = {"percent": f"{share:.0%}"}
    if best[0] >= _MOST:
        severity: Any = "error" if share < _NONE else "warning"
        params = {**inside, **best[2], "under": f"{best[0]:.0%}"}
        return [Fault(best[1], reading.file, params=params, severity=severity)]
    return [Fault("placed_outside", reading.file, params=inside, severity="warning")]


def _list_others(reading: Reading, area: _Area) -> Iterator[tuple[str, Reading, dict[str, Any]]]:
    """What a file may be in place of what it is said to be."""
    turned = not reading.x_is_north
    if reading.crs == DEGREES or _is_geographic(reading.crs):
        yield "placed_swapped", replace(reading, x_is_north=turned), {}
        return
    order = {"order": "x_is_north = true" if turned else "x_is_north = false"}
    yield "placed_order", replace(reading, x_is_north=turned), order
    for grid in nearby_grids(area.lon):
        named = {"epsg": grid.epsg, "meridian": grid.meridian, "width": grid.width}
        yield "placed_zone", replace(reading, crs=f"EPSG:{grid.epsg}"), named
        turn = replace(reading, crs=f"EPSG:{grid.epsg}", x_is_north=turned)
        yield "placed_zone_order", turn, {**named, **order}
    epsg = reading.crs.removeprefix("EPSG:")
    said = grid_of(int(epsg)) if epsg.isdigit() else None
    if said is None:
        yield "placed_mercator", replace(reading, crs="EPSG:3857"), {}


def _is_geographic(crs: str) -> bool:
    return bool(pyproj.CRS.from_user_input(crs).is_geographic)


def _check_shift(lonlat: FloatArray, reading: Reading, index: EdgeIndex) -> list[Fault]:
    """What is said of a file whose places stand by a vector, or under another datum, better."""
    crs = index.network.crs
    some = lonlat[sample_rows(lonlat)]
    here = measure_standing(index, to_metric(some, crs))
    if here is None or here.at_home:
        return []
    written = write_as(some, reading)
    best: tuple[float, str, float] = (0.0, "", 0.0)
    for datum in _PUZZLING:
        again = read_again(written, replace(reading, datum=datum))
        if not np.isfinite(again).all():
            continue
        off_m = float(np.median(geodesic_m(some, again)))
        if off_m > _SAME_M:
            score = measure_contrast(index, to_metric(again, crs), here.spread)
            best = max(best, (score, datum, off_m))
    score, datum, off_m = best
    shown: dict[str, Any] = {"count": here.points, "here": f"{here.here:.1f}"}
    if score >= LIKELY and score >= here.here + AHEAD:
        shown |= {"datum": datum, "said": reading.datum, "metres": round(off_m)}
        shown["score"] = f"{score:.1f}"
        key = "placed_datum_layer" if reading.own else "placed_datum"
        return [Fault(key, reading.file, params=shown, severity="warning")]
    if here.moved:
        off_m = float(np.hypot(here.east_m, here.north_m))
        shown |= {"metres": round(off_m), "score": f"{here.best:.1f}"}
        shown |= {"east": round(here.east_m), "north": round(here.north_m)}
        return [Fault("placed_shifted", reading.file, params=shown, severity="warning")]
    return []
