"""Walking times on two real cities against the slow oracle: 5,000 points × 2 facility sets.

With ``LIFECIRCLE_WHOLE=1`` 20 sets, as docs/walking.md tells.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lifecircle.analysis.access.isochrone import reach
from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes
from lifecircle.analysis.access.walking import flat_costs
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.network import build_network
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import NOBODY, UNREACHED_CM
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.osm.way_forms import way_forms
from tests.oracles import walks as oracle
from tests.worlds.drawn import attachments, nearest_cm

POINTS = 5000
SETS = 20 if os.environ.get("LIFECIRCLE_WHOLE") else 1
LARGEST_DIFFERENCE_S = 0.1
SEED = 2022_77


@pytest.mark.parametrize(
    "file", ["malta/malta-latest.osm.pbf", "porto_alegre/poa_osm.pbf"], ids=["malta", "poa"]
)
def test_walking_times_equal_the_oracle(
    shared_data: Path, file: str, record_property: Callable[[str, object], None]
) -> None:
    path = shared_data / file
    policy = load_policy()
    network = build_network(read_streets(path, policy.walk, way_forms(policy)))
    index = EdgeIndex.by(network, policy.attachment)
    costs = flat_costs(network)
    streets = oracle.read(path)
    assert network.edge_length_m.sum() == pytest.approx(streets.length_m.sum(), abs=0.01)

    rng = np.random.default_rng(SEED)
    points = oracle.draw_points(streets, POINTS, rng)
    sets = [oracle.draw_points(streets, size, rng) for size in oracle.facility_sizes(SETS)]
    expected = oracle.nearest_m(
        streets,
        oracle.attach(streets, points, network.crs),
        [oracle.attach(streets, facilities, network.crs) for facilities in sets],
    )

    max_leg_m = policy.attachment.max_leg_m.value
    at = index.snap(to_metric(points, network.crs), max_leg_m)
    unsnapped = ~oracle.attach(streets, points, network.crs).snapped
    assert np.array_equal(at.edge == NOBODY, unsnapped)
    assert 0 < unsnapped.sum() < POINTS / 2

    speed = float(policy.walkers["adult"].speed_m_per_s)
    assert speed == pytest.approx(oracle.ADULT_M_PER_S)
    worst = []
    for facilities, metres in zip(sets, expected, strict=True):
        goals = index.snap(to_metric(facilities, network.crs), max_leg_m)
        cm, _ = nearest_cm(costs, at, goals)
        reached = np.isfinite(metres)
        assert np.array_equal(cm != UNREACHED_CM, reached)
        seconds = cm[reached] / 100 / speed
        worst.append(np.abs(seconds - oracle.seconds(metres[reached])).max())
    largest = float(max(worst))
    longest = float(np.max(expected[np.isfinite(expected)]))
    record_property("largest_difference_s", largest)
    print(
        f"{file}: {POINTS} points x {len(sets)} sets, {int(unsnapped.sum())} unsnapped, longest "
        f"walk {longest:.0f} m, largest difference {largest:.4f} s"
    )
    assert largest <= LARGEST_DIFFERENCE_S


def test_reach_of_a_whole_city_equals_the_way_to_a_lone_facility(shared_data: Path) -> None:
    """On the flat the walk from one place to every junction is the walk back: two kernels agree."""
    policy = load_policy()
    network = build_network(
        read_streets(shared_data / "porto_alegre/poa_osm.pbf", policy.walk, way_forms(policy))
    )
    index = EdgeIndex.by(network, policy.attachment)
    costs = flat_costs(network)
    rng = np.random.default_rng(SEED)
    origins = index.snap(network.node_xy_m[rng.integers(0, network.node_count, 6)] + 20, 250)
    for limit_cm in (0, 108_000, 2_000_000):
        found = reach(costs, origins, limit_cm)
        for i in range(len(origins)):
            rows = slice(found.first[i], found.first[i + 1])
            alone = goals_of(costs, attachments(origins.take(np.array([i]))))
            field = nearest_from_nodes(costs, alone, limit_cm)
            near = np.flatnonzero(field.cm != UNREACHED_CM)
            assert np.array_equal(np.sort(found.node[rows]), near)
            assert np.array_equal(field.cm[found.node[rows]], found.cm[rows])
