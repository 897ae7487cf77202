"""Rows of one name that lie a few metres apart, found without comparing every row with every other.

A list of 5,000 parcel lockers has one name: all pairs would be 12 million. For every place the
first row near it is looked for by halves: is one of the first half of the rows near? If so it is
in there, else in the second half. Each question is one look into a tree, so that n rows take
n log n looks, however close together they lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray

M_PER_DEGREE: Final = 111_320.0
_RADIUS_M: Final = M_PER_DEGREE * 180.0 / np.pi
_FEW: Final = 32  # so many places are compared directly


def find_near_repeats(
    lonlat: FloatArray, groups: Sequence[Sequence[int]], reach_m: float
) -> list[tuple[int, int]]:
    """Pairs of a row and the first row of its group that lies near it, but not on its spot.

    Parameters
    ----------
    lonlat
        Degrees (n, 2).
    groups
        Rows of one name and kind, ascending; only rows of one group are compared.
    reach_m
        How far apart two rows may lie.

    Returns
    -------
    ``(later, earlier)``, group by group, rows ascending.
    """
    pairs = []
    for rows in groups:
        if len(rows) < 2:
            continue
        members = np.asarray(rows, dtype=np.int64)
        _, first, place = np.unique(lonlat[members], axis=0, return_index=True, return_inverse=True)
        order = np.argsort(first)  # places in order of the first row that stands there
        first, rank = first[order], np.argsort(order)
        near = _first_near(_on_sphere(lonlat[members[first]]), reach_m)
        for row, mine in enumerate(rank[place.ravel()].tolist()):
            other = int(near[mine])
            if other >= 0 and first[other] < row:
                pairs.append((int(members[row]), int(members[first[other]])))
    return pairs


def metres_apart(one: FloatArray, other: FloatArray) -> float:
    """Metres between two places (degrees) that lie near each other."""
    return float(span_metres(one - other, float(one[1])))


def span_metres(degrees: FloatArray, latitude: float) -> FloatArray:
    """Metres of differences in degrees (..., 2) at a latitude."""
    east = degrees[..., 0] * np.cos(np.radians(latitude))
    metres: FloatArray = np.hypot(east, degrees[..., 1]) * M_PER_DEGREE
    return metres


def _on_sphere(lonlat: FloatArray) -> FloatArray:
    """Places on a sphere, metres (k, 3), on which short lines are as long as `metres_apart`."""
    lon, lat = np.radians(lonlat).T
    around = np.cos(lat)
    unit = np.column_stack((around * np.cos(lon), around * np.sin(lon), np.sin(lat)))
    return _RADIUS_M * unit


def _first_near(xyz: FloatArray, reach_m: float) -> IntArray:
    """For each place (k, 3) the lowest index of another within reach, -1 if there is none."""
    found = np.full(len(xyz), -1, dtype=np.int64)
    every = np.arange(len(xyz))
    asked = every[_is_near(xyz, every, 0, len(xyz), reach_m)]
    halves = [(0, len(xyz), asked)]
    while halves:
        low, high, asked = halves.pop()
        if len(asked) == 0:
            continue
        if high - low <= _FEW:
            near = _near_each(xyz, asked, low, high, reach_m)
            found[asked] = low + near.argmax(axis=1)
            continue
        middle = (low + high) // 2
        below = _is_near(xyz, asked, low, middle, reach_m)
        halves += [(low, middle, asked[below]), (middle, high, asked[~below])]
    return found


def _is_near(xyz: FloatArray, asked: IntArray, low: int, high: int, reach_m: float) -> BoolArray:
    """Whether another of the places from `low` to `high` lies within reach of each asked one."""
    if high - low <= _FEW:
        return np.asarray(_near_each(xyz, asked, low, high, reach_m).any(axis=1))
    from scipy.spatial import KDTree  # a fifth of a second to load, and few lists are so long

    bound = np.nextafter(reach_m, np.inf)
    away, at = KDTree(xyz[low:high]).query(xyz[asked], k=2, distance_upper_bound=bound)
    near: BoolArray = (np.isfinite(away) & (at + low != asked[:, None])).any(axis=1)
    return near


def _near_each(xyz: FloatArray, asked: IntArray, low: int, high: int, reach_m: float) -> BoolArray:
    """Whether each of the places from `low` to `high` lies within reach of each asked one."""
    away = np.linalg.norm(xyz[asked][:, None] - xyz[None, low:high], axis=2)
    near: BoolArray = away <= reach_m
    near[np.equal(asked[:, None], np.arange(low, high))] = False
    return near
