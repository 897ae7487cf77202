"""The plan of springcity: seed, size, frame of coordinates, and what each street is for.

The numbers of this package describe one invented city. None of them is a judgement about
how a city should be: those live in policies.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final
from zlib import crc32

import numpy as np
from pyproj import Geod, Transformer

from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.quantities import FloatArray, IntArray

METRIC_CRS: Final = "EPSG:4543"
GEOD: Final = Geod(ellps="WGS84")
MARK: Final = "synthetic"
MARK_ZH: Final = "合成数据"

_ORIGIN_LON, _ORIGIN_LAT = 102.66, 24.99
_SMALLEST, _LARGEST = 0.1, 10.0

TILE_COLUMNS, TILE_ROWS = 14, 12  # communities of one district, as a mesh
TILE_WIDTH_M, TILE_HEIGHT_M = 12_000.0, 10_000.0
STREET_COLUMNS: Final = (3, 2, 2, 2, 2, 3)  # communities per 街道, west to east
STREET_ROWS: Final = (4, 4, 4)  # south to north
TILE_RESIDENTS: Final = 1_000_000
CELL_M: Final = 100.0

# Population cells lie either nearer than the first or farther than the second (metres from
# a way), so that nobody is in doubt about what can be attached.
NEAR_WAY_M: Final = 200.0
HAMLET_AWAY_M: Final = 320.0


@dataclass(frozen=True, slots=True)
class PlantedStreet:
    """One 街道 whose centres are planted: residents, centres by ownership, expected state.

    `concentration_m`: how tightly residents gather around the middle of the street.
    """

    role: str
    residents: int
    government: int
    unknown: int
    private: int
    state: str | None
    concentration_m: float | None = None


# (column band, row band) -> what is planted there, in the first district only.
PLANTED_STREETS: Final = {
    (5, 2): PlantedStreet("overloaded", 156_000, 1, 0, 0, "达标但超载", 580.0),
    (5, 0): PlantedStreet("gap", 85_000, 0, 0, 0, "缺口"),
    (2, 1): PlantedStreet("surplus", 62_000, 3, 0, 0, "富余"),
    (0, 0): PlantedStreet("joined", 28_000, 0, 0, 0, "达标"),
    (0, 2): PlantedStreet("small", 24_000, 1, 0, 0, "达标"),
    (3, 2): PlantedStreet("unknown_ownership", 45_000, 0, 1, 0, None),
    (2, 0): PlantedStreet("private_too", 52_000, 1, 0, 1, "达标"),
    (1, 1): PlantedStreet("private_too", 50_000, 1, 0, 1, "达标"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Seed and size of one springcity.

    `shrink`: linear factor of the ground below scale 1 (residents stay the same, so that
    everything planted holds). `tiles`: districts as (column, row). `fine`: lattice steps
    along the side of one community.
    """

    seed: int
    scale: float
    shrink: float
    tiles: tuple[tuple[int, int], ...]
    fine: int

    @property
    def columns(self) -> int:
        """Communities west to east, over all districts."""
        return TILE_COLUMNS * (max(c for c, _ in self.tiles) + 1)

    @property
    def rows(self) -> int:
        """Communities south to north, over all districts."""
        return TILE_ROWS * (max(r for _, r in self.tiles) + 1)

    @property
    def side_m(self) -> tuple[float, float]:
        """Width and height of one community, metres."""
        return (
            TILE_WIDTH_M * self.shrink / TILE_COLUMNS,
            TILE_HEIGHT_M * self.shrink / TILE_ROWS,
        )

    @property
    def residents(self) -> int:
        """All residents, to the person."""
        return round(TILE_RESIDENTS * max(self.scale, 1.0))

    def rng(self, topic: str) -> np.random.Generator:
        """A generator of its own for a topic, so that topics do not disturb one another."""
        return np.random.default_rng([self.seed, crc32(topic.encode())])


def make_plan(seed: int, scale: float) -> Plan:
    """The plan of a seed and a scale (1 = one district of a million residents)."""
    if not _SMALLEST <= scale <= _LARGEST:
        raise ParameterError("samples_scale", scale=scale, low=_SMALLEST, high=_LARGEST)
    shrink = min(1.0, sqrt(scale))
    count = max(1, ceil(scale))
    wide = ceil(sqrt(count))
    tiles = tuple((k % wide, k // wide) for k in range(count))
    return Plan(seed, scale, shrink, tiles, 24 if shrink >= 0.6 else 12)


_TO_GEO: Final = Transformer.from_crs(METRIC_CRS, "EPSG:4326", always_xy=True)
_TO_METRIC: Final = Transformer.from_crs("EPSG:4326", METRIC_CRS, always_xy=True)
_ORIGIN_M: Final = np.round(_TO_METRIC.transform(_ORIGIN_LON, _ORIGIN_LAT), -2)


def to_lonlat(xy_m: FloatArray) -> FloatArray:
    """Longitude and latitude of city metres, (n, 2), not rounded."""
    lon, lat = _TO_GEO.transform(xy_m[:, 0] + _ORIGIN_M[0], xy_m[:, 1] + _ORIGIN_M[1])
    return np.column_stack([lon, lat])


def to_city(lonlat: FloatArray) -> FloatArray:
    """City metres (EPSG:4543 less a round origin) of longitude and latitude, (n, 2)."""
    x, y = _TO_METRIC.transform(lonlat[:, 0], lonlat[:, 1])
    return np.column_stack([x, y]) - _ORIGIN_M


def as_in_osm(xy_m: FloatArray) -> FloatArray:
    """Longitude and latitude rounded as OpenStreetMap keeps them (1e-7 degree), (n, 2)."""
    rounded: FloatArray = np.round(to_lonlat(xy_m), 7)
    return rounded


def largest_remainder(
    total: int, weights: FloatArray
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Integers that sum to `total` in proportion to `weights`; ties go to the first."""
    exact = weights / weights.sum() * total
    whole: IntArray = np.floor(exact).astype(np.int64)
    short = total - int(whole.sum())
    order = np.argsort(-(exact - whole), kind="stable")[:short]
    whole[order] += 1
    return whole
