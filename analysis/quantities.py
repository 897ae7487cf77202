"""Units and the few constants that are facts of arithmetic, not judgements.

Inside the kernels a distance is an integer number of centimetres (``int32``), in files and
frames it is ``float64`` metres, and people read minutes. ``UNREACHED_CM`` marks "no way
there" inside arrays only: it becomes null at the edge of every table.

**Unknown** is held in one way from the reader to the result:

- numbers (areas, heights, hours; flags as 1 and 0) are ``float64`` with NaN,
- whole numbers that may be unknown (residents of a unit, groups, years) are `Counts`,
- texts and shapes are object arrays with None.

An index of -1 (``NOBODY``) is no unknown: it is known that there is no unit, no edge, no facility.
Files and frames for people turn all three into null; how a file holds null is the file's matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

CM_PER_M: Final = 100
SECONDS_PER_MINUTE: Final = 60
UNREACHED_CM: Final = np.iinfo(np.int32).max
NOBODY: Final = -1  # index of "no facility", "no edge", "no unit" in int32 index arrays

IntArray = NDArray[np.int64]
Int32Array = NDArray[np.int32]
UInt8Array = NDArray[np.uint8]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_Number = TypeVar("_Number", np.int64, np.float64)
ObjectArray = NDArray[np.object_]  # of str, of shapes, or None where unknown


@lru_cache(maxsize=4096)  # a scenario asks it for every service on both sides
def limit_cm(minutes: float | Fraction, speed_m_per_s: Fraction) -> int:
    """Whole centimetres walked within `minutes` at a speed: the cut-off of a coverage test.

    Exact rational arithmetic: 15 minutes at 1000/900 m/s is 100,000 cm, not 99,999.
    """
    exact = Fraction(minutes).limit_denominator(10**6)
    return int(exact * SECONDS_PER_MINUTE * speed_m_per_s * CM_PER_M)


def minutes_of(cm: NDArray[np.integer], speed_m_per_s: Fraction) -> FloatArray:
    """Minutes to walk `cm` centimetres, float64 of its shape; NaN where it is not reached."""
    minutes = cm.astype(np.float64) / (CM_PER_M * float(speed_m_per_s) * SECONDS_PER_MINUTE)
    minutes[cm == UNREACHED_CM] = np.nan
    return minutes


def corners_of(places: NDArray[_Number]) -> tuple[NDArray[_Number], NDArray[_Number]]:
    """The least and the greatest coordinates (2,) of places (n, 2), one at least.

    Column by column: along the rows numpy takes thirty times as long.
    """
    columns = places[:, 0], places[:, 1]
    low = np.array([column.min() for column in columns], dtype=places.dtype)
    return low, np.array([column.max() for column in columns], dtype=places.dtype)


def read_only(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """The same array with its write flag off (frozen dataclasses hold such arrays)."""
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True)
class Counts:
    """Whole numbers (n,) of which some are unknown.

    `value` int64, 0 where unknown, so that sums are sums of what is known; `known` bool.
    """

    value: IntArray
    known: BoolArray

    @classmethod
    def of(cls, value: NDArray[Any], known: BoolArray | None = None) -> Counts:
        """Whole numbers where `known` holds; all of them without it."""
        sure = np.ones(len(value), np.bool_) if known is None else np.array(known, np.bool_)
        whole = np.where(sure, value, 0).astype(np.int64)
        read_only(whole)
        read_only(sure)
        return cls(whole, sure)

    @classmethod
    def listed(cls, values: Iterable[int | None]) -> Counts:
        """Whole numbers of a list, None where unknown."""
        held = list(values)
        known = np.array([one is not None for one in held], np.bool_)
        return cls.of(np.array([one or 0 for one in held], np.int64), known)

    @classmethod
    def unknown(cls, size: int) -> Counts:
        """Numbers of which none is known."""
        return cls.of(np.zeros(size, np.int64), np.zeros(size, np.bool_))

    @classmethod
    def joined(cls, parts: Sequence[Counts]) -> Counts:
        """The numbers of several tables, one below the other."""
        value = np.concatenate([np.empty(0, np.int64), *(part.value for part in parts)])
        known = np.concatenate([np.empty(0, np.bool_), *(part.known for part in parts)])
        return cls.of(value, known)

    def __len__(self) -> int:
        return len(self.value)

    def take(self, rows: NDArray[Any] | Sequence[int]) -> Counts:
        """The numbers of some rows (indices or a mask)."""
        chosen = np.asarray(rows) if len(rows) else np.empty(0, np.int64)
        return Counts.of(self.value[chosen], self.known[chosen])

    def at(self, row: int) -> int | None:
        """One number, None where unknown."""
        return int(self.value[row]) if self.known[row] else None

    def to_list(self) -> list[int | None]:
        """The numbers, None where unknown."""
        return [self.at(row) for row in range(len(self))]
