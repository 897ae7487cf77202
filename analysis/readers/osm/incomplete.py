"""Areas of an OpenStreetMap file that could not be read: cut at its border, or drawn wrongly.

An area whose ways or nodes are not all in the file comes to nothing without a word; here such are
found, counted and named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.readers.osm.opl import Line, read_nodes
from lifecircle.analysis.readers.osm.source import opened

_AREAS: Final = ("multipolygon", "boundary")
_RING_NODES: Final = 4  # the fewest nodes of a closed way that has an area
_NAMED: Final = 8  # so many are named in one remark
_LAND: Final = ("building", "landuse", "boundary")


@dataclass(frozen=True, slots=True)
class Incomplete:
    """An area that was not read: its id and name, what it is, and whether parts are missing.

    `kind`: ``service``, else the key that says what it is (building, landuse, boundary).
    """

    id: str
    name: str | None
    kind: str
    is_cut: bool


def find_incomplete(
    path: Path,
    unread: Mapping[str, Line],
    keys: Collection[str],
    serves: Callable[[Mapping[str, str]], bool],
) -> tuple[Incomplete, ...]:
    """Areas with one of some keys that could not be read.

    `unread`: closed ways and relations that have, by their ids (``way/1``), and are no areas.
    `serves`: whether tags are those of a facility. Of closed ways those count whose nodes are
    missing, and none that is a building only; relations count in any case.
    """
    lost: list[tuple[str, Mapping[str, str], list[int], bool]] = []
    others = set(keys) - {"building"}
    for number, line in unread.items():
        is_way, tags, parts = line.is_way, line.tags, line.refs
        if _is_area(tags, parts, is_way=is_way) and not (is_way and others.isdisjoint(tags)):
            lost.append((number, tags, _unplaced(line) if is_way else parts, is_way))
    there = _there(path, lost)
    found = []
    for number, tags, parts, is_way in lost:
        is_cut = any(part not in there[is_way] for part in parts)
        kind = "service" if serves(tags) else next((key for key in _LAND if key in tags), None)
        if kind is not None and (is_cut or not is_way):
            name = tags.get("name") or tags.get("name:zh") or tags.get("name:en")
            found.append(Incomplete(number, name, kind, is_cut))
    return tuple(found)


def _unplaced(way: Line) -> list[int]:
    """The nodes of a way that have no place, if they are in the file at all."""
    refs, lonlat = read_nodes([way.body])
    missing: list[int] = refs[np.isnan(lonlat[:, 0])].tolist()
    return missing


def _is_area(tags: Mapping[str, str], parts: list[int], *, is_way: bool) -> bool:
    if not is_way:
        return tags.get("type") in _AREAS
    return len(parts) >= _RING_NODES and tags.get("area") != "no"


def _there(
    path: Path, lost: list[tuple[str, Mapping[str, str], list[int], bool]]
) -> dict[bool, set[int]]:
    """Ids of the nodes (True) and ways (False) of lost areas that the file holds."""
    found: dict[bool, set[int]] = {True: set(), False: set()}
    kinds = osmium.osm.NOTHING
    filters: list[osmium.filter.IdFilter] = []
    for of_ways, kind in ((True, osmium.osm.NODE), (False, osmium.osm.WAY)):
        wanted = {part for _, _, parts, is_way in lost if is_way == of_ways for part in parts}
        if wanted:
            kinds |= kind
            filters.append(osmium.filter.IdFilter(wanted))
            filters[-1].enable_for(kind)
    if filters:
        things: Any = osmium.FileProcessor(opened(path), kinds)
        for one in filters:
            things = things.with_filter(one)
        for thing in things:
            found[thing.is_node()].add(thing.id)
    return found


def tell_incomplete(file: str, areas: Collection[Incomplete]) -> tuple[Fault, ...]:
    """Remarks about areas that were not read: services by name, the rest by number."""
    services = [one for one in areas if one.kind == "service"]
    said: list[Fault] = []
    for is_cut, key in ((True, "osm_areas_cut"), (False, "osm_areas_broken")):
        mine = [one for one in services if one.is_cut == is_cut]
        if mine:
            named = [f"{one.name} ({one.id})" if one.name else one.id for one in mine[:_NAMED]]
            more = " ..." if len(mine) > _NAMED else ""
            params = {"count": len(mine), "names": ", ".join(named) + more}
            said.append(Fault(key, file, params=params, severity="warning"))
    counts = {key: sum(one.kind == key for one in areas) for key in _LAND}
    if any(counts.values()):
        said.append(Fault("osm_land_incomplete", file, params=counts, severity="warning"))
    return tuple(said)
