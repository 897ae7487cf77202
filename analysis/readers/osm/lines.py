"""Open ways and routes of an OpenStreetMap file, for the rules that count lines.

A running track is often drawn as its line, and a fitness trail as a relation of the paths it
follows; neither is an area, so the reader of areas never sees them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, cast

import osmium
import shapely

from lifecircle.analysis.readers.osm.opl import Line, count_nodes, read_nodes
from lifecircle.analysis.readers.osm.source import opened

Tags = Mapping[str, str]
_RING_NODES: Final = 4  # the fewest nodes of a closed way that has an area


def read_lines(
    path: Path, drawn: Iterable[Line], wanted: Callable[[Tags], bool]
) -> Iterator[tuple[str, Tags, shapely.Geometry]]:
    """Ways and routes that are no area: id, tags, line in degrees.

    `drawn`: the objects of a file that may be; `wanted`: what is asked of their tags. Parts whose
    nodes the file does not hold are left out.
    """
    ways: list[Line] = []
    routes: list[Line] = []
    for line in drawn:
        if not wanted(line.tags):
            continue
        if line.is_way:
            closed = line.is_ring and count_nodes(line.body) >= _RING_NODES
            if not closed or line.tags.get("area") == "no":
                ways.append(line)
        elif not line.is_node and line.tags.get("type") == "route":
            routes.append(line)
    lines = {way.number: _line(_places_on(way)) for way in ways}
    members = {way for route in routes for way in route.refs} - lines.keys()
    courses = _courses(path, members)
    places = _places(path, {node for nodes in courses.values() for node in nodes})
    for number, nodes in courses.items():
        lines[number] = _line([places[node] for node in nodes if node in places])
    for way in ways:
        shape = lines[way.number]
        if shape is not None:
            yield way.id, way.tags, shape
    for route in routes:
        found = [shape for way in route.refs if (shape := lines.get(way)) is not None]
        if found:
            yield route.id, route.tags, shapely.line_merge(shapely.union_all(found))


def _places_on(way: Line) -> list[tuple[float, float]]:
    """Where the nodes of a way lie that the file holds, degrees."""
    lonlat = read_nodes([way.body])[1]
    return [(lon, lat) for lon, lat in lonlat.tolist() if not math.isnan(lon)]


def _courses(path: Path, wanted: set[int]) -> dict[int, list[int]]:
    ways = cast(Iterable[osmium.osm.Way], _by_id(path, osmium.osm.WAY, wanted))
    return {way.id: [node.ref for node in way.nodes] for way in ways}


def _places(path: Path, wanted: set[int]) -> dict[int, tuple[float, float]]:
    nodes = cast(Iterable[osmium.osm.Node], _by_id(path, osmium.osm.NODE, wanted))
    return {node.id: (node.lon, node.lat) for node in nodes if node.location.valid()}


def _by_id(
    path: Path, kind: osmium.osm.osm_entity_bits, wanted: set[int]
) -> Iterable[osmium.osm.types.OSMEntity]:
    """The things of one kind with these ids; the file is not read for none."""
    if not wanted:
        return ()
    found = osmium.FileProcessor(opened(path), kind).with_filter(osmium.filter.IdFilter(wanted))
    return cast(Iterable[osmium.osm.types.OSMEntity], found)


def _line(places: list[tuple[float, float]]) -> shapely.Geometry | None:
    return shapely.LineString(places) if len(places) > 1 else None
