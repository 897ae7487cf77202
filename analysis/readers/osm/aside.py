"""OpenStreetMap files as people write them, put in the order readers rely on.

Objects in any order, negative ids (drawn in JOSM), objects twice and deleted ones are lawful. A
file that has any of these is written anew, aside, for the time it is read: nodes, ways, relations,
each by rising positive id, the highest version of each and nothing deleted.
"""

from __future__ import annotations

import bz2
import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import osmium

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.readers.osm.streets import check_osm_file, head_of, unreadable

_RANK: Final = {"n": 0, "w": 1, "r": 2}
_RANK_OF_NAME: Final = {b"node": 0, b"way": 1, b"relation": 2}
_JOSM_DELETED: Final = re.compile(
    rb"<(node|way|relation)\b(?=[^>]*\baction\s*=\s*[\"']delete[\"'])[^>]*?\bid\s*=\s*[\"'](-?\d+)"
)
_KINDS: Final = osmium.osm.NODE | osmium.osm.WAY | osmium.osm.RELATION
_Key = tuple[int, int]  # rank of the kind, id


@dataclass(frozen=True, slots=True)
class Ordered:
    """A file in order: where it lies, and what is to be said of the one that was given."""

    path: Path
    warnings: tuple[Fault, ...] = ()


@contextmanager
def in_order(path: Path, *, doubted: bool = False) -> Iterator[Ordered]:
    """The file, or while the block runs one of the same content in order.

    A ``.pbf`` is looked through only when `doubted`: nearly all are sorted, and they are large.

    Raises
    ------
    InputError
        The file is missing, empty, no OSM file, cut off, a history or a file of changes.
    """
    check_osm_file(path)
    is_pbf = b"OSMHeader" in head_of(path)
    if is_pbf and (not doubted or osmium.io.Reader(str(path)).header().get("sorting")):
        yield Ordered(path)
        return
    try:
        gone = frozenset() if is_pbf else _deleted_in_josm(path)
        if not gone and _is_ordered(path):
            yield Ordered(path)
            return
        newest, told = _newest(path, gone)
    except RuntimeError as error:
        raise unreadable(path, error) from error
    with TemporaryDirectory() as folder:
        aside = Path(folder) / path.name
        _write(aside, newest)
        yield Ordered(aside, told)


def _deleted_in_josm(path: Path) -> frozenset[_Key]:
    """What JOSM marks as deleted, which osmium reads as if it were there."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    elif content[:3] == b"BZh":
        content = bz2.decompress(content)
    if b"delete" not in content:
        return frozenset()
    found = _JOSM_DELETED.finditer(content)
    return frozenset((_RANK_OF_NAME[one[1]], int(one[2])) for one in found)


def _things(path: Path) -> Iterator[Any]:
    """Nodes, ways and relations as they come in the file."""
    yield from osmium.FileProcessor(str(path), _KINDS)


def _is_ordered(path: Path) -> bool:
    """Whether all is there, positive, once, and in order."""
    before = (0, 0)
    for thing in _things(path):
        key = (_RANK[thing.type_str()], thing.id)
        if key <= before or thing.id <= 0 or not thing.visible:
            return False
        before = key
    return True


def _newest(path: Path, gone: frozenset[_Key]) -> tuple[dict[_Key, Any], tuple[Fault, ...]]:
    """The highest version of every object that is not deleted; of equal ones the last."""
    newest: dict[_Key, Any] = {}
    version: dict[_Key, int] = {}
    twice: set[_Key] = set()
    for thing in _things(path):
        key = (_RANK[thing.type_str()], thing.id)
        if key in version:
            twice.add(key)
            if thing.version < version[key]:
                continue
        version[key] = thing.version
        newest[key] = _copy(thing) if thing.visible and key not in gone else None
    shown = {
        "deleted": sum(thing is None for thing in newest.values()),
        "twice": len(twice),
        "negative": sum(number < 0 for _, number in newest),
    }
    kept = {key: thing for key, thing in newest.items() if thing is not None}
    if not any(shown.values()):
        return kept, ()
    return kept, (Fault("osm_aside", path.name, params=shown, severity="warning"),)


def _copy(thing: Any) -> Any:
    """An object that outlives its turn in the file."""
    own = {"id": thing.id, "version": thing.version, "tags": dict(thing.tags)}
    if thing.type_str() == "n":
        place = (thing.lon, thing.lat) if thing.location.valid() else None
        return osmium.osm.mutable.Node(location=place, **own)
    if thing.type_str() == "w":
        return osmium.osm.mutable.Way(nodes=[node.ref for node in thing.nodes], **own)
    members = [(member.type, member.ref, member.role) for member in thing.members]
    return osmium.osm.mutable.Relation(members=members, **own)


def _write(path: Path, things: dict[_Key, Any]) -> None:
    """Write objects in order; negative ids are numbered on behind the highest of their kind."""
    top = [max([0, *(n for rank, n in things if rank == kind)]) for kind in range(3)]
    minus = [sorted({n for rank, n in things if rank == kind and n < 0}) for kind in range(3)]
    new = [
        {number: top[kind] + k for k, number in enumerate(reversed(minus[kind]), start=1)}
        for kind in range(3)
    ]
    named = {(kind, new[kind].get(n, n)): thing for (kind, n), thing in things.items()}
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for kind, number in sorted(named):
            thing = named[kind, number]
            thing.id = number
            if kind == 0:
                writer.add_node(thing)
            elif kind == 1:
                thing.nodes = [new[0].get(ref, ref) for ref in thing.nodes]
                writer.add_way(thing)
            else:
                thing.members = [
                    (letter, new[_RANK[letter]].get(ref, ref), role)
                    for letter, ref, role in thing.members
                ]
                writer.add_relation(thing)
