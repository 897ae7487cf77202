"""Chinese map datums: GCJ-02 and BD-09 to WGS84 and back, degrees, lon first.

The shifted datums have no published inverse. Here the inverse is exact: the forward formula
is solved by fixed-point iteration until it moves less than 1e-12 degrees (a tenth of a micrometre),
where the usual one-step inverse is off by up to a metre.

Source: the de-facto public formulas of GCJ-02 (Krasovsky ellipsoid) and BD-09.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.quantities import BoolArray, FloatArray
from lifecircle.analysis.readers.records.aliases import datum_of

DATUMS: Final = ("wgs84", "gcj02", "bd09", "cgcs2000")
SHIFTED: Final = ("gcj02", "bd09")  # those whose degrees lie beside WGS84

FEWEST: Final = 30  # places of which streets may tell whether their datum is another

_AXIS_M: Final = 6378245.0
_ECCENTRICITY2: Final = 0.00669342162296594323
_WEST, _SOUTH, _EAST, _NORTH = 72.004, 0.8293, 137.8347, 55.8271  # GCJ-02 shifts only inside
_BD_TURN: Final = np.pi * 3000.0 / 180.0
_BD_SHIFT: Final = (0.0065, 0.006)
_SETTLED_DEG: Final = 1e-12
_ROUNDS: Final = 50


def in_shifted_area(lonlat: FloatArray) -> BoolArray:
    """Whether GCJ-02 shifts a point at all; `lonlat` (k, 2) degrees."""
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    inside: BoolArray = (lon >= _WEST) & (lon <= _EAST) & (lat >= _SOUTH) & (lat <= _NORTH)
    return inside


def wgs84_to_gcj02(lonlat: FloatArray) -> FloatArray:
    """GCJ-02 degrees of WGS84 degrees (k, 2); outside China nothing moves."""
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = 20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (wave + 20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (wave + 20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1.0 - _ECCENTRICITY2 * np.sin(phi) ** 2
    per_lat = np.radians(_AXIS_M * (1.0 - _ECCENTRICITY2) / (magic * np.sqrt(magic)))
    per_lon = np.radians(_AXIS_M / np.sqrt(magic) * np.cos(phi))
    shifted = np.column_stack((lon + east / per_lon, lat + north / per_lat))
    moved: FloatArray = np.where(in_shifted_area(lonlat)[:, None], shifted, lonlat)
    return moved


def gcj02_to_bd09(lonlat: FloatArray) -> FloatArray:
    """BD-09 degrees of GCJ-02 degrees (k, 2)."""
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_TURN)
    east, north = _BD_SHIFT
    return np.column_stack((radius * np.cos(angle) + east, radius * np.sin(angle) + north))


def gcj02_to_wgs84(lonlat: FloatArray) -> FloatArray:
    """WGS84 degrees of GCJ-02 degrees (k, 2), to 1e-9 degrees or better."""
    inside = in_shifted_area(lonlat)[:, None]
    back: FloatArray = np.where(inside, _undo(wgs84_to_gcj02, lonlat), lonlat)
    return back


def bd09_to_gcj02(lonlat: FloatArray) -> FloatArray:
    """GCJ-02 degrees of BD-09 degrees (k, 2)."""
    return _undo(gcj02_to_bd09, lonlat)


def bd09_to_wgs84(lonlat: FloatArray) -> FloatArray:
    """WGS84 degrees of BD-09 degrees (k, 2)."""
    return gcj02_to_wgs84(bd09_to_gcj02(lonlat))


def to_wgs84(lonlat: FloatArray, datum: str) -> FloatArray:
    """WGS84 degrees of degrees (k, 2) in one of `DATUMS`.

    CGCS2000 and WGS84 agree to centimetres: nothing is moved.

    Raises
    ------
    ParameterError : a datum that is none of them.
    """
    if datum == "gcj02":
        return gcj02_to_wgs84(lonlat)
    return bd09_to_wgs84(lonlat) if known_datum(datum) == "bd09" else lonlat


def from_wgs84(lonlat: FloatArray, datum: str) -> FloatArray:
    """Degrees (k, 2) in one of `DATUMS` of WGS84 degrees (k, 2); raises as `to_wgs84`."""
    if datum == "gcj02":
        return wgs84_to_gcj02(lonlat)
    return gcj02_to_bd09(wgs84_to_gcj02(lonlat)) if known_datum(datum) == "bd09" else lonlat


def known_datum(word: str) -> str:
    """The datum of `DATUMS` that a word means, in any spelling people use.

    Raises
    ------
    ParameterError : nobody knows the word; a shift of hundreds of metres is not guessed.
    """
    datum = datum_of(word)
    if datum is None:
        raise ParameterError("input_datum_unknown", datum=word, known=", ".join(DATUMS))
    return datum


def _undo(forward: Callable[[FloatArray], FloatArray], target: FloatArray) -> FloatArray:
    """The points that `forward` takes to `target`, by fixed-point iteration."""
    guess = target
    for _ in range(_ROUNDS):
        step = target - forward(guess)
        guess = guess + step
        if not len(step) or np.abs(step).max() < _SETTLED_DEG:
            break
    return guess
