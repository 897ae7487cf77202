"""An OpenStreetMap file opened for reading, in whatever lawful way it is written.

Told by content, not by suffix: PBF, XML, o5m, OPL; XML and OPL also packed by gzip or bzip2.
A file in the usual order (nodes, ways, relations, ids ascending) is read as it lies; any other
is set in order aside once (`lifecircle.analysis.readers.osm.aside`), and what is read from then
on is that copy. What is no such file is refused by its cause.
"""

from __future__ import annotations

import bz2
import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO, Final, TypeVar

import numpy as np
import osmium

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.quantities import IntArray
from lifecircle.analysis.readers.osm.xml_order import XmlMarks, marks_of

_HEAD_BYTES: Final = 65_536
_PACKED: Final = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"))
_ARCHIVES: Final = (
    (b"PK\x03\x04", "zip"), (b"\xfd7zXZ", "xz"), (b"7z\xbc\xaf", "7z"),
    (b"\x28\xb5\x2f\xfd", "zst"), (b"Rar!", "rar"),
)  # fmt: skip
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_ROOT: Final = re.compile(r"<(?![?!])\s*([A-Za-z_][\w:.-]*)")
_CHANGES: Final = frozenset({"osmChange", "osmAugmentedDiff", "augmented_diff"})
_OPL: Final = re.compile(rb"[nwr]-?\d+[ \n]")
_MANY: Final = 20  # optional features that a header may name
_Read = TypeVar("_Read")


class OutOfOrderError(Exception):
    """What was read is not whole: objects do not stand in the usual order, or stand twice."""


@dataclass(frozen=True, slots=True)
class Told:
    """What setting a file in order told.

    `twice`: objects that stood there before, `newer` of them in another version; `deleted`:
    objects marked as deleted; `centres`: places of ways and relations (``way/1``) that have a
    middle and no outline.
    """

    twice: int = 0
    newer: int = 0
    deleted: int = 0
    centres: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(slots=True, weakref_slot=True, eq=False)
class OsmFile:
    """A file that can be read from its beginning as often as one likes.

    `name` is what people call it. `path`, `kind` (as libosmium names formats): what is read.
    `negated_from`: ids above it stand for negative ones, which libosmium's store of places does
    not take; None: ids are as they are. `ordered`: nothing can be out of order any more.
    """

    name: str
    path: Path
    kind: str
    packed: str = ""
    marks: XmlMarks | None = None
    places_on_ways: bool = False
    negated_from: int | None = None
    ordered: bool = False
    told: Told = field(default_factory=Told)

    @property
    def format(self) -> str:
        """The format as libosmium wants it."""
        return f"{self.kind}.{self.packed}" if self.packed else self.kind

    def processor(
        self, entities: osmium.osm.osm_entity_bits = osmium.osm.ALL
    ) -> osmium.FileProcessor:
        """A reader of the objects."""
        return osmium.FileProcessor(osmium.io.File(str(self.path), self.format), entities)

    def text(self) -> IO[bytes]:
        """The file unpacked, as bytes."""
        return _unpacked(self.path, self.packed)

    def own_id(self, number: int) -> int:
        """The id as the file has it."""
        shift = self.negated_from
        return number if shift is None or number <= shift else shift - number

    def own_ids(self, numbers: IntArray) -> IntArray:
        """`own_id` of many, int64 (k,)."""
        shift = self.negated_from
        return numbers if shift is None else np.where(numbers > shift, shift - numbers, numbers)


def open_osm(path: Path | OsmFile) -> OsmFile:
    """Open a file: find out how it is written, and set it in order if it says that it is not.

    Raises
    ------
    InputError
        Missing, empty, damaged, or something else than the objects of OpenStreetMap as they are
        now: a change file, a history, an archive, JSON, a web page.
    """
    if isinstance(path, OsmFile):
        return path
    found = _recognised(path)
    if found.places_on_ways or (found.marks is not None and not found.marks.plain):
        set_in_order(found)
    return found


def read_in_order(path: Path | OsmFile, read: Callable[[OsmFile], _Read]) -> _Read:
    """What `read` makes of a file; where it stumbles over the order, of the ordered copy.

    Raises
    ------
    InputError
        As `open_osm`; the file breaks off or cannot be decoded.
    """
    osm = open_osm(path)
    try:
        try:
            return read(osm)
        except (OutOfOrderError, RuntimeError) as error:
            if osm.ordered or not _is_about_order(error):
                raise
            set_in_order(osm)
            return read(osm)
    except RuntimeError as error:
        raise unreadable(osm.name, error) from error


def set_in_order(osm: OsmFile) -> None:
    """Let everything be read from an ordered copy from now on."""
    from lifecircle.analysis.readers.osm.aside import ordered_copy

    try:
        ordered_copy(osm)
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise unreadable(osm.name, error) from error


def unreadable(name: str, error: Exception) -> InputError:
    """The error for a file that breaks off or cannot be decoded."""
    return InputError([Fault("osm_unreadable", name, params={"detail": str(error)})])


def _is_about_order(error: Exception) -> bool:
    """Whether an error of libosmium's reader of areas is about ids out of order or twice."""
    if isinstance(error, OutOfOrderError):
        return True
    said = str(error)
    return any(word in said for word in ("out of order", "twice in input", "after a "))


def _recognised(path: Path) -> OsmFile:
    if not path.is_file():
        raise InputError([Fault("file_missing", path.name)])
    if path.stat().st_size == 0:
        raise InputError([Fault("file_empty", path.name)])
    if any(suffix in (".osh", ".osc") for suffix in path.suffixes):
        key = "osm_history" if ".osh" in path.suffixes else "osm_change"
        raise InputError([Fault(key, path.name)])
    with path.open("rb") as handle:
        head = handle.read(_HEAD_BYTES)
    for magic, kind in _ARCHIVES:
        if head.startswith(magic):
            raise InputError([Fault("osm_archive", path.name, params={"kind": kind})])
    packed = next((name for magic, name in _PACKED if head.startswith(magic)), "")
    if packed:
        try:
            with _unpacked(path, packed) as handle:
                head = handle.read(_HEAD_BYTES)
        except (OSError, EOFError) as error:
            raise unreadable(path.name, error) from error
    if b"OSMHeader" in head[:64]:
        return _pbf(path, packed)
    if head.startswith(b"\xff\xe0\x04o5"):
        if head[5:6] == b"c":
            raise InputError([Fault("osm_change", path.name)])
        return _unless_packed(path, "o5m", packed)
    if _OPL.match(head):
        return OsmFile(path.name, path, "opl", packed)
    return _xml(path, packed, head)


def _unless_packed(path: Path, kind: str, packed: str) -> OsmFile:
    if packed:
        raise InputError([Fault("osm_archive", path.name, params={"kind": packed})])
    return OsmFile(path.name, path, kind)


def _pbf(path: Path, packed: str) -> OsmFile:
    osm = _unless_packed(path, "pbf", packed)
    try:
        header = osmium.io.Reader(
            osmium.io.File(str(path), "pbf"), osmium.osm.osm_entity_bits.NOTHING
        ).header()
    except RuntimeError as error:
        raise unreadable(path.name, error) from error
    features = {header.get(f"pbf_optional_feature_{number}") for number in range(_MANY)}
    if header.has_multiple_object_versions or "HistoricalInformation" in features:
        raise InputError([Fault("osm_history", path.name)])
    osm.places_on_ways = "LocationsOnWays" in features
    return osm


def _xml(path: Path, packed: str, head: bytes) -> OsmFile:
    """A file of XML, or the refusal of something else."""
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
    text = head.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")
    if text.startswith(("{", "[")):
        raise InputError([Fault("osm_json", path.name)])
    root = _ROOT.search(text) if text.startswith("<") else None
    name = "" if root is None else root[1]
    if name.casefold() == "html" or text[:64].casefold().startswith("<!doctype html"):
        raise InputError([Fault("osm_web_page", path.name)])
    if name in _CHANGES:
        raise InputError([Fault("osm_change", path.name)])
    if name != "osm":
        raise InputError([Fault("osm_not_osm", path.name)])
    osm = OsmFile(path.name, path, "xml", packed)
    try:
        with osm.text() as handle:
            osm.marks = marks_of(handle, wide=encoding.startswith("utf-16"))
    except (OSError, EOFError) as error:
        raise unreadable(path.name, error) from error
    if osm.marks.broke_off is not None:
        broke = {"detail": osm.marks.broke_off}
        raise InputError([Fault("osm_broke_off", path.name, params=broke)])
    return osm


def _unpacked(path: Path, packed: str) -> IO[bytes]:
    if packed == "gz":
        return gzip.open(path, "rb")
    return bz2.open(path, "rb") if packed == "bz2" else path.open("rb")
