"""Directed costs against plain searches of networkx: one-ways, speeds, barriers, places."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.access.driving import road_costs
from lifecircle.analysis.access.isochrone import reach, reached_stretches
from lifecircle.analysis.access.nearest import (
    goals_of,
    nearest_from_nodes,
    nearest_from_positions,
)
from lifecircle.analysis.access.od_matrix import nearest_walks, walk_matrix, walks_within
from lifecircle.analysis.access.route import find_route
from lifecircle.analysis.access.walking import BARRED_CM, WalkCosts
from lifecircle.analysis.city.crs import geodesic_m
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.roads import RoadNetwork, build_roads
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import UNREACHED_CM
from lifecircle.analysis.readers.osm.roads import RawRoads

CAR = load_policy().profiles["car"]
SPEEDS = np.array([(25.0, 25.0), (25.0, 0.0), (0.0, 25.0), (60.0, 60.0), (60.0, 0.0), (0.0, 40.0)])
SIDE = 4  # the world: a lattice of SIDE × SIDE nodes, about 100 m apart


def place_of(node: int) -> tuple[float, float]:
    return 102.7 + 0.001 * (node % SIDE), 25.0 + 0.0011 * (node // SIDE)


@st.composite
def worlds(draw: st.DrawFn) -> RawRoads:
    """Ways of two to four neighbouring nodes of a lattice, some one way, some nodes barred."""
    ways: list[list[int]] = []
    for _ in range(draw(st.integers(3, 14))):
        node = draw(st.integers(0, SIDE * SIDE - 1))
        way = [node]
        for _ in range(draw(st.integers(1, 3))):
            x, y = way[-1] % SIDE, way[-1] // SIDE
            dx, dy = draw(st.sampled_from([(1, 0), (-1, 0), (0, 1), (0, -1)]))
            if 0 <= x + dx < SIDE and 0 <= y + dy < SIDE:
                way.append((y + dy) * SIDE + x + dx)
        if len(way) > 1:
            ways.append(way)
    ways = ways or [[0, 1]]
    kind = draw(st.lists(st.integers(0, 5), min_size=len(ways), max_size=len(ways)))
    barred = draw(st.frozensets(st.integers(0, SIDE * SIDE - 1), max_size=2))
    refs = [node for way in ways for node in way]
    return RawRoads(
        np.arange(1, len(ways) + 1),
        np.array(kind),
        np.zeros(len(ways), dtype=np.uint8),
        np.cumsum([0, *map(len, ways)]),
        np.array(refs) + 1,
        np.array([place_of(node) for node in refs]),
        {"car": SPEEDS},
        {"car": frozenset(node + 1 for node in barred)},
    )


def costs_by(roads: RoadNetwork) -> WalkCosts:
    return road_costs(roads, CAR)


def plain_graph(costs: WalkCosts, marks: list[tuple[int, float]]) -> nx.DiGraph:
    """Junctions, and each mark as a node ``("at", k)``; edges in centimetres, none against a way.

    `marks`: edge and metres from its u; the costs along an edge are the kernel's own shares.
    """
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(range(len(costs.start) - 1))
    by_edge: dict[int, list[tuple[float, object]]] = {}
    for k, (edge, at_m) in enumerate(marks):
        by_edge.setdefault(edge, []).append((at_m, ("at", k)))
    for edge in range(len(costs.edge_u)):
        length = float(costs.length_m[edge])
        stops = [(0.0, int(costs.edge_u[edge])), *sorted(by_edge.get(edge, []), key=lambda s: s[0])]
        stops.append((length, int(costs.edge_v[edge])))
        uv, vu = int(costs.uv_cm[edge]), int(costs.vu_cm[edge])
        for (a_m, a), (b_m, b) in pairwise(stops):
            for whole, tail, head, low, high in (
                (uv, a, b, a_m, b_m),
                (vu, b, a, a_m, b_m),
            ):
                if whole == BARRED_CM and high > low:
                    continue
                cost = 0 if whole == BARRED_CM else (high - low) / length * whole
                if not graph.has_edge(tail, head) or graph[tail][head]["cm"] > cost:
                    graph.add_edge(tail, head, cm=cost)
    return graph


@st.composite
def marked(draw: st.DrawFn) -> tuple[RoadNetwork, Positions, Positions]:
    """A world, places to go from and places to go to."""
    roads = None
    while roads is None:
        roads = build_roads(draw(worlds()), "car", "EPSG:32648")
    size = roads.network.edge_count
    found = []
    for _ in range(2):
        count = draw(st.integers(1, 4))
        edge = np.array(draw(st.lists(st.integers(0, size - 1), min_size=count, max_size=count)))
        share = np.array(
            draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=count,
                          max_size=count))
        )  # fmt: skip
        at_m = share * roads.network.edge_length_m[edge]
        leg = np.array(draw(st.lists(st.integers(0, 50), min_size=count, max_size=count)), float)
        found.append(Positions(edge.astype(np.int32), at_m, leg, np.zeros((count, 2))))
    return roads, *found


def by_hand(costs: WalkCosts, people: Positions, goals: Positions) -> np.ndarray:
    """Centimetres from each of people to each goal, inf where no way leads; floats."""
    marks = [
        (int(e), float(m)) for p in (people, goals) for e, m in zip(p.edge, p.at_m, strict=True)
    ]
    graph = plain_graph(costs, marks)
    out = np.full((len(people), len(goals)), np.inf)
    for i in range(len(people)):
        found = nx.single_source_dijkstra_path_length(graph, ("at", i), weight="cm")
        for j in range(len(goals)):
            way = found.get(("at", len(people) + j))
            if way is not None:
                out[i, j] = way + 100 * (people.leg_m[i] + goals.leg_m[j])
    return out


@settings(max_examples=60, deadline=None)
@given(marked())
def test_every_search_keeps_one_ways(world: tuple[RoadNetwork, Positions, Positions]) -> None:
    roads, people, goals = world
    for costs in (costs_by(roads), costs_by(roads).reversed()):
        told = by_hand(costs, people, goals)
        attachments = Attachments(np.arange(len(goals), dtype=np.int32), goals)
        rows = np.arange(len(goals), dtype=np.int32)
        matrix = walk_matrix(costs, attachments, people, rows).T
        assert ((matrix == UNREACHED_CM) == np.isinf(told)).all()
        near = np.isfinite(told)
        assert np.abs(matrix[near] - told[near]).max(initial=0) <= 2  # shares are rounded
        order = goals_of(costs, attachments)
        found = nearest_from_positions(costs, order, nearest_from_nodes(costs, order), people)
        assert (found.cm == matrix.min(axis=1)).all()
        first = nearest_walks(costs, attachments, people, rows, 1)
        assert (first.cm == matrix.min(axis=1)[first.position]).all()
        some = walks_within(costs, attachments, people, rows, 30_000)
        assert (some.cm == matrix[some.position, some.facility]).all()
        assert len(some.cm) == int((matrix <= 30_000).sum())


@settings(max_examples=40, deadline=None)
@given(marked())
def test_routes_are_as_long_as_the_table_says(
    world: tuple[RoadNetwork, Positions, Positions],
) -> None:
    roads, people, goals = world
    costs = costs_by(roads)
    attachments = Attachments(np.arange(len(goals), dtype=np.int32), goals)
    field = nearest_from_nodes(costs, goals_of(costs, attachments))
    for k in range(len(people)):
        start = people.take(np.array([k]))
        route = find_route(costs, attachments, field, start)
        if route is None:
            continue
        assert (route.cost_cm < BARRED_CM).all()
        legs = 100 * (start.leg_m[0] + route.goal.leg_m[0])  # type: ignore[union-attr]
        assert route.cm == int(route.cost_cm.sum()) + legs


@settings(max_examples=30, deadline=None)
@given(marked())
def test_isochrones_never_run_against_a_one_way(
    world: tuple[RoadNetwork, Positions, Positions],
) -> None:
    roads, people, _ = world
    costs = costs_by(roads)
    origin = people.take(np.array([0]))
    limit = 100 * int(people.leg_m[0]) + 20_000
    reached = reach(costs, origin, limit)
    parts = reached_stretches(roads.network, costs, origin, reached, limit)
    graph = plain_graph(costs, [(int(origin.edge[0]), float(origin.at_m[0]))])
    told = nx.single_source_dijkstra_path_length(graph, ("at", 0), weight="cm")
    node_cm = dict(zip(reached.node.tolist(), reached.cm.tolist(), strict=True))
    for node, cm in node_cm.items():
        assert abs(told[node] + 100 * origin.leg_m[0] - cm) <= 2
    for edge, from_m, to_m in zip(parts.edge, parts.from_m, parts.to_m, strict=True):
        ends = {int(costs.edge_u[edge]), int(costs.edge_v[edge])}
        assert to_m == from_m or edge == origin.edge[0] or ends & set(node_cm)


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_networks_are_the_ways_as_drawn(raw: RawRoads) -> None:
    """Seconds from junction to junction are those of a plain graph of the segments."""
    roads = build_roads(raw, "car", "EPSG:32648")
    plain: nx.DiGraph = nx.DiGraph()
    for way in range(len(raw.way_id)):
        a, b = int(raw.way_start[way]), int(raw.way_start[way + 1])
        ahead, back = SPEEDS[raw.kind[way]]
        for tail, head in zip(raw.node_ref[a : b - 1], raw.node_ref[a + 1 : b], strict=True):
            for x, y, km_h in ((tail, head, ahead), (head, tail, back)):
                if km_h > 0:
                    known = plain.get_edge_data(int(x), int(y), {"km_h": 0.0})["km_h"]
                    plain.add_edge(int(x), int(y), km_h=max(km_h, known))
    if roads is None:
        assert plain.number_of_edges() == 0
        return
    network = roads.network
    shut = raw.barred["car"]
    for node in shut & set(plain):
        plain.remove_node(node)
    made: nx.DiGraph = nx.DiGraph()
    ids = network.node_osm_id.tolist()
    for u, v, length, uv, vu in zip(
        network.edge_u, network.edge_v, network.edge_length_m, roads.uv_km_h, roads.vu_km_h,
        strict=True,
    ):  # fmt: skip
        for x, y, km_h in ((u, v, uv), (v, u, vu)):
            if km_h > 0:
                s = length / (km_h / 3.6)
                known = made.get_edge_data(ids[x], ids[y], {"s": np.inf})["s"]
                made.add_edge(ids[x], ids[y], s=min(s, known))
    lonlat = {int(n): tuple(p) for n, p in zip(raw.node_ref, raw.lonlat, strict=True)}

    for x, y, data in plain.edges(data=True):
        metres = geodesic_m(np.array([lonlat[x]]), np.array([lonlat[y]]))[0]
        data["s"] = float(metres) / (data["km_h"] / 3.6)
    junctions = [node for node in ids if node > 0]
    for node in junctions:
        want = nx.single_source_dijkstra_path_length(plain, node, weight="s")
        have = (
            nx.single_source_dijkstra_path_length(made, node, weight="s")
            if node in made
            else {node: 0}
        )
        for other in junctions:
            assert (other in want) == (other in have)
            if other in want:
                assert abs(want[other] - have[other]) < 1e-6


def test_a_place_behind_on_a_one_way_is_reached_around_the_block() -> None:
    """A square 0-1-5-4 one way round: from 3/4 of a side to 1/4 of it is nearly the whole round.

    ::

        4 <- 5
        |    ^
        v    |
        0 -> 1
    """
    ring = [0, 1, 5, 4, 0]
    raw = RawRoads(
        np.array([1]), np.array([1]), np.zeros(1, dtype=np.uint8), np.array([0, 5]),
        np.array(ring) + 1, np.array([place_of(n) for n in ring]),
        {"car": SPEEDS}, {"car": frozenset()},
    )  # fmt: skip
    roads = build_roads(raw, "car", "EPSG:32648")
    assert roads is not None
    assert roads.one_ways == roads.network.edge_count
    costs = costs_by(roads)
    total = float(roads.network.edge_length_m.sum())
    forth = roads.uv_km_h[0] > 0
    at = np.array([0.5, 0.25]) * total if forth else np.array([0.5, 0.75]) * total
    spots = Positions(np.zeros(2, dtype=np.int32), at, np.zeros(2), np.zeros((2, 2)))
    one, other = spots.take(np.array([0])), spots.take(np.array([1]))
    rows = np.zeros(1, dtype=np.int32)
    behind = walk_matrix(costs, Attachments(rows, other), one, rows)[0, 0]
    before = walk_matrix(costs, Attachments(rows, one), other, rows)[0, 0]
    whole = max(int(costs.uv_cm[0] if forth else costs.vu_cm[0]), 1)
    assert abs(before - 0.25 * whole) <= 1
    assert abs(behind - 0.75 * whole) <= 1
