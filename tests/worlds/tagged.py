"""Drawn OpenStreetMap files of tagged things, to be read as facilities or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import osmium

from lifecircle.analysis.policy import Policy
from lifecircle.analysis.readers.osm.place_rows import OsmPlaces
from lifecircle.analysis.readers.osm.places import read_places

Tags = Mapping[str, str]
TODAY = date(2026, 11, 28)
CORNER = (102.7, 25.0)
SIDE_DEG = 0.001  # about 100 m

Way = tuple[Sequence[int], Tags]
Relation = tuple[Sequence[tuple[str, int, str]], Tags]


def tags_of(text: str) -> Tags:
    """The tags of ``"amenity=clinic name=某诊所|东"``: by spaces, a ``|`` is a space."""
    pairs = (part.split("=", 1) for part in text.split())
    return {key: value.replace("|", " ") for key, value in pairs}


def write_things(
    path: Path,
    nodes: Mapping[int, Tags],
    ways: Mapping[int, Way] | None = None,
    relations: Mapping[int, Relation] | None = None,
    absent: frozenset[int] = frozenset(),
) -> Path:
    """Nodes on a lattice of ten columns, in the order of their ids, ways and relations of them."""
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for number, (ref, tags) in enumerate(sorted(nodes.items())):
            east, north = number % 10 * SIDE_DEG, number // 10 * SIDE_DEG
            where = (CORNER[0] + east, CORNER[1] + north)
            if ref not in absent:
                writer.add_node(osmium.osm.mutable.Node(id=ref, location=where, tags=tags))
        for ref, (corners, tags) in sorted((ways or {}).items()):
            writer.add_way(osmium.osm.mutable.Way(id=ref, nodes=list(corners), tags=tags))
        for ref, (members, tags) in sorted((relations or {}).items()):
            writer.add_relation(
                osmium.osm.mutable.Relation(id=ref, members=list(members), tags=tags)
            )
    return path


def read_nodes(path: Path, tagged: Sequence[Tags], policy: Policy) -> list[set[str]]:
    """Which services each of some nodes is, read from a file that holds them all."""
    write_things(path, dict(enumerate(tagged, start=1)))
    return services_of(
        read_places(path, policy, TODAY), [f"node/{i + 1}" for i in range(len(tagged))]
    )


def services_of(places: OsmPlaces, ids: Sequence[str]) -> list[set[str]]:
    """The services of each thing, by its id."""
    found: dict[str, set[str]] = {one: set() for one in ids}
    for one, service in zip(places.facilities.id, places.facilities.service, strict=True):
        found[one].add(service)
    return [found[one] for one in ids]
