"""Tracks drawn as lines, routes of trails, squares drawn as multipolygons."""

from __future__ import annotations

from pathlib import Path

import osmium
import pytest
import shapely

from lifecircle.analysis.policy import Policy
from lifecircle.analysis.readers.osm.lines import read_lines
from lifecircle.analysis.readers.osm.opl import list_lines
from lifecircle.analysis.readers.osm.places import read_places
from tests.worlds.tagged import TODAY, services_of, tags_of, write_things

NODES = {number: {} for number in range(1, 41)}
RING = (1, 2, 12, 11, 1)


def test_open_tracks_and_routes_are_trails(policy: Policy, tmp_path: Path) -> None:
    ways = {
        1: ((1, 2, 3), tags_of("leisure=track sport=running")),  # open
        2: (RING, tags_of("leisure=track sport=running")),  # closed: an area
        3: (RING, tags_of("leisure=track area=no")),  # closed, but a line by its word
        4: ((1, 2, 3), tags_of("leisure=track sport=karting")),
        5: ((1, 2, 3), tags_of("leisure=pitch")),  # an open pitch has no area: a drawing fault
        6: ((21, 22, 23), tags_of("highway=path")),
        7: ((23, 24, 25), tags_of("highway=path")),
        8: ((31, 32), tags_of("highway=path")),
    }
    relations = {
        1: ((("w", 6, ""), ("w", 7, "")), tags_of("type=route route=fitness_trail")),
        2: ((("w", 8, ""), ("w", 99, "")), tags_of("type=route route=hiking name=大观河健身步道")),
        3: ((("w", 6, ""),), tags_of("type=route route=hiking name=Camino")),
        4: ((("w", 6, ""),), tags_of("type=route route=bus name=健身步道专线")),
        5: ((("w", 99, ""),), tags_of("type=route route=fitness_trail")),  # nothing of it is here
    }
    path = write_things(tmp_path / "d.osm.pbf", NODES, ways, relations)
    places = read_places(path, policy, TODAY)
    found = dict(zip(places.facilities.id, places.facilities.where.shapes, strict=True))
    assert set(places.facilities.service) == {"fitness_trail"}
    kinds = {one: shape.geom_type for one, shape in found.items()}
    assert kinds == {
        "way/1": "LineString", "way/2": "Polygon", "way/3": "LineString",
        "relation/1": "LineString", "relation/2": "LineString",
    }  # fmt: skip
    ends = shapely.get_coordinates(found["relation/1"])[[0, -1]]
    assert ends[ends[:, 0].argsort()].ravel() == pytest.approx([102.7, 25.002, 102.704, 25.002])


def test_lines_without_their_nodes_are_left_out(tmp_path: Path) -> None:
    ways = {1: ((1, 2, 3), {"leisure": "track"}), 2: ((4, 5), {"leisure": "track"})}
    path = write_things(tmp_path / "d.osm.pbf", NODES, ways, absent=frozenset({3, 5}))
    drawn = list_lines(path, {osmium.osm.WAY: ["leisure"]})
    found = list(read_lines(path, drawn, lambda tags: True))
    assert [(one, len(shapely.get_coordinates(line))) for one, _, line in found] == [("way/1", 2)]


def test_named_pedestrian_areas_are_squares(policy: Policy, tmp_path: Path) -> None:
    ways = {
        1: (RING, tags_of("highway=pedestrian area=yes name=Misraħ|San|Pawl")),
        2: (RING, tags_of("highway=pedestrian name=东风广场")),  # a street round a block
        3: (RING, tags_of("highway=pedestrian area=yes name=南屏步行街")),
        4: (RING, tags_of("highway=pedestrian area=yes name=人民路广场")),
        5: (RING, tags_of("highway=pedestrian area=yes")),
        6: ((21, 22, 32), {}),
        7: ((32, 31, 21), {}),
    }
    outer = (("w", 6, "outer"), ("w", 7, "outer"))
    relations = {
        1: (outer, tags_of("type=multipolygon highway=pedestrian name=Praça|da|Alfândega")),
        2: (outer, tags_of("type=multipolygon highway=pedestrian name=Rua|da|Praia")),
        3: (outer, tags_of("type=multipolygon highway=pedestrian")),
    }
    path = write_things(tmp_path / "d.osm.pbf", NODES, ways, relations)
    ids = [*(f"way/{n}" for n in range(1, 6)), *(f"relation/{n}" for n in range(1, 4))]
    found = services_of(read_places(path, policy, TODAY), ids)
    squares = [one for one, services in zip(ids, found, strict=True) if services == {"square"}]
    assert squares == ["way/1", "way/4", "relation/1"]
    assert sum(map(len, found)) == 3
