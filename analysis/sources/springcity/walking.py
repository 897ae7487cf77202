"""Springcity's own plain way to measure walks: one Dijkstra over all nodes, nothing clever.

It shares no code with `analysis.access`, so that each can check the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from analysis.quantities import FloatArray, IntArray
from analysis.sources.springcity.draft import Streets
from analysis.sources.springcity.plan import GEOD, to_lonlat


@dataclass(frozen=True, slots=True)
class Footing:
    """Where places (n) join the streets: `edge`, `along_m` from its first node, `leg_m`."""

    edge: IntArray
    along_m: FloatArray
    leg_m: FloatArray


def stand(streets: Streets, xy: FloatArray) -> Footing:
    """Join places (n, 2) in city metres to the nearest walkable piece, however far."""
    lines = streets.lines()
    points = shapely.points(xy)
    pair = shapely.STRtree(lines).query_nearest(points, all_matches=False)
    edge = np.empty(len(xy), dtype=np.int64)
    edge[pair[0]] = pair[1]
    share = shapely.line_locate_point(lines[edge], points, normalized=True)
    foot = shapely.get_coordinates(
        shapely.line_interpolate_point(lines[edge], share, normalized=True)
    )
    here, there = to_lonlat(xy), to_lonlat(foot)
    _, _, leg = GEOD.inv(here[:, 0], here[:, 1], there[:, 0], there[:, 1])
    return Footing(edge, share * streets.length_m[edge], np.asarray(leg))


def metres_to_nearest(
    streets: Streets, people: Footing, places: Footing
) -> tuple[FloatArray, IntArray]:
    """Metres from each of people (n,) to the nearest of places, inf where there is no way,
    and the index of that place, -1 where none."""
    count = len(streets.xy)
    lonely = count + np.arange(len(places.edge))
    ends = streets.edge[places.edge]
    to_first = places.leg_m + places.along_m
    to_second = places.leg_m + streets.length_m[places.edge] - places.along_m
    row = np.concatenate([streets.edge[:, 0], streets.edge[:, 1], lonely, lonely])
    column = np.concatenate([streets.edge[:, 1], streets.edge[:, 0], ends[:, 0], ends[:, 1]])
    length = np.concatenate([streets.length_m, streets.length_m, to_first, to_second])
    total = count + len(lonely)
    graph = csr_array((length, (row, column)), (total, total))
    metres, _, source = dijkstra(graph, indices=lonely, min_only=True, return_predecessors=True)
    first, second = streets.edge[people.edge].T
    via_first = metres[first] + people.along_m
    via_second = metres[second] + streets.length_m[people.edge] - people.along_m
    best = np.minimum(via_first, via_second)
    whose = np.where(via_first <= via_second, source[first], source[second]) - count
    for k, edge in enumerate(places.edge.tolist()):
        same = np.flatnonzero(people.edge == edge)
        straight = np.abs(people.along_m[same] - places.along_m[k]) + places.leg_m[k]
        nearer = straight < best[same]
        best[same[nearer]] = straight[nearer]
        whose[same[nearer]] = k
    whose[~np.isfinite(best)] = -1
    return best + people.leg_m, whose.astype(np.int64)
