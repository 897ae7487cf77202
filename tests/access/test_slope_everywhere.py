"""Every way of asking for a walk gives the same walk on hills: tables, matrices, added sites."""

from __future__ import annotations

import numpy as np
import pytest

from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes
from lifecircle.analysis.access.od_matrix import walk_matrix, walks_within
from lifecircle.analysis.access.sites import CellsOnEdges, walks_improved
from lifecircle.analysis.access.walking import WalkCosts, walk_costs
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.quantities import UNREACHED_CM
from tests.worlds.drawn import attachments, draw, nearest_cm
from tests.worlds.hills import sloped, write_dem

pytest.importorskip("rasterio", reason="the extra 'raster' is not installed")

SIDE = 6


@pytest.fixture(scope="module")
def hills(tmp_path_factory: pytest.TempPathFactory) -> tuple[WalkCosts, Positions, Positions]:
    """A grid of streets on bumps up to 30 %, 60 people and 12 facilities on it."""
    folder = tmp_path_factory.mktemp("bumps")
    places = {
        f"{x}{y}": (150.0 * x - 400 + 10 * (y % 2), 130.0 * y - 350)
        for x in range(SIDE)
        for y in range(SIDE)
    }
    rows = [" ".join(f"{x}{y}" for x in range(SIDE)) for y in range(SIDE)]
    columns = [" ".join(f"{x}{y}" for y in range(SIDE)) for x in range(SIDE)]
    dem = write_dem(
        folder / "d.tif",
        lambda e, n: 500 + 0.05 * e - 0.08 * n + 18 * np.sin(e / 90) * np.cos(n / 70),
    )
    network, facts = sloped(draw(places, *rows, *columns), folder, dem)
    assert facts.mean_slope > 0.05
    rng = np.random.default_rng(4)
    low, high = network.node_xy_m.min(axis=0), network.node_xy_m.max(axis=0)
    index = EdgeIndex.build(network, 0)
    people, goals = (index.snap(rng.uniform(low, high, (k, 2)), 250) for k in (60, 12))
    return walk_costs(network), people, goals


def to_each(costs: WalkCosts, people: Positions, goals: Positions) -> np.ndarray:
    """Walks from everyone to every facility, one facility at a time, (f, k)."""
    return np.array([
        nearest_cm(costs, people, goals.take(np.array([j])))[0] for j in range(len(goals))
    ])  # fmt: skip


def test_matrices_equal_one_facility_at_a_time(
    hills: tuple[WalkCosts, Positions, Positions],
) -> None:
    costs, people, goals = hills
    expected = to_each(costs, people, goals)
    rows = np.arange(len(goals), dtype=np.int32)
    assert np.array_equal(walk_matrix(costs, attachments(goals), people, rows), expected)
    near = walks_within(costs, attachments(goals), people, rows, 60_000)
    found = np.full_like(expected, UNREACHED_CM)
    found[near.facility, near.position] = near.cm
    assert np.array_equal(found, np.where(expected <= 60_000, expected, UNREACHED_CM))
    back = to_each(costs, goals, people).T
    assert np.abs(back - expected).max() > 5_000  # there and back differ by more than 50 m


def test_an_added_site_is_the_walk_to_it(hills: tuple[WalkCosts, Positions, Positions]) -> None:
    costs, people, goals = hills
    there, sites = goals.take(np.arange(2)), goals.take(np.arange(2, 12))
    cm, _ = nearest_cm(costs, people, there)
    field = nearest_from_nodes(costs, goals_of(costs, attachments(there)))
    walks = walks_improved(
        costs, CellsOnEdges.of(costs, people), attachments(sites), len(sites), field, cm
    )
    expected = to_each(costs, people, sites)
    for site in range(len(sites)):
        cells, metres = walks.of(site)
        gains = np.flatnonzero(expected[site] < cm)
        assert np.array_equal(cells, gains)
        assert np.array_equal(metres, expected[site][gains])


def test_the_hills_matter(hills: tuple[WalkCosts, Positions, Positions]) -> None:
    costs, _, _ = hills
    assert costs.uv_bend is not None
    longer = costs.uv_cm + costs.vu_cm - 200 * costs.length_m
    assert longer.min() >= -1  # up and down again is never shorter than level ground
    assert np.median(longer / costs.length_m) > 10  # centimetres a metre, of 200: over 5 %
