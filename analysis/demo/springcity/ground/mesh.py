"""The mesh of the built-up city: a fine lattice of places bent out of true, and its quads.

Every community is a quad of the mesh, every street crossing a lattice point, so that streets,
communities, blocks and parks meet exactly where they share points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from lifecircle.analysis.demo.springcity.plan import (
    STREET_COLUMNS,
    STREET_ROWS,
    TILE_COLUMNS,
    TILE_ROWS,
    Plan,
)
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray

OLD, MIXED, NEW, VILLAGE, ABSENT = 0, 1, 2, 3, -1
_WARP_M: Final = 80.0
_VILLAGES_PER_TILE: Final = 18


@dataclass(frozen=True, slots=True)
class Mesh:
    """The lattice and what each quad is.

    `place` (columns*fine+1, rows*fine+1, 2): city metres of every lattice point.
    `kind` (columns, rows): OLD, MIXED, NEW, VILLAGE or ABSENT. `block` (4,): lattice steps
    along a block's side, by kind.
    """

    plan: Plan
    place: FloatArray
    kind: IntArray
    block: tuple[int, int, int, int]

    def quads(self) -> list[tuple[int, int]]:
        """(column, row) of every quad that exists, column by column."""
        return [(int(i), int(j)) for i, j in zip(*np.nonzero(self.kind != ABSENT), strict=True)]

    def ring(self, gi: int, gj: int, size: int, step: int) -> FloatArray:
        """The outline of a square of lattice points, open ring, (n, 2)."""
        along = np.arange(0, size, step)
        full = np.full(len(along), size)
        zero = np.zeros(len(along), dtype=np.int64)
        di = np.concatenate([along, full, size - along, zero])
        dj = np.concatenate([zero, along, full, size - along])
        outline: FloatArray = self.place[gi + di, gj + dj]
        return outline


def make_mesh(plan: Plan) -> Mesh:
    """The mesh of a plan: kinds of quads, the bend, the unevenness of old quarters."""
    kind = _kinds(plan)
    fine = plan.fine
    block = (2, 4, 8, 1) if fine == 24 else (2, 3, 12 if plan.shrink < 0.45 else 4, 1)
    width, height = plan.columns * fine + 1, plan.rows * fine + 1
    side_x, side_y = plan.side_m
    x = np.arange(width, dtype=np.float64)[:, None] * (side_x / fine)
    y = np.arange(height, dtype=np.float64)[None, :] * (side_y / fine)
    s = plan.shrink
    calm = _smooth(x / (900.0 * s)) * _smooth(y / (900.0 * s))
    dx = _WARP_M * s * calm * np.sin(y / (640.0 * s) + 1.3) * np.cos(x / (1_900.0 * s))
    dy = _WARP_M * s * calm * np.sin(x / (730.0 * s) + 0.4) * np.cos(y / (1_700.0 * s))
    place = np.stack([x + dx, y + dy], axis=2)
    place += _unevenness(plan, kind, (side_x / fine, side_y / fine))
    return Mesh(plan, place, kind, block)


def _smooth(t: FloatArray) -> FloatArray:
    u = np.clip(t, 0.0, 1.0)
    smooth: FloatArray = u * u * (3.0 - 2.0 * u)
    return smooth


def _kinds(plan: Plan) -> IntArray:
    kind = np.full((plan.columns, plan.rows), ABSENT, dtype=np.int64)
    rng = plan.rng("kinds")
    i, j = np.meshgrid(np.arange(TILE_COLUMNS), np.arange(TILE_ROWS), indexing="ij")
    for column, row in plan.tiles:
        tile = np.where(i >= 9, NEW, MIXED)
        tile[(i - 5) ** 2 + (j - 5.5) ** 2 < 2.7**2] = OLD
        edge = np.argwhere(tile == MIXED)
        chosen = edge[rng.choice(len(edge), _VILLAGES_PER_TILE, replace=False)]
        tile[chosen[:, 0], chosen[:, 1]] = VILLAGE
        x, y = column * TILE_COLUMNS, row * TILE_ROWS
        kind[x : x + TILE_COLUMNS, y : y + TILE_ROWS] = tile
    return kind


def _unevenness(plan: Plan, kind: IntArray, step: tuple[float, float]) -> FloatArray:
    """Random shifts of lattice points inside quads, metres; none on the main streets."""
    fine = plan.fine
    width, height = plan.columns * fine + 1, plan.rows * fine + 1
    reach = np.select([kind == OLD, kind == MIXED, kind == VILLAGE], [0.45, 0.2, 0.3], 0.0)
    amount = np.zeros((width, height))
    amount[:-1, :-1] = np.repeat(np.repeat(reach, fine, axis=0), fine, axis=1)
    amount[::fine, :] = 0.0
    amount[:, ::fine] = 0.0
    shift = plan.rng("unevenness").uniform(-1.0, 1.0, (width, height, 2))
    uneven: FloatArray = shift * amount[:, :, None] * np.array(step)
    return uneven


def street_of(column: int, row: int) -> tuple[int, int, int, int]:
    """(tile column, tile row, band column, band row) of the 街道 a quad belongs to."""
    i, j = column % TILE_COLUMNS, row % TILE_ROWS
    band_i = int(np.searchsorted(np.cumsum(STREET_COLUMNS), i, side="right"))
    band_j = int(np.searchsorted(np.cumsum(STREET_ROWS), j, side="right"))
    return column // TILE_COLUMNS, row // TILE_ROWS, band_i, band_j


def exists(kind: IntArray) -> BoolArray:
    """Which quads exist, padded by one absent quad all round."""
    padded: BoolArray = np.pad(kind != ABSENT, 1)
    return padded
