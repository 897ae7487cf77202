"""Residents of springcity in cells of about 100 m, and their sums per unit to the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.demo.springcity.draft import Streets
from lifecircle.analysis.demo.springcity.ground.blocks import Block
from lifecircle.analysis.demo.springcity.ground.mesh import (
    MIXED,
    NEW,
    OLD,
    VILLAGE,
    Mesh,
    street_of,
)
from lifecircle.analysis.demo.springcity.ground.terrain import Terrain, wet
from lifecircle.analysis.demo.springcity.plan import (
    CELL_M,
    HAMLET_AWAY_M,
    NEAR_WAY_M,
    PLANTED_STREETS,
    Plan,
    as_in_osm,
    largest_remainder,
    to_city,
    to_lonlat,
)
from lifecircle.analysis.demo.springcity.rural import Pier
from lifecircle.analysis.demo.springcity.units import UnitTable, street_code
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray, ObjectArray

_DENSITY: Final = {OLD: 1.1, MIXED: 0.8, NEW: 1.0, VILLAGE: 1.9}
_RURAL_CELL: Final = 55.0  # residents of a village cell, on average
_SEAT_TIMES: Final = 2.5
PER_HOUSEHOLD: Final = 2.7
_CHILDREN, _OLDER = 0.028, {OLD: 0.19, MIXED: 0.13, NEW: 0.09, VILLAGE: 0.07}
_OLDER_RURAL: Final = 0.22
_DRY_M: Final = 30.0
_HUNDRED: Final = 100
_SCATTERED: Final = 0.01  # of the usual density, where people gather in the middle of a street
PIER_CELLS: Final = ((300.0, 45.0, 31), (980.0, 40.0, 12), (1_800.0, 60.0, 47), (2_350.0, 60.0, 25))
"""Cells beside the pier: metres from its head, metres to the east, residents."""


@dataclass(frozen=True, slots=True)
class People:
    """Populated cells (c): `id`, centre `xy` (city metres) and `lonlat`, `polygon` in degrees.

    `residents`, `children` (0-3), `older` (65+), `households`: int64 (c,). `member[level]`:
    code of the unit that holds the cell, None outside all.
    """

    id: ObjectArray
    xy: FloatArray
    lonlat: FloatArray
    polygon: ObjectArray
    residents: IntArray
    children: IntArray
    older: IntArray
    households: IntArray
    member: dict[str, ObjectArray]

    def of_unit(self, level: str, code: str) -> BoolArray:
        """Which cells belong to a unit."""
        inside: BoolArray = self.member[level] == code
        return inside


@dataclass(frozen=True, slots=True)
class _Spots:
    """Cell centres before people move in: `code` of the smallest sure unit and `weight`."""

    xy: FloatArray
    code: ObjectArray
    weight: FloatArray
    older_share: FloatArray


def settle(
    mesh: Mesh,
    terrain: Terrain,
    streets: Streets,
    units: UnitTable,
    blocks: Sequence[Block],
    pier: Pier,
) -> People:
    """Everybody: rural people first, the city gets the rest by street and density."""
    plan = mesh.plan
    rural, rural_people = _rural(plan, units, streets)
    pier_xy, pier_lonlat = _pier_places(pier)
    pier_people = np.array([people for _, _, people in PIER_CELLS], dtype=np.int64)
    urban = _urban(mesh, terrain, streets, units, blocks)
    left = plan.residents - int(rural_people.sum()) - int(pier_people.sum())
    urban_people = _move_in(mesh, units, urban, left)
    xy = np.vstack([urban.xy, rural.xy, pier_xy])
    residents = np.concatenate([urban_people, rural_people, pier_people])
    share = np.concatenate(
        [urban.older_share, rural.older_share, np.full(len(pier_xy), _OLDER_RURAL)]
    )
    lived_in = residents > 0
    half = np.array([CELL_M / 2, CELL_M / 2])
    corners = [xy + half * sign for sign in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    rings = np.stack([to_lonlat(corner) for corner in corners], axis=1)
    rings[-len(pier_xy) :] = _around(pier_lonlat, pier_xy)
    xy, residents, share, rings = (
        xy[lived_in],
        residents[lived_in],
        share[lived_in],
        rings[lived_in],
    )
    rng = plan.rng("groups")
    member = {level: _members(units, level, xy) for level in _levels(units)}
    return People(
        id=np.array([f"C{k + 1:06d}" for k in range(len(xy))], dtype=np.object_),
        xy=xy,
        lonlat=to_lonlat(xy),
        polygon=np.asarray(shapely.polygons(rings), dtype=np.object_),
        residents=residents,
        children=rng.binomial(residents, _CHILDREN).astype(np.int64),
        older=rng.binomial(residents, share).astype(np.int64),
        households=_households(residents, member["natural_village"]),
        member=member,
    )


def _households(residents: IntArray, hamlet: ObjectArray) -> IntArray:
    """Households of every cell; one natural village has exactly 100.

    Of those with a few more, the first gives them up, one a cell.
    """
    households = np.maximum(1, np.round(residents / PER_HOUSEHOLD)).astype(np.int64)
    for code in sorted({str(code) for code in hamlet if code is not None}):
        here = np.flatnonzero(hamlet == code)
        spare = int(households[here].sum()) - _HUNDRED
        if 0 <= spare <= len(here) and (households[here] > 1).all():
            households[here[:spare]] -= 1
            break
    return households


def _levels(units: UnitTable) -> list[str]:
    return list(dict.fromkeys(unit.level for unit in units.units))


def _members(units: UnitTable, level: str, xy: FloatArray) -> ObjectArray:
    """Code of the unit of a level around each place, None where there is none."""
    table = units.of_level(level)
    code = np.full(len(xy), None, dtype=np.object_)
    tree = shapely.STRtree([unit.outline for unit in table])
    places, found = tree.query(shapely.points(xy), predicate="within")
    names = np.array([unit.code for unit in table], dtype=np.object_)
    code[places[::-1]] = names[found[::-1]]
    return code


def _lattice(west: float, south: float, east: float, north: float) -> FloatArray:
    x = np.arange(np.floor(west / CELL_M), np.ceil(east / CELL_M)) * CELL_M + CELL_M / 2
    y = np.arange(np.floor(south / CELL_M), np.ceil(north / CELL_M)) * CELL_M + CELL_M / 2
    gx, gy = np.meshgrid(x, y, indexing="ij")
    return np.column_stack([gx.ravel(), gy.ravel()])


def _away_m(ways: shapely.STRtree, xy: FloatArray) -> FloatArray:
    """Metres from each place to the nearest way, infinite beyond a kilometre, (n,)."""
    away = np.full(len(xy), np.inf)
    pair, metres = ways.query_nearest(
        shapely.points(xy), max_distance=1_000.0, return_distance=True, all_matches=False
    )
    away[pair[0]] = metres
    return away


def _urban(
    mesh: Mesh, terrain: Terrain, streets: Streets, units: UnitTable, blocks: Sequence[Block]
) -> _Spots:
    east, north = mesh.place[:, :, 0].max(), mesh.place[:, :, 1].max()
    xy = _lattice(0.0, 0.0, float(east), float(north))
    code = _members(units, "community", xy)
    taken = shapely.STRtree([block.outline for block in blocks if block.open_ground])
    open_ground = np.zeros(len(xy), dtype=np.bool_)
    if len(taken):
        open_ground[taken.query(shapely.points(xy), predicate="within")[0]] = True
    usable = (code != None) & ~open_ground & ~wet(terrain, xy, _DRY_M)  # noqa: E711
    usable[usable] = _away_m(shapely.STRtree(streets.lines()), xy[usable]) <= NEAR_WAY_M
    xy, code = xy[usable], code[usable]
    kind_of = {
        unit.code: int(mesh.kind[place])
        for place, unit in zip(mesh.quads(), units.of_level("community"), strict=True)
    }
    kinds = [kind_of[c] for c in code]
    noise = mesh.plan.rng("density").gamma(4.0, 0.25, len(xy))
    weight = noise * np.array([_DENSITY[k] for k in kinds])
    return _Spots(xy, code, weight, np.array([_OLDER[k] for k in kinds]))


def _move_in(mesh: Mesh, units: UnitTable, spots: _Spots, total: int) -> IntArray:
    """Residents per urban cell: planted streets get their number, the others share the rest."""
    street = np.array([str(code)[:9] + "000" for code in spots.code], dtype=np.object_)
    planted = {
        street_code(i, j): PLANTED_STREETS[street_of(i, j)[2:]]
        for i, j in mesh.quads()
        if street_of(i, j)[:2] == (0, 0) and street_of(i, j)[2:] in PLANTED_STREETS
    }
    table = units.of_level("subdistrict")
    plain = [unit.code for unit in table if unit.code not in planted]
    left = total - sum(p.residents for p in planted.values())
    drawn = mesh.plan.rng("streets").uniform(0.82, 1.18, len(plain))
    wanted = {code: p.residents for code, p in planted.items()}
    wanted |= dict(zip(plain, largest_remainder(left, drawn).tolist(), strict=True))
    people = np.zeros(len(spots.xy), dtype=np.int64)
    for unit in table:
        here = np.flatnonzero(street == unit.code)
        weight = spots.weight[here]
        plan = planted.get(unit.code)
        if plan is not None and plan.concentration_m is not None:
            middle = unit.outline.centroid
            far = np.hypot(spots.xy[here, 0] - middle.x, spots.xy[here, 1] - middle.y)
            weight = np.exp(-((far / (plan.concentration_m * mesh.plan.shrink)) ** 6))
            weight += _SCATTERED * spots.weight[here]
        people[here] = largest_remainder(wanted[unit.code], weight)
    return people


def _rural(plan: Plan, units: UnitTable, streets: Streets) -> tuple[_Spots, IntArray]:
    """Cells whose middle lies in a natural village, and their residents."""
    ways = shapely.STRtree(streets.lines())
    places, codes, average = [], [], []
    for unit in units.of_level("natural_village"):
        inside = _lattice(*unit.outline.bounds)
        inside = inside[shapely.contains_xy(unit.outline, inside[:, 0], inside[:, 1])]
        away = _away_m(ways, inside)
        lonely = unit.role == "unsnapped"
        inside = inside[(away >= HAMLET_AWAY_M) if lonely else (away <= NEAR_WAY_M)]
        places.append(inside)
        codes += [unit.code] * len(inside)
        size = _RURAL_CELL * (_SEAT_TIMES if unit.role == "seat" else 1.0)
        average += [size] * len(inside)
    xy = np.vstack(places)
    rng = plan.rng("villages")
    weight = np.array(average) * rng.gamma(5.0, 0.2, len(xy))
    spots = _Spots(xy, np.array(codes, dtype=np.object_), weight, np.full(len(xy), _OLDER_RURAL))
    return spots, np.maximum(1, np.round(weight)).astype(np.int64)


def _pier_places(pier: Pier) -> tuple[FloatArray, FloatArray]:
    """Middles of the cells beside the pier: city metres, and degrees rounded to 1e-7."""
    lonlat = []
    for metres, east, _ in PIER_CELLS:
        lon, lat = pier.at(metres)
        edge = to_city(np.array([[lon, lat]])) + np.array([[east, 0.0]])
        (beside, _), *_ = as_in_osm(edge).tolist()
        lonlat.append((beside, lat))
    places = np.array(lonlat)
    return to_city(places), places


def _around(lonlat: FloatArray, xy: FloatArray) -> FloatArray:
    """Squares in degrees, (n, 4, 2), whose centroid is exactly the given place."""
    reach = to_lonlat(xy + CELL_M / 4) - to_lonlat(xy - CELL_M / 4)
    signs = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    ring: FloatArray = lonlat[:, None, :] + np.abs(reach)[:, None, :] / 2 * signs[None, :, :]
    return ring


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of one unit over its cells."""

    residents: int
    children: int
    older: int
    households: int


def level_totals(people: People, units: UnitTable, level: str) -> dict[str, Totals]:
    """Residents, groups and households of every unit of a level: the sums of its cells."""
    codes = [unit.code for unit in units.of_level(level)]
    number = {code: k for k, code in enumerate(codes)}
    home = np.array([number.get(code, -1) for code in people.member[level]], dtype=np.int64)
    inside = home >= 0
    sums = np.zeros((4, len(codes)), dtype=np.int64)
    counts = (people.residents, people.children, people.older, people.households)
    for row, count in zip(sums, counts, strict=True):
        np.add.at(row, home[inside], count[inside])
    return {code: Totals(*sums[:, k].tolist()) for code, k in number.items()}
