"""Outlines of many groups of areas that meet along shared edges: edges within a group drop out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.grouping.connected import root_of
from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import BoolArray, FloatArray, Int32Array, IntArray, ObjectArray

_NONE: Final = -1


@dataclass(frozen=True, slots=True)
class SharedEdges:
    """Directed edges (e,) of the rings of areas, the inside to their right.

    `vertex` int32 (e,): where each begins, a row of `vertex_xy` (v, 2). `follow`: the next edge of
    its ring; `twin`: the same edge the other way round, of a neighbour, -1 where there is none;
    `face`: the polygon it bounds. `area_face` (a + 1,), `face_edge` (f + 1,): where the faces of
    each area and the edges of each face begin.
    """

    vertex_xy: FloatArray
    vertex: Int32Array
    follow: Int32Array
    twin: Int32Array
    face: Int32Array
    face_edge: IntArray
    area_face: IntArray

    @classmethod
    def of(cls, areas: ObjectArray, usable: BoolArray) -> SharedEdges:
        """Those of the `usable` areas (a,), polygons that overlap nowhere; others have no edges."""
        shapes = areas.copy()
        shapes[~usable] = None
        polygons, area = shapely.get_parts(
            shapely.orient_polygons(shapes, exterior_cw=True), return_index=True
        )
        rings, face = shapely.get_rings(polygons, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        new = np.ones(len(xy), dtype=np.bool_)  # a place said twice is one corner
        new[1:] = (ring[1:] != ring[:-1]) | (xy[1:] != xy[:-1]).any(axis=1)
        xy, ring = xy[new], ring[new]
        ends = np.flatnonzero(np.append(ring[1:] != ring[:-1], len(ring) > 0))
        begins = np.append(0, ends[:-1] + 1)[: len(ends)]
        edge = np.ones(len(xy), dtype=np.bool_)
        edge[ends] = False  # the last place of a ring is its first
        number = np.cumsum(edge) - 1
        follow = number + 1
        follow[ends - 1] = number[begins]
        vertex_xy, vertex = _distinct(xy)
        start, end = vertex[edge], vertex[np.flatnonzero(edge) + 1]
        of_face = face[ring[edge]]
        return cls(
            vertex_xy=vertex_xy,
            vertex=start.astype(np.int32),
            follow=follow[edge].astype(np.int32),
            twin=_twins(start, end, len(vertex_xy)).astype(np.int32),
            face=of_face.astype(np.int32),
            face_edge=np.searchsorted(of_face, np.arange(len(polygons) + 1)),
            area_face=np.searchsorted(area, np.arange(len(areas) + 1)),
        )

    def outlines(self, area: Int32Array, start: IntArray, end: IntArray) -> ObjectArray:
        """The unions (g,) of groups of areas, of which group i is ``area[start[i]:end[i]]``.

        None for a group that cannot be told from its edges alone.
        """
        vertex, rings = _walk(
            (self.vertex, self.follow, self.twin, self.face),
            self.vertex_xy,
            (self.face_edge, self.area_face),
            (area, start, end),
        )
        return _polygons(self.vertex_xy, vertex, rings, len(start))


def _distinct(xy: FloatArray) -> tuple[FloatArray, IntArray]:
    """Distinct places, and the row of each place (n,) among them."""
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    held = xy[order]
    new = np.ones(len(xy), dtype=np.bool_)
    new[1:] = (held[1:] != held[:-1]).any(axis=1)
    row = np.empty(len(xy), dtype=np.int64)
    row[order] = np.cumsum(new) - 1
    return held[new], row


def _twins(start: IntArray, end: IntArray, vertices: int) -> IntArray:
    """For each edge the one from its end to its start, -1 where there is none.

    Twins are twins of each other, whatever the areas are: else a walk would never end.
    """
    key, wanted = start * vertices + end, end * vertices + start
    order = np.argsort(key, kind="stable")
    if not len(order):
        return order
    at = np.minimum(np.searchsorted(key[order], wanted), len(order) - 1)
    found: IntArray = np.where(key[order][at] == wanted, order[at], _NONE)
    return np.where(found[found] == np.arange(len(found)), found, _NONE)


def _polygons(vertex_xy: FloatArray, vertex: IntArray, rings: IntArray, groups: int) -> ObjectArray:
    """Shapes of groups (g,) from their rings.

    `rings` (r, 4): where each begins in `vertex`, its group, its part of the group, and 1 for a
    hole; a part -1 marks a group that could not be told.
    """
    out = np.full(groups, None, dtype=object)
    begin = rings[:, 0]
    size = np.diff(np.append(begin, len(vertex)))
    order = np.lexsort((rings[:, 3], rings[:, 2], rings[:, 1]))
    _, group, part, hole = rings[order].T
    size, begin = size[order], begin[order]
    lost = np.zeros(groups, dtype=np.bool_)
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (group[1:] != group[:-1]) | (part[1:] != part[:-1])
    lost[group[(first == (hole == 1)) | (part < 0)]] = True  # a part has one shell
    kept = ~lost[group]
    size, begin, first, group = size[kept], begin[kept], first[kept], group[kept]
    if not len(size):
        return out
    ring_start = np.concatenate(([0], np.cumsum(size)))
    within = np.arange(ring_start[-1]) - np.repeat(ring_start[:-1], size)
    xy = vertex_xy[vertex[np.repeat(begin, size) + within]]
    part_start = np.append(np.flatnonzero(first), len(size))
    polygons: Any = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, xy, (ring_start, part_start)
    )
    owner = group[first]
    alone = np.bincount(owner, minlength=groups)[owner] == 1
    out[owner[alone]] = polygons[alone]
    if not alone.all():
        several, row = np.unique(owner[~alone], return_inverse=True)
        out[several] = shapely.multipolygons(polygons[~alone], indices=row)
    return out


@kernel
def _walk(
    edges: tuple[Int32Array, Int32Array, Int32Array, Int32Array],
    places: FloatArray,
    starts: tuple[IntArray, IntArray],
    groups: tuple[Int32Array, IntArray, IntArray],
) -> tuple[IntArray, IntArray]:
    """The rings of all groups: their vertices, the first again at the end, and `rings`.

    At each corner the walk turns along the inside; a ring that meets itself is cut there, so that
    none touches itself.
    """
    vertex, follow, twin, face = edges
    face_edge, area_face = starts
    area, start, end = groups
    inside = np.full(len(face_edge) - 1, -1, dtype=np.int64)  # the group that holds a face
    root = np.arange(len(face_edge) - 1)
    walked = np.full(len(vertex), -1, dtype=np.int64)  # the group that went along an edge
    seen = np.full(len(places), -1, dtype=np.int64)  # where on the walk a vertex was met
    walk = np.empty(len(vertex) + 1, dtype=np.int64)
    most = _edges_of_all(face_edge, area_face, groups)
    out = np.empty(2 * most, dtype=np.int64)
    rings = np.empty((most, 4), dtype=np.int64)
    full, ring = 0, 0
    for g in range(len(start)):
        mine = area[start[g] : end[g]]
        _enter(mine, g, (inside, root), (twin, face), starts)
        for a in mine:
            for f in range(area_face[a], area_face[a + 1]):
                for first in range(face_edge[f], face_edge[f + 1]):
                    t = twin[first]
                    if walked[first] == g or (t >= 0 and inside[face[t]] == g):
                        continue
                    part, at, count = root_of(root, f), first, 0
                    while True:
                        met = seen[vertex[at]]
                        if met >= 0:
                            full = _close(walk[met:count], seen, out, full)
                            rings[ring] = full - (count - met) - 1, g, part, 0
                            ring, count = ring + 1, met
                        if walked[at] == g:
                            break
                        walked[at] = g
                        seen[vertex[at]] = count
                        walk[count] = vertex[at]
                        count += 1
                        at = follow[at]
                        while twin[at] >= 0 and inside[face[twin[at]]] == g:
                            at = follow[twin[at]]
    for r in range(ring):
        upto = rings[r + 1, 0] if r + 1 < ring else full
        rings[r, 3] = _turns_left(places, out[rings[r, 0] : upto])
    return out[:full].copy(), rings[:ring].copy()


@kernel
def _edges_of_all(
    face_edge: IntArray, area_face: IntArray, groups: tuple[Int32Array, IntArray, IntArray]
) -> int:
    area, start, end = groups
    count = 0
    for g in range(len(start)):
        for a in area[start[g] : end[g]]:
            count += face_edge[area_face[a + 1]] - face_edge[area_face[a]]
    return count


@kernel
def _enter(
    mine: Int32Array,
    g: int,
    state: tuple[IntArray, IntArray],
    sides: tuple[Int32Array, Int32Array],
    starts: tuple[IntArray, IntArray],
) -> None:
    """Put the faces of a group in, and join those that share an edge: the lower root wins."""
    inside, root = state
    twin, face = sides
    face_edge, area_face = starts
    for a in mine:
        for f in range(area_face[a], area_face[a + 1]):
            inside[f], root[f] = g, f
    for a in mine:
        for f in range(area_face[a], area_face[a + 1]):
            for e in range(face_edge[f], face_edge[f + 1]):
                if twin[e] >= 0 and inside[face[twin[e]]] == g:
                    one, other = root_of(root, f), root_of(root, face[twin[e]])
                    root[max(one, other)] = min(one, other)


@kernel
def _close(ring: IntArray, seen: IntArray, out: IntArray, full: int) -> int:
    """Hand out a ring and forget that its vertices were met; where the next one begins."""
    for k in range(len(ring)):
        out[full + k] = ring[k]
        seen[ring[k]] = -1
    out[full + len(ring)] = ring[0]
    return full + len(ring) + 1


@kernel
def _turns_left(places: FloatArray, ring: IntArray) -> bool:
    """Whether a ring goes round its inside against the clock: it is a hole."""
    x, y = places[ring[0]]
    twice = 0.0
    for k in range(len(ring) - 1):
        one, other = places[ring[k]], places[ring[k + 1]]
        twice += (one[0] - x) * (other[1] - y) - (other[0] - x) * (one[1] - y)
    return twice > 0
