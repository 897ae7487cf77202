"""What the status of a row says: open to people, gone, or only planned."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.quantities import BoolArray, ObjectArray
from lifecircle.analysis.readers.records.aliases import fold, strip_brackets
from lifecircle.analysis.readers.records.cells import group_rows, read_texts
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.frames import frame_of
from lifecircle.analysis.readers.records.records import Records

OPEN: Final = "open"
_STATES: Final = (OPEN, "gone", "planned")
_SHOWN: Final = 10


def read_states(column: Column | None, records: Records, found: Findings) -> ObjectArray:
    """``open``, ``gone`` or ``planned`` for every row (n,); what says nothing else is open.

    Rows that are not open are told by their word, and so are words that nobody knows.
    """
    states = np.full(len(records), OPEN, dtype=np.object_)
    if column is None:
        return states
    words = records.words("status")
    for word, rows in group_rows(read_texts(column.values)).items():
        state = words.get(fold(word)) or words.get(fold(strip_brackets(word)))
        if state == OPEN:
            continue
        named = records.rows[rows]
        params = {"count": len(rows), "value": word}
        params["rows"] = ", ".join(map(str, named[:_SHOWN])) + " ..." * (len(rows) > _SHOWN)
        if state in _STATES:
            states[rows] = state
        key = f"input_status_{state if state in _STATES else 'unknown'}"
        found.add(key, column=column.title, severity="warning", **params)
    return states


def frame_not_open(
    columns: dict[str, ObjectArray], where: Located, states: ObjectArray, why: ObjectArray
) -> Any:
    """Rows that are not open as ``OsmPlaces.not_open`` holds them; without a place they are out."""
    there: BoolArray = ~shapely.is_missing(where.shapes) & (columns["service"] != np.array(None))
    told = {**columns, "state": states, "why": why}
    return frame_of({n: v[there] for n, v in told.items()}, where.in_degrees()[there])
