"""Streets from an OpenStreetMap ``.osm.pbf`` (or ``.osm``) file, read by pyosmium.

Only what a network needs is kept: which nodes each walkable way strings together, and where
they lie. Building the network from them is `lifecircle.analysis.city.streets.network`'s work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np
import osmium

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.policy import Tags
from lifecircle.analysis.quantities import FloatArray, IntArray, UInt8Array
from lifecircle.analysis.readers.osm.gates import GATE_KEYS, GateReader, Gates
from lifecircle.analysis.readers.osm.opl import (
    Keys,
    Line,
    Objects,
    count_nodes,
    lines_of,
    read_nodes,
)
from lifecircle.analysis.readers.osm.source import broken_file, check_osm_file, opened
from lifecircle.analysis.readers.osm.street_names import StreetNames, name_of

_LINE_NODES: Final = 2  # the fewest nodes of a line


@dataclass(frozen=True, slots=True)
class Dropped:
    """What of the walkable ways of a file could not be read, as their nodes are not in it.

    `missing` of `references` to nodes; ways `lost` whole and ways `cut`; ids of `absent` nodes.
    """

    references: int = 0
    missing: int = 0
    lost: int = 0
    cut: int = 0
    absent: frozenset[int] = frozenset()

    @property
    def share(self) -> float:
        """Share of the references that are missing, 0-1."""
        return self.missing / self.references if self.references else 0.0


@dataclass(frozen=True, slots=True)
class RawStreets:
    """Walkable ways as strings of OSM nodes (w ways, r node references).

    `way_id` int64 (w,); `way_start` int64 (w + 1,), where each way's references begin;
    `node_ref` int64 (r,); `lonlat` float64 (r, 2), degrees WGS84. `form` uint8 (w,), the
    `lifecircle.analysis.policy.sections.terrain.WayForm` of each way, or None where nobody asked
    for it. `dropped`: what the file did not hold of them.
    `gates`: gates and fences, None where nobody asked for them. `names`: what ways are called,
    None where the source does not say.
    """

    way_id: IntArray
    way_start: IntArray
    node_ref: IntArray
    lonlat: FloatArray
    form: UInt8Array | None = None
    dropped: Dropped = Dropped()
    gates: Gates | None = None
    names: StreetNames | None = None


class WayChoice(Protocol):
    """Which ways to read; `lifecircle.analysis.policy.WalkRules` is one."""

    def walkable(self, tags: Tags) -> bool:
        """Whether a way with these tags is wanted."""


_Told = tuple[tuple[str, str | None] | None, int]  # a way's name and form
FormOf = Callable[[Callable[[str], str | None]], int]  # from a way's tags to its `WayForm`


def read_streets(
    path: Path,
    rules: WayChoice,
    form_of: FormOf | None = None,
    gates: GateReader | None = None,
    objects: Objects | None = None,
) -> RawStreets:
    """Every way of a file that people may walk along, in file order.

    `form_of`: what to keep of a way's tags as `RawStreets.form`; nothing by default. `gates`: what
    notes gates and fences in the same pass. `objects`: those with one of `street_keys` at least,
    where they have been read already.

    Raises
    ------
    InputError
        The file is missing, empty, cut off, not an OSM file, or holds no walkable way.
    """
    check_osm_file(path)
    way_ids: list[int] = []
    nodes: list[bytes] = []
    forms: list[int] = []
    named: dict[int, tuple[str, str | None]] = {}
    counts: list[int] = []
    told: dict[bytes, _Told | None] = {}  # by the tags as they are written: many share theirs
    bare = 0
    try:
        for line in _note_gates(lines_of(path, objects, street_keys(gates)), gates):
            if line.text not in told:
                told[line.text] = _tell(line.tags, rules, form_of)
            known = told[line.text]
            if known is None or not line.stands:
                continue
            count = count_nodes(line.body)
            bare += not count
            if count < _LINE_NODES:
                continue
            way_ids.append(number := line.number)
            nodes.append(line.body)
            counts.append(count)
            name, form = known
            forms.append(form)
            if name is not None:
                named[number] = name
    except RuntimeError as error:
        raise broken_file(path, error) from error
    whole = _Ways(
        np.array(way_ids, dtype=np.int64),
        np.array(counts, dtype=np.int64),
        None if form_of is None else np.array(forms, dtype=np.uint8),
        *read_nodes(nodes),
    )
    streets = _keep_located(whole, None if gates is None else gates.found())
    lost = streets.dropped.lost + bare
    if not len(streets.way_id):
        fault = Fault("osm_no_nodes", path.name, params={"ways": lost})
        raise InputError([fault if lost else Fault("osm_no_streets", path.name)])
    return replace(streets, names=StreetNames.of(named))


def _tell(tags: Tags, rules: WayChoice, form_of: FormOf | None) -> _Told | None:
    """The name and the form of a way with some tags, None where nobody may walk along it."""
    if not rules.walkable(tags):
        return None
    return name_of(tags), 0 if form_of is None else form_of(tags.get)


def street_keys(gates: GateReader | None) -> Keys:
    """The keys that anything is told of streets by, and of gates and fences where they are."""
    node, way = osmium.osm.NODE, osmium.osm.WAY
    return {way: ("highway",)} if gates is None else {node: GATE_KEYS, way: ("highway", "barrier")}


def _note_gates(lines: Iterable[Line], gates: GateReader | None) -> Iterator[Line]:
    """The ways among some objects that are streets; gates and fences are noted on the way."""
    for line in lines:
        if line.is_node:
            if gates is not None:
                gates.note_node(line.tags, line.place)
            continue
        if gates is not None and "barrier" in line.tags:
            gates.note_way(line.tags, line.body)
        if "highway" in line.tags:
            yield line


def ways_with(path: Path, key: str) -> Iterable[osmium.osm.Way]:
    """The ways of a file that have a key, with the places of their nodes."""
    ways = (
        osmium.FileProcessor(opened(path))
        .with_locations("flex_mem")
        .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        .with_filter(osmium.filter.KeyFilter(key))
    )
    return cast(Iterable[osmium.osm.Way], ways)  # the filter lets only ways through


@dataclass(frozen=True, slots=True)
class _Ways:
    """Ways as they are drawn: `counts` of nodes (w,), places NaN where the file lacks a node."""

    way_id: IntArray
    counts: IntArray
    form: UInt8Array | None
    node_ref: IntArray
    lonlat: FloatArray


def _keep_located(ways: _Ways, gates: Gates | None) -> RawStreets:
    """The runs of nodes whose place is known: whole ways, or those cut at an extract's border."""
    known = ~np.isnan(ways.lonlat[:, 0])
    way = np.repeat(np.arange(len(ways.way_id)), ways.counts)
    new = np.ones(len(way), dtype=bool)  # a run begins: with a way, and behind each gap
    new[1:] = (way[1:] != way[:-1]) | ~known[:-1]
    run = np.cumsum(new) - 1
    length = np.bincount(run[known], minlength=int(new.sum()))
    keep = known & (length >= _LINE_NODES)[run] if len(run) else known
    kept = length >= _LINE_NODES
    of_run = way[new][kept]
    broken, there = np.unique(way[~known]), np.unique(of_run)
    cut = int(np.isin(broken, there).sum())
    return RawStreets(
        ways.way_id[of_run],
        np.concatenate(([0], np.cumsum(length[kept], dtype=np.int64))),
        ways.node_ref[keep],
        ways.lonlat[keep],
        None if ways.form is None else ways.form[of_run],
        Dropped(
            len(known),
            int((~known).sum()),
            len(broken) - cut,
            cut,
            frozenset(ways.node_ref[~known].tolist()),
        ),
        gates,
    )
