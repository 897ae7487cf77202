"""What the cells of a column say: texts, numbers, whole numbers, repeats.

The cells of a column are Python objects (of a text table, of a workbook), or one typed array
where the file holds one; both are read alike.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lifecircle.analysis.quantities import BoolArray, FloatArray, ObjectArray
from lifecircle.analysis.readers.records.aliases import fold, plain_units, unit_scales

CellArray = NDArray[Any]  # of objects, or of numbers

WHOLE_TOLERANCE: Final = 1e-6  # a count farther than this from an integer is a fraction
LARGEST_COUNT: Final = 2.0**53  # the last integer a float holds exactly

SHEET_ERRORS: Final = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!",
     "#FIELD!", "#BLOCKED!", "#GETTING_DATA"}
)  # fmt: skip

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+|(?: \d{3})+|(?:'\d{3})+)(?:\.\d+)?")
_PARTING = str.maketrans("", "", ", '")
_WITH_UNIT = re.compile(r"([+-]?[\d.,]+)\s*([^\d.,\s+-][^\d\s]{0,7}\d?)")
_LONGEST_NUMBER: Final = 64  # characters of a number with its unit
_OFFICE_ERROR = re.compile(r"Err:\d{3}")  # of LibreOffice
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


class SheetError(str):
    """A cell of a workbook that holds an error, as its word (``#N/A``)."""

    __slots__ = ()


class Uncalculated(str):
    """A cell of a workbook that holds a formula without its value, as that formula."""

    __slots__ = ()


class Percent(float):
    """A number that a workbook shows as percent: 0.1 is seen as 10 %."""

    __slots__ = ()


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


def is_blank(value: Any) -> bool:
    """Whether a cell is empty: nothing, spaces, or a missing value of a layer."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    return isinstance(value, float) and math.isnan(value)


def is_sheet_error(value: Any) -> bool:
    """Whether a cell is an error of a spreadsheet, kept as one or written out as a word."""
    if not isinstance(value, str):
        return False
    word = value.strip().upper()
    return word in SHEET_ERRORS or isinstance(value, SheetError) or (
        word.startswith("ERR:") and _OFFICE_ERROR.fullmatch(value.strip()) is not None
    )  # fmt: skip


def read_text(value: Any) -> str | None:
    """A cell as text; None where blank; 530102001.0 reads as ``530102001``, a time as ``08:30``."""
    if isinstance(value, str):
        return value.strip() or None
    if is_date(value):
        return _show_date(value)
    if is_blank(value):
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def read_texts(values: CellArray) -> ObjectArray:
    """A column as texts, None where blank."""
    return object_array([read_text(value) for value in values.tolist()])


def object_array(values: Sequence[Any]) -> ObjectArray:
    """A one-dimensional object array, whatever the items are."""
    return np.fromiter(values, dtype=np.object_, count=len(values))


def is_absent(values: ObjectArray) -> BoolArray:
    """Where an object array holds None."""
    return np.fromiter((value is None for value in values), np.bool_, count=len(values))


def keep_where(values: CellArray, keep: BoolArray) -> ObjectArray:
    """The values where `keep` holds, None elsewhere."""
    out = np.full(len(values), None, dtype=np.object_)
    out[keep] = values[keep]
    return out


def is_date(value: Any) -> bool:
    """Whether a cell of a workbook is a date, a time of day or a length of time."""
    return isinstance(value, date | time | timedelta)


def _show_date(value: Any) -> str:
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, time):
        return value.isoformat("seconds" if value.second else "minutes")
    return str(value)


def show_value(value: Any) -> Any:
    """A cell as a message shows it: whole numbers without decimals, nothing where blank."""
    if is_date(value):
        return _show_date(value)
    if isinstance(value, Percent):
        return f"{value * 100:.10g}%"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_COUNT:
        return int(value)
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value


def no_texts(size: int) -> ObjectArray:
    """Texts of which none is known."""
    return np.full(size, None, dtype=np.object_)


def read_numbers(values: CellArray) -> Numbers:
    """A column as numbers; ``1,234`` and full-width digits are read, NaN in words is bad."""
    count = len(values)
    clean = _read_clean(values)
    if clean is not None:
        blank = np.isnan(clean)
        endless = np.isinf(clean)
        return Numbers(np.where(endless, np.nan, clean) if endless.any() else clean, blank, endless)
    value = np.full(count, np.nan)
    blank = np.zeros(count, np.bool_)
    bad = np.zeros(count, np.bool_)
    for index, cell in enumerate(values):
        number = read_number(cell)
        if number is not None:
            value[index] = number
        elif is_blank(cell):
            blank[index] = True
        else:
            bad[index] = True
    return Numbers(value, blank, bad)


def _read_clean(values: CellArray) -> FloatArray | None:
    """The column at once where every cell is a plain number (or none, if typed), else None."""
    if values.dtype != np.object_:
        return values.astype(np.float64, copy=False)
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


def read_number(cell: Any, *, units: bool = True) -> float | None:
    """A cell as a number, None where it is none; with `units`, ``1.2万`` and ``300 ㎡`` too."""
    if isinstance(cell, str):
        if cell.isascii() and _NUMBER.fullmatch(cell):
            return _keep_finite(float(cell))
        text = unicodedata.normalize("NFKC", cell).strip().replace("\N{MINUS SIGN}", "-")
        text, scale = _drop_unit(text) if units else (text, 1.0)
        if _THOUSANDS.fullmatch(text):
            text = text.translate(_PARTING)
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
    return _keep_finite(number)


def _drop_unit(text: str) -> tuple[str, float]:
    """A number in words without the unit behind it, and the scale that unit means."""
    match = _WITH_UNIT.fullmatch(text[:_LONGEST_NUMBER])
    if match is None:
        return text, 1.0
    unit = fold(match[2])
    if unit in plain_units():
        return match[1], 1.0
    return (match[1], unit_scales()[unit]) if unit in unit_scales() else (text, 1.0)


def _keep_finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def find_repeats(values: Iterable[Any]) -> tuple[BoolArray, dict[int, int]]:
    """Which cells repeat an earlier one (None aside), and the index of the first by theirs."""
    first: dict[Any, int] = {}
    earlier: dict[int, int] = {}
    count = 0
    for index, value in enumerate(values):
        count = index + 1
        if value is not None and first.setdefault(value, index) != index:
            earlier[index] = first[value]
    repeats = np.zeros(count, np.bool_)
    repeats[list(earlier)] = True
    return repeats, earlier


def group_rows(values: Iterable[Any]) -> dict[Any, list[int]]:
    """The rows in which each value (None aside) stands, values in order of their first row."""
    rows: dict[Any, list[int]] = {}
    for index, value in enumerate(values):
        if value is not None:
            rows.setdefault(value, []).append(index)
    return rows


def whole_where_near(value: FloatArray) -> FloatArray:
    """Numbers as whole ones, where all of them are but for what sums of floats leave behind."""
    whole = np.rint(value)
    near = np.isnan(value) | (np.abs(value - whole) <= WHOLE_TOLERANCE)
    return whole if near.all() else value
