"""Degrees that lost their decimal point, known by the sound rows of the same file.

``102712345`` beside ``102.7...`` is 102.712345: with the point where it belongs it lies among the
others, and nowhere else does.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from lifecircle.analysis.quantities import BoolArray, FloatArray
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.findings import Findings

_MOST: Final = (180.0, 90.0)  # degrees of longitude, of latitude
_NO_METRES: Final = 1e8  # no plane coordinate is that large: the decimal point is lost
_MOST_DIGITS: Final = 16  # behind a point that is lost
_ROOM: Final = 0.5  # degrees around the sound rows


def tell_lost_points(
    lon: Column, lat: Column, xy: tuple[FloatArray, FloatArray], known: BoolArray, found: Findings
) -> BoolArray:
    """Note a fault, with the number that is meant, where a point is lost; which rows (n,) they are.

    Parameters
    ----------
    lon, lat
        The columns as they stand in the file; the same where a cell holds both.
    xy
        Their numbers (n,), as written.
    known
        Rows that hold numbers.
    """
    sound = known & (np.abs(xy[0]) <= _MOST[0]) & (np.abs(xy[1]) <= _MOST[1])
    lost = np.zeros(len(known), np.bool_)
    if not sound.any():
        return lost
    for column, values, most in zip((lon, lat), xy, _MOST, strict=True):
        low, high = values[sound].min() - _ROOM, values[sound].max() + _ROOM
        for row in np.flatnonzero(known & (np.abs(values) > most)).tolist():
            meant = _put_point(float(values[row]), low, high)
            if meant is None:
                continue
            lost[row] = True
            found.add("input_decimal_lost_row", row=int(found.rows[row]), column=column.title,
                      value=f"{values[row]:.16g}", meant=f"{meant:.16g}")  # fmt: skip
    return lost


def tell_lost_columns(
    lon: Column, lat: Column, far: tuple[FloatArray, FloatArray], found: Findings
) -> bool:
    """Note the fault that whole columns lost their points, with what the first row may mean.

    `far`: the numbers (k,) that are no degrees. False, and no fault, where they may be metres.
    """
    if (np.abs(far[0]) < _NO_METRES).all():
        return False
    x, y = float(far[0][0]), float(far[1][0])
    found.add("input_decimal_lost", column=f"{lon.title}, {lat.title}", x=f"{x:.0f}", y=f"{y:.0f}",
              meant_x=_guess_point(x, _MOST[0]), meant_y=_guess_point(y, _MOST[1]))  # fmt: skip
    return True


def _guess_point(value: float, most: float) -> str:
    """The largest number of degrees up to `most` that a number without its point may be."""
    meant = value
    while abs(meant) > most:
        meant /= 10
    return f"{meant:.10g}"


def _put_point(value: float, low: float, high: float) -> float | None:
    """The number with its point moved to the left until it lies between two others."""
    for digits in range(1, _MOST_DIGITS + 1):
        meant = value / 10.0**digits
        if low <= meant <= high:
            return meant
    return None
