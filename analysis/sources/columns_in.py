"""Columns by meaning: which column of a table holds what, and what its cells say.

The names people use are data: ``column_aliases.toml``.
"""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from analysis.quantities import BoolArray, FloatArray
from analysis.sources.findings import Findings, ObjectArray

WHOLE_TOLERANCE: Final = 1e-6  # a count farther than this from an integer is no count
LARGEST_COUNT: Final = 2.0**53  # the last integer a float holds exactly

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_BRACKETS = re.compile(r"^(.+?)\(([^()]*)\)$")
_GROUP = re.compile(r"pop_[a-z0-9][a-z0-9_+]*")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column as numbers: float64 `value` (NaN where none), `blank` cells, `bad` cells."""

    value: FloatArray
    blank: BoolArray
    bad: BoolArray

    @property
    def known(self) -> BoolArray:
        """Cells that hold a finite number."""
        known: BoolArray = ~(self.blank | self.bad)
        return known


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title as written in the file, and its cells (n,)."""

    title: str
    values: ObjectArray


def folded(text: str) -> str:
    """A name as it is compared: half width, small letters, no spaces, ``_``, ``-`` or ``.``."""
    return re.sub(r"[\s_\-.]+", "", unicodedata.normalize("NFKC", text).casefold())


@cache
def _aliases() -> Mapping[str, Any]:
    path = files("analysis.sources").joinpath("column_aliases.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def fields_of(kind: str) -> tuple[str, ...]:
    """The fields a kind of table (``population``, ``facilities``, ``units``) may have."""
    return tuple(_aliases()[kind])


def known_values(field: str) -> dict[str, str]:
    """Folded word → our word, for a field with few values (``ownership``, ``unit_class``)."""
    words: Mapping[str, Sequence[str]] = _aliases()["values"][field]
    return {folded(alias): word for word, aliases in words.items() for alias in aliases}


@cache
def _plain_units() -> frozenset[str]:
    return frozenset(folded(unit) for unit in _aliases()["plain_units"])


def _title_keys(title: str) -> tuple[str, ...]:
    """How a column title may be looked up: as it is, and without a plain unit in brackets."""
    whole = folded(title)
    match = _BRACKETS.match(whole)
    if match and match[2] in _plain_units():
        return whole, match[1]
    return (whole,)


def pick(columns: Sequence[Column], kind: str, found: Findings) -> dict[str, Column]:
    """The columns of a table by field; other columns are left alone.

    Two columns of the same title are a fault; two titles for one field are a warning.
    """
    by_key: dict[str, list[Column]] = {}
    for column in columns:
        for key in _title_keys(column.title):
            by_key.setdefault(key, []).append(column)
    picked: dict[str, Column] = {}
    for field, aliases in _aliases()[kind].items():
        named = [by_key[folded(alias)] for alias in aliases if folded(alias) in by_key]
        if not named:
            continue
        first = named[0][0]
        picked[field] = first
        if sum(column.title.strip() == first.title.strip() for column in columns) > 1:
            found.add("input_column_twice", column=first.title)
        others = {c.title: None for group in named for c in group if c.title != first.title}
        if others and field != "id":
            found.add(
                "input_column_chosen",
                column=first.title,
                severity="warning",
                others=", ".join(others),
            )
    return picked


def pick_groups(
    columns: Sequence[Column], picked: Mapping[str, Column], found: Findings
) -> dict[str, Column]:
    """Population groups by name (``pop_0_3``, ``pop_65``, any other ``pop_*``), and households."""
    taken = {id(column) for column in picked.values()}
    groups = {
        field: column
        for field, column in picked.items()
        if field.startswith("pop_") or field == "households"
    }
    refused = re.compile("|".join(_aliases()["not_groups"]))
    for column in columns:
        name = re.sub(r"[\s\-.]+", "_", unicodedata.normalize("NFKC", column.title).casefold())
        name = name.strip("_")
        if id(column) in taken or not _GROUP.fullmatch(name) or refused.fullmatch(name):
            continue
        if name in groups:
            found.add("input_column_twice", column=column.title)
            continue
        parsed = numbers(column.values)
        if parsed.known.any() or not parsed.bad.any():
            groups[name] = column
        else:
            found.add("input_group_not_numbers", column=column.title, severity="warning")
    return groups


def is_blank(value: Any) -> bool:
    """Whether a cell is empty: nothing, spaces, or a missing value of a layer."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    return isinstance(value, float) and math.isnan(value)


def text_of(value: Any) -> str | None:
    """A cell as text; None where blank; 530102001.0 reads as ``530102001``."""
    if is_blank(value):
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def texts(values: Iterable[Any]) -> ObjectArray:
    """A column as text, None where blank."""
    return objects([text_of(value) for value in values])


def objects(values: Sequence[Any]) -> ObjectArray:
    """A one-dimensional object array, whatever the items are."""
    return np.fromiter(values, dtype=np.object_, count=len(values))


def numbers(values: ObjectArray) -> Numbers:
    """A column as numbers; ``1,234`` and full-width digits are read, NaN in words is bad."""
    count = len(values)
    clean = _clean_numbers(values)
    if clean is not None:
        return Numbers(clean, np.zeros(count, np.bool_), np.zeros(count, np.bool_))
    value = np.full(count, np.nan)
    blank = np.zeros(count, np.bool_)
    bad = np.zeros(count, np.bool_)
    for index, cell in enumerate(values):
        number = _number(cell)
        if number is not None:
            value[index] = number
        elif is_blank(cell):
            blank[index] = True
        else:
            bad[index] = True
    return Numbers(value, blank, bad)


def _clean_numbers(values: ObjectArray) -> FloatArray | None:
    """The column at once where every cell is a plain finite number, else None."""
    kinds = set(map(type, values))
    if kinds == {str}:
        joined = "".join(values)
        if not joined.isascii() or "_" in joined:
            return None
    elif not kinds <= {int, float}:
        return None
    try:
        value = values.astype(np.float64)
    except (ValueError, OverflowError):
        return None
    return value if np.isfinite(value).all() else None


def _number(cell: Any) -> float | None:
    if isinstance(cell, str):
        if _NUMBER.fullmatch(cell) and cell.isascii():
            return _finite(float(cell))
        text = unicodedata.normalize("NFKC", cell).strip().replace("\N{MINUS SIGN}", "-")
        if _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        if not _NUMBER.fullmatch(text):
            return None
        number = float(text)
    elif isinstance(cell, bool | np.bool_) or not isinstance(cell, int | float | np.number):
        return None
    else:
        try:
            number = float(cell)
        except OverflowError:
            return None
    return _finite(number)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def counts(column: Column, found: Findings, *, required: bool) -> tuple[FloatArray, BoolArray]:
    """A column of persons (or households): whole numbers ≥ 0 and where they are known.

    Faults: text, negative, not whole, beyond 2^53; blank cells too where `required`.
    """
    parsed = numbers(column.values)
    title, cells = column.title, column.values
    found.each("input_number_text", parsed.bad, column=title, values=cells)
    if required:
        found.each("input_count_blank", parsed.blank, column=title)
    value = np.where(parsed.known, parsed.value, 0.0)
    found.each("input_count_negative", value < 0, column=title, values=cells)
    found.each("input_number_large", value > LARGEST_COUNT, column=title, values=cells)
    sound = (value >= 0) & (value <= LARGEST_COUNT)
    whole: FloatArray = np.rint(np.where(sound, value, 0.0)).astype(np.float64)
    broken = sound & (np.abs(value - whole) > WHOLE_TOLERANCE)
    found.each("input_count_not_whole", broken, column=title, values=cells)
    return whole, parsed.known & sound


def duplicates(values: ObjectArray) -> tuple[BoolArray, dict[int, int]]:
    """Which cells repeat an earlier one (None aside), and the index of the first by theirs."""
    first: dict[Any, int] = {}
    repeats = np.zeros(len(values), np.bool_)
    earlier: dict[int, int] = {}
    for index, value in enumerate(values):
        if value is None:
            continue
        if value in first:
            repeats[index] = True
            earlier[index] = first[value]
        else:
            first[value] = index
    return repeats, earlier
