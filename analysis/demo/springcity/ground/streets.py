"""The streets of the built-up city, on the lattice of the mesh.

Main streets run along the sides of the quads; inside a quad the old town has small uneven
blocks, the urban villages a maze, the new town superblocks with ways of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.demo.springcity.draft import Draft, largest_only, runs, synthetic
from lifecircle.analysis.demo.springcity.ground.blocks import PARK, SCHOOL, SQUARE, Block
from lifecircle.analysis.demo.springcity.ground.mesh import MIXED, NEW, OLD, VILLAGE, Mesh, exists
from lifecircle.analysis.demo.springcity.ground.terrain import (
    BRIDGE_ROWS,
    CROSSING_COLUMNS,
    Terrain,
)
from lifecircle.analysis.demo.springcity.names import name_stream
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray

_MAIN: Final = {0: "primary", 1: "tertiary", 2: "secondary", 3: "tertiary"}
_INNER: Final = {
    OLD: ("residential", "residential", "living_street", "pedestrian", "footway", "residential"),
    MIXED: ("residential", "tertiary", "unclassified", "residential", "service"),
    NEW: ("tertiary", "residential"),
    VILLAGE: ("footway", "path", "service", "living_street", "footway", "residential", "steps"),
}
_RING: Final = ("service", "footway", "living_street")
_MISSING: Final = {OLD: 0.12, MIXED: 0.06, NEW: 0.0, VILLAGE: 0.36}
_PARK_WAY, _SQUARE_WAY = "footway", "pedestrian"
_SUFFIX: Final = {
    "primary": ("大道", "Avenue"),
    "secondary": ("路", "Road"),
    "tertiary": ("路", "Road"),
    "residential": ("街", "Street"),
    "unclassified": ("街", "Street"),
    "living_street": ("巷", "Lane"),
    "pedestrian": ("步行街", "Walk"),
}


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Lattice pieces (e): ends as lattice numbers, the line each lies on, its class."""

    ends: IntArray  # (e, 2)
    line: IntArray
    highway: NDArray[np.object_]
    bridge: BoolArray

    def only(self, keep: BoolArray) -> _Pieces:
        return _Pieces(self.ends[keep], self.line[keep], self.highway[keep], self.bridge[keep])


def draw_city(draft: Draft, mesh: Mesh, terrain: Terrain, blocks: Sequence[Block]) -> IntArray:
    """Draw the walkable streets of the city; lattice point → node, -1 where none, (w, h)."""
    pieces = _join([_main(mesh), *(_inner(mesh, kind) for kind in _INNER), _rings(mesh)])
    pieces = _through_blocks(mesh, pieces, blocks)
    place = mesh.place.reshape(-1, 2)
    lines = shapely.linestrings(place[pieces.ends])
    wall = shapely.union_all([terrain.river, terrain.railway])
    shapely.prepare(wall)
    pieces = pieces.only(~shapely.intersects(wall, lines) | pieces.bridge)
    crossing = shapely.intersects(wall, shapely.linestrings(place[pieces.ends]))
    pieces = _Pieces(pieces.ends, pieces.line, pieces.highway, pieces.bridge & crossing)
    pieces = pieces.only(largest_only(pieces.ends, len(place)))
    used, flat = np.unique(pieces.ends, return_inverse=True)
    nodes = draft.add_nodes(place[used])
    _as_ways(draft, mesh, pieces, nodes[flat.reshape(-1, 2)])
    node_of = np.full(len(place), -1, dtype=np.int64)
    node_of[used] = nodes
    return node_of.reshape(mesh.place.shape[:2])


def _number(mesh: Mesh, gi: IntArray, gj: IntArray) -> IntArray:
    number: IntArray = gi * mesh.place.shape[1] + gj
    return number


def _pieces(mesh: Mesh, gi: IntArray, gj: IntArray, highway: Sequence[str], first: int) -> _Pieces:
    """Pieces of lines given as points (lines, points): one class per line."""
    number = _number(mesh, gi, gj)
    count, points = number.shape
    ends = np.stack([number[:, :-1], number[:, 1:]], axis=2).reshape(-1, 2)
    names = np.array(highway, dtype=np.object_)
    return _Pieces(
        ends,
        np.repeat(first + np.arange(count), points - 1),
        np.repeat(names, points - 1),
        np.zeros(len(ends), dtype=np.bool_),
    )


def _join(parts: Sequence[_Pieces]) -> _Pieces:
    lines, last = [], 0
    for part in parts:
        lines.append(part.line + last)
        last += int(part.line.max(initial=-1)) + 1
    return _Pieces(
        np.vstack([part.ends for part in parts]),
        np.concatenate(lines),
        np.concatenate([part.highway for part in parts]),
        np.concatenate([part.bridge for part in parts]),
    )


def _main(mesh: Mesh) -> _Pieces:
    """Streets along the sides of quads that exist; some of them may bridge river and rails."""
    fine = mesh.plan.fine
    there = exists(mesh.kind)
    parts: list[_Pieces] = []
    fine_i, fine_j = (n - 1 for n in mesh.place.shape[:2])
    for i in range(mesh.plan.columns + 1):
        gj = np.arange(fine_j + 1)[None, :]
        line = _pieces(mesh, np.full_like(gj, i * fine), gj, [_MAIN[i % 4]], 0)
        side = np.repeat(there[i, 1:-1] | there[i + 1, 1:-1], fine)
        line.bridge[:] = i % 14 in CROSSING_COLUMNS
        parts.append(line.only(side))
    for j in range(mesh.plan.rows + 1):
        gi = np.arange(fine_i + 1)[None, :]
        line = _pieces(mesh, gi, np.full_like(gi, j * fine), [_MAIN[j % 4]], 0)
        side = np.repeat(there[1:-1, j] | there[1:-1, j + 1], fine)
        line.bridge[:] = j % 12 in BRIDGE_ROWS
        parts.append(line.only(side))
    return _join(parts)


def _inner(mesh: Mesh, kind: int) -> _Pieces:
    """Streets across the quads of one kind, some pieces left out at random."""
    fine, block = mesh.plan.fine, mesh.block[kind]
    rng = mesh.plan.rng(f"inner {kind}")
    quads = np.argwhere(mesh.kind == kind)
    across = np.arange(block, fine, block)
    along = np.arange(0, fine + 1, block // 2 if kind == NEW else block)
    if len(quads) == 0 or len(across) == 0:
        return _nothing()
    parts = []
    for turned in (False, True):
        fixed = (quads[:, None, 1 if turned else 0] * fine + across[None, :]).reshape(-1, 1)
        origin = np.repeat(quads[:, 0 if turned else 1] * fine, len(across))[:, None]
        moving = origin + along[None, :]
        fixed = np.broadcast_to(fixed, moving.shape)
        gi, gj = (moving, fixed) if turned else (fixed, moving)
        choice = rng.integers(0, len(_INNER[kind]), len(moving))
        part = _pieces(mesh, gi, gj, [_INNER[kind][c] for c in choice], 0)
        parts.append(part.only(rng.random(len(part.line)) >= _MISSING[kind]))
    return _join(parts)


def _rings(mesh: Mesh) -> _Pieces:
    """Inside each block of the new town: a ring and two to four gates to the streets."""
    fine, block = mesh.plan.fine, mesh.block[NEW]
    rng = mesh.plan.rng("rings")
    quads = np.argwhere(mesh.kind == NEW)
    if len(quads) == 0:
        return _nothing()
    offset = np.array([(p, q) for p in range(0, fine, block) for q in range(0, fine, block)])
    corner = (quads[:, None, :] * fine + offset[None, :, :]).reshape(-1, 2)
    near, mid, far = block // 4, block // 2, 3 * block // 4
    ring = np.array(
        [(near, near), (mid, near), (far, near), (far, mid), (far, far), (mid, far), (near, far),
         (near, mid), (near, near)]
    )  # fmt: skip
    gates = np.array([[(mid, near), (mid, 0)], [(mid, far), (mid, block)],
                      [(near, mid), (0, mid)], [(far, mid), (block, mid)]])  # fmt: skip
    style = rng.integers(0, len(_RING), len(corner))
    path = corner[:, None, :] + ring[None, :, :]
    parts = [_pieces(mesh, path[:, :, 0], path[:, :, 1], [_RING[s] for s in style], 0)]
    for k in range(4):
        open_gate = (rng.random(len(corner)) < 0.45) | (np.arange(len(corner)) % 4 == k)
        gate = corner[open_gate][:, None, :] + gates[k][None, :, :]
        parts.append(_pieces(mesh, gate[:, :, 0], gate[:, :, 1], ["service"] * len(gate), 0))
    return _join(parts)


def _nothing() -> _Pieces:
    return _Pieces(
        np.zeros((0, 2), np.int64),
        np.zeros(0, np.int64),
        np.zeros(0, np.object_),
        np.zeros(0, np.bool_),
    )


def _through_blocks(mesh: Mesh, pieces: _Pieces, blocks: Sequence[Block]) -> _Pieces:
    """Ways inside parks and squares become footways; none run through school grounds."""
    wide, high = (2 * n for n in mesh.place.shape[:2])
    inside = np.zeros((wide, high), dtype=np.int8)
    mark = {SCHOOL: 1, PARK: 2, SQUARE: 3}
    for block in blocks:
        if block.use in mark:
            i, j, size = 2 * block.gi, 2 * block.gj, 2 * block.size
            inside[i + 1 : i + size, j + 1 : j + size] = mark[block.use]
    gi, gj = np.divmod(pieces.ends, mesh.place.shape[1])
    what = inside[gi.sum(axis=1), gj.sum(axis=1)]
    highway = pieces.highway.copy()
    highway[what == 2] = _PARK_WAY
    highway[what == 3] = _SQUARE_WAY
    changed = _Pieces(pieces.ends, pieces.line, highway, pieces.bridge)
    return changed.only(what != 1)


def _as_ways(draft: Draft, mesh: Mesh, pieces: _Pieces, nodes: IntArray) -> None:
    """String pieces of one line and class together; bridges are ways of their own."""
    breaks = np.ones(len(nodes), dtype=np.bool_)
    breaks[1:] = (
        (pieces.line[1:] != pieces.line[:-1])
        | (nodes[1:, 0] != nodes[:-1, 1])
        | (pieces.highway[1:] != pieces.highway[:-1])
        | (pieces.bridge[1:] != pieces.bridge[:-1])
    )
    titles = name_stream(mesh.plan.rng("street names"))
    named: dict[int, tuple[str, str]] = {}
    for first, past in runs(breaks):
        highway = str(pieces.highway[first])
        tags = synthetic(highway=highway)
        suffix = _SUFFIX.get(highway)
        if suffix is not None:
            line = int(pieces.line[first])
            if line not in named:
                named[line] = next(titles, None) or _again(named, line)
            zh, en = named[line]
            tags |= {"name": zh + suffix[0], "name:en": f"{en} {suffix[1]}"}
        if pieces.bridge[first]:
            tags |= {"bridge": "yes", "layer": "1"}
        draft.add_way(np.append(nodes[first:past, 0], nodes[past - 1, 1]), tags)


def _again(named: dict[int, tuple[str, str]], line: int) -> tuple[str, str]:
    """When all names are spent: an earlier street's name once more."""
    earlier = list(named.values())
    return earlier[line % len(earlier)]


def draw_forbidden(draft: Draft, mesh: Mesh) -> None:
    """Ways nobody may walk: an expressway overhead, a trunk road with foot=no, a private
    drive, a street under construction, and a square drawn as an area."""
    side_x, side_y = mesh.plan.side_m
    width, height = 14 * side_x, 12 * side_y
    t = np.linspace(0.0, 1.0, 60)
    over = np.column_stack([width * (0.05 + 0.9 * t), height * (0.2 + 0.55 * t)])
    over[:, 1] += 0.03 * height * np.sin(9.0 * t)
    motorway = synthetic(highway="motorway", oneway="yes", bridge="yes", layer="2",
                         name="绕城高架", name_en="Ring Viaduct")  # fmt: skip
    draft.draw(over, motorway, walk=False)
    past = np.column_stack([np.full(60, 0.83 * width), height * (0.02 + 0.96 * t)])
    past[:, 0] += 0.02 * width * np.sin(6.0 * t)
    trunk = synthetic(highway="trunk", foot="no", layer="1", bridge="yes",
                      name="东三环快速路", name_en="East Third Ring")  # fmt: skip
    draft.draw(past, trunk, walk=False)
    rng = mesh.plan.rng("forbidden")
    fine = mesh.plan.fine
    kinds = (
        synthetic(highway="service", access="private", service="driveway"),
        synthetic(highway="construction", construction="residential"),
        synthetic(highway="cycleway", foot="no"),
    )
    for k, (i, j) in enumerate(mesh.quads()):
        corner = mesh.place[i * fine, j * fine]
        start = corner + np.array([0.3 * side_x, 0.3 * side_y]) * rng.uniform(0.6, 1.4, 2)
        step = rng.uniform(-40.0, 40.0, 2) * mesh.plan.shrink
        draft.draw(np.vstack([start, start + step]), kinds[k % 3], walk=False)


def draw_area(draft: Draft, ring_xy: FloatArray) -> None:
    """A pedestrian area: a closed way with area=yes, which is no way to walk along."""
    nodes = draft.add_nodes(ring_xy)
    tags = synthetic(highway="pedestrian", area="yes")
    draft.add_way(np.append(nodes, nodes[0]), tags, walk=False)
