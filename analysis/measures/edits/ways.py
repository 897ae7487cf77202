"""Ways drawn and closed on the streets of a run: the streets are taken apart into ways as a file
has them, changed, and put together again by what a build does it with.

A drawn way joins a street within the policy's `closure_margin_m` of its ends, and, unless it is a
footbridge, where it crosses or touches one on the ground. Closing is what a build does with a file
of closures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.city.crs import to_lonlat, to_metric
from lifecircle.analysis.city.streets.erase import cut_inside, widen_shapes
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.edits.model import AddWay, CloseWay
from lifecircle.analysis.policy.sections.terrain import WayForm
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray, UInt8Array
from lifecircle.analysis.readers.osm.streets import RawStreets

_DIGITS: Final = 7  # of a degree, as OpenStreetMap keeps places
_SAME_DEG: Final = 1e-11  # nearer to such a place than this, a place is that one
_SAME_M: Final = 0.01  # places nearer than this are one
_BENT: Final = 0.02  # of a box: more than its sides bend on the globe
_SLACK_DEG: Final = 1e-4
_BEFORE: Final = -1.0  # along a way: before its first place
_ABOVE: Final = int(WayForm.ABOVE_OR_BELOW)
_OFF: Final = int(WayForm.OFF_GROUND)
_FORMS: Final = {
    "street": 0,
    "path": 0,
    "steps": int(WayForm.STEPS),
    "footbridge": _ABOVE | _OFF,
}


@dataclass(frozen=True, slots=True)
class Join:
    """Where a drawn way meets a street.

    `along_m`: metres along the way; `ref`: the node there; `old`: segment of the streets and the
    share of it where a node has to be set, None where one stands.
    """

    along_m: float
    ref: int
    xy_m: FloatArray
    old: tuple[int, float] | None


def raw_streets(network: WalkNetwork) -> RawStreets:
    """The ways a network is made of, one for each edge and form, as read from a file.

    Junctions keep their ids, other places get new ones.
    """
    count = len(network.vertex_xy_m)
    first, last = network.vertex_start[:-1], network.vertex_start[1:] - 1
    ref = int(network.node_osm_id.max(initial=0)) + 1 + np.arange(count, dtype=np.int64)
    ref[first] = network.node_osm_id[network.edge_u]
    ref[last] = network.node_osm_id[network.edge_v]
    form = np.zeros(count, dtype=np.uint8)
    if network.vertex_form is not None:
        form = network.vertex_form.copy()
        form[first] = form[first + 1]
    begins = np.zeros(count, dtype=np.bool_)  # a way of another form begins at this vertex
    begins[:-1] = form[1:] != form[:-1]
    begins[last] = begins[first] = False
    lonlat = _as_read(to_lonlat(network.vertex_xy_m, network.crs))
    edge = np.repeat(np.arange(network.edge_count), np.diff(network.vertex_start))
    row = np.repeat(np.arange(count), np.where(begins, 2, 1))
    head = np.zeros(len(row), dtype=np.bool_)
    head[1:] = row[1:] == row[:-1]  # the second of a place that ends one way and begins another
    is_first = np.zeros(count, dtype=np.bool_)
    is_first[first] = True
    start = np.flatnonzero((is_first[row] & ~head) | head)
    way_form = np.where(head[start], form[np.minimum(row[start] + 1, count - 1)], form[row[start]])
    return RawStreets(
        network.edge_way[edge[row[start]]],
        np.append(start, len(row)).astype(np.int64),
        ref[row],
        lonlat[row],
        way_form.astype(np.uint8),
    )


def _as_read(lonlat: FloatArray) -> FloatArray:
    """Degrees that went through metres and back, with the digits they were read with."""
    near = np.round(lonlat, _DIGITS)
    return np.where(np.abs(near - lonlat) < _SAME_DEG, near, lonlat)


def close_ways(
    raw: RawStreets, edit: CloseWay, number: int, crs: str, margin_m: float
) -> tuple[RawStreets, tuple[Warn, ...]]:
    """The streets without what a closure takes, and a remark where it takes nothing."""
    shape = np.empty(1, dtype=np.object_)
    shape[0] = edit.geometry
    cut = cut_inside(raw, widen_shapes(shape, margin_m, crs))
    if cut.removed_m == 0.0:
        return cut.streets, (Warn("edit_close_nothing", {"edit": number, "metres": margin_m}),)
    return cut.streets, ()


def add_way(
    raw: RawStreets, edit: AddWay, number: int, crs: str, margin_m: float
) -> tuple[RawStreets, tuple[Warn, ...]]:
    """The streets with a drawn way joined to them, and remarks on ends that join nothing."""
    xy = to_metric(np.array(edit.coordinates), crs)
    streets = _Segments.of(raw, crs, xy, margin_m)
    joins, loose = _find_joins(streets, xy, edit.kind, margin_m)
    said = [
        Warn("edit_way_loose", {"edit": number, "lon": f"{lon:.5f}", "lat": f"{lat:.5f}",
                                "metres": margin_m})
        for lon, lat in (edit.coordinates[k] for k in loose)
    ]  # fmt: skip
    if not joins:
        said = [Warn("edit_way_apart", {"edit": number, "metres": margin_m})]
    with_nodes = _set_nodes(raw, streets, joins, crs)
    return _append(with_nodes, xy, edit, joins, crs), tuple(said)


@dataclass(frozen=True, slots=True)
class _Segments:
    """The segments of ways in metres: row of the first node of each, its way, both ends."""

    tail: IntArray
    way: IntArray
    a: FloatArray
    b: FloatArray
    above: BoolArray
    is_end: BoolArray  # (r,): whether a node ends its way
    ref: IntArray
    tree: shapely.STRtree

    @classmethod
    def of(cls, raw: RawStreets, crs: str, near: FloatArray, margin_m: float) -> _Segments:
        """Those in the box around some places (metres), a margin wider."""
        inside = np.ones(len(raw.node_ref), dtype=np.bool_)
        inside[raw.way_start[1:] - 1] = False
        tail = np.flatnonzero(inside)
        way = np.repeat(np.arange(len(raw.way_id)), np.diff(raw.way_start) - 1)
        form = np.zeros(len(raw.way_id), dtype=np.uint8) if raw.form is None else raw.form
        is_end = ~inside
        is_end[raw.way_start[:-1]] = True
        about = _about(raw, tail, crs, near, margin_m)  # few of them are worth projecting
        tail, way = tail[about], way[about]
        a, b = to_metric(raw.lonlat[tail], crs), to_metric(raw.lonlat[tail + 1], crs)
        met = (np.minimum(a, b) <= near.max(axis=0) + margin_m).all(axis=1)
        met &= (np.maximum(a, b) >= near.min(axis=0) - margin_m).all(axis=1)
        tail, way, a, b = tail[met], way[met], a[met], b[met]
        lines: Any = shapely.linestrings(np.stack((a, b), axis=1))
        above = (form[way] & _ABOVE) > 0
        return cls(tail, way, a, b, above, is_end, raw.node_ref, shapely.STRtree(lines))

    def place(self, segment: int, share: float) -> tuple[FloatArray, int | None]:
        """The place at a share of a segment, and the node that stands there."""
        a, b = self.a[segment], self.b[segment]
        length = float(np.hypot(*(b - a)))
        row = int(self.tail[segment])
        if share * length < _SAME_M:
            return a, int(self.ref[row])
        if (1.0 - share) * length < _SAME_M:
            return b, int(self.ref[row + 1])
        return a + share * (b - a), None


def _about(
    raw: RawStreets, tail: IntArray, crs: str, near: FloatArray, margin_m: float
) -> BoolArray:
    """Which segments come near the box around some places (metres), told in degrees."""
    (west, south), (east, north) = near.min(axis=0) - margin_m, near.max(axis=0) + margin_m
    ring = np.array([[west, south], [west, north], [east, south], [east, north]])
    lonlat = to_lonlat(ring, crs)
    wider = _BENT * np.ptp(lonlat, axis=0) + _SLACK_DEG  # sides that are straight in metres only
    low, high = lonlat.min(axis=0) - wider, lonlat.max(axis=0) + wider
    a, b = raw.lonlat[tail], raw.lonlat[tail + 1]
    found: BoolArray = (np.minimum(a, b) <= high).all(axis=1)
    found &= (np.maximum(a, b) >= low).all(axis=1)
    return found


def _find_joins(
    streets: _Segments, xy: FloatArray, kind: str, margin_m: float
) -> tuple[list[Join], list[int]]:
    """Where a way joins, in its order, and which of its ends (0, -1) join nothing."""
    length_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))))
    places: list[tuple[float, int, float]] = []  # metres along the way; segment and share of it
    loose = []
    for end, along_m in ((0, _BEFORE), (-1, float(length_m[-1]) + 1.0)):
        found = _nearest(streets, xy[end], margin_m)
        if found is None:
            loose.append(end)
        else:
            places.append((along_m, *found))
    if kind != "footbridge":
        places += _crossings(streets, xy, length_m)
    unused = min(0, int(streets.ref.min())) - 1
    joins: list[Join] = []
    for along_m, segment, share in places:
        where, ref = streets.place(segment, share)
        if ref is not None:
            if all(join.ref != ref for join in joins):
                joins.append(Join(along_m, ref, where, None))
            continue
        twin = next((j for j in joins if np.hypot(*(where - j.xy_m)) < _SAME_M), None)
        if twin is None:
            joins.append(Join(along_m, unused, where, (segment, share)))
            unused -= 1
        elif twin.old is None or twin.old[0] != segment:
            joins.append(Join(twin.along_m, twin.ref, twin.xy_m, (segment, share)))
    return sorted(joins, key=lambda join: join.along_m), loose


def _nearest(streets: _Segments, xy: FloatArray, margin_m: float) -> tuple[int, float] | None:
    """The segment and share of it nearest to an end; of bridges and tunnels only their ends."""
    near = streets.tree.query(shapely.Point(xy), predicate="dwithin", distance=margin_m)
    best: tuple[float, int, float] | None = None
    for s in np.sort(near).tolist():
        a, b = streets.a[s], streets.b[s]
        step = b - a
        square = float(step @ step)
        share = 0.0 if square == 0.0 else float(np.clip((xy - a) @ step / square, 0.0, 1.0))
        if streets.above[s]:
            share = round(share)
            if not streets.is_end[streets.tail[s] + share]:
                continue
        apart = float(np.hypot(*(a + share * step - xy)))
        if apart <= margin_m and (best is None or apart < best[0] - 1e-9):
            best = (apart, s, share)
    return None if best is None else best[1:]


def _crossings(
    streets: _Segments, xy: FloatArray, length_m: FloatArray
) -> list[tuple[float, int, float]]:
    """Where a way crosses or touches streets on the ground."""
    lines = np.asarray(shapely.linestrings(np.stack((xy[:-1], xy[1:]), axis=1)))
    mine, theirs = streets.tree.query(lines, predicate="intersects")
    ground = ~streets.above[theirs]
    mine, theirs = mine[ground], theirs[ground]
    met = shapely.intersection(lines[mine], streets.tree.geometries[theirs])
    found = []
    for k, s, shape in zip(mine.tolist(), theirs.tolist(), met.tolist(), strict=True):
        for place in shapely.get_coordinates(shape):
            along = _share(xy[k], xy[k + 1], place)
            along_m = float(length_m[k] + along * (length_m[k + 1] - length_m[k]))
            found.append((along_m, s, _share(streets.a[s], streets.b[s], place)))
    return sorted(found)


def _share(a: FloatArray, b: FloatArray, place: FloatArray) -> float:
    step = b - a
    square = float(step @ step)
    return 0.0 if square == 0.0 else float(np.clip((place - a) @ step / square, 0.0, 1.0))


def _set_nodes(raw: RawStreets, streets: _Segments, joins: Sequence[Join], crs: str) -> RawStreets:
    """The streets with a node wherever a way joins between two of theirs."""
    new = sorted((join.old, join.ref, *join.xy_m.tolist()) for join in joins if join.old)
    if not new:
        return raw
    segments = np.array([old[0] for old, *_ in new], dtype=np.int64)
    lonlat = to_lonlat(np.array([row[2:] for row in new]), crs)
    size = np.diff(raw.way_start) + np.bincount(streets.way[segments], minlength=len(raw.way_id))
    at = streets.tail[segments] + 1
    return RawStreets(
        raw.way_id,
        np.concatenate(([0], np.cumsum(size))).astype(np.int64),
        np.insert(raw.node_ref, at, [ref for _, ref, *_ in new]),
        np.insert(raw.lonlat, at, lonlat, axis=0),
        raw.form,
    )


def _append(
    raw: RawStreets, xy: FloatArray, edit: AddWay, joins: Sequence[Join], crs: str
) -> RawStreets:
    """The streets and one more way through its places and its joins."""
    along_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))))
    unused = min(0, int(raw.node_ref.min()), *(join.ref for join in joins)) - 1
    places = [(join.along_m, join.ref, to_lonlat(join.xy_m[None], crs)[0]) for join in joins]
    places += [
        (float(along_m[k]), unused - k, np.array(edit.coordinates[k]))
        for k in range(len(xy))
        if all(np.hypot(*(join.xy_m - xy[k])) >= _SAME_M for join in joins)
    ]
    places.sort(key=lambda place: place[0])
    kept = [p for k, p in enumerate(places) if k == 0 or p[1] != places[k - 1][1]]
    form: UInt8Array = np.zeros(len(raw.way_id), np.uint8) if raw.form is None else raw.form
    return RawStreets(
        np.append(raw.way_id, min(0, int(raw.way_id.min(initial=0))) - 1),
        np.append(raw.way_start, raw.way_start[-1] + len(kept)),
        np.concatenate((raw.node_ref, np.array([ref for _, ref, _ in kept], dtype=np.int64))),
        np.vstack((raw.lonlat, np.array([place for *_, place in kept]))),
        np.append(form, np.uint8(_FORMS[edit.kind])),
    )
