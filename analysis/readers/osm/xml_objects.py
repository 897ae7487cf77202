"""The objects of OSM XML as editors and Overpass write them, which libosmium does not all read.

JOSM marks what was deleted (``action='delete'``), Overpass writes places on the nodes of ways and
of members (``out geom``) and middles (``out center``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final
from xml.parsers import expat

from lifecircle.analysis.readers.osm.records import (
    MADE_UP,
    NODE,
    RELATION,
    WAY,
    Item,
    Middle,
    made_up_node,
)

_AT_ONCE: Final = 1 << 20
_KINDS: Final = {"node": NODE, "way": WAY, "relation": RELATION}


def xml_items(text: IO[bytes]) -> Iterator[Item | Middle]:
    """Every object of a file of XML, in its order.

    Nodes and ways that only the places written on others tell of are made up: they give way to
    an object of their id wherever it stands.

    Raises
    ------
    ValueError
        No well-formed XML, or one that defines entities.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.EntityDeclHandler = _refuse_entity
    try:
        while block := text.read(_AT_ONCE):
            parser.Parse(block, False)
            yield from reader.taken()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    yield from reader.taken()


def _refuse_entity(*_: Any) -> None:
    raise ValueError("XML entities")


class _Reader:
    """Puts elements together to objects."""

    def __init__(self) -> None:
        self._done: list[Item | Middle] = []
        self._deleting = 0
        self._kind = -1
        self._said: Mapping[str, str] = {}
        self._tags: dict[str, str] = {}
        self._refs: list[int] = []
        self._members: list[tuple[str, int, str]] = []
        self._course: list[int] = []  # nodes of a member whose places are written here
        self._middle: tuple[float, float] | None = None

    def taken(self) -> list[Item | Middle]:
        """The objects finished since the last time."""
        done, self._done = self._done, []
        return done

    def start(self, name: str, said: dict[str, str]) -> None:
        if name in _KINDS:
            self._kind, self._said, self._middle = _KINDS[name], said, None
            self._tags, self._refs, self._members = {}, [], []
        elif name == "delete":
            self._deleting += 1
        elif self._kind < 0:
            return
        elif name == "tag":
            self._tags[said.get("k", "")] = said.get("v", "")
        elif name == "nd":
            self._node_of_way(said)
        elif name == "member":
            ref, role = _whole(said.get("ref")), said.get("role", "")
            self._members.append((said.get("type", "")[:1], 0 if ref is None else ref, role))
            self._course = []
        elif name == "center":
            self._middle = _place(said)

    def end(self, name: str) -> None:
        if name == "delete":
            self._deleting -= 1
        elif name == "member" and self._members:
            kind, ref, _ = self._members[-1]
            if kind == "w" and len(self._course) > 1:
                self._done.append(Item(WAY, ref, MADE_UP, False, (tuple(self._course), {})))
        elif name in _KINDS and self._kind >= 0:
            self._finish()
            self._kind = -1

    def _node_of_way(self, said: Mapping[str, str]) -> None:
        place, ref = _place(said), _whole(said.get("ref"))
        if ref is None and place is None:
            return
        if ref is None:
            assert place is not None
            ref = made_up_node(*place)
        if place is not None:
            self._done.append(Item(NODE, ref, MADE_UP, False, (place, {})))
        (self._course if self._kind == RELATION else self._refs).append(ref)

    def _finish(self) -> None:
        number = _whole(self._said.get("id"))
        if number is None:
            raise ValueError(f"an object without an id: {dict(self._said)}")
        deleted = (
            self._deleting > 0
            or self._said.get("visible") == "false"
            or self._said.get("action") == "delete"
        )
        body: Any = (tuple(self._refs), self._tags)
        if self._kind == NODE:
            body = (_place(self._said), self._tags)
        elif self._kind == RELATION:
            body = (tuple(self._members), self._tags)
        version = _whole(self._said.get("version")) or 0
        self._done.append(Item(self._kind, number, version, deleted, body))
        if self._middle is not None and self._kind != NODE and not deleted:
            self._done.append(Middle(self._kind, number, self._middle))


def _whole(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _place(said: Mapping[str, str]) -> tuple[float, float] | None:
    """Longitude and latitude of an element, degrees; None where it has none on Earth."""
    try:
        lon, lat = float(said["lon"]), float(said["lat"])
    except (KeyError, ValueError):
        return None
    on_earth = math.isfinite(lon) and abs(lon) <= 180 and abs(lat) <= 90
    return (lon, lat) if on_earth else None
