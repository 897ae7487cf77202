"""Places to walk from where no file says how many people live where.

The homes of the map stand in for people, where there are none squares of residential land, where
there is none squares near streets. Either nobody is counted in them (walks and reading L need
nobody), or residents are reckoned from floor area, as an illustration.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.model import Units
from lifecircle.analysis.city.residents.dasymetric import find_land, lay_squares
from lifecircle.analysis.city.residents.homes import (
    PER_M2,
    Ground,
    Places,
    homes_of,
    keep_near_streets,
)
from lifecircle.analysis.city.residents.population import CellSeed
from lifecircle.analysis.city.shapes import anchor_xy, keep_polygons, project_frame
from lifecircle.analysis.city.units.units import area_polygon_from, lowest_unit
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.policy import SpreadRules
from lifecircle.analysis.quantities import IntArray
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.identifiers import order_by_code
from lifecircle.analysis.whole_persons import Along, round_along


def mapped_area(ground: Ground, crs: str, margin_m: float) -> shapely.Polygon:
    """The study area of a map without units and residents: around its buildings and its
    residential land, where there are none around its streets, `margin_m` wider.
    """
    frames = [frame for frame in (ground.buildings, ground.residential) if frame is not None]
    shapes = [project_frame(frame, crs) for frame in frames if not frame.empty]
    if shapes:
        return area_polygon_from(shapely.get_coordinates(np.concatenate(shapes)), margin_m)
    if ground.streets is None or len(ground.streets.network.vertex_xy_m) == 0:
        raise ParameterError("pipeline_no_residents")
    return area_polygon_from(ground.streets.network.vertex_xy_m, margin_m)


def stand_uncounted(units: Units, ground: Ground, rules: SpreadRules, crs: str) -> CellSeed:
    """Places of which nobody knows who lives there: homes, squares of land, squares near streets.

    Each lowest unit has the first of them that it has any of.

    Raises
    ------
    ParameterError : there is no such place in any unit.
    """
    homes = _homes(units, ground, rules, crs)
    rest = np.setdiff1d(_find_leaves(units), homes.unit).astype(np.int32)
    land = lay_squares(units, rest, find_land(units, rest, ground.residential, crs), rules)
    on_land, _ = keep_near_streets(_own(units, land), ground.streets, rules)
    rest = np.setdiff1d(rest, on_land.unit).astype(np.int32)
    squares = _own(units, lay_squares(units, rest, units.geometry[rest], rules))
    on_unit, _ = keep_near_streets(squares, ground.streets, rules)
    piles = (homes, on_land, on_unit)
    if not any(len(pile.id) for pile in piles):
        raise ParameterError("pipeline_no_residents")
    told = {name: len(pile.id) for name, pile in zip(("homes", "land", "near"), piles, strict=True)}
    seed = _seed(piles, np.zeros(sum(told.values()), dtype=np.int64), counted=False)
    return seed.saying(Warn("residents_uncounted", told))


def reckon_from_floor(
    units: Units, ground: Ground, rules: SpreadRules, m2_per_resident: float, crs: str
) -> CellSeed:
    """Residents of the homes of the map: floor (m²) ÷ `m2_per_resident`, whole in every unit.

    An illustration: floors are guesses where the map says none, and nobody has counted anyone.

    Raises
    ------
    ParameterError : the map has no home in any unit.
    """
    homes = _homes(units, ground, rules, crs)
    if len(homes.id) == 0:
        raise ParameterError("pipeline_no_homes")
    persons = homes.weight / PER_M2 / m2_per_resident
    middle = shapely.get_coordinates(shapely.centroid(homes.geometry)).reshape(-1, 2)
    along = Along.curve(to_lonlat(middle, crs), persons, homes.unit.astype(np.int64))
    residents = round_along(persons, along)
    if residents.sum() == 0:
        raise ParameterError("pipeline_no_homes")
    lived_in = residents > 0
    seed = _seed((homes.take(lived_in),), residents[lived_in], counted=True)
    told = {
        "residents": int(residents.sum()),
        "homes": len(homes.id),
        "area": f"{m2_per_resident:g}",
    }
    return seed.saying(Warn("residents_from_buildings", told))


def _homes(units: Units, ground: Ground, rules: SpreadRules, crs: str) -> Places:
    return homes_of(units, lambda xy_m: lowest_unit(xy_m, units), ground, rules, crs)


def _find_leaves(units: Units) -> IntArray:
    """Units with an outline that hold no other one."""
    leaves = np.setdiff1d(np.arange(len(units.code)), units.parent)
    drawn = [shape is not None and not shape.is_empty for shape in units.geometry[leaves]]
    return leaves[np.array(drawn, dtype=np.bool_)]


def _own(units: Units, places: Places) -> Places:
    """Places in no lower unit than the one they were laid in."""
    if len(places.id) == 0:
        return places
    return places.take(lowest_unit(anchor_xy(places.geometry), units) == places.unit)


def _seed(piles: Sequence[Places], residents: IntArray, *, counted: bool) -> CellSeed:
    ids = np.concatenate([pile.id for pile in piles])
    geometry = np.concatenate([pile.geometry for pile in piles])
    order = order_by_code(ids)
    shapes = geometry[order]
    return CellSeed(
        id=object_array(ids[order].tolist()),
        xy_m=anchor_xy(shapes),
        polygon=keep_polygons(shapes),
        residents=residents[order],
        groups={},
        modelled=np.full(len(ids), counted, dtype=np.bool_),
        counted=counted,
    )
