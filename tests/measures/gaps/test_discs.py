"""Many discs at once are the union of all of them, holes and islands in holes too."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from lifecircle.analysis.grouping.discs import SEGMENTS, union_of_discs
from lifecircle.analysis.quantities import FloatArray

RADIUS_M = 100.0


def lattice(step: float, low: float, high: float) -> FloatArray:
    """Points of a square whose distance to its middle (the larger of both axes) lies in a range."""
    axis = np.arange(-high, high + step / 2, step)
    xy = np.column_stack([one.ravel() for one in np.meshgrid(axis, axis)])
    far: FloatArray = xy[np.abs(xy).max(axis=1) >= low]
    return far


def lone(*xy: float) -> FloatArray:
    return np.array([xy])


RNG = np.random.default_rng(11)
CROWDS = {
    "one": lone(5, 5),
    "the same place twice": np.repeat(lone(5, 5), 2, axis=0),
    "a full square": lattice(50, 0, 1000),
    "a full square of other steps": lattice(37.3, 0, 1000),
    "a frame": lattice(50, 600, 1000),
    "a thin frame": lattice(50, 950, 1000),
    "a frame round an island": np.vstack([lattice(50, 700, 1000), lattice(50, 0, 300)]),
    "a frame round a frame": np.vstack([lattice(50, 900, 1400), lattice(50, 300, 600)]),
    "a hole as small as a disc": lattice(50, 0, 800)[
        np.hypot(*lattice(50, 0, 800).T) > RADIUS_M + 30
    ],
    "scattered": RNG.random((900, 2)) * 3000,
    "crowded": RNG.random((900, 2)) * 600,
    "crowds and loners": np.vstack([RNG.normal(0, 150, (400, 2)), RNG.random((60, 2)) * 3000]),
}


@pytest.mark.parametrize("name", CROWDS)
def test_the_union_is_that_of_every_disc(name: str) -> None:
    xy = CROWDS[name]
    drawn = union_of_discs(xy, RADIUS_M)
    whole = shapely.union_all(shapely.buffer(shapely.points(xy), RADIUS_M, quad_segs=SEGMENTS))
    assert shapely.is_valid(drawn)
    assert shapely.area(shapely.symmetric_difference(drawn, whole)) < 1e-6
    rings = [shapely.get_num_interior_rings(shapely.get_parts(one)).sum() for one in (drawn, whole)]
    assert rings[0] == rings[1]
    assert shapely.get_num_coordinates(drawn) == shapely.get_num_coordinates(whole)
