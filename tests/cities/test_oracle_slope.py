"""Walks over the hills of Porto Alegre against the slow oracle, and what its heights change."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lifecircle.analysis.access.walking import flat_costs, walk_costs
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.network import build_network
from lifecircle.analysis.city.streets.slope import add_slope
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import UNREACHED_CM
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.rasters.elevation import read_elevation
from tests.oracles import slope as oracle_slope
from tests.oracles import walks as oracle
from tests.worlds.drawn import nearest_cm
from tests.worlds.hills import forms, rules

pytest.importorskip("rasterio", reason="the extra 'raster' is not installed")

POINTS, SETS = 2500, 8 if os.environ.get("LIFECIRCLE_WHOLE") else 4
LARGEST_DIFFERENCE_S = 0.1
SEED = 2022_77


def test_walks_with_slope_equal_the_oracle(
    shared_data: Path, record_property: Callable[[str, object], None]
) -> None:
    osm = shared_data / "porto_alegre" / "poa_osm.pbf"
    dem = shared_data / "porto_alegre" / "poa_elevation.tif"
    policy = load_policy()
    raw = read_streets(osm, policy.walk, forms())
    ground = read_elevation(dem, raw.lonlat, rules())
    network, facts = add_slope(build_network(raw), ground, rules())
    index = EdgeIndex.by(network, policy.attachment)
    costs = walk_costs(network)
    assert 0.02 < facts.mean_slope < 0.10

    streets = oracle.read(osm)
    slope = oracle_slope.slopes(streets, osm, dem, ground.step_m)
    both_ways = sum(float(f[-1] + b[-1]) for f, b in zip(slope.forth, slope.back, strict=True))
    ours = float(costs.uv_cm.sum() + costs.vu_cm.sum()) / 100
    assert ours == pytest.approx(both_ways, rel=1e-6)

    rng = np.random.default_rng(SEED)
    points = oracle.draw_points(streets, POINTS, rng)
    sets = [oracle.draw_points(streets, size, rng) for size in oracle.facility_sizes(SETS)]
    expected = oracle_slope.nearest_m(
        slope,
        oracle.attach(streets, points, network.crs),
        [oracle.attach(streets, facilities, network.crs) for facilities in sets],
    )
    max_leg_m = policy.attachment.max_leg_m.value
    at = index.snap(to_metric(points, network.crs), max_leg_m)
    worst, changed = [], 0
    for facilities, metres in zip(sets, expected, strict=True):
        goals = index.snap(to_metric(facilities, network.crs), max_leg_m)
        cm, _ = nearest_cm(costs, at, goals)
        flat, _ = nearest_cm(flat_costs(network), at, goals)
        reached = np.isfinite(metres)
        assert np.array_equal(cm != UNREACHED_CM, reached)
        worst.append(np.abs(cm[reached] / 100 - metres[reached]).max() / oracle.ADULT_M_PER_S)
        changed += int((np.abs(cm[reached] - flat[reached]) > 1000).sum())
    largest = float(max(worst))
    record_property("largest_difference_s", largest)
    print(f"slope: {POINTS} points x {SETS} sets, largest difference {largest:.4f} s")
    assert largest <= LARGEST_DIFFERENCE_S
    assert changed > POINTS  # and without slope most walks would be off by more than ten metres
