"""Do places lie where it is said, or by a constant vector beside it?

Places of a city stand in a particular relation to its streets: shops close to them, middles of
blocks far from them. Moved by a few hundred metres the relation is lost. So the mean distance to
the nearest street is taken at the places moved by every vector of a lattice, and each vector is
compared with those 70 to 200 m around it: where the places really lie, the mean stands out from
its surroundings; elsewhere it does not. The spread over the whole lattice is the yardstick: it
holds whatever the places have in common, and no distribution is assumed.

Power and false alarms as measured: docs/coordinates.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.quantities import FloatArray, IntArray
from lifecircle.analysis.readers.records.coordinates.datums import FEWEST

SEARCHED_M: Final = 1_000.0  # farther than BD-09 lies from WGS84 anywhere in China
LIKELY: Final = 3.5  # spreads by which one datum of a few has to stand out
SURE: Final = 5.5  # spreads by which one vector of thousands has to stand out
AHEAD: Final = 1.5  # spreads by which it has to stand out more than the places as they are

_NARROW_M: Final = 100.0  # places in a narrower band fit any street that runs along it
_STEP_M: Final = 40.0  # of the lattice of vectors: the surroundings of a street are about as wide
_AROUND_M: Final = (70.0, 200.0)  # a vector is compared with those that far from it
_FAR_M: Final = 30.0  # a place farther from a street counts as that far
_MOST: Final = 300  # places looked at
_SAME_M: Final = 60.0  # moves smaller than that cannot be told from none
_SPREAD: Final = 1.4826  # median absolute deviation to standard deviation


@dataclass(frozen=True, slots=True)
class Standing:
    """How much places stand out where they are, and at the vector where they do so most.

    In spreads over the lattice; `east_m`, `north_m`: that vector; `spread`: of the contrast,
    metres; `points`: places looked at.
    """

    here: float
    best: float
    east_m: float
    north_m: float
    spread: float
    points: int

    @property
    def at_home(self) -> bool:
        """Whether the places surely stand where they are said to be.

        Then a vector where they stand out more says nothing: the few outlines of villages among
        few streets fit a neighbour's streets as well, and better by chance.
        """
        return self.here >= SURE

    @property
    def moved(self) -> bool:
        """Whether the places surely lie a constant vector beside."""
        far = float(np.hypot(self.east_m, self.north_m)) > _SAME_M
        return far and not self.at_home and self.best >= max(SURE, self.here + AHEAD)


def sample_rows(xy_m: FloatArray) -> IntArray:
    """At most 300 of places (k, 2), always the same ones, as row numbers."""
    if len(xy_m) <= _MOST:
        return np.arange(len(xy_m))
    return np.sort(np.random.default_rng(0).choice(len(xy_m), _MOST, replace=False))


def measure_standing(index: EdgeIndex, xy_m: FloatArray) -> Standing | None:
    """How places (k, 2), metres in the network's CRS, stand to the streets.

    None if they are too few, or all lie along one line.
    """
    if len(xy_m) < FEWEST or _measure_width(xy_m) < _NARROW_M:
        return None
    contrast, vectors = _measure_contrasts(index, xy_m, SEARCHED_M)
    middle = np.median(contrast)
    spread = float(_SPREAD * np.median(np.abs(contrast - middle)))
    if not spread > 0:
        return None
    score = np.abs(contrast - middle) / spread
    at = int(score.argmax())
    close = np.hypot(*vectors.T) <= _STEP_M
    return Standing(
        here=float(score[close].max()),
        best=float(score[at]),
        east_m=float(vectors[at, 0]),
        north_m=float(vectors[at, 1]),
        spread=spread,
        points=len(xy_m),
    )


def _measure_width(xy_m: FloatArray) -> float:
    """Standard deviation of places (k, 2), metres, across the line they follow best."""
    return float(np.sqrt(max(np.linalg.eigvalsh(np.cov(xy_m.T))[0], 0.0)))


def measure_contrast(index: EdgeIndex, xy_m: FloatArray, spread: float) -> float:
    """How much places (k, 2) stand out where they are, in given spreads (metres)."""
    contrast, _ = _measure_contrasts(index, xy_m, _STEP_M)
    return float(np.abs(contrast).max() / spread)


def _measure_contrasts(
    index: EdgeIndex, xy_m: FloatArray, reach_m: float
) -> tuple[FloatArray, FloatArray]:
    """Contrast to the surroundings (metres) at the vectors (v, 2) no longer than `reach_m`."""
    margin = reach_m + _AROUND_M[1]
    count = int(np.ceil(margin / _STEP_M))
    steps = np.arange(-count, count + 1) * _STEP_M
    east, north = np.meshgrid(steps, steps)
    length = np.hypot(east, north)
    mean = np.zeros(east.shape)
    near = length <= margin + _STEP_M
    moves = np.column_stack((east[near], north[near]))
    away = np.empty((len(moves), len(xy_m)))
    for k, place in enumerate(xy_m):  # one after the other: its streets are in the cache
        away[:, k] = measure_distances(index, moves + place)
    mean[near] = away.mean(axis=1)
    around = int(_AROUND_M[1] // _STEP_M)
    ring = np.hypot(*np.meshgrid(*[np.arange(-around, around + 1) * _STEP_M] * 2))
    weight = ((ring >= _AROUND_M[0]) & (ring <= _AROUND_M[1])).astype(np.float64)
    contrast = convolve_nearest(mean, weight / weight.sum()) - mean
    inside = length <= reach_m
    return contrast[inside], np.column_stack((east[inside], north[inside]))


def convolve_nearest(values: FloatArray, weight: FloatArray) -> FloatArray:
    """`scipy.ndimage.convolve` with the mode ``nearest``, by a point-symmetric weight of odd sides.

    Loading scipy's costs a build more than everything that is asked here.
    """
    high, wide = weight.shape
    edged = np.pad(values, ((high // 2,) * 2, (wide // 2,) * 2), mode="edge")
    found = np.zeros(values.shape)
    for (row, column), share in np.ndenumerate(weight):
        if share:
            found += share * edged[row : row + values.shape[0], column : column + values.shape[1]]
    return found


def measure_distances(index: EdgeIndex, xy_m: FloatArray) -> FloatArray:
    """Straight metres from places (k, 2) to the nearest street, at most 30."""
    points = np.ascontiguousarray(xy_m, dtype=np.float64)
    network = index.network
    segment, fraction = index.find_segments(points, _FAR_M)
    away = np.full(len(points), _FAR_M)
    found = np.flatnonzero(segment >= 0)
    vertex = index.segment_vertex[segment[found]]
    start, end = network.vertex_xy_m[vertex], network.vertex_xy_m[vertex + 1]
    foot = start + fraction[found, None] * (end - start)
    away[found] = np.minimum(np.hypot(*(foot - points[found]).T), _FAR_M)
    return away
