"""What lies under the figures of a map: water, green, buildings, railways, roads, names.

For the eye alone: nothing is counted with it. Shapes are thinned to about a metre and kept as
whole steps of a hundred thousandth of a degree.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.quantities import Int32Array, IntArray, UInt8Array, read_only
from lifecircle.analysis.readers.osm.source import opened

KINDS: Final = ("water", "green", "building", "stream", "rail", "road")
NAMES: Final = ("town", "suburb", "village", "water", "park", "station", "street")
STEPS_PER_DEGREE: Final = 100_000
LONGEST_NAME: Final = 40

Tags = Any  # osmium's own list of tags, read like a mapping
Shape = Any

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
_KEYS = ("natural", "waterway", "landuse", "leisure", "building", "railway", "highway", "place")


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


def read_ground(path: Path) -> Ground:
    """The ground of an OpenStreetMap file; parts without places are left out."""
    wanted = osmium.filter.KeyFilter(*_KEYS)
    things = osmium.FileProcessor(opened(path)).with_areas(wanted).with_filter(wanted)
    drawn, names = _Drawn(), _Names()
    as_wkb = osmium.geom.WKBFactory()
    for thing in things:
        tags = thing.tags
        try:
            if isinstance(thing, osmium.osm.Node):
                if "place" in tags or "railway" in tags:
                    names.point(tags, (thing.lon, thing.lat))
            elif isinstance(thing, osmium.osm.Area):
                kind = _area_kind(tags)
                if kind is not None:
                    shape = shapely.from_wkb(as_wkb.create_multipolygon(thing))
                    drawn.area(kind, shape)
                    names.area(kind, tags, shape)
            elif isinstance(thing, osmium.osm.Way):
                if not any(key in tags for key in _LINE_KEYS):
                    continue
                known = _line_kind(tags)
                street = tags.get("highway") in _STREETS and "name" in tags
                if known is None and not street:
                    continue
                line = shapely.from_wkb(as_wkb.create_linestring(thing))
                if known is not None:
                    drawn.line(*known, line)
                if street:
                    names.street(tags, line)
        except (RuntimeError, osmium.InvalidLocationError):
            continue  # cut off at the extract's border
    return _ground(drawn, names)


def _area_kind(tags: Tags) -> str | None:
    if any(tags.get(key) in values for key, values in _WATER.items()):
        return "water"
    if tags.get("building", "no") != "no":
        return "building"
    return "green" if any(tags.get(key) in values for key, values in _GREEN.items()) else None


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

    def area(self, kind: str, shape: Shape) -> None:
        for part in shapely.get_parts(shape):
            self._add(kind, 0, part)

    def line(self, kind: str, rank: int, shape: Shape) -> None:
        self._add(kind, rank, shape)

    def _add(self, kind: str, rank: int, shape: Shape) -> None:
        self.kind.append(KINDS.index(kind))
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
            inside = shapely.point_on_surface(shape)
            self._add(named, tags, (inside.x, inside.y))

    def street(self, tags: Tags, line: Shape) -> None:
        held = self.streets.get(tags["name"])
        if held is None or line.length > held[0]:
            self.streets[tags["name"]] = (line.length, line, tags.get("name:en", ""))

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
    shapes = np.empty(len(drawn.shape), dtype=object)
    shapes[:] = drawn.shape
    thin = shapely.simplify(shapes, _TOLERANCE_DEG, preserve_topology=True)
    order = np.argsort(np.array(drawn.kind, dtype=np.uint8), kind="stable")
    kind, rank = (np.array(x, dtype=np.uint8)[order] for x in (drawn.kind, drawn.rank))
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
