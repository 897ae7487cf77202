"""Shortest ways in float64 over every segment, with every home and facility put in (scipy)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from tests.oracles.audit.attach import Attached
from tests.oracles.audit.goals import Goals
from tests.oracles.audit.streets import Floats, Ints, Streets

# Costs of walking along a segment from one share to a higher one, there and back, metres.
Along = Callable[[Ints, Floats, Floats], tuple[Floats, Floats]]


def flat(streets: Streets) -> Along:
    """The same both ways: a share of the segment's length, as it is walked."""
    length_m = streets.walked_m

    def along(row: Ints, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        metres = (high - low) * length_m[row]
        return metres, metres

    return along


@dataclass(frozen=True, slots=True)
class Walks:
    """A graph searched from facilities to homes: arcs against the walk."""

    graph: csr_array
    first_home: int
    homes: int
    first_facility: int

    def nearest_m(self, facilities: Ints) -> Floats:
        """Metres from every home to the nearest of some facilities; inf = no way."""
        if len(facilities) == 0:
            return np.full(self.homes, np.inf)
        found = dijkstra(
            self.graph, directed=True, indices=self.first_facility + facilities, min_only=True
        )
        return np.asarray(found[self.first_home : self.first_home + self.homes], dtype=float)

    def between_m(self, facilities: Ints) -> Floats:
        """Metres (facility, home): one search each."""
        return np.array([self.nearest_m(np.array([one])) for one in facilities.tolist()])


def build_walks(
    streets: Streets, homes: Attached, goals: Sequence[Goals], along: Along | None = None
) -> Walks:
    """The street graph with homes and facilities as nodes; homes are ends, facilities starts."""
    along = along or flat(streets)
    here = np.flatnonzero(homes.snapped)
    stops = [(k, *place) for k, goal in enumerate(goals) for place in goal.at]
    who = np.array([one[0] for one in stops], dtype=np.int64)
    row = np.concatenate([homes.segment[here], np.array([one[1] for one in stops], dtype=np.int64)])
    share = np.concatenate([homes.share[here], np.array([one[2] for one in stops], dtype=float)])
    node, feet = _feet(streets, row, share)
    total = len(streets.node_id) + len(feet)
    first_facility = total + len(homes)
    arcs = [_chain(streets, feet, along)]
    home_at, goal_at = node[: len(here)], node[len(here) :]
    arcs.append((home_at, total + here, homes.leg_m[here]))
    arcs.append((first_facility + who, goal_at, np.array([one[3] for one in stops], dtype=float)))
    inside_who, inside_at = _inside(homes, here, goals)
    # Only those who live inside are there: their foot on the street is no entrance for others.
    inside_home = here[inside_at]
    arcs.append((first_facility + inside_who, total + inside_home, homes.leg_m[inside_home]))
    tail, head, metres = (np.concatenate(part) for part in zip(*arcs, strict=True))
    size = first_facility + len(goals)
    return Walks(_least(tail, head, metres, size), total, len(homes), first_facility)


@dataclass(frozen=True, slots=True)
class Feet:
    """Places inside segments, each once, in their order along the segment."""

    row: Ints
    share: Floats
    first_node: int

    def __len__(self) -> int:
        return len(self.row)


def _feet(streets: Streets, row: Ints, share: Floats) -> tuple[Ints, Feet]:
    """The graph node of each place, and the places that are no node of the streets."""
    order = np.lexsort((share, row))
    sorted_row, sorted_share = row[order], share[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (sorted_row[1:] != sorted_row[:-1]) | (sorted_share[1:] != sorted_share[:-1])
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    feet = Feet(sorted_row[new], sorted_share[new], len(streets.node_id))
    node = feet.first_node + number
    return node, feet


def _chain(streets: Streets, feet: Feet, along: Along) -> tuple[Ints, Ints, Floats]:
    """Every segment as a chain over its feet, arcs both ways against the walk."""
    count = len(streets.a)
    row = np.concatenate([np.arange(count), np.arange(count), feet.row])
    share = np.concatenate([np.zeros(count), np.ones(count), feet.share])
    kind = np.concatenate([np.zeros(count), np.full(count, 2), np.ones(len(feet))])
    node = np.concatenate(
        [streets.a, streets.b, feet.first_node + np.arange(len(feet), dtype=np.int64)]
    )
    order = np.lexsort((kind, share, row))
    row, share, node = row[order], share[order], node[order]
    same = np.flatnonzero(row[1:] == row[:-1])
    there, back = along(row[same], share[same], share[same + 1])
    low, high = node[same], node[same + 1]
    # A walk from low to high is searched from high to low.
    return (
        np.concatenate([high, low]),
        np.concatenate([low, high]),
        np.concatenate([there, back]),
    )


def _inside(homes: Attached, here: Ints, goals: Sequence[Goals]) -> tuple[Ints, Ints]:
    """Homes that join a street inside an area: (facility, row of `here`)."""
    on: dict[int, list[int]] = {}
    for k, segment in enumerate(homes.segment[here].tolist()):
        on.setdefault(segment, []).append(k)
    who, at = [], []
    for facility, goal in enumerate(goals):
        for segment, low, high in goal.inside:
            for k in on.get(segment, ()):
                if low <= homes.share[here[k]] <= high:
                    who.append(facility)
                    at.append(k)
    return np.array(who, dtype=np.int64), np.array(at, dtype=np.int64)


def _least(tail: Ints, head: Ints, metres: Floats, size: int) -> csr_array:
    """A sparse graph with the least of parallel arcs; zeros stay arcs."""
    order = np.lexsort((metres, head, tail))
    tail, head, metres = tail[order], head[order], metres[order]
    first = np.ones(len(tail), dtype=bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    tail, head, metres = tail[first], head[first], metres[first]
    start = np.searchsorted(tail, np.arange(size + 1))
    return csr_array((metres, head, start), shape=(size, size))
