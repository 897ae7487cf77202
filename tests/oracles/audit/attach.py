"""Where places join the streets: the nearest edge of a large piece, else of a short one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Transformer

from tests.oracles.audit.streets import Bools, Floats, Ints, Streets, geodesic_m

MAX_LEG_M = 250.0
MIN_COMPONENT_M = 5000.0
MIN_PIECE_M = 300.0


@dataclass(frozen=True, slots=True)
class Attached:
    """Where k places join: segment (-1 = unsnapped), share of it from a, leg, on a short piece."""

    segment: Ints
    share: Floats
    leg_m: Floats
    short_piece: Bools

    def __len__(self) -> int:
        return len(self.segment)

    @property
    def snapped(self) -> Bools:
        return self.segment >= 0


@dataclass(frozen=True, slots=True)
class Ground:
    """Where one may join: segments on the ground and lone ends of bridges, in metric places."""

    rows: Ints  # segments
    at: Floats  # share where the place is an end only, else NaN
    shapes: Any  # lines and points, metres
    tree: Any


@dataclass(frozen=True, slots=True)
class Joiner:
    """Attaches geometries in WGS84 to streets by the rules of DEFINITIONS."""

    streets: Streets
    to_metres: Transformer
    node_xy: Floats
    large: Ground
    small: Ground
    edges: Any = None  # tree of the product's edges in their order, metres; decides ties

    @classmethod
    def of(cls, streets: Streets, crs: str, edges: gpd.GeoDataFrame | None = None) -> Joiner:
        """`edges`: the published network; DEFINITIONS give ties to its lower id."""
        to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
        xy = np.column_stack(to_metres.transform(streets.lonlat[:, 0], streets.lonlat[:, 1]))
        large = streets.component_m >= MIN_COMPONENT_M
        small = ~large & (streets.component_m >= MIN_PIECE_M)
        lines = None if edges is None else _in_order(edges).to_crs(crs).array
        return cls(
            streets, to_metres, xy, _ground(streets, xy, large), _ground(streets, xy, small),
            None if lines is None else shapely.STRtree(np.asarray(lines, dtype=object)),
        )  # fmt: skip

    def metric(self, shapes: Any) -> Any:
        """Shapes of WGS84 in the area's metres."""
        return shapely.transform(
            shapes,
            lambda lonlat: np.column_stack(self.to_metres.transform(lonlat[:, 0], lonlat[:, 1])),
        )

    def join(self, shapes: Any) -> Attached:
        """Points, or outlines as lines, in WGS84."""
        return self.join_metric(self.metric(np.asarray(shapes, dtype=object)))

    def join_metric(self, metric: Any) -> Attached:
        """The same in the area's metres."""
        segment = np.full(len(metric), -1, dtype=np.int64)
        share, leg = np.zeros(len(metric)), np.zeros(len(metric))
        short = np.zeros(len(metric), dtype=bool)
        for ground in (self.large, self.small):
            todo = np.flatnonzero((segment < 0) & ~shapely.is_empty(metric))
            who, row, at, metres = self._nearest(ground, metric[todo])
            near = metres <= MAX_LEG_M
            who = todo[who[near]]
            segment[who], share[who], leg[who] = row[near], at[near], metres[near]
            short[who] = ground is self.small
        return Attached(segment, share, leg, short)

    def _nearest(self, ground: Ground, shapes: Any) -> tuple[Ints, Ints, Floats, Floats]:
        if len(ground.rows) == 0 or len(shapes) == 0:
            none = np.empty(0, dtype=np.int64)
            return none, none, np.empty(0), np.empty(0)
        who, found = self._first_of_ties(
            ground, *ground.tree.query_nearest(shapes, max_distance=2 * MAX_LEG_M)
        )
        foot, home = self._closest(ground.shapes[found], shapes[who])
        rows = ground.rows[found]
        start = self.node_xy[self.streets.a[rows]]
        step = self.node_xy[self.streets.b[rows]] - start
        square = np.einsum("ij,ij->i", step, step)
        along = np.einsum("ij,ij->i", foot - start, step)
        at = np.clip(np.divide(along, square, out=np.zeros_like(along), where=square > 0), 0, 1)
        at = np.where(np.isnan(ground.at[found]), at, ground.at[found])
        return who, rows, at, geodesic_m(self.degrees(foot), self.degrees(home))

    def _first_of_ties(self, ground: Ground, who: Ints, found: Ints) -> tuple[Ints, Ints]:
        """Of segments as near as each other the one on the lowest of the product's edges."""
        edge = np.zeros(len(who), dtype=np.int64)
        tied = np.flatnonzero(np.bincount(who)[who] > 1)
        if self.edges is not None and len(tied):
            rows = ground.rows[found[tied]]
            ends = self.node_xy[self.streets.a[rows]], self.node_xy[self.streets.b[rows]]
            middle = shapely.points((ends[0] + ends[1]) / 2)
            edge[tied] = self.edges.query_nearest(middle, all_matches=False)[1]
        order = np.lexsort((found, edge, who))
        who, first = np.unique(who[order], return_index=True)
        return who, found[order[first]]

    @staticmethod
    def _closest(streets: Any, shapes: Any) -> tuple[Floats, Floats]:
        """The nearest point of each street and of each shape."""
        lines = shapely.shortest_line(streets, shapes)
        ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
        return ends[:, 0], ends[:, 1]

    def degrees(self, xy: Floats) -> Floats:
        """Metric places as (lon, lat)."""
        return np.column_stack(self.to_metres.transform(xy[:, 0], xy[:, 1], direction="INVERSE"))

    def place(self, at: Attached) -> Floats:
        """Metric places (k, 2) where things join; NaN where unsnapped."""
        start = self.node_xy[self.streets.a[at.segment]]
        step = self.node_xy[self.streets.b[at.segment]] - start
        return np.where(at.snapped[:, None], start + at.share[:, None] * step, np.nan)


def _in_order(edges: gpd.GeoDataFrame) -> gpd.GeoSeries:
    return edges.geometry.iloc[np.argsort(edges["id"].astype(int).to_numpy())]


def _ground(streets: Streets, xy: Floats, allowed: Bools) -> Ground:
    """Segments on the ground, and ends of bridges and tunnels that nothing else meets."""
    rows = np.flatnonzero(allowed & ~streets.aloft)
    lines = shapely.linestrings(np.stack([xy[streets.a[rows]], xy[streets.b[rows]]], axis=1))
    degree = np.bincount(np.concatenate([streets.a, streets.b]), minlength=len(xy))
    lone_rows, lone_at = [], []
    for end, at in ((streets.a, 0.0), (streets.b, 1.0)):
        lone = np.flatnonzero(allowed & streets.aloft & (degree[end] == 1))
        lone_rows.append(lone)
        lone_at.append(np.full(len(lone), at))
    ends = np.concatenate(lone_rows)
    at = np.concatenate(lone_at)
    nodes = np.where(at == 0, streets.a[ends], streets.b[ends])
    shapes = np.concatenate([lines, shapely.points(xy[nodes])])
    return Ground(
        rows=np.concatenate([rows, ends]),
        at=np.concatenate([np.full(len(rows), np.nan), at]),
        shapes=shapes,
        tree=shapely.STRtree(shapes),
    )


def starts(shapes: Any) -> Any:
    """Where a cell's walk starts: its point, its centroid, or a point inside where that is not.

    Shapes in the area's metres: the point inside depends on where west and east are.
    """
    shapes = np.asarray(shapes, dtype=object)
    middle = shapely.centroid(shapes)
    outside = (shapely.get_dimensions(shapes) == 2) & ~shapely.covers(shapes, middle)
    middle[outside] = shapely.point_on_surface(shapes[outside])
    return middle
