"""Streets after edits, and where everything that joined the old ones joins them now.

What no edit comes near keeps its place; the rest is attached anew, as a build does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.model import City, Facilities, LandSamples
from lifecircle.analysis.city.streets.attach import Attachments, attach_facilities
from lifecircle.analysis.city.streets.network import WalkNetwork, build_network
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.city.streets.walkable import without_forms
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.edits.model import AddWay, CloseWay
from lifecircle.analysis.measures.edits.slope import carry_slope
from lifecircle.analysis.measures.edits.ways import add_way, close_ways, raw_streets
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.policy.sections.rules import AttachmentRules
from lifecircle.analysis.quantities import NOBODY, BoolArray, FloatArray, Int32Array, IntArray
from lifecircle.analysis.readers.osm.streets import RawStreets

_SAME_M: Final = 1e-4  # streets whose ends and length agree so well are the same street
_SLACK: Final = 1.01  # metres of the plane against the ellipsoid
_AREAL: Final = 2
_RAW: Final = "raw_streets"
_COURSE: Final = "course_of_streets"


@dataclass(frozen=True, slots=True)
class EdgeMap:
    """Which edge of the new streets each old one (m,) is, -1 where it is none of them.

    `turned` bool (m,): whether it runs the other way now. `length_m` of the new edges (m,).
    `lines`: old and new edges near which places have to be attached anew.
    """

    edge: Int32Array
    turned: BoolArray
    length_m: FloatArray
    lines: NDArray[np.object_]

    def moved(self, position: Positions) -> tuple[Positions, BoolArray]:
        """Positions on the new streets, and which of them stood on an edge that is gone."""
        old = np.where(position.edge == NOBODY, 0, position.edge)
        edge = np.where(position.edge == NOBODY, NOBODY, self.edge[old]).astype(np.int32)
        gone = (position.edge != NOBODY) & (edge == NOBODY)
        turned = (edge != NOBODY) & self.turned[old]
        length_m = self.length_m[old]
        until_m = position.until_m
        far = (
            position.at_m
            if until_m is None
            else np.where(np.isnan(until_m), position.at_m, until_m)
        )
        at_m = np.where(turned, np.maximum(length_m - far, 0.0), position.at_m)
        if until_m is not None:
            until_m = np.where(turned & ~np.isnan(until_m), length_m - position.at_m, until_m)
        return Positions(edge, at_m, position.leg_m, position.xy_m, until_m), gone


@dataclass(frozen=True, slots=True)
class Streets:
    """The streets after edits, where they may be joined, and what became of the old ones."""

    network: WalkNetwork
    index: EdgeIndex
    map: EdgeMap


def edit_streets(
    study: Study, edits: Sequence[tuple[int, AddWay | CloseWay]]
) -> tuple[Streets, tuple[Warn, ...]]:
    """The streets after some edits (with their numbers), in their order.

    Raises
    ------
    ParameterError : no street is left.
    """
    network, policy = study.city.network, study.policy
    rules = policy.barriers or load_policy().barriers  # runs of old have none of their own
    margin_m = 0.0 if rules is None else rules.closure_margin_m.value
    if _RAW not in study.kept:
        study.kept[_RAW] = raw_streets(network)
    raw = cast(RawStreets, study.kept[_RAW])
    said: list[Warn] = []
    for number, edit in edits:
        if isinstance(edit, AddWay):
            raw, more = add_way(raw, edit, number, network.crs, margin_m)
        else:
            raw, more = close_ways(raw, edit, number, network.crs, margin_m)
        if len(raw.way_id) == 0:
            raise ParameterError("edit_no_street_left", edit=number)
        said += more
    plain = without_forms(build_network(raw, network.crs))
    if _COURSE not in study.kept:
        study.kept[_COURSE] = course_of(network)
    course = cast(tuple[IntArray, BoolArray], study.kept[_COURSE])
    edge, turned = match_edges(network, plain, course)
    new = carry_slope(network, plain, edge, turned)
    if new.slope is not None and any(isinstance(edit, AddWay) for _, edit in edits):
        said.append(Warn("edit_way_flat"))
    index = EdgeIndex.by(new, policy.attachment)
    length_m = new.edge_length_m[np.where(edge == NOBODY, 0, edge)]
    lines = _changed_lines(network, new, edge, policy.attachment)
    return Streets(new, index, EdgeMap(edge, turned, length_m, lines)), tuple(said)


def match_edges(
    old: WalkNetwork, new: WalkNetwork, course: tuple[IntArray, BoolArray]
) -> tuple[Int32Array, BoolArray]:
    """For each old edge (m,) the new one of the same course, -1 = none; and whether it turned.

    `course`: `course_of` the old ones.
    """
    key_old, way_old = course
    key_new, way_new = course_of(new)
    order = np.argsort(key_new, kind="stable")
    rank = np.argsort(key_old)  # found in their order, which is quicker than one by one
    found = np.empty(len(key_old), dtype=np.int64)
    at = np.searchsorted(key_new[order], key_old[rank])
    found[rank] = order[np.minimum(at, len(order) - 1)]
    same = key_new[found] == key_old
    same &= np.abs(new.edge_length_m[found] - old.edge_length_m) <= _SAME_M
    edge = np.where(same, found, NOBODY).astype(np.int32)
    return edge, np.asarray(same & (way_old != way_new[found]))


def course_of(network: WalkNetwork) -> tuple[IntArray, BoolArray]:
    """A number for the course of each edge, equal for both directions, and which one it runs."""
    first, last = network.vertex_start[:-1], network.vertex_start[1:] - 1
    xy = np.rint(network.vertex_xy_m / _SAME_M / 10).astype(np.int64)
    prime = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64).view(np.int64)
    with np.errstate(over="ignore"):
        place = xy @ prime
        ahead = place[first] * 31 + place[first + 1]
        back = place[last] * 31 + place[last - 1]
        forth = ahead <= back
        whole = np.add.reduceat(place * (place >> 7), first)
        key = np.minimum(ahead, back) * 1_000_003 + np.maximum(ahead, back) * 7_919 + whole
    return key, forth


def _changed_lines(
    old: WalkNetwork, new: WalkNetwork, edge: Int32Array, rules: AttachmentRules
) -> NDArray[np.object_]:
    """Edges near which joining has changed: gone, new, or of a piece that is long enough now."""
    gone = edge == NOBODY
    fresh = np.ones(new.edge_count, dtype=np.bool_)
    fresh[edge[~gone]] = False
    rank_old, rank_new = (_rank(network, rules) for network in (old, new))
    fresh[edge[~gone]] |= rank_old[~gone] != rank_new[edge[~gone]]
    if old.vertex_form is not None or new.vertex_form is not None:  # ends of bridges
        touched = np.zeros(new.node_count, dtype=np.bool_)
        touched[new.edge_u[fresh]] = touched[new.edge_v[fresh]] = True
        fresh |= touched[new.edge_u] | touched[new.edge_v]
    return np.concatenate((old.lines(np.flatnonzero(gone)), new.lines(np.flatnonzero(fresh))))


def _rank(network: WalkNetwork, rules: AttachmentRules) -> IntArray:
    """Whether the piece of each edge is joined first (2), for want of another (1), or never."""
    length_m = network.component_length_m
    least = rules.min_component_m if rules.min_piece_m is None else rules.min_piece_m
    rank = (length_m >= least.value).astype(np.int64) + (length_m >= rules.min_component_m.value)
    of_edge: IntArray = rank[network.edge_component]
    return of_edge


def near_lines(
    geometry: NDArray[np.object_], lines: NDArray[np.object_], within_m: float
) -> BoolArray:
    """Which shapes (k,) lie within a distance of some lines."""
    near = np.zeros(len(geometry), dtype=np.bool_)
    if len(lines) and len(geometry):
        tree = shapely.STRtree(lines)
        rows = tree.query(geometry, predicate="dwithin", distance=within_m)[0]
        near[rows] = True
    return near


def reattach_points(
    xy_m: FloatArray, position: Positions, streets: Streets, max_leg_m: float
) -> Positions:
    """Where points (k, 2) join the new streets."""
    moved, gone = streets.map.moved(position)
    lines = streets.map.lines
    if len(lines) == 0:
        return moved
    within_m = max_leg_m * _SLACK
    west, south, east, north = shapely.total_bounds(lines)
    x, y = xy_m[:, 0], xy_m[:, 1]
    near = (x >= west - within_m) & (x <= east + within_m)
    near &= (y >= south - within_m) & (y <= north + within_m)
    rows = np.flatnonzero(near)
    hit = near_lines(np.asarray(shapely.points(xy_m[rows])), lines, within_m)
    again = np.union1d(rows[hit], np.flatnonzero(gone))
    if len(again) == 0:
        return moved
    return moved.replaced(again, streets.index.snap(xy_m[again], max_leg_m))


def reattach_city(study: Study, streets: Streets) -> City:
    """The city on the new streets: cells, land and facilities."""
    city, max_leg_m = study.city, study.policy.attachment.max_leg_m.value
    cells, land = city.cells, city.land
    position = reattach_points(cells.xy_m, cells.position, streets, max_leg_m)
    samples: LandSamples | None = None
    if land is not None:
        samples = replace(
            land, position=reattach_points(land.xy_m, land.position, streets, max_leg_m)
        )
    return replace(
        city,
        network=streets.network,
        cells=replace(cells, position=position),
        land=samples,
        facilities=_reattach_facilities(study, streets),
    )


def _reattach_facilities(study: Study, streets: Streets) -> Facilities:
    """Facilities near a change attached anew, the others where they were.

    Which gates and fences a build heeded is not kept in a run: where its answer on the old
    streets is not what it would be without any, old entrances stay and new ways add theirs.
    """
    places, policy = study.city.facilities, study.policy
    max_leg_m = policy.attachment.max_leg_m.value
    moved, gone = streets.map.moved(places.attachment)
    near = near_lines(places.geometry, streets.map.lines, max_leg_m * _SLACK)
    near[places.attached_facility[gone]] = True
    rows = np.flatnonzero(near)
    if len(rows) == 0:
        return replace(places, attachment=moved)
    entered = _entered(places, policy)
    shapes = places.geometry[rows]
    reach_m = 2 * max_leg_m
    box = shapely.total_bounds(shapes) + np.array([-reach_m, -reach_m, reach_m, reach_m])
    fresh = attach_facilities(shapes, entered[rows], streets.index.around(box), max_leg_m)
    owner = rows[fresh.facility].astype(np.int32)
    fenced = _fenced(study, rows, entered, max_leg_m)
    mine = np.isin(owner, fenced)
    old_edges = np.zeros(streets.network.edge_count, dtype=np.bool_)
    old_edges[streets.map.edge[streets.map.edge != NOBODY]] = True
    keep_fresh = ~mine | ~old_edges[fresh.position.edge]
    stays = ~np.isin(places.attached_facility, np.setdiff1d(rows, fenced)) & ~gone
    facility = np.concatenate((places.attached_facility[stays], owner[keep_fresh]))
    position = Positions.joined(
        (moved.take(np.flatnonzero(stays)), fresh.position.take(np.flatnonzero(keep_fresh)))
    )
    stretch = position.is_stretch
    order = np.lexsort((stretch, position.at_m, position.edge, facility))
    position = position.take(order)
    if not stretch.any():
        position = replace(position, until_m=None)
    return replace(places, attached_facility=facility[order].astype(np.int32), attachment=position)


def _entered(places: Facilities, policy: Policy) -> BoolArray:
    """Which facilities streets may enter, bool (f,), as a build has it but for houses."""
    how = [
        policy.services[name].attachment if name in policy.services else ""
        for name in places.service_ids
    ]
    areal = shapely.get_dimensions(places.geometry) == _AREAL
    open_place = np.array([one == "entrances" for one in how])[places.service]
    ground = np.array([one == "grounds" for one in how])[places.service]
    return np.asarray(open_place | (ground & areal))


def _fenced(study: Study, rows: IntArray, entered: BoolArray, max_leg_m: float) -> IntArray:
    """Those of some facilities that join the old streets otherwise than they would unfenced."""
    places = study.city.facilities
    areal = rows[shapely.get_dimensions(places.geometry[rows]) == _AREAL]
    if len(areal) == 0:
        return rows[:0]
    reach_m = 2 * max_leg_m
    box = shapely.total_bounds(places.geometry[areal])
    old = study.edges.around(box + np.array([-reach_m, -reach_m, reach_m, reach_m]))
    again = attach_facilities(places.geometry[areal], entered[areal], old, max_leg_m)
    differs = [k for k, row in enumerate(areal.tolist()) if not _same(places, row, again, k)]
    found: IntArray = areal[differs]
    return found


def _same(places: Facilities, row: int, again: Attachments, k: int) -> bool:
    held = places.attachment.take(np.flatnonzero(places.attached_facility == row))
    new = again.position.take(np.flatnonzero(again.facility == k))
    return (
        len(held) == len(new)
        and bool(np.array_equal(held.edge, new.edge))
        and bool(np.allclose(held.at_m, new.at_m, atol=_SAME_M))
    )
