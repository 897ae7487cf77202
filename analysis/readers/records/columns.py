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

from lifecircle.analysis.quantities import BoolArray, FloatArray
from lifecircle.analysis.readers.records.findings import Findings, ObjectArray

WHOLE_TOLERANCE: Final = 1e-6  # a count farther than this from an integer is no count
LARGEST_COUNT: Final = 2.0**53  # the last integer a float holds exactly

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_BRACKETS = re.compile(r"^(.+?)\(([^()]*)\)$")
_GROUP = re.compile(r"pop_[a-z0-9][a-z0-9_+]*")
_WITH_UNIT = re.compile(r"([+-]?[\d.,]+)\s*([^\d.,\s+-][^\d\s]{0,7}\d?)")
_LONGEST_NUMBER: Final = 64  # characters of a number with its unit
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
    """One column: its title as written in the file, and its cells (n,).

    `also`: further names it may be looked up by (the lines of a header of two lines).
    `fields`: the fields the user says it holds; then its title says nothing any more.
    """

    title: str
    values: ObjectArray
    also: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def folded(text: str) -> str:
    """A name as it is compared: half width, small letters, no spaces, ``_``, ``-`` or ``.``."""
    return re.sub(r"[\s_\-.]+", "", unicodedata.normalize("NFKC", text).casefold())


@cache
def _aliases() -> Mapping[str, Any]:
    path = files("lifecircle.analysis.readers.records").joinpath("column_aliases.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def fields_of(kind: str) -> tuple[str, ...]:
    """The fields a kind of table (``population``, ``facilities``, ``units``) may have."""
    return tuple(_aliases()[kind])


@cache
def every_field() -> tuple[str, ...]:
    """The fields of every kind of table, coordinates among them."""
    kinds = ("coordinates", "population", "facilities", "units", "statistics")
    return tuple(dict.fromkeys(field for kind in kinds for field in _aliases()[kind]))


def aliases_of(kind: str) -> Mapping[str, Sequence[str]]:
    """Field → names people give it, for a kind of table."""
    aliases: Mapping[str, Sequence[str]] = _aliases()[kind]
    return aliases


def row_words(kind: str) -> tuple[str, ...]:
    """Folded words that begin a row of ``totals`` or of ``notes``."""
    return tuple(folded(word) for word in _aliases()["rows"][kind])


@cache
def known_values(field: str) -> Mapping[str, str]:
    """Folded word → our word, for a field with few values (``ownership``, ``unit_class``)."""
    words: Mapping[str, Sequence[str]] = _aliases()["values"].get(field, {})
    return {folded(alias): word for word, aliases in words.items() for alias in aliases}


@cache
def _plain_units() -> frozenset[str]:
    datums = (name for names in _aliases()["datum_names"].values() for name in names)
    return frozenset(folded(unit) for unit in [*_aliases()["plain_units"], *datums])


@cache
def _scales() -> Mapping[str, float]:
    """Folded unit → how many persons, square metres ... it stands for."""
    return {folded(unit): float(scale) for unit, scale in _aliases()["scaled_units"].items()}


def datum_in_title(title: str) -> str | None:
    """The datum that a title names (``经度(GCJ-02)``), None if it names none."""
    key = folded(title)
    for datum, names in _aliases()["datum_names"].items():
        if any(folded(name) in key for name in names):
            return str(datum)
    return None


def _title_keys(title: str) -> tuple[tuple[str, float], ...]:
    """How a column title may be looked up, each with the scale its unit in brackets means."""
    whole = folded(title).strip("*★")
    match = _BRACKETS.match(whole)
    if match and match[2] in _plain_units():
        return (whole, 1.0), (match[1], 1.0)
    if match and match[2] in _scales():
        return (whole, 1.0), (match[1], _scales()[match[2]])
    return ((whole, 1.0),)


def title_is_known(title: str) -> bool:
    """Whether a cell is the title of a column of any kind of table."""
    return any(key in _every_alias() for key, _ in _title_keys(title))


@cache
def _every_alias() -> frozenset[str]:
    kinds = ("coordinates", "population", "facilities", "units", "statistics")
    return frozenset(
        folded(alias) for kind in kinds for names in _aliases()[kind].values() for alias in names
    )


def pick(columns: Sequence[Column], kind: str, found: Findings) -> dict[str, Column]:
    """The columns of a table by field; other columns are left alone.

    What the user says goes first. Two columns of the same title are a fault; two titles for one
    field are a warning, and so is a column whose title says a scale (``人口(万人)``): its numbers
    come scaled.
    """
    by_key: dict[str, list[tuple[Column, float]]] = {}
    for column in columns:
        if column.fields:
            continue
        for title in (column.title, *column.also):
            for key, scale in _title_keys(title):
                by_key.setdefault(key, []).append((column, scale))
    picked: dict[str, Column] = {}
    for field, aliases in _aliases()[kind].items():
        said = next((column for column in columns if field in column.fields), None)
        if said is not None:
            picked[field] = said
            continue
        named = [by_key[folded(alias)] for alias in aliases if folded(alias) in by_key]
        if not named:
            continue
        first, scale = named[0][0]
        picked[field] = first if scale == 1 else _scaled(first, scale, found)
        if sum(column.title.strip() == first.title.strip() for column in columns) > 1:
            found.add("input_column_twice", column=first.title)
        others = {c.title: None for group in named for c, _ in group if c.title != first.title}
        if others and field != "id":
            found.add(
                "input_column_chosen",
                column=first.title,
                severity="warning",
                others=", ".join(others),
            )
    return picked


def _scaled(column: Column, scale: float, found: Findings) -> Column:
    """A column whose plain numbers are multiplied; a cell with a unit of its own stays."""
    values = column.values.copy()
    for index, cell in enumerate(values):
        number = _number(cell, units=False)
        if number is not None:
            values[index] = number * scale
    found.add("input_scaled", column=column.title, severity="warning", scale=f"{scale:,.10g}")
    return Column(column.title, values, column.also, column.fields)


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
        said = next((field for field in column.fields if field.startswith("pop_")), None)
        plain = unicodedata.normalize("NFKC", said or column.title).casefold()
        name = re.sub(r"[\s\-.]+", "_", plain).strip("_")
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


def _number(cell: Any, *, units: bool = True) -> float | None:
    """A cell as a number; with `units`, ``1.2万`` and ``300 ㎡`` too."""
    if isinstance(cell, str):
        if _NUMBER.fullmatch(cell) and cell.isascii():
            return _finite(float(cell))
        text = unicodedata.normalize("NFKC", cell).strip().replace("\N{MINUS SIGN}", "-")
        text, scale = _without_unit(text) if units else (text, 1.0)
        if _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        if not _NUMBER.fullmatch(text):
            return None
        number = float(text) * scale
    elif isinstance(cell, bool | np.bool_) or not isinstance(cell, int | float | np.number):
        return None
    else:
        try:
            number = float(cell)
        except OverflowError:
            return None
    return _finite(number)


def _without_unit(text: str) -> tuple[str, float]:
    """A number in words without the unit behind it, and the scale that unit means."""
    match = _WITH_UNIT.fullmatch(text[:_LONGEST_NUMBER])
    if match is None:
        return text, 1.0
    unit = folded(match[2])
    if unit in _plain_units():
        return match[1], 1.0
    return (match[1], _scales()[unit]) if unit in _scales() else (text, 1.0)


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
