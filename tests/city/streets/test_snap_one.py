"""One place at a time joins the streets as many at once do."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.city.streets.snap import EdgeIndex
from tests.worlds.policy import tiny_policy
from tests.worlds.tiny import tiny_city


def test_one_place_joins_as_many_do_bit_for_bit() -> None:
    """`snap_one` against `snap`: near, far, on the short piece, at ties, outside the grid."""
    network, random = tiny_city().network, np.random.default_rng(11)
    rules = tiny_policy().attachment
    index = EdgeIndex.by(network, rules)
    low, high = network.vertex_xy_m.min(axis=0) - 600, network.vertex_xy_m.max(axis=0) + 600
    places = np.concatenate((random.uniform(low, high, (300, 2)), network.vertex_xy_m))
    limit_m = rules.max_leg_m.value
    many = index.snap(places, limit_m)
    assert 0 < many.snapped.sum() < len(places)
    for k, (x, y) in enumerate(places.tolist()):
        one, same = index.snap_one(x, y, limit_m), many.take(np.array([k]))
        for name in ("edge", "at_m", "leg_m", "xy_m"):
            np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
