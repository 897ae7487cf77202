"""The ground of springcity: river, railway, lake with an island, hills and their heights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon

from lifecircle.analysis.demo.springcity.plan import (
    TILE_HEIGHT_M,
    TILE_WIDTH_M,
    Plan,
)
from lifecircle.analysis.quantities import BoolArray, FloatArray

WEST_M, SOUTH_M = -6_000.0, -4_000.0  # the rural part: x in [-6, 0] and y in [-4, 0] km
HILL_TOP_M, LAKE_EAST_M = 10_000.0, 12_000.0
SHORE_M = -1_350.0
ISLAND_CENTRE = (8_000.0, -2_650.0)
ISLAND_RADII_M = (760.0, 520.0)
BRIDGE_ROWS = (2, 5, 8, 11)  # east-west main streets that cross the river
CROSSING_COLUMNS = (1, 4, 7, 10, 13)  # north-south main streets that cross the railway
_RIVER_WIDTH_M = 40.0


@dataclass(frozen=True, slots=True)
class Terrain:
    """Water and rails in city metres: lines are crossed by streets only at bridges."""

    river: LineString
    railway: LineString
    river_bed: Polygon
    lake: Polygon  # with the island as a hole
    island: Polygon


def make_terrain(plan: Plan) -> Terrain:
    """River, railway and lake of a plan."""
    width, height = TILE_WIDTH_M * plan.shrink, TILE_HEIGHT_M * plan.shrink
    top = height * (plan.rows // 12)
    right = width * (plan.columns // 14)
    y = np.linspace(SHORE_M - 50.0, top + 300.0, 120)
    bend = np.clip(y / height, 0.0, 1.0)
    x = 0.415 * width + 0.03 * width * np.sin(7.0 * y / height) * bend
    river = LineString(np.column_stack([x, y]))
    rail_x = np.linspace(40.0, right + 300.0, 120)
    rail_y = 0.635 * height + 0.015 * height * np.sin(5.0 * rail_x / width)
    turn = np.linspace(0.0, 2 * np.pi, 121)[:-1]
    island = Polygon(
        np.column_stack(
            [
                ISLAND_CENTRE[0] + ISLAND_RADII_M[0] * np.cos(turn),
                ISLAND_CENTRE[1] + ISLAND_RADII_M[1] * np.sin(turn),
            ]
        )
    )
    shore_x = np.linspace(300.0, LAKE_EAST_M - 300.0, 100)
    shore = np.column_stack([shore_x, SHORE_M + 45.0 * np.sin(shore_x / 420.0)])
    basin = np.vstack([shore, [[LAKE_EAST_M - 300.0, -3_900.0], [300.0, -3_900.0]]])
    return Terrain(
        river=river,
        railway=LineString(np.column_stack([rail_x, rail_y])),
        river_bed=river.buffer(_RIVER_WIDTH_M / 2, cap_style="flat"),
        lake=Polygon(basin, [island.exterior.coords]),
        island=island,
    )


def height_m(xy_m: FloatArray) -> FloatArray:
    """Height above the sea, metres: flat city and lake, hills that rise to the west."""
    x, y = xy_m[:, 0], xy_m[:, 1]
    uphill = np.clip(-x / 6_000.0, 0.0, 1.0)
    ridges = 70.0 * np.sin(x / 520.0) * np.cos(y / 680.0) + 40.0 * np.sin(y / 310.0 + x / 900.0)
    rise = uphill * (420.0 + ridges)
    north = np.clip(y, 0.0, None) * 0.0015
    heights: FloatArray = 1_888.0 + rise + north
    return heights


def wet(terrain: Terrain, xy_m: FloatArray, margin_m: float) -> BoolArray:
    """Which points lie in the lake or nearer than `margin_m` to river or rails."""
    points = shapely.points(xy_m)
    lines = shapely.union_all([terrain.river, terrain.railway])
    shapely.prepare(lines)
    shapely.prepare(terrain.lake)
    near = shapely.dwithin(lines, points, margin_m)
    return np.asarray(near | shapely.contains(terrain.lake, points), dtype=np.bool_)
