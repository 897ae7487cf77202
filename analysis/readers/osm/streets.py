"""Streets from an OpenStreetMap ``.osm.pbf`` (or ``.osm``) file, read by pyosmium.

Only what a network needs is kept: which nodes each walkable way strings together, and where
they lie. Building the network from them is `lifecircle.analysis.city.streets.network`'s work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import osmium

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.policy import Tags
from lifecircle.analysis.quantities import FloatArray, IntArray, UInt8Array
from lifecircle.analysis.readers.osm.gates import GateReader, Gates
from lifecircle.analysis.readers.osm.source import broken_file, check_osm_file, opened

_WKB_HEAD_BYTES = 9  # byte order, geometry type, number of points


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
    `gates`: gates and fences, None where nobody asked for them.
    """

    way_id: IntArray
    way_start: IntArray
    node_ref: IntArray
    lonlat: FloatArray
    form: UInt8Array | None = None
    dropped: Dropped = Dropped()
    gates: Gates | None = None


class WayChoice(Protocol):
    """Which ways to read; `lifecircle.analysis.policy.WalkRules` is one."""

    def walkable(self, tags: Tags) -> bool:
        """Whether a way with these tags is wanted."""


FormOf = Callable[[Callable[[str], str | None]], int]  # from a way's tags to its `WayForm`


def read_streets(
    path: Path,
    rules: WayChoice,
    form_of: FormOf | None = None,
    gates: GateReader | None = None,
) -> RawStreets:
    """Every way of a file that people may walk along, in file order.

    `form_of`: what to keep of a way's tags as `RawStreets.form`; nothing by default. `gates`: what
    notes gates and fences in the same pass.

    Raises
    ------
    InputError
        The file is missing, empty, cut off, not an OSM file, or holds no walkable way.
    """
    check_osm_file(path)
    way_ids: list[int] = []
    counts: list[int] = []
    refs: list[int] = []
    shapes: list[str] = []
    forms: list[int] = []
    references = missing = lost = cut = bare = 0
    absent: set[int] = set()
    as_wkb = osmium.geom.WKBFactory().create_linestring
    every_node = osmium.geom.use_nodes.ALL
    walkable = rules.walkable
    try:
        for way in ways_with(path, "highway") if gates is None else _with_gates(path, gates):
            nodes, tags = way.nodes, way.tags
            nodes_count = len(nodes)
            if nodes_count < 2 or way.deleted or not walkable(tags):
                bare += not nodes_count and not way.deleted and walkable(tags)
                continue
            try:
                shape = as_wkb(way, every_node)
            except (RuntimeError, osmium.InvalidLocationError):
                before = len(way_ids)
                _keep_located(way, way_ids, counts, refs, shapes)
                gone = [node.ref for node in nodes if not node.location.valid()]
                absent.update(gone)
                missing += len(gone)
                lost += len(way_ids) == before
                cut += len(way_ids) > before
                references += nodes_count
                if form_of is not None:
                    forms += [form_of(tags.get)] * (len(way_ids) - len(forms))
                continue
            references += nodes_count
            shapes.append(shape)
            way_ids.append(way.id)
            counts.append(nodes_count)
            refs.extend([nodes[at].ref for at in range(nodes_count)])
            if form_of is not None:
                forms.append(form_of(tags.get))
    except RuntimeError as error:
        raise broken_file(path, error) from error
    if not way_ids and lost + bare:
        raise InputError([Fault("osm_no_nodes", path.name, params={"ways": lost + bare})])
    if not way_ids:
        raise InputError([Fault("osm_no_streets", path.name)])
    lonlat = _read_coordinates(shapes, counts)
    return RawStreets(
        np.array(way_ids, dtype=np.int64),
        np.concatenate(([0], np.cumsum(counts, dtype=np.int64))),
        np.array(refs, dtype=np.int64),
        lonlat,
        None if form_of is None else np.array(forms, dtype=np.uint8),
        Dropped(references, missing, lost, cut, frozenset(absent)),
        None if gates is None else gates.found(),
    )


def ways_with(path: Path, key: str) -> Iterable[osmium.osm.Way]:
    """The ways of a file that have a key, with the places of their nodes."""
    ways = (
        osmium.FileProcessor(opened(path))
        .with_locations("flex_mem")
        .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        .with_filter(osmium.filter.KeyFilter(key))
    )
    return cast(Iterable[osmium.osm.Way], ways)  # the filter lets only ways through


def _with_gates(path: Path, gates: GateReader) -> Iterator[osmium.osm.Way]:
    """The ways of a file that are streets, while gates and fences are noted."""
    things = (
        osmium.FileProcessor(opened(path))
        .with_locations("flex_mem")
        .with_filter(osmium.filter.EntityFilter(osmium.osm.NODE | osmium.osm.WAY))
        .with_filter(osmium.filter.KeyFilter("highway", "barrier", "entrance"))
    )
    for thing in things:
        if not isinstance(thing, osmium.osm.Way):
            gates.note_node(thing)
            continue
        gates.note_way(thing)
        if "highway" in thing.tags:
            yield thing


def _keep_located(
    way: osmium.osm.Way,
    way_ids: list[int],
    counts: list[int],
    refs: list[int],
    shapes: list[str],
) -> None:
    """Keep the runs of nodes whose place is known, of a way cut at an extract's border."""
    run: list[tuple[int, float, float]] = []
    for node in [*way.nodes, None]:
        if node is not None and node.location.valid():
            run.append((node.ref, node.lon, node.lat))
            continue
        if len(run) >= 2:
            way_ids.append(way.id)
            counts.append(len(run))
            refs.extend(ref for ref, _, _ in run)
            points = np.array([(lon, lat) for _, lon, lat in run], dtype="<f8")
            shapes.append("00" * _WKB_HEAD_BYTES + points.tobytes().hex())
        run = []


def _read_coordinates(shapes: list[str], counts: list[int]) -> FloatArray:
    """Coordinates of all ways from their hexadecimal WKB, heads cut off, (r, 2)."""
    head = 2 * _WKB_HEAD_BYTES
    body = bytes.fromhex("".join([shape[head:] for shape in shapes]))
    lonlat = np.frombuffer(body, dtype="<f8").reshape(-1, 2)
    if len(lonlat) != sum(counts):
        raise InputError([Fault("osm_unreadable", "osm", params={"detail": "way geometry"})])
    return lonlat.astype(np.float64)
