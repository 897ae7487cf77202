"""The metric coordinate system of a place, and geodesic lengths on the WGS84 ellipsoid."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyproj

from lifecircle.analysis.quantities import FloatArray

_YUNNAN = (97.3, 21.0, 106.3, 29.4)  # west, south, east, north, degrees
_HALF_ROUND = 180.0
_GEOD = pyproj.Geod(ellps="WGS84")
_SHORT_M = 1000.0  # below this the local formula is exact to 10 micrometres


def metric_crs(lonlat: FloatArray) -> str:
    """``"EPSG:code"`` of a metric CRS for points (k, 2) in degrees.

    In and around Yunnan the CGCS2000 3-degree zone (EPSG:4543 for Kunming), elsewhere the
    WGS84 UTM zone, both chosen by the median point.
    """
    along = lonlat[:, 0]
    if _crosses(along):
        along = along % 360
    lon, lat = float(np.median(along)), float(np.median(lonlat[:, 1]))
    west, south, east, north = _YUNNAN
    if west <= lon <= east and south <= lat <= north:
        zone = round(float(lon) / 3)  # central meridian 3 * zone
        return f"EPSG:{4534 + zone - 25}"
    zone = int((lon + 180) // 6) % 60 + 1
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def box_of(lonlat: FloatArray) -> tuple[float, float, float, float]:
    """West, south, east, north (degrees) of points (k, 2) in degrees.

    The west is larger than the east where they lie on both sides of the antimeridian (RFC 7946).
    """
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    west, east = lon.min(), lon.max()
    if _crosses(lon):
        west, east = lon[lon > 0].min(), lon[lon < 0].max()
    return float(west), float(lat.min()), float(east), float(lat.max())


def _crosses(lon: FloatArray) -> bool:
    """Whether degrees of longitude are those of one place at the antimeridian."""
    return len(lon) > 0 and bool(np.ptp(lon) > _HALF_ROUND)


@cache
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def to_metric(lonlat: FloatArray, crs: str) -> FloatArray:
    """Metric coordinates (k, 2) of degrees (k, 2, lon first)."""
    x, y = _transformer("EPSG:4326", crs).transform(lonlat[:, 0], lonlat[:, 1])
    return np.column_stack((x, y))


def to_metric_of_one(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """`to_metric` of a single place, in a fraction of the time."""
    x, y = _transformer("EPSG:4326", crs).transform(lon, lat)
    return float(x), float(y)


def to_lonlat_of_one(x_m: float, y_m: float, crs: str) -> tuple[float, float]:
    """`to_lonlat` of a single place, in a fraction of the time."""
    lon, lat = _transformer(crs, "EPSG:4326").transform(x_m, y_m)
    return float(lon), float(lat)


def to_lonlat(xy_m: FloatArray, crs: str) -> FloatArray:
    """Degrees (k, 2, lon first) of metric coordinates (k, 2)."""
    lon, lat = _transformer(crs, "EPSG:4326").transform(xy_m[:, 0], xy_m[:, 1])
    return np.column_stack((lon, lat))


def geodesic_m(start: FloatArray, end: FloatArray) -> FloatArray:
    """Geodesic length in metres between points given in degrees, each (k, 2).

    Short lines by the two radii of curvature at the middle latitude (agrees with the full
    solution to 10 micrometres below a kilometre), longer ones by PROJ.

    Source: Rapp, Geometric Geodesy I (1991), the mid-latitude formula.
    """
    length: FloatArray = _local_m(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    long = length > _SHORT_M
    if long.any():
        length[long] = _GEOD.inv(start[long, 0], start[long, 1], end[long, 0], end[long, 1])[2]
    return length


def geodesic_m_of_one(start: tuple[float, float], end: tuple[float, float]) -> float:
    """`geodesic_m` of a single line, in a fraction of the time; the same bits."""
    length = float(_local_m(*start, *end))
    return length if length <= _SHORT_M else float(_GEOD.inv(*start, *end)[2])


def _local_m(lon0: Any, lat0: Any, lon1: Any, lat1: Any) -> Any:
    """Metres by the two radii of curvature at the middle latitude; arrays or numbers (degrees)."""
    e2 = _GEOD.es
    mid = np.radians((lat0 + lat1) / 2)
    dlat, dlon = np.radians(lat1 - lat0), np.radians(lon1 - lon0)
    w2 = 1 - e2 * np.sin(mid) ** 2
    prime = _GEOD.a / np.sqrt(w2)
    meridian = prime * (1 - e2) / w2
    return np.hypot(prime * np.cos(mid) * dlon, meridian * dlat)
