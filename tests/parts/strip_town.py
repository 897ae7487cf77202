"""A drawn town of eight strips side by side, in which everything lies across the borders too.

Its only health centre stands in the first strip: the gap behind it runs through all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import osmium
import shapely

STRIPS = 8
PEOPLE = (1200, 900, 700, 500, 1500, 1100, None, 0)
WIDE_M, HIGH_M = 400.0, 600.0
_DEGREE_M = 111_320.0
_STREET_M = 100.0

Shape = list[tuple[float, float]]


def _box(west: float, south: float, east: float, north: float) -> Shape:
    return [(west, south), (east, south), (east, north), (west, north)]


def areas() -> Iterator[tuple[dict[str, str], Shape]]:
    """Closed ways, metres: houses, land and parks, every third across a border of strips."""
    for i in range(STRIPS):
        west = i * WIDE_M
        if i not in (2, 3):  # two strips without houses: one with land, one with nothing
            for x in range(20, 400, 40):
                levels = str(1 + x // 40 % 5)
                yield (
                    {"building": "apartments", "building:levels": levels},
                    _box(west + x, 20 + x, west + x + 25, 40 + x),
                )
        if i != 3:
            border = west if i == 4 else west - 60
            yield ({"landuse": "residential"}, _box(border, 210, west + 240, 390))
        yield ({"leisure": "park", "name": f"园{i}"}, _box(west - 50, 420, west + 50, 480))
        yield ({"building": "yes", "amenity": "school"}, _box(west - 15, 510, west + 15, 530))
        yield ({"building": "yes"}, _box(west + 200, 540, west + 215, 560))


def write_town(folder: Path, name: str = "strips.osm.pbf") -> Path:
    """The map: streets 100 m apart, `areas`, a works of two rings around houses, shops."""
    file = folder / name
    nodes: list[tuple[int, float, float, dict[str, str]]] = []
    ways: list[tuple[list[int], dict[str, str]]] = []

    def node(x: float, y: float, tags: dict[str, str] | None = None) -> int:
        nodes.append((len(nodes) + 1, x / _DEGREE_M, y / _DEGREE_M, tags or {}))
        return len(nodes)

    columns, rows = int(STRIPS * WIDE_M / _STREET_M), int(HIGH_M / _STREET_M)
    grid = [
        [node(x * _STREET_M, y * _STREET_M) for y in range(rows + 1)] for x in range(columns + 1)
    ]
    street = {"highway": "residential"}
    ways += [(line, street) for line in grid]
    ways += [([line[y] for line in grid], street) for y in range(rows + 1)]
    for tags, shape in areas():
        ring = [node(*place) for place in shape]
        ways.append(([*ring, ring[0]], tags))
    works = []
    for shape in (_box(1900, 20, 2300, 200), _box(2350, 20, 2380, 60)):
        ring = [node(*place) for place in shape]
        ways.append(([*ring, ring[0]], {}))
        works.append(len(ways))
    track = [node(x, 310) for x in (300, 500, 700)]
    ways.append((track, {"leisure": "track", "sport": "running"}))
    for i in range(STRIPS):
        node(i * WIDE_M + 399, 5, {"shop": "convenience", "name": f"店{i}"})
        node(i * WIDE_M + 200, 105, {"amenity": "pharmacy", "name": f"药{i}"})
    with osmium.SimpleWriter(str(file), overwrite=True) as writer:
        for number, lon, lat, tags in nodes:
            place = osmium.osm.mutable.Node(id=number, location=(lon, lat), tags=tags, version=1)
            writer.add_node(place)
        for number, (line, tags) in enumerate(ways, start=1):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=line, tags=tags, version=1))
        members = [("w", number, "outer") for number in works]
        tags = {"type": "multipolygon", "landuse": "industrial"}
        writer.add_relation(
            osmium.osm.mutable.Relation(id=1, members=members, tags=tags, version=1)
        )
    return file


def write_units(folder: Path) -> tuple[Path, Path]:
    """The strips with their residents, one without a number, one without any, and two halves."""

    def strips(first: int, last: int) -> shapely.Polygon:
        east = (last * WIDE_M) / _DEGREE_M
        return shapely.box(first * WIDE_M / _DEGREE_M, 0, east, HIGH_M / _DEGREE_M)

    low = gpd.GeoDataFrame(
        {
            "code": [f"10{i}" for i in range(STRIPS)],
            "name": [f"{i}社区" for i in range(STRIPS)],
            "level": "community",
            "population": list(PEOPLE),
            "pop_65": [None if n is None else n // 5 for n in PEOPLE],
        },
        geometry=[strips(i, i + 1) for i in range(STRIPS)],
        crs="EPSG:4326",
    )
    high = gpd.GeoDataFrame(
        {"code": ["1", "2"], "name": ["东街道", "西街道"], "level": "subdistrict"},
        geometry=[strips(0, 4), strips(4, STRIPS)],
        crs="EPSG:4326",
    )
    files = folder / "communities.gpkg", folder / "streets.gpkg"
    for frame, file in zip((low, high), files, strict=True):
        frame.to_file(file)
    return files


def write_centres(folder: Path) -> Path:
    """Health centres: one in the first strip, so small that it is full."""
    file = folder / "care.csv"
    head = "type,name,lon,lat,ownership,level,max_population\n"
    place = f"{150 / _DEGREE_M},{150 / _DEGREE_M}"
    file.write_text(f"{head}health_centre,卫生中心,{place},government,1,30000\n", encoding="utf-8")
    return file
