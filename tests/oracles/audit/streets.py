"""Streets: who may walk where, pieces of the network, and what is off the ground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray
from pyproj import Geod
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

WGS84 = Geod(ellps="WGS84")
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NO_HIGHWAY = frozenset(
    [
        "motorway",
        "motorway_link",
        "construction",
        "proposed",
        "planned",
        "raceway",
        "bus_guideway",
        "abandoned",
        "disused",
        "razed",
        "platform",
        "elevator",
        "corridor",
        "rest_area",
        "services",
        "busway",
        "no",
    ]
)
FOOT_NO = frozenset({"no", "private", "use_sidepath"})
FOOT_YES = frozenset({"yes", "designated", "permissive", "destination"})
ACCESS_NO = frozenset({"no", "private"})
BRIDGE_ON_GROUND = frozenset({"no", "boardwalk", "low_water_crossing"})
TUNNEL_ON_GROUND = frozenset({"no", "building_passage", "culvert"})


def may_walk(tags: Mapping[str, str]) -> bool:
    """The table of DEFINITIONS, Walking, line by line; the first that fits decides."""
    foot = tags.get("foot")
    if "highway" not in tags or tags["highway"] in NO_HIGHWAY:
        return False
    if tags.get("motorroad") == "yes" and foot not in {"yes", "designated"}:
        return False
    if foot in FOOT_NO or tags.get("area") == "yes":
        return False
    return foot in FOOT_YES or tags.get("access") not in ACCESS_NO


def off_ground(tags: Mapping[str, str]) -> bool:
    """On a bridge or in a tunnel: no place to join inside (docs/walking.md).

    Covered ways stay on the ground, and so do boardwalks, fords with a plate, passages through a
    building and what is tagged as a pipe.
    """
    return (
        tags.get("bridge", "no") not in BRIDGE_ON_GROUND
        or tags.get("tunnel", "no") not in TUNNEL_ON_GROUND
    )


@dataclass(frozen=True, slots=True)
class Streets:
    """Every walkable segment (s) between two OSM nodes (n); nothing is contracted."""

    node_id: Ints
    lonlat: Floats  # (n, 2)
    a: Ints  # (s,) rows of node_id
    b: Ints
    length_m: Floats  # geodesic
    aloft: Bools  # bridge or tunnel
    way: Ints  # the lowest way that holds the segment
    component: Ints
    component_m: Floats  # (s,) walkable length of the segment's component

    @property
    def on_ground(self) -> Bools:
        """Nodes (n,) that some segment on the ground meets."""
        met = np.zeros(len(self.node_id), dtype=bool)
        met[self.a[~self.aloft]] = met[self.b[~self.aloft]] = True
        return met

    @property
    def landing(self) -> Bools:
        """Nodes (n,) where a bridge or tunnel ends: on the ground, or where nothing goes on."""
        degree = np.bincount(np.concatenate([self.a, self.b]), minlength=len(self.node_id))
        return self.on_ground | (degree == 1)

    @property
    def walked_m(self) -> Floats:
        """What walking each segment (s,) costs: stretches between junctions in whole centimetres.

        DEFINITIONS: integer centimetres in kernels. A stretch runs through the nodes where just
        two segments meet; its rounding is spread over it.
        """
        ends = np.concatenate([self.a, self.b])
        order = np.argsort(ends, kind="stable")
        degree = np.bincount(ends, minlength=len(self.node_id))
        first = (np.cumsum(degree) - degree)[degree == 2]
        rows = order % len(self.a)
        one, other = rows[first], rows[first + 1]
        links = coo_array((np.ones(len(one)), (one, other)), shape=(len(self.a), len(self.a)))
        _, stretch = connected_components(links, directed=False)
        whole = np.bincount(stretch, weights=self.length_m)
        return self.length_m * (np.rint(whole * 100) / 100 / whole)[stretch]

    @property
    def component_of_node(self) -> Ints:
        label = np.full(len(self.node_id), -1, dtype=np.int64)
        label[self.a] = self.component
        label[self.b] = self.component
        return label


def read_streets(path: Path) -> Streets:
    """All walkable segments of an OSM file whose objects are in the usual order."""
    places: dict[int, tuple[float, float]] = {}
    segments: dict[tuple[int, int], tuple[int, bool]] = {}
    for way in osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations():
        if not way.is_way() or "highway" not in way.tags:
            continue
        tags = {tag.k: tag.v for tag in way.tags}
        if not may_walk(tags):
            continue
        aloft = off_ground(tags)
        for one, other in pairwise(way.nodes):
            if not (one.location.valid() and other.location.valid()) or one.ref == other.ref:
                continue
            for node in (one, other):
                places[node.ref] = (node.lon, node.lat)
            key = (min(one.ref, other.ref), max(one.ref, other.ref))
            held = segments.get(key)
            # Drawn by two ways, one of them on the ground: on the ground.
            segments[key] = (
                (way.id, aloft) if held is None else (min(way.id, held[0]), aloft and held[1])
            )
    return _streets(places, segments)


def _streets(
    places: dict[int, tuple[float, float]], segments: dict[tuple[int, int], tuple[int, bool]]
) -> Streets:
    ids = np.array(sorted(places), dtype=np.int64)
    lonlat = np.array([places[i] for i in ids.tolist()]).reshape(-1, 2)
    pairs = np.array(sorted(segments), dtype=np.int64).reshape(-1, 2)
    told = [segments[u, v] for u, v in pairs.tolist()]
    a, b = np.searchsorted(ids, pairs[:, 0]), np.searchsorted(ids, pairs[:, 1])
    length = geodesic_m(lonlat[a], lonlat[b])
    links = coo_array((np.ones(len(a)), (a, b)), shape=(len(ids), len(ids)))
    _, label = connected_components(links, directed=False)
    total = np.bincount(label[a], weights=length, minlength=len(ids))
    return Streets(
        node_id=ids,
        lonlat=lonlat,
        a=a,
        b=b,
        length_m=length,
        aloft=np.array([one[1] for one in told], dtype=bool),
        way=np.array([one[0] for one in told], dtype=np.int64),
        component=label[a].astype(np.int64),
        component_m=total[label[a]],
    )


def geodesic_m(start: Floats, end: Floats) -> Floats:
    """Geodesic distances between two lists of (lon, lat), metres."""
    return np.asarray(WGS84.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])[2], dtype=float)
