"""What was found wrong in one input, and the table that comes out when nothing was.

Readers gather every fault of a file before they give up, so that one reading shows all that
has to be mended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.quantities import BoolArray, IntArray
from lifecircle.analysis.readers.records.declarations import Reading

LISTED: Final = 200  # faults listed one by one; the rest is counted
ROWS_NAMED: Final = 10  # rows named in one warning

ObjectArray = NDArray[np.object_]
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that passed: rows in EPSG:4326 (lon, lat) and what was remarked on the way.

    `readings`: how the coordinates of its rows were understood, file by file in order.
    """

    frame: gpd.GeoDataFrame
    warnings: tuple[Fault, ...]
    readings: tuple[Reading, ...] = ()


class Findings:
    """The faults and warnings of one file, gathered while it is read.

    Parameters
    ----------
    file
        Name of the file as people know it.
    rows
        int64 (n,): the row number people see for each record (see `Fault.row`).
    listed
        Faults listed one by one; the rest is counted.
    """

    def __init__(self, file: str, rows: IntArray | None = None, listed: int = LISTED) -> None:
        self.file = file
        self.listed = listed
        self.rows: IntArray = np.empty(0, np.int64) if rows is None else rows
        self._errors: list[Fault] = []
        self._unlisted = 0
        self._warnings: list[Fault] = []
        self.readings: list[Reading] = []

    def __bool__(self) -> bool:
        return bool(self._errors)

    def add(
        self,
        key: str,
        *,
        row: int | None = None,
        column: str | None = None,
        severity: Severity = "error",
        **params: Any,
    ) -> None:
        """Note one fault of the file, or of one row of it (`row` as people count)."""
        fault = Fault(key, self.file, row, column, params, severity)
        self.take([fault])

    def each(
        self,
        key: str,
        wrong: BoolArray,
        *,
        column: str | None = None,
        values: ObjectArray | None = None,
        **params: Any,
    ) -> None:
        """Note a fault for every record where `wrong` holds, with its value (first `listed`)."""
        where = np.flatnonzero(wrong)
        for index in where[: self.listed]:
            shown = {} if values is None else {"value": shown_value(values[index])}
            self.add(key, row=int(self.rows[index]), column=column, **shown, **params)
        self._unlisted += max(0, len(where) - self.listed)

    def remark(
        self, key: str, doubtful: BoolArray, *, column: str | None = None, **params: Any
    ) -> None:
        """Note one warning for all records where `doubtful` holds: their count and first rows."""
        where = np.flatnonzero(doubtful)
        if len(where) == 0:
            return
        rows = self.rows[where[:ROWS_NAMED]]
        named = ", ".join(str(row) for row in rows) + (" ..." if len(where) > ROWS_NAMED else "")
        every = tuple(self.rows[where].tolist())
        params |= {"count": len(where), "rows": named}
        self.take([Fault(key, self.file, None, column, params, "warning", every)])

    def take(self, faults: Iterable[Fault]) -> None:
        """Take over faults and warnings as they are; notes are told by the checker alone."""
        for fault in faults:
            if fault.severity != "note":
                (self._warnings if fault.severity == "warning" else self._errors).append(fault)

    def merge(self, other: Findings) -> None:
        """Take over all that was found elsewhere (another file of the same question)."""
        self._errors.extend(other._errors)
        self._warnings.extend(other._warnings)
        self._unlisted += other._unlisted
        self.readings.extend(other.readings)

    def errors(self) -> tuple[Fault, ...]:
        """All errors: those of the file first, then by row; at most `listed`, and a count."""
        ordered = sorted(self._errors, key=lambda f: (f.file, f.row is not None, f.row or 0))
        more = self._unlisted + max(0, len(ordered) - self.listed)
        if more:
            return (*ordered[: self.listed], Fault("input_more", self.file, params={"count": more}))
        return tuple(ordered)

    def warnings(self) -> tuple[Fault, ...]:
        """All warnings, in the order they were found."""
        return tuple(self._warnings)

    def stop_on_errors(self) -> None:
        """Raise `InputError` with every fault, if there is any."""
        if self._errors:
            raise InputError(self.errors(), self.warnings())

    def table(self, frame: gpd.GeoDataFrame) -> Table:
        """The finished table, or `InputError` with every fault."""
        self.stop_on_errors()
        return Table(frame, self.warnings(), tuple(self.readings))


def frame_of(columns: Mapping[str, Any]) -> pd.DataFrame:
    """A frame whose text columns stay objects, so that unknown is None and never NaN."""
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype=object)
            if isinstance(values, np.ndarray) and values.dtype == np.object_
            else values
            for name, values in columns.items()
        }
    )


def absent(values: ObjectArray) -> BoolArray:
    """Where an object array holds None."""
    return np.fromiter((value is None for value in values), np.bool_, count=len(values))


def kept(values: ObjectArray, keep: BoolArray) -> ObjectArray:
    """The values where `keep` holds, None elsewhere."""
    out = np.full(len(values), None, dtype=np.object_)
    out[keep] = values[keep]
    return out


def shown_value(value: Any) -> Any:
    """A cell as a message shows it: whole numbers without decimals, nothing for None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return "" if value is None else value
