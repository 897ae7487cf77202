"""Taking parts of streets away: what lies inside an area nobody may walk through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from lifecircle.analysis.city.crs import geodesic_m, to_lonlat, to_metric
from lifecircle.analysis.grouping.pair_blocks import PairBudget, pairs_or_joined
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray, ObjectArray
from lifecircle.analysis.readers.osm.streets import RawStreets

_NEAR = 1e-6  # degrees around a segment within which an area matters
_SAME = 1e-9  # of a segment: nearer to its end than this is the end


@dataclass(frozen=True, slots=True)
class Cut:
    """Streets after a cut, what was cut away in metres, which areas met a street, bool (k,)."""

    streets: RawStreets
    removed_m: float
    met: BoolArray


def widen_shapes(shapes: ObjectArray, margin_m: float, crs: str) -> ObjectArray:
    """Points and lines (degrees) widen_shapes to areas by a margin; areas stay as they are."""
    wide = np.empty(len(shapes), dtype=object)
    for i, shape in enumerate(shapes):
        if shapely.get_dimensions(shape) == 2:
            wide[i] = shape
            continue
        metric = shapely.transform(shape, lambda xy: to_metric(xy, crs))
        area = shapely.buffer(metric, margin_m)
        wide[i] = shapely.transform(area, lambda xy: to_lonlat(xy, crs))
    return wide


def cut_inside(raw: RawStreets, areas: ObjectArray, spared: BoolArray | None = None) -> Cut:
    """The streets less what lies inside areas (polygons in degrees).

    A street is cut exactly where it enters an area; a new node with a negative id ends it
    there. `spared` bool (w,): ways left whole (bridges over a railway).
    """
    tail = _find_tails(raw)
    ends = np.stack((raw.lonlat[tail], raw.lonlat[tail + 1]), axis=1)
    way = np.repeat(np.arange(len(raw.way_id)), np.diff(raw.way_start) - 1)
    lines: Any = shapely.linestrings(ends)
    tree = shapely.STRtree(lines)
    budget = PairBudget.of(len(areas) + len(lines))
    met_by = areas
    areas, area, segment = pairs_or_joined(tree, areas, budget)
    swallowed = np.unique(tree.query(areas, predicate="contains")[1])
    if spared is not None:
        kept = ~spared[way[segment]]
        area, segment = area[kept], segment[kept]
        swallowed = swallowed[~spared[way[swallowed]]]
    met = _meets(met_by, lines, area, segment, joined=areas is not met_by)
    if len(segment) == 0:
        return Cut(raw, 0.0, met)
    left: dict[int, list[tuple[float, float]]] = {s: [] for s in swallowed.tolist()}
    crossing = ~np.isin(segment, swallowed)
    left |= _find_crossed(lines, ends, areas, area[crossing], segment[crossing])
    hit = np.array(list(left), dtype=np.int64)
    whole_m = geodesic_m(ends[hit, 0], ends[hit, 1])
    share = np.array([sum(b - a for a, b in left[s]) for s in hit.tolist()])
    streets = _rebuild_ways(raw, tail, way, left)
    return Cut(streets, float((whole_m * (1.0 - share)).sum()), met)


def _meets(
    areas: ObjectArray, lines: Any, area: IntArray, segment: IntArray, *, joined: bool
) -> BoolArray:
    """Which areas (k,) meet a street: by the pairs, or, where those are of areas `joined`, anew."""
    met = np.zeros(len(areas), dtype=bool)
    if not joined:
        met[area] = True
        return met
    streets = shapely.union_all(lines[np.unique(segment)])
    shapely.prepare(streets)
    return np.asarray(shapely.intersects(streets, areas), dtype=np.bool_)


def _find_crossed(
    lines: Any, ends: FloatArray, areas: ObjectArray, area: IntArray, segment: IntArray
) -> dict[int, list[tuple[float, float]]]:
    """What areas leave of the segments that reach over their borders."""
    if len(segment) == 0:
        return {}
    order = np.lexsort((area, segment))
    hit, begin = np.unique(segment[order], return_index=True)
    holds = np.split(areas[area[order]], begin[1:])
    return {
        int(s): _find_left_over(lines[s], ends[s], list(shapes))
        for s, shapes in zip(hit.tolist(), holds, strict=True)
    }


def _find_tails(raw: RawStreets) -> IntArray:
    """Row of the first node of every segment."""
    rows = np.ones(len(raw.node_ref), dtype=bool)
    rows[raw.way_start[1:] - 1] = False
    return np.flatnonzero(rows)


def _find_left_over(
    line: shapely.LineString, ends: FloatArray, areas: Sequence[shapely.Geometry]
) -> list[tuple[float, float]]:
    """What areas leave of a segment, as shares from its first end, ascending."""
    west, south, east, north = shapely.bounds(line)
    around = west - _NEAR, south - _NEAR, east + _NEAR, north + _NEAR
    near = [shapely.clip_by_rect(area, *around) for area in areas]  # large areas stay cheap
    rest = shapely.difference(line, shapely.union_all(shapely.make_valid(near)))
    step = ends[1] - ends[0]
    square = float(step @ step)
    pieces = []
    for part in shapely.get_parts(rest):
        places = shapely.get_coordinates(part)
        if len(places) < 2 or square == 0.0:
            continue
        along = (places[[0, -1]] - ends[0]) @ step / square
        along[np.abs(along) < _SAME] = 0.0
        along[np.abs(along - 1.0) < _SAME] = 1.0
        pieces.append((float(along.min()), float(along.max())))
    return sorted(piece for piece in pieces if piece[1] > piece[0])


def _rebuild_ways(
    raw: RawStreets, tail: IntArray, way: IntArray, left: dict[int, list[tuple[float, float]]]
) -> RawStreets:
    """Ways strung together anew around what was cut out of some of their segments."""
    touched = np.unique(way[list(left)])
    first_segment = np.searchsorted(way, touched)
    last_segment = np.searchsorted(way, touched, side="right")
    unused = min(0, int(raw.node_ref.min())) - 1
    runs: list[tuple[int, list[tuple[int, float, float]]]] = []
    lonlat, refs = raw.lonlat, raw.node_ref
    for w, low, high in zip(
        touched.tolist(), first_segment.tolist(), last_segment.tolist(), strict=True
    ):
        run: list[tuple[int, float, float]] = []
        for s in range(low, high):
            a, b = int(tail[s]), int(tail[s]) + 1
            for start, end in left.get(s, [(0.0, 1.0)]):
                if start > 0.0:
                    runs.append((w, run))
                    run = [(unused, *_find_between(lonlat, a, b, start))]
                    unused -= 1
                elif not run:
                    run = [(int(refs[a]), *lonlat[a].tolist())]
                if end < 1.0:
                    run.append((unused, *_find_between(lonlat, a, b, end)))
                    unused -= 1
                    runs.append((w, run))
                    run = []
                else:
                    run.append((int(refs[b]), *lonlat[b].tolist()))
            if s in left and (not left[s] or left[s][-1][1] < 1.0):
                runs.append((w, run))
                run = []
        runs.append((w, run))
    return _join_ways(raw, touched, [(w, run) for w, run in runs if len(run) >= 2])


def _find_between(lonlat: FloatArray, a: int, b: int, share: float) -> tuple[float, float]:
    lon, lat = lonlat[a] + share * (lonlat[b] - lonlat[a])
    return float(lon), float(lat)


def _join_ways(
    raw: RawStreets, dropped: IntArray, runs: Sequence[tuple[int, list[tuple[int, float, float]]]]
) -> RawStreets:
    """The ways that stay, and new runs of nodes in place of the dropped ones."""
    stays = np.ones(len(raw.way_id), dtype=bool)
    stays[dropped] = False
    size = np.diff(raw.way_start)
    rows = np.repeat(stays, size)
    owner = np.array([w for w, _ in runs], dtype=np.int64)
    places = [place for _, run in runs for place in run]
    counts = np.concatenate((size[stays], np.array([len(run) for _, run in runs], dtype=np.int64)))
    new_ref = np.array([ref for ref, _, _ in places], dtype=np.int64)
    new_lonlat = np.array([(x, y) for _, x, y in places], dtype=np.float64).reshape(-1, 2)
    return RawStreets(
        np.concatenate((raw.way_id[stays], raw.way_id[owner])),
        np.concatenate(([0], np.cumsum(counts, dtype=np.int64))),
        np.concatenate((raw.node_ref[rows], new_ref)),
        np.vstack((raw.lonlat[rows], new_lonlat)),
        None if raw.form is None else np.concatenate((raw.form[stays], raw.form[owner])),
    )
