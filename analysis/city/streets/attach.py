"""How facilities join the streets: a building at its nearest point, a park at every entrance.

Source: DEFINITIONS.md, Attachment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.streets.joinable import joinable_lines
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions, locate_on_edges
from lifecircle.analysis.quantities import NOBODY, BoolArray, Int32Array, IntArray

_SAME_PLACE_M = 0.005  # entrances closer than half a centimetre along one edge are one


@dataclass(frozen=True, slots=True)
class Attachments:
    """Every position by which a facility can be reached, sorted by (facility, edge, place).

    `facility` int32 (a,): index into the facilities; `position` Positions (a,).
    """

    facility: Int32Array
    position: Positions


def attach_facilities(
    geometry: NDArray[np.object_], by_entrance: BoolArray, index: EdgeIndex, max_leg_m: float
) -> Attachments:
    """Attach facilities (points, lines or polygons in the network's CRS) to the streets.

    Parameters
    ----------
    geometry : shapely geometries (f,), metres.
    by_entrance : bool (f,): parks, squares and pitches, which are reached wherever a walkable
        way crosses their outline or runs inside; the others by the outline's nearest point.
        What finds no edge of the index itself joins its shorter pieces; those that cross an
        outline lead in beside the others.
    max_leg_m : longest access leg; a facility farther away gets no position.
    """
    point = shapely.get_type_id(geometry) == shapely.GeometryType.POINT
    at_points = np.flatnonzero(point)
    of_points = index.snap(shapely.get_coordinates(geometry[at_points]), max_leg_m)
    parts = [(at_points[of_points.snapped], of_points.take(np.flatnonzero(of_points.snapped)))]
    shaped = np.flatnonzero(~point)
    rest = shaped
    ground: EdgeIndex | None = index
    while len(shaped) and ground is not None:
        found = _attach_shapes(geometry, shaped[by_entrance[shaped]], rest, ground, max_leg_m)
        parts += found
        rest = np.setdiff1d(rest, np.concatenate([owner for owner, _ in found]))
        ground = ground.pieces
    return _sort_attachments(parts)


def _attach_shapes(
    geometry: NDArray[np.object_],
    entered: IntArray,
    rest: IntArray,
    index: EdgeIndex,
    max_leg_m: float,
) -> list[tuple[IntArray, Positions]]:
    """Positions on the index's own edges, and whose they are: of shapes `entered` wherever an
    edge meets them, of the `rest` without one where their outline is nearest."""
    lines, edges = _list_lines(index)
    tree = shapely.STRtree(lines)
    owner, position = _find_entrances(geometry, entered, tree, edges, index)
    left = np.setdiff1d(rest, owner)
    return [
        (owner, position),
        _find_nearest_outline(geometry, left, tree, edges, index, max_leg_m),
    ]


def _list_lines(index: EdgeIndex) -> tuple[NDArray[np.object_], Int32Array]:
    part = np.zeros(len(index.network.vertex_xy_m), dtype=np.uint8)
    part[index.segment_vertex] = index.segment_part
    return joinable_lines(index.network, np.unique(index.segment_edge).astype(np.int32), part)


def _find_entrances(
    geometry: NDArray[np.object_],
    facilities: IntArray,
    tree: shapely.STRtree,
    edges: Int32Array,
    index: EdgeIndex,
) -> tuple[IntArray, Positions]:
    """Both ends of every stretch of an edge inside a polygon (its crossings and inner ends)."""
    which, line = tree.query(geometry[facilities], predicate="intersects")
    inside = shapely.intersection(tree.geometries[line], geometry[facilities[which]])
    pieces, of_pair = shapely.get_parts(inside, return_index=True)
    is_line = shapely.get_type_id(pieces) == shapely.GeometryType.LINESTRING
    is_point = shapely.get_type_id(pieces) == shapely.GeometryType.POINT
    ends = [
        shapely.get_coordinates(shapely.get_point(pieces[is_line], 0)),
        shapely.get_coordinates(shapely.get_point(pieces[is_line], -1)),
        shapely.get_coordinates(pieces[is_point]),
    ]
    pair = np.concatenate((of_pair[is_line], of_pair[is_line], of_pair[is_point]))
    xy = np.concatenate(ends)
    edge = edges[line[pair]]
    position = locate_on_edges(index.network, xy, xy, edge)
    return facilities[which[pair]], Positions(
        position.edge, position.at_m, np.zeros(len(xy)), position.xy_m
    )


def _find_nearest_outline(
    geometry: NDArray[np.object_],
    facilities: IntArray,
    tree: shapely.STRtree,
    edges: Int32Array,
    index: EdgeIndex,
    max_leg_m: float,
) -> tuple[IntArray, Positions]:
    """One position each: the place on an edge nearest to the outline; ties to the lower edge."""
    outline = _draw_outlines(geometry[facilities])
    found, line = tree.query_nearest(outline, max_distance=max_leg_m * 1.001, all_matches=True)
    order = np.lexsort((edges[line], found))
    found, line = found[order], line[order]
    found, first = np.unique(found, return_index=True)
    line = line[first]
    link = shapely.shortest_line(outline[found], tree.geometries[line])
    start = shapely.get_coordinates(shapely.get_point(link, 0))
    end = shapely.get_coordinates(shapely.get_point(link, -1))
    position = locate_on_edges(index.network, start, end, edges[line], max_leg_m)
    near = np.flatnonzero(position.edge != NOBODY)
    return facilities[found[near]], position.take(near)


def _draw_outlines(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    areal = np.isin(
        shapely.get_type_id(geometry),
        (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON),
    )
    outline = geometry.copy()
    outline[areal] = shapely.boundary(geometry[areal])
    return outline


def _sort_attachments(parts: list[tuple[IntArray, Positions]]) -> Attachments:
    facility = np.concatenate([owner for owner, _ in parts]).astype(np.int32)
    position = Positions(
        np.concatenate([p.edge for _, p in parts]),
        np.concatenate([p.at_m for _, p in parts]),
        np.concatenate([p.leg_m for _, p in parts]),
        np.concatenate([p.xy_m for _, p in parts]),
    )
    place = np.round(position.at_m / _SAME_PLACE_M).astype(np.int64)
    order = np.lexsort((place, position.edge, facility))
    key = np.column_stack((facility, position.edge, place))[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = np.any(key[1:] != key[:-1], axis=1)
    order = order[new]
    return Attachments(facility[order], position.take(order))
