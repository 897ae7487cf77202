"""The walking matrix: every position to every facility, against the oracle and the travel table."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.access import od_matrix
from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes, nearest_from_positions
from lifecircle.analysis.access.od_matrix import (
    SparseODMatrix,
    nearest_walks,
    service_facilities,
    service_walks,
    walk_matrix,
    walks_within,
)
from lifecircle.analysis.access.walking import costs_of, flat_costs
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.quantities import NOBODY, UNREACHED_CM
from tests.access.test_access_invariants import Case, _directed, built, cases
from tests.worlds.drawn import NEAR_M, Town, attachments, draw
from tests.worlds.tiny import TINY_PLACES, Place, tiny_city

few = settings(max_examples=25 if os.environ.get("LIFECIRCLE_WHOLE") else 10)


def as_full(near: SparseODMatrix, facilities: int) -> np.ndarray:
    """The sparse form as a full matrix (facilities, positions)."""
    full = np.full((facilities, len(near)), UNREACHED_CM, dtype=np.int32)
    full[near.facility, near.position] = near.cm
    return full


def k_smallest(full: np.ndarray, k: int) -> np.ndarray:
    """The full matrix with all but the k nearest of each position struck out, ties to the lower."""
    kept = np.full_like(full, UNREACHED_CM)
    for position in range(full.shape[1]):
        order = sorted(range(full.shape[0]), key=lambda row: (full[row, position], row))
        for row in order[:k]:
            kept[row, position] = full[row, position]
    return kept


@few
@given(cases())
def test_equal_to_the_oracle(case: Case) -> None:
    town = built(case.world)
    people, places = town.snap(case.people), town.snap(case.facilities)
    rows = range(len(case.facilities))
    cm = walk_matrix(town.costs, attachments(places), people, rows)
    expected = town.oracle_between_m(case.people, case.facilities).T
    assert cm.shape == expected.shape
    assert np.array_equal(cm == UNREACHED_CM, np.isinf(expected))
    met = np.isfinite(expected)
    assert np.abs(cm[met] / 100 - expected[met]).max(initial=0) <= NEAR_M


@few
@given(cases(), st.integers(0, 60_000), st.integers(1, 7))
def test_all_forms_agree_to_the_centimetre(case: Case, limit_cm: int, k: int) -> None:
    town = built(case.world)
    people, at = town.snap(case.people), attachments(town.snap(case.facilities))
    rows = range(len(case.facilities))
    full = walk_matrix(town.costs, at, people, rows)
    within = np.where(full <= limit_cm, full, UNREACHED_CM)
    assert np.array_equal(walk_matrix(town.costs, at, people, rows, limit_cm), within)
    near = walks_within(town.costs, at, people, rows, limit_cm)
    assert np.array_equal(as_full(near, len(rows)), within)
    for i in range(len(near)):
        mine = slice(near.first[i], near.first[i + 1])
        pairs = list(zip(near.cm[mine].tolist(), near.facility[mine].tolist(), strict=True))
        assert pairs == sorted(pairs)
    nearest = nearest_walks(town.costs, at, people, rows, k)
    assert np.array_equal(as_full(nearest, len(rows)), k_smallest(full, k))
    short = nearest_walks(town.costs, at, people, rows, k, limit_cm)
    assert np.array_equal(as_full(short, len(rows)), k_smallest(within, k))


@few
@given(cases())
def test_the_least_of_a_column_is_the_walk_to_the_nearest(case: Case) -> None:
    town = built(case.world)
    people, at = town.snap(case.people), attachments(town.snap(case.facilities))
    goals = goals_of(town.costs, at)
    nearest = nearest_from_positions(
        town.costs, goals, nearest_from_nodes(town.costs, goals), people
    )
    full = walk_matrix(town.costs, at, people, range(len(case.facilities)))
    assert np.array_equal(full.min(axis=0), nearest.cm)
    first = np.where(nearest.facility == NOBODY, NOBODY, full.argmin(axis=0))
    assert np.array_equal(first, nearest.facility)


@few
@given(cases(), st.integers(1, 3))
def test_a_facility_with_many_entrances_counts_by_its_best(case: Case, size: int) -> None:
    town = built(case.world)
    people, at = town.snap(case.people), attachments(town.snap(case.facilities))
    single = walk_matrix(town.costs, at, people, range(len(case.facilities)))
    joined = Attachments((at.facility // size).astype(np.int32), at.position)
    parks = -(-len(case.facilities) // size)
    together = walk_matrix(town.costs, joined, people, range(parks))
    best = np.array([single[size * p : size * (p + 1)].min(axis=0) for p in range(parks)])
    assert np.array_equal(together, best)
    near = nearest_walks(town.costs, joined, people, range(parks), parks)
    assert np.array_equal(as_full(near, parks), best)
    limit = int(best[best != UNREACHED_CM].max(initial=0))
    within = walks_within(town.costs, joined, people, range(parks), limit)
    assert np.array_equal(as_full(within, parks), best)


@few
@given(cases(), st.integers(0, 2**32 - 1))
def test_hills_count_from_the_position_to_the_facility(case: Case, seed: int) -> None:
    town = built(case.world)
    rng = np.random.default_rng(seed)
    factors = rng.uniform(1, 3, (2, town.network.edge_count))
    slopes = np.rint(town.network.edge_length_m * 100 * factors).astype(np.int32)
    costs = costs_of(town.network, slopes[0], slopes[1])
    people, places = town.snap(case.people), town.snap(case.facilities)
    at, rows = attachments(places), range(len(case.facilities))
    cm = walk_matrix(costs, at, people, rows)
    graph = _directed(town, costs, [people, places])
    for i in range(len(people)):
        walked: dict[object, float] = {}
        if people.edge[i] >= 0:
            walked = nx.single_source_dijkstra_path_length(graph, ("door", 0, i), weight="cm")
        for j in rows:
            expected = walked.get(("door", 1, j)) if places.edge[j] >= 0 else None
            if expected is None:
                assert cm[j, i] == UNREACHED_CM
            else:
                assert abs(int(cm[j, i]) - expected) <= 100 * NEAR_M
    full_near = nearest_walks(costs, at, people, rows, len(rows))
    assert np.array_equal(as_full(full_near, len(rows)), cm)


def test_by_hand(tmp_path: Path) -> None:
    """One street of 1,000 m: both on one edge, and the way round by a second street."""
    world = draw({"a": (0, 0), "b": (1000, 0), "c": (1000, 600), "d": (0, 600)}, "a b c d")
    town = Town.build(world, tmp_path)
    people, places = [(200.0, 10.0), (900.0, 600.0)], [(700.0, -20.0), (100.0, 600.0)]
    at = attachments(town.snap(places))
    metres = walk_matrix(town.costs, at, town.snap(people), [0, 1]) / 100
    expected = [[10 + 500 + 20, 300 + 600 + 100 + 20], [10 + 800 + 600 + 900, 800]]
    assert metres == pytest.approx(np.array(expected, dtype=float), abs=NEAR_M)


def test_rows_follow_the_list_asked_for() -> None:
    """Only the facilities asked for, in that order; one off the streets is out of reach."""
    places = [*TINY_PLACES, Place("p0", "pharmacy", 3600, 2000, "far off the streets")]
    city = tiny_city(places=places)
    costs = flat_costs(city.network)
    facilities, cm = service_walks(city, costs, "pharmacy")
    assert city.facilities.id[facilities].tolist() == ["p0", "p1", "p2"]
    assert (cm[0] == UNREACHED_CM).all()
    c1, c4 = (city.cells.id.tolist().index(name) for name in ("c1", "c4"))
    assert cm[1:, c1].tolist() == [(50 + 300 + 20) * 100, (50 + 3400 + 20) * 100]
    assert cm[1:, c4].tolist() == [(50 + 2000 + 20) * 100, (50 + 1100 + 20) * 100]
    at = Attachments(city.facilities.attached_facility, city.facilities.attachment)
    turned = walk_matrix(costs, at, city.cells.position, facilities[::-1])
    assert np.array_equal(turned, cm[::-1])
    assert len(service_facilities(city, "market")) == 0
    nobody, none = service_walks(city, costs, "market")
    assert none.shape == (0, len(city.cells)) and len(nobody) == 0
    assert len(walks_within(costs, at, city.cells.position, nobody, 1000).cm) == 0
    assert len(nearest_walks(costs, at, city.cells.position, nobody, 3).cm) == 0
    with pytest.raises(ValueError, match="twice"):
        walk_matrix(costs, at, city.cells.position, [1, 1])


@pytest.mark.parametrize(("at_once", "per_row"), [(64, 512), (7, 512), (7, 8)])
def test_many_rows_in_threads_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, per_row: int
) -> None:
    """More facilities than one piece of work holds: rows stand where they belong.

    A piece holds more of them where a call lays out more positions and junctions.
    """
    monkeypatch.setattr(od_matrix, "_SHORT_ROWS_AT_ONCE", at_once)
    monkeypatch.setattr(od_matrix, "_LAID_OUT_PER_ROW", per_row)
    world = draw(
        {f"n{i}": (100.0 * i, 0.0) for i in range(60)}, " ".join(f"n{i}" for i in range(60))
    )
    town = Town.build(replace(world), tmp_path)
    rng = np.random.default_rng(3)
    spots = [(float(x), 5.0) for x in rng.uniform(0, 5900, 50)]
    people = [(float(x), -5.0) for x in rng.uniform(0, 5900, 40)]
    at = attachments(town.snap(spots))
    cm = walk_matrix(town.costs, at, town.snap(people), range(50))
    east = np.abs(np.array(spots)[:, :1] - np.array(people)[:, 0]) + 10
    assert np.abs(cm / 100 - east).max() <= NEAR_M
    near = walks_within(town.costs, at, town.snap(people), range(50), 100_000)
    assert np.array_equal(as_full(near, 50), np.where(cm <= 100_000, cm, UNREACHED_CM))
