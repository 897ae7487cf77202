"""OpenStreetMap files as people write them, put in the order readers rely on.

Objects in any order, negative ids (drawn in JOSM), objects twice, deleted ones and places written
on ways are lawful. A file that has any of these is written anew, aside, for the time it is read:
nodes, ways, relations, each by rising positive id, the highest version of each, nothing deleted.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import osmium

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.quantities import BoolArray, IntArray
from lifecircle.analysis.readers.osm.source import (
    broken_file,
    check_osm_file,
    header_of,
    is_pbf,
    is_xml,
    opened,
)
from lifecircle.analysis.readers.osm.xml_forms import MADE_BELOW, Key, rewrite_xml, scan_xml

_RANK: Final = {"n": 0, "w": 1, "r": 2}
_KINDS: Final = osmium.osm.NODE | osmium.osm.WAY | osmium.osm.RELATION


@dataclass(frozen=True, slots=True)
class Ordered:
    """A file in order: where it lies, and what is to be said of the one that was given."""

    path: Path
    warnings: tuple[Fault, ...] = ()


@contextmanager
def in_order(path: Path, *, doubted: bool = True) -> Iterator[Ordered]:
    """The file, or while the block runs one of the same content in order.

    A ``.pbf`` is looked through only when `doubted`: nearly all are sorted, and they are large.

    Raises
    ------
    InputError
        The file is missing, empty, no OSM file, cut off, a history or a file of changes.
    """
    check_osm_file(path)
    if is_pbf(path) and not (doubted and _may_be_out_of_order(path)):
        yield Ordered(path)
        return
    with TemporaryDirectory() as folder:
        try:
            ordered = _put_in_order(path, Path(folder))
        except RuntimeError as error:
            raise broken_file(path, error) from error
        yield ordered


def _may_be_out_of_order(path: Path) -> bool:
    header = header_of(path)
    return not header.get("sorting") or has_places_on_ways(header)


def has_places_on_ways(header: osmium.io.Header) -> bool:
    """Whether the nodes of ways may stand in the ways alone."""
    return bool(header.get("pbf_optional_feature_0"))


def _put_in_order(path: Path, folder: Path) -> Ordered:
    """The file itself where nothing has to be changed, else one in the folder."""
    gone: frozenset[Key] = frozenset()
    given = path
    if is_xml(path):
        said = scan_xml(path)
        if said.stopped is not None:
            raise InputError([Fault("osm_stopped", path.name, params={"detail": said.stopped})])
        gone = said.gone
        if said.odd:
            given = folder / "plain.osm.pbf"
            gone |= rewrite_xml(path, given)
    found = _look_through(given, gone)
    if found.is_ordered:
        return Ordered(given, found.tell(path.name))
    picked, aside = folder / "picked.osm.pbf", folder / "aside.osm.pbf"
    _write_picked(given, picked, found)
    merged = osmium.MergeInputReader()
    merged.add_file(str(picked))
    with osmium.SimpleWriter(str(aside), overwrite=True) as writer:
        merged.apply(writer, simplify=True)
    return Ordered(aside, found.tell(path.name))


@dataclass(slots=True)
class _Objects:
    """The objects of a file in its order, n of them, and what of each is to be kept.

    `kind` 0-2 (node, way, relation), `number` its id, `keep` (n,) bool. `placed`: nodes that the
    file does not hold by themselves, with the place that ways give them, in degrees.
    """

    kind: IntArray
    number: IntArray
    keep: BoolArray
    is_ordered: bool
    placed: dict[int, tuple[float, float]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def tell(self, file: str) -> tuple[Fault, ...]:
        """What is to be said of objects that were left out or numbered anew."""
        counts = dict(self.counts)
        placeless = counts.pop("placeless")
        said: list[Fault] = []
        if any(counts.values()):
            said.append(Fault("osm_aside", file, params=counts, severity="warning"))
        if placeless:
            params = {"count": placeless}
            said.append(Fault("osm_placeless", file, params=params, severity="warning"))
        return tuple(said)

    def renumbered(self, kind: int) -> dict[int, int]:
        """New ids for the negative ones of a kind, behind the highest of it."""
        mine = self.number[(self.kind == kind) & self.keep]
        if kind == 0 and self.placed:
            mine = np.concatenate([mine, np.array(list(self.placed), dtype=np.int64)])
        top = int(max(mine.max(initial=0), 0))
        below = np.unique(mine[mine <= 0])[::-1].tolist()
        return {old: top + place for place, old in enumerate(below, start=1)}


def _look_through(path: Path, gone: frozenset[Key]) -> _Objects:
    """What a file holds, and which of its objects count: the highest version of each.

    Of equal versions the one that says most counts (`out body; >; out skel;` writes a node with
    its tags and again without), then the later one.
    """
    kinds, numbers, versions, said = array("q"), array("q"), array("q"), array("q")
    there = array("b")
    placed: dict[int, tuple[float, float]] = {}
    placeless = 0
    things: Iterable[Any] = osmium.FileProcessor(opened(path), _KINDS)
    for thing in things:
        letter = thing.type_str()
        size, is_there = len(thing.tags), bool(thing.visible)
        if letter == "w":
            size += len(thing.nodes)
            if is_there and len(thing.nodes) and thing.nodes[0].location.valid():
                placed |= {n.ref: (n.lon, n.lat) for n in thing.nodes if n.location.valid()}
        elif letter == "n" and is_there and not thing.location.valid():
            is_there = False
            placeless += 1
        elif letter == "r":
            size += len(thing.members)
        kinds.append(_RANK[letter])
        numbers.append(thing.id)
        versions.append(thing.version)
        said.append(size)
        there.append(is_there)
    kind, number = np.array(kinds, dtype=np.int64), np.array(numbers, dtype=np.int64)
    alive = np.array(there, dtype=np.bool_)
    if gone:
        marked = [one in gone for one in zip(kinds, numbers, strict=True)]
        alive &= ~np.array(marked, dtype=np.bool_)
    order = np.lexsort((np.arange(len(kind)), np.array(said), np.array(versions), number, kind))
    same = (np.diff(kind[order]) == 0) & (np.diff(number[order]) == 0)
    keep = np.zeros(len(kind), dtype=np.bool_)
    keep[order[np.append(~same, [True])[: len(order)]]] = True
    twice = int(len(kind) - keep.sum())
    deleted = int((keep & ~alive).sum()) - placeless
    keep &= alive
    for old in number[(kind == 0) & keep].tolist() if placed else ():
        placed.pop(old, None)
    step_kind, step = np.diff(kind), np.diff(number)
    rising = bool(((step_kind > 0) | ((step_kind == 0) & (step > 0))).all())
    counts = {
        "deleted": max(deleted, 0),
        "twice": twice,
        "negative": int(((number[keep] < 0) & (number[keep] > MADE_BELOW)).sum()),
        "placeless": placeless,
    }
    is_ordered = rising and bool(keep.all()) and not placed and bool((number > 0).all())
    return _Objects(kind, number, keep, is_ordered, placed, counts)


def _write_picked(path: Path, aside: Path, found: _Objects) -> None:
    """Write the objects that count, with positive ids, in the order of the file."""
    new = [found.renumbered(kind) for kind in range(3)]
    with osmium.SimpleWriter(str(aside), overwrite=True) as writer:
        for old, place in found.placed.items():
            node = osmium.osm.mutable.Node(id=new[0].get(old, old), location=place, version=1)
            writer.add_node(node)
        things = osmium.FileProcessor(opened(path), _KINDS)
        for thing, keep in zip(things, found.keep.tolist(), strict=True):
            if keep:
                writer.add(_numbered(thing, new))


def _numbered(thing: Any, new: list[dict[int, int]]) -> Any:
    """The object with the new ids of itself and of what it names."""
    if not any(new):
        return thing
    letter = thing.type_str()
    number = new[_RANK[letter]].get(thing.id, thing.id)
    if letter == "w":
        return thing.replace(
            id=number, nodes=[new[0].get(node.ref, node.ref) for node in thing.nodes]
        )
    if letter == "r":
        members = [
            (one.type, new[_RANK[one.type]].get(one.ref, one.ref), one.role)
            for one in thing.members
        ]
        return thing.replace(id=number, members=members)
    return thing.replace(id=number)
