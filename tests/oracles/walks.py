"""Walking times the slow way: an independent oracle, written from the definitions alone.

It shares no line with ``analysis``: it reads the pbf with its own handler, applies the table of
who may walk where written anew, keeps every OSM node (nothing is contracted), measures every
segment with ``pyproj.Geod``, inserts every point and every facility as a node by splitting
segments, and lets networkx find the shortest ways in float64 metres.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import osmium
import shapely
from numpy.typing import NDArray
from pyproj import Geod, Transformer

WGS84 = Geod(ellps="WGS84")
ADULT_M_PER_S = 1000 / 900

NO_HIGHWAY = {
    *("motorway", "motorway_link", "construction", "proposed", "planned", "raceway"),
    *("bus_guideway", "abandoned", "disused", "razed", "platform", "elevator"),
    *("corridor", "rest_area", "services", "busway", "no"),
}

Floats = NDArray[np.float64]


def may_walk(tags: Mapping[str, str]) -> bool:
    """The table of DEFINITIONS, row by row, in its precedence."""
    highway = tags.get("highway")
    foot = tags.get("foot")
    for rule, answer in (
        (highway is None, False),
        (highway in NO_HIGHWAY, False),
        (tags.get("motorroad") == "yes" and foot not in ("yes", "designated"), False),
        (foot in ("no", "private", "use_sidepath"), False),
        (tags.get("area") == "yes", False),
        (foot in ("yes", "designated", "permissive", "destination"), True),
        (tags.get("access") in ("no", "private"), False),
    ):
        if rule:
            return answer
    return True


def off_the_ground(tags: Mapping[str, str]) -> bool:
    """Whether a way is a bridge or a tunnel; `covered` ways stay on the ground."""
    bridge, tunnel = tags.get("bridge", "no"), tags.get("tunnel", "no")
    is_bridge = bridge not in ("no", "boardwalk", "low_water_crossing")
    return is_bridge or tunnel not in ("no", "building_passage", "culvert")


class _Ways(osmium.SimpleHandler):
    """Collects the segments of walkable ways as pairs of node ids.

    `segments`: of each the lowest way id and whether that way is off the ground.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lonlat: dict[int, tuple[float, float]] = {}
        self.segments: dict[tuple[int, int], tuple[int, bool]] = {}

    def way(self, way: osmium.osm.Way) -> None:
        tags = {tag.k: tag.v for tag in way.tags}
        if not may_walk(tags):
            return
        way_id, above = way.id, off_the_ground(tags)
        before: int | None = None
        for node in way.nodes:
            if not node.location.valid():
                before = None
                continue
            self.lonlat[node.ref] = (node.lon, node.lat)
            if before is not None and before != node.ref:
                pair = (min(before, node.ref), max(before, node.ref))
                self.segments[pair] = min(self.segments.get(pair, (way_id, above)), (way_id, above))
            before = node.ref


@dataclass(frozen=True)
class Streets:
    """Every walkable segment (s of them) between two OSM nodes."""

    node: list[int]  # OSM ids
    lonlat: Floats  # (n, 2)
    a: NDArray[np.int64]  # (s,) rows of node
    b: NDArray[np.int64]
    length_m: Floats
    component_m: Floats  # (s,) walkable length of the component that holds the segment
    above: NDArray[np.bool_]  # (s,) on a bridge or in a tunnel


def read(path: Path) -> Streets:
    """All walkable segments of an OSM file."""
    ways = _Ways()
    ways.apply_file(str(path), locations=True)
    used = sorted({end for segment in ways.segments for end in segment})
    row = {ref: i for i, ref in enumerate(used)}
    lonlat = np.array([ways.lonlat[ref] for ref in used]).reshape(-1, 2)
    kept = sorted((row[u], row[v], way[1]) for (u, v), way in ways.segments.items())
    pairs = np.array([(u, v) for u, v, _ in kept]).reshape(-1, 2)
    a, b = pairs[:, 0], pairs[:, 1]
    above = np.array([raised for _, _, raised in kept], dtype=bool)
    length_m = geodesic_m(lonlat[a], lonlat[b])
    graph: nx.Graph[int] = nx.Graph()
    graph.add_edges_from(zip(a.tolist(), b.tolist(), strict=True))
    label = np.empty(len(used), dtype=np.int64)
    for number, component in enumerate(nx.connected_components(graph)):
        label[list(component)] = number
    total = np.bincount(label[a], weights=length_m)
    return Streets(used, lonlat, a, b, length_m, total[label[a]], above)


def geodesic_m(start: Floats, end: Floats) -> Floats:
    """Geodesic distances between two lists of (lon, lat), metres."""
    return np.asarray(WGS84.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])[2], dtype=float)


@dataclass(frozen=True)
class Attached:
    """Where k points join: segment (-1 = unsnapped), share of it from a, access leg in metres."""

    segment: NDArray[np.int64]
    share: Floats
    leg_m: Floats

    @property
    def snapped(self) -> NDArray[np.bool_]:
        return self.segment >= 0


def attach(
    streets: Streets,
    lonlat: Floats,
    crs: str,
    *,
    max_leg_m: float = 250,
    min_component_m: float = 5000,
    min_piece_m: float | None = 300,
) -> Attached:
    """The nearest place of a component large enough; failing that, of a shorter piece."""
    large = streets.component_m >= min_component_m
    found = _attach_to(streets, lonlat, crs, large, max_leg_m)
    if min_piece_m is not None:
        short = ~large & (streets.component_m >= min_piece_m)
        second = _attach_to(streets, lonlat, crs, short, max_leg_m)
        for i in np.flatnonzero(~found.snapped).tolist():
            found.segment[i] = second.segment[i]
            found.share[i], found.leg_m[i] = second.share[i], second.leg_m[i]
    return found


def bridge_ends(streets: Streets) -> set[int]:
    """Nodes of bridges and tunnels where one can get on: the ground touches, or nothing goes on."""
    grounds, ways = set(), defaultdict(int)
    for a, b, above in zip(
        streets.a.tolist(), streets.b.tolist(), streets.above.tolist(), strict=True
    ):
        ways[a] += 1
        ways[b] += 1
        if not above:
            grounds |= {a, b}
    return grounds | {node for node, count in ways.items() if count == 1}


def _attach_to(
    streets: Streets, lonlat: Floats, crs: str, chosen: NDArray[np.bool_], max_leg_m: float
) -> Attached:
    """The nearest place on chosen segments, measured in a metric CRS.

    Segments on the ground are lines; of the others only the ends are there, as points.
    """
    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    node_xy = np.column_stack(to_metres.transform(streets.lonlat[:, 0], streets.lonlat[:, 1]))
    point_xy = np.column_stack(to_metres.transform(lonlat[:, 0], lonlat[:, 1]))
    segment = np.full(len(lonlat), -1, dtype=np.int64)
    share, leg_m = np.zeros(len(lonlat)), np.zeros(len(lonlat))
    ends_of_bridges = bridge_ends(streets)
    where: list[tuple[int, int, int]] = []  # segment, from node, to node
    for s in np.flatnonzero(chosen).tolist():
        a, b = int(streets.a[s]), int(streets.b[s])
        if not streets.above[s]:
            where.append((s, a, b))
        else:
            where += [(s, node, node) for node in (a, b) if node in ends_of_bridges]
    if not where:
        return Attached(segment, share, leg_m)
    allowed, head, tail = np.array(where).T
    ends = np.stack([node_xy[head], node_xy[tail]], axis=1)
    lines: Any = shapely.linestrings(ends)
    found_point, found = shapely.STRtree(lines).query_nearest(
        shapely.points(point_xy), max_distance=2 * max_leg_m, all_matches=False
    )
    start, step = ends[found, 0], ends[found, 1] - ends[found, 0]
    square = np.einsum("ij,ij->i", step, step)
    along = np.einsum("ij,ij->i", point_xy[found_point] - start, step)
    at = np.clip(np.divide(along, square, out=np.zeros_like(along), where=square > 0), 0, 1)
    place = start + at[:, None] * step
    back = np.column_stack(to_metres.transform(place[:, 0], place[:, 1], direction="INVERSE"))
    leg = geodesic_m(lonlat[found_point], back)
    at = np.where(head[found] == tail[found], head[found] == streets.b[allowed[found]], at)
    near = leg <= max_leg_m
    who = found_point[near]
    segment[who], share[who], leg_m[who] = allowed[found[near]], at[near], leg[near]
    return Attached(segment, share, leg_m)


def graph_with(streets: Streets, groups: Sequence[Attached]) -> nx.Graph[Any]:
    """The street graph with point i of group g inserted as the leaf node ``(g, i)``.

    A segment that carries positions is split at each of them, in their order along it.
    """
    on: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    for g, group in enumerate(groups):
        for i in np.flatnonzero(group.snapped).tolist():
            on[int(group.segment[i])].append((float(group.share[i]), g, i))
    graph: nx.Graph[Any] = nx.Graph()
    graph.add_nodes_from(range(len(streets.node)))
    for s, (a, b, length) in enumerate(
        zip(streets.a.tolist(), streets.b.tolist(), streets.length_m.tolist(), strict=True)
    ):
        before, before_share = a, 0.0
        for share, g, i in sorted(on.get(s, ())):
            foot = ("foot", g, i)
            graph.add_edge(before, foot, metres=(share - before_share) * length)
            graph.add_edge(foot, (g, i), metres=float(groups[g].leg_m[i]))
            before, before_share = foot, share
        graph.add_edge(before, b, metres=(1 - before_share) * length)
    return graph


def nearest_m(streets: Streets, points: Attached, facility_sets: Sequence[Attached]) -> Floats:
    """Metres from each point to the nearest facility of each set, both legs in; inf = no way.

    Returns float64 (sets, points). The reference is `networkx.multi_source_dijkstra`.
    """
    graph = graph_with(streets, [points, *facility_sets])
    answer = np.full((len(facility_sets), len(points.segment)), np.inf)
    for row, facilities in enumerate(facility_sets):
        sources = {(row + 1, i) for i in np.flatnonzero(facilities.snapped).tolist()}
        if not sources:
            continue
        metres: Any = nx.multi_source_dijkstra(graph, sources, weight="metres")[0]
        for i in np.flatnonzero(points.snapped).tolist():
            answer[row, i] = metres.get((0, i), np.inf)
    return answer


def between_m(streets: Streets, points: Attached, facilities: Attached) -> Floats:
    """Metres from every point to every facility (points, facilities): for small worlds."""
    graph = graph_with(streets, [points, facilities])
    answer = np.full((len(points.segment), len(facilities.segment)), np.inf)
    for j in np.flatnonzero(facilities.snapped).tolist():
        metres = nx.single_source_dijkstra_path_length(graph, (1, j), weight="metres")
        for i in np.flatnonzero(points.snapped).tolist():
            answer[i, j] = metres.get((0, i), np.inf)
    return answer


def seconds(metres: Floats) -> Floats:
    """Seconds at the adult's 1000/900 m/s."""
    return metres / ADULT_M_PER_S


def draw_points(streets: Streets, count: int, rng: np.random.Generator) -> Floats:
    """Seeded points (lon, lat): the first half on streets, the others up to 400 m off them."""
    weight = streets.length_m / streets.length_m.sum()
    which = rng.choice(len(weight), size=count, p=weight)
    share = rng.random(count)[:, None]
    start, end = streets.lonlat[streets.a[which]], streets.lonlat[streets.b[which]]
    place = start + share * (end - start)
    off = count - count // 2
    bearing, away = rng.uniform(0, 360, off), rng.uniform(1, 400, off)
    lon, lat, _ = WGS84.fwd(place[-off:, 0], place[-off:, 1], bearing, away)
    place[-off:] = np.column_stack([lon, lat])
    return place


def facility_sizes(sets: int = 20, smallest: int = 10, largest: int = 2000) -> list[int]:
    """Sizes of the facility sets, from few to many in equal ratios."""
    return [round(size) for size in np.geomspace(smallest, largest, sets).tolist()]
