"""Nodes and ways while they are being drawn, and the streets when they are finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lifecircle.analysis.demo.springcity.plan import GEOD, MARK, as_in_osm, to_city
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray

Tags = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Way:
    """A way: node indices in order, its tags, and whether the generator lets people walk it."""

    nodes: IntArray
    tags: Tags
    walk: bool


@dataclass(slots=True)
class Draft:
    """Collects nodes (city metres) and ways; `add_nodes` returns the new indices."""

    xy: list[FloatArray] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    count: int = 0

    def add_nodes(self, xy_m: FloatArray) -> IntArray:
        """Take over nodes, (n, 2); their indices, (n,)."""
        self.xy.append(xy_m)
        first = self.count
        self.count += len(xy_m)
        return np.arange(first, self.count, dtype=np.int64)

    def add_way(self, nodes: IntArray, tags: Tags, *, walk: bool = True) -> None:
        """Take over a way along known nodes."""
        self.ways.append(Way(np.asarray(nodes, dtype=np.int64), tags, walk))

    def draw(self, xy_m: FloatArray, tags: Tags, *, walk: bool = True) -> IntArray:
        """New nodes strung together to a new way; the nodes' indices."""
        nodes = self.add_nodes(xy_m)
        self.add_way(nodes, tags, walk=walk)
        return nodes


@dataclass(frozen=True, slots=True)
class Streets:
    """All ways with a `highway` tag.

    `lonlat` (n, 2) rounded as in OSM, `xy` (n, 2) city metres of the rounded places, `ways`.
    Walkable pieces between neighbouring nodes (e): `edge` (e, 2) node indices, `length_m`
    geodesic (e,), `component` (e,) label, 0 the mainland; `raised` (e,) on a bridge.
    """

    lonlat: FloatArray
    xy: FloatArray
    ways: tuple[Way, ...]
    edge: IntArray
    length_m: FloatArray
    component: IntArray
    raised: BoolArray

    def lines(self) -> NDArray[np.object_]:
        """The walkable pieces as straight lines in city metres, (e,)."""
        return np.asarray(shapely.linestrings(self.xy[self.edge]), dtype=np.object_)


def finish(draft: Draft) -> Streets:
    """The streets of a draft, with coordinates rounded and walkable pieces measured."""
    lonlat = as_in_osm(np.vstack(draft.xy))
    walk = [way.nodes for way in draft.ways if way.walk]
    edge = np.vstack([np.column_stack([nodes[:-1], nodes[1:]]) for nodes in walk])
    start, end = lonlat[edge[:, 0]], lonlat[edge[:, 1]]
    _, _, length = GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    label = node_components(edge, len(lonlat))[edge[:, 0]]
    names, position, sizes = np.unique(label, return_inverse=True, return_counts=True)
    order = np.empty(len(names), dtype=np.int64)
    order[np.argsort(-sizes, kind="stable")] = np.arange(len(names))
    return Streets(
        lonlat=lonlat,
        xy=to_city(lonlat),
        ways=tuple(draft.ways),
        edge=edge,
        length_m=np.asarray(length),
        component=order[position],
        raised=np.repeat(
            ["bridge" in way.tags for way in draft.ways if way.walk],
            [len(nodes) - 1 for nodes in walk],
        ),
    )


def node_components(edge: IntArray, count: int) -> IntArray:
    """The component label of every node, (count,)."""
    graph = coo_array((np.ones(len(edge), np.int8), (edge[:, 0], edge[:, 1])), (count, count))
    labels: IntArray = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def largest_only(edge: IntArray, count: int) -> BoolArray:
    """Which edges belong to the component with most edges, (e,)."""
    label = node_components(edge, count)[edge[:, 0]]
    keep: BoolArray = label == np.argmax(np.bincount(label))
    return keep


def synthetic(**tags: str) -> dict[str, str]:
    """Tags with the mark that nothing here is real; ``name_en`` stands for ``name:en``."""
    named = {key.replace("name_en", "name:en"): value for key, value in tags.items()}
    return named | {"source": MARK}


def runs(starts: BoolArray) -> Sequence[tuple[int, int]]:
    """(first, past-the-end) of each run, given where runs start."""
    first = np.flatnonzero(starts)
    past = np.append(first[1:], len(starts))
    return list(zip(first.tolist(), past.tolist(), strict=True))
