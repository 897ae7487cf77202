"""Bar d: 50,000 cells: attaching them, and their nearest of 20 services."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse.csgraph import dijkstra

from benchmarks.bars import LIMIT_M, SEED, Row, medians_s, ms
from benchmarks.town import (
    facility_sets,
    goal_sets,
    matrix,
    nearest_junction,
    porto,
    positions_near_streets,
)
from lifecircle.analysis.access.nearest import nearest_from_nodes, nearest_from_positions

CELLS = 50_000
MAX_LEG_M = 250.0
LIMIT_CM = round(100 * LIMIT_M)


def measure() -> list[Row]:
    """The rows of bar d (no bar is set for them)."""
    town = porto()
    rng = np.random.default_rng(SEED)
    cells = positions_near_streets(town, CELLS, rng)
    points = cells.xy_m + rng.uniform(-40, 40, (CELLS, 2))
    edges = np.unique(town.index.segment_edge)
    tree = shapely.STRtree(town.network.lines()[edges])
    geometry = shapely.points(points)
    snap = medians_s(
        {
            "ours": lambda: town.index.snap(points, MAX_LEG_M),
            "peer": lambda: tree.query_nearest(geometry, max_distance=MAX_LEG_M),
        },
        3,
    )
    sets = facility_sets(town)
    goals = goal_sets(town.costs, sets)
    graph = matrix(town.network)
    nodes = [np.unique(nearest_junction(town.network, s.position)) for s in sets]
    home = nearest_junction(town.network, cells)

    def ours() -> None:
        for goal in goals:
            field = nearest_from_nodes(town.costs, goal, LIMIT_CM)
            nearest_from_positions(town.costs, goal, field, cells, LIMIT_CM)

    def peer() -> list[np.ndarray]:
        return [
            dijkstra(graph, directed=True, indices=at, min_only=True, limit=LIMIT_M)[home]
            for at in nodes
        ]

    walk = medians_s({"ours": ours, "peer": peer}, 5)
    return [
        Row("d", "50,000 points to edges", ms(snap["ours"]), "shapely STRtree, edge only",
            ms(snap["peer"]), snap["peer"] / snap["ours"], "-", None,
            "ours also gives the place on the edge and the geodesic leg"),
        Row("d", "50,000 cells, 20 services", ms(walk["ours"]), "scipy, cells at junctions",
            ms(walk["peer"]), walk["peer"] / walk["ours"], "-", None),
    ]  # fmt: skip
