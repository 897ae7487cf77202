"""Hand-drawn towns: streets written to a real OSM file, then read, contracted, attached, walked.

A `World` is drawn in metres east and north of a place in Kunming and written by osmium; a `Town`
is what `analysis` makes of that file. Every answer of a town is also held against the slow
oracle of `tests/oracles/walks.py`. OSM keeps coordinates to 1e-7 degrees (about a centimetre), so
hand answers hold to `NEAR_M`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import osmium
import pyproj
import pytest
from numpy.typing import NDArray

from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes, nearest_from_positions
from lifecircle.analysis.access.walking import WalkCosts, flat_costs
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.network import WalkNetwork, build_network
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.policy import WalkRules, load_policy
from lifecircle.analysis.quantities import NOBODY, UNREACHED_CM
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.osm.way_forms import way_forms
from tests.oracles import walks as oracle

ORIGIN = (102.7, 25.04)  # the middle of Kunming
NEAR_M = 0.05
MAX_LEG_M = 250.0
STREET = {"highway": "residential"}

Place = str | tuple[float, float]  # a named node of the drawing, or metres east and north
Floats = NDArray[np.float64]

_PLANE = pyproj.Proj(proj="aeqd", lon_0=ORIGIN[0], lat_0=ORIGIN[1], ellps="WGS84")


def near(metres: float | Sequence[float], within: float = NEAR_M) -> object:
    """Equal to hand-computed metres, up to the centimetres OSM rounds away."""
    return pytest.approx(metres, abs=within)


def walk_rules() -> WalkRules:
    """Who may walk where, as the packaged policy says."""
    return load_policy().walk


@dataclass(frozen=True)
class Way:
    """A street through named places, with its tags."""

    places: tuple[str, ...]
    tags: Mapping[str, str] = field(default_factory=lambda: dict(STREET))


@dataclass(frozen=True)
class World:
    """Places in metres from `ORIGIN`, streets between them, and places the file leaves out."""

    places: Mapping[str, tuple[float, float]]
    ways: tuple[Way, ...]
    absent: frozenset[str] = frozenset()
    node_ids: Mapping[str, int] | None = None
    node_tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def lonlat(self, place: Place) -> tuple[float, float]:
        """Degrees of a named place (rounded as the file has them) or of metres (exact)."""
        if isinstance(place, str):
            lon, lat = _PLANE(*self.places[place], inverse=True)
            return round(lon, 7), round(lat, 7)
        lon, lat = _PLANE(*place, inverse=True)
        return float(lon), float(lat)

    def lonlats(self, places: Sequence[Place]) -> Floats:
        """Degrees of many places, (k, 2)."""
        return np.array([self.lonlat(place) for place in places]).reshape(-1, 2)

    def node_id(self, name: str) -> int:
        """OSM id of a named place."""
        if self.node_ids is not None:
            return self.node_ids[name]
        return list(self.places).index(name) + 1

    def write(self, path: Path) -> Path:
        """Write the drawing as an OSM file (.osm or .osm.pbf)."""
        with osmium.SimpleWriter(str(path), overwrite=True) as writer:
            by_id = sorted((self.node_id(name), name) for name in self.places)
            for ref, name in by_id:
                if name not in self.absent:
                    at, tags = self.lonlat(name), self.node_tags.get(name, {})
                    writer.add_node(osmium.osm.mutable.Node(id=ref, location=at, tags=tags))
            for number, way in enumerate(self.ways, start=1):
                refs = [self.node_id(name) for name in way.places]
                writer.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=way.tags))
        return path


def draw(
    places: Mapping[str, tuple[float, float]],
    *ways: str | Way,
    absent: Sequence[str] = (),
) -> World:
    """A world from places and streets like ``"a b c"`` (or a `Way` with other tags)."""
    drawn = tuple(way if isinstance(way, Way) else Way(tuple(way.split())) for way in ways)
    return World(places, drawn, frozenset(absent))


@dataclass(frozen=True)
class Town:
    """What `analysis` makes of a drawn world, with the oracle's streets beside it."""

    world: World
    network: WalkNetwork
    index: EdgeIndex
    costs: WalkCosts
    streets: oracle.Streets
    min_component_m: float
    min_piece_m: float | None = None

    @classmethod
    def build(
        cls,
        world: World,
        folder: Path,
        min_component_m: float = 0.0,
        min_piece_m: float | None = None,
    ) -> Town:
        """Write the world, then go the whole way: file, streets, network, edge index, costs."""
        path = world.write(folder / "drawn.osm.pbf")
        network = build_network(read_streets(path, walk_rules(), way_forms(load_policy())))
        index = EdgeIndex.build(network, min_component_m, min_piece_m)
        streets, costs = oracle.read(path), flat_costs(network)
        return cls(world, network, index, costs, streets, min_component_m, min_piece_m)

    def snap(self, places: Sequence[Place]) -> Positions:
        """Where places join the streets."""
        xy_m = to_metric(self.world.lonlats(places), self.network.crs)
        return self.index.snap(xy_m, MAX_LEG_M)

    def nearest(
        self, people: Sequence[Place], facilities: Sequence[Place], limit_cm: int | None = None
    ) -> tuple[list[float | None], list[int | None]]:
        """Metres to the nearest facility and which one, None where there is no way."""
        at, goals = self.snap(people), self.snap(facilities)
        cm, facility = nearest_cm(self.costs, at, goals, limit_cm)
        if limit_cm is None:
            self._hold_against_oracle(people, facilities, cm, facility)
        metres = [None if c == UNREACHED_CM else c / 100 for c in cm.tolist()]
        return metres, [None if f == NOBODY else f for f in facility.tolist()]

    def _hold_against_oracle(
        self,
        people: Sequence[Place],
        facilities: Sequence[Place],
        cm: NDArray[np.int32],
        facility: NDArray[np.int32],
    ) -> None:
        expected = self.oracle_between_m(people, facilities)
        shortest = expected.min(axis=1, initial=np.inf)
        assert np.array_equal(cm == UNREACHED_CM, np.isinf(shortest))
        reached = np.flatnonzero(cm != UNREACHED_CM)
        assert np.abs(cm[reached] / 100 - shortest[reached]).max(initial=0) <= NEAR_M
        chosen = expected[reached, facility[reached]]
        assert np.abs(chosen - shortest[reached]).max(initial=0) <= NEAR_M

    def oracle_between_m(self, people: Sequence[Place], facilities: Sequence[Place]) -> Floats:
        """The oracle's metres from every person to every facility, inf = no way."""
        groups = [
            oracle.attach(
                self.streets,
                self.world.lonlats(places),
                self.network.crs,
                max_leg_m=MAX_LEG_M,
                min_component_m=self.min_component_m,
                min_piece_m=self.min_piece_m,
            )
            for places in (people, facilities)
        ]
        return oracle.between_m(self.streets, groups[0], groups[1])


def attachments(positions: Positions) -> Attachments:
    """One position per facility; unsnapped facilities have none."""
    snapped = np.flatnonzero(positions.edge != NOBODY)
    return Attachments(snapped.astype(np.int32), positions.take(snapped))


def nearest_cm(
    costs: WalkCosts, people: Positions, facilities: Positions, limit_cm: int | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Centimetres to the nearest facility and its number, by the kernels."""
    goals = goals_of(costs, attachments(facilities))
    field_ = nearest_from_nodes(costs, goals, limit_cm)
    found = nearest_from_positions(costs, goals, field_, people, limit_cm)
    return found.cm, found.facility
