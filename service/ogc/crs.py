"""Coordinate systems as OGC addresses, with the axis order their authority says."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any, Final

import numpy as np
import pyproj
from numpy.typing import NDArray

from lifecircle.service.errors import RequestError

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
WGS84: Final = "EPSG:4326"
EVERYWHERE: Final = ("EPSG:4326", "EPSG:4490", "EPSG:3857")
Box = tuple[float, float, float, float]


def address(code: str) -> str:
    """``EPSG:4543`` as ``http://www.opengis.net/def/crs/EPSG/0/4543``."""
    authority, number = code.split(":")
    return f"http://www.opengis.net/def/crs/{authority}/0/{number}"


def offered(metric: str) -> tuple[str, ...]:
    """Addresses of every system an area answers in; `metric` is its own (``EPSG:code``)."""
    codes = dict.fromkeys((*EVERYWHERE, metric))
    return (CRS84, *(address(code) for code in codes))


def code_of(asked: str, metric: str, parameter: str) -> str | None:
    """``EPSG:code`` of an asked address, None for CRS84.

    Raises
    ------
    RequestError
        The area does not answer in it.
    """
    allowed = offered(metric)
    wanted = asked.strip("[]<>")
    short = re.fullmatch(r"(?:urn:ogc:def:crs:)?EPSG:[:0-9.]*?(\d+)", wanted, re.IGNORECASE)
    if short:
        wanted = address(f"EPSG:{short.group(1)}")
    if wanted not in allowed:
        raise RequestError(
            "crs_not_offered", parameter=parameter, asked=asked, offered=", ".join(allowed)
        )
    return None if wanted == CRS84 else "EPSG:" + wanted.rsplit("/", 1)[1]


@cache
def north_first(code: str) -> bool:
    """Whether the authority writes northing or latitude before easting or longitude."""
    axes = pyproj.CRS.from_user_input(code).axis_info
    return bool(axes) and axes[0].direction.lower() in {"north", "south"}


@cache
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def from_degrees(code: str, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coordinates (k, 2) in a system, its own axis order, of degrees (lon first)."""
    x, y = _transformer(WGS84, code).transform(lonlat[:, 0], lonlat[:, 1])
    first, second = (y, x) if north_first(code) else (x, y)
    decimals = 7 if pyproj.CRS.from_user_input(code).is_geographic else 3
    return np.column_stack((first, second)).round(decimals)


def to_degrees(code: str | None, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees (k, 2), lon first, of coordinates in a system's own axis order (None: CRS84)."""
    if code is None:
        return xy
    first, second = (xy[:, 1], xy[:, 0]) if north_first(code) else (xy[:, 0], xy[:, 1])
    return np.column_stack(_transformer(code, WGS84).transform(first, second))


def boxes_of(text: str, code: str | None) -> list[Box]:
    """The asked box as one or two boxes in degrees (west, south, east, north).

    Two where it crosses the antimeridian. Six numbers carry heights, which are left aside.

    Raises
    ------
    RequestError
        Not four or six numbers, or a south above the north.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise RequestError("bbox_not_numbers", bbox=text) from None
    if len(numbers) not in (4, 6) or not all(map(math.isfinite, numbers)):
        raise RequestError("bbox_not_numbers", bbox=text)
    half = len(numbers) // 2
    a, b, c, d = *numbers[:2], *numbers[half : half + 2]
    west, south, east, north = (b, a, d, c) if code and north_first(code) else (a, b, c, d)
    geographic = code is None or pyproj.CRS.from_user_input(code).is_geographic
    if south > north or (west > east and not geographic):
        raise RequestError("bbox_upside_down", bbox=text)
    if code is not None and code != WGS84 and not geographic:
        return [_in_degrees(code, (west, south, east, north))]
    if west > east:
        return [(west, south, 180.0, north), (-180.0, south, east, north)]
    return [(west, south, east, north)]


def _in_degrees(code: str, box: Box) -> Box:
    turned: Any = _transformer(code, WGS84).transform_bounds(*box)
    west, south, east, north = (
        value if math.isfinite(value) else limit
        for value, limit in zip(turned, (-180.0, -90.0, 180.0, 90.0), strict=True)
    )
    return west, south, east, north
