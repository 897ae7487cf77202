"""Which rule parts Valhalla's way from ours: the tags of the ways and nodes on either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import osmium


@dataclass(frozen=True)
class Osm:
    """Tags of the ways of a file, nodes with a barrier, and where turns are restricted."""

    tags: Mapping[int, Mapping[str, str]]
    nodes: Mapping[int, tuple[int, ...]]
    barriers: Mapping[int, str]
    turns: frozenset[tuple[int, int]]


def read_osm(path: Path) -> Osm:
    """What explains a difference, straight from the file."""
    tags: dict[int, dict[str, str]] = {}
    nodes: dict[int, tuple[int, ...]] = {}
    barriers: dict[int, str] = {}
    turns: set[tuple[int, int]] = set()
    for one in osmium.FileProcessor(str(path)):
        if one.is_way() and ("highway" in one.tags or "route" in one.tags):
            tags[one.id] = dict(one.tags)
            nodes[one.id] = tuple(node.ref for node in one.nodes)
        elif one.is_node() and "barrier" in one.tags:
            barriers[one.id] = one.tags["barrier"]
        elif one.is_relation() and one.tags.get("restriction", "").startswith("no_"):
            ends = {role: [m.ref for m in one.members if m.role == role] for role in ("from", "to")}
            turns |= {(a, b) for a in ends["from"] for b in ends["to"]}
    return Osm(tags, nodes, barriers, frozenset(turns))


def shorter_there(edges: Iterable[Mapping[str, Any]], mine: frozenset[int], osm: Osm) -> str:
    """Which rule lets Valhalla take a way that we do not."""
    walked = [edge["way_id"] for edge in edges]
    for way in walked:
        tags = osm.tags.get(way, {})
        if way in mine:
            continue
        if tags.get("route") == "ferry":
            return "ferry"
        if any(node in osm.barriers for node in osm.nodes.get(way, ())):
            return "barrier"
        if _restricted(tags):
            return "access tags"
        if tags:
            return f"class {tags.get('highway')}"
    if any(node in osm.barriers for way in walked for node in osm.nodes.get(way, ())):
        return "barrier"
    if any("oneway" in key for way in walked for key in osm.tags.get(way, {})):
        return "one-way"
    return "other"


def longer_there(edges: Iterable[Mapping[str, Any]], ways: list[int], osm: Osm) -> str:
    """Which rule keeps Valhalla off a way that we take."""
    walked = {edge["way_id"] for edge in edges}
    ours = list(dict.fromkeys(ways))
    if any(pair in osm.turns for pair in pairwise(ours)):
        return "turn restriction"
    for way in ours:
        tags = osm.tags.get(way, {})
        if way in walked:
            continue
        if _restricted(tags):
            return "access tags"
        if any(node in osm.barriers for node in osm.nodes.get(way, ())):
            return "barrier"
        if tags.get("highway") in (
            "track",
            "service",
            "path",
            "footway",
            "pedestrian",
            "steps",
            "cycleway",
            "road",
        ):
            return f"class {tags['highway']}"
    if any("oneway" in key for way in ours for key in osm.tags.get(way, {})):
        return "one-way"
    return "other"


def _restricted(tags: Mapping[str, str]) -> bool:
    keys = (
        "access",
        "vehicle",
        "motor_vehicle",
        "motorcar",
        "bicycle",
        "foot",
        "motorroad",
        "sidewalk",
    )
    return any(tags.get(key) not in (None, "yes", "designated", "permissive") for key in keys)
