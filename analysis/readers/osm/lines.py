"""Open ways and routes of an OpenStreetMap file, for the rules that count lines.

A running track is often drawn as its line, and a fitness trail as a relation of the paths it
follows; neither is an area, so the reader of areas never sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, cast

import osmium
import shapely

from lifecircle.analysis.readers.osm.source import opened

Tags = Mapping[str, str]
_RING_NODES: Final = 4  # the fewest nodes of a closed way that has an area


def read_lines(
    path: Path, keys: Iterable[str], wanted: Callable[[Tags], bool]
) -> Iterator[tuple[str, Tags, shapely.Geometry]]:
    """Ways and routes that are no area: id, tags, line in degrees.

    `keys`: each has one of them; `wanted`: what is asked of their tags. Parts whose nodes the
    file does not hold are left out.
    """
    ways, routes = _drawn(path, list(keys), wanted)
    members = {way for _, _, parts in routes for way in parts}
    courses = {way: nodes for way, _, nodes in ways} | _courses(path, members)
    places = _places(path, {node for nodes in courses.values() for node in nodes})
    lines = {way: _line(nodes, places) for way, nodes in courses.items()}
    for way, tags, _ in ways:
        line = lines[way]
        if line is not None:
            yield f"way/{way}", tags, line
    for route, tags, parts in routes:
        found = [line for way in parts if (line := lines.get(way)) is not None]
        if found:
            yield f"relation/{route}", tags, shapely.line_merge(shapely.union_all(found))


def _drawn(
    path: Path, keys: list[str], wanted: Callable[[Tags], bool]
) -> tuple[list[tuple[int, Tags, list[int]]], list[tuple[int, Tags, list[int]]]]:
    """Open ways with their nodes, and routes with their ways."""
    ways: list[tuple[int, Tags, list[int]]] = []
    routes: list[tuple[int, Tags, list[int]]] = []
    found = (
        osmium.FileProcessor(opened(path), osmium.osm.WAY | osmium.osm.RELATION)
        .with_filter(osmium.filter.KeyFilter(*keys))
    )  # fmt: skip
    for thing in found:
        tags = dict(thing.tags)
        if not wanted(tags):
            continue
        if isinstance(thing, osmium.osm.Way):
            closed = thing.is_closed() and len(thing.nodes) >= _RING_NODES
            if not closed or tags.get("area") == "no":
                ways.append((thing.id, tags, [node.ref for node in thing.nodes]))
        elif isinstance(thing, osmium.osm.Relation) and tags.get("type") == "route":
            parts = [member.ref for member in thing.members if member.type == "w"]
            routes.append((thing.id, tags, parts))
    return ways, routes


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


def _line(nodes: list[int], places: Mapping[int, tuple[float, float]]) -> shapely.Geometry | None:
    known = [places[node] for node in nodes if node in places]
    return shapely.LineString(known) if len(known) > 1 else None
