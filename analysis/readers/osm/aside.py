"""Setting an OpenStreetMap file in order: a sorted copy aside, each object once, as it is now.

Objects go through a table of SQLite on disk, so that memory stays small however large the file
is. Of an object that stands there several times the latest version counts (of equal versions the
last one); what is deleted, and ids below 0, are seen to.
"""

from __future__ import annotations

import marshal
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import osmium

from lifecircle.analysis.readers.osm.records import (
    KIND_NAMES,
    MADE_UP,
    NODE,
    RELATION,
    WAY,
    Item,
    Middle,
)
from lifecircle.analysis.readers.osm.source import OsmFile, Told
from lifecircle.analysis.readers.osm.xml_objects import xml_items

_AT_ONCE: Final = 20_000
_PAST_ALL_IDS: Final = 1 << 36
_CACHE_KB: Final = 65_536
_ORDER: Final = "kind, id < 0, abs(id), version, number"


def ordered_copy(osm: OsmFile) -> None:
    """Write an ordered copy and let the file read it from now on; it goes when the file does.

    Raises
    ------
    RuntimeError, ValueError, OSError
        The file breaks off or cannot be decoded.
    """
    folder = Path(tempfile.mkdtemp(prefix="lifecircle-osm-"))
    weakref.finalize(osm, shutil.rmtree, folder, ignore_errors=True)
    unusual = osm.marks is not None and osm.marks.unusual
    items = _xml(osm) if unusual else _objects(osm)
    table = sqlite3.connect(folder / "objects.sqlite", isolation_level=None)
    try:
        table.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        for said in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE"):
            table.execute(f"PRAGMA {said}")
        centres = _fill(table, items)
        shift = _shift(table)
        copy = folder / "ordered.osm.pbf"
        count = _Count()
        with osmium.SimpleWriter(str(copy), overwrite=True) as writer:
            _write(_latest(table, count), writer, shift)
    finally:
        table.close()
        (folder / "objects.sqlite").unlink(missing_ok=True)
    osm.path, osm.kind, osm.packed = copy, "pbf", ""
    osm.negated_from, osm.ordered = shift, True
    osm.told = Told(count.twice, count.newer, count.deleted, centres)


def _xml(osm: OsmFile) -> Iterator[Item | Middle]:
    with osm.text() as text:
        yield from xml_items(text)


def _objects(osm: OsmFile) -> Iterator[Item]:
    """Every object as libosmium reads it; places that stand on ways as nodes made up."""
    for thing in osm.processor():
        tags = dict(thing.tags)
        body: Any
        if isinstance(thing, osmium.osm.Node):
            at = thing.location
            kind, body = NODE, ((at.lon, at.lat) if at.valid() else None, tags)
        elif isinstance(thing, osmium.osm.Way):
            nodes = [(n.ref, n.location) for n in thing.nodes]
            if osm.places_on_ways:
                for ref, at in nodes:
                    if at.valid():
                        yield Item(NODE, ref, MADE_UP, False, ((at.lon, at.lat), {}))
            kind, body = WAY, (tuple(ref for ref, _ in nodes), tags)
        elif isinstance(thing, osmium.osm.Relation):
            kind, body = RELATION, (tuple((m.type, m.ref, m.role) for m in thing.members), tags)
        else:
            continue
        yield Item(kind, thing.id, thing.version, not thing.visible, body)


def _fill(
    table: sqlite3.Connection, items: Iterable[Item | Middle]
) -> dict[str, tuple[float, float]]:
    """Put all objects into the table; middles are small and come back."""
    centres: dict[str, tuple[float, float]] = {}
    table.execute("CREATE TABLE objects (kind INT, id INT, version INT, number INT, body BLOB)")
    table.execute("BEGIN")
    numbered = enumerate(items)
    while block := list(islice(numbered, _AT_ONCE)):
        rows = []
        for number, item in block:
            if isinstance(item, Middle):
                centres[f"{KIND_NAMES[item.kind]}/{item.id}"] = item.place
            else:
                body = None if item.deleted else marshal.dumps(item.body)
                rows.append((item.kind, item.id, item.version, number, body))
        table.executemany("INSERT INTO objects VALUES (?, ?, ?, ?, ?)", rows)
    table.execute("COMMIT")
    return centres


def _shift(table: sqlite3.Connection) -> int | None:
    """The id beyond which ids stand for negative ones; None where there are none."""
    lowest, highest = table.execute("SELECT min(id), max(abs(id)) FROM objects").fetchone()
    return None if lowest is None or lowest >= 0 else max(highest, _PAST_ALL_IDS)


@dataclass(slots=True)
class _Count:
    """What was passed over: objects that stood there before, in another version, deleted ones."""

    twice: int = 0
    newer: int = 0
    deleted: int = 0


def _latest(table: sqlite3.Connection, count: _Count) -> Iterator[tuple[int, int, Any]]:
    """Kind, id and body of each object as it is now, in order."""
    rows = table.execute(f"SELECT kind, id, version, body FROM objects ORDER BY {_ORDER}")
    for (kind, number), same in groupby(rows, itemgetter(0, 1)):
        every = [(version, body) for _, _, version, body in same]
        version, body = every[-1]
        real = [one for one, _ in every if one != MADE_UP]
        count.twice += max(len(real) - 1, 0)
        count.newer += sum(one != version for one in real)
        if body is None:
            count.deleted += 1
        else:
            yield kind, number, marshal.loads(body)


def _write(
    objects: Iterable[tuple[int, int, Any]], writer: osmium.SimpleWriter, shift: int | None
) -> None:
    """Write objects; ids below 0 as positive ones beyond `shift`."""

    def shifted(number: int) -> int:
        return number if shift is None or number >= 0 else shift - number

    make = osmium.osm.mutable
    for kind, number, (body, tags) in objects:
        if kind == NODE:
            place = {} if body is None else {"location": body}
            writer.add_node(make.Node(id=shifted(number), tags=tags, **place))
        elif kind == WAY:
            writer.add_way(make.Way(id=shifted(number), tags=tags, nodes=[*map(shifted, body)]))
        else:
            members = [(letter, shifted(ref), role) for letter, ref, role in body]
            writer.add_relation(make.Relation(id=shifted(number), tags=tags, members=members))
