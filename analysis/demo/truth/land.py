"""Residential land of springcity in squares of 25 m, and where they join the streets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry import Polygon

from lifecircle.analysis.demo.springcity.draft import Streets
from lifecircle.analysis.demo.springcity.ground.areas import Area
from lifecircle.analysis.demo.springcity.units import UnitTable
from lifecircle.analysis.demo.truth.walking import Footing, stand
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray

_LATTICE_M: Final = 25.0


@dataclass(frozen=True, slots=True)
class Land:
    """Samples of the land where people live (s): city metres, the m² each stands for, footing.

    `off`: too far from every way. `order`: samples by edge.
    """

    xy: FloatArray
    area_m2: FloatArray
    footing: Footing
    off: BoolArray
    order: IntArray

    def inside(self, units: UnitTable, level: str) -> BoolArray:
        """Which samples lie in a unit of a level."""
        tree = shapely.STRtree([unit.outline for unit in units.of_level(level)])
        held = np.zeros(len(self.xy), dtype=np.bool_)
        held[tree.query(shapely.points(self.xy), predicate="within")[0]] = True
        return held


def sample_land(areas: Sequence[Area], streets: Streets, most_leg_m: float) -> Land:
    """The middles of the squares inside housing land; a piece without any gives one place.

    Each stands for the piece's area over the number of its places.
    """
    rings = [area.ring for area in areas if area.tags.get("landuse") == "residential"]
    pieces = shapely.get_parts(shapely.union_all([Polygon(ring) for ring in rings]))
    places, sizes = [], []
    for piece in pieces:
        west, south, east, north = (side / _LATTICE_M for side in piece.bounds)
        x = (np.arange(np.floor(west), np.ceil(east)) + 0.5) * _LATTICE_M
        y = (np.arange(np.floor(south), np.ceil(north)) + 0.5) * _LATTICE_M
        gx, gy = (part.ravel() for part in np.meshgrid(x, y))
        held = shapely.contains_xy(piece, gx, gy)
        found = np.column_stack([gx[held], gy[held]])
        if len(found) == 0:
            found = np.array(shapely.point_on_surface(piece).coords)
        places.append(found)
        sizes.append(np.full(len(found), piece.area / len(found)))
    xy = np.vstack(places)
    footing = stand(streets, xy)
    order = np.argsort(footing.edge, kind="stable")
    return Land(xy, np.concatenate(sizes), footing, footing.leg_m > most_leg_m, order)
