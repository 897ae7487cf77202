"""One foreign file as records: columns of raw cells, perhaps geometries, and row numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.quantities import BoolArray, IntArray, ObjectArray
from lifecircle.analysis.readers.records.aliases import known_values
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.declarations import UNSAID, Declaration
from lifecircle.analysis.readers.records.findings import LISTED, Findings


@dataclass(frozen=True, slots=True)
class Records:
    """The content of one file (n records), nothing interpreted yet.

    `rows` int64 (n,): the row people see (the header is row 1 of a table; features of a layer
    count from 1). `geometry` (n,) shapely objects or None, for layers; then `crs` is the layer's
    own pyproj CRS, or None where the layer says nothing; `unread` (n,) where a geometry was
    written that is none. `remarks`: notes and warnings of the opening. `said`: what the user says.
    `listed`: how many faults are listed one by one.
    """

    path: Path
    columns: tuple[Column, ...]
    rows: IntArray
    geometry: ObjectArray | None = None
    crs: Any = None
    remarks: tuple[Fault, ...] = ()
    unread: BoolArray | None = None
    said: Declaration = UNSAID
    listed: int = LISTED

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def file(self) -> str:
        """The file's name."""
        return self.path.name

    def take(self, chosen: BoolArray | IntArray) -> Records:
        """Some of the records: where `chosen` holds, or by their indices."""
        return replace(
            self,
            columns=tuple(replace(c, values=c.values[chosen]) for c in self.columns),
            rows=self.rows[chosen],
            geometry=None if self.geometry is None else self.geometry[chosen],
            unread=None if self.unread is None else self.unread[chosen],
        )

    def findings(self) -> Findings:
        """A fresh gathering of faults for this file, with the remarks of its opening."""
        found = Findings(self.file, self.rows, self.listed)
        found.take(self.remarks)
        return found

    def words(self, field: str) -> dict[str, str]:
        """Folded word → our word for the values of a field: what the user says goes first."""
        return {**known_values(field), **self.said.words.get(field, {})}

    @property
    def titles(self) -> str:
        """All column titles in one line, for people."""
        return ", ".join(column.title for column in self.columns)
