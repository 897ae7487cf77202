"""Spreading unit totals over the places where people live (dasymetric), kept to the person.

Per unit: over residential buildings by floor area where that gives a believable floor area per
resident; else over lattice squares of residential land; else over lattice squares of the unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.model import GeometryArray, StrArray, Units
from lifecircle.analysis.city.residents.homes import (
    Ground,
    Places,
    count_hundredths,
    find_homes,
    keep_near_streets,
)
from lifecircle.analysis.city.residents.lattice import lattice_squares
from lifecircle.analysis.city.residents.population import CellSeed, keep_known
from lifecircle.analysis.city.shapes import (
    keep_areas,
    keep_polygons,
    middles_and_anchors,
    order_polygons,
    project_frame,
)
from lifecircle.analysis.errors import Fault, InputError, ParameterError, Warn
from lifecircle.analysis.grouping.pair_blocks import PairBudget, pairs_or_joined
from lifecircle.analysis.policy import SpreadRules
from lifecircle.analysis.quantities import Counts, Int32Array, IntArray
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.identifiers import code_key
from lifecircle.analysis.whole_persons import (
    DISJOINT,
    UNBOUNDED,
    Along,
    keep_to_room,
    share_along,
)

SPREAD_METHODS: Final = ("buildings", "land", "unit", "empty", "unknown")


@dataclass(frozen=True, slots=True)
class SpreadResult:
    """Cells made from unit totals.

    `method` (k units): how each unit was spread: ``buildings``, ``land``, ``unit``, ``empty``
    (nobody lives there), ``unknown`` (no total); None for units of other levels.
    `unit` int32 (c cells): the unit whose residents the cell holds; it counts as declared.
    `level`: the level whose totals were spread. `far`: units none of whose land lies near a street.
    """

    seed: CellSeed
    method: StrArray
    unit: Int32Array
    level: str
    far: Int32Array
    warnings: tuple[Warn, ...]


def spread_unit_totals(
    units: Units,
    group_totals: Mapping[str, Counts],
    ground: Ground,
    rules: SpreadRules,
    crs: str,
) -> SpreadResult:
    """Cells with the residents of the lowest level that has totals, total kept to the person.

    Parameters
    ----------
    units : those whose `residents` are unknown get no cells.
    group_totals : persons of a group in each unit; they are shared among the cells of a unit by
        their residents, so that they never exceed the residents of a cell.
    ground : buildings, residential land, where nobody lives, streets.
    crs : the metric CRS of the city.

    Raises
    ------
    ParameterError : no level has a total.
    InputError : a group is larger than the residents of its unit, or a unit with residents has
        no geometry.
    """
    level = level_with_totals(units)
    members = units.of_level(level)
    refuse_totals(units, members, group_totals)
    populated = members[units.residents.value[members] > 0]
    method = np.full(len(units.code), None, dtype=object)
    method[members] = np.where(units.residents.known[members], "empty", "unknown")

    built = find_homes(units, populated, level, ground, rules, crs)
    method[np.unique(built.unit)] = "buildings"
    rest = populated[method[populated] == "empty"]
    land = find_land(units, rest, ground.residential, crs)
    on_land, off_land = keep_near_streets(
        lay_squares(units, rest, land, rules), ground.streets, rules
    )
    method[np.unique(on_land.unit)] = "land"
    rest = populated[method[populated] == "empty"]
    on_unit, off_unit = keep_near_streets(
        lay_squares(units, rest, units.geometry[rest], rules), ground.streets, rules
    )
    method[rest] = "unit"
    rest = np.setdiff1d(rest, on_unit.unit)
    far = np.concatenate((off_land, off_unit))
    seed, unit = _make_cells(
        units, group_totals, (built, on_land, on_unit, _stand_points(units, rest)), crs
    )
    warnings = describe_spread(units, method, seed, far, rules)
    return SpreadResult(seed, method, unit, level, far, warnings)


def spread_again(
    units: Units,
    first: SpreadResult,
    ground: Ground,
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
    land = find_land(units, built, ground.residential, crs)
    on_land, _ = keep_near_streets(lay_squares(units, built, land, rules), ground.streets, rules)
    method[np.unique(on_land.unit)] = "land"
    rest = np.concatenate(
        (np.setdiff1d(built, on_land.unit), np.flatnonzero(first.method == "land"))
    ).astype(np.int32)
    on_unit, _ = keep_near_streets(
        lay_squares(units, rest, units.geometry[rest], rules), ground.streets, rules
    )
    method[rest] = "unit"
    rest = np.setdiff1d(rest, on_unit.unit).astype(np.int32)
    seed, unit = _make_cells(units, {}, (on_land, on_unit, _stand_points(units, rest)), crs)
    return seed, method, unit


def level_with_totals(units: Units) -> str:
    """The lowest level that says how many live in a unit.

    Raises
    ------
    ParameterError : no level does.
    """
    for level in reversed(units.levels):
        if units.residents.known[units.of_level(level)].any():
            return level
    raise ParameterError("no_unit_totals")


def refuse_totals(units: Units, members: Int32Array, group_totals: Mapping[str, Counts]) -> None:
    """Refuse groups larger than the residents of their unit, and residents without a place.

    Raises
    ------
    InputError : every such unit among `members` (indices).
    """
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


def find_land(
    units: Units, members: Int32Array, residential: gpd.GeoDataFrame | None, crs: str
) -> GeometryArray:
    """Residential land of each unit, once where it overlaps itself; None without any."""
    land = np.full(len(members), None, dtype=object)
    if residential is None or residential.empty:
        return land
    parts = order_polygons(project_frame(residential, crs))
    budget = PairBudget.of(len(parts) + len(members))
    parts, part, holder = pairs_or_joined(shapely.STRtree(units.geometry[members]), parts, budget)
    if len(holder) == 0:
        return land
    order = np.lexsort((part, holder))
    held, begins = np.unique(holder[order], return_index=True)
    for i, mine in zip(held.tolist(), np.split(part[order], begins[1:]), strict=True):
        whole = shapely.union_all(parts[mine])
        land[i] = keep_areas(shapely.intersection(whole, units.geometry[members[i]]))
    return land


def lay_squares(
    units: Units, members: Int32Array, ground: GeometryArray, rules: SpreadRules
) -> Places:
    """Lattice squares of each unit's ground, weighed by the area of the ground in them.

    Their ids are the unit's code, column and row, padded: id order is from west to east.
    """
    squares = lattice_squares(ground, rules.lattice_m.value)
    unit = members[squares.owner]
    ids = [
        f"{units.code[i]}.{column:06d}.{row:06d}"
        for i, column, row in zip(unit, squares.column, squares.row, strict=True)
    ]
    weight = count_hundredths(shapely.area(squares.piece))
    kept = weight > 0
    piece = squares.piece[kept]
    return Places(
        object_array(ids)[kept], unit[kept], piece, weight[kept], *middles_and_anchors(piece)
    )


def _stand_points(units: Units, members: Int32Array) -> Places:
    """One place per unit that is too small for a square, at its representative point."""
    point = np.asarray(shapely.point_on_surface(units.geometry[members]), dtype=object)
    one = np.ones(len(members), dtype=np.int64)
    return Places(units.code[members], members, point, one, *middles_and_anchors(point))


def _make_cells(
    units: Units, group_totals: Mapping[str, Counts], piles: Sequence[Places], crs: str
) -> tuple[CellSeed, Int32Array]:
    places = Places.joined(piles)
    places = places.take(_order_by_owner(places.unit, places.id))
    owners, weight = places.unit, places.weight
    at = to_lonlat(places.middle_m, crs)
    along = Along.curve(at, weight.astype(np.float64), owners.astype(np.int64))
    residents = share_along(units.residents.value, weight, owners, along)
    lived_in = residents > 0
    shares = _share_groups(units, group_totals, weight, owners, residents, along)
    columns = {
        group: Counts.of(held, group_totals[group].known[owners]).take(lived_in)
        for group, held in shares.items()
    }
    places, residents = places.take(lived_in), residents[lived_in]
    groups, warnings = keep_known(columns)
    seed = CellSeed(
        id=places.id,
        xy_m=places.anchor_m,
        polygon=keep_polygons(places.geometry),
        residents=residents,
        groups=groups,
        modelled=np.ones(len(residents), dtype=np.bool_),
        warnings=warnings,
    )
    return seed, places.unit.astype(np.int32)


def _order_by_owner(owners: Int32Array, ids: StrArray) -> IntArray:
    """Rows by unit, in each by `code_key` of their ids; most stand so already, pile by pile."""
    row = np.argsort(owners, kind="stable")
    texts = list(map(str, ids[row].tolist()))
    numbered = any(map(str.isdigit, texts))  # else all keys go by the texts alone
    keys = list(zip(owners[row].tolist(), map(code_key, texts) if numbered else texts, strict=True))
    return row[sorted(range(len(row)), key=keys.__getitem__)]


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


def describe_spread(
    units: Units, method: StrArray, seed: CellSeed, far: Int32Array, rules: SpreadRules
) -> tuple[Warn, ...]:
    """What is said of a spread (`SpreadResult`): how many, by which way, where it is doubtful."""
    used = {name: int(np.count_nonzero(method == name)) for name in ("buildings", "land", "unit")}
    remarks = [Warn("residents_modelled", {"residents": int(seed.residents.sum()), **used})]
    unknown = np.flatnonzero(method == "unknown")
    if len(unknown):
        names = ", ".join(str(name) for name in units.name[unknown])
        remarks.append(Warn("units_without_residents", {"count": len(unknown), "names": names}))
    return (*remarks, *seed.warnings, *_describe_far(units, far, rules))


def _describe_far(units: Units, far: Int32Array, rules: SpreadRules) -> tuple[Warn, ...]:
    """Units none of whose land lies near a street, where they hold more than a share of all."""
    people = units.residents.value
    if rules.homes is None or people[far].sum() <= rules.homes.told_share.value * people.sum():
        return ()
    told = {
        "residents": int(people[far].sum()),
        "metres": rules.homes.max_street_m.value,
        "count": len(far),
        "names": ", ".join(str(name) for name in units.name[far]),
    }
    return (Warn("spread_far_from_streets", told),)
