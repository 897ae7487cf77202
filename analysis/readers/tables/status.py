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
from lifecircle.analysis.policy.names import has_word, names_of
from lifecircle.analysis.policy.sections.life_cycle import LifeCycle, first_day, last_day
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
_AT_END: Final = re.compile(r"[(（\[【]([^()（）\[\]【】]+)[)）\]】]\s*$")
_ENDINGS: Final = ("中", "状态", "了")
_DAYS: Final = (  # field, what its day says, how that is told
    ("end_date", "gone", "input_status_ended"),
    ("start_date", "planned", "input_status_ahead"),
)


@dataclass(frozen=True, slots=True)
class States:
    """What rows (n,) say: `state` ``open``, ``gone`` or ``planned``; `why` the cell that says so.

    `told`: whether there is a column of states, or any row that is not open.
    """

    state: ObjectArray
    why: ObjectArray
    told: bool


def read_states(
    picked: Mapping[str, Column], records: Records, found: Findings,
    rules: LifeCycle | None = None, today: date | None = None,
) -> States:  # fmt: skip
    """Whether every row is open to people; what says nothing else is open.

    The status says it, hours that are a word of a status (``已停业``), a column that asks whether
    it is shut, the end of a name (``…（已关闭）``, the words of `rules`), a day it closed that lies
    before `today`, or one it opens that lies behind it. Rows that are not open are told by their
    word, and so are words of a status that nobody knows.
    """
    states, why = np.full(len(records), OPEN, dtype=np.object_), no_texts(len(records))
    words = records.words("status")
    for field in ("status", "opening_hours"):
        if field in picked:
            column, sure = picked[field], field == "status"
            for word, rows in group_rows(read_texts(column.values)).items():
                state = _find_state(word, words)
                _tell_word((states, why), (word, state), rows, column, records, found, sure=sure)
    if "shut" in picked:
        _read_shut((states, why), picked["shut"], records, found)
    if "name" in picked and rules is not None:
        for word, rows in group_rows(map(_end_of_name, read_texts(picked["name"].values))).items():
            state = _called(word, rules)
            _tell_word((states, why), (word, state), rows, picked["name"], records, found)
    if today is not None:
        _read_days((states, why), picked, today, found)
    return States(states, why, "status" in picked or bool((states != OPEN).any()))


def _tell_word(
    held: tuple[ObjectArray, ObjectArray], said: tuple[str, str | None], rows: Sequence[int],
    column: Column, records: Records, found: Findings, *, sure: bool = False,
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


def _find_state(word: str, words: Mapping[str, str]) -> str | None:
    """The state a word says, also without brackets, and without what only bends it (歇业中)."""
    plain = [fold(word), fold(strip_brackets(word))]
    bent = [one.removesuffix(end) for one in plain for end in _ENDINGS]
    return next((words[one] for one in (*plain, *bent) if one in words), None)


def _read_shut(
    held: tuple[ObjectArray, ObjectArray], column: Column, records: Records, found: Findings
) -> None:
    """Note the rows of which a column says that they are shut (是否关闭: 是)."""
    words = records.words("flag")
    for word, rows in group_rows(read_texts(column.values)).items():
        if words.get(fold(word)) == "yes":
            _tell_word(held, (word, "gone"), rows, column, records, found, sure=True)


def _end_of_name(name: str | None) -> str | None:
    """What stands in brackets at the end of a name."""
    match = None if name is None else _AT_END.search(name)
    return match[1].strip() if match else None


def _called(word: str, rules: LifeCycle) -> str | None:
    """The state that the end of a name says."""
    names = names_of({"name": word})
    if has_word(names, rules.gone_names):
        return "gone"
    return "planned" if has_word(names, rules.planned_names) else None


def _read_days(
    held: tuple[ObjectArray, ObjectArray], picked: Mapping[str, Column], today: date,
    found: Findings,
) -> None:  # fmt: skip
    """Note the rows that closed before a day, and those that open behind it."""
    states, why = held
    for field, state, key in _DAYS:
        if field not in picked:
            continue
        column, passed = picked[field], np.zeros(len(states), dtype=np.bool_)
        for row, text in enumerate(read_texts(column.values)):
            if text is not None and states[row] == OPEN and _lies_apart(text, state, today):
                passed[row] = True
                states[row], why[row] = state, f"{column.title}={text}"
        found.remark(key, passed, column=column.title, today=today.isoformat())


def _lies_apart(text: str, state: str, today: date) -> bool:
    """Whether a place is not open today, by the day it closed (`state` gone) or opens."""
    day = (last_day if state == "gone" else first_day)(_write_date(text))
    return day is not None and (day < today if state == "gone" else day > today)


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
