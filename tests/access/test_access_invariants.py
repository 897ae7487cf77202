"""What must hold on any town: hypothesis draws small networks, the kernels answer for them."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.access.isochrone import reach
from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes, nearest_from_positions
from lifecircle.analysis.access.walking import WalkCosts, costs_of
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.quantities import UNREACHED_CM
from tests.worlds.drawn import NEAR_M, Town, Way, World, attachments, nearest_cm

few = settings(max_examples=25 if os.environ.get("LIFECIRCLE_WHOLE") else 10)
ROUNDING_CM = 3  # an edge, a share of it and a leg are each rounded to whole centimetres

Point = tuple[float, float]


@dataclass(frozen=True)
class Case:
    """A drawn world with people and facilities in it."""

    world: World
    people: list[Point]
    facilities: list[Point]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A grid of streets about 100 m apart, shaken, with blocks missing and a few shortcuts."""
    columns, rows = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    shake = st.integers(-35, 35)
    places = {
        f"{c}.{r}": (100.0 * c + draw(shake), 100.0 * r + draw(shake))
        for c in range(columns)
        for r in range(rows)
    }
    links = [(f"{c}.{r}", f"{c + 1}.{r}") for c in range(columns - 1) for r in range(rows)]
    links += [(f"{c}.{r}", f"{c}.{r + 1}") for c in range(columns) for r in range(rows - 1)]
    links += [(f"{c}.{r}", f"{c + 1}.{r + 1}") for c in range(columns - 1) for r in range(rows - 1)]
    kept = draw(st.lists(st.sampled_from(links), min_size=1, unique=True))
    ways = tuple(Way(link) for link in kept)
    across = st.tuples(st.integers(-300, 100 * columns + 200), st.integers(-300, 100 * rows + 200))
    points = st.lists(across.map(lambda p: (float(p[0]), float(p[1]))), min_size=1, max_size=6)
    return Case(World(places, ways), draw(points), draw(points))


def built(world: World, min_component_m: float = 0.0) -> Town:
    """The town of a world, through a file that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        return Town.build(world, Path(folder), min_component_m)


def walked(town: Town, case: Case, limit_cm: int | None = None) -> np.ndarray:
    """Centimetres from everyone to the nearest facility; int64, so that sums do not wrap."""
    cm, _ = nearest_cm(town.costs, town.snap(case.people), town.snap(case.facilities), limit_cm)
    return cm.astype(np.int64)


@few
@given(cases(), st.sampled_from([0.0, 150.0, 400.0]))
def test_equal_to_the_oracle(case: Case, min_component_m: float) -> None:
    built(case.world, min_component_m).nearest(case.people, case.facilities)  # asserts inside


@few
@given(cases(), st.lists(st.integers(0, 100_000), min_size=2, max_size=2))
def test_a_smaller_cutoff_lies_inside_a_larger_one(case: Case, limits: list[int]) -> None:
    town = built(case.world)
    small, large = sorted(limits)
    unbounded = walked(town, case)
    for limit in (small, large):
        bounded = walked(town, case, limit)
        expected = np.where(unbounded <= limit, unbounded, UNREACHED_CM)
        assert np.array_equal(bounded, expected)


@few
@given(cases())
def test_one_more_facility_never_lengthens_a_walk(case: Case) -> None:
    town = built(case.world)
    for count in range(1, len(case.facilities)):
        fewer = walked(town, replace(case, facilities=case.facilities[:count]))
        more = walked(town, replace(case, facilities=case.facilities[: count + 1]))
        assert np.all(more <= fewer)


@few
@given(cases(), st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5))
def test_moving_along_an_edge_changes_a_walk_by_at_most_the_way_moved(
    case: Case, shares: list[tuple[float, float]]
) -> None:
    town = built(case.world)
    goals = goals_of(town.costs, attachments(town.snap(case.facilities)))
    field = nearest_from_nodes(town.costs, goals)
    lengths = town.network.edge_length_m
    for edge in range(town.network.edge_count):
        for pair in shares:
            at_m = np.array(pair) * lengths[edge]
            spot = Positions(np.full(2, edge, dtype=np.int32), at_m, np.zeros(2), np.zeros((2, 2)))
            cm = nearest_from_positions(town.costs, goals, field, spot).cm.astype(np.int64)
            assert abs(cm[0] - cm[1]) <= 100 * abs(at_m[0] - at_m[1]) + ROUNDING_CM


@few
@given(cases(), st.randoms(use_true_random=False))
def test_order_and_numbers_of_the_input_change_nothing(case: Case, random: object) -> None:
    shuffle = random.shuffle  # type: ignore[attr-defined]
    before = built(case.world)
    ways = [
        Way(tuple(reversed(way.places)) if turn % 2 else way.places) for turn, way in
        enumerate(case.world.ways)
    ]  # fmt: skip
    shuffle(ways)
    numbers = list(range(1, len(case.world.places) + 1))
    shuffle(numbers)
    node_ids = dict(zip(case.world.places, numbers, strict=True))
    after = built(replace(case.world, ways=tuple(ways), node_ids=node_ids))
    assert np.sort(after.network.edge_length_m) == pytest.approx(
        np.sort(before.network.edge_length_m), abs=1e-6
    )
    moved = walked(after, case)
    assert np.abs(moved - walked(before, case)).max() <= ROUNDING_CM

    ways_only = built(replace(case.world, ways=tuple(reversed(case.world.ways))))
    assert np.array_equal(ways_only.network.vertex_xy_m, before.network.vertex_xy_m)
    assert np.array_equal(walked(ways_only, case), walked(before, case))


@few
@given(cases(), st.randoms(use_true_random=False))
def test_order_of_facilities_changes_no_walk(case: Case, random: object) -> None:
    town = built(case.world)
    order = list(range(len(case.facilities)))
    random.shuffle(order)  # type: ignore[attr-defined]
    turned = replace(case, facilities=[case.facilities[i] for i in order])
    assert np.array_equal(walked(town, case), walked(town, turned))


@few
@given(cases())
def test_contracted_graph_for_people_gives_the_same_walks(case: Case) -> None:
    town = built(case.world)
    graph = town.network.to_networkx()
    assert graph.number_of_nodes() == town.network.node_count
    assert graph.number_of_edges() == town.network.edge_count
    uncontracted: nx.Graph[int] = nx.Graph()
    for a, b, length in zip(
        town.streets.a.tolist(), town.streets.b.tolist(), town.streets.length_m, strict=True
    ):
        uncontracted.add_edge(town.streets.node[a], town.streets.node[b], metres=float(length))
    osm_id = town.network.node_osm_id.tolist()
    ours = nx.single_source_dijkstra_path_length(graph, 0, weight="length_m")
    theirs = nx.single_source_dijkstra_path_length(uncontracted, osm_id[0], weight="metres")
    for node, metres in ours.items():
        assert metres == pytest.approx(theirs[osm_id[node]], abs=1e-4)
    assert len(ours) == sum(osm in theirs for osm in osm_id)


def _directed(town: Town, costs: WalkCosts, groups: list[Positions]) -> nx.MultiDiGraph[Any]:
    """The network as a directed graph in cm, with every position inserted by splitting edges."""
    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    graph.add_nodes_from(range(town.network.node_count))
    for edge in range(town.network.edge_count):
        stops: list[tuple[float, object]] = [(0.0, int(costs.edge_u[edge]))]
        for g, group in enumerate(groups):
            for i in np.flatnonzero(group.edge == edge).tolist():
                share = float(group.at_m[i] / costs.length_m[edge])
                stops.append((share, (g, i)))
                graph.add_edge(("door", g, i), (g, i), cm=100 * float(group.leg_m[i]))
                graph.add_edge((g, i), ("door", g, i), cm=100 * float(group.leg_m[i]))
        stops.sort(key=lambda stop: stop[0])
        stops.append((1.0, int(costs.edge_v[edge])))
        for (low, here), (high, there) in pairwise(stops):
            graph.add_edge(here, there, cm=(high - low) * float(costs.uv_cm[edge]))
            graph.add_edge(there, here, cm=(high - low) * float(costs.vu_cm[edge]))
    return graph


@few
@given(cases(), st.integers(0, 2**32 - 1))
def test_hills_count_from_resident_to_facility(case: Case, seed: int) -> None:
    """With another cost uphill than downhill, the way there counts, not the way back."""
    town = built(case.world)
    rng = np.random.default_rng(seed)
    uphill, downhill = (
        np.rint(town.network.edge_length_m * 100 * rng.uniform(1, 3, town.network.edge_count))
        .astype(np.int32) for _ in range(2)
    )  # fmt: skip
    costs = costs_of(town.network, uphill, downhill)
    people, facilities = town.snap(case.people), town.snap(case.facilities)
    cm, _ = nearest_cm(costs, people, facilities)
    graph = _directed(town, costs, [people, facilities]).reverse()
    doors = {("door", 1, i) for i in np.flatnonzero(facilities.edge >= 0).tolist()}
    to_facility = nx.multi_source_dijkstra_path_length(graph, doors, weight="cm") if doors else {}
    for i in range(len(people)):
        expected = to_facility.get(("door", 0, i))
        if expected is None:
            assert cm[i] == UNREACHED_CM
        else:
            assert abs(cm[i] - expected) <= 100 * NEAR_M


@few
@given(cases(), st.integers(0, 60_000))
def test_reach_is_every_junction_within_the_limit(case: Case, limit_cm: int) -> None:
    """From each person, walking away: the same junctions and distances as networkx finds."""
    town = built(case.world)
    costs = town.costs
    people = town.snap(case.people)
    found = reach(costs, people, limit_cm)
    graph = _directed(town, costs, [people])
    for i in range(len(people)):
        rows = slice(found.first[i], found.first[i + 1])
        ours = dict(zip(found.node[rows].tolist(), found.cm[rows].tolist(), strict=True))
        assert len(ours) == rows.stop - rows.start
        theirs: dict[object, float] = {}
        if people.edge[i] >= 0:
            theirs = nx.single_source_dijkstra_path_length(graph, ("door", 0, i), weight="cm")
        for node in range(town.network.node_count):
            expected = theirs.get(node, np.inf)
            if node in ours:
                assert abs(ours[node] - expected) <= 100 * NEAR_M
                assert ours[node] <= limit_cm
            else:
                assert expected > limit_cm - 100 * NEAR_M


@few
@given(cases())
def test_limit_at_the_walk_itself_is_reached(case: Case) -> None:
    """The border of a cut-off belongs to it, on every network."""
    town = built(case.world)
    cm = walked(town, case)
    for i in np.flatnonzero(cm != UNREACHED_CM).tolist():
        assert walked(town, case, int(cm[i]))[i] == cm[i]
        assert cm[i] == 0 or walked(town, case, int(cm[i]) - 1)[i] == UNREACHED_CM
