"""Where the things of an OpenStreetMap file lie, and files of some of them: to cut a file up.

What is a place by its tags is found in one pass, without its shape: its box is enough to say to
which parts it belongs. A part is then written with all that its things are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium

from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray, UInt8Array
from lifecircle.analysis.readers.osm.opl import Line, count_nodes, list_lines, read_nodes
from lifecircle.analysis.readers.osm.source import broken_file, check_osm_file, opened

KINDS: Final = ("node", "way", "relation")
_ALL: Final = (osmium.osm.NODE, osmium.osm.WAY, osmium.osm.RELATION)
_NODE, _WAY, _RELATION = range(3)
_AT_ONCE: Final = 50_000  # lines whose nodes are read together


@dataclass(frozen=True, slots=True)
class Boxes:
    """The things of a file (n), in its order.

    `kind` uint8 (n,): row of `KINDS`; `number` int64 (n,): id; `box` float64 (n, 4): west, south,
    east, north in degrees of WGS84, NaN where no part of it has a place.
    """

    kind: UInt8Array
    number: IntArray
    box: FloatArray

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: IntArray | BoolArray) -> Boxes:
        """Some of them."""
        return Boxes(self.kind[rows], self.number[rows], self.box[rows])

    @property
    def rising(self) -> bool:
        """Whether they stand by kind and rising positive id, each once, as files in order do."""
        step, kinds = np.diff(self.number), np.diff(self.kind.astype(np.int64))
        in_order = (kinds > 0) | ((kinds == 0) & (step > 0))
        return bool(in_order.all() and (self.number > 0).all())

    def names(self) -> set[str]:
        """Their ids with their kinds: ``way/2``."""
        pairs = zip(self.kind.tolist(), self.number.tolist(), strict=True)
        return {f"{KINDS[kind]}/{number}" for kind, number in pairs}


_NOTHING: Final[Mapping[str, np.ndarray]] = {
    "kind": np.empty(0, np.uint8), "number": np.empty(0, np.int64), "box": np.empty((0, 4)),
}  # fmt: skip


def read_boxes(path: Path, keys: Sequence[str]) -> Boxes:
    """The box of everything in a file that has one of some keys, in the order of the file.

    The box of a relation is that of its ways; of a way that stands before its nodes there is none.

    Raises
    ------
    InputError : the file is missing, no OpenStreetMap file, or cannot be read.
    """
    return read_boxes_of(path, keys, lambda _: True)


def read_boxes_of(path: Path, keys: Sequence[str], is_wanted: Callable[[Line], bool]) -> Boxes:
    """As `read_boxes`, of those alone that are wanted; each is asked about once, in order."""
    check_osm_file(path)
    found: list[Boxes] = []
    relations: list[list[int]] = []
    try:
        lines = filter(is_wanted, list_lines(path, dict.fromkeys(_ALL, keys)))
        while some := list(islice(lines, _AT_ONCE)):
            found.append(_boxes_of(some))
            relations += [one.refs for one in some if one.head.startswith(b"r")]
        kind, number, box = (
            np.concatenate([_NOTHING[name], *(getattr(one, name) for one in found)])
            for name in ("kind", "number", "box")
        )
        box[kind == _RELATION] = _boxes_of_relations(path, relations)
    except RuntimeError as error:
        raise broken_file(path, error) from error
    return Boxes(kind, number, box)


def write_things(path: Path, things: Boxes, target: Path) -> None:
    """Write some things of a file, and all they are made of, into a file of the same order.

    What the file lacks of them the new one lacks too.
    """
    tracker = osmium.IdTracker()
    add = (tracker.add_node, tracker.add_way, tracker.add_relation)
    for kind, number in zip(things.kind.tolist(), things.number.tolist(), strict=True):
        add[kind](number)
    tracker.complete_backward_references(opened(path), relation_depth=1)
    with (
        osmium.SimpleWriter(str(target), overwrite=True) as writer,
        osmium.io.Reader(opened(path)) as reader,
    ):
        osmium.apply(reader, tracker.id_filter(), writer)


def _boxes_of(lines: Sequence[Line]) -> Boxes:
    """Things as lines of text say where they are; relations do not."""
    kind = np.array([b"nwr".index(one.head[:1]) for one in lines], dtype=np.uint8)
    number = np.array([one.number for one in lines], dtype=np.int64)
    box = np.full((len(lines), 4), np.nan)
    nowhere = (np.nan, np.nan)
    for row in np.flatnonzero(kind == _NODE).tolist():
        place = lines[row].place or nowhere
        box[row] = (*place, *place)
    ways = np.flatnonzero(kind == _WAY)
    nodes = [lines[row].body for row in ways.tolist()]
    _, lonlat = read_nodes(nodes)
    owner = np.repeat(np.arange(len(ways)), [count_nodes(one) for one in nodes])
    box[ways] = _around(lonlat, owner, len(ways))
    return Boxes(kind, number, box)


def _boxes_of_relations(path: Path, relations: Sequence[list[int]]) -> FloatArray:
    """Boxes by those of the ways that are members, most of which have no tags of their own."""
    wanted = {way for ways in relations for way in ways}
    boxes: dict[int, tuple[float, ...]] = {}
    if wanted:
        ways: Iterable[Any] = (
            osmium.FileProcessor(opened(path), osmium.osm.NODE | osmium.osm.WAY)
            .with_locations()
            .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
            .with_filter(osmium.filter.IdFilter(wanted))
        )
        for way in ways:
            held = [(n.lon, n.lat) for n in way.nodes if n.location.valid()]
            if held:
                lons, lats = zip(*held, strict=True)
                boxes[way.id] = (min(lons), min(lats), max(lons), max(lats))
    every = [(row, boxes[way]) for row, ways in enumerate(relations) for way in ways
             if way in boxes]  # fmt: skip
    owner = np.repeat([row for row, _ in every], 2).astype(np.int64)
    corners = np.array([box for _, box in every], dtype=np.float64).reshape(-1, 2)
    return _around(corners, owner, len(relations))


def _around(lonlat: FloatArray, owner: IntArray, size: int) -> FloatArray:
    """The box (size, 4) around the places of each owner, NaN where none is known."""
    box = np.full((size, 4), np.nan)
    known = ~np.isnan(lonlat[:, 0])
    for column, at in ((0, 0), (1, 1), (2, 0), (3, 1)):
        least = column < 2
        reach = np.minimum if least else np.maximum
        bound = np.full(size, np.inf if least else -np.inf)
        reach.at(bound, owner[known], lonlat[known, at])
        box[:, column] = np.where(np.isinf(bound), np.nan, bound)
    return box
