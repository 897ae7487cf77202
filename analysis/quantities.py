"""Units and the few constants that are facts of arithmetic, not judgements.

Inside the kernels a distance is an integer number of centimetres (``int32``), in files and
frames it is ``float64`` metres, and people read minutes. ``UNREACHED_CM`` marks "no way
there" inside arrays only: it becomes null at the edge of every table.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

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


def read_only(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """The same array with its write flag off (frozen dataclasses hold such arrays)."""
    array.setflags(write=False)
    return array
