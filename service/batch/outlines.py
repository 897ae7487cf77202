"""The outline of a city, small enough for a page that draws hundreds of them."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.city.model import GeometryArray

_DETAIL: Final = 150  # what is finer than the extent through this is not seen in a picture
_DIGITS: Final = 4  # of a degree: about 10 m

Ring = list[tuple[float, float]]


def outline_of(shapes: GeometryArray, bbox: tuple[float, float, float, float]) -> list[Ring]:
    """Rings ``(lon, lat)`` around the units of a city (WGS84), its box where it has no unit.

    `bbox`: west, south, east, north in degrees. For looking at only: simplified, gaps between
    units closed, holes filled, islands too small to be seen left out.
    """
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if len(shapes) == 0:
        return [_ring(shapely.box(*bbox))]
    west, south, east, north = shapely.total_bounds(shapes)
    fine = max(east - west, north - south) / _DETAIL
    blocks = shapely.buffer(shapely.simplify(shapes, fine / 2), fine, quad_segs=1)
    whole = shapely.simplify(shapely.buffer(shapely.union_all(blocks), -fine, quad_segs=1), fine)
    parts = shapely.get_parts(whole)
    parts = parts[~shapely.is_empty(parts)]
    if len(parts) == 0:  # places so small and so far apart that none would be seen
        return [_ring(shapely.box(west, south, east, north))]
    parts = parts[np.argsort(-shapely.area(parts), kind="stable")]
    seen = shapely.area(parts) > fine * fine
    seen[:1] = True
    return [_ring(part) for part in parts[seen]]


def _ring(shape: shapely.Geometry) -> Ring:
    lonlat = shapely.get_coordinates(shapely.get_exterior_ring(shape))[:-1]
    return [(x, y) for x, y in np.round(lonlat, _DIGITS).tolist()]
