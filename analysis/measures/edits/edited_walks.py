"""The walks of a study with those to a few services exchanged; nothing else is copied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.access.nearest import NearestFacility
from lifecircle.analysis.quantities import Int32Array


@dataclass(frozen=True, slots=True)
class RenewedWalks:
    """The walks to one service as they are now: of cells, junctions and, when asked for, land."""

    cell_cm: Int32Array
    cell_facility: Int32Array
    node_cm: Int32Array
    node_facility: Int32Array
    land: Callable[[], Int32Array]


class EditedWalks(NearestFacility):
    """Walks of which those to some services are exchanged, the others those of before.

    Questions about one service take its rows; a table of all services is put together when one
    is asked for, and kept.

    Parameters
    ----------
    before : the walks to the facilities there were.
    row_of : int32 (f + 1,): the row each of those facilities has now, -1 where it is gone and at
        the end for none; None = all as they were.
    renewed : by the rows of services.
    """

    __slots__ = ("_before", "_renewed", "_row_of", "_tables")
    _before: NearestFacility
    _row_of: Int32Array | None
    _renewed: Mapping[int, RenewedWalks]
    _tables: dict[str, Int32Array]

    def __init__(
        self,
        before: NearestFacility,
        row_of: Int32Array | None,
        renewed: Mapping[int, RenewedWalks],
    ) -> None:
        for name, value in (
            ("services", before.services),
            ("_before", before),
            ("_row_of", row_of),
            ("_renewed", renewed),
            ("_tables", {}),
        ):
            object.__setattr__(self, name, value)

    def _numbered(self, facility: Int32Array) -> Int32Array:
        """Facilities by their rows now; -1 wraps to the last, which is none."""
        return facility if self._row_of is None else self._row_of.take(facility, mode="wrap")

    def cells_to(self, row: int) -> tuple[Int32Array, Int32Array]:
        """As `NearestFacility.cells_to`."""
        one = self._renewed.get(row)
        if one is not None:
            return one.cell_cm, one.cell_facility
        cm, facility = self._before.cells_to(row)
        return cm, self._numbered(facility)

    def nodes_to(self, row: int) -> tuple[Int32Array, Int32Array]:
        """As `NearestFacility.nodes_to`."""
        one = self._renewed.get(row)
        if one is not None:
            return one.node_cm, one.node_facility
        cm, facility = self._before.nodes_to(row)
        return cm, self._numbered(facility)

    def land_to(self, row: int) -> Int32Array:
        """As `NearestFacility.land_to`."""
        one = self._renewed.get(row)
        return self._before.land_to(row) if one is None else one.land()

    def _table(self, name: str, of: Callable[[int], Int32Array]) -> Int32Array:
        if name not in self._tables:
            rows = [of(row) for row in range(len(self.services))]
            self._tables[name] = np.stack(rows) if rows else getattr(self._before, name)
        return self._tables[name]

    @property
    def cell_cm(self) -> Int32Array:
        """As `NearestFacility.cell_cm`."""
        return self._table("cell_cm", lambda row: self.cells_to(row)[0])

    @property
    def cell_facility(self) -> Int32Array:
        """As `NearestFacility.cell_facility`."""
        return self._table("cell_facility", lambda row: self.cells_to(row)[1])

    @property
    def land_cm(self) -> Int32Array:
        """As `NearestFacility.land_cm`."""
        return self._table("land_cm", self.land_to)

    @property
    def node_cm(self) -> Int32Array:
        """As `NearestFacility.node_cm`."""
        return self._table("node_cm", lambda row: self.nodes_to(row)[0])

    @property
    def node_facility(self) -> Int32Array:
        """As `NearestFacility.node_facility`."""
        return self._table("node_facility", lambda row: self.nodes_to(row)[1])
