"""What was found wrong in one input.

Readers gather every fault of a file before they give up, so that one reading shows all that
has to be mended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

import numpy as np

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.quantities import BoolArray, IntArray
from lifecircle.analysis.readers.records.cells import CellArray, show_value
from lifecircle.analysis.texts import listed

LISTED: Final = 200  # faults listed one by one; the rest is counted
ROWS_NAMED: Final = 10  # rows named in one warning

Severity = Literal["error", "warning", "note"]


def unfold(fault: Fault) -> Fault:
    """The remark with every row it is about, where it names only the first of them."""
    if "rows" not in fault.params or len(fault.rows) <= ROWS_NAMED:
        return fault
    return replace(fault, params={**fault.params, "rows": listed(map(str, fault.rows))})


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
        self._explained: set[tuple[int | None, str | None]] = set()

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
        values: CellArray | None = None,
        **params: Any,
    ) -> None:
        """Note a fault for every record where `wrong` holds, with its value (first `listed`)."""
        where = np.flatnonzero(wrong).tolist()
        self.each_of(key, where, column=column, values=values, **params)

    def each_of(
        self,
        key: str,
        where: Sequence[int],
        *,
        column: str | None = None,
        values: CellArray | None = None,
        **params: Any,
    ) -> None:
        """Note a fault for some records, by their indices, ascending (see `each`)."""
        if self._explained:
            where = [i for i in where if (int(self.rows[i]), column) not in self._explained]
        for index in where[: self.listed]:
            shown = {} if values is None else {"value": show_value(values[index])}
            self.add(key, row=int(self.rows[index]), column=column, **shown, **params)
        self._unlisted += max(0, len(where) - self.listed)

    def explain(
        self, key: str, wrong: BoolArray, *, column: str, values: CellArray, **params: Any
    ) -> None:
        """Note a fault of cells as `each` does, whatever else is found of these cells later on.

        Of two faults of one cell the first says why, the second only that.
        """
        self.each(key, wrong, column=column, values=values, **params)
        rows = self.rows[np.flatnonzero(wrong)].tolist()
        self._explained.update((row, column) for row in rows)

    def remark(
        self, key: str, doubtful: BoolArray, *, column: str | None = None, **params: Any
    ) -> None:
        """Note one warning for all records where `doubtful` holds: their count and first rows."""
        where = np.flatnonzero(doubtful)
        if self._explained:
            plain = [(int(self.rows[i]), column) not in self._explained for i in where]
            where = where[np.array(plain, np.bool_)]
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
        self._explained |= other._explained

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
