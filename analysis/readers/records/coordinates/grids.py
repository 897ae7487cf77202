"""Metric grids: the CGCS2000 zones, and what the size of a coordinate says about its grid.

A Chinese office gives eastings with the number of the zone in front (34,571,000) or without
(571,000), the northing first or second, and seldom says which. The numbers tell most of it.

Zones of three degrees are numbered 25-45 (central meridian 3 × zone), zones of six degrees
13-23 (6 × zone - 3). Source: EPSG dataset, codes 4491-4554.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import pyproj

from lifecircle.analysis.quantities import FloatArray

_MILLION: Final = 1e6
_EASTING: Final = (150e3, 850e3)  # metres from 500 km west of the meridian, with room
_NORTHING: Final = (300e3, 6_200e3)  # 3° to 56° north
_MERCATOR_X: Final = (8.0e6, 15.2e6)  # 72° to 136° east
_MERCATOR_Y: Final = (0.3e6, 7.6e6)
_ROOM_M: Final = (150e3, 400e3)  # east, north: how far data may lie outside a grid's area of use
_MOST_DEGREES: Final = 180.0


@dataclass(frozen=True, slots=True)
class Grid:
    """One CGCS2000 Gauss-Krüger zone: EPSG code, central meridian (°E), width (°), prefix."""

    epsg: int
    zone: int
    meridian: int
    width: int
    prefixed: bool


@dataclass(frozen=True, slots=True)
class Misfit:
    """Coordinates that cannot be what they are said to be: a message key and its parameters."""

    key: str
    params: dict[str, Any]


def _zones() -> tuple[Grid, ...]:
    three = [Grid(4513 + z - 25, z, 3 * z, 3, True) for z in range(25, 46)]
    three += [Grid(4534 + z - 25, z, 3 * z, 3, False) for z in range(25, 46)]
    six = [Grid(4491 + z - 13, z, 6 * z - 3, 6, True) for z in range(13, 24)]
    six += [Grid(4502 + z - 13, z, 6 * z - 3, 6, False) for z in range(13, 24)]
    return (*three, *six)


GRIDS: Final = _zones()


def grid_of(epsg: int | None) -> Grid | None:
    """The CGCS2000 zone of a code."""
    return next((grid for grid in GRIDS if grid.epsg == epsg), None)


def twin_of(grid: Grid) -> Grid:
    """The same zone with the other way of writing eastings."""
    return next(
        g for g in GRIDS
        if (g.zone, g.width, g.prefixed) == (grid.zone, grid.width, not grid.prefixed)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guess:
    """What a pair of metres looks like: a zone's grid, eastings without zone, or Mercator."""

    kind: str  # zone | plain | mercator
    grid: Grid | None
    north_first: bool


def guess_grid(x: float, y: float) -> Guess | None:
    """What metres `x`, `y` look like in China; None if nothing."""
    for east, north, north_first in ((x, y, False), (y, x, True)):
        if not _NORTHING[0] <= north <= _NORTHING[1]:
            continue
        zone, rest = divmod(east, _MILLION)
        inside = _EASTING[0] <= rest <= _EASTING[1]
        grid = next((g for g in GRIDS if g.prefixed and g.zone == int(zone)), None)
        if inside and grid is not None and not _mercator(east, north):
            return Guess("zone", grid, north_first)
        if inside and zone == 0:
            return Guess("plain", None, north_first)
        if _mercator(east, north):
            return Guess("mercator", None, north_first)
    return None


def _mercator(x: float, y: float) -> bool:
    return _MERCATOR_X[0] <= x <= _MERCATOR_X[1] and _MERCATOR_Y[0] <= y <= _MERCATOR_Y[1]


def find_misfits(xy: FloatArray, crs: Any, x_is_north: bool) -> tuple[Misfit, ...]:
    """Why coordinates (k, 2), as written, cannot be of a CRS; () where they can.

    `crs` is a pyproj CRS, None for degrees. The middle of the coordinates is judged, so that
    single faulty rows do not decide.
    """
    if len(xy) == 0:
        return ()
    x, y = np.sort(xy, axis=0)[(len(xy) - 1) // 2].tolist()  # values that occur, not between two
    shown = {"x": f"{x:.10g}", "y": f"{y:.10g}"}
    degrees = abs(x) <= _MOST_DEGREES and abs(y) <= _MOST_DEGREES
    if crs is None or crs.is_geographic:
        return () if degrees else _metres(x, y, x_is_north, shown)
    extent = _extent(crs.to_wkt())
    if extent is None:
        return ()
    east, north = (y, x) if x_is_north else (x, y)
    if _inside(extent, east, north):
        return ()
    named = {**shown, "crs": _name(crs)}
    if degrees:
        return (Misfit("input_degrees", named),)
    if _inside(extent, north, east):
        key = "input_east_first" if x_is_north else "input_north_first"
        return (Misfit(key, named),)
    seen, said = guess_grid(x, y), grid_of(crs.to_epsg())
    if seen is None:
        return (Misfit("input_crs_misfit", named),)
    order = _order(seen, x_is_north, named)
    if said is not None and said.prefixed and seen.kind == "plain":
        mend = twin_of(said)
        return (Misfit("input_zone_missing", {**named, **_shown(mend)}), *order)
    if seen.grid is not None:
        key = "input_zone_extra" if said is not None and not said.prefixed else "input_zone_other"
        return (Misfit(key, {**named, **_shown(seen.grid)}), *order)
    return _metres(x, y, x_is_north, shown)


def _metres(x: float, y: float, x_is_north: bool, shown: dict[str, Any]) -> tuple[Misfit, ...]:
    """What to do with metres that were said to be something else."""
    seen = guess_grid(x, y)
    if seen is None:
        return (Misfit("input_metres", shown),)
    order = _order(seen, x_is_north, shown)
    if seen.grid is not None:
        return (Misfit("input_metres_zone", {**shown, **_shown(seen.grid)}), *order)
    key = "input_metres_plain" if seen.kind == "plain" else "input_metres_mercator"
    return (Misfit(key, shown), *order)


def _order(seen: Guess, x_is_north: bool, shown: dict[str, Any]) -> tuple[Misfit, ...]:
    if seen.north_first == x_is_north:
        return ()
    return (Misfit("input_east_first" if x_is_north else "input_north_first", shown),)


def _shown(grid: Grid) -> dict[str, Any]:
    return {"epsg": grid.epsg, "zone": grid.zone, "meridian": grid.meridian, "width": grid.width}


def _name(crs: Any) -> str:
    code = crs.to_epsg()
    return f"{crs.name}, EPSG:{code}" if code else str(crs.name)


def _inside(extent: tuple[float, float, float, float], east: float, north: float) -> bool:
    west, south, far_east, far_north = extent
    beside, beyond = _ROOM_M
    between = west - beside <= east <= far_east + beside
    return between and south - beyond <= north <= far_north + beyond


@cache
def _extent(wkt: str) -> tuple[float, float, float, float] | None:
    """West, south, east, north of a projected CRS's area of use, metres; None if unknown."""
    crs = pyproj.CRS.from_wkt(wkt)
    area = crs.area_of_use
    if area is None:
        return None
    move = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    bounds = move.transform_bounds(*area.bounds, densify_pts=21)
    if not np.isfinite(bounds).all():
        return None
    west, south, east, north = (float(side) for side in bounds)
    return west, south, east, north


def nearby_grids(lon: float) -> tuple[Grid, ...]:
    """The zones without prefix whose meridian lies within nine degrees of a longitude."""
    return tuple(g for g in GRIDS if not g.prefixed and abs(g.meridian - lon) <= 9)
