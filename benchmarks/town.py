"""The networks and facilities the benchmarks walk on, seeded and made once per process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from benchmarks.bars import SEED, shared_file
from lifecircle.analysis.access.nearest import Goals, goals_of
from lifecircle.analysis.access.walking import WalkCosts, flat_costs
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.network import WalkNetwork, build_network
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.osm.way_forms import way_forms

PORTO = "porto/porto_portugal.osm.pbf"
SERVICES = 20
SIZES = [round(size) for size in np.geomspace(10, 2000, SERVICES).tolist()]


@dataclass(frozen=True)
class Town:
    """A network with its edge index and flat costs."""

    network: WalkNetwork
    index: EdgeIndex
    costs: WalkCosts


@cache
def porto() -> Town:
    """The streets of Porto."""
    policy = load_policy()
    network = build_network(read_streets(shared_file(PORTO), policy.walk, way_forms(policy)))
    index = EdgeIndex.by(network, policy.attachment)
    return Town(network, index, flat_costs(network))


def positions_near_streets(town: Town, count: int, rng: np.random.Generator) -> Positions:
    """Positions of random points up to 60 m off the indexed edges, with their access legs."""
    network = town.network
    edges = np.unique(town.index.segment_edge)
    weight = network.edge_length_m[edges]
    edge = rng.choice(edges, size=count, p=weight / weight.sum())
    first = network.vertex_start[edge]
    step = (rng.random(count) * (network.vertex_start[edge + 1] - first - 1)).astype(np.int64)
    share = rng.random(count)[:, None]
    a, b = network.vertex_xy_m[first + step], network.vertex_xy_m[first + step + 1]
    return town.index.snap(a + share * (b - a) + rng.uniform(-40, 40, (count, 2)), 250.0)


def facility_sets(town: Town) -> list[Attachments]:
    """Twenty services of 10 to 2,000 facilities."""
    rng = np.random.default_rng(SEED)
    return [
        Attachments(np.arange(size, dtype=np.int32), positions_near_streets(town, size, rng))
        for size in SIZES
    ]


def scattered(sets: list[Attachments], edges: int, copies: int) -> list[Attachments]:
    """The same facilities, each in a random one of the copies of the network."""
    rng = np.random.default_rng(SEED + 1)
    moved = []
    for each in sets:
        at = each.position
        shift = rng.integers(0, copies, len(at)) * edges
        edge = (at.edge + shift).astype(np.int32)
        moved.append(replace(each, position=replace(at, edge=edge)))
    return moved


def repeated(sets: list[Attachments], edges: int, copies: int) -> list[Attachments]:
    """The same facilities in every copy of the network."""
    many = []
    for each in sets:
        at = each.position
        edge = np.concatenate([at.edge + copy * edges for copy in range(copies)])
        place = Positions(
            edge.astype(np.int32),
            np.tile(at.at_m, copies),
            np.tile(at.leg_m, copies),
            np.tile(at.xy_m, (copies, 1)),
        )
        many.append(Attachments(np.arange(len(edge), dtype=np.int32), place))
    return many


def goal_sets(costs: WalkCosts, sets: list[Attachments]) -> list[Goals]:
    """The facilities ready for the kernels."""
    return [goals_of(costs, attachments) for attachments in sets]


def copied(network: WalkNetwork, copies: int) -> WalkNetwork:
    """Copies of a network side by side, not linked (junctions, edges and lengths only)."""
    number = np.repeat(np.arange(copies), network.edge_count) * network.node_count
    return replace(
        network,
        node_xy_m=np.tile(network.node_xy_m, (copies, 1)),
        node_osm_id=np.tile(network.node_osm_id, copies),
        edge_u=(np.tile(network.edge_u, copies) + number).astype(np.int32),
        edge_v=(np.tile(network.edge_v, copies) + number).astype(np.int32),
        edge_length_m=np.tile(network.edge_length_m, copies),
    )


def matrix(network: WalkNetwork, extra: Attachments | None = None) -> csr_array:
    """The network for scipy, metres, both directions, shortest of parallel edges.

    With `extra`, facility i is the further node ``node_count + i``, with arcs from it to the ends
    of its edge (leg and way along the edge in), so that no walk passes through it.
    """
    u, v, w = network.edge_u, network.edge_v, network.edge_length_m
    tail, head = np.concatenate((u, v)), np.concatenate((v, u))
    metres = np.concatenate((w, w))
    nodes = network.node_count
    if extra is not None:
        at = extra.position
        node = nodes + np.arange(len(at))
        tail = np.concatenate((tail, node, node))
        head = np.concatenate((head, u[at.edge], v[at.edge]))
        back = w[at.edge] - at.at_m
        metres = np.concatenate((metres, at.leg_m + at.at_m, at.leg_m + back))
        nodes += len(at)
    arcs = pd.DataFrame({"tail": tail, "head": head, "metres": np.maximum(metres, 1e-9)})
    arcs = arcs[arcs["tail"] != arcs["head"]].groupby(["tail", "head"], as_index=False).min()
    values = (arcs["metres"].to_numpy(), (arcs["tail"].to_numpy(), arcs["head"].to_numpy()))
    return csr_array(values, shape=(nodes, nodes))


def nearest_junction(network: WalkNetwork, at: Positions) -> NDArray[np.int64]:
    """The nearer end of each position's edge: how peers attach facilities."""
    nearer_u = at.at_m <= network.edge_length_m[at.edge] / 2
    return np.where(nearer_u, network.edge_u[at.edge], network.edge_v[at.edge]).astype(np.int64)
