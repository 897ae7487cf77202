"""Residential land as lattice samples, each with its share of the area (coverage reading L)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.analysis.city.model import GeometryArray, Units
from lifecircle.analysis.city.residents.lattice import lattice_points
from lifecircle.analysis.city.shapes import order_polygons, project_frame
from lifecircle.analysis.city.units.units import assign_units
from lifecircle.analysis.grouping.pair_blocks import find_in_blocks
from lifecircle.analysis.quantities import NOBODY, FloatArray, Int32Array


@dataclass(frozen=True, slots=True)
class LandSeed:
    """Land samples before they join the streets (s samples).

    `xy_m` float64 (s, 2); `area_m2` float64; `unit[level]` int32, index into Units.
    """

    xy_m: FloatArray
    area_m2: FloatArray
    unit: Mapping[str, Int32Array]

    def __len__(self) -> int:
        return len(self.area_m2)


def sample_land(
    residential: gpd.GeoDataFrame | None, units: Units, lattice_m: float, crs: str
) -> LandSeed | None:
    """Residential land of the units as lattice samples; None where there is none.

    The land is united first, so that nothing counts twice. Samples are the centres of the
    lattice squares inside a polygon of the unite_land land; each carries the polygon's area divided
    by its number of samples, so that the area is kept. A polygon without a sample gets one at
    its representative point. Samples outside all units belong to no study area and are left out.
    """
    if residential is None or residential.empty:
        return None
    polygons = unite_land(project_frame(residential, crs), units)
    owner, xy = lattice_points(polygons, lattice_m)
    missed = np.setdiff1d(np.arange(len(polygons)), owner)
    owner = np.concatenate((owner, missed))
    inside = shapely.get_coordinates(shapely.point_on_surface(polygons[missed])).reshape(-1, 2)
    xy = np.concatenate((xy, inside))
    order = np.argsort(owner, kind="stable")
    owner, xy = owner[order], xy[order]
    samples = np.bincount(owner, minlength=len(polygons))
    area = (shapely.area(polygons) / np.maximum(samples, 1))[owner]
    unit = assign_units(xy, units)
    held = np.zeros(len(xy), dtype=np.bool_)
    for index in unit.values():
        held |= index != NOBODY
    if not held.any():
        return None
    return LandSeed(xy[held], area[held], {level: index[held] for level, index in unit.items()})


def unite_land(geometry: GeometryArray, units: Units) -> GeometryArray:
    """The polygons of the union of the land near the units, from west to east."""
    parts = order_polygons(geometry)
    near = np.zeros(len(parts), dtype=np.bool_)
    for _, part in find_in_blocks(shapely.STRtree(parts), units.geometry, predicate="intersects"):
        near[part] = True
    polygons = shapely.get_parts(shapely.union_all(parts[near]))
    polygons = polygons[shapely.area(polygons) > 0]
    bounds = shapely.bounds(polygons).reshape(-1, 4)
    return np.asarray(polygons[np.lexsort(bounds.T[::-1])], dtype=object)
