"""OpenStreetMap as .o5m (wiki: O5m), written by hand: osmium reads it and does not write it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import osmium

_RESET, _END = b"\xff", b"\xfe"
_HEADER = b"\xe0\x04o5m2"
_NO_VERSION = b"\x00"
_MEMBER = {"n": "0", "w": "1", "r": "2"}


def as_o5m(path: Path) -> bytes:
    """An OSM file in its own order as .o5m; texts are written out each time."""
    found = bytearray(_RESET + _HEADER)
    before = "n"
    last: dict[str, int] = {}
    for thing in osmium.FileProcessor(str(path)):
        kind = thing.type_str()
        if kind != before:
            found += _RESET  # all differences start again
            last, before = {}, kind
        body = _step(last, "id", thing.id) + _NO_VERSION
        if kind == "n":
            body += _step(last, "lon", thing.location.x) + _step(last, "lat", thing.location.y)
        else:
            parts = _nodes(thing, last) if kind == "w" else _members(thing, last)
            body += _number(len(parts)) + parts
        body += _tags(dict(thing.tags))
        found += {"n": b"\x10", "w": b"\x11", "r": b"\x12"}[kind] + _number(len(body)) + body
    return bytes(found + _END)


def _nodes(way: osmium.osm.Way, last: dict[str, int]) -> bytes:
    return b"".join(_step(last, "ref", node.ref) for node in way.nodes)


def _members(relation: osmium.osm.Relation, last: dict[str, int]) -> bytes:
    return b"".join(
        _step(last, one.type, one.ref) + _text(_MEMBER[one.type] + one.role)
        for one in relation.members
    )


def _tags(tags: Mapping[str, str]) -> bytes:
    return b"".join(_text(key, value) for key, value in tags.items())


def _text(*words: str) -> bytes:
    return b"\x00" + b"".join(word.encode() + b"\x00" for word in words)


def _step(last: dict[str, int], name: str, value: int) -> bytes:
    """The difference to the value before, sign in the lowest bit."""
    step = value - last.get(name, 0)
    last[name] = value
    return _number(2 * step if step >= 0 else -2 * step - 1)


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the high bit says that more follow."""
    digits: list[int] = []
    while value > 127:
        digits.append(value % 128 + 128)
        value //= 128
    return bytes([*digits, value])
