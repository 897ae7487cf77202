"""What lies under the figures of a map: water, green, buildings, railways, roads, names.

For the eye alone: nothing is counted with it. Shapes are thinned to about a metre and kept as
whole steps of a hundred thousandth of a degree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.quantities import Int32Array, IntArray, UInt8Array, read_only
from lifecircle.analysis.readers.osm.areas import Areas, read_areas
from lifecircle.analysis.readers.osm.opl import (
    Keys,
    Objects,
    count_nodes,
    lines_of,
    read_nodes,
)
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.coordinates.antimeridian import part_across

KINDS: Final = ("water", "green", "building", "stream", "rail", "road")
NAMES: Final = ("town", "suburb", "village", "water", "park", "station", "street")
STEPS_PER_DEGREE: Final = 100_000
_ROW_OF: Final = {kind: row for row, kind in enumerate(KINDS)}
LONGEST_NAME: Final = 40

Tags = Mapping[str, str]
Shape = Any
_Line = tuple[bytes, tuple[str, int] | None, Tags | None]  # nodes, what it is, a street's tags

_TOLERANCE_DEG = 1.2e-5
_WATER = {
    "natural": {"water"},
    "waterway": {"riverbank", "dock"},
    "landuse": {"reservoir", "basin"},
}
_GREEN = {
    "leisure": {"park", "garden", "nature_reserve", "golf_course", "recreation_ground"},
    "landuse": {"forest", "grass", "meadow", "recreation_ground", "village_green", "cemetery"},
    "natural": {"wood", "scrub", "grassland", "heath"},
}
_ROADS = ("motorway", "trunk", "primary", "secondary", "tertiary")
_STREAMS = ("river", "canal", "stream")
_RAILS = ("rail", "light_rail", "tram")
_PLACES = {
    "city": "town",
    "town": "town",
    "suburb": "suburb",
    "quarter": "suburb",
    "neighbourhood": "suburb",
    "village": "village",
    "hamlet": "village",
}
_STREETS = (*_ROADS[1:], "residential", "living_street", "pedestrian", "unclassified")
_LINE_KEYS = ("highway", "waterway", "railway")
_POINT_KEYS = ("place", "railway")
GROUND_KEYS: Final = ("natural", "waterway", "landuse", "leisure", "building")
_AREA_KEYS: Final = dict.fromkeys((osmium.osm.WAY, osmium.osm.RELATION), GROUND_KEYS)


@dataclass(frozen=True, slots=True)
class Ground:
    """Shapes and names under a map (g rings or lines with v vertices, l names).

    `kind` uint8 (g,): row of `KINDS`; `rank` uint8 (g,): class of a road or stream, 0 the
    largest; `feature` int32 (g,): rings of one polygon share it, so that holes stay open;
    `start` int64 (g + 1,); `lonlat` int32 (v, 2), 1/100,000 degree, WGS84.
    `name_kind` uint8 (l,): row of `NAMES`; `name_at` int32 (l, 2); `name`, `name_en` (l,),
    empty where there is none.
    """

    kind: UInt8Array
    rank: UInt8Array
    feature: Int32Array
    start: IntArray
    lonlat: Int32Array
    name_kind: UInt8Array
    name_at: Int32Array
    name: NDArray[np.str_]
    name_en: NDArray[np.str_]

    def __repr__(self) -> str:
        return f"<Ground: {len(self.kind):,} shapes, {len(self.name):,} names>"


def read_ground(path: Path, areas: Areas | None = None, objects: Objects | None = None) -> Ground:
    """The ground of an OpenStreetMap file; parts without places are left out.

    `areas`: those with one of `GROUND_KEYS` at least, `objects`: those with one of `ground_keys`,
    where they have been read already.
    """
    drawn, names = _Drawn(), _Names()
    lines: list[_Line] = []
    wanted = {osmium.osm.NODE: _POINT_KEYS, osmium.osm.WAY: _LINE_KEYS}
    known: dict[bytes, tuple[tuple[str, int] | None, Tags | None] | None] = {}
    for line in lines_of(path, objects, wanted):
        if line.is_node:
            if (place := line.place) is not None:
                names.point(line.tags, place)
            continue
        if line.text not in known:
            known[line.text] = _told_of(line.tags)
        if (told := known[line.text]) is not None:
            lines.append((line.body, *told))
    said = {line.id: line.tags for line in lines_of(path, objects, _AREA_KEYS)}
    _add_areas(said, read_areas(path, GROUND_KEYS) if areas is None else areas, drawn, names)
    _add_lines(lines, drawn, names)
    return _ground(drawn, names)


def ground_keys() -> Keys:
    """The keys that anything is told of the ground by."""
    way = (*_LINE_KEYS, *GROUND_KEYS)
    return {osmium.osm.NODE: _POINT_KEYS, osmium.osm.WAY: way, osmium.osm.RELATION: GROUND_KEYS}


def _add_areas(said: Mapping[str, Tags], areas: Areas, drawn: _Drawn, names: _Names) -> None:
    """Water, green and buildings, and the names of the first two; `said`: tags by ids."""
    known: dict[int, str | None] = {}  # many areas share their tags
    for one, shape in zip(areas.id, areas.geometry, strict=True):
        tags = said.get(one)
        if tags is None:
            continue
        if id(tags) not in known:
            known[id(tags)] = _area_kind(tags)
        kind = known[id(tags)]
        if kind is not None:
            drawn.add(kind, 0, shape)
            names.area(kind, tags, shape)


def _add_lines(lines: Sequence[_Line], drawn: _Drawn, names: _Names) -> None:
    """Roads, streams and railways, and the names of streets; lines with all their places."""
    count = np.array([count_nodes(nodes) for nodes, _, _ in lines], dtype=np.int64)
    _, lonlat = read_nodes([nodes for nodes, _, _ in lines])
    owner = np.repeat(np.arange(len(lines)), count)
    moves = np.bincount(
        owner[1:][(np.diff(lonlat, axis=0) != 0).any(axis=1) & (np.diff(owner) == 0)],
        minlength=len(lines),
    )
    lost = np.bincount(owner, np.isnan(lonlat[:, 0]), minlength=len(lines)) > 0
    whole = np.flatnonzero(~lost & (moves > 0))
    row = np.full(len(lines), -1)
    row[whole] = np.arange(len(whole))
    kept = row[owner] >= 0
    shapes: Any = np.empty(0, dtype=object)
    if len(whole):
        shapes = shapely.linestrings(lonlat[kept], indices=row[owner][kept])
    for i, shape, degrees in zip(whole.tolist(), shapes, shapely.length(shapes), strict=True):
        _, kind, tags = lines[i]
        if kind is not None:
            drawn.add(*kind, shape)
        if tags is not None:
            names.street(tags, shape, degrees)


def _area_kind(tags: Tags) -> str | None:
    if any(tags.get(key) in values for key, values in _WATER.items()):
        return "water"
    if tags.get("building", "no") != "no":
        return "building"
    return "green" if any(tags.get(key) in values for key, values in _GREEN.items()) else None


def _told_of(tags: Tags) -> tuple[tuple[str, int] | None, Tags | None] | None:
    """What a line is drawn as, and its tags where it is a street with a name; None of neither."""
    kind = _line_kind(tags)
    is_street = "name" in tags and tags.get("highway") in _STREETS
    return (kind, tags if is_street else None) if is_street or kind is not None else None


def _line_kind(tags: Tags) -> tuple[str, int] | None:
    """What a line is drawn as and its rank; nothing in a tunnel."""
    if tags.get("tunnel", "no") != "no":
        return None
    road = tags.get("highway", "").removesuffix("_link")
    if road in _ROADS and tags.get("area") != "yes":
        return "road", _ROADS.index(road)
    if tags.get("waterway") in _STREAMS:
        return "stream", _STREAMS.index(tags["waterway"])
    return ("rail", _RAILS.index(tags["railway"])) if tags.get("railway") in _RAILS else None


class _Drawn:
    """Shapes as they are found, in degrees."""

    def __init__(self) -> None:
        self.kind: list[int] = []
        self.rank: list[int] = []
        self.shape: list[Shape] = []

    def add(self, kind: str, rank: int, shape: Shape) -> None:
        self.kind.append(_ROW_OF[kind])
        self.rank.append(rank)
        self.shape.append(shape)


class _Names:
    """Names as they are found; of streets the longest piece of each name."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, tuple[float, float], str, str]] = []
        self.streets: dict[str, tuple[float, Shape, str]] = {}

    def point(self, tags: Tags, at: tuple[float, float]) -> None:
        kind = _PLACES.get(tags.get("place", ""))
        if kind is None and tags.get("railway") == "station":
            kind = "station"
        self._add(kind, tags, at)

    def area(self, kind: str, tags: Tags, shape: Shape) -> None:
        named = {"water": "water", "green": "park"}.get(kind)
        if named is not None and "name" in tags and not shape.is_empty:
            inside = shapely.point_on_surface(part_across(shape))
            self._add(named, tags, (inside.x, inside.y))

    def street(self, tags: Tags, line: Shape, degrees: float) -> None:
        held = self.streets.get(tags["name"])
        if held is None or degrees > held[0]:
            self.streets[tags["name"]] = (degrees, line, tags.get("name:en", ""))

    def all(self) -> list[tuple[str, tuple[float, float], str, str]]:
        found = list(self.rows)
        for name, (_, line, english) in sorted(
            self.streets.items(), key=lambda item: (-item[1][0], item[0])
        ):
            middle = line.interpolate(0.5, normalized=True)
            found.append(("street", (middle.x, middle.y), name[:LONGEST_NAME], english))
        return found

    def _add(self, kind: str | None, tags: Tags, at: tuple[float, float]) -> None:
        if kind is not None and tags.get("name"):
            english = tags.get("name:en", "")[:LONGEST_NAME]
            self.rows.append((kind, at, tags["name"][:LONGEST_NAME], english))


def _ground(drawn: _Drawn, names: _Names) -> Ground:
    """Everything found as arrays, kinds from the lowest to the highest."""
    shapes, of = shapely.get_parts(object_array(drawn.shape), return_index=True)
    thin = shapely.simplify(shapes, _TOLERANCE_DEG, preserve_topology=True)
    kind, rank = (np.array(one, dtype=np.uint8)[of] for one in (drawn.kind, drawn.rank))
    order = np.argsort(kind, kind="stable")
    kind, rank = kind[order], rank[order]
    rings, feature = _rings(thin[order])
    xy, owner = shapely.get_coordinates(rings, return_index=True)
    counts = np.bincount(owner, minlength=len(rings))
    rows = names.all()
    at = np.array([row[1] for row in rows], dtype=np.float64).reshape(-1, 2)
    made = Ground(
        kind[feature],
        rank[feature],
        feature.astype(np.int32),
        np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        _whole(xy),
        np.array([NAMES.index(row[0]) for row in rows], dtype=np.uint8),
        _whole(at),
        np.array([row[2] for row in rows], dtype=np.str_),
        np.array([row[3] for row in rows], dtype=np.str_),
    )
    for field in fields(made):
        read_only(getattr(made, field.name))
    return made


def _rings(shapes: NDArray[np.object_]) -> tuple[NDArray[np.object_], IntArray]:
    """Lines and the rings of polygons, and which shape each belongs to."""
    areal = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
    rings, of_area = shapely.get_rings(shapes[areal], return_index=True)
    lines = np.flatnonzero(~areal)
    every = np.concatenate((rings, shapes[lines]))
    feature = np.concatenate((np.flatnonzero(areal)[of_area], lines)).astype(np.int64)
    order = np.argsort(feature, kind="stable")
    return every[order], feature[order]


def _whole(lonlat: NDArray[np.float64]) -> Int32Array:
    return np.rint(lonlat * STEPS_PER_DEGREE).astype(np.int32)
