"""One object of an OpenStreetMap file on its way into an ordered copy."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

NODE: Final = 0
WAY: Final = 1
RELATION: Final = 2
KIND_NAMES: Final = ("node", "way", "relation")
MADE_UP: Final = -1  # version of what no object of its own tells of: any object goes before it

_E7: Final = 10_000_000  # the steps in which OSM keeps degrees
_LATITUDES: Final = 180 * _E7 + 1
_BEYOND: Final = 1 << 40


class Item(NamedTuple):
    """An object: its kind, id, version, whether it is deleted, and what it holds.

    `body` of a node: (lon, lat) in degrees or None, tags; of a way: ids of nodes, tags; of a
    relation: members (letter of the kind, id, role), tags.
    """

    kind: int
    id: int
    version: int
    deleted: bool
    body: Any


class Middle(NamedTuple):
    """The middle of a way or relation, degrees."""

    kind: int
    id: int
    place: tuple[float, float]


def made_up_node(lon: float, lat: float) -> int:
    """An id for a node of which only the place is known: the same place, the same node.

    Beyond all ids of OpenStreetMap, below 2^63.
    """
    x, y = round((lon + 180) * _E7), round((lat + 90) * _E7)
    return _BEYOND + x * _LATITUDES + y
