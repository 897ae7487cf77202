"""Dasymetric spread of unit totals, worked out again: which homes, how many persons in each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import KDTree

from tests.oracles.audit.areas import polygon_area
from tests.oracles.audit.attach import Joiner, starts
from tests.oracles.audit.ground import Building, Land
from tests.oracles.audit.persons import on_curve
from tests.oracles.audit.streets import WGS84, Floats

LOW_M2, HIGH_M2 = 10.0, 60.0  # floor for each resident
SMALLEST_M2, LARGEST_M2 = 20.0, 5000.0  # ground of building=yes
TAGGED_SHARE = 0.8
STOREY_M = 3.0
LATTICE_M = 50.0
REACH_M = 250.0
NESTED_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows of the buildings that are meant, their floor for each resident, the tagged share."""

    rows: Any
    floor_each: float | None
    tagged_share: float | None

    @property
    def believed(self) -> bool:
        return self.floor_each is not None and LOW_M2 <= self.floor_each <= HIGH_M2


@dataclass(frozen=True, slots=True)
class Homes:
    """The cells of one unit: method (buildings, land, unit), geometry in metres, persons."""

    method: str | None
    key: list[str]  # building id, or the column and row of the lattice
    shape: Any
    persons: Any
    choice: Choice
    beyond: int  # cells of the lattice left out, too far from any street


@dataclass(frozen=True, slots=True)
class HomeBook:
    """All buildings with their ground and floor, land in metres; makes the homes of a unit."""

    joiner: Joiner
    buildings: list[Building]
    shape: Any
    middle: Any
    ground_m2: Floats
    floor_m2: Floats
    home: Any  # in H
    tagged: Any
    residential: Any  # a union
    streets: KDTree  # points along every street
    squares: bool  # a lattice cell is the square cut to the land, else its sample point

    @classmethod
    def of(cls, joiner: Joiner, land: Land, default_levels: float, squares: bool) -> HomeBook:
        shape = joiner.metric(np.array([one.shape for one in land.buildings], dtype=object))
        ground = np.array([polygon_area(one) for one in shape])
        floors = np.array([_floors(one, default_levels) for one in land.buildings])
        middle = starts(shape)
        tagged = np.array([one.tagged for one in land.buildings], dtype=bool)
        no_homes = joiner.metric(np.array(land.no_homes, dtype=object))
        amenities = joiner.metric(np.array(land.amenities, dtype=object))
        plain = (ground >= SMALLEST_M2) & (ground <= LARGEST_M2)
        plain &= ~np.array([one.amenity for one in land.buildings], dtype=bool)
        plain &= ~_meets(middle, no_homes) & ~_meets(shape, amenities)
        residential = shapely.union_all(
            shapely.make_valid(joiner.metric(np.array(land.residential, dtype=object)))
        )
        return cls(
            joiner=joiner,
            buildings=land.buildings,
            shape=shape,
            middle=middle,
            ground_m2=ground,
            floor_m2=ground * floors,
            home=tagged | plain,
            tagged=tagged,
            residential=residential,
            streets=KDTree(_along_streets(joiner)),
            squares=squares,
        )

    def of_unit(self, unit: Any, residents: int, rows: Any) -> Homes:
        """Homes of one unit (metric polygon); `rows` are the buildings that stand in it."""
        choice = self.choose(residents, rows)
        if choice.believed:
            keys = [self.buildings[row].id for row in choice.rows.tolist()]
            shape, floor = self.shape[choice.rows], self.floor_m2[choice.rows]
            return self._homes("buildings", keys, shape, floor, residents, choice)
        land = shapely.intersection(self.residential, unit)
        method = "land" if shapely.area(land) > 0 else "unit"
        key, shape, weight = self._lattice(land if method == "land" else unit)
        near = self._near_street(shape)
        kept = near if near.any() else np.ones(len(near), dtype=bool)
        key = [one for one, keep in zip(key, kept.tolist(), strict=True) if keep]
        beyond = int((~kept).sum())
        return self._homes(method, key, shape[kept], weight[kept], residents, choice, beyond)

    def choose(self, residents: int, rows: Any) -> Choice:
        """The set of buildings: the tagged alone where they hold 80 % of the floor, else H."""
        home, tagged = rows[self.home[rows]], rows[self.tagged[rows]]
        all_floor, tagged_floor = self.floor_m2[home].sum(), self.floor_m2[tagged].sum()
        share = float(tagged_floor / all_floor) if all_floor > 0 else None
        chosen = tagged if share is not None and share >= TAGGED_SHARE else home
        each = float(self.floor_m2[chosen].sum() / residents) if residents else None
        return Choice(chosen, each, share)

    def geodesic(self) -> HomeBook:
        """The same with geodesic areas: does the way of measuring decide anything?"""
        ground = np.array([abs(WGS84.geometry_area_perimeter(b.shape)[0]) for b in self.buildings])
        plain = self.home & ~self.tagged
        apart = (ground < SMALLEST_M2) | (ground > LARGEST_M2)
        floor = self.floor_m2 * np.divide(
            ground, self.ground_m2, out=np.ones_like(ground), where=self.ground_m2 > 0
        )
        return replace(self, ground_m2=ground, floor_m2=floor, home=self.home & ~(plain & apart))

    def _homes(
        self,
        method: str,
        key: list[str],
        shape: Any,
        weight: Floats,
        residents: int,
        choice: Choice,
        beyond: int = 0,
    ) -> Homes:
        middle = self.joiner.degrees(shapely.get_coordinates(shapely.centroid(shape)))
        hundredths = np.rint(weight * 100)  # of a square metre: areas are told no finer
        persons = on_curve(residents, hundredths, middle[:, 0], middle[:, 1])
        return Homes(method, key, shape, persons, choice, beyond)

    def _lattice(self, land: Any) -> tuple[list[str], Any, Floats]:
        keys, shapes, weights = [], [], []
        for part in shapely.get_parts(land):
            if shapely.get_dimensions(part) != 2:
                continue
            found = _squares(part) if self.squares else _samples(part)
            keys.extend(found[0])
            shapes.extend(found[1])
            weights.extend(found[2])
        if not self.squares:
            return keys, np.array(shapes, dtype=object), np.array(weights)
        return _joined(keys, shapes, weights)

    def _near_street(self, shape: Any) -> Any:
        """Cells that lie no farther than 250 m from a street, to the metre."""
        at = shapely.get_coordinates(starts(shape))
        return self.streets.query(at, distance_upper_bound=REACH_M)[0] <= REACH_M


def _floors(building: Building, default: float) -> float:
    if building.levels is not None:
        return building.levels
    return default if building.height_m is None else building.height_m / STOREY_M


def _meets(shapes: Any, others: Any) -> Any:
    """Which shapes meet any of the others."""
    met = np.zeros(len(shapes), dtype=bool)
    if len(others):
        found = shapely.STRtree(others).query(shapes, predicate="intersects")[0]
        met[found] = True
    return met


def _along_streets(joiner: Joiner, step_m: float = 2.0) -> Floats:
    """Points along every street, bridges and short pieces too, no farther apart than a step."""
    streets = joiner.streets
    parts = np.maximum(1, np.ceil(streets.length_m / step_m).astype(int))
    row = np.repeat(np.arange(len(parts)), parts)
    first = np.concatenate([[0], np.cumsum(parts)[:-1]])
    share = (np.arange(len(row)) - first[row]) / parts[row]
    start, end = joiner.node_xy[streets.a[row]], joiner.node_xy[streets.b[row]]
    return np.concatenate([start + share[:, None] * (end - start), joiner.node_xy])


def _squares(part: Any) -> tuple[list[str], list[Any], list[float]]:
    """A polygon cut by squares of the lattice from 0,0, each with its area."""
    x0, y0, x1, y1 = (np.floor(np.array(shapely.bounds(part)) / LATTICE_M)).astype(int).tolist()
    grid = [(i, j) for i in range(x0, x1 + 1) for j in range(y0, y1 + 1)]
    boxes = shapely.box(
        *(np.array([(i, j, i + 1, j + 1) for i, j in grid], dtype=float) * LATTICE_M).T
    )
    shapely.prepare(part)
    keep = np.flatnonzero(shapely.intersects(part, boxes))
    cut = shapely.intersection(part, boxes[keep])
    keys, shapes, sizes = [], [], []
    for k, shape in zip(keep.tolist(), cut, strict=True):
        surface = [one for one in shapely.get_parts(shape) if shapely.get_dimensions(one) == 2]
        if surface:
            keys.append(f"{grid[k][0]}.{grid[k][1]}")
            shapes.append(surface[0] if len(surface) == 1 else shapely.multipolygons(surface))
            sizes.append(polygon_area(shapes[-1]))
    return keys, shapes, sizes


def _samples(part: Any) -> tuple[list[str], list[Any], list[float]]:
    """Places of the lattice from 0,0 inside a polygon, each with its share of the area."""
    x0, y0, x1, y1 = np.array(shapely.bounds(part)) / LATTICE_M
    grid = [
        (i, j)
        for i in range(int(np.ceil(x0)), int(np.floor(x1)) + 1)
        for j in range(int(np.ceil(y0)), int(np.floor(y1)) + 1)
    ]
    points = shapely.points(np.array(grid, dtype=float).reshape(-1, 2) * LATTICE_M)
    shapely.prepare(part)
    inside = np.flatnonzero(shapely.covers(part, points))
    size = polygon_area(part)
    if not len(inside):
        return ["own"], [shapely.point_on_surface(part)], [size]
    keys = [f"{grid[k][0]}.{grid[k][1]}" for k in inside.tolist()]
    return keys, list(points[inside]), [size / len(inside)] * len(inside)


def _joined(
    keys: list[str], shapes: list[Any], weights: list[float]
) -> tuple[list[str], Any, Floats]:
    """Pieces of several polygons in one square are one cell."""
    rows: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    joined = [
        shapes[own[0]]
        if len(own) == 1
        else shapely.multipolygons([p for k in own for p in shapely.get_parts(shapes[k])])
        for own in rows.values()
    ]
    total = np.array([sum(weights[k] for k in own) for own in rows.values()])
    return list(rows), np.array(joined, dtype=object), total


def units_of(points: Any, units: gpd.GeoDataFrame, joiner: Joiner) -> Any:
    """Row of the unit (code order) that holds each metric point; -1 outside all.

    On a shared border the lower code; a unit that lies (95 %) inside another is meant there.
    """
    shapes = joiner.metric(np.asarray(units.geometry.array, dtype=object))
    tree = shapely.STRtree(points)
    inside = [tree.query(shape, predicate="covers") for shape in shapes]
    answer = np.full(len(points), -1, dtype=np.int64)
    for row in reversed(range(len(shapes))):
        answer[inside[row]] = row
    for inner, outer in _nested(shapes):
        answer[inside[inner][answer[inside[inner]] == outer]] = inner
    return answer


def _nested(shapes: Any) -> list[tuple[int, int]]:
    """Pairs (inner, outer) of units, the largest inner ones first."""
    size = np.array([polygon_area(one) for one in shapes])
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = [(i, j) for i, j in zip(one.tolist(), other.tolist(), strict=True) if size[i] < size[j]]
    found = [
        (i, j)
        for i, j in pairs
        if polygon_area(shapely.intersection(shapes[i], shapes[j])) >= NESTED_SHARE * size[i]
    ]
    return sorted(found, key=lambda pair: -size[pair[0]])
