"""Geometry as compact arrays of whole steps in degrees, for the scripts to draw."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from lifecircle.analysis.city.model import Cells, GeometryArray
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import BoolArray, FloatArray
from lifecircle.service.maps.dense import dense

STEPS_PER_DEGREE: Final = 100_000  # about a metre
STREET_TOLERANCES_M: Final = (3.0, 8.0, 20.0)
STREET_VERTICES: Final = 320_000
POLYGON_VERTICES: Final = 400_000
_CELLS: Final = "packed_cells"
RING_DIGITS: Final = 5
_FALSE_EASTING_M: Final = 500_000.0  # of the middle of every zone that an area can have
_HALF_ROUND: Final = 180.0


@cache
def _to_degrees(crs: str) -> Transformer:
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def degrees(xy_m: FloatArray, crs: str) -> FloatArray:
    """Longitude and latitude (k, 2) of metric coordinates, as a map draws them.

    Places on both sides of the antimeridian lie side by side: beyond 180 degrees it goes on.
    """
    return beside(np.column_stack(_to_degrees(crs).transform(xy_m[:, 0], xy_m[:, 1])), crs)


def beside(lonlat: FloatArray, crs: str) -> FloatArray:
    """Degrees (k, 2) of which none lies on the other side of the Earth from the zone of a CRS."""
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    away = lon - _meridian(crs)
    lon = np.where(np.abs(away) > _HALF_ROUND, lon - np.copysign(2 * _HALF_ROUND, away), lon)
    return np.column_stack([lon, lat])


@cache
def _meridian(crs: str) -> float:
    """Longitude in the middle of a zone."""
    return float(_to_degrees(crs).transform(_FALSE_EASTING_M, 0.0)[0])


def pack(lonlat: FloatArray) -> dict[str, Any]:
    """Coordinates as an origin and steps from one to the next, in 1/100,000 of a degree."""
    whole = np.rint(lonlat * STEPS_PER_DEGREE).astype(np.int64)
    if not len(whole):
        return {"s": STEPS_PER_DEGREE, "o": [0, 0], "d": []}
    steps = np.diff(whole, axis=0, prepend=whole[:1])
    return {"s": STEPS_PER_DEGREE, "o": whole[0].tolist(), "d": steps.ravel()}


def _counted(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Lengths of the runs of equal numbers (owners come in order)."""
    if not len(owner):
        return np.zeros(0, dtype=np.int64)
    cuts = np.flatnonzero(np.diff(owner)) + 1
    return np.diff(np.concatenate([[0], cuts, [len(owner)]]))


def _open_rings(rings: Any) -> tuple[FloatArray, NDArray[np.int64]]:
    """Vertices (k, 2) of rings without the last of each, which is its first; and their counts."""
    xy, owner = shapely.get_coordinates(rings, return_index=True)
    kept = np.diff(owner, append=-1) == 0
    return xy[kept], _counted(owner[kept])


def pack_shapes(shapes: GeometryArray) -> dict[str, Any]:
    """Polygons in degrees as rings: vertices of each, rings of each part, parts of each shape."""
    parts, shape = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    lonlat, counts = _open_rings(rings)
    return pack(lonlat) | {
        "n": counts,
        "rings": np.bincount(part, minlength=len(parts)),
        "parts": np.bincount(shape, minlength=len(shapes)),
    }


def packed_cells(study: Study) -> dict[str, Any]:
    """Where the cells of a study lie, whom they hold: written short once, every page has them."""
    if _CELLS not in study.kept:
        cells, crs = study.city.cells, study.city.crs
        study.kept[_CELLS] = dense(
            {
                "points": pack(degrees(cells.xy_m, crs) if len(cells) else np.empty((0, 2))),
                "polygons": pack_polygons(cells, crs),
                "radius_m": cell_radius_m(cells),
                "r": cells.residents if cells.counted else [None] * len(cells),
                "e": cells.modelled.astype(np.int64),
            }
        )
    return cast(dict[str, Any], study.kept[_CELLS])


def pack_streets(network: WalkNetwork) -> tuple[dict[str, Any], bool]:
    """The network as simplified lines; True when only its longer edges could be kept."""
    lines: Any = network.lines()
    whole = lines
    for tolerance in STREET_TOLERANCES_M:
        whole = shapely.simplify(lines, tolerance, preserve_topology=False)
        if shapely.get_num_coordinates(whole).sum() <= STREET_VERTICES:
            break
    vertices = shapely.get_num_coordinates(whole)
    partial = int(vertices.sum()) > STREET_VERTICES
    if partial:
        longest = np.argsort(-network.edge_length_m, kind="stable")
        kept = np.sort(longest[np.cumsum(vertices[longest]) <= STREET_VERTICES])
        whole = whole[kept]
    xy, owner = shapely.get_coordinates(whole, return_index=True)
    return pack(degrees(xy, network.crs)) | {"n": _counted(owner)}, partial


def cell_radius_m(cells: Cells) -> float:
    """Half the usual distance between neighbouring cells, metres, within what the eye likes."""
    from scipy.spatial import cKDTree

    xy = np.unique(np.round(cells.xy_m, 1), axis=0)
    if len(xy) < 2:
        return 40.0
    sample = xy[:: max(1, len(xy) // 5000)]
    near = np.asarray(cKDTree(xy).query(sample, k=2)[0])[:, 1]
    return float(np.clip(np.median(near) / 2, 8.0, 250.0))


def pack_polygons(cells: Cells, crs: str) -> dict[str, Any] | None:
    """Rings of the cells' own polygons and whose they are; None when there are none or too many."""
    has: BoolArray = np.array([shape is not None for shape in cells.polygon], dtype=np.bool_)
    if not has.any():
        return None
    which = np.flatnonzero(has)
    rings: Any
    part_of: Any
    shapes = np.asarray(cells.polygon[which], dtype=object)
    parts, part_cell = shapely.get_parts(shapes, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    rings = shapely.simplify(rings, 1.0, preserve_topology=True)
    part_of = which[part_cell[ring_part]]
    if int(shapely.get_num_coordinates(rings).sum()) > POLYGON_VERTICES:
        return None
    xy, counts = _open_rings(rings)
    return pack(degrees(xy, crs)) | {"n": counts, "cell": part_of, "own": has.astype(np.int64)}


def polygons_degrees(shapes: GeometryArray, crs: str, *, shared: bool) -> GeometryArray:
    """Polygons simplified for the screen, in degrees; `shared` keeps common borders common."""
    known = np.array([s if s is not None else shapely.Polygon() for s in shapes], dtype=object)
    if not len(known):
        return known
    west, south, east, north = shapely.total_bounds(known)
    extent = float(np.hypot(east - west, north - south))
    tolerance = max(2.0, extent / 8000) if np.isfinite(extent) else 2.0
    thin = thinned(known, tolerance, shared=shared)

    def rounded(xy: FloatArray) -> FloatArray:
        return np.round(degrees(xy, crs), RING_DIGITS)

    return np.asarray(shapely.transform(thin, rounded), dtype=object)


def thinned(shapes: GeometryArray, tolerance: float, *, shared: bool) -> GeometryArray:
    """Shapes simplified to a tolerance in their own units; `shared` keeps common borders common."""
    polygonal = np.isin(
        shapely.get_type_id(shapes),
        [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON],
    )
    if shared and polygonal.all() and bool(shapely.coverage_is_valid(shapes)):
        return np.asarray(shapely.coverage_simplify(shapes, tolerance), dtype=object)
    return np.asarray(shapely.simplify(shapes, tolerance, preserve_topology=True), dtype=object)


def dot_places(shapes: GeometryArray, crs: str) -> list[list[float]]:
    """One place inside each geometry, [longitude, latitude] in degrees."""
    if not len(shapes):
        return []
    points = np.array(shapes, dtype=object)
    spread = shapely.get_type_id(points) != shapely.GeometryType.POINT
    points[spread] = shapely.point_on_surface(points[spread])
    return [
        [round(float(lon), 6), round(float(lat), 6)]
        for lon, lat in degrees(shapely.get_coordinates(points), crs)
    ]
