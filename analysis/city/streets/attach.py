"""How facilities join the streets: a building at its nearest point, a park at every entrance.

Source: DEFINITIONS.md, Attachment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.streets.gates import Barred
from lifecircle.analysis.city.streets.joinable import joinable_lines
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions, locate_on_edges
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.grouping.pair_blocks import PairBudget, TooManyPairsError, list_pairs
from lifecircle.analysis.quantities import NOBODY, BoolArray, FloatArray, Int32Array, IntArray

_SAME_PLACE_M = 0.005  # entrances closer than half a centimetre along one edge are one
_ON_OUTLINE_M = 0.001  # how near to an outline a crossing computed in metres lies
_FREE_PAIRS = 2_000_000  # of areas and the streets in them, beside 30 for each of both
_AREAL = 2  # dimension of polygons


@dataclass(frozen=True, slots=True)
class Attachments:
    """Every position by which a facility can be reached, sorted by (facility, edge, place).

    `facility` int32 (a,): index into the facilities; `position` Positions (a,).
    """

    facility: Int32Array
    position: Positions


def attach_facilities(
    geometry: NDArray[np.object_],
    entered: BoolArray,
    index: EdgeIndex,
    max_leg_m: float,
    barred: Barred | None = None,
) -> Attachments:
    """Attach facilities (points, lines or polygons in the network's CRS) to the streets.

    Parameters
    ----------
    geometry : shapely geometries (f,), metres.
    entered : bool (f,): those that streets enter are reached wherever a walkable way crosses
        their outline and along the ways inside; the others by the outline's nearest point. What
        finds no edge of the index itself joins its shorter pieces; those that cross an outline
        lead in beside the others.
    barred : closed gates and fences, which take crossings away.
    max_leg_m : longest access leg; a facility farther away gets no position.
    """
    point = shapely.get_type_id(geometry) == shapely.GeometryType.POINT
    at_points = np.flatnonzero(point)
    of_points = index.snap(shapely.get_coordinates(geometry[at_points]), max_leg_m)
    parts = [(at_points[of_points.snapped], of_points.take(np.flatnonzero(of_points.snapped)))]
    shaped = np.flatnonzero(~point)
    rest = shaped
    outline = _draw_outlines(geometry, entered, barred)
    ground: EdgeIndex | None = index
    while len(shaped) and ground is not None:
        lines, edges = _list_lines(ground)
        tree = shapely.STRtree(lines)
        mine = shaped[entered[shaped]]
        found = _find_entrances(geometry, mine, tree, edges, ground, barred)
        parts += found
        rest = np.setdiff1d(rest, found[0][0])
        near = _find_nearest_outline(outline, rest, tree, edges, ground, max_leg_m)
        parts.append(near)
        rest = np.setdiff1d(rest, near[0])
        ground = ground.pieces
    return _sort_attachments(parts)


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
    barred: Barred | None,
) -> list[tuple[IntArray, Positions]]:
    """Where edges cross the outlines of areas and can be passed, and the stretches inside."""
    which, line = _meet_streets(geometry[facilities], tree)
    inside = shapely.intersection(tree.geometries[line], geometry[facilities[which]])
    pieces, of_pair = shapely.get_parts(inside, return_index=True)
    kind = shapely.get_type_id(pieces)
    is_line, is_point = kind == shapely.GeometryType.LINESTRING, kind == shapely.GeometryType.POINT
    runs, run_pair = pieces[is_line], of_pair[is_line]
    ends = [
        shapely.get_coordinates(shapely.get_point(runs, 0)),
        shapely.get_coordinates(shapely.get_point(runs, -1)),
    ]
    begin, end = (_locate(index, xy, edges[line[run_pair]]) for xy in ends)
    pair = np.concatenate((run_pair, run_pair, of_pair[is_point]))
    xy = np.concatenate((*ends, shapely.get_coordinates(pieces[is_point])))
    position = Positions.joined(
        (begin, end, _locate(index, xy[2 * len(runs) :], edges[line[of_pair[is_point]]]))
    )
    owner = facilities[which[pair]]
    keep = _is_entrance(xy, owner, geometry, tree.geometries[line[pair]], barred)
    stretch, whole = _stretches(index, begin, end, shapely.length(runs))
    return [
        (owner[keep], position.take(np.flatnonzero(keep))),
        (facilities[which[run_pair[whole]]], stretch),
    ]


def _meet_streets(areas: NDArray[np.object_], tree: shapely.STRtree) -> tuple[IntArray, IntArray]:
    """Pairs of areas of facilities and lines of streets in them, or across their outlines.

    Raises
    ------
    ParameterError : far more than facilities side by side can have: they lie on one another.
    """
    count = len(areas) + len(tree.geometries)
    try:
        return list_pairs(tree, areas, PairBudget.of(count, _FREE_PAIRS), predicate="intersects")
    except TooManyPairsError:
        raise ParameterError("facilities_overlaid", areas=len(areas)) from None


def _locate(index: EdgeIndex, xy_m: FloatArray, edge: Int32Array) -> Positions:
    """Places on edges, with no leg."""
    found = locate_on_edges(index.network, xy_m, xy_m, edge)
    return Positions(found.edge, found.at_m, np.zeros(len(xy_m)), found.xy_m)


def _is_entrance(
    xy_m: FloatArray,
    owner: IntArray,
    geometry: NDArray[np.object_],
    lines: NDArray[np.object_],
    barred: Barred | None,
) -> BoolArray:
    """Whether ends of stretches (k, 2) let people in: on the outline, and nothing bars the way.

    The ends of bridges that come to the ground inside count, and all ends along a facility that
    is a line itself; other inner ends are reached by the crossings.
    """
    areal = shapely.get_dimensions(geometry[owner]) == _AREAL
    points = shapely.points(xy_m)
    outline = geometry.copy()
    mine = np.unique(owner)
    outline[mine] = shapely.boundary(geometry[mine])
    on_it = shapely.dwithin(points, outline[owner], _ON_OUTLINE_M)
    keep = ~areal | on_it | (shapely.get_dimensions(lines) == 0)
    if barred is not None:
        crossing = np.flatnonzero(areal & on_it)
        for facility in np.unique(owner[crossing]).tolist():
            its = crossing[owner[crossing] == facility]
            keep[its] = barred.passable(xy_m[its], geometry[facility])
    return np.asarray(keep)


def _stretches(
    index: EdgeIndex, begin: Positions, end: Positions, length_m: FloatArray
) -> tuple[Positions, IntArray]:
    """Stretches from their ends, and which were found whole.

    On an edge that meets itself an end may be found at the wrong place of the edge; at the
    junction of a ring it is taken for its other end, elsewhere the stretch is left out.
    """
    network = index.network
    at_m = np.stack((begin.at_m, end.at_m))
    ring = network.edge_u[begin.edge] == network.edge_v[begin.edge]
    total = network.vertex_at_m[network.vertex_start[begin.edge + 1] - 1]
    tolerance = 0.01 + 0.005 * length_m
    for row in (0, 1):
        off = np.abs(np.ptp(at_m, axis=0) - length_m) > tolerance
        turn = off & ring & ((at_m[row] == 0) | (at_m[row] == total))
        at_m[row, turn] = total[turn] - at_m[row, turn]
    low, high = at_m.min(axis=0), at_m.max(axis=0)
    whole = np.flatnonzero(np.abs(high - low - length_m) <= tolerance)
    first = at_m[0, whole] <= at_m[1, whole]
    xy_m = np.where(first[:, None], begin.xy_m[whole], end.xy_m[whole])
    return Positions(begin.edge[whole], low[whole], np.zeros(len(whole)), xy_m, high[whole]), whole


def _find_nearest_outline(
    outlines: NDArray[np.object_],
    facilities: IntArray,
    tree: shapely.STRtree,
    edges: Int32Array,
    index: EdgeIndex,
    max_leg_m: float,
) -> tuple[IntArray, Positions]:
    """One position each: the place on an edge nearest to the outline; ties to the lower edge."""
    outline = outlines[facilities]
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


def _draw_outlines(
    geometry: NDArray[np.object_], entered: BoolArray, barred: Barred | None
) -> NDArray[np.object_]:
    """What the nearest street is looked for from: of fenced areas that streets enter the gates."""
    areal = shapely.get_dimensions(geometry) == _AREAL
    outline = geometry.copy()
    outline[areal] = shapely.boundary(geometry[areal])
    if barred is not None:
        for k in np.flatnonzero(areal & entered).tolist():
            outline[k] = barred.outline(geometry[k])
    return outline


def _sort_attachments(parts: list[tuple[IntArray, Positions]]) -> Attachments:
    facility = np.concatenate([owner for owner, _ in parts]).astype(np.int32)
    position = Positions.joined([position for _, position in parts])
    place = np.round(position.at_m / _SAME_PLACE_M).astype(np.int64)
    stretch = position.is_stretch
    order = np.lexsort((stretch, place, position.edge, facility))
    key = np.column_stack((facility, position.edge, place, stretch))[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = np.any(key[1:] != key[:-1], axis=1)
    order = order[new]
    position = position.take(order)
    if not position.is_stretch.any():
        position = replace(position, until_m=None)
    return Attachments(facility[order], position)
