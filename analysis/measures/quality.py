"""How good the data of an area are: distances to streets, islands, gaps in the tables, doubts.

Everything is counted from the city itself and from what its build noticed (`City.notes`); no
figure of coverage depends on it. Persons and places, never shares alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from lifecircle.analysis.city.model import City, Facilities
from lifecircle.analysis.city.notes import SamePlace, Spread, UnitRow
from lifecircle.analysis.city.units.disagreement import Disagreement, compare_cells, compare_units
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import NOBODY, FloatArray, Int32Array, IntArray
from lifecircle.analysis.readers.rasters.population import RasterShare
from lifecircle.analysis.readers.records.attributes import FILLED, PLACED, known_attribute
from lifecircle.analysis.texts import first_of

SNAP_BINS: Final = 10  # equal parts of the longest access leg the policy allows
_SHOWN: Final = 10
_INNER: Final = frozenset({PLACED, FILLED, "unit_code", "unit_name", "unit_above", "address"})


@dataclass(frozen=True, slots=True)
class SnapBin:
    """How many join the streets over a leg of more than `above_m`, up to `to_m` metres."""

    above_m: float
    to_m: float
    cells: int
    residents: int
    facilities: int


@dataclass(frozen=True, slots=True)
class Island:
    """A piece of the streets apart from the largest one, with who lives and what stands on it."""

    component: int
    length_m: float
    cells: int
    residents: int
    facilities: int


@dataclass(frozen=True, slots=True)
class MissingValues:
    """Facilities of a service, and how many of them say nothing, attribute by attribute."""

    service: str
    facilities: int
    missing: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AreaQuality:
    """The quality of an area's data.

    `largest_m`: length of the largest piece of the streets. `unsnapped_*`: too far from any
    street. `outside`, `unsnapped_facilities`, `placed`: indices of facilities outside every unit,
    off the streets, standing at their unit for want of coordinates. `units_given` False: there
    are no units, so that nothing can lie outside.
    """

    snap: tuple[SnapBin, ...]
    mean_leg_m: float | None
    longest_leg_m: float | None
    largest_m: float
    islands: tuple[Island, ...]
    unsnapped_cells: int
    unsnapped_residents: int
    unsnapped_facilities: Int32Array
    outside: Int32Array
    placed: Int32Array
    units_given: bool
    missing: tuple[MissingValues, ...]
    same_places: tuple[SamePlace, ...]
    unit_rows: tuple[UnitRow, ...]
    spread: tuple[Spread, ...]
    rasters: tuple[RasterShare, ...]
    disagreements: tuple[Disagreement, ...]
    modelled_residents: int


def area_quality(city: City, policy: Policy) -> AreaQuality:
    """The quality of a city's data; the bins of distances follow the policy's longest leg."""
    cells, places, streets = city.cells, city.facilities, city.network
    loose = cells.position.edge == NOBODY
    leg = nearest_leg_m(places)
    return AreaQuality(
        snap=_snap(city, leg, policy.attachment.max_leg_m.value),
        mean_leg_m=_mean(cells.position.leg_m[~loose], cells.residents[~loose]),
        longest_leg_m=float(cells.position.leg_m[~loose].max()) if not loose.all() else None,
        largest_m=float(streets.component_length_m.max(initial=0.0)),
        islands=islands(city),
        unsnapped_cells=int(loose.sum()),
        unsnapped_residents=int(cells.residents[loose].sum()),
        unsnapped_facilities=np.flatnonzero(np.isinf(leg)).astype(np.int32),
        outside=outside_units(city),
        placed=_with(places, PLACED),
        units_given=has_units(city),
        missing=_missing(places),
        same_places=city.notes.same_places,
        unit_rows=city.notes.unit_rows,
        spread=city.notes.spread,
        rasters=city.notes.rasters,
        disagreements=(*compare_units(city.units), *compare_cells(city.units, cells)),
        modelled_residents=int(cells.residents[np.asarray(cells.modelled)].sum()),
    )


def city_remarks(city: City) -> tuple[Warn, ...]:
    """What every answer about the area should carry along: facilities outside, islands."""
    remarks = []
    outside = outside_units(city)
    if len(outside):
        shown = first_of(city.facilities.id[outside].tolist(), _SHOWN)
        remarks.append(Warn("facilities_outside", {"count": len(outside), "ids": shown}))
    apart = [island for island in islands(city) if island.residents]
    if apart:
        residents = sum(island.residents for island in apart)
        remarks.append(Warn("residents_on_islands", {"residents": residents, "count": len(apart)}))
    return tuple(remarks)


def has_units(city: City) -> bool:
    """Whether units were given (else the whole area is one unit, drawn around the residents)."""
    return not (len(city.units.code) == 1 and city.units.code[0] == "area")


def outside_units(city: City) -> Int32Array:
    """Indices of the facilities that lie in no unit of any level, int32 (k,)."""
    if not has_units(city):
        return np.empty(0, dtype=np.int32)
    held = np.zeros(len(city.facilities), dtype=np.bool_)
    for unit in city.facilities.unit.values():
        held |= unit != NOBODY
    return np.flatnonzero(~held).astype(np.int32)


def nearest_leg_m(places: Facilities) -> FloatArray:
    """Metres from each facility (f,) to the street it joins nearest by; inf = joins none."""
    return places.nearest_leg_m()


def cell_component(city: City) -> Int32Array:
    """The piece of the streets each cell (c,) joins, -1 = none."""
    edge = city.cells.position.edge
    if not len(city.network.edge_component):
        return np.full(len(edge), NOBODY, dtype=np.int32)
    component = city.network.edge_component[np.maximum(edge, 0)]
    return np.where(edge == NOBODY, NOBODY, component).astype(np.int32)


def islands(city: City) -> tuple[Island, ...]:
    """Pieces of the streets beside the largest on which someone lives or something stands.

    Most residents first; pieces too short to be joined at all hold nobody and are left out.
    """
    streets, places = city.network, city.facilities
    count = len(streets.component_length_m)
    if not count:
        return ()
    of_cell = cell_component(city)
    there = of_cell != NOBODY
    cells = np.bincount(of_cell[there], minlength=count)
    residents = np.zeros(count, dtype=np.int64)
    np.add.at(residents, of_cell[there], city.cells.residents[there])
    pairs = np.unique(
        np.column_stack((places.attached_facility, streets.edge_component[places.attachment.edge])),
        axis=0,
    )
    standing = np.bincount(pairs[:, 1], minlength=count)
    largest = int(np.argmax(streets.component_length_m))
    apart = [c for c in np.flatnonzero(cells + standing) if c != largest]
    apart.sort(key=lambda c: (-residents[c], c))
    return tuple(
        Island(
            component=int(c),
            length_m=float(streets.component_length_m[c]),
            cells=int(cells[c]),
            residents=int(residents[c]),
            facilities=int(standing[c]),
        )
        for c in apart
    )


def _snap(city: City, facility_leg_m: FloatArray, longest_m: float) -> tuple[SnapBin, ...]:
    cells = city.cells
    edges = np.linspace(0.0, longest_m, SNAP_BINS + 1)
    joined = cells.position.edge != NOBODY
    at = _bin(cells.position.leg_m, edges)
    facilities = _bin(facility_leg_m, edges)
    held = np.isfinite(facility_leg_m)
    return tuple(
        SnapBin(
            above_m=float(edges[k]),
            to_m=float(edges[k + 1]),
            cells=int(np.count_nonzero(joined & (at == k))),
            residents=int(cells.residents[joined & (at == k)].sum()),
            facilities=int(np.count_nonzero(held & (facilities == k))),
        )
        for k in range(SNAP_BINS)
    )


def _bin(leg_m: FloatArray, edges: FloatArray) -> IntArray:
    """The bin of each leg, bounds above inclusive; a leg of 0 is in the first."""
    found = np.searchsorted(edges, np.where(np.isfinite(leg_m), leg_m, 0.0), side="left") - 1
    return np.clip(found, 0, len(edges) - 2).astype(np.int64)


def _mean(leg_m: FloatArray, residents: IntArray) -> float | None:
    whole = int(residents.sum())
    return float((leg_m * residents).sum() / whole) if whole else None


def _with(places: Facilities, attribute: str) -> Int32Array:
    return np.flatnonzero(known_attribute(places.texts(attribute))).astype(np.int32)


def _missing(places: Facilities) -> tuple[MissingValues, ...]:
    """Services with facilities, in the policy's order, and their attributes by name."""
    columns = {"name": places.name} | {
        name: values for name, values in sorted(places.attributes.items()) if name not in _INNER
    }
    known = {name: known_attribute(values) for name, values in columns.items()}
    found = []
    for index, service in enumerate(places.service_ids):
        mine = places.service == index
        if mine.any():
            lacking = {name: int(np.count_nonzero(mine & ~there)) for name, there in known.items()}
            found.append(MissingValues(service, int(mine.sum()), lacking))
    return tuple(found)
