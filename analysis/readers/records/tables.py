"""What readers hand over: residents, facilities, units, figures, sites, closures, as arrays.

Row i of one array is row i of its brothers; unknown is held as `lifecircle.analysis.quantities`
says. `frame` gives the rows for people (EPSG:4326); nothing in a build goes by way of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.quantities import Counts, FloatArray, IntArray, ObjectArray
from lifecircle.analysis.readers.records.attributes import (
    AttributeArray,
    attribute_kind,
    attribute_words,
)
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.groups import field_of
from lifecircle.analysis.whole_persons import Along, are_whole, round_people

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

FROM_TABLE: Final = "table"  # what `FacilityTable.source` says of a row
FROM_OSM: Final = "osm"
FROM_EXPORT: Final = "osm_export"  # a table of OSM tags, read by the rules of tags
FROM_TAGS: Final = (FROM_OSM, FROM_EXPORT)


@dataclass(frozen=True, slots=True)
class Fractions:
    """Persons per cell as a file has them, not whole: (n,), and of groups, NaN unknown."""

    persons: FloatArray
    groups: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class CellTable:
    """Residents per cell (persons), points or polygons.

    `groups`: persons of a group by its name (``0_3``, ``65`` ...), and ``households``.
    `fractions`: what the file holds where that is not whole; `residents` and `groups` are then
    made whole over the file, a city makes them whole in each of its units.
    """

    id: ObjectArray
    residents: IntArray
    groups: Mapping[str, Counts]
    where: Located
    warnings: tuple[Fault, ...] = ()
    fractions: Fractions | None = None

    def __len__(self) -> int:
        return len(self.id)

    @property
    def frame(self) -> gpd.GeoDataFrame:
        """The rows for people: `id`, `residents`, groups as ``pop_...`` and ``households``."""
        columns: dict[str, Any] = {"id": self.id, "residents": self.residents}
        columns |= {field_of(name): counts for name, counts in self.groups.items()}
        return _frame_of(columns, self.where.in_degrees())


def make_cells(
    ids: ObjectArray,
    persons: FloatArray,
    groups: Mapping[str, FloatArray],
    where: Located,
    warnings: tuple[Fault, ...],
) -> CellTable:
    """Cells of persons and groups (n,) as a file has them, whole or not."""
    if are_whole(persons, *groups.values()):
        counts = {name: Counts.of(one, ~np.isnan(one)) for name, one in groups.items()}
        return CellTable(ids, persons.astype(np.int64), counts, where, warnings)
    residents, counts = round_people(persons, groups, Along.curve(where.centres(), persons))
    return CellTable(ids, residents.value, counts, where, warnings, Fractions(persons, groups))


@dataclass(frozen=True, slots=True)
class FacilityTable:
    """Places that offer a service, each with the columns its source has.

    `service`: id of the policy. `source`: ``table`` or ``osm``. `attributes` by name (see
    `records.attributes`). `rows` int64: the row people see in the file. `not_open`: rows that are
    no facilities, as `OsmPlaces.not_open`; None where the source does not say.
    """

    id: ObjectArray
    service: ObjectArray
    name: ObjectArray
    source: ObjectArray
    attributes: Mapping[str, AttributeArray]
    where: Located
    rows: IntArray
    warnings: tuple[Fault, ...] = ()
    not_open: gpd.GeoDataFrame | None = None

    def __len__(self) -> int:
        return len(self.id)

    @property
    def frame(self) -> gpd.GeoDataFrame:
        """The rows for people; flags as ``yes`` and ``no``, numbers NaN where unknown."""
        columns = {"id": self.id, "service": self.service, "name": self.name}
        columns |= {"source": self.source}
        for name, held in self.attributes.items():
            number = attribute_kind(name) in ("number", "count")
            columns[name] = held if number else attribute_words(name, held)
        return _frame_of(columns, self.where.in_degrees())


@dataclass(frozen=True, slots=True)
class UnitTable:
    """Administrative and planning units of all levels.

    `unit_class`: ``urban``, ``rural`` or None. `residents` and `groups`: persons, of the unit's
    own row.
    """

    code: ObjectArray
    name: ObjectArray
    name_en: ObjectArray
    level: ObjectArray
    unit_class: ObjectArray
    parent_code: ObjectArray
    residents: Counts
    groups: Mapping[str, Counts]
    where: Located
    warnings: tuple[Fault, ...] = ()

    def __len__(self) -> int:
        return len(self.code)

    @property
    def frame(self) -> gpd.GeoDataFrame:
        """The rows for people: whole numbers are null where unknown."""
        names = ("code", "name", "name_en", "level", "unit_class", "parent_code", "residents")
        columns = {name: getattr(self, name) for name in names}
        columns |= {field_of(name): counts for name, counts in self.groups.items()}
        return _frame_of(columns, self.where.in_degrees())


@dataclass(frozen=True, slots=True)
class StatisticsTable:
    """Figures about units in one long table.

    `attribute`: a name of the vocabulary. `value` float64 (flags 1 or 0). `unit_code`,
    `unit_name`, `source`: text or None. `file`: the file's name.
    """

    unit_code: ObjectArray
    unit_name: ObjectArray
    attribute: ObjectArray
    value: FloatArray
    year: Counts
    source: ObjectArray
    file: str
    warnings: tuple[Fault, ...] = ()

    def __len__(self) -> int:
        return len(self.attribute)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows for people."""
        names = ("unit_code", "unit_name", "attribute", "value", "year", "source")
        frame: pd.DataFrame = _frame_of({name: getattr(self, name) for name in names})
        return frame.assign(file=self.file)


@dataclass(frozen=True, slots=True)
class SiteTable:
    """Places where something could be built: points, or the outlines of plots and buildings."""

    id: ObjectArray
    name: ObjectArray
    where: Located
    warnings: tuple[Fault, ...] = ()

    def __len__(self) -> int:
        return len(self.id)

    @property
    def frame(self) -> gpd.GeoDataFrame:
        """The rows for people."""
        return _frame_of({"id": self.id, "name": self.name}, self.where.in_degrees())


@dataclass(frozen=True, slots=True)
class ClosureTable:
    """Closed places of any shape; `rows` int64: the row people see in the file."""

    rows: IntArray
    where: Located
    warnings: tuple[Fault, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def frame(self) -> gpd.GeoDataFrame:
        """The rows for people."""
        return _frame_of({"row": self.rows}, self.where.in_degrees())


def _frame_of(columns: Mapping[str, Any], shapes: ObjectArray | None = None) -> Any:
    from lifecircle.analysis.readers.records.frames import frame_of  # pandas: for people alone

    return frame_of(columns, shapes)
