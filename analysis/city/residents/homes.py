"""Homes: the buildings in which residents of units live, and how near to streets people live."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Final, Protocol

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.analysis.city.model import GeometryArray, StrArray, Units
from lifecircle.analysis.city.shapes import middles_and_anchors, project_frame
from lifecircle.analysis.city.streets.network import lines_of
from lifecircle.analysis.city.units.units import assign_units
from lifecircle.analysis.policy import HomeRules, SpreadRules
from lifecircle.analysis.quantities import (
    NOBODY,
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
    corners_of,
)
from lifecircle.analysis.readers.records.cells import object_array

_SQUARES_PER_REACH: Final = 1.5  # above sqrt(2): all places of one square are in reach
PER_M2 = 100  # weights are whole hundredths of a square metre, so that shares are exact


class Lines(Protocol):
    """Lines as a `WalkNetwork` holds its edges."""

    @property
    def vertex_start(self) -> IntArray:
        """Where each line's vertices begin, int64 (m + 1,)."""
        ...

    @property
    def vertex_xy_m(self) -> FloatArray:
        """The vertices, float64 (p, 2), metres."""
        ...


class NearStreets:
    """The streets of a network, to ask what lies near; a spread asks several times."""

    def __init__(self, network: Lines) -> None:
        self.network = network
        self._squares: dict[float, tuple[IntArray, IntArray, IntArray]] = {}

    def are_near(self, xy_m: FloatArray, most_m: float) -> BoolArray:
        """Which points (k, 2) lie no farther than `most_m` from any street.

        Points that share a square, whose diagonal is that long, with a vertex of a street are near
        without any distance taken; in a city that is most of them.
        """
        near = self._share_a_square(xy_m, most_m)
        rest = np.flatnonzero(~near)
        found = self._tree.query_nearest(
            shapely.points(xy_m[rest]), max_distance=most_m, all_matches=False
        )
        near[rest[found[0]]] = True
        return near

    def _share_a_square(self, xy_m: FloatArray, most_m: float) -> BoolArray:
        side = most_m / _SQUARES_PER_REACH
        points = np.floor(xy_m / side).astype(np.int64)
        if not len(self.network.vertex_xy_m):
            return np.zeros(len(points), dtype=np.bool_)
        low, size, held = self._held_squares(side)
        wide, high = size
        column, row = (points - low).T
        inside = (column >= 0) & (column < wide) & (row >= 0) & (row < high)
        near: BoolArray = inside & np.isin(column * high + row, held)
        return near

    def _held_squares(self, side: float) -> tuple[IntArray, IntArray, IntArray]:
        """The lowest column and row, how many there are, and the numbers of squares with a vertex.

        Found once for each width.
        """
        if side not in self._squares:
            vertices = np.floor(self.network.vertex_xy_m / side).astype(np.int64)
            low, most = corners_of(vertices)
            size = most - low + 1
            held = np.unique((vertices[:, 0] - low[0]) * size[1] + vertices[:, 1] - low[1])
            self._squares[side] = low, size, held
        return self._squares[side]

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(lines_of(self.network.vertex_xy_m, self.network.vertex_start))


@dataclass(frozen=True, slots=True)
class Ground:
    """What a spread of residents looks at beside the units; frames of `OsmPlaces`.

    `buildings`: ``id``, ``building``, ``levels`` (null = by ``height_m``, else the policy's),
    outlines. `residential`: polygons of residential land; they may overlap. `no_homes`: areas and
    points where nobody lives. `streets`: None where nobody has to live near one.
    """

    buildings: gpd.GeoDataFrame | None = None
    residential: gpd.GeoDataFrame | None = None
    no_homes: gpd.GeoDataFrame | None = None
    streets: NearStreets | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where residents may live: `unit` they count for, `weight` in hundredths of m².

    `middle_m`, `anchor_m` (k, 2): the centroids, and the points that stand for them.
    """

    id: StrArray
    unit: Int32Array
    geometry: GeometryArray
    weight: IntArray
    middle_m: FloatArray
    anchor_m: FloatArray

    @classmethod
    def none(cls) -> Places:
        """No place at all."""
        nothing, nowhere = np.empty(0, dtype=object), np.empty((0, 2))
        return cls(nothing, np.empty(0, np.int32), nothing, np.empty(0, np.int64), nowhere, nowhere)

    def take(self, rows: IntArray | BoolArray) -> Places:
        """Some of them."""
        return Places(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def joined(cls, piles: Sequence[Places]) -> Places:
        """Those of several, one after another."""
        return cls(*(np.concatenate([getattr(one, f.name) for one in piles]) for f in fields(cls)))


def count_hundredths(area_m2: FloatArray) -> IntArray:
    """Areas as whole hundredths of a square metre."""
    return np.rint(area_m2 * PER_M2).astype(np.int64)


def find_homes(
    units: Units, populated: Int32Array, level: str, ground: Ground, rules: SpreadRules, crs: str
) -> Places:
    """Homes of the units where they give a believable floor area per resident."""
    places = homes_of(units, lambda xy_m: assign_units(xy_m, units)[level], ground, rules, crs)
    places = places.take(np.isin(places.unit, populated))
    each = _sum_by_unit(places, units) / PER_M2 / np.maximum(units.residents.value, 1)
    least, most = rules.min_floor_m2_per_resident.value, rules.max_floor_m2_per_resident.value
    return places.take(((each >= least) & (each <= most))[places.unit])


def homes_of(
    units: Units,
    unit_at: Callable[[FloatArray], Int32Array],
    ground: Ground,
    rules: SpreadRules,
    crs: str,
) -> Places:
    """Buildings that are homes, weighed by their floor, in the units in which `unit_at` finds them.

    In each unit the buildings tagged residential alone, where they have most of the floor of all
    homes, else all homes (DEFINITIONS, Residents).
    """
    buildings = ground.buildings
    if buildings is None or buildings.empty:
        return Places.none()
    kinds = (*rules.residential_buildings, *(rules.homes.plain_buildings if rules.homes else ()))
    lived_in = buildings[buildings["building"].isin(kinds)]
    tagged = lived_in["building"].isin(rules.residential_buildings).to_numpy()
    geometry = project_frame(lived_in, crs)
    middles, anchors = middles_and_anchors(geometry)
    places = Places(
        id=object_array(list(lived_in["id"])),
        unit=unit_at(anchors),
        geometry=geometry,
        weight=count_hundredths(shapely.area(geometry) * _count_floors(lived_in, rules)),
        middle_m=middles,
        anchor_m=anchors,
    )
    keep = (places.unit != NOBODY) & (places.weight > 0)
    if rules.homes is not None:
        keep &= tagged | _may_be_homes(geometry, anchors, ground, rules.homes, crs)
    places, tagged = places.take(keep), tagged[keep]
    if rules.homes is None:
        return places
    of_all = _sum_by_unit(places, units)
    of_tagged = _sum_by_unit(places.take(tagged), units)
    alone = of_tagged >= rules.homes.tagged_share.value * of_all
    return places.take(tagged | ~alone[places.unit])


def _sum_by_unit(places: Places, units: Units) -> IntArray:
    floor = np.zeros(len(units.code), dtype=np.int64)
    np.add.at(floor, places.unit, places.weight)
    return floor


def _count_floors(buildings: gpd.GeoDataFrame, rules: SpreadRules) -> FloatArray:
    """Floors of buildings: their tag, else by their height, else the policy's."""
    floors = np.asarray(buildings["levels"], dtype=np.float64)
    if rules.homes is not None and "height_m" in buildings:
        by_height = np.asarray(buildings["height_m"], dtype=np.float64) / rules.homes.storey_m.value
        floors = np.where(floors > 0, floors, by_height)
    return np.where(np.isfinite(floors) & (floors > 0), floors, rules.default_levels.value)


def _may_be_homes(
    geometry: GeometryArray, anchors: FloatArray, ground: Ground, rules: HomeRules, crs: str
) -> BoolArray:
    """Which buildings may be homes though no tag says so: by their ground and where they stand."""
    area = shapely.area(geometry)
    may = (area >= rules.min_ground_m2.value) & (area <= rules.max_ground_m2.value)
    if ground.no_homes is None or ground.no_homes.empty:
        return np.asarray(may)
    other = project_frame(ground.no_homes, crs)
    areal = shapely.get_dimensions(other) == 2
    within = shapely.STRtree(other[areal]).query(shapely.points(anchors), predicate="intersects")
    may[within[0]] = False
    holding = shapely.STRtree(other[~areal]).query(geometry, predicate="intersects")
    may[holding[0]] = False
    return np.asarray(may)


def keep_near_streets(
    places: Places, streets: NearStreets | None, rules: SpreadRules
) -> tuple[Places, Int32Array]:
    """Places of a lattice within reach of a street; units without any keep all, and are named."""
    if streets is None or rules.homes is None or len(places.id) == 0:
        return places, np.empty(0, dtype=np.int32)
    near = streets.are_near(places.anchor_m, rules.homes.max_street_m.value)
    far = np.setdiff1d(places.unit, places.unit[near]).astype(np.int32)
    return places.take(near | np.isin(places.unit, far)), far
