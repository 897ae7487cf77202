"""Facilities that name their unit: the unit found, and a place for those without coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from lifecircle.analysis.city.model import GeometryArray, Units
from lifecircle.analysis.city.notes import UnitRow
from lifecircle.analysis.city.units.unit_match import UnitIndex, UnitMatches, describe_matches
from lifecircle.analysis.errors import Fault, InputError, Warn
from lifecircle.analysis.quantities import BoolArray, FloatArray, Int32Array, IntArray
from lifecircle.analysis.readers.records.attributes import PLACED
from lifecircle.analysis.readers.records.cells import no_texts, object_array
from lifecircle.analysis.readers.records.tables import FacilityTable


@dataclass(frozen=True, slots=True)
class Homes:
    """Where the residents of the units live: cells (c) in metres, and the unit of each by level."""

    xy_m: FloatArray
    residents: IntArray
    unit: Mapping[str, Int32Array]

    def places_in(self, units: Units, wanted: Sequence[int]) -> dict[int, shapely.Point]:
        """The point that stands for each of some units.

        The cell nearest to the middle of its residents; a point inside its polygon where nobody
        is known to live.
        """
        cells = {level: _sort_by_unit(held) for level, held in self.unit.items()}
        places = {}
        for unit in dict.fromkeys(wanted):
            held, order = cells[str(units.level[unit])]
            low, high = np.searchsorted(held, (unit, unit + 1)).tolist()
            places[unit] = self._place_in(units, unit, order[low:high])
        return places

    def _place_in(self, units: Units, unit: int, here: IntArray) -> shapely.Point:
        people = self.residents[here]
        if people.sum() > 0:
            middle = (self.xy_m[here] * people[:, None]).sum(axis=0) / people.sum()
            lived_in = here[people > 0]
            away = np.hypot(*(self.xy_m[lived_in] - middle).T)
            return shapely.Point(self.xy_m[lived_in[int(np.argmin(away))]])
        inside: shapely.Point = shapely.point_on_surface(units.geometry[unit])
        return inside


def find_units(
    table: FacilityTable, file: str, units: Units, homes: Homes
) -> tuple[FacilityTable, GeometryArray, tuple[UnitRow, ...], tuple[Warn, ...]]:
    """A table of facilities with the unit each row names, and a place for rows without one.

    `unit_code` becomes the code of the unit found (an unknown one stays as it was); rows without
    a shape get the point that stands for their unit (in metres; None in the other rows), and
    `placed_by_unit` its code.

    Parameters
    ----------
    table : rows with `unit_code`, `unit_name`, `unit_above` or `address`, all optional.
    homes : where people live.

    Raises
    ------
    InputError : rows without coordinates whose unit is not found; every one is named.
    """
    placeless = np.asarray(shapely.is_missing(table.where.shapes), dtype=np.bool_)
    codes, names = _texts_of(table, "unit_code"), _texts_of(table, "unit_name")
    above, addresses = _texts_of(table, "unit_above"), _texts_of(table, "address")
    named = [name or upper for name, upper in zip(names, above, strict=True)]
    within = [upper if name else None for name, upper in zip(names, above, strict=True)]
    only_there = [a if p else None for a, p in zip(addresses, placeless, strict=True)]
    says = [_join_words(*row) for row in zip(codes, named, only_there, strict=True)]
    points = no_texts(len(table))
    if not any(says) and not placeless.any():
        return table, points, (), ()
    matches = UnitIndex.of(units).match(codes, named, within, only_there)
    _refuse_lost(table, file, placeless & ~matches.found, says, matches)
    ids = [str(one) for one in table.id]
    found = [str(units.code[u]) if u >= 0 else c for u, c in zip(matches.unit, codes, strict=True)]
    attributes = {**table.attributes, "unit_code": object_array(found)}
    remarks = describe_matches(matches, ids)
    if placeless.any():
        points, attributes[PLACED] = _place_by_unit(placeless, matches, units, homes)
        rows = ", ".join(one for one, is_so in zip(ids, placeless, strict=True) if is_so)
        count = int(placeless.sum())
        remarks = (*remarks, Warn("facilities_placed_by_unit", {"count": count, "ids": rows}))
    notes = tuple(
        UnitRow(
            facility=ids[i],
            service=str(table.service[i]),
            named=says[i],
            way=str(matches.way[i]),
            unit_code=str(units.code[matches.unit[i]]) if matches.unit[i] >= 0 else None,
            placed=bool(placeless[i]),
        )
        for i in range(len(table))
        if says[i] or placeless[i]
    )
    return replace(table, attributes=attributes), points, notes, remarks


def _place_by_unit(
    placeless: BoolArray, matches: UnitMatches, units: Units, homes: Homes
) -> tuple[GeometryArray, GeometryArray]:
    """A point (metres) and the code of its unit for every row without a place of its own."""
    where = np.flatnonzero(placeless)
    unit = matches.unit[where].tolist()
    stand = homes.places_in(units, unit)
    points, marks = no_texts(len(placeless)), no_texts(len(placeless))
    points[where] = object_array([stand[one] for one in unit])
    marks[where] = object_array([str(units.code[one]) for one in unit])
    return points, marks


def _sort_by_unit(held: Int32Array) -> tuple[Int32Array, IntArray]:
    """The units of cells in order, and the cells in that order."""
    order = np.argsort(held, kind="stable")
    return held[order], order


def _refuse_lost(
    table: FacilityTable, file: str, lost: BoolArray, says: Sequence[str], matches: UnitMatches
) -> None:
    faults = [
        Fault(
            f"facility_without_place_{matches.way[i]}",
            file,
            row=int(table.rows[i]),
            params={"named": says[i]},
        )
        for i in np.flatnonzero(lost).tolist()
    ]
    if faults:
        raise InputError(faults)


def _texts_of(table: FacilityTable, name: str) -> list[str | None]:
    held = table.attributes.get(name)
    return [None] * len(table) if held is None else held.tolist()


def _join_words(*words: str | None) -> str:
    return " ".join(word for word in words if word)
