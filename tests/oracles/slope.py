"""Walking times with slope the slow way: `oracle.py` with heights, written anew.

Shares no line with ``analysis``: tags are read again, heights interpolated by scipy, bridges
solved densely, every OSM segment is a pair of arcs of its own, networkx finds the ways. Only the
definition is common: heights are read at equal parts of each segment no longer than `step_m`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, exp
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import osmium
from scipy.ndimage import map_coordinates

from tests.oracles import walks as oracle
from tests.oracles.walks import Attached, Floats, Streets

STEEPEST, GRADIENT = 0.35, 0.5
UP, DOWN = 1.34 / 0.61, 1.34 / 0.69


class _Forms(osmium.SimpleHandler):
    """For every segment the lowest way's (off the ground?, stairs?)."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[tuple[int, int], tuple[int, bool, bool]] = {}

    def way(self, way: osmium.osm.Way) -> None:
        tags = {tag.k: tag.v for tag in way.tags}
        if not oracle.may_walk(tags):
            return
        lifted = any(tags.get(key, "no") != "no" for key in ("bridge", "tunnel", "covered"))
        said = (way.id, lifted, tags["highway"] == "steps")
        refs = [node.ref for node in way.nodes]
        for a, b in pairwise(refs):
            key = (min(a, b), max(a, b))
            self.of[key] = min(self.of.get(key, said), said)


@dataclass(frozen=True)
class Slopes:
    """For each segment of `Streets` the sums of cost at its parts, from a to b and from b to a."""

    streets: Streets
    share: list[Floats]
    forth: list[Floats]
    back: list[Floats]

    def between(self, s: int, low: float, high: float) -> tuple[float, float]:
        """Metres on the flat from one share of a segment to a higher one, and back."""
        ahead = np.interp([low, high], self.share[s], self.forth[s])
        home = np.interp([low, high], self.share[s], self.back[s])
        return float(ahead[1] - ahead[0]), float(home[1] - home[0])


def slopes(streets: Streets, osm: Path, dem: Path, step_m: float) -> Slopes:
    """Heights and costs of all segments."""
    forms = _Forms()
    forms.apply_file(str(osm))
    height = _Dem(dem)
    at_node = height(streets.lonlat)
    told = [
        forms.of[min(p), max(p)] for p in
        zip(np.array(streets.node)[streets.a].tolist(), np.array(streets.node)[streets.b].tolist(),
            strict=True)
    ]  # fmt: skip
    lifted = np.array([one[1] for one in told])
    _lift(streets, lifted, at_node)
    share, forth, back = [], [], []
    for s, (_, over, stairs) in enumerate(told):
        length = float(streets.length_m[s])
        parts = 1 if over or stairs else max(1, ceil(length / step_m))
        at = np.linspace(0, 1, parts + 1)
        ends = streets.lonlat[[streets.a[s], streets.b[s]]]
        heights = height(ends[0] + at[:, None] * (ends[1] - ends[0])) if parts > 1 else np.zeros(2)
        heights[[0, -1]] = at_node[[streets.a[s], streets.b[s]]]
        ahead, home = [0.0], [0.0]
        for rise in np.nan_to_num(np.diff(heights), nan=0.0).tolist():
            ahead.append(ahead[-1] + _cost(rise, length / parts, stairs))
            home.append(home[-1] + _cost(-rise, length / parts, stairs))
        share.append(at)
        forth.append(np.array(ahead))
        back.append(np.array(home))
    return Slopes(streets, share, forth, back)


def _cost(rise: float, run: float, stairs: bool) -> float:
    if run == 0:
        return 0.0
    if stairs:
        steps = min(abs(rise) / GRADIENT, run)
        return run - steps + steps * (UP if rise > 0 else DOWN)
    slope = max(-STEEPEST, min(STEEPEST, rise / run))
    flat = 6 * exp(-3.5 * abs(0 + 0.05))
    return run * flat / (6 * exp(-3.5 * abs(slope + 0.05)))


class _Dem:
    """Bilinear heights of a geographic raster; NaN outside."""

    def __init__(self, path: Path) -> None:
        import rasterio

        with rasterio.open(path) as source:
            self.grid = source.read(1).astype(float)
            self.to = ~source.transform

    def __call__(self, lonlat: Floats) -> Floats:
        column = self.to.a * lonlat[:, 0] + self.to.c
        row = self.to.e * lonlat[:, 1] + self.to.f
        inside = (column >= 0) & (column <= self.grid.shape[1])
        inside &= (row >= 0) & (row <= self.grid.shape[0])
        found = map_coordinates(self.grid, [row - 0.5, column - 0.5], order=1, mode="nearest")
        return np.where(inside, found, np.nan)


def _lift(streets: Streets, lifted: np.ndarray, at_node: Floats) -> None:
    """Heights of nodes that only bridges meet, from the bridges' ends (in place)."""
    grounded = np.zeros(len(streets.node), dtype=bool)
    grounded[streets.a[~lifted]] = grounded[streets.b[~lifted]] = True
    graph: nx.Graph[int] = nx.Graph()
    for s in np.flatnonzero(lifted).tolist():
        length = max(float(streets.length_m[s]), 1e-3)
        graph.add_edge(int(streets.a[s]), int(streets.b[s]), weight=1 / length)
    for piece in nx.connected_components(graph):
        free = sorted(n for n in piece if not (grounded[n] and np.isfinite(at_node[n])))
        ends = [n for n in piece if grounded[n] and np.isfinite(at_node[n])]
        if not free:
            continue
        if not ends:
            at_node[[n for n in free if not grounded[n]]] = np.nan
            continue
        row = {n: i for i, n in enumerate(free)}
        matrix, right = np.zeros((len(free), len(free))), np.zeros(len(free))
        for n in free:
            for other, data in graph[n].items():
                matrix[row[n], row[n]] += data["weight"]
                if other in row:
                    matrix[row[n], row[other]] -= data["weight"]
                else:
                    right[row[n]] += data["weight"] * at_node[other]
        solved = np.linalg.solve(matrix, right)
        for n in free:
            if not grounded[n]:
                at_node[n] = solved[row[n]]


def nearest_m(slope: Slopes, points: Attached, facility_sets: Sequence[Attached]) -> Floats:
    """Metres on the flat that the walk from each point to the nearest facility is worth."""
    streets, groups = slope.streets, [points, *facility_sets]
    on: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    for g, group in enumerate(groups):
        for i in np.flatnonzero(group.snapped).tolist():
            on[int(group.segment[i])].append((float(group.share[i]), g, i))
    turned: nx.DiGraph[Any] = nx.DiGraph()  # arcs against the walk: searched from facilities
    for s, (a, b) in enumerate(zip(streets.a.tolist(), streets.b.tolist(), strict=True)):
        before, low = a, 0.0
        for share, g, i in [*sorted(on.get(s, ())), (1.0, -1, -1)]:
            foot: Any = b if g < 0 else ("foot", g, i)
            there, home = slope.between(s, low, share)
            turned.add_edge(foot, before, metres=there)
            turned.add_edge(before, foot, metres=home)
            if g >= 0:
                leg = float(groups[g].leg_m[i])
                turned.add_edge(foot, (g, i), metres=leg)
                turned.add_edge((g, i), foot, metres=leg)
            before, low = foot, share
    answer = np.full((len(facility_sets), len(points.segment)), np.inf)
    for row, facilities in enumerate(facility_sets):
        sources = {(row + 1, i) for i in np.flatnonzero(facilities.snapped).tolist()}
        if not sources:
            continue
        metres: Any = nx.multi_source_dijkstra(turned, sources, weight="metres")[0]
        for i in np.flatnonzero(points.snapped).tolist():
            answer[row, i] = metres.get((0, i), np.inf)
    return answer
