"""Facilities of all sources as rows of typed columns, in metres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from lifecircle.analysis.city.model import GeometryArray, StrArray
from lifecircle.analysis.city.shapes import project_located
from lifecircle.analysis.quantities import Int32Array, IntArray
from lifecircle.analysis.readers.records.attributes import AttributeArray, unknown_attribute
from lifecircle.analysis.readers.records.tables import FacilityTable


@dataclass(frozen=True, slots=True)
class FacilityRows:
    """Facilities (f,) as gathered, before they join the streets: see `model.Facilities`."""

    id: StrArray
    service: StrArray
    name: StrArray
    source: StrArray
    geometry: GeometryArray
    attributes: Mapping[str, AttributeArray]

    def __len__(self) -> int:
        return len(self.id)

    @classmethod
    def of(
        cls, table: FacilityTable, crs: str, points: GeometryArray | None = None
    ) -> FacilityRows:
        """The rows of a table in a metric CRS; `points` (metres) for those without a shape."""
        geometry = project_located(table.where, crs)
        if points is not None:
            geometry = np.where(shapely.is_missing(geometry), points, geometry)
        return cls(table.id, table.service, table.name, table.source, geometry, table.attributes)

    @classmethod
    def joined(cls, parts: Sequence[FacilityRows]) -> FacilityRows:
        """The rows of several sources; what only some have is unknown in the others."""
        names = dict.fromkeys(name for part in parts for name in part.attributes)
        none = [np.empty(0, dtype=np.object_)]
        return cls(
            id=np.concatenate([*none, *(part.id for part in parts)]),
            service=np.concatenate([*none, *(part.service for part in parts)]),
            name=np.concatenate([*none, *(part.name for part in parts)]),
            source=np.concatenate([*none, *(part.source for part in parts)]),
            geometry=np.concatenate([*none, *(part.geometry for part in parts)]),
            attributes={
                name: np.concatenate([part._column(name) for part in parts]) for name in names
            },
        )

    def _column(self, name: str) -> AttributeArray:
        held = self.attributes.get(name)
        return unknown_attribute(name, len(self)) if held is None else held

    def take(self, rows: IntArray | Int32Array) -> FacilityRows:
        """Some rows, in the order given."""
        return FacilityRows(
            self.id[rows],
            self.service[rows],
            self.name[rows],
            self.source[rows],
            self.geometry[rows],
            {name: values[rows] for name, values in self.attributes.items()},
        )
