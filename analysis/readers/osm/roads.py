"""Roads of an OpenStreetMap file as profiles of travelling see them: speeds and barriers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import osmium

from lifecircle.analysis.policy.sections.profiles import Speeds, TravelProfile
from lifecircle.analysis.policy.sections.terrain import WayForm
from lifecircle.analysis.quantities import FloatArray, IntArray, UInt8Array
from lifecircle.analysis.readers.osm.opl import Keys, Objects, count_nodes, lines_of, read_nodes
from lifecircle.analysis.readers.osm.source import broken_file
from lifecircle.analysis.readers.osm.streets import FormOf

_LINE_NODES: Final = 2
_NOT_TAKEN: Final = -1  # in place of the form of a way that no profile takes
_NODE, _WAY = osmium.osm.NODE, osmium.osm.WAY


@dataclass(frozen=True, slots=True)
class RawRoads:
    """Ways that any of some profiles takes, as strings of OSM nodes (w ways, r references).

    `way_id`, `kind`, `form` (w,); `way_start` int64 (w + 1,); `node_ref` int64 (r,); `lonlat`
    float64 (r, 2), NaN where the file lacks a node. `form`: the `WayForm` of each way.
    `speed_km_h`: for each profile float64 (k, 2), ahead and back along ways of each kind, 0 where
    it does not go. `barred`: for each profile the ids of nodes that it does not pass.
    """

    way_id: IntArray
    kind: IntArray
    form: UInt8Array
    way_start: IntArray
    node_ref: IntArray
    lonlat: FloatArray
    speed_km_h: Mapping[str, FloatArray]
    barred: Mapping[str, frozenset[int]]


def road_keys() -> Keys:
    """The keys that anything is told of roads by."""
    return {_NODE: ("barrier",), _WAY: ("highway",)}


def read_roads(
    path: Path,
    profiles: Mapping[str, TravelProfile],
    form_of: FormOf,
    objects: Objects | None = None,
) -> RawRoads:
    """Every way of a file in order that one of some profiles takes.

    `objects`: those with one of `road_keys` at least, where they have been read already.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    keys = frozenset[str]().union(*(one.keys() for one in profiles.values()))
    kinds: dict[frozenset[tuple[str, str]], int] = {}
    told: dict[bytes, tuple[int, int]] = {}  # kind and form, by the tags as they are written
    speeds: list[tuple[Speeds, ...]] = []
    way_id: list[int] = []
    kind: list[int] = []
    form: list[int] = []
    counts: list[int] = []
    nodes: list[bytes] = []
    barred: dict[str, set[int]] = {name: set() for name in profiles}
    try:
        for line in lines_of(path, objects, road_keys()):
            if not line.stands:
                continue
            tags = line.tags
            if line.is_node:
                for name, profile in profiles.items():
                    if not profile.passes(tags):
                        barred[name].add(line.number)
                continue
            if (known := told.get(line.text)) is None:
                seen = frozenset([tag for tag in tags.items() if tag[0] in keys])
                if seen not in kinds:
                    kinds[seen] = len(speeds)
                    speeds.append(tuple(one.speeds_on(tags) for one in profiles.values()))
                goes = any(map(any, speeds[kinds[seen]]))
                runs = form_of(tags.get) | _ends_only(tags, profiles) if goes else _NOT_TAKEN
                known = told[line.text] = kinds[seen], runs
            count = count_nodes(line.body)
            if known[1] == _NOT_TAKEN or count < _LINE_NODES:
                continue
            way_id.append(line.number)
            kind.append(known[0])
            form.append(known[1])
            counts.append(count)
            nodes.append(line.body)
    except RuntimeError as error:
        raise broken_file(path, error) from error
    table = np.array(speeds, dtype=np.float64).reshape(-1, len(profiles), 2)
    return RawRoads(
        np.array(way_id, dtype=np.int64),
        np.array(kind, dtype=np.int64),
        np.array(form, dtype=np.uint8),
        np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64),
        *read_nodes(nodes),
        {name: table[:, k] for k, name in enumerate(profiles)},
        {name: frozenset(ids) for name, ids in barred.items()},
    )


def _ends_only(tags: Mapping[str, str], profiles: Mapping[str, TravelProfile]) -> int:
    """The form of a way that nobody joins inside its length (``WayForm.ABOVE_OR_BELOW``)."""
    highway = tags.get("highway")
    only = any(highway in one.joined_at_ends for one in profiles.values())
    return int(WayForm.ABOVE_OR_BELOW) if only else 0
