"""Objects of an OpenStreetMap file as lines of text, which osmium filters and writes in C++.

Asking osmium for each tag and each node from Python costs several times what reading the file
does. Written out as OPL (a line an object), the objects are split here, and all places of nodes
are read at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import osmium
import pyarrow as pa
from pyarrow import csv

from lifecircle.analysis.quantities import FloatArray, IntArray
from lifecircle.analysis.readers.osm.source import opened

_FORM: Final = "opl,add_metadata=version"
_ESCAPED: Final = re.compile("%([0-9a-f]+)%")
_KIND: Final = {b"n": "node/", b"w": "way/", b"r": "relation/"}
_REFS: Final = {b"w": re.compile(rb"[N,]n(-?\d+)"), b"r": re.compile(rb"[M,]w(-?\d+)@")}
_NODES: Final = bytes.maketrans(b",xy", b"\n,,")  # one node a line: number, longitude, latitude
_COLUMNS: Final = {"ref": pa.int64(), "lon": pa.float64(), "lat": pa.float64()}

Keys = Mapping[osmium.osm.osm_entity_bits, Sequence[str]]


def list_lines(path: Path, keys: Keys, *, placed: bool = True) -> Iterator[list[bytes]]:
    """The objects of a file that have one of some keys, in the order of the file, as fields.

    `keys`: for each kind of object that is wanted. The fields are: letter and id, version, whether
    it stands (``dV``), tags; then the longitude and latitude of a node, the nodes of a way with
    their places, or the members of a relation.

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
    handlers: list[osmium.HandlerLike] = []
    if placed:
        places = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
        places.ignore_errors()
        handlers.append(places)
    form = f"{_FORM},locations_on_ways={str(placed).lower()}"
    with TemporaryDirectory() as folder:
        written = Path(folder) / "objects.opl"
        with (
            osmium.SimpleWriter(osmium.io.File(str(written), form)) as writer,
            osmium.io.Reader(opened(path)) as reader,
        ):
            osmium.apply(reader, *handlers, osmium.filter.EntityFilter(wanted), *filters, writer)
        with written.open("rb") as lines:
            for line in lines:
                yield line.rstrip(b"\n").split(b" ")


def id_of(fields: Sequence[bytes]) -> str:
    """The id of an object with its kind: ``way/2``."""
    return _KIND[fields[0][:1]] + fields[0][1:].decode()


def refs_of(fields: Sequence[bytes]) -> list[int]:
    """Ids of the nodes of a way, or of the ways that are members of a relation, in order."""
    return [int(number) for number in _REFS[fields[0][:1]].findall(fields[4])]


def is_ring(fields: Sequence[bytes]) -> bool:
    """Whether a way ends where it begins."""
    nodes = fields[-1][1:]
    return nodes.partition(b",")[0] == nodes.rpartition(b",")[2]


def stands(fields: Sequence[bytes]) -> bool:
    """Whether an object is not deleted."""
    return fields[2] != b"dD"


def tags_of(fields: Sequence[bytes]) -> dict[str, str]:
    """The tags of an object."""
    text = fields[3][1:].decode()
    if not text:
        return {}
    pairs = [pair.split("=") for pair in text.split(",")]
    if "%" not in text:
        return dict(pairs)
    return {_plain(key): _plain(value) for key, value in pairs}


def _plain(text: str) -> str:
    """A text with the signs that OPL writes as their numbers."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def place_of(fields: Sequence[bytes]) -> tuple[float, float] | None:
    """Longitude and latitude of a node, degrees; None where it has no place on earth."""
    lon, lat = fields[4][1:], fields[5][1:]
    if not lon or not lat:
        return None
    place = float(lon), float(lat)
    return place if abs(place[0]) <= 180 and abs(place[1]) <= 90 else None


def read_nodes(lists: Sequence[bytes]) -> tuple[IntArray, FloatArray]:
    """Ids int64 (r,) and places float64 (r, 2), degrees, of the nodes of ways in their order.

    `lists`: the last field of each way. NaN where the file does not hold a node, or no place on
    earth.
    """
    text = b",".join([nodes[1:] for nodes in lists if len(nodes) > 1])
    if not text:
        return np.empty(0, np.int64), np.empty((0, 2))
    table = csv.read_csv(
        pa.BufferReader(text.translate(_NODES, b"n")),
        read_options=csv.ReadOptions(column_names=list(_COLUMNS)),
        convert_options=csv.ConvertOptions(column_types=_COLUMNS),
    )
    lonlat = np.column_stack([table[name].to_numpy() for name in ("lon", "lat")])
    lonlat[~(np.abs(lonlat) <= (180.0, 90.0)).all(axis=1)] = np.nan
    return table["ref"].to_numpy(), lonlat


def count_nodes(nodes: bytes) -> int:
    """How many nodes the last field of a way names."""
    return nodes.count(b"n")
