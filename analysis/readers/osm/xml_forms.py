"""OpenStreetMap in XML as JOSM and Overpass write it, where osmium reads otherwise or not at all.

JOSM marks what was deleted with ``action='delete'``, which osmium takes for being there. Overpass
gives ``<center>`` and, with ``out geom``, places inside ways and members; old answers have
``<delete>`` blocks. What Overpass could not finish ends with a ``<remark>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import osmium

from lifecircle.analysis.readers.osm.source import unpacked

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Key = tuple[int, int]  # rank of the kind (node, way, relation), id
MADE_BELOW: Final = -(10**15)  # ids of nodes that only the geometry of a member names
_RANK: Final = {"node": 0, "way": 1, "relation": 2}
_LETTER: Final = {"node": "n", "way": "w", "relation": "r"}
_JOSM_DELETED: Final = re.compile(
    rb"<(node|way|relation)\b(?=[^>]*\baction\s*=\s*[\"']delete[\"'])[^>]*?\bid\s*=\s*[\"'](-?\d+)"
)
_ODD: Final = re.compile(rb"<center\b|<delete\b|<member\b[^>]*[^/>]>\s*<nd\b")
_STOPPED: Final = re.compile(rb"<remark>\s*(runtime error[^<]*)")
_BLOCK: Final = 1 << 22
_OVERLAP: Final = 1 << 13  # longer than any start tag


@dataclass(frozen=True, slots=True)
class XmlForms:
    """What of a file osmium would not read as it is meant.

    `gone`: deleted in JOSM. `odd`: the file has to be written anew. `stopped`: why Overpass broke
    off, if it did.
    """

    gone: frozenset[Key]
    odd: bool
    stopped: str | None


def scan_xml(path: Path) -> XmlForms:
    """Look through the text of a file, block by block.

    Raises
    ------
    RuntimeError
        The packed file breaks off.
    """
    gone: set[Key] = set()
    odd, stopped, before = False, None, b""
    try:
        with unpacked(path) as handle:
            while block := handle.read(_BLOCK):
                seen = before + block
                before = seen[-_OVERLAP:]
                gone |= {
                    (_RANK[one[1].decode()], int(one[2])) for one in _JOSM_DELETED.finditer(seen)
                }
                odd = odd or _ODD.search(seen) is not None
                if (ended := _STOPPED.search(seen)) is not None:
                    stopped = ended[1].decode("utf-8", "replace").strip()
    except (OSError, EOFError) as error:
        raise RuntimeError(str(error)) from error
    return XmlForms(frozenset(gone), odd, stopped)


def rewrite_xml(path: Path, plain: Path) -> frozenset[Key]:
    """Write a file without what osmium refuses; what its ``<delete>`` blocks name.

    Ways that only the geometry of a relation's members draws are written as ways.

    Raises
    ------
    RuntimeError
        The file breaks off or is no XML.
    """
    from xml.etree.ElementTree import ParseError, iterparse  # a PBF needs none

    gone: set[Key] = set()
    members = _DrawnMembers()
    deleting = False
    try:
        with unpacked(path) as handle, osmium.SimpleWriter(str(plain), overwrite=True) as writer:
            for event, element in iterparse(handle, ("start", "end")):  # noqa: S314
                if element.tag == "delete":
                    deleting = event == "start"
                if event == "start" or element.tag not in _RANK:
                    continue
                if deleting or element.get("visible") == "false":
                    gone.add((_RANK[element.tag], int(element.get("id", "0"))))
                else:
                    members.note(element)
                    writer.add(_thing(element))
                element.clear()
            for thing in members.things():
                writer.add(thing)
    except (ParseError, OSError, EOFError, ValueError) as error:
        raise RuntimeError(str(error)) from error
    return frozenset(gone)


def _thing(element: Element) -> Any:
    """A node, way or relation of XML as osmium writes it."""
    own: dict[str, Any] = {
        "id": int(element.get("id", "0")),
        "version": int(element.get("version", "0")),
        "tags": {tag.get("k", ""): tag.get("v", "") for tag in element.iter("tag")},
    }
    if element.tag == "node":
        return osmium.osm.mutable.Node(location=_place(element.attrib), **own)
    if element.tag == "way":
        refs = [int(nd.get("ref", "0")) for nd in element.iter("nd")]
        return osmium.osm.mutable.Way(nodes=refs, **own)
    members = [
        (_LETTER[one.get("type", "way")], int(one.get("ref", "0")), one.get("role", ""))
        for one in element.iter("member")
    ]
    return osmium.osm.mutable.Relation(members=members, **own)


def _place(attributes: Mapping[str, str]) -> tuple[float, float] | None:
    lon, lat = attributes.get("lon"), attributes.get("lat")
    return None if lon is None or lat is None else (float(lon), float(lat))


class _DrawnMembers:
    """Nodes and ways that a file names only inside other objects, with their places."""

    def __init__(self) -> None:
        self._there: set[Key] = set()
        self._nodes: dict[int, tuple[float, float]] = {}
        self._made: dict[tuple[float, float], int] = {}
        self._ways: dict[int, list[int]] = {}

    def note(self, element: Element) -> None:
        """Keep what an object draws of others."""
        self._there.add((_RANK[element.tag], int(element.get("id", "0"))))
        if element.tag == "way":
            for nd in element.iter("nd"):
                place = _place(nd.attrib)
                if place is not None:
                    self._nodes[int(nd.get("ref", "0"))] = place
                    self._made[place] = int(nd.get("ref", "0"))
        for member in element.iter("member"):
            places = [place for nd in member.iter("nd") if (place := _place(nd.attrib))]
            if places:
                self._ways[int(member.get("ref", "0"))] = [self._number(one) for one in places]
            elif member.get("type") == "node" and (place := _place(member.attrib)) is not None:
                self._nodes[int(member.get("ref", "0"))] = place

    def _number(self, place: tuple[float, float]) -> int:
        number = self._made.setdefault(place, MADE_BELOW - len(self._made))
        self._nodes.setdefault(number, place)
        return number

    def things(self) -> Iterator[Any]:
        """Those the file does not hold by themselves."""
        for number, place in self._nodes.items():
            if (0, number) not in self._there:
                yield osmium.osm.mutable.Node(id=number, location=place, version=1)
        for number, nodes in self._ways.items():
            if (1, number) not in self._there:
                yield osmium.osm.mutable.Way(id=number, nodes=nodes, version=1)
