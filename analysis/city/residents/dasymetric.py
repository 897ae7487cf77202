"""Spreading unit totals over the places where people live (dasymetric), kept to the person.

Per unit: over residential buildings by floor area where that gives a believable floor area per
resident; else over lattice squares of residential land; else over lattice squares of the unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.model import GeometryArray, StrArray, Units
from lifecircle.analysis.city.residents.lattice import lattice_squares
from lifecircle.analysis.city.residents.population import CellSeed, keep_known
from lifecircle.analysis.city.shapes import (
    anchor_xy,
    keep_areas,
    keep_polygons,
    order_polygons,
    project_frame,
)
from lifecircle.analysis.city.units.units import assign_units
from lifecircle.analysis.errors import Fault, InputError, ParameterError, Warn
from lifecircle.analysis.policy import SpreadRules
from lifecircle.analysis.quantities import Counts, FloatArray, Int32Array, IntArray
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.identifiers import code_key
from lifecircle.analysis.whole_persons import (
    DISJOINT,
    UNBOUNDED,
    Along,
    keep_to_room,
    share_along,
)

_PER_M2 = 100  # weights are whole hundredths of a square metre, so that shares are exact


@dataclass(frozen=True, slots=True)
class SpreadResult:
    """Cells made from unit totals.

    `method` (k units): how each unit was spread: ``buildings``, ``land``, ``unit``, ``empty``
    (nobody lives there), ``unknown`` (no total); None for units of other levels.
    `unit` int32 (c cells): the unit whose residents the cell holds; it counts as declared.
    `level`: the level whose totals were spread.
    """

    seed: CellSeed
    method: StrArray
    unit: Int32Array
    level: str
    warnings: tuple[Warn, ...]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where residents may live: `unit` they count for, `weight` in hundredths of m²."""

    id: StrArray
    unit: Int32Array
    geometry: GeometryArray
    weight: IntArray

    def take(self, rows: NDArray[Any]) -> _Places:
        return _Places(self.id[rows], self.unit[rows], self.geometry[rows], self.weight[rows])


def spread_unit_totals(
    units: Units,
    group_totals: Mapping[str, Counts],
    buildings: gpd.GeoDataFrame | None,
    residential: gpd.GeoDataFrame | None,
    rules: SpreadRules,
    crs: str,
) -> SpreadResult:
    """Cells with the residents of the lowest level that has totals, total kept to the person.

    Parameters
    ----------
    units : those whose `residents` are unknown get no cells.
    group_totals : persons of a group in each unit; they are shared among the cells of a unit by
        their residents, so that they never exceed the residents of a cell.
    buildings : ``id``, ``building``, ``levels`` (null = policy default), outlines.
    residential : polygons of residential land; they may overlap.
    crs : the metric CRS of the city.

    Raises
    ------
    ParameterError : no level has a total.
    InputError : a group is larger than the residents of its unit, or a unit with residents has
        no geometry.
    """
    level = _find_level_with_totals(units)
    members = units.of_level(level)
    _refuse_totals(units, members, group_totals)
    populated = members[units.residents.value[members] > 0]
    method = np.full(len(units.code), None, dtype=object)
    method[members] = np.where(units.residents.known[members], "empty", "unknown")

    built = _find_in_buildings(units, populated, level, buildings, rules, crs)
    method[np.unique(built.unit)] = "buildings"
    rest = populated[method[populated] == "empty"]
    on_land = _lay_squares(units, rest, _find_land(units, rest, residential, crs), rules)
    method[np.unique(on_land.unit)] = "land"
    rest = populated[method[populated] == "empty"]
    on_unit = _lay_squares(units, rest, units.geometry[rest], rules)
    method[rest] = "unit"
    rest = np.setdiff1d(rest, on_unit.unit)
    seed, unit = _make_cells(
        units, group_totals, (built, on_land, on_unit, _stand_points(units, rest)), crs
    )
    return SpreadResult(seed, method, unit, level, _describe_spread(units, members, method, seed))


def spread_again(
    units: Units,
    first: SpreadResult,
    residential: gpd.GeoDataFrame | None,
    rules: SpreadRules,
    crs: str,
) -> tuple[CellSeed, StrArray, Int32Array]:
    """The residents spread once more, each unit by the next way: how far two ways lie apart.

    Units spread over buildings go over residential land (over the unit where it has none), units
    spread over land over the unit; units spread over the unit have no other way and no cells.

    Returns
    -------
    The cells, the method per unit (k units; None = no other way), the unit of each cell (c,).
    """
    method = np.full(len(units.code), None, dtype=object)
    built = np.flatnonzero(first.method == "buildings").astype(np.int32)
    on_land = _lay_squares(units, built, _find_land(units, built, residential, crs), rules)
    method[np.unique(on_land.unit)] = "land"
    rest = np.concatenate(
        (np.setdiff1d(built, on_land.unit), np.flatnonzero(first.method == "land"))
    ).astype(np.int32)
    on_unit = _lay_squares(units, rest, units.geometry[rest], rules)
    method[rest] = "unit"
    rest = np.setdiff1d(rest, on_unit.unit).astype(np.int32)
    seed, unit = _make_cells(units, {}, (on_land, on_unit, _stand_points(units, rest)), crs)
    return seed, method, unit


def _find_level_with_totals(units: Units) -> str:
    for level in reversed(units.levels):
        if units.residents.known[units.of_level(level)].any():
            return level
    raise ParameterError("no_unit_totals")


def _refuse_totals(units: Units, members: Int32Array, group_totals: Mapping[str, Counts]) -> None:
    residents = units.residents
    faults = [
        Fault(
            "group_above_residents",
            "units",
            column=group,
            params={
                "code": units.code[i],
                "name": units.name[i],
                "count": int(total.value[i]),
                "residents": int(residents.value[i]),
            },
        )
        for group, total in group_totals.items()
        for i in members
        if residents.known[i] and residents.value[i] < total.value[i]
    ]
    faults += _refuse_ages(units, members, group_totals)
    faults += [
        Fault("unit_without_place", "units", params={"code": units.code[i], "name": units.name[i]})
        for i in members
        if residents.value[i] > 0 and (units.geometry[i] is None or units.geometry[i].is_empty)
    ]
    if faults:
        raise InputError(faults)


def _refuse_ages(
    units: Units, members: Int32Array, group_totals: Mapping[str, Counts]
) -> list[Fault]:
    """Groups of which nobody is in two, together more than the residents of a unit."""
    ages = [name for name in DISJOINT if name in group_totals]
    if len(ages) < 2:
        return []
    together = np.sum([group_totals[name].value for name in ages], axis=0)
    alone = np.max([group_totals[name].value for name in ages], axis=0)
    residents = units.residents
    more = residents.known & (together > residents.value) & (alone <= residents.value)
    return [
        Fault(
            "group_above_residents",
            "units",
            column=" + ".join(ages),
            params={
                "code": units.code[i],
                "name": units.name[i],
                "count": int(together[i]),
                "residents": int(residents.value[i]),
            },
        )
        for i in members[more[members]]
    ]


def _find_in_buildings(
    units: Units,
    populated: Int32Array,
    level: str,
    buildings: gpd.GeoDataFrame | None,
    rules: SpreadRules,
    crs: str,
) -> _Places:
    """Residential buildings of the units where they give a believable floor area."""
    if buildings is None or buildings.empty:
        return _no_places()
    lived_in = buildings[buildings["building"].isin(rules.residential_buildings)]
    geometry = project_frame(lived_in, crs)
    floors = np.asarray(lived_in["levels"], dtype=np.float64)
    floors = np.where(np.isfinite(floors) & (floors > 0), floors, rules.default_levels.value)
    places = _Places(
        id=object_array(list(lived_in["id"])),
        unit=assign_units(anchor_xy(geometry), units)[level],
        geometry=geometry,
        weight=_count_hundredths(shapely.area(geometry) * floors),
    )
    places = places.take(np.isin(places.unit, populated) & (places.weight > 0))
    floor_m2 = np.zeros(len(units.code), dtype=np.int64)
    np.add.at(floor_m2, places.unit, places.weight)
    each = floor_m2 / _PER_M2 / np.maximum(units.residents.value, 1)
    least, most = rules.min_floor_m2_per_resident.value, rules.max_floor_m2_per_resident.value
    return places.take(((each >= least) & (each <= most))[places.unit])


def _find_land(
    units: Units, members: Int32Array, residential: gpd.GeoDataFrame | None, crs: str
) -> GeometryArray:
    """Residential land of each unit, once where it overlaps itself; None without any."""
    land = np.full(len(members), None, dtype=object)
    if residential is None or residential.empty:
        return land
    parts = order_polygons(project_frame(residential, crs))
    holder, part = shapely.STRtree(parts).query(units.geometry[members], predicate="intersects")
    if len(holder) == 0:
        return land
    order = np.lexsort((part, holder))
    held, begins = np.unique(holder[order], return_index=True)
    for i, mine in zip(held.tolist(), np.split(part[order], begins[1:]), strict=True):
        whole = shapely.union_all(parts[mine])
        land[i] = keep_areas(shapely.intersection(whole, units.geometry[members[i]]))
    return land


def _lay_squares(
    units: Units, members: Int32Array, ground: GeometryArray, rules: SpreadRules
) -> _Places:
    """Lattice squares of each unit's ground, weighed by the area of the ground in them.

    Their ids are the unit's code, column and row, padded: id order is from west to east.
    """
    squares = lattice_squares(ground, rules.lattice_m.value)
    unit = members[squares.owner]
    ids = [
        f"{units.code[i]}.{column:06d}.{row:06d}"
        for i, column, row in zip(unit, squares.column, squares.row, strict=True)
    ]
    places = _Places(
        object_array(ids), unit, squares.piece, _count_hundredths(shapely.area(squares.piece))
    )
    return places.take(places.weight > 0)


def _stand_points(units: Units, members: Int32Array) -> _Places:
    """One place per unit that is too small for a square, at its representative point."""
    return _Places(
        units.code[members],
        members,
        np.asarray(shapely.point_on_surface(units.geometry[members]), dtype=object),
        np.ones(len(members), dtype=np.int64),
    )


def _no_places() -> _Places:
    nothing = np.empty(0, dtype=object)
    return _Places(nothing, np.empty(0, np.int32), nothing, np.empty(0, np.int64))


def _count_hundredths(area_m2: FloatArray) -> IntArray:
    return np.rint(area_m2 * _PER_M2).astype(np.int64)


def _make_cells(
    units: Units, group_totals: Mapping[str, Counts], piles: Sequence[_Places], crs: str
) -> tuple[CellSeed, Int32Array]:
    ids = np.concatenate([pile.id for pile in piles])
    owners = np.concatenate([pile.unit for pile in piles])
    order = sorted(range(len(ids)), key=lambda i: (owners[i], code_key(str(ids[i]))))
    ids, owners = ids[order], owners[order]
    geometry = np.concatenate([pile.geometry for pile in piles])[order]
    weight = np.concatenate([pile.weight for pile in piles])[order]
    middle = shapely.get_coordinates(shapely.centroid(geometry)).reshape(-1, 2)
    along = Along.curve(to_lonlat(middle, crs), weight.astype(np.float64), owners.astype(np.int64))
    residents = share_along(units.residents.value, weight, owners, along)
    lived_in = residents > 0
    shares = _share_groups(units, group_totals, weight, owners, residents, along)
    columns = {
        group: Counts.of(held, group_totals[group].known[owners]).take(lived_in)
        for group, held in shares.items()
    }
    ids, owners, geometry = ids[lived_in], owners[lived_in], geometry[lived_in]
    residents = residents[lived_in]
    groups, warnings = keep_known(columns)
    seed = CellSeed(
        id=ids,
        xy_m=anchor_xy(geometry),
        polygon=keep_polygons(geometry),
        residents=residents,
        groups=groups,
        modelled=np.ones(len(ids), dtype=np.bool_),
        warnings=warnings,
    )
    return seed, owners.astype(np.int32)


def _share_groups(
    units: Units,
    totals: Mapping[str, Counts],
    weight: IntArray,
    owners: Int32Array,
    residents: IntArray,
    along: Along,
) -> dict[str, IntArray]:
    """Persons of each group by cell, shared like residents, nowhere more than there are."""
    shares = {}
    room = residents.copy()
    for group in sorted(totals, key=lambda name: (name not in DISJOINT, name)):
        held = share_along(totals[group].value, weight, owners, along)
        limit = room if group in DISJOINT else residents
        if group == UNBOUNDED:
            crowded = (totals[group].value > units.residents.value)[owners]
            limit = np.where(crowded & (residents > 0), totals[group].value[owners], residents)
        held = keep_to_room(held, limit, along)
        if group in DISJOINT:
            room -= held
        shares[group] = held
    return {group: shares[group] for group in totals}


def _describe_spread(
    units: Units, members: Int32Array, method: StrArray, seed: CellSeed
) -> tuple[Warn, ...]:
    used = {name: int(np.count_nonzero(method == name)) for name in ("buildings", "land", "unit")}
    remarks = [Warn("residents_modelled", {"residents": int(seed.residents.sum()), **used})]
    unknown = members[~units.residents.known[members]]
    if len(unknown):
        names = ", ".join(str(name) for name in units.name[unknown])
        remarks.append(Warn("units_without_residents", {"count": len(unknown), "names": names}))
    return (*remarks, *seed.warnings)
