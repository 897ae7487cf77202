"""Gates, entrances and fences of OpenStreetMap, and which places are drawn as buildings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import osmium

from tests.oracles.audit.areas import GRID
from tests.oracles.audit.streets import ACCESS_NO, FOOT_NO, FOOT_YES

GATES = frozenset(
    [
        "gate",
        "lift_gate",
        "swing_gate",
        "sliding_gate",
        "kissing_gate",
        "hampshire_gate",
        "wicket_gate",
        "entrance",
        "turnstile",
        "full-height_turnstile",
        "stile",
        "sally_port",
    ]
)
FENCES = frozenset({"fence", "wall", "hedge", "city_wall", "retaining_wall"})

Spot = tuple[int, int]  # a place on the grid


@dataclass(slots=True)
class Barriers:
    """What stands on outlines: gates by their place (open or not), fenced edges, buildings."""

    gates: dict[Spot, bool] = field(default_factory=dict)
    fenced: set[frozenset[Spot]] = field(default_factory=set)
    buildings: set[str] = field(default_factory=set)


def is_gate(tags: Mapping[str, str]) -> bool:
    return tags.get("barrier") in GATES or tags.get("entrance", "no") not in {"no", "emergency"}


def is_open(tags: Mapping[str, str]) -> bool:
    """Whether the public may pass a gate on foot: foot first, then access."""
    foot = tags.get("foot")
    if foot in FOOT_NO:
        return False
    if foot in FOOT_YES:
        return True
    return tags.get("access") not in ACCESS_NO and tags.get("locked") != "yes"


def read_barriers(path: Path) -> Barriers:
    """All of it in one pass over an OSM file."""
    found = Barriers()
    for item in osmium.FileProcessor(str(path)).with_locations():
        if not len(item.tags):
            continue
        tags = {tag.k: tag.v for tag in item.tags}
        if item.is_node():
            if is_gate(tags):
                found.gates[_spot(item.location)] = is_open(tags)
            continue
        if tags.get("building", "no") != "no":
            found.buildings.add(f"{'way' if item.is_way() else 'relation'}/{item.id}")
        if item.is_way() and tags.get("barrier") in FENCES:
            spots = [_spot(node.location) for node in item.nodes if node.location.valid()]
            found.fenced.update(frozenset(pair) for pair in pairwise(spots))
    return found


def _spot(location: osmium.osm.Location) -> Spot:
    return round(location.lon * GRID), round(location.lat * GRID)
