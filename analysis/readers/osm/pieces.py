"""One map cut into pieces around some grounds, all of them in the same passes over the file.

A piece holds the nodes on its ground, every way with one of them, whole, and every relation that
has one of these; areas made of several ways (multipolygons, boundaries) are whole too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.quantities import FloatArray, IntArray
from lifecircle.analysis.readers.osm.aside import in_order
from lifecircle.analysis.readers.osm.source import broken_file, opened

_AT_ONCE: Final = 500_000
_MOST: Final = 64  # pieces of one go: bits of a mask
_AREAS: Final = frozenset({"multipolygon", "boundary"})
_NODE, _WAY, _RELATION = osmium.osm.NODE, osmium.osm.WAY, osmium.osm.RELATION
Masks = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Piece:
    """What lies on some ground (degrees of WGS84) is to be written into a file."""

    ground: shapely.Geometry
    target: Path


def cut_map(path: Path, pieces: Sequence[Piece], *, doubted: bool = True) -> None:
    """Write all pieces of a map; each is in order (``Type_then_ID``), and whole once it is there.

    Seven passes over the file for every 64 pieces, however many there are of them. `doubted`: as
    `in_order` has it; a file that it gave is not looked through once more.

    Raises
    ------
    InputError : the file is missing, no OpenStreetMap file, or cannot be read.
    OSError : a piece cannot be written.
    """
    with in_order(path, doubted=doubted) as ordered:
        try:
            for start in range(0, len(pieces), _MOST):
                some = pieces[start : start + _MOST]
                _write(ordered.path, _find(ordered.path, [one.ground for one in some]), some)
        except RuntimeError as error:
            raise broken_file(path, error) from error


@dataclass(frozen=True, slots=True)
class _Members:
    """Ids (k,), rising and each once, and which pieces hold each: bits of `mask` uint64 (k,)."""

    number: IntArray
    mask: Masks

    @classmethod
    def of(cls, number: IntArray, mask: Masks) -> _Members:
        """Members in any order; what is told twice is in the pieces of both."""
        order = np.argsort(number, kind="stable")
        number, mask = number[order], mask[order]
        first = np.flatnonzero(np.diff(number, prepend=number[:1] - 1))
        return cls(number[first], np.bitwise_or.reduceat(mask, first) if len(first) else mask)

    def of_each(self, number: IntArray) -> Masks:
        """The masks (n,) of some ids; 0 of those that no piece holds."""
        if not len(self.number):
            return np.zeros(len(number), dtype=np.uint64)
        row = np.minimum(np.searchsorted(self.number, number), len(self.number) - 1)
        return np.where(self.number[row] == number, self.mask[row], np.uint64(0))

    def and_also(self, number: IntArray, mask: Masks) -> _Members:
        """These and others."""
        return _Members.of(np.concatenate([self.number, number]), np.concatenate([self.mask, mask]))


class _Gathered:
    """Members that are found one chunk of a file after the other."""

    def __init__(self) -> None:
        self._numbers = [np.empty(0, dtype=np.int64)]
        self._masks = [np.empty(0, dtype=np.uint64)]

    def add(self, number: IntArray, mask: Masks) -> None:
        """Take those (k,) that some piece holds."""
        held = mask > 0
        self._numbers.append(number[held])
        self._masks.append(mask[held])

    def members(self) -> _Members:
        """All that were taken."""
        return _Members.of(np.concatenate(self._numbers), np.concatenate(self._masks))


@dataclass(frozen=True, slots=True)
class _Found:
    nodes: _Members
    ways: _Members
    relations: _Members


def _find(path: Path, grounds: Sequence[shapely.Geometry]) -> _Found:
    """What each piece holds, with all that its ways and areas are made of."""
    on_ground = _nodes_on(path, grounds)
    ways, refs = _ways_with(path, on_ground)
    relations, area_ways, area_nodes = _relations_with(path, on_ground, ways)
    lacking = area_ways.mask & ~ways.of_each(area_ways.number)
    more = _Members(area_ways.number[lacking > 0], lacking[lacking > 0])
    rest = _nodes_of(path, more)
    every = ways.and_also(more.number, more.mask)
    nodes = on_ground
    for some in (refs, area_nodes, rest):
        nodes = nodes.and_also(some.number, some.mask)
    return _Found(nodes, every, relations)


def _nodes_on(path: Path, grounds: Sequence[shapely.Geometry]) -> _Members:
    """The nodes that lie on some ground."""
    for ground in grounds:
        shapely.prepare(ground)
    bounds = [shapely.bounds(ground) for ground in grounds]
    found = _Gathered()
    for some in _chunks(osmium.FileProcessor(opened(path), _NODE)):
        told = [(node.id, node.lon, node.lat) for node in some if node.location.valid()]
        number = np.array([one[0] for one in told], dtype=np.int64)
        lonlat = np.array([one[1:] for one in told], dtype=np.float64).reshape(-1, 2)
        mask = np.zeros(len(number), dtype=np.uint64)
        for bit, (ground, box) in enumerate(zip(grounds, bounds, strict=True)):
            near = np.flatnonzero(_within(lonlat, box))
            on = near[shapely.contains_xy(ground, lonlat[near])]
            mask[on] |= np.uint64(1 << bit)
        found.add(number, mask)
    return found.members()


def _within(lonlat: FloatArray, box: Any) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = ((lonlat >= box[:2]) & (lonlat <= box[2:])).all(axis=1)
    return inside


def _ways_with(path: Path, nodes: _Members) -> tuple[_Members, _Members]:
    """The ways that have one of some nodes, and all nodes of these."""
    ways, refs = _Gathered(), _Gathered()
    for number, ref, size in _way_chunks(osmium.FileProcessor(opened(path), _WAY)):
        held = nodes.of_each(ref)
        begin = np.cumsum(size) - size
        there = size > 0  # a way without nodes is in no piece
        mask = np.zeros(len(number), dtype=np.uint64)
        if there.any():
            mask[there] = np.bitwise_or.reduceat(held, begin[there])
        ways.add(number, mask)
        refs.add(ref, np.repeat(mask, size))
    return ways.members(), refs.members()


def _nodes_of(path: Path, ways: _Members) -> _Members:
    """The nodes of some ways."""
    refs = _Gathered()
    if len(ways.number):
        chosen = osmium.FileProcessor(opened(path), _WAY).with_filter(
            osmium.filter.IdFilter(ways.number.tolist())
        )
        for number, ref, size in _way_chunks(chosen):
            refs.add(ref, np.repeat(ways.of_each(number), size))
    return refs.members()


def _way_chunks(ways: Iterable[Any]) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Ids of ways, their nodes one after another, and how many each has."""
    for some in _chunks(ways):
        told = [(way.id, [node.ref for node in way.nodes]) for way in some]
        size = np.array([len(nodes) for _, nodes in told], dtype=np.int64)
        refs = np.array([ref for _, nodes in told for ref in nodes], dtype=np.int64)
        yield np.array([number for number, _ in told], dtype=np.int64), refs, size


def _relations_with(
    path: Path, nodes: _Members, ways: _Members
) -> tuple[_Members, _Members, _Members]:
    """Relations that have one of some nodes or ways; ways and nodes of those that are areas."""
    relations, of_areas = _Gathered(), {"w": _Gathered(), "n": _Gathered()}
    every: Iterable[Any] = osmium.FileProcessor(opened(path), _RELATION)
    for relation in every:
        held = [(one.type, one.ref) for one in relation.members]
        of = {
            kind: np.array([ref for type_, ref in held if type_ == kind], dtype=np.int64)
            for kind in of_areas
        }
        both = np.concatenate([nodes.of_each(of["n"]), ways.of_each(of["w"])])
        mask = np.bitwise_or.reduce(both) if len(both) else np.uint64(0)
        if not mask:
            continue
        relations.add(np.array([relation.id], dtype=np.int64), np.array([mask], dtype=np.uint64))
        if relation.tags.get("type") in _AREAS:
            for kind, refs in of.items():
                of_areas[kind].add(refs, np.full(len(refs), mask, dtype=np.uint64))
    return relations.members(), of_areas["w"].members(), of_areas["n"].members()


def _chunks(things: Iterable[Any]) -> Iterator[Iterator[Any]]:
    """The things of a file, so many at a time; each is there until the next is asked for."""
    whole = iter(things)
    for first in whole:
        yield _after(first, islice(whole, _AT_ONCE - 1))


def _after(first: Any, others: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from others


def _write(path: Path, found: _Found, pieces: Sequence[Piece]) -> None:
    header = osmium.io.Header()
    header.set("sorting", "Type_then_ID")
    with ExitStack() as stack:
        writers = [
            stack.enter_context(osmium.SimpleWriter(str(one.target), header=header, overwrite=True))
            for one in pieces
        ]
        of_mask: dict[int, list[Any]] = {}
        for kind, members in (
            (_NODE, found.nodes), (_WAY, found.ways), (_RELATION, found.relations),
        ):  # fmt: skip
            if not len(members.number):
                continue
            numbers = members.number.tolist()
            chosen = osmium.FileProcessor(opened(path), kind).with_filter(
                osmium.filter.IdFilter(numbers)
            )
            rows = zip(numbers, members.mask.tolist(), strict=True)
            for thing in chosen:
                # both rise; what is not in the file is passed over
                mask = next((of for number, of in rows if number == thing.id), 0)
                if not mask:
                    raise RuntimeError(f"{thing.type_str()}{thing.id} is out of order")
                if mask not in of_mask:
                    of_mask[mask] = [one for bit, one in enumerate(writers) if mask >> bit & 1]
                for writer in of_mask[mask]:
                    writer.add(thing)
