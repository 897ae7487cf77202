"""What the status of a row says: open to people, gone, or only planned."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.policy.sections.life_cycle import last_day
from lifecircle.analysis.quantities import BoolArray, ObjectArray
from lifecircle.analysis.readers.records.aliases import fold, strip_brackets
from lifecircle.analysis.readers.records.cells import group_rows, no_texts, read_texts
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.frames import frame_of
from lifecircle.analysis.readers.records.records import Records

OPEN: Final = "open"
_STATES: Final = (OPEN, "gone", "planned")
_SHOWN: Final = 10
_NO_HOURS: Final = ("0", "1", "no", "否")  # words of a status that are no hours
_EIGHT: Final = re.compile(r"(?:19|20)\d{6}")
_PARTS: Final = re.compile(r"[年月/.]")


@dataclass(frozen=True, slots=True)
class States:
    """What rows (n,) say: `state` ``open``, ``gone`` or ``planned``; `why` the cell that says so.

    `told`: whether there is a column of states, or any row that is not open.
    """

    state: ObjectArray
    why: ObjectArray
    told: bool


def read_states(
    picked: Mapping[str, Column], records: Records, found: Findings, today: date | None = None
) -> States:
    """Whether every row is open to people; what says nothing else is open.

    The status says it, hours that are a word of a status (``已停业``), or a day it closed that
    lies before `today`. Rows that are not open are told by their word, and so are words of a
    status that nobody knows.
    """
    states, why = np.full(len(records), OPEN, dtype=np.object_), no_texts(len(records))
    words = records.words("status")
    for field in ("status", "opening_hours"):
        if field in picked:
            column, sure = picked[field], field == "status"
            for word, rows in group_rows(read_texts(column.values)).items():
                state = words.get(fold(word)) or words.get(fold(strip_brackets(word)))
                _tell_word((states, why), (word, state), rows, column, records, found, sure=sure)
    if "end_date" in picked and today is not None:
        _read_ends((states, why), picked["end_date"], today, found)
    return States(states, why, "status" in picked or bool((states != OPEN).any()))


def _tell_word(
    held: tuple[ObjectArray, ObjectArray], said: tuple[str, str | None], rows: Sequence[int],
    column: Column, records: Records, found: Findings, *, sure: bool,
) -> None:  # fmt: skip
    """Note what a word says of the rows that hold it; `sure`: the column is of states alone."""
    (states, why), (word, state) = held, said
    shut = state in _STATES and state != OPEN
    if state == OPEN or not (sure or (shut and fold(word) not in _NO_HOURS)):
        return
    rows = [row for row in rows if states[row] == OPEN]
    if not rows:
        return
    named = records.rows[rows]
    params = {"count": len(rows), "value": word}
    params["rows"] = ", ".join(map(str, named[:_SHOWN])) + " ..." * (len(rows) > _SHOWN)
    if shut:
        states[rows], why[rows] = state, f"{column.title}={word}"
    key = f"input_status_{state if shut else 'unknown'}"
    every = tuple(named.tolist())
    found.take([Fault(key, records.file, None, column.title, params, "warning", every)])


def _read_ends(
    held: tuple[ObjectArray, ObjectArray], column: Column, today: date, found: Findings
) -> None:
    """Note the rows that closed before a day."""
    states, why = held
    ended = np.zeros(len(states), dtype=np.bool_)
    for row, text in enumerate(read_texts(column.values)):
        last = None if text is None else last_day(_write_date(text))
        if last is not None and last < today and states[row] == OPEN:
            ended[row] = True
            states[row], why[row] = "gone", f"{column.title}={text}"
    found.remark("input_status_ended", ended, column=column.title, today=today.isoformat())


def _write_date(text: str) -> str:
    """A date as OpenStreetMap writes it: ``2021年3月``, ``2021/3/1``, ``20210301``."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if _EIGHT.fullmatch(plain):
        return f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    return _PARTS.sub("-", plain).replace("日", "").rstrip("-")


def frame_not_open(
    columns: dict[str, ObjectArray], where: Located, states: ObjectArray, why: ObjectArray
) -> Any:
    """Rows that are not open as ``OsmPlaces.not_open`` holds them; without a place they are out."""
    there: BoolArray = ~shapely.is_missing(where.shapes) & (columns["service"] != np.array(None))
    told = {**columns, "state": states, "why": why}
    return frame_of({n: v[there] for n, v in told.items()}, where.in_degrees()[there])
