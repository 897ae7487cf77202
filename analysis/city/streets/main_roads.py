"""Main roads as barriers: one walks along either side of them, and across at no crossing.

Every main road becomes two streets, its left and its right side, a metre to either side of its
middle line. A street that meets it joins the side it comes from. Where main roads meet, each
corner between two of them is a place of its own; where one ends, people walk around its end.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from lifecircle.analysis.policy.sections.terrain import WayForm
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray
from lifecircle.analysis.readers.osm.streets import RawStreets

_ASIDE_DEG = 1.0 / 111_320.0  # a metre of latitude
_MAIN = int(WayForm.MAIN_ROAD)


def part_by_main_roads(raw: RawStreets, closed: RawStreets | None = None) -> RawStreets:
    """The streets with the two sides of every main road apart; ways keep their ids and forms.

    `closed`: main roads nobody may walk along; they part what meets them all the same. Bridges
    and tunnels over or under a main road share no node with it and stay whole. A street drawn
    upon a main road, node for node, is taken for the main road.
    """
    form = np.zeros(len(raw.way_id), dtype=np.uint8) if raw.form is None else raw.form
    is_main = (form & _MAIN) > 0
    if not is_main.any() and closed is None:
        return raw
    roads = [raw] if closed is None else [raw, closed]
    ref, row, node = np.unique(
        np.concatenate([each.node_ref for each in roads]), return_index=True, return_inverse=True
    )
    lonlat = np.vstack([each.lonlat for each in roads])[row]
    a, b, way = _list_segments(raw, node[: len(raw.node_ref)])
    bars = [a[is_main[way]]], [b[is_main[way]]]
    if closed is not None:
        start, end, _ = _list_segments(closed, node[len(raw.node_ref) :])
        bars[0].append(start)
        bars[1].append(end)
    corners = _Corners(ref, lonlat, np.concatenate(bars[0]), np.concatenate(bars[1]))
    beside = np.zeros(len(raw.way_id), dtype=bool)
    beside[way[corners.parted[a] | corners.parted[b]]] = True
    beside |= is_main
    segments: list[tuple[int, tuple[int, float, float], tuple[int, float, float]]] = []
    for s in np.flatnonzero(beside[way]).tolist():
        u, v = int(a[s]), int(b[s])
        if is_main[way[s]]:
            segments.append((way[s], corners.left(u, v), corners.right(v, u)))
            segments.append((way[s], corners.right(u, v), corners.left(v, u)))
        elif not corners.joined(u, v):
            segments.append((way[s], corners.toward(u, v), corners.toward(v, u)))
    return _assemble_ways(raw, ~beside, segments)


def _list_segments(raw: RawStreets, node: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Both nodes and the way of every segment that leads anywhere."""
    inside = np.ones(len(node), dtype=bool)
    inside[raw.way_start[1:] - 1] = False
    tail = np.flatnonzero(inside)
    way = np.repeat(np.arange(len(raw.way_id)), np.diff(raw.way_start) - 1)
    a, b = node[tail], node[tail + 1]
    real = a != b
    return a[real], b[real], way[real]


class _Corners:
    """The places around each node of main roads: one in each corner between two of them."""

    def __init__(self, ref: IntArray, lonlat: FloatArray, a: IntArray, b: IntArray) -> None:
        self._ref, self._lonlat = ref, lonlat
        found: dict[int, set[int]] = defaultdict(set)
        for u, v in zip(a.tolist(), b.tolist(), strict=True):
            found[u].add(v)
            found[v].add(u)
        self._main = dict(found)
        self.parted: BoolArray = np.zeros(len(ref), dtype=bool)
        self._angles: dict[int, FloatArray] = {}
        self._order: dict[int, list[int]] = {}
        self._first: dict[int, int] = {}
        unused = min(0, int(ref.min())) - 1
        for node in sorted(found):
            if len(found[node]) < 2:
                continue
            self.parted[node] = True
            around = sorted(found[node], key=lambda other: (self._angle(node, other), other))
            self._order[node] = around
            self._angles[node] = np.array([self._angle(node, other) for other in around])
            self._first[node] = unused
            unused -= len(around)

    def joined(self, node: int, other: int) -> bool:
        """Whether a main road leads straight from one node to another."""
        return other in self._main.get(node, ())

    def left(self, node: int, other: int) -> tuple[int, float, float]:
        """The place at a node left of the main road that leads to another."""
        if not self.parted[node]:
            return self._itself(node)
        return self._corner(node, self._order[node].index(other))

    def right(self, node: int, other: int) -> tuple[int, float, float]:
        """The place at a node right of the main road that leads to another."""
        if not self.parted[node]:
            return self._itself(node)
        return self._corner(node, self._order[node].index(other) - 1)

    def toward(self, node: int, other: int) -> tuple[int, float, float]:
        """The place at a node where a street from another node comes in."""
        if not self.parted[node]:
            return self._itself(node)
        at = int(np.searchsorted(self._angles[node], self._angle(node, other), side="right"))
        return self._corner(node, at - 1)

    def _itself(self, node: int) -> tuple[int, float, float]:
        lon, lat = self._lonlat[node].tolist()
        return int(self._ref[node]), lon, lat

    def _corner(self, node: int, number: int) -> tuple[int, float, float]:
        angles = self._angles[node]
        count = len(angles)
        number %= count
        wide = (angles[(number + 1) % count] - angles[number]) % (2 * np.pi) or 2 * np.pi
        middle = angles[number] + wide / 2
        lon, lat = self._lonlat[node].tolist()
        east = _ASIDE_DEG * np.cos(middle) / np.cos(np.radians(lat))
        return (
            self._first[node] - number,
            float(lon + east),
            float(lat + _ASIDE_DEG * np.sin(middle)),
        )

    def _angle(self, node: int, other: int) -> float:
        east, north = self._lonlat[other] - self._lonlat[node]
        return float(np.arctan2(north, east * np.cos(np.radians(self._lonlat[node, 1]))))


def _assemble_ways(
    raw: RawStreets,
    stays: BoolArray,
    segments: list[tuple[int, tuple[int, float, float], tuple[int, float, float]]],
) -> RawStreets:
    """Ways that stay, and each changed segment as a way of its own."""
    size = np.diff(raw.way_start)
    rows = np.repeat(stays, size)
    owner = np.array([w for w, _, _ in segments], dtype=np.int64)
    places = [place for _, start, end in segments for place in (start, end)]
    counts = np.concatenate((size[stays], np.full(len(segments), 2, dtype=np.int64)))
    return RawStreets(
        np.concatenate((raw.way_id[stays], raw.way_id[owner])),
        np.concatenate(([0], np.cumsum(counts, dtype=np.int64))),
        np.concatenate((raw.node_ref[rows], np.array([p[0] for p in places], dtype=np.int64))),
        np.vstack((raw.lonlat[rows], np.array([p[1:] for p in places], dtype=np.float64))),
        None if raw.form is None else np.concatenate((raw.form[stays], raw.form[owner])),
    )
