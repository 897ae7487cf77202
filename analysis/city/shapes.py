"""Geometries of frames in metres: repaired, put in order, and the point that stands for each."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.model import GeometryArray
from lifecircle.analysis.quantities import FloatArray
from lifecircle.analysis.readers.records.coordinates.located import (
    Located,
    is_wgs84,
    to_degrees,
)

_HALF_ROUND = 180.0  # degrees: what is wider lies on both sides of the antimeridian
_SEAM_M = 0.001

POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def project_frame(frame: gpd.GeoDataFrame, crs: str) -> GeometryArray:
    """The frame's geometries in a metric CRS, repaired; of a mended polygon only its areas."""
    return _repair_projected(np.array(frame.geometry.to_crs(crs), dtype=object))


def project_located(located: Located, crs: str) -> GeometryArray:
    """The shapes of a table in a metric CRS, repaired; of a mended polygon only its areas.

    Parts of one shape that meet at the antimeridian are one again, without a line between them.
    """
    metres = _repair_projected(located.in_metres(crs))
    start = 0
    for reading, shapes in located.parts():
        if is_wgs84(reading.crs):
            box = shapely.bounds(shapes)
            for i in start + np.flatnonzero(box[:, 2] - box[:, 0] > _HALF_ROUND):
                metres[i] = shapely.union_all(shapely.get_parts(metres[i]), grid_size=_SEAM_M)
        start += reading.count
    return metres


def _repair_projected(geometry: GeometryArray) -> GeometryArray:
    broken = np.flatnonzero(~shapely.is_valid(geometry) & ~shapely.is_missing(geometry))
    if len(broken):
        geometry = geometry.copy()
    for i in broken:
        geometry[i] = keep_areas(shapely.make_valid(geometry[i]))
    return geometry


def keep_areas(geometry: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a mixed collection as one geometry; any other geometry unchanged."""
    if shapely.get_type_id(geometry) != shapely.GeometryType.GEOMETRYCOLLECTION:
        return geometry
    parts = shapely.get_parts(geometry)
    polygons = parts[np.isin(shapely.get_type_id(parts), POLYGONAL)]
    return shapely.union_all(polygons) if len(polygons) else geometry


def anchor_xy(geometry: GeometryArray) -> FloatArray:
    """The point (k, 2) that stands for each geometry, in its own CRS.

    Its centroid, or a representative point inside where the centroid lies outside.
    """
    return middles_and_anchors(geometry)[1]


def middles_and_anchors(geometry: GeometryArray) -> tuple[FloatArray, FloatArray]:
    """The centroids (k, 2) of geometries, and the points that stand for them (`anchor_xy`)."""
    middle = np.asarray(shapely.centroid(geometry), dtype=object)
    outside = ~shapely.intersects(geometry, middle)
    point = middle.copy()
    point[outside] = shapely.point_on_surface(geometry[outside])
    return _coordinates(middle), _coordinates(point)


def _coordinates(points: GeometryArray) -> FloatArray:
    return np.asarray(shapely.get_coordinates(points), dtype=np.float64).reshape(-1, 2)


def anchors_in_metres(located: Located, crs: str) -> FloatArray:
    """The points (k, 2) in a metric CRS that stand for the shapes of a table (`anchor_xy`)."""
    every = [np.empty((0, 2))]
    for reading, shapes in located.parts():
        every.append(to_degrees(anchor_xy(shapes), reading))
    return to_metric(np.concatenate(every), crs)


def keep_polygons(geometry: GeometryArray) -> GeometryArray:
    """The geometries that cover an area, None in place of the others."""
    out = geometry.copy()
    out[shapely.get_dimensions(geometry) != 2] = None
    return out


def order_polygons(geometry: GeometryArray) -> GeometryArray:
    """The geometries that cover an area, in an order that depends on nothing but themselves."""
    areas = geometry[shapely.get_dimensions(geometry) == 2]
    order = np.argsort(np.asarray(shapely.to_wkb(areas), dtype=object), kind="stable")
    return np.asarray(areas[order], dtype=object)
