"""What the list of a service covers: some units, or the inside of a polygon.

A service without an extent is judged wherever the area goes. Residents outside an extent are not
assessed for its service, whatever they reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.city.model import Cells, City, Extent, Facilities, LandSamples, Units
from lifecircle.analysis.city.units.unit_names import division_code, name_forms
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.policy.sections.plausible import plausible
from lifecircle.analysis.quantities import (
    NOBODY,
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
    read_only,
)
from lifecircle.analysis.texts import first_of

_OFFERED: Final = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """Of whom a service can be judged: `cell` bool (c,), `land` bool (s,), `unit` bool (k,).

    `facility` bool (f,): which places, of whatever service, lie where the list is complete.
    `edge_m` float64 (c,): metres from each cell to the edge of the list, inf where it has none.
    `everywhere`: nobody is left out.
    """

    cell: BoolArray
    land: BoolArray
    unit: BoolArray
    facility: BoolArray
    edge_m: FloatArray
    everywhere: bool


def judged_by(city: City, service: str) -> Judged:
    """Who is judged for a service: all, unless its list covers a part of the area only."""
    extent = city.extents.get(service)
    samples = 0 if city.land is None else len(city.land.area_m2)
    if extent is None:
        return _frozen(
            np.ones(len(city.cells), dtype=np.bool_),
            np.ones(samples, dtype=np.bool_),
            np.ones(len(city.units.code), dtype=np.bool_),
            np.ones(len(city.facilities), dtype=np.bool_),
            np.full(len(city.cells), np.inf),
            everywhere=True,
        )
    edge = shapely.boundary(extent.geometry)
    return _frozen(
        _inside(city.cells, city.units, extent),
        np.zeros(0, dtype=np.bool_) if city.land is None else _inside(
            city.land, city.units, extent),
        _units_inside(city.units, extent),
        _places_inside(city.facilities, city.units, extent),
        np.asarray(shapely.distance(shapely.points(city.cells.xy_m), edge), dtype=np.float64),
        everywhere=False,
    )  # fmt: skip


def find_units(words: Iterable[str], units: Units, service: str) -> Int32Array:
    """The units that codes or names mean, int32 (k,).

    Raises
    ------
    ParameterError : a word that names no unit, or several.
    """
    found = []
    for word in words:
        meant = _meant(word, units)
        if len(meant) != 1:
            names = [f"{units.name[i]} ({units.code[i]})" for i in range(len(units.code))]
            near = [str(units.name[i]) for i in meant] or get_close_matches(
                word, [*map(str, units.code), *map(str, units.name)], n=_OFFERED, cutoff=0.3
            )
            key = "surveyed_unit_several" if len(meant) else "surveyed_unit_unknown"
            raise ParameterError(key, service=service, name=word,
                                 near=first_of(near or names, _OFFERED))  # fmt: skip
        found.append(int(meant[0]))
    return np.array(found, dtype=np.int32)


def _meant(word: str, units: Units) -> IntArray:
    """Units of that code; else of that name, its office or kind left out where that helps."""
    code = division_code(word)
    same = np.flatnonzero([code is not None and code == division_code(one) for one in units.code])
    if len(same):
        return same
    asked = name_forms(word)
    forms = [name_forms(one) for one in units.name]
    for form in ("whole", "plain", "bare"):
        wanted = getattr(asked, form)
        same = np.flatnonzero([getattr(one, form) == wanted for one in forms])
        if len(same):
            return same
    english = [name_forms(one or "").whole for one in units.name_en]
    return np.flatnonzero([one == asked.whole for one in english])


def extents_of(
    named: Mapping[str, Int32Array], drawn: Mapping[str, shapely.Geometry], units: Units
) -> Mapping[str, Extent]:
    """The extents of services by named units (indices), by polygons in metres, or by both."""
    found = {}
    for service in dict.fromkeys((*named, *drawn)):
        index = named.get(service, np.empty(0, dtype=np.int32))
        shapes = [units.geometry[i] for i in index if units.geometry[i] is not None]
        drawing = drawn.get(service)
        outline = shapely.union_all([*shapes, *([] if drawing is None else [drawing])])
        found[service] = Extent(tuple(sorted(set(index.tolist()))), drawing, outline)
    return MappingProxyType(found)


def _frozen(
    cell: BoolArray,
    land: BoolArray,
    unit: BoolArray,
    facility: BoolArray,
    edge_m: FloatArray,
    *,
    everywhere: bool,
) -> Judged:
    for array in (cell, land, unit, facility, edge_m):
        read_only(array)
    return Judged(cell, land, unit, facility, edge_m, everywhere)


def _named(
    places: Cells | LandSamples | Facilities, size: int, units: Units, extent: Extent
) -> BoolArray:
    """Which of so many places lie in a named unit, by their own word too, (n,)."""
    inside = np.zeros(size, dtype=np.bool_)
    named = np.array(extent.units, dtype=np.int32)
    for level in {str(units.level[i]) for i in extent.units}:
        held = places.unit[level]
        inside |= (held != NOBODY) & np.isin(held, named)
    return inside


def _places_inside(places: Facilities, units: Units, extent: Extent) -> BoolArray:
    """Which facilities lie in a named unit or touch the polygon, (f,)."""
    inside = _named(places, len(places), units, extent)
    if extent.drawn is not None:
        shapely.prepare(extent.drawn)
        inside |= shapely.intersects(extent.drawn, places.geometry)
    return inside


def _inside(places: Cells | LandSamples, units: Units, extent: Extent) -> BoolArray:
    """Which places lie in a named unit (by their own word too) or inside the polygon, (n,)."""
    inside = _named(places, len(places.xy_m), units, extent)
    if extent.drawn is not None:
        shapely.prepare(extent.drawn)
        x, y = places.xy_m.T
        inside |= shapely.intersects_xy(extent.drawn, x, y)
    return inside


def _units_inside(units: Units, extent: Extent) -> BoolArray:
    """Which units (k,) are named, lie below a named one, or have nearly all their land inside."""
    inside = np.zeros(len(units.code), dtype=np.bool_)
    inside[list(extent.units)] = True
    for i in range(len(units.code)):  # from above to below, as units are sorted
        parent = int(units.parent[i])
        inside[i] |= parent != NOBODY and inside[parent]
    shapely.prepare(extent.geometry)
    there = np.array([shape is not None and not shape.is_empty for shape in units.geometry])
    open_ = np.flatnonzero(there & ~inside)
    near = open_[shapely.intersects(extent.geometry, units.geometry[open_])]
    shapes = units.geometry[near]
    held = shapely.area(shapely.intersection(shapes, extent.geometry))
    inside[near] = held >= plausible().inside_share.value * shapely.area(shapes)
    return inside
