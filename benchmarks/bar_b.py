"""Bar b: nearest facility from every junction, 20 services, beside scipy, pandana, pandarm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.bars import LIMIT_M, SEED, Row, medians_s, ms, shared_file, skipped
from benchmarks.peers.elsewhere import ask_peer
from benchmarks.town import (
    PORTO,
    Town,
    copied,
    facility_sets,
    goal_sets,
    matrix,
    nearest_junction,
    porto,
    positions_near_streets,
    repeated,
    scattered,
)
from lifecircle.analysis.access.nearest import Goals, fields_of, nearest_from_nodes
from lifecircle.analysis.access.od_matrix import walk_matrix
from lifecircle.analysis.access.walking import WalkCosts, flat_costs
from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.quantities import UNREACHED_CM

REPEATS = 11
LIMIT_CM = round(100 * LIMIT_M)
ADULT_M_PER_S = 1000 / 900
BAR_SCIPY, BAR_PANDANA = 4.0, 80.0
BAR_ORACLE_S = 0.1
BAR_COPIES = 12.0
COPIES = 10
MATRIX = 50  # homes and places of the matrix beside Valhalla


def ours(costs: WalkCosts, goals: list[Goals], limit_cm: int | None) -> Callable[[], object]:
    """All services, one thread, facilities at edge positions with their legs."""
    return lambda: fields_of(costs, goals, limit_cm)


def scipy_peer(graph: csr_array, nodes: list[np.ndarray], limit_m: float) -> Callable[[], object]:
    """All services; facilities at their nearest junction without legs, the easier question."""
    return lambda: [
        dijkstra(graph, directed=True, indices=at, min_only=True, limit=limit_m) for at in nodes
    ]


def largest_error_s(
    network: WalkNetwork, costs: WalkCosts, sets: list[Attachments], goals: list[Goals]
) -> float:
    """Largest difference of bounded walks to float64 scipy with facilities inserted, seconds."""
    worst = 0.0
    for attachments, goal in zip(sets, goals, strict=True):
        graph = matrix(network, attachments)
        sources = network.node_count + np.arange(len(attachments.facility))
        metres = dijkstra(graph, directed=True, indices=sources, min_only=True)
        metres = metres[: network.node_count]
        cm = nearest_from_nodes(costs, goal, LIMIT_CM).cm
        reached = cm != UNREACHED_CM
        if np.any(reached != (metres <= LIMIT_M)):
            edge = np.abs(metres[reached != (metres <= LIMIT_M)] - LIMIT_M).max()
            worst = max(worst, float(edge) / ADULT_M_PER_S)
        off = np.abs(cm[reached] / 100 - metres[reached]).max(initial=0.0)
        worst = max(worst, float(off) / ADULT_M_PER_S)
    return worst


def measure() -> list[Row]:
    """The rows of bar b."""
    town = porto()
    sets = facility_sets(town)
    goals = goal_sets(town.costs, sets)
    graph = matrix(town.network)
    nodes = [np.unique(nearest_junction(town.network, s.position)) for s in sets]
    big_network = copied(town.network, COPIES)
    big_costs = flat_costs(big_network)
    edges = town.network.edge_count
    spread_goals = goal_sets(big_costs, scattered(sets, edges, COPIES))
    many_goals = goal_sets(big_costs, repeated(sets, edges, COPIES))
    seconds = medians_s(
        {
            "bounded": ours(town.costs, goals, LIMIT_CM),
            "scipy bounded": scipy_peer(graph, nodes, LIMIT_M),
            "unbounded": ours(town.costs, goals, None),
            "scipy unbounded": scipy_peer(graph, nodes, np.inf),
        },
        REPEATS,
    )
    grown = medians_s(
        {
            "one": ours(town.costs, goals, LIMIT_CM),
            "ten": ours(big_costs, spread_goals, LIMIT_CM),
            "ten times ten": ours(big_costs, many_goals, LIMIT_CM),
        },
        5,
    )
    rows = []
    for key, title, wanted in (
        ("bounded", "20 services, <= 1,080 m", f">= {BAR_SCIPY:.0f}x faster"),
        ("unbounded", "20 services, unbounded", "-"),
    ):
        ratio = seconds[f"scipy {key}"] / seconds[key]
        met = ratio >= BAR_SCIPY if key == "bounded" else None
        rows.append(
            Row("b", title, ms(seconds[key]), "scipy dijkstra(min_only)",
                ms(seconds[f"scipy {key}"]), ratio, wanted, met)
        )  # fmt: skip
    rows += _peers(seconds, town.network, nodes)
    rows.append(_matrix(town))
    error = largest_error_s(town.network, town.costs, sets, goals)
    rows.append(
        Row("b", "largest error, bounded", f"{error:.4f} s", "float64, facilities inserted",
            "0 s", None, f"<= {BAR_ORACLE_S} s", error <= BAR_ORACLE_S)
    )  # fmt: skip
    ratio = grown["ten"] / grown["one"]
    rows.append(
        Row("b", "x10 network, same facilities", ms(grown["ten"]), "ourselves x1",
            ms(grown["one"]), ratio, f"<= {BAR_COPIES:.0f}x as long", ratio <= BAR_COPIES,
            "the facilities scattered over the ten copies")
    )  # fmt: skip
    rows.append(
        Row("b", "x10 network, x10 facilities", ms(grown["ten times ten"]), "ourselves x1",
            ms(grown["one"]), grown["ten times ten"] / grown["one"], "-", None,
            "ten times the work on every count")
    )  # fmt: skip
    return rows


def _peers(seconds: dict[str, float], network: WalkNetwork, nodes: list[np.ndarray]) -> list[Row]:
    """pandana and its successor, from the same junctions."""
    rows = []
    for module in ("pandana", "pandarm"):
        said = ask_peer(
            module, "pandana_peer", module, xy=network.node_xy_m, u=network.edge_u,
            v=network.edge_v, metres=network.edge_length_m, limit_m=LIMIT_M,
            poi=np.concatenate(nodes), first=np.cumsum([0, *(len(s) for s in nodes)]),
        )  # fmt: skip
        if isinstance(said, str):
            rows.append(skipped("b", f"20 services, <= 1,080 m, {module}", said))
            continue
        ratio = said["nearest_s"] / seconds["bounded"]
        rows.append(
            Row("b", "20 services, <= 1,080 m", ms(seconds["bounded"]),
                f"{module} {said['version']}", ms(said["nearest_s"]), ratio,
                f">= {BAR_PANDANA:.0f}x faster", ratio >= BAR_PANDANA,
                f"its set-up not counted: network {said['network_s']:.1f} s, "
                f"set_pois {said['pois_s']:.1f} s; it uses all cores, we one thread")
        )  # fmt: skip
    return rows


def _matrix(town: Town) -> Row:
    """Every walk from some homes to some places, beside Valhalla's matrix."""
    rng = np.random.default_rng(SEED)
    home = positions_near_streets(town, MATRIX, rng)
    place = positions_near_streets(town, MATRIX, rng)
    rows = np.arange(MATRIX, dtype=np.int32)
    at = Attachments(rows, place)
    title = f"{MATRIX} x {MATRIX} walks, no limit"
    mine = medians_s({"ours": lambda: walk_matrix(town.costs, at, home, rows)}, REPEATS)["ours"]
    crs = town.network.crs
    said = ask_peer(
        "valhalla", "valhalla_times", str(shared_file(PORTO)),
        home=to_lonlat(home.xy_m, crs), place=to_lonlat(place.xy_m, crs),
    )  # fmt: skip
    if isinstance(said, str):
        return skipped("b", title, said)
    return Row("b", title, ms(mine), f"Valhalla {said['version']} matrix", ms(said["matrix_s"]),
               said["matrix_s"] / mine, "-", None,
               f"its tiles, {said['tiles_s']:.1f} s, not counted")  # fmt: skip
