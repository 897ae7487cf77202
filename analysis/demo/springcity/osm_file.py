"""The OSM file of springcity: nodes, ways, relations in order, the same bytes every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import osmium
import shapely
from osmium.osm.mutable import Node, Relation, Way
from shapely.geometry import Polygon

from lifecircle.analysis.demo.springcity.draft import Streets, synthetic
from lifecircle.analysis.demo.springcity.ground.areas import Area
from lifecircle.analysis.demo.springcity.ground.terrain import Terrain
from lifecircle.analysis.demo.springcity.places import Place
from lifecircle.analysis.demo.springcity.plan import as_in_osm
from lifecircle.analysis.demo.springcity.units import UnitTable
from lifecircle.analysis.quantities import FloatArray

_ADMIN_LEVEL = {"district": "6", "subdistrict": "8", "township": "8"}


@dataclass(slots=True)
class _Map:
    """What goes into the file: coordinates (degrees), tagged nodes, ways, relations."""

    lonlat: list[FloatArray] = field(default_factory=list)
    count: int = 0
    node_tags: dict[int, Mapping[str, str]] = field(default_factory=dict)
    ways: list[tuple[list[int], Mapping[str, str]]] = field(default_factory=list)
    relations: list[tuple[list[tuple[str, int, str]], Mapping[str, str]]] = field(
        default_factory=list
    )

    def nodes(self, lonlat: FloatArray) -> list[int]:
        """Take over nodes; their ids (from 1)."""
        first = self.count + 1
        self.lonlat.append(lonlat)
        self.count += len(lonlat)
        return list(range(first, self.count + 1))

    def way(self, nodes: list[int], tags: Mapping[str, str]) -> int:
        """Take over a way; its id."""
        self.ways.append((nodes, tags))
        return len(self.ways)

    def ring(self, xy: FloatArray, tags: Mapping[str, str]) -> int:
        """A closed way around an open ring in city metres; its id."""
        nodes = self.nodes(as_in_osm(xy))
        return self.way([*nodes, nodes[0]], tags)


def write_osm(
    path: Path,
    streets: Streets,
    areas: Sequence[Area],
    places: Sequence[Place],
    units: UnitTable,
    terrain: Terrain,
) -> None:
    """Write the whole map as ``.osm.pbf``."""
    chart = _Map()
    offset = chart.nodes(streets.lonlat)[0]
    for way in streets.ways:
        chart.way((way.nodes + offset).tolist(), way.tags)
    for area in areas:
        chart.ring(area.ring, area.tags)
    for place in places:
        if place.file in {"osm", "both"}:
            (node,) = chart.nodes(np.array([place.lonlat]))
            chart.node_tags[node] = place.tags
    _add_terrain(chart, terrain)
    _add_borders(chart, units)
    _write(path, chart)


def _add_terrain(chart: _Map, terrain: Terrain) -> None:
    river = synthetic(waterway="river", name="清溪河", name_en="Qingxi River")
    rail = synthetic(railway="rail", name="环城铁路", name_en="City Railway")
    for line, tags in ((terrain.river, river), (terrain.railway, rail)):
        chart.way(chart.nodes(as_in_osm(shapely.get_coordinates(line))), tags)
    bed = shapely.get_coordinates(terrain.river_bed.exterior)[:-1]
    chart.ring(bed, synthetic(natural="water", water="river"))
    outer = chart.ring(shapely.get_coordinates(terrain.lake.exterior)[:-1], {})
    inner = chart.ring(shapely.get_coordinates(terrain.island.exterior)[:-1], {})
    members = [("w", outer, "outer"), ("w", inner, "inner")]
    lake = synthetic(type="multipolygon", natural="water", name="明月湖", name_en="Mingyue Lake")
    chart.relations.append((members, lake))


def _add_borders(chart: _Map, units: UnitTable) -> None:
    for unit in units.units:
        level = _ADMIN_LEVEL.get(unit.level)
        if level is None or not isinstance(unit.outline, Polygon):
            continue
        border = synthetic(boundary="administrative", admin_level=level)
        outer = chart.ring(shapely.get_coordinates(unit.outline.exterior)[:-1], border)
        tags = border | {"type": "boundary", "name": unit.name, "name:en": unit.name_en,
                         "ref": unit.code}  # fmt: skip
        chart.relations.append(([("w", outer, "outer")], tags))


def _write(path: Path, chart: _Map) -> None:
    lonlat = np.vstack(chart.lonlat)
    writer = osmium.SimpleWriter(str(path), overwrite=True)
    try:
        for number, place in enumerate(lonlat.tolist(), start=1):
            tags = chart.node_tags.get(number, {})
            writer.add_node(Node(id=number, version=1, visible=True, location=place, tags=tags))
        for number, (nodes, tags) in enumerate(chart.ways, start=1):
            writer.add_way(Way(id=number, version=1, visible=True, nodes=nodes, tags=tags))
        for number, (members, tags) in enumerate(chart.relations, start=1):
            relation = Relation(id=number, version=1, visible=True, members=members, tags=tags)
            writer.add_relation(relation)
    finally:
        writer.close()
