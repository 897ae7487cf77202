"""Valhalla as a peer of the profiles: shortest ways and their times, and why they differ.

    python -m benchmarks.peers.valhalla_peer malta porto --json out.json

Of every network (`--profiles`: all, and on foot) 1,000 pairs of junctions are drawn by the seed
from its largest part that can be left and returned to. Valhalla is asked twice for each: for the
shortest way (``shortest``), which compares which ways are open and which way round, and as it
costs ways without preferences, which compares times. Needs ``pip install pyvalhalla``; where it is
missing the reason is said and nothing is invented. No time of computing is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from benchmarks.bars import SEED, shared_file
from benchmarks.peers.valhalla_rules import Osm, longer_there, read_osm, shorter_there
from benchmarks.peers.valhalla_times import tiles_of
from lifecircle.analysis.city.crs import metric_crs, to_lonlat
from lifecircle.analysis.city.streets.network import WalkNetwork, build_network
from lifecircle.analysis.city.streets.roads import build_roads
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.readers.osm.aside import in_order
from lifecircle.analysis.readers.osm.roads import read_roads
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.osm.way_forms import way_forms

FILES = {"malta": "malta/malta-latest.osm.pbf", "porto": "porto/porto_portugal.osm.pbf"}
ORIGINS, EACH = 100, 10
ALIKE_SHARE, ALIKE_M = 0.01, 20.0
WALK_KM_H = 4.0  # 1,000 m in 15 minutes, and what Valhalla is told
#: Each profile's like there. An e-bike goes where cycles go; there is no fire engine, a car comes
#: nearest (its times say nothing of fire engines).
COSTING = {
    "car": "auto", "bicycle": "bicycle", "walk": "pedestrian", "wheelchair": "pedestrian",
    "e_bike": "bicycle", "fire_engine": "auto",
}  # fmt: skip
OWN: Mapping[str, Mapping[str, Any]] = {"wheelchair": {"type": "wheelchair"}}
#: Costs that are preferences, not rules: turned off, so that what is left is speed and access.
PLAIN: Mapping[str, Mapping[str, Any]] = {
    "auto": {
        "maneuver_penalty": 0, "gate_cost": 0, "gate_penalty": 0, "private_access_penalty": 0,
        "destination_only_penalty": 0, "toll_booth_cost": 0, "toll_booth_penalty": 0,
        "service_penalty": 0, "service_factor": 1, "use_highways": 1, "use_tolls": 1,
        "use_ferry": 0, "use_living_streets": 1, "use_tracks": 1,
    },
    "bicycle": {
        "bicycle_type": "City", "cycling_speed": 15, "use_roads": 1, "use_hills": 1,
        "use_ferry": 0, "maneuver_penalty": 0, "gate_cost": 0, "gate_penalty": 0,
        "private_access_penalty": 0, "destination_only_penalty": 0, "service_penalty": 0,
        "service_factor": 1, "avoid_bad_surfaces": 0,
    },
    "pedestrian": {
        "walking_speed": WALK_KM_H, "use_ferry": 0, "step_penalty": 0, "service_penalty": 0,
        "service_factor": 1, "walkway_factor": 1, "sidewalk_factor": 1, "alley_factor": 1,
        "driveway_factor": 1, "destination_only_penalty": 0, "gate_penalty": 0,
        "max_hiking_difficulty": 6,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Graph:
    """Our network of one profile as links (k,): `tail`, `head`, metres, seconds, way.

    `way` is the first of those along an edge, `ways` are all that the profile takes.
    """

    network: WalkNetwork
    ways: frozenset[int]
    tail: np.ndarray
    head: np.ndarray
    metres: np.ndarray
    seconds: np.ndarray
    way: np.ndarray

    def matrix(self, weight: np.ndarray) -> csr_array:
        """Links as a matrix, the best of several between two nodes."""
        order = np.lexsort((weight, self.head, self.tail))
        pair = np.column_stack((self.tail[order], self.head[order]))
        first = np.r_[True, (np.diff(pair, axis=0) != 0).any(axis=1)]
        kept = order[first]
        size = (self.network.node_count,) * 2
        return csr_array((weight[kept], (self.tail[kept], self.head[kept])), shape=size)

    def best_links(self, weight: np.ndarray) -> dict[tuple[int, int], int]:
        """The best link between two nodes."""
        order = np.argsort(-weight, kind="stable")
        return dict(
            zip(
                zip(self.tail[order].tolist(), self.head[order].tolist(), strict=True),
                order.tolist(),
                strict=True,
            )
        )


def graphs(path: Path, policy: Policy, names: Sequence[str]) -> Iterator[tuple[str, Graph]]:
    """Our networks of a file: those of some profiles, and on foot."""
    asked = {name: policy.profiles[name] for name in names if name in policy.profiles}
    form_of = way_forms(policy)
    with in_order(path) as ordered:
        raw = read_roads(ordered.path, asked, form_of)
    crs = metric_crs(raw.lonlat[np.isfinite(raw.lonlat).all(axis=1)])
    for name in asked:
        roads = build_roads(raw, name, crs)
        assert roads is not None
        taken = raw.way_id[raw.speed_km_h[name][raw.kind].any(axis=1)]
        yield name, _graph(roads.network, taken, roads.uv_km_h, roads.vu_km_h)
    raw_streets = read_streets(path, policy.walk, form_of)
    streets = build_network(raw_streets)
    plain = np.full(streets.edge_count, WALK_KM_H)
    yield "walk", _graph(streets, raw_streets.way_id, plain, plain)


def _graph(
    network: WalkNetwork, ways: np.ndarray, uv_km_h: np.ndarray, vu_km_h: np.ndarray
) -> Graph:
    parts = []
    for tail, head, km_h in (
        (network.edge_u, network.edge_v, uv_km_h),
        (network.edge_v, network.edge_u, vu_km_h),
    ):
        rows = np.flatnonzero((km_h > 0) & (tail != head))
        metres = network.edge_length_m[rows]
        parts.append(
            (tail[rows], head[rows], metres, metres / km_h[rows] * 3.6, network.edge_way[rows])
        )
    joined = [np.concatenate(one) for one in zip(*parts, strict=True)]
    return Graph(network, frozenset(ways.tolist()), *joined)


def compare(path: Path, config: Path, profiles: Sequence[str]) -> dict[str, Any]:
    """Some profiles on one file."""
    import valhalla

    actor, osm = valhalla.Actor(str(config)), read_osm(path)
    return {
        name: _compare(actor, graph, name, osm)
        for name, graph in graphs(path, load_policy(), profiles)
        if name in profiles
    }


def _compare(actor: Any, graph: Graph, name: str, osm: Osm) -> dict[str, Any]:
    lonlat = to_lonlat(graph.network.node_xy_m, graph.network.crs)
    ours = _pairs(graph)
    shortest: list[tuple[float, float]] = []
    times: list[tuple[float, float]] = []
    why: Counter[str] = Counter()
    speeds: dict[str, list[float]] = {}
    nothing = Counter[str]()
    for a, b, metres, seconds, ways in ours:
        found = _ask(actor, name, lonlat[[a, b]], shortest=True)
        if found is None:
            nothing["no way in Valhalla"] += 1
            continue
        theirs = found["length"] * 1000
        if theirs < 1:
            nothing["both ends are one place in Valhalla"] += 1
            continue
        shortest.append((metres, theirs))
        slip = max(ALIKE_SHARE * max(metres, theirs), ALIKE_M)
        edges = _edges(actor, name, found, shortest=True)
        if abs(metres - theirs) <= slip:
            why["alike"] += 1
        elif theirs < metres:
            why["shorter there: " + shorter_there(edges, graph.ways, osm)] += 1
        else:
            why["longer there: " + longer_there(edges, ways, osm)] += 1
        for edge in edges:
            kind = osm.tags.get(edge["way_id"], {}).get("highway", "none")
            speeds.setdefault(kind, []).append(float(edge["speed"]))
        quick = _ask(actor, name, lonlat[[a, b]], shortest=False)
        if quick is not None:
            times.append((seconds, float(quick["time"])))
    return {
        "pairs": len(ours),
        "left_out": dict(nothing),
        "length": _ratios(shortest),
        "time": _ratios(times),
        "why": dict(why.most_common()),
        "km_h": {
            k: round(float(np.median(v)), 1) for k, v in sorted(speeds.items()) if len(v) >= 20
        },
    }


def _pairs(graph: Graph) -> list[tuple[int, int, float, float, list[int]]]:
    """Seeded pairs with our shortest metres, our least seconds, the ways of the shortest."""
    rng = np.random.default_rng(SEED)
    far = graph.matrix(graph.metres)
    count, part = connected_components(far, directed=True, connection="strong")
    del count
    nodes = np.flatnonzero(part == np.bincount(part).argmax())
    origins = rng.choice(nodes, ORIGINS, replace=False)
    metres, before = dijkstra(far, indices=origins, return_predecessors=True)
    seconds = dijkstra(graph.matrix(graph.seconds), indices=origins)
    link = graph.best_links(graph.metres)
    found = []
    for k, a in enumerate(origins.tolist()):
        for b in rng.choice(nodes[nodes != a], EACH, replace=False).tolist():
            ways, node = [], b
            while node != a:
                prior = int(before[k, node])
                ways.append(int(graph.way[link[prior, node]]))
                node = prior
            found.append((a, b, float(metres[k, b]), float(seconds[k, b]), ways[::-1]))
    return found


def _ask(actor: Any, name: str, lonlat: np.ndarray, *, shortest: bool) -> dict[str, Any] | None:
    costing = COSTING[name]
    options = {
        **PLAIN[costing],
        **OWN.get(name, {}),
        "shortest": shortest,
        "disable_hierarchy_pruning": True,
    }
    question = {
        "locations": [{"lon": x, "lat": y, "radius": 0} for x, y in lonlat.tolist()],
        "costing": costing,
        "costing_options": {costing: options},
        "directions_type": "none",
    }
    try:
        answer = actor.route(question)
    except RuntimeError:
        return None
    trip = answer["trip"]
    return {**trip["summary"], "shape": trip["legs"][0]["shape"]}


def _edges(
    actor: Any, name: str, found: Mapping[str, Any], *, shortest: bool
) -> list[dict[str, Any]]:
    """The edges of a found way, with their ids of OSM."""
    costing = COSTING[name]
    options = {**PLAIN[costing], **OWN.get(name, {}), "shortest": shortest}
    question = {
        "encoded_polyline": found["shape"],
        "costing": costing,
        "costing_options": {costing: options},
        "shape_match": "edge_walk",
        "filters": {"attributes": ["edge.way_id", "edge.speed", "edge.use"], "action": "include"},
    }
    try:
        edges: list[dict[str, Any]] = actor.trace_attributes(question)["edges"]
    except RuntimeError:
        return []
    return edges


def _ratios(pairs: list[tuple[float, float]]) -> dict[str, float]:
    """Theirs over ours: sums, quartiles, the share within 1 % or 20 (metres or seconds)."""
    ours, theirs = np.array(pairs).T
    ratio = theirs / ours
    alike = np.abs(theirs - ours) <= np.maximum(ALIKE_SHARE * np.maximum(ours, theirs), ALIKE_M)
    told = {"sum": theirs.sum() / ours.sum(), "alike": alike.mean()}
    told |= {f"q{q:02d}": float(np.quantile(ratio, q / 100)) for q in (5, 25, 50, 75, 95)}
    return {"pairs": float(len(pairs)), **{k: round(float(v), 4) for k, v in told.items()}}


def main(argv: list[str] | None = None) -> int:
    """Compare the named cities; 0 also where Valhalla is missing, which is said."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("cities", nargs="*", default=list(FILES))
    asked.add_argument("--profiles", nargs="*", default=list(COSTING))
    asked.add_argument("--json", type=Path)
    given = asked.parse_args(argv)
    try:
        import valhalla
    except ImportError:
        print("skipped: no valhalla (pip install pyvalhalla)")
        return 0
    told: dict[str, Any] = {"valhalla": valhalla.__version__}
    for city in given.cities:
        path = shared_file(FILES[city])
        with tempfile.TemporaryDirectory() as folder:
            told[city] = compare(path, tiles_of(path, Path(folder)), given.profiles)
        print(json.dumps({city: told[city]}, indent=1))
    if given.json is not None:
        given.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
