"""The ways people write a place in cells: an angle, a pair of them in one cell, a geometry.

``102.69E``, ``东经102.69``, ``102°42′11″``, ``102,6950471`` are angles; ``102.69,24.99`` (any
separator, either order), EWKT, hexadecimal WKB and GeoJSON stand for a place in one cell.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import orjson
import shapely

from lifecircle.analysis.quantities import BoolArray, ObjectArray
from lifecircle.analysis.readers.records.cells import (
    CellArray,
    Numbers,
    is_blank,
    read_number,
    read_numbers,
)

Axis = Literal["lon", "lat"]

_LONGEST: Final = 100  # characters of an angle or a pair
_AXES: Final[dict[str, tuple[Axis, int]]] = {
    "e": ("lon", 1), "东经": ("lon", 1), "w": ("lon", -1), "西经": ("lon", -1),
    "n": ("lat", 1), "北纬": ("lat", 1), "s": ("lat", -1), "南纬": ("lat", -1),
    "lon": ("lon", 1), "lng": ("lon", 1), "longitude": ("lon", 1), "经度": ("lon", 1),
    "lat": ("lat", 1), "latitude": ("lat", 1), "纬度": ("lat", 1), "x": ("lon", 1),
    "y": ("lat", 1), "东": ("lon", 1), "西": ("lon", -1), "北": ("lat", 1), "南": ("lat", -1),
}  # fmt: skip
_NAME = "|".join(sorted(_AXES, key=len, reverse=True))
_ANGLE = re.compile(
    rf"(?P<before>{_NAME})?[:=]?"
    r"(?P<sign>[+-]?)(?P<degrees>\d{1,10}(?:\.\d*)?)"
    r"(?:[°度d](?:(?P<minutes>\d{1,2}(?:\.\d*)?)['分m]"
    r"(?:(?P<seconds>\d{1,2}(?:\.\d*)?)(?:\"|''|秒|s)?)?)?)?"
    rf"(?P<after>{_NAME})?[,;]?"
)
_SIGNS = str.maketrans(
    {"′": "'", "’": "'", "‘": "'", "″": '"', "”": '"', "“": '"', "º": "°", "˚": "°"}
    | {"、": ",", "，": ",", "；": ";", "\N{MINUS SIGN}": "-"}
)
_COMMA = re.compile(r"([+-]?\d{1,3}),(\d+)")
_BRACKETS = re.compile(r"[()\[\]{}]")
_BETWEEN: Final = (re.compile(r"[;|/]"), re.compile(r"\s*,\s*"), re.compile(r"\s+"))
_INNER = re.compile(r"(?<=\S)(?=东经|西经|北纬|南纬|纬度|lat)")
_EWKT = re.compile(r"SRID\s*=\s*(\d+)\s*;\s*", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){21,}")
_MOST_LAT: Final = 90.0


def read_angle(cell: Any, *, comma: bool = True) -> tuple[float, Axis | None] | None:
    """Degrees of a cell, and the axis it names itself; None where it is no angle.

    With `comma`, ``102,69`` is 102.69.
    """
    if not isinstance(cell, str):
        number = read_number(cell, units=False)
        return None if number is None else (number, None)
    if len(cell) > _LONGEST:
        return None
    text = "".join(_unify_signs(cell).split())
    if comma and (match := _COMMA.fullmatch(text.rstrip(",;"))):
        text = f"{match[1]}.{match[2]}"
    match = _ANGLE.fullmatch(text)
    if match is None:
        return None
    minutes, seconds = float(match["minutes"] or 0), float(match["seconds"] or 0)
    if minutes >= 60 or seconds >= 60 or (match["minutes"] and "." in match["degrees"]):
        return None
    named = [_AXES[word] for word in (match["before"], match["after"]) if word]
    if len({axis for axis, _ in named}) > 1:
        return None
    sign = -1 if match["sign"] == "-" or any(way < 0 for _, way in named) else 1
    value = float(match["degrees"]) + minutes / 60 + seconds / 3600
    return sign * value, named[0][0] if named else None


def read_angles(values: CellArray, axis: Axis) -> tuple[Numbers, BoolArray]:
    """A column of one axis as degrees, and which cells held a decimal comma.

    A cell that names the other axis is bad.
    """
    plain = read_numbers(values)
    commas = np.zeros(len(values), np.bool_)
    if values.dtype != np.object_:
        return plain, commas
    value, bad, known = plain.value.copy(), plain.bad.copy(), plain.known
    for index, cell in enumerate(values):
        if not isinstance(cell, str) or (known[index] and "," not in cell):
            continue
        read = read_angle(cell)
        if read is None or read[1] not in (None, axis):
            continue
        value[index], bad[index] = read[0], False
        commas[index] = bool(_COMMA.fullmatch(cell.strip()))
    return Numbers(value, plain.blank, bad), commas


@dataclass(frozen=True, slots=True)
class Written:
    """A column of places, one a cell (n,): None where a cell says none.

    `blank`: empty cells. `turned`: pairs that wrote the latitude first. `open`: pairs whose order
    neither a name nor the range tells; they are taken as longitude first. `srid`: what EWKT and
    WKB say of themselves. `closed`: areas of which a ring was open and is closed now. `by_range`:
    pairs of which nothing but the size of the numbers says that the latitude stands first.
    """

    shapes: ObjectArray
    blank: BoolArray
    turned: BoolArray
    open: BoolArray
    srid: frozenset[int]
    closed: BoolArray
    by_range: BoolArray


def read_places_written(cells: CellArray, *, degrees: bool, lat_first: bool = False) -> Written:
    """The places of a column of texts: pairs, WKT, EWKT, hexadecimal WKB, GeoJSON.

    `lat_first`: the title says so, where nothing else tells the order.
    """
    count = len(cells)
    shapes = np.full(count, None, dtype=np.object_)
    blank, turned, unsure, closed, by_range = (np.zeros(count, np.bool_) for _ in range(5))
    srid: set[int] = set()
    for index, cell in enumerate(cells):
        if is_blank(cell):
            blank[index] = True
            continue
        if not isinstance(cell, str):
            continue
        pair = _read_pair(cell)
        if pair is None:
            shapes[index], closed[index] = _read_geometry(cell.strip(), srid)
            continue
        (first, one), (second, other) = pair
        swap = one == "lat" or other == "lon"
        if one is None and other is None and degrees:
            swap = by_range[index] = abs(first) <= _MOST_LAT < abs(second)
            unsure[index] = max(abs(first), abs(second)) <= _MOST_LAT
            swap |= bool(unsure[index]) and lat_first
        turned[index] = swap
        shapes[index] = shapely.Point(second, first) if swap else shapely.Point(first, second)
    return Written(shapes, blank, turned, unsure, frozenset(srid), closed, by_range)


def _read_pair(cell: str) -> tuple[tuple[float, Axis | None], tuple[float, Axis | None]] | None:
    if len(cell) > _LONGEST:
        return None
    plain = _BRACKETS.sub(" ", _unify_signs(cell)).strip(" ,;")
    plain = plain if "'" in plain and "°" in plain else plain.replace('"', "").replace("'", "")
    for text in (plain, _INNER.sub(" ", plain)):
        for sign in _BETWEEN:
            parts = [part for part in sign.split(text) if part.strip()]
            if len(parts) != 2:
                continue
            first, second = (read_angle(part, comma="," not in sign.pattern) for part in parts)
            if first is not None and second is not None:
                return (first, second) if _are_two_axes(first[1], second[1]) else None
    return None


def _unify_signs(cell: str) -> str:
    """A text in small letters, its signs of one form."""
    return unicodedata.normalize("NFKC", cell.translate(_SIGNS)).translate(_SIGNS).casefold()


def _are_two_axes(one: Axis | None, other: Axis | None) -> bool:
    return one is None or other is None or one != other


def _read_geometry(text: str, srid: set[int]) -> tuple[Any, bool]:
    """A geometry written as text, None where it is none; whether a ring had to be closed."""
    ewkt = _EWKT.match(text)
    if ewkt:
        srid.add(int(ewkt[1]))
        text = text[ewkt.end() :]
    packed = _HEX.fullmatch(text) is not None
    json = text.startswith("{")
    read = shapely.from_geojson if json else shapely.from_wkb if packed else shapely.from_wkt
    shape: Any = read(text, on_invalid="ignore")
    whole = shape is not None
    if not whole:
        shape = _read_open(text, read, json=json)
    closed = not whole and shape is not None
    number = 0 if shape is None or not packed else int(shapely.get_srid(shape))
    if number:
        srid.add(number)
    return shape, closed


def _read_open(text: str, read: Callable[..., Any], *, json: bool) -> Any:
    """A geometry whose rings are not closed, closed; None where that is not what is wrong."""
    try:
        if not json:
            return read(text, on_invalid="fix")
        shape = orjson.loads(text)
        return (
            read(orjson.dumps(shape).decode(), on_invalid="ignore") if close_rings(shape) else None
        )
    except (shapely.errors.GEOSException, orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None


def close_rings(shape: Any) -> bool:
    """Close the open rings of a geometry's areas, in place; whether there were any."""
    kind = shape.get("type") if isinstance(shape, dict) else None
    if kind == "GeometryCollection" and isinstance(shape.get("geometries"), list):
        return sum(map(close_rings, shape["geometries"])) > 0
    held = shape.get("coordinates") if isinstance(shape, dict) else None
    areas = {"Polygon": [held], "MultiPolygon": held}.get(str(kind), [])
    closed = False
    for rings in areas if isinstance(areas, list) else []:
        for ring in rings if isinstance(rings, list) else []:
            if isinstance(ring, list) and len(ring) > 2 and ring[0] != ring[-1]:
                ring.append(ring[0])
                closed = True
    return closed
