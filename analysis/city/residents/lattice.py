"""Square lattices over polygons. Their origin is 0, 0 of the metric CRS, whatever the data.

So the same land gives the same squares and points in every run and every extract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import lib

from lifecircle.analysis.city.model import GeometryArray
from lifecircle.analysis.city.shapes import keep_areas
from lifecircle.analysis.quantities import FloatArray, IntArray

_FULL = 1 - 1e-9  # share of a block from which rounding alone separates it from a full one
_LOST = 1e-9  # share of a block by which quick clipping may miss before it is done again
_CHUNK = 1_000_000  # lattice points tested at once, to bound memory


@dataclass(frozen=True, slots=True)
class Squares:
    """Lattice squares that meet polygons (k squares).

    `owner`: index of the polygon; `column`, `row`: the square reaches from ``column * step`` to
    ``(column + 1) * step`` metres east, likewise north; `piece`: the polygon within the square.
    """

    owner: IntArray
    column: IntArray
    row: IntArray
    piece: GeometryArray


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Blocks of squares, each with the part of its polygon that lies in it."""

    owner: IntArray
    west: IntArray
    south: IntArray
    east: IntArray
    north: IntArray
    part: GeometryArray

    def take(self, rows: NDArray[Any]) -> _Blocks:
        return _Blocks(
            self.owner[rows],
            self.west[rows],
            self.south[rows],
            self.east[rows],
            self.north[rows],
            self.part[rows],
        )


def lattice_squares(polygons: GeometryArray, step_m: float) -> Squares:
    """The squares of `step_m` metres that share area with each polygon, clipped to it.

    Blocks of squares are halved until they lie fully inside their polygon or are one square, so
    that only squares on the outline are clipped, each from a small part. The quick clipping is
    checked: both halves are valid and add up to the whole, or they are intersected properly.
    """
    blocks = _frame_polygons(polygons, step_m)
    done: list[_Blocks] = []
    while len(blocks.owner):
        wide = blocks.east - blocks.west
        high = blocks.north - blocks.south
        full = shapely.area(blocks.part) >= wide * high * step_m**2 * _FULL
        single = (wide == 1) & (high == 1)
        done.append(blocks.take(single))
        done.append(_part_squares(blocks.take(full & ~single), step_m))
        blocks = _halve_blocks(blocks.take(~full & ~single), step_m)
    if not done:
        none = np.empty(0, dtype=np.int64)
        return Squares(none, none, none, np.empty(0, dtype=object))
    owner, column, row, piece = (
        np.concatenate([getattr(block, name) for block in done])
        for name in ("owner", "west", "south", "part")
    )
    order = np.lexsort((row, column, owner))
    return Squares(owner[order], column[order], row[order], piece[order])


def lattice_points(polygons: GeometryArray, step_m: float) -> tuple[IntArray, FloatArray]:
    """Centres of the lattice squares of `step_m` metres that lie in each polygon.

    Returns the index of the polygon (k,) and the points (k, 2), in polygon order.
    """
    shapely.prepare(polygons)
    blocks = _frame_polygons(polygons, step_m)
    wide = blocks.east - blocks.west
    size = wide * (blocks.north - blocks.south)
    owners, points = [np.empty(0, dtype=np.int64)], [np.empty((0, 2))]
    ends = np.cumsum(size)
    for start in range(0, int(size.sum()), _CHUNK):
        flat = np.arange(start, min(start + _CHUNK, int(ends[-1])))
        block = np.searchsorted(ends, flat, side="right")
        row, column = np.divmod(flat - (ends - size)[block], wide[block])
        x = (blocks.west[block] + column + 0.5) * step_m
        y = (blocks.south[block] + row + 0.5) * step_m
        owner = blocks.owner[block]
        inside = shapely.intersects_xy(polygons[owner], x, y)
        owners.append(owner[inside])
        points.append(np.column_stack((x[inside], y[inside])))
    return np.concatenate(owners), np.concatenate(points)


def _frame_polygons(polygons: GeometryArray, step_m: float) -> _Blocks:
    owner = np.flatnonzero(shapely.area(polygons) > 0).astype(np.int64)
    return _Blocks(owner, *_find_extent(polygons[owner], step_m), polygons[owner])


def _find_extent(
    part: GeometryArray, step_m: float
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    bounds = shapely.bounds(part).reshape(-1, 4) / step_m
    west, south = np.floor(bounds[:, :2]).astype(np.int64).T
    east, north = np.ceil(bounds[:, 2:]).astype(np.int64).T
    return west, south, east, north


def _draw_boxes(blocks: _Blocks, step_m: float) -> GeometryArray:
    return np.asarray(
        shapely.box(
            blocks.west * step_m, blocks.south * step_m, blocks.east * step_m, blocks.north * step_m
        ),
        dtype=object,
    )


def _part_squares(full: _Blocks, step_m: float) -> _Blocks:
    wide = full.east - full.west
    size = wide * (full.north - full.south)
    block = np.repeat(np.arange(len(size)), size)
    place = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    row, column = np.divmod(place, wide[block]) if len(block) else (place, place)
    west, south = full.west[block] + column, full.south[block] + row
    squares = _Blocks(full.owner[block], west, south, west + 1, south + 1, full.part[block])
    return _Blocks(squares.owner, west, south, west + 1, south + 1, _draw_boxes(squares, step_m))


def _halve_blocks(blocks: _Blocks, step_m: float) -> _Blocks:
    wide = blocks.east - blocks.west
    high = blocks.north - blocks.south
    across = wide >= high
    middle_x = np.where(across, blocks.west + wide // 2, blocks.east)
    middle_y = np.where(across, blocks.north, blocks.south + high // 2)
    halves = _Blocks(
        np.concatenate((blocks.owner, blocks.owner)),
        np.concatenate((blocks.west, np.where(across, middle_x, blocks.west))),
        np.concatenate((blocks.south, np.where(across, blocks.south, middle_y))),
        np.concatenate((middle_x, blocks.east)),
        np.concatenate((middle_y, blocks.north)),
        np.concatenate((blocks.part, blocks.part)),
    )
    part = _clip_quickly(halves, step_m)
    lost = np.abs(shapely.area(part).reshape(2, -1).sum(axis=0) - shapely.area(blocks.part))
    redo = np.tile(lost > _LOST * wide * high * step_m**2, 2) | ~shapely.is_valid(part)
    part[redo] = shapely.intersection(halves.part[redo], _draw_boxes(halves.take(redo), step_m))
    mixed = shapely.get_type_id(part) == shapely.GeometryType.GEOMETRYCOLLECTION
    for i in np.flatnonzero(mixed):
        part[i] = keep_areas(part[i])
    there = shapely.area(part) > 0
    kept, part = halves.take(there), part[there]
    west, south, east, north = _find_extent(part, step_m)
    return _Blocks(  # never beyond the half: rounding must not reach into a neighbour
        kept.owner,
        np.maximum(west, kept.west),
        np.maximum(south, kept.south),
        np.minimum(east, kept.east),
        np.minimum(north, kept.north),
        part,
    )


def _clip_quickly(blocks: _Blocks, step_m: float) -> GeometryArray:
    """The parts within their blocks: three times as fast as an intersection, unproven.

    The function of GEOS itself is called: looking at its arguments takes `shapely.clip_by_rect`
    longer than clipping a small polygon.
    """
    part = np.empty(len(blocks.owner), dtype=object)
    clip = lib.clip_by_rect
    for i, (shape, west, south, east, north) in enumerate(
        zip(
            blocks.part,
            (blocks.west * step_m).tolist(),
            (blocks.south * step_m).tolist(),
            (blocks.east * step_m).tolist(),
            (blocks.north * step_m).tolist(),
            strict=True,
        )
    ):
        part[i] = clip(shape, west, south, east, north)
    return part
