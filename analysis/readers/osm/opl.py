"""Objects of an OpenStreetMap file as lines of text, which osmium filters and writes in C++.

Asking osmium for each tag and each node from Python costs several times what reading the file
does. Written out as OPL (a line an object), the objects are split here, and all places of nodes
are read at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import numpy as np
import osmium
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from lifecircle.analysis.quantities import FloatArray, IntArray
from lifecircle.analysis.readers.osm.source import opened

_FORM: Final = "opl,add_metadata=version,locations_on_ways=true"
_ESCAPED: Final = re.compile("%([0-9a-f]+)%")
_KIND: Final = {b"n": "node/", b"w": "way/", b"r": "relation/"}
_REFS: Final = {b"w": re.compile(rb"[N,]n(-?\d+)"), b"r": re.compile(rb"[M,]w(-?\d+)@")}
_NODES: Final = bytes.maketrans(b",xy", b"\n,,")  # one node a line: number, longitude, latitude
_COLUMNS: Final = {"ref": pa.int64(), "lon": pa.float64(), "lat": pa.float64()}

_new: Final = tuple.__new__  # of a `Line`, in three fifths of the time
Keys = Mapping[osmium.osm.osm_entity_bits, Sequence[str]]
_LETTERS: Final = {
    b"n": osmium.osm.NODE, b"w": osmium.osm.WAY, b"r": osmium.osm.RELATION
}  # fmt: skip


class Line(NamedTuple):
    """An object as osmium writes it.

    `head`: letter and number. `stands`: it is not deleted. `text`: its tags as they are written,
    the same where `tags` are. `body`: longitude and latitude of a node, the nodes of a way with
    their places, the members of a relation.
    """

    head: bytes
    stands: bool
    text: bytes
    tags: Mapping[str, str]
    body: bytes

    @property
    def number(self) -> int:
        """The id of an object among those of its kind."""
        return int(self.head[1:])

    @property
    def id(self) -> str:
        """The id of an object with its kind: ``way/2``."""
        return _KIND[self.head[:1]] + self.head[1:].decode()

    @property
    def is_node(self) -> bool:
        """Whether it is a node."""
        return self.head.startswith(b"n")

    @property
    def is_way(self) -> bool:
        """Whether it is a way."""
        return self.head.startswith(b"w")

    @property
    def is_ring(self) -> bool:
        """Whether a way ends where it begins."""
        nodes = self.body
        first = nodes.find(b",")
        return first < 0 or nodes[1:first] == nodes[nodes.rfind(b",") + 1 :]

    @property
    def refs(self) -> list[int]:
        """Ids of the nodes of a way, or of the ways that are members of a relation, in order."""
        return [int(number) for number in _REFS[self.head[:1]].findall(self.body)]

    @property
    def place(self) -> tuple[float, float] | None:
        """Longitude and latitude of a node, degrees; None where it has no place on earth."""
        lon, _, lat = self.body[1:].partition(b" y")
        if not lon or not lat:
            return None
        place = float(lon), float(lat)
        return place if abs(place[0]) <= 180 and abs(place[1]) <= 90 else None


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of a file that have one of some keys, read once for all who ask for some."""

    lines: list[Line]

    def having(self, keys: Keys) -> Iterator[Line]:
        """Those that have one of some keys, in the order of the file."""
        wanted = {letter: frozenset(keys.get(kind, ())) for letter, kind in _LETTERS.items()}
        for line in self.lines:
            if not wanted[line.head[:1]].isdisjoint(line.tags):
                yield line


def list_lines(path: Path, keys: Keys, handlers: Sequence[object] = ()) -> Iterator[Line]:
    """The objects of a file that have one of some keys, in the order of the file.

    `keys`: for each kind of object that is wanted. `handlers`: of osmium, which see every object
    on the way, ways with the places of their nodes.

    Raises
    ------
    RuntimeError
        osmium cannot read the file.
    """
    wanted = osmium.osm.NOTHING
    filters: list[osmium.filter.KeyFilter] = []
    for kind, some in keys.items():
        wanted |= kind
        filters.append(osmium.filter.KeyFilter(*some))
        filters[-1].enable_for(kind)
    places = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
    places.ignore_errors()
    first = (places, *handlers, osmium.filter.EntityFilter(wanted))
    known: dict[bytes, Mapping[str, str]] = {}
    with TemporaryDirectory() as folder:
        written = Path(folder) / "objects.opl"
        with (
            osmium.SimpleWriter(osmium.io.File(str(written), _FORM)) as writer,
            osmium.io.Reader(opened(path)) as reader,
        ):
            osmium.apply(reader, *first, *filters, writer)
        with written.open("rb") as lines:
            for line in lines:
                head, _, visible, text, body = line.rstrip(b"\n").split(b" ", 4)
                tags = known.get(text)
                if tags is None:
                    tags = known[text] = _read_tags(text)
                yield _new(Line, (head, visible != b"dD", text, tags, body))


def lines_of(path: Path, objects: Objects | None, keys: Keys) -> Iterator[Line]:
    """The objects of a file with one of some keys, of those that have been read already if any."""
    return list_lines(path, keys) if objects is None else objects.having(keys)


def _read_tags(field: bytes) -> dict[str, str]:
    text = field[1:].decode()
    if not text:
        return {}
    if "%25%" not in text:
        text = text.replace("%20%", " ")  # by far the most: spaces in names
    pairs = [pair.split("=") for pair in text.split(",")]
    if "%" not in text:
        return dict(pairs)
    return {_plain(key): _plain(value) for key, value in pairs}


def _plain(text: str) -> str:
    """A text with the signs that OPL writes as their numbers."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "%" in text else text


def read_nodes(lists: Sequence[bytes]) -> tuple[IntArray, FloatArray]:
    """Ids int64 (r,) and places float64 (r, 2), degrees, of the nodes of ways in their order.

    `lists`: the last field of each way. NaN where the file does not hold a node, or no place on
    earth.
    """
    text = b",".join([nodes[1:] for nodes in lists if len(nodes) > 1])
    if not text:
        return np.empty(0, np.int64), np.empty((0, 2))
    table = csv.read_csv(
        pa.BufferReader(text.translate(_NODES, b"n").replace(b",,", b",nan,nan")),
        read_options=csv.ReadOptions(column_names=list(_COLUMNS)),
        convert_options=csv.ConvertOptions(column_types=_COLUMNS, null_values=[]),
    )
    ref, lon, lat = (_numbers(table[name]) for name in _COLUMNS)
    lonlat = np.column_stack((lon, lat))
    lonlat[~(np.abs(lonlat) <= (180.0, 90.0)).all(axis=1)] = np.nan
    return ref, lonlat


def _numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column without gaps; its own `to_numpy` would import pandas, which costs a file's worth."""
    return np.concatenate([np.from_dlpack(chunk) for chunk in column.chunks])


def count_nodes(nodes: bytes) -> int:
    """How many nodes the last field of a way names."""
    return nodes.count(b"n")
