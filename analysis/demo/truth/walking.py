"""Springcity's own plain way to measure walks: one Dijkstra over all nodes, nothing clever.

It shares no code with `lifecircle.analysis.access`, so that each can check the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import Polygon

from lifecircle.analysis.demo.springcity.draft import Streets
from lifecircle.analysis.demo.springcity.plan import GEOD, to_lonlat
from lifecircle.analysis.quantities import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Footing:
    """Where places (n) join the streets: `edge`, `along_m` from its first node, `leg_m`.

    `owner`: whose footing it is. A point has one, an area one per end of a stretch inside it.
    """

    edge: IntArray
    along_m: FloatArray
    leg_m: FloatArray
    owner: IntArray

    def joined(self, other: Footing, first: int = 0) -> Footing:
        """Both, the others' owners counted from `first`."""
        return Footing(
            np.concatenate([self.edge, other.edge]),
            np.concatenate([self.along_m, other.along_m]),
            np.concatenate([self.leg_m, other.leg_m]),
            np.concatenate([self.owner, other.owner + first]),
        )

    def only(self, owners: Sequence[int]) -> Footing:
        """The footing of some owners."""
        kept = np.isin(self.owner, np.asarray(owners, dtype=np.int64))
        return Footing(self.edge[kept], self.along_m[kept], self.leg_m[kept], self.owner[kept])


def stand(streets: Streets, xy: FloatArray) -> Footing:
    """Join places (n, 2) in city metres to the nearest walkable piece, however far.

    Bridges are joined at their ends only, where pieces on the ground begin.
    """
    lines = streets.lines()
    ground = np.flatnonzero(~streets.raised)
    points = shapely.points(xy)
    pair = shapely.STRtree(lines[ground]).query_nearest(points, all_matches=False)
    edge = np.empty(len(xy), dtype=np.int64)
    edge[pair[0]] = ground[pair[1]]
    share = shapely.line_locate_point(lines[edge], points, normalized=True)
    foot = shapely.get_coordinates(
        shapely.line_interpolate_point(lines[edge], share, normalized=True)
    )
    here, there = to_lonlat(xy), to_lonlat(foot)
    _, _, leg = GEOD.inv(here[:, 0], here[:, 1], there[:, 0], there[:, 1])
    return Footing(edge, share * streets.length_m[edge], np.asarray(leg), np.arange(len(xy)))


def enter(streets: Streets, areas: Sequence[Polygon]) -> Footing:
    """Join areas to every walkable piece on the ground that crosses them or runs inside; those
    that meet none, from the nearest place of their outline."""
    lines = streets.lines()
    ground = np.flatnonzero(~streets.raised)
    tree = shapely.STRtree(lines[ground])
    shapes = np.array(areas, dtype=object)
    which, piece = tree.query(shapes, predicate="intersects")
    found: list[tuple[int, float, int]] = []
    for area, edge in zip(which.tolist(), ground[piece].tolist(), strict=True):
        within = shapely.intersection(lines[edge], shapes[area])
        for part in shapely.get_parts(within):
            ends = shapely.points(shapely.get_coordinates(part))
            share = shapely.line_locate_point(lines[edge], ends, normalized=True)
            found += [(edge, at, area) for at in share.tolist()]
    shut = np.setdiff1d(np.arange(len(shapes)), which)
    edge = np.array([e for e, _, _ in found], dtype=np.int64)
    along = np.array([at for _, at, _ in found]) * streets.length_m[edge]
    owner = np.array([area for _, _, area in found], dtype=np.int64)
    gates = Footing(edge, along, np.zeros(len(edge)), owner)
    if len(shut) == 0:
        return gates
    outline = shapely.boundary(shapes[shut])
    near = lines[ground[tree.query_nearest(outline, all_matches=False)[1]]]
    start = shapely.get_point(shapely.shortest_line(outline, near), 0)
    aside = stand(streets, shapely.get_coordinates(start))
    return gates.joined(Footing(aside.edge, aside.along_m, aside.leg_m, shut))


def metres_to_nearest(
    streets: Streets, people: Footing, places: Footing, order: IntArray | None = None
) -> tuple[FloatArray, IntArray]:
    """Metres from each of people (n,) to the nearest of places, inf where there is no way,
    and the owner of that place, -1 where none. `order`: people by edge, where it is known."""
    count = len(streets.xy)
    graph, lonely = _with_places(streets, places)
    metres, _, source = dijkstra(graph, indices=lonely, min_only=True, return_predecessors=True)
    first, second = streets.edge[people.edge].T
    via_first = metres[first] + people.along_m
    via_second = metres[second] + streets.length_m[people.edge] - people.along_m
    best = np.minimum(via_first, via_second)
    whose = np.where(via_first <= via_second, source[first], source[second]) - count
    for k, same in _on_one_edge(people, places, order):
        straight = np.abs(people.along_m[same] - places.along_m[k]) + places.leg_m[k]
        nearer = straight < best[same]
        best[same[nearer]] = straight[nearer]
        whose[same[nearer]] = k
    none = ~np.isfinite(best)
    owner: IntArray = np.where(none, -1, places.owner[np.where(none, 0, whose)])
    return best + people.leg_m, owner


def metres_to_each(
    streets: Streets, people: Footing, places: Footing, most_m: float
) -> Iterator[FloatArray]:
    """For each of places in turn the metres from each of people (n,), inf beyond `most_m`."""
    graph, lonely = _with_places(streets, places)
    same_edge = dict(_on_one_edge(people, places, None))
    first, second = streets.edge[people.edge].T
    rest = streets.length_m[people.edge] - people.along_m
    for k, start in enumerate(lonely.tolist()):
        metres = dijkstra(graph, indices=start, limit=most_m)
        best = np.minimum(metres[first] + people.along_m, metres[second] + rest)
        if k in same_edge:
            same = same_edge[k]
            straight = np.abs(people.along_m[same] - places.along_m[k]) + places.leg_m[k]
            best[same] = np.minimum(best[same], straight)
        yield best + people.leg_m


def _with_places(streets: Streets, places: Footing) -> tuple[csr_array, IntArray]:
    """The streets and, joined to them one way, the places: the graph and the places' nodes."""
    count = len(streets.xy)
    lonely = count + np.arange(len(places.edge))
    ends = streets.edge[places.edge]
    to_first = places.leg_m + places.along_m
    to_second = places.leg_m + streets.length_m[places.edge] - places.along_m
    row = np.concatenate([streets.edge[:, 0], streets.edge[:, 1], lonely, lonely])
    column = np.concatenate([streets.edge[:, 1], streets.edge[:, 0], ends[:, 0], ends[:, 1]])
    length = np.concatenate([streets.length_m, streets.length_m, to_first, to_second])
    total = count + len(lonely)
    return csr_array((length, (row, column)), (total, total)), lonely


def _on_one_edge(
    people: Footing, places: Footing, order: IntArray | None
) -> Iterator[tuple[int, IntArray]]:
    """The places on whose own piece of street somebody stands, and who does."""
    order = np.argsort(people.edge, kind="stable") if order is None else order
    low = np.searchsorted(people.edge[order], places.edge, side="left")
    high = np.searchsorted(people.edge[order], places.edge, side="right")
    for k in np.flatnonzero(high > low).tolist():
        yield k, order[low[k] : high[k]]


def straight_m(
    places: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]
) -> FloatArray:
    """Metres from each of some places (degrees) in a straight line to the nearest of others."""
    there = np.array(others)
    nearest = []
    for lon, lat in places:
        away = GEOD.inv(np.full(len(there), lon), np.full(len(there), lat), *there.T)[2]
        nearest.append(float(np.min(away)))
    return np.array(nearest)
