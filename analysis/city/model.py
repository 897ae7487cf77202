"""A city: streets, residents, facilities, units, residential land, in metres.

All tables are parallel read-only arrays; row i of one array is row i of its brothers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.city.notes import NO_NOTES, BuildNotes
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.roads import RoadNetwork
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.quantities import (
    BoolArray,
    Counts,
    FloatArray,
    Int32Array,
    IntArray,
    ObjectArray,
)
from lifecircle.analysis.readers.osm.ground import Ground
from lifecircle.analysis.readers.osm.street_names import StreetNames
from lifecircle.analysis.readers.records.attributes import AttributeArray, attribute_words

StrArray = ObjectArray  # of str or None
GeometryArray = ObjectArray  # of shapely geometries (or None)

WHOLE_AREA: Final = -2  # the unit of figures about the whole study area


@dataclass(frozen=True, slots=True)
class Units:
    """Administrative and planning units of all levels, in one table (k units).

    Sorted by (level order of `levels`, code). `residents`: of the unit's own row.
    `parent` is the index of the unit one level up that holds it, -1 if none.
    `levels`: level ids from the highest (largest units) to the lowest.
    `geometry`: polygons in the city's metric CRS.
    """

    code: StrArray
    name: StrArray
    name_en: StrArray
    level: StrArray
    unit_class: StrArray  # "urban" | "rural" | None
    parent: Int32Array
    residents: Counts
    geometry: GeometryArray
    levels: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Units: {len(self.code):,} in {', '.join(self.levels)}>"

    def of_level(self, level: str) -> Int32Array:
        """Indices of the units of one level, int32 (k,), in code order."""
        return np.flatnonzero(self.level == level).astype(np.int32)


class Deferred:
    """Objects of rows (n,), texts or shapes: at hand, or read when they are first asked for."""

    __slots__ = ("_lock", "_made", "_make")

    def __init__(self, make: Callable[[], ObjectArray]) -> None:
        self._make: Callable[[], ObjectArray] | None = make
        self._made: ObjectArray | None = None
        self._lock = Lock()

    @classmethod
    def of(cls, objects: ObjectArray) -> Deferred:
        """Objects at hand (n,), None where a row has none."""
        held = cls(lambda: objects)
        held.made()
        return held

    def made(self) -> ObjectArray:
        """The objects (n,), the same array each time; of threads that ask at once one makes it."""
        made = self._made
        if made is None:
            with self._lock:
                if self._make is not None:
                    self._made, self._make = self._make(), None
            made = self._made
            assert made is not None  # else what makes it raised
        return made


@dataclass(frozen=True, slots=True)
class Cells:
    """Populated points or polygons (c cells).

    `unit[level]` int32 (c,): index into Units of the unit of that level that holds the cell,
    -1 outside all. `residents` int64; `groups["0_3"]`, `groups["65"]`, ...: those known in a
    cell at least. `polygon` is the cell's polygon or None (then it is a point). Opened runs leave
    `ids` and `outline` in their file until someone asks: texts and shapes are dearest in memory.
    `modelled`: residents spread from unit totals, not counted here. `counted`: whether it is known
    who lives where; where it is not the cells are places to walk from, and their residents, all 0,
    mean nothing.
    """

    ids: Deferred
    xy_m: FloatArray
    outline: Deferred
    residents: IntArray
    groups: Mapping[str, Counts]
    unit: Mapping[str, Int32Array]
    modelled: BoolArray
    position: Positions
    counted: bool = True

    def __len__(self) -> int:
        return len(self.residents)

    def __repr__(self) -> str:
        return f"<Cells: {len(self):,} with {self.people} residents>"

    @property
    def id(self) -> StrArray:
        """Ids (c,), as the input has them."""
        return self.ids.made()

    @property
    def polygon(self) -> GeometryArray:
        """Polygons (c,) in the city's CRS, None for a cell that is a point."""
        return self.outline.made()

    @property
    def people(self) -> str:
        """The number of residents, for a record in one line."""
        return f"{int(self.residents.sum()):,}" if self.counted else "unknown"


@dataclass(frozen=True, slots=True)
class Facilities:
    """Places that offer a service (f facilities), sorted by (service, id).

    `service` int32 indexes `service_ids`. `attached_facility` int32 (a,) with `attachment`
    Positions (a,): every position by which a facility can be reached (one for a building, many
    for a park); facilities without any are unsnapped. `attributes` holds further columns by
    name (ownership, level, built_area, beds, status ...): texts, numbers in the unit that
    ``policies/scorecard/attributes.toml`` names, and flags (1 yes, 0 no). `unit[level]` as in
    Cells.
    """

    id: StrArray
    service_ids: tuple[str, ...]
    service: Int32Array
    name: StrArray
    geometry: GeometryArray
    source: StrArray
    attributes: Mapping[str, AttributeArray]
    unit: Mapping[str, Int32Array]
    attached_facility: Int32Array
    attachment: Positions

    def __len__(self) -> int:
        return len(self.service)

    def __repr__(self) -> str:
        return f"<Facilities: {len(self):,} of {len(self.service_ids)} services>"

    def nearest_leg_m(self) -> FloatArray:
        """Metres from each facility (f,) to the street it joins nearest by; inf = joins none."""
        leg = np.full(len(self), np.inf)
        stretch = self.attachment.is_stretch
        np.minimum.at(leg, self.attached_facility[~stretch], self.attachment.leg_m[~stretch])
        inside = self.attached_facility[stretch]
        leg[inside[np.isinf(leg[inside])]] = 0.0  # entered by nothing, with streets inside
        return leg

    def of_service(self, service: str) -> BoolArray:
        """Which facilities offer a service, bool (f,)."""
        return self.of_services((service,))

    def of_services(self, services: Iterable[str]) -> BoolArray:
        """Which facilities offer one of some services, bool (f,)."""
        wanted = frozenset(services)
        chosen = np.array([name in wanted for name in self.service_ids] or [False])
        return chosen[self.service]

    def offers(self, service: str) -> bool:
        """Whether there is at least one facility of a service."""
        return bool(self.of_service(service).any())

    def texts(self, name: str) -> StrArray:
        """An attribute that is a text (f,), None where unknown or where no row has it."""
        held = self.attributes.get(name)
        return np.full(len(self), None, dtype=np.object_) if held is None else held

    def words(self, name: str) -> StrArray:
        """Any attribute in words (f,), flags as ``yes`` and ``no``, None where unknown."""
        held = self.attributes.get(name)
        return self.texts(name) if held is None else attribute_words(name, held)

    def numbers(self, name: str) -> FloatArray:
        """An attribute that is a number or a flag, float64 (f,), NaN where unknown."""
        held = self.attributes.get(name)
        if held is None:
            return np.full(len(self), np.nan)
        return np.asarray(held, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class LandSamples:
    """Residential land as lattice samples (s samples), each with its share of the area, m²."""

    xy_m: FloatArray
    area_m2: FloatArray
    unit: Mapping[str, Int32Array]
    position: Positions

    def __repr__(self) -> str:
        return f"<LandSamples: {len(self.area_m2):,}, {float(self.area_m2.sum()) / 1e6:,.2f} km²>"


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures about units in one long table (n rows), sorted by attribute, unit and year.

    `unit` int32: index into Units, -2 the whole area. `value` float64 (flags 1 or 0). What is not
    here is unknown.
    """

    unit: Int32Array
    attribute: StrArray
    value: FloatArray
    year: Counts
    source: StrArray

    def __len__(self) -> int:
        return len(self.unit)

    def __repr__(self) -> str:
        return f"<Statistics: {len(self):,} figures>"

    def latest(self, attribute: str, size: int, until: int | None = None) -> FloatArray:
        """The latest figure of every unit, float64 (size + 1,), NaN where unknown.

        The last item is the figure of the whole area. `until`: no figure of a later year; one of
        no year counts as the earliest.
        """
        out = np.full(size + 1, np.nan)
        rows = np.flatnonzero(self._given(attribute, until))
        rows = rows[np.lexsort((self.year.value[rows], self.year.known[rows]))]
        where = np.where(self.unit[rows] == WHOLE_AREA, size, self.unit[rows])
        out[where] = self.value[rows]  # the last write is the latest year
        return out

    def years(self, attribute: str, until: int | None = None) -> tuple[int | None, ...]:
        """The years an attribute is given for, ascending; None first for figures without one."""
        mine = self.year.take(self._given(attribute, until))
        dated = np.unique(mine.value[mine.known]).tolist()
        return (*(() if mine.known.all() else (None,)), *dated)

    def of_year(self, attribute: str, size: int, year: int | None) -> FloatArray:
        """The figures of one year (None: of no year), float64 (size + 1,), as `latest`."""
        out = np.full(size + 1, np.nan)
        dated = self.year.known & (self.year.value == year) if year else ~self.year.known
        rows = np.flatnonzero(np.equal(self.attribute, attribute) & dated)
        where = np.where(self.unit[rows] == WHOLE_AREA, size, self.unit[rows])
        out[where] = self.value[rows]
        return out

    def _given(self, attribute: str, until: int | None) -> BoolArray:
        mine: BoolArray = np.equal(self.attribute, attribute)
        if until is not None:
            mine &= ~self.year.known | (self.year.value <= until)
        return mine


@dataclass(frozen=True, slots=True)
class Extent:
    """What the list of a service covers: `units` (indices) and the inside of `drawn`, in metres.

    `drawn` is None where only units are named; `geometry` is all of it, in the city's CRS.
    """

    units: tuple[int, ...]
    drawn: shapely.Geometry | None
    geometry: shapely.Geometry


EVERYWHERE: Final[Mapping[str, Extent]] = MappingProxyType({})
NO_ROADS: Final[Mapping[str, RoadNetwork]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class City:
    """One study area, complete: what the measures need and nothing else.

    `surveyed`: services declared as completely surveyed: none found means there is none.
    `extents`: services whose list is complete in a part of the area only, and where.
    `land` is None where no residential land is given, `statistics` where no table is.
    `notes`: what the build noticed. `ground`: what maps draw under the figures, None where
    there was no OpenStreetMap file or the run is from before there was ground. `street_names`:
    what streets are called, None likewise. `roads`: of profiles of travelling, those the build was
    asked for.
    """

    crs: str
    network: WalkNetwork
    units: Units
    cells: Cells
    facilities: Facilities
    land: LandSamples | None
    surveyed: frozenset[str]
    warnings: tuple[Warn, ...]
    statistics: Statistics | None = None
    notes: BuildNotes = NO_NOTES
    extents: Mapping[str, Extent] = field(default_factory=lambda: EVERYWHERE)
    ground: Ground | None = None
    street_names: StreetNames | None = None
    roads: Mapping[str, RoadNetwork] = field(default_factory=lambda: NO_ROADS)

    def __repr__(self) -> str:
        return (
            f"<City in {self.crs}: {self.cells.people} residents in "
            f"{len(self.cells):,} cells, {len(self.facilities):,} facilities, "
            f"{len(self.units.code):,} units, {self.network.edge_count:,} streets>"
        )

    def assessed(self, service: str) -> bool:
        """Whether a service can be judged: it has a facility or was declared surveyed."""
        declared = service in self.surveyed or service in self.extents
        return declared or self.facilities.offers(service)
