"""Springcity's own plain way to measure drives: one Dijkstra over all pieces of all ways.

It shares no code and no figures with the profiles of a policy, so that each can check the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from lifecircle.analysis.demo.springcity.draft import Streets, node_components
from lifecircle.analysis.demo.springcity.plan import GEOD, to_city, to_lonlat
from lifecircle.analysis.demo.truth.counting import within
from lifecircle.analysis.demo.truth.expected import Ledger, Qualifies, Table
from lifecircle.analysis.demo.truth.persons import certain, possible
from lifecircle.analysis.demo.truth.reach import Reached
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray

MOST_LEG_M, LARGE_M, PIECE_M = 250.0, 5_000.0, 300.0
DOUBT_S: Final = 0.5
"""Drives this near to a limit may fall on either side where costs are kept as whole numbers."""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Speeds by class (km/h), from a door to the road (m/s), and whether gates open to it."""

    km_h: Mapping[str, float]
    leg_m_per_s: float
    private: bool = False


_CITY: Final = ("trunk", "primary", "secondary", "tertiary")
_SMALL: Final = ("unclassified", "residential")
ENGINE: Final = Vehicle(
    {
        **dict.fromkeys((*_CITY, "motorway"), 35.0),
        **dict.fromkeys(_SMALL, 30.0),
        **dict.fromkeys(("living_street", "service", "pedestrian"), 15.0),
    },
    15 / 3.6,
    private=True,
)
CAR: Final = Vehicle(
    {
        **dict(zip(("motorway", *_CITY), (90.0, 85.0, 65.0, 55.0, 40.0), strict=True)),
        **dict.fromkeys(_SMALL, 25.0),
        "living_street": 10.0,
        "service": 15.0,
    },
    1000 / 900,
)
E_BIKE: Final = Vehicle(
    {
        **dict.fromkeys((*_CITY, *_SMALL, "living_street", "service", "cycleway"), 15.0),
        **dict.fromkeys(("footway", "pedestrian"), 4.0),
        "path": 13.0,
        "steps": 2.0,
        "track": 12.0,
    },
    1000 / 900,
)


@dataclass(frozen=True, slots=True)
class _Roads:
    """Pieces (e) a vehicle takes: `edge` nodes, `seconds` along each, `length_m`, which lead back.

    `joined`: which may be joined inside, `component_m` how long the roads are they belong to.
    """

    xy: FloatArray
    edge: IntArray
    seconds: FloatArray
    both: BoolArray
    joined: BoolArray
    component_m: FloatArray

    @classmethod
    def of(cls, streets: Streets, vehicle: Vehicle) -> _Roads:
        edges, speeds, both, joined = [], [], [], []
        for way in streets.ways:
            tags = way.tags
            km_h = vehicle.km_h.get(str(tags["highway"]))
            shut = tags.get("access") == "private" and not vehicle.private
            if km_h is None or shut or tags.get("area") == "yes":
                continue
            count = len(way.nodes) - 1
            edges.append(np.column_stack([way.nodes[:-1], way.nodes[1:]]))
            speeds += [km_h] * count
            both += [tags.get("oneway") != "yes"] * count
            joined += ["bridge" not in tags and tags["highway"] != "motorway"] * count
        edge = np.vstack(edges)
        start, end = streets.lonlat[edge[:, 0]], streets.lonlat[edge[:, 1]]
        length = np.asarray(GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])[2])
        label = node_components(edge, len(streets.lonlat))[edge[:, 0]]
        whole: FloatArray = np.bincount(label, weights=length)[label].astype(np.float64)
        seconds = length / (np.array(speeds) / 3.6)
        return cls(streets.xy, edge, seconds, np.array(both), np.array(joined), whole)

    def stand(self, xy: FloatArray, leg_m_per_s: float) -> tuple[IntArray, FloatArray, FloatArray]:
        """The piece each place joins (-1 none), how far along it (0-1), the seconds of the leg."""
        piece = np.full(len(xy), -1)
        share, leg = np.zeros(len(xy)), np.full(len(xy), np.inf)
        for low, high in ((LARGE_M, np.inf), (PIECE_M, LARGE_M)):
            rows = np.flatnonzero(
                self.joined & (self.component_m >= low) & (self.component_m < high)
            )
            left = np.flatnonzero(piece < 0)
            if len(rows) == 0 or len(left) == 0:
                continue
            lines = np.asarray(shapely.linestrings(self.xy[self.edge[rows]]), dtype=np.object_)
            points = shapely.points(xy[left])
            _, near = shapely.STRtree(lines).query_nearest(points, all_matches=False)
            along = shapely.line_locate_point(lines[near], points, normalized=True)
            foot = shapely.line_interpolate_point(lines[near], along, normalized=True)
            here, there = to_lonlat(xy[left]), to_lonlat(shapely.get_coordinates(foot))
            metres = np.asarray(GEOD.inv(here[:, 0], here[:, 1], there[:, 0], there[:, 1])[2])
            found = metres <= MOST_LEG_M
            piece[left[found]] = rows[near[found]]
            share[left[found]] = along[found]
            leg[left[found]] = metres[found] / leg_m_per_s
        return piece, share, leg

    def seconds_from(self, spots: tuple[IntArray, FloatArray, FloatArray]) -> FloatArray:
        """Seconds to every node from the nearest of the spots, along the ways; (n,)."""
        piece, share, leg = spots
        count, size = len(self.xy), len(piece)
        lonely = count + np.arange(size)
        ahead = leg + (1 - share) * self.seconds[piece]
        back = leg + share * self.seconds[piece]
        open_ = self.both[piece]
        two = self.edge[self.both]
        row = np.concatenate([self.edge[:, 0], two[:, 1], lonely, lonely[open_]])
        column = np.concatenate(
            [self.edge[:, 1], two[:, 0], self.edge[piece, 1], self.edge[piece[open_], 0]]
        )
        cost = np.concatenate([self.seconds, self.seconds[self.both], ahead, back[open_]])
        graph = csr_array((cost, (row, column)), (count + size, count + size))
        found: FloatArray = dijkstra(graph, indices=lonely, min_only=True)
        return found


def seconds_by(
    book: Ledger, which: Sequence[int], vehicle: Vehicle, *, back: bool = False
) -> FloatArray:
    """Seconds (c,) from every cell to the nearest of places, or from it to the cell (`back`)."""
    roads = _Roads.of(book.reach.streets, vehicle)
    if not back:  # the way there is the way back on reversed ways
        turned = np.where(roads.both[:, None], roads.edge, roads.edge[:, ::-1])
        roads = _Roads(roads.xy, turned, roads.seconds, roads.both, roads.joined, roads.component_m)
    places = to_city(np.array([book.places[k].lonlat for k in which]))
    piece, share, leg = roads.stand(places, vehicle.leg_m_per_s)
    on = piece >= 0
    spots = piece[on], share[on], leg[on]
    node = roads.seconds_from(spots)
    at, along, own = roads.stand(book.people.xy, vehicle.leg_m_per_s)
    first, second = roads.edge[at].T
    whole = roads.seconds[at]
    best = np.minimum(
        node[first] + along * whole,
        np.where(roads.both[at], node[second] + (1 - along) * whole, np.inf),
    )
    for k in range(len(spots[0])):
        same = np.flatnonzero(at == spots[0][k])
        gone = (along[same] - spots[1][k]) * whole[same]
        straight = np.where((gone >= 0) | roads.both[at[same]], np.abs(gone), np.inf)
        best[same] = np.minimum(best[same], spots[2][k] + straight)
    seconds: FloatArray = np.where(at < 0, np.inf, best + own)
    return seconds


def residents_driven(
    book: Ledger, services: Sequence[str], minutes: float, vehicle: Vehicle, *levels: str,
    back: bool = False, qualifies: Qualifies | None = None,
) -> Table:  # fmt: skip
    """P of a vehicle: persons near a place that qualifies; those that may, the upper bound."""
    count = book.people.residents
    here = book.inside(*levels) if levels else np.ones(len(count), dtype=np.bool_)

    def driven(which: Sequence[int]) -> Reached:
        found = [k for k in which if k < len(book.places)]
        if not found:
            return Reached(0, 0)
        seconds = seconds_by(book, found, vehicle, back=back)
        near = here & (seconds <= minutes * 60)
        unsure = here & (np.abs(seconds - minutes * 60) <= DOUBT_S)
        return Reached(int(count[near].sum()), int(count[unsure].sum()))

    sure = book.reach.which(services, None if qualifies is None else certain(qualifies))
    maybe = book.reach.which(services, None if qualifies is None else possible(qualifies))
    return within(driven(sure), driven(maybe), int(count[here].sum()))
