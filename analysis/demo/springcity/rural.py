"""The countryside: villages with lanes, winding roads between them, the island, the long pier.

Where each natural village lies, and every way outside the mesh of the city.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.sparse.csgraph import minimum_spanning_tree
from shapely.geometry import Polygon

from lifecircle.analysis.demo.springcity.draft import Draft, synthetic
from lifecircle.analysis.demo.springcity.ground.terrain import (
    HILL_TOP_M,
    ISLAND_CENTRE,
    ISLAND_RADII_M,
    LAKE_EAST_M,
    SOUTH_M,
    WEST_M,
    Terrain,
)
from lifecircle.analysis.demo.springcity.plan import GEOD, HAMLET_AWAY_M, Plan, as_in_osm, to_city
from lifecircle.analysis.quantities import FloatArray, IntArray

_LANE_M: Final = 55.0
_ISLAND_LANE_M: Final = 110.0
_ROAD_POINT_M: Final = 40.0
STRIP_SOUTH_M: Final = -1_200.0
PIER_METRES: Final = 2_400.0
_PIER_HEAD: Final = (2_600.0, -1_180.0)
HILL_COLUMNS, HILL_ROWS = 3, 3  # 行政村 of each hill township, as a mesh
_RIVER_AWAY_M: Final = 350.0
SHORE_TOWNSHIP: Final = 2
STRIP_COLUMNS: Final = 6  # 行政村 on the shore


@dataclass(frozen=True, slots=True)
class RuralQuad:
    """The rectangle of one 行政村, city metres: (west, south, east, north), its township 0-2."""

    township: int
    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Hamlet:
    """One natural village: the index of its 行政村, its middle, the hull its people live in."""

    village: int
    centre: tuple[float, float]
    hull: Polygon
    role: str  # "plain" | "seat" | "island" | "unsnapped"


@dataclass(frozen=True, slots=True)
class Pier:
    """The straight way south along a meridian: longitude, latitude of its head."""

    lon: float
    lat: float

    def at(self, metres: float) -> tuple[float, float]:
        """Longitude and latitude of the place so many metres from the head (1e-7 degree)."""
        lon, lat, _ = GEOD.fwd(self.lon, self.lat, 180.0, metres)
        return round(self.lon, 7) if abs(lon - self.lon) < 1e-9 else round(lon, 7), round(lat, 7)


@dataclass(frozen=True, slots=True)
class Country:
    """The rural part: rectangles of the 25 行政村, natural villages, the pier."""

    quads: tuple[RuralQuad, ...]
    hamlets: tuple[Hamlet, ...]
    pier: Pier


def rural_quads() -> tuple[RuralQuad, ...]:
    """The 25 行政村: 9 + 9 in two hill townships, 6 on the shore and the lake with its island."""
    quads = []
    for township, (low, high) in enumerate(((3_000.0, HILL_TOP_M), (SOUTH_M, 3_000.0))):
        x = np.linspace(WEST_M, 0.0, HILL_COLUMNS + 1)
        y = np.linspace(low, high, HILL_ROWS + 1)
        quads += [
            RuralQuad(township, x[i], y[j], x[i + 1], y[j + 1])
            for i in range(HILL_COLUMNS)
            for j in range(HILL_ROWS)
        ]
    x = np.linspace(0.0, LAKE_EAST_M, STRIP_COLUMNS + 1)
    quads += [RuralQuad(2, x[i], STRIP_SOUTH_M, x[i + 1], 0.0) for i in range(STRIP_COLUMNS)]
    quads.append(RuralQuad(2, 0.0, SOUTH_M, LAKE_EAST_M, STRIP_SOUTH_M))
    return tuple(quads)


SEATS: Final = {4: 0, 13: 1, 20: 2}  # 行政村 → township whose seat it holds


def draw_country(
    draft: Draft, plan: Plan, terrain: Terrain, anchors_xy: FloatArray, anchors: IntArray
) -> Country:
    """Draw the rural ways; `anchors` are city nodes on the border where roads may begin."""
    rng = plan.rng("country")
    quads = rural_quads()
    hamlets: list[Hamlet] = []
    middle: list[int] = []
    for number, quad in enumerate(quads[:-1]):
        for k, near in enumerate(_centres(rng, quad)):
            centre = _off_the_river(terrain, quad, near)
            role = "seat" if number in SEATS and k == 0 else "plain"
            node, hull = _draw_lanes(draft, rng, centre, large=role == "seat")
            hamlets.append(Hamlet(number, centre, hull, role))
            middle.append(node)
    pier, head = _draw_pier(draft)
    targets = np.array([*(h.centre for h in hamlets), _PIER_HEAD])
    nodes = np.array([*middle, head], dtype=np.int64)
    _draw_roads(draft, rng, terrain, (targets, nodes), (anchors_xy, anchors))
    island = len(quads) - 1
    hamlets += [Hamlet(island, centre, hull, "island") for centre, hull in _draw_island(draft)]
    hamlets.append(_lonely(draft, quads))
    return Country(quads, tuple(hamlets), pier)


def _centres(rng: np.random.Generator, quad: RuralQuad) -> list[tuple[float, float]]:
    """Middles of a 行政村's natural villages: in parts of its rectangle, well apart."""
    rows = 2 if quad.north - quad.south > 1_500.0 else 1
    wide, high = (quad.east - quad.west) / 2, (quad.north - quad.south) / rows
    parts = [(i, j) for i in range(2) for j in range(rows)]
    count = int(rng.integers(2, len(parts) + 1)) if rows == 2 else 2
    chosen = [parts[k] for k in rng.permutation(len(parts))[:count]]
    shift = rng.uniform(-110.0, 110.0, (count, 2))
    return [
        (quad.west + (i + 0.5) * wide + dx, quad.south + (j + 0.5) * high + dy)
        for (i, j), (dx, dy) in zip(chosen, shift.tolist(), strict=True)
    ]


def _off_the_river(
    terrain: Terrain, quad: RuralQuad, centre: tuple[float, float]
) -> tuple[float, float]:
    """The same middle, or one moved along the shore where the river runs through the village."""
    if quad.township != SHORE_TOWNSHIP:
        return centre
    river = float(terrain.river.coords[0][0])  # straight and due south below the city
    away = centre[0] - river
    if abs(away) >= _RIVER_AWAY_M:
        return centre
    side = 1.0 if (quad.west + quad.east) / 2 > river else -1.0
    return river + side * _RIVER_AWAY_M, centre[1]


def _draw_lanes(
    draft: Draft, rng: np.random.Generator, centre: tuple[float, float], *, large: bool
) -> tuple[int, Polygon]:
    """A small crooked grid of lanes; its middle node and the hull the village fills."""
    wide, high = (5, 5) if large else (int(rng.integers(3, 6)), int(rng.integers(3, 5)))
    gi, gj = np.meshgrid(np.arange(wide), np.arange(high), indexing="ij")
    flat = np.column_stack([gi.ravel() - (wide - 1) / 2, gj.ravel() - (high - 1) / 2]) * _LANE_M
    flat += rng.uniform(-0.2, 0.2, flat.shape) * _LANE_M
    turn = rng.uniform(0.0, np.pi / 2)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    xy = flat @ spin.T + np.array(centre)
    grid = draft.add_nodes(xy).reshape(wide, high)
    kinds = ("residential", "service", "path", "footway", "steps", "residential")
    for lane in (*grid, *grid.T):
        draft.add_way(lane, synthetic(highway=kinds[int(rng.integers(0, len(kinds)))]))
    hull = shapely.buffer(shapely.MultiPoint(xy).convex_hull, 60.0, quad_segs=4)
    return int(grid[wide // 2, high // 2]), hull


def _draw_roads(
    draft: Draft,
    rng: np.random.Generator,
    terrain: Terrain,
    villages: tuple[FloatArray, IntArray],
    anchors: tuple[FloatArray, IntArray],
) -> None:
    """The least tree of winding roads that joins all villages to the city."""
    xy = np.vstack([villages[0], anchors[0]])
    nodes = np.concatenate([villages[1], anchors[1]])
    first, second = np.triu_indices(len(xy), 1)
    cost = np.hypot(*(xy[first] - xy[second]).T)
    both_anchors = first >= len(villages[0])
    cost[both_anchors] = 1e-3
    barrier = shapely.union_all([terrain.river_bed.buffer(80.0), terrain.lake])
    shapely.prepare(barrier)
    blocked = shapely.intersects(
        barrier, shapely.linestrings(np.stack([xy[first], xy[second]], axis=1))
    )
    cost[blocked & ~both_anchors] = 1e9
    matrix = np.zeros((len(xy), len(xy)))
    matrix[first, second] = cost
    tree = minimum_spanning_tree(matrix).tocoo()
    for a, b in sorted(zip(tree.row.tolist(), tree.col.tolist(), strict=True)):
        if a < len(villages[0]) or b < len(villages[0]):
            _wind(draft, rng, (xy[a], int(nodes[a])), (xy[b], int(nodes[b])))


def _wind(
    draft: Draft,
    rng: np.random.Generator,
    start: tuple[FloatArray, int],
    end: tuple[FloatArray, int],
) -> None:
    along = end[0] - start[0]
    length = float(np.hypot(*along))
    hilly = float(start[0][0] + end[0][0]) / 2 < -300.0
    t = np.linspace(0.0, 1.0, max(3, int(length / _ROAD_POINT_M)))[1:-1]
    bends = int(rng.integers(2, 5)) if hilly else 1
    swing = (0.10 if hilly else 0.05) * length * np.sin(2 * np.pi * bends * t) * np.sin(np.pi * t)
    across = np.array([-along[1], along[0]]) / length
    inner = draft.add_nodes(start[0] + t[:, None] * along + swing[:, None] * across)
    nodes = np.concatenate([[start[1]], inner, [end[1]]])
    kind = ("tertiary", "unclassified", "track")[int(rng.integers(0, 3))]
    draft.add_way(nodes, synthetic(highway=kind))


def _draw_pier(draft: Draft) -> tuple[Pier, int]:
    """The long pier, due south along one meridian; the node at its head."""
    (lon, lat), *_ = as_in_osm(np.array([_PIER_HEAD])).tolist()
    pier = Pier(lon, lat)
    places = np.array([pier.at(m) for m in np.linspace(0.0, PIER_METRES, 7)])
    nodes = draft.draw(
        to_city(places), synthetic(highway="footway", name="长堤", name_en="Long Pier")
    )
    return pier, int(nodes[0])


def _draw_island(draft: Draft) -> list[tuple[tuple[float, float], Polygon]]:
    """Lanes of the island, joined to nothing else; its two villages."""
    reach = [int(r * 0.88 // _ISLAND_LANE_M) for r in ISLAND_RADII_M]
    gi, gj = np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij")
    xy = np.stack([gi, gj], axis=2) * _ISLAND_LANE_M
    inside = (xy[:, :, 0] / ISLAND_RADII_M[0]) ** 2 + (xy[:, :, 1] / ISLAND_RADII_M[1]) ** 2 < 0.8
    number = np.full(inside.shape, -1, dtype=np.int64)
    number[inside] = draft.add_nodes(xy[inside] + np.array(ISLAND_CENTRE))
    for lane in (*number, *number.T):
        kept = lane[lane >= 0]
        if len(kept) > 1:
            draft.add_way(kept, synthetic(highway="residential"))
    east, west = ISLAND_CENTRE[0] + 330.0, ISLAND_CENTRE[0] - 330.0
    y = ISLAND_CENTRE[1]
    return [((x, y), shapely.Point(x, y).buffer(300.0, quad_segs=6)) for x in (west, east)]


def _lonely(draft: Draft, quads: Sequence[RuralQuad]) -> Hamlet:
    """A hamlet in the first hill township, as far from every way as the hills allow."""
    quad = quads[1]
    nodes = np.vstack(draft.xy)
    near = nodes[(nodes[:, 0] < quad.east + 900) & (nodes[:, 1] > quad.south - 900)]
    x = np.arange(quad.west + 300.0, quad.east - 300.0, 50.0)
    y = np.arange(quad.south + 300.0, quad.north - 300.0, 50.0)
    spots = np.array([(a, b) for a in x for b in y])
    cloud = shapely.MultiPoint(near)
    shapely.prepare(cloud)
    away = shapely.distance(cloud, shapely.points(spots))
    best = spots[int(np.argmax(away))]
    radius = min(130.0, float(away.max()) - HAMLET_AWAY_M - _ROAD_POINT_M)
    centre = (float(best[0]), float(best[1]))
    return Hamlet(1, centre, shapely.Point(centre).buffer(radius, quad_segs=6), "unsnapped")
