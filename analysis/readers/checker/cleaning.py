"""Safe mends of a table: what can only have meant one thing, each listed with before and after.

Nothing is guessed: a mend changes how a value is written, not what it says. Exchanged longitude
and latitude are put right only where the row then lies among the sound ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from lifecircle.analysis.errors import Language, say
from lifecircle.analysis.readers.records.aliases import fold
from lifecircle.analysis.readers.records.cells import is_blank, object_array, read_numbers
from lifecircle.analysis.readers.records.columns import Column, pick_columns
from lifecircle.analysis.readers.records.coordinates.coordinate_columns import pick_coordinates
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.records.table_kinds import Kind

_INVISIBLE = re.compile(r"[\u0000-\u0008\u000e-\u001f\u007f\u200b-\u200f\u202a-\u202e\ufeff]")
_HIDDEN = re.compile(r"[\u0000-\u001f\u007f\u200b-\u200f\u2028-\u202f\ufeff]")
_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])[\t\n\r\u2028\u2029]+(?=[\u3400-\u9fff])")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_WITH_UNIT = re.compile(r"([+-]?\d+(?:\.\d+)?)(平方米|㎡|m2|m²|人|户|张|床|个|间|处)")
_DEGREES = re.compile(
    r"[东西南北nsew]?(?:经|纬)?(\d{1,3})[°度](\d{1,2})['′’分](\d{1,2}(?:\.\d+)?)(?:\"|″|”|秒|'')?[nsew]?"
)
_NEGATIVE: Final = re.compile(r"[西南sw]", re.IGNORECASE)
_CODE_NUMBER = re.compile(r"(\d{6}|\d{9}|\d{12})\.0+")
_DIGITS: Final = 7
_FEWEST: Final = 3  # sound rows that say where the others are


@dataclass(frozen=True, slots=True)
class Mend:
    """One change: `row` as people count, None `column` for a whole row."""

    key: str
    row: int
    column: str | None
    before: Any
    after: Any
    first_row: int | None = None

    def text(self, lang: Language = "en") -> str:
        """Why."""
        return say(self.key, lang, first_row=self.first_row)


def mend_records(records: Records, kind: Kind | None) -> tuple[Records, tuple[Mend, ...]]:
    """A table with its safe mends made, and the list of them in order of rows."""
    mends: list[Mend] = []
    picked = pick_columns(records.columns, kind, Findings(records.file)) if kind else {}
    places = pick_coordinates(records.columns, records.said, Findings(records.file))
    degrees = [places[name].title for name in ("lon", "lat") if name in places]
    counted = [c.title for name, c in picked.items() if _is_number(name)]
    codes = [picked[n].title for n in ("unit_code", "code", "parent_code", "id") if n in picked]
    columns = []
    for column in records.columns:
        steps: list[tuple[str, Callable[[str], str | None]]] = [("mend_spaces", _tidy_text)]
        if column.title in degrees:
            steps += [("mend_width", _make_half_width), ("mend_degrees", _make_decimal)]
        elif column.title in counted:
            steps += [
                ("mend_width", _make_half_width),
                ("mend_thousands", _drop_commas),
                ("mend_unit", _drop_unit),
            ]
        elif column.title in codes:
            steps += [("mend_width", _make_half_width), ("mend_code", _mend_code)]
        columns.append(_mend_column(column, steps, records, mends))
    out = replace(records, columns=tuple(columns))
    if len(degrees) == 2:
        out = _exchange_swapped(out, degrees, mends)
    out = _drop_repeats(out, mends)
    return out, tuple(sorted(mends, key=lambda mend: mend.row))


def _is_number(field: str) -> bool:
    return field in {
        "population", "households", "built_area", "indoor_area", "outdoor_area", "activity_area",
        "capacity", "beds", "places",
    } or field.startswith("pop_")  # fmt: skip


def _mend_column(
    column: Column,
    steps: Sequence[tuple[str, Callable[[str], str | None]]],
    records: Records,
    mends: list[Mend],
) -> Column:
    cells = list(column.values)
    for i, cell in enumerate(cells):
        if not isinstance(cell, str) or is_blank(cell):
            continue
        text = cell
        for key, step in steps:
            better = step(text)
            if better is not None and better != text:
                mends.append(Mend(key, int(records.rows[i]), column.title, text, better))
                text = better
        cells[i] = text
    return replace(column, values=object_array(cells))


def _tidy_text(text: str) -> str:
    """Without hidden signs, without space at the ends; a line break inside becomes a space.

    Between two Chinese signs a line break is only how the cell was filled, and goes.
    """
    if text == text.strip() and not _HIDDEN.search(text):
        return text
    seen = _INVISIBLE.sub("", text)
    seen = _BETWEEN_HAN.sub("", seen)
    return " ".join(seen.split())


def _make_half_width(text: str) -> str | None:
    folded_text = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-")
    wide = folded_text != text
    plain = folded_text.strip()
    number = _NUMBER.fullmatch(plain) or _THOUSANDS.fullmatch(plain) or plain.isdigit()
    return plain if wide and number else None


def _drop_commas(text: str) -> str | None:
    return text.replace(",", "") if _THOUSANDS.fullmatch(text) else None


def _drop_unit(text: str) -> str | None:
    match = _WITH_UNIT.fullmatch(text.replace(" ", ""))
    return match[1] if match else None


def _make_decimal(text: str) -> str | None:
    plain = text.replace(" ", "").casefold()
    match = _DEGREES.fullmatch(plain)
    if match is None or int(match[2]) > 59 or float(match[3]) >= 60:
        return None
    value = int(match[1]) + int(match[2]) / 60 + float(match[3]) / 3600
    return f"{-value if _NEGATIVE.search(plain) else value:.{_DIGITS}f}"


def _mend_code(text: str) -> str | None:
    match = _CODE_NUMBER.fullmatch(text)
    return match[1] if match else None


def _exchange_swapped(records: Records, degrees: Sequence[str], mends: list[Mend]) -> Records:
    """Rows whose latitude is beyond 90, exchanged where they then lie among the others."""
    at = [next(k for k, c in enumerate(records.columns) if c.title == t) for t in degrees]
    lon, lat = (read_numbers(records.columns[k].values) for k in at)
    known = lon.known & lat.known
    x, y = np.where(known, lon.value, 0.0), np.where(known, lat.value, 0.0)
    sound = known & (np.abs(x) <= 180) & (np.abs(y) <= 90) & ((x != 0) | (y != 0))
    swapped = known & (np.abs(y) > 90) & (np.abs(y) <= 180) & (np.abs(x) <= 90)
    if sound.sum() < _FEWEST or not swapped.any():
        return records
    west, east = np.quantile(x[sound], (0.05, 0.95))
    south, north = np.quantile(y[sound], (0.05, 0.95))
    wide, high = max(east - west, 0.1), max(north - south, 0.1)
    fits = swapped & (y >= west - wide) & (y <= east + wide)
    fits &= (x >= south - high) & (x <= north + high)
    columns = list(records.columns)
    first, second = (columns[k].values.copy() for k in at)
    for i in np.flatnonzero(fits):
        a, b = first[i], second[i]
        first[i], second[i] = b, a
        mends.append(
            Mend("mend_swapped", int(records.rows[i]), ", ".join(degrees), f"{a}, {b}", f"{b}, {a}")
        )
    columns[at[0]] = replace(columns[at[0]], values=first)
    columns[at[1]] = replace(columns[at[1]], values=second)
    return replace(records, columns=tuple(columns))


def _drop_repeats(records: Records, mends: list[Mend]) -> Records:
    """Rows that repeat an earlier one in every cell are taken out (layers stay as they are)."""
    if records.geometry is not None or len(records.columns) == 0:
        return records
    first: dict[tuple[str, ...], int] = {}
    keep = np.ones(len(records), np.bool_)
    for i, cells in enumerate(zip(*(c.values for c in records.columns), strict=True)):
        key = tuple("" if is_blank(cell) else fold(str(cell)) for cell in cells)
        if key in first:
            keep[i] = False
            row = int(records.rows[i])
            mends.append(Mend("mend_repeat", row, None, "", "", first_row=first[key]))
        else:
            first[key] = int(records.rows[i])
    if keep.all():
        return records
    columns = tuple(replace(c, values=c.values[keep]) for c in records.columns)
    return replace(records, columns=columns, rows=records.rows[keep])
