"""Who walks how far in springcity: every question answered by `walking`'s plain Dijkstra."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow
from shapely.geometry import Polygon

from lifecircle.analysis.demo.springcity.draft import Streets
from lifecircle.analysis.demo.springcity.ground.areas import Area
from lifecircle.analysis.demo.springcity.places import Place
from lifecircle.analysis.demo.springcity.plan import to_city
from lifecircle.analysis.demo.springcity.residents import People
from lifecircle.analysis.demo.truth.land import Land
from lifecircle.analysis.demo.truth.walking import (
    Footing,
    enter,
    metres_to_each,
    metres_to_nearest,
    stand,
)
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray

METRES_PER_MINUTE: Final = 1_000.0 / 15.0
DOUBT_M: Final = 0.5
"""Walks this near to a limit may fall on either side where lengths are kept in centimetres."""

SCHOOLS: Final = frozenset({"primary_school", "middle_school"})
"""Areas that are not entered: met at the outline, wherever it comes nearest to a street. Outlines
run beside streets, so that place is not one alone, and walks to schools are not told."""

Chosen = Callable[[Place], bool]


@dataclass(frozen=True, slots=True)
class Reached:
    """Persons within a walk: `residents`, and how many of all are in `doubt` at the limit."""

    residents: int
    doubt: int


@dataclass(slots=True)
class Reach:
    """Walks of all cells to places of any kind; the same question is walked once.

    `footing`: where the cells stand. `ground`: where places stand and areas are entered, areas
    counted from ``len(places)``. `off` (c,): cells too far from every way to walk at all.
    `offers`: the services of every area that has any. `order` (c,): cells by edge. `land`: where
    people live.
    """

    streets: Streets
    people: People
    places: Sequence[Place]
    areas: Sequence[Area]
    footing: Footing
    ground: Footing
    off: BoolArray
    offers: Mapping[int, set[str]]
    order: IntArray
    land: Land
    known: dict[tuple[int, ...], tuple[FloatArray, IntArray]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        streets: Streets,
        people: People,
        places: Sequence[Place],
        areas: Sequence[Area],
        off: BoolArray,
        land: Land,
    ) -> Reach:
        """Stand everybody and everything on the streets."""
        offers = {k: found for k, area in enumerate(areas) if (found := offered(area))}
        offering = np.array(list(offers), dtype=np.int64)
        shapes = [Polygon(areas[k].ring) for k in offering]
        gates = enter(streets, shapes)
        gates = Footing(gates.edge, gates.along_m, gates.leg_m, offering[gates.owner])
        spots = stand(streets, to_city(np.array([place.lonlat for place in places])))
        ground = spots.joined(gates, len(places))
        feet = stand(streets, people.xy)
        order = np.argsort(feet.edge, kind="stable")
        return cls(streets, people, places, areas, feet, ground, off, offers, order, land)

    def which(self, services: Iterable[str], chosen: Chosen | None = None) -> list[int]:
        """The places of some services that are chosen, and where nothing is chosen the areas."""
        wanted = set(services)
        found = [
            k
            for k, place in enumerate(self.places)
            if place.service in wanted and (chosen is None or chosen(place))
        ]
        if chosen is None:
            first = len(self.places)
            found += [first + k for k, services in self.offers.items() if services & wanted]
        return found

    def walk(self, which: Sequence[int]) -> tuple[FloatArray, IntArray]:
        """Metres (c,) from every cell to the nearest of places, inf where no way leads, and
        which of them it is, -1 where none."""
        key = tuple(which)
        if key not in self.known:
            self.known[key] = self._walk(which)
        return self.known[key]

    def _walk(self, which: Sequence[int]) -> tuple[FloatArray, IntArray]:
        if not which:
            nobody = np.full(len(self.people.id), np.inf)
            return nobody, np.full(len(nobody), -1)
        metres, owner = metres_to_nearest(
            self.streets, self.footing, self.ground.only(which), self.order
        )
        metres[self.off] = np.inf
        return metres, np.where(np.isfinite(metres), owner, -1)

    def between(self, places: Sequence[int], others: Sequence[int]) -> FloatArray:
        """Metres from each of some places along streets to the nearest of others."""
        here, there = self.ground.only(places), self.ground.only(others)
        metres, _ = metres_to_nearest(self.streets, here, there)
        return metres

    def within(
        self, which: Sequence[int], minutes: float, among: BoolArray | None = None,
        persons: IntArray | None = None,
    ) -> Reached:  # fmt: skip
        """Persons (all residents, or those given) whose walk takes no longer."""
        count = self.people.residents if persons is None else persons
        here = np.ones(len(count), dtype=np.bool_) if among is None else among
        limit = minutes * METRES_PER_MINUTE
        metres = self.walk(which)[0]
        near = here & (metres <= limit)
        unsure = here & (np.abs(metres - limit) <= DOUBT_M)
        return Reached(int(count[near].sum()), int(count[unsure].sum()))

    def land_within(
        self, which: Sequence[int], minutes: float, among: BoolArray | None = None
    ) -> Reached:
        """Square metres of housing land, to the nearest, from which the walk takes no longer."""
        land = self.land
        here = np.ones(len(land.xy), dtype=np.bool_) if among is None else among
        limit = minutes * METRES_PER_MINUTE
        if not which:
            return Reached(0, 0)
        ground = self.ground.only(which)
        metres, _ = metres_to_nearest(self.streets, land.footing, ground, land.order)
        near = here & ~land.off & (metres <= limit)
        unsure = here & ~land.off & (np.abs(metres - limit) <= DOUBT_M)
        return Reached(round(land.area_m2[near].sum()), round(land.area_m2[unsure].sum()))

    def served(
        self, which: Sequence[int], minutes: float, capacity: Sequence[float | None]
    ) -> Reached:
        """Most residents that places with a capacity can serve within a walk.

        None is no limit. `doubt` counts the residents in doubt at the limit of any place.
        """
        limit = minutes * METRES_PER_MINUTE
        residents = self.people.residents
        ground = self.ground.only(which)
        near = np.zeros((len(residents), len(which)), dtype=np.bool_)
        unsure = np.zeros(len(residents), dtype=np.bool_)
        walks = metres_to_each(self.streets, self.footing, ground, limit + DOUBT_M)
        for column, metres in zip(near.T, walks, strict=True):
            column[:] = ~self.off & (metres <= limit)
            unsure |= ~self.off & (np.abs(metres - limit) <= DOUBT_M)
        number: dict[bytes, int] = {}
        group = [number.setdefault(row.tobytes(), len(number)) for row in near]
        demand = np.bincount(group, weights=residents).astype(np.int64)
        reaches = np.array([np.frombuffer(row, dtype=np.bool_) for row in number])
        total = int(residents.sum())
        room = [total if c is None else min(int(c), total) for c in capacity]
        flow = most_flow(demand, reaches, np.array(room, dtype=np.int64))
        return Reached(flow, int(residents[unsure].sum()))


def offered(area: Area) -> set[str]:
    """The services whose places an area is, but for schools; a ground opened by one counts."""
    found = {area.service} if area.service is not None else set()
    found -= SCHOOLS
    if area.tags.get("amenity") == "school" and "access" in area.tags:
        found.add("school_grounds")
    return found


def most_flow(demand: IntArray, reaches: BoolArray, room: IntArray) -> int:
    """The most persons of groups (g,) that places (p,) with so much room can take.

    `reaches` (g, p): which group may go to which place.
    """
    groups, places = reaches.shape
    source, sink = groups + places, groups + places + 1
    g, p = np.nonzero(reaches)
    start = np.concatenate([np.full(groups, source), g, groups + np.arange(places)])
    end = np.concatenate([np.arange(groups), groups + p, np.full(places, sink)])
    size = np.concatenate([demand, demand[g], room]).astype(np.int32)
    graph = csr_array((size, (start, end)), shape=(sink + 1, sink + 1))
    return int(maximum_flow(graph, source, sink).flow_value)
