"""KML and KMZ: placemarks with their names, extended data and geometries.

Read with an XML parser that fetches nothing; a document type is refused before anything else, so
that no entity of a stranger is expanded.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

import numpy as np
import pyproj
import shapely

from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.archives import (
    check_members,
    members_of_suffix,
    read_member,
)
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.declarations import Declaration
from lifecircle.analysis.readers.records.files import decode_text, refuse, watch_file
from lifecircle.analysis.readers.records.records import Records, rings_closed

_PLAIN: Final = ("name", "description", "address")
_EXTENDED: Final = (("SimpleData", "SchemaData"), ("value", "Data"))
_LEAST: Final = {"Point": 1, "LineString": 2, "LinearRing": 3}


def read_kml(path: Path) -> Records:
    """Records of a KML file: one per placemark."""
    with watch_file(path):
        raw = path.read_bytes()
    return _parse_records(path, raw)


def read_kmz(path: Path, said: Declaration) -> Records:
    """Records of the one KML document inside a KMZ."""
    with watch_file(path):
        members = check_members(path)
        return read_archived_kml(path, members, said)


def read_archived_kml(path: Path, members: Sequence[zipfile.ZipInfo], said: Declaration) -> Records:
    """Records of the KML of an archive whose directory was checked."""
    names = members_of_suffix(members, ".kml")
    wanted = [n for n in names if said.layer is None or Path(n).stem == said.layer]
    if len(wanted) != 1:
        key = "input_layers_many" if wanted else "input_layers_none"
        raise refuse(path, key, layers=", ".join(Path(name).stem for name in names))
    return _parse_records(path, read_member(path, wanted[0], limits.TEXT_BYTES))


def _parse_records(path: Path, raw: bytes) -> Records:
    text, _ = decode_text(path, raw)
    marks = _Placemarks(path)
    try:
        # the text is decode_text already: what the declaration says of its encoding is void
        parser = marks.parser
        parser.Parse(text.encode("utf-8"), True)
    except expat.ExpatError as error:
        raise refuse(path, "input_broken", detail=str(error)) from None
    if marks.root != "kml":
        raise refuse(path, "input_not_kml")
    titles = dict.fromkeys(title for cells in marks.cells for title in cells)
    if len(titles) > limits.COLUMNS or len(titles) * len(marks.cells) > limits.CELLS:
        raise refuse(path, "input_columns_many", most=limits.COLUMNS)
    columns = tuple(
        Column(t, object_array([cells.get(t) for cells in marks.cells])) for t in titles
    )
    rows = np.arange(1, len(marks.cells) + 1, dtype=np.int64)
    unread = np.array(marks.unread, np.bool_)
    crs = pyproj.CRS.from_epsg(4326)
    told = rings_closed(path, sorted(marks.closed))
    return Records(path, columns, rows, object_array(marks.shapes), crs, told, unread)


_MANY: Final[dict[str, Any]] = {
    "Point": shapely.multipoints,
    "LineString": shapely.multilinestrings,
    "Polygon": shapely.multipolygons,
}


class _Placemarks:
    """Placemarks gathered while a document is walked through."""

    def __init__(self, path: Path) -> None:
        self.root = ""
        self.cells: list[dict[str, str]] = []
        self.shapes: list[Any] = []
        self.unread: list[bool] = []
        self.closed: set[int] = set()
        self._path = path
        self._tags: list[str] = []
        self._text: list[str] = []
        self._key = ""
        self._inside = False
        self._parts: list[Any] = []
        self._rings: list[list[tuple[float, float]]] = []
        self._wrong = False
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text_of

    def _doctype(self, *_: object) -> None:
        raise refuse(self._path, "input_xml_doctype")

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self.root = self.root or name
        self._tags.append(name)
        if len(self._tags) > limits.XML_DEPTH:
            raise refuse(self._path, "input_nested", most=limits.XML_DEPTH)
        self._text = []
        if name == "Placemark":
            if len(self.cells) >= limits.ROWS:
                raise refuse(self._path, "input_table_large", most=f"{limits.ROWS:,}",
                             cells=f"{limits.CELLS:,}")  # fmt: skip
            self.cells.append({})
            self._inside, self._wrong, self._parts = True, False, []
        elif name in ("Data", "SimpleData"):
            self._key = attributes.get("name", "")
        elif name == "Polygon":
            self._rings = []

    def _text_of(self, text: str) -> None:
        if self._inside:
            self._text.append(text)

    def _end(self, _: str) -> None:
        name = self._tags.pop()
        if not self._inside:
            return
        parent = self._tags[-1] if self._tags else ""
        text = "".join(self._text).strip()
        if name == "Placemark":
            self._finish()
        elif name == "coordinates":
            self._coordinates(parent, text)
        elif name == "Polygon":
            self._polygon()
        elif text and (name in _PLAIN and parent == "Placemark"):
            self.cells[-1].setdefault(name, text)
        elif text and self._key and (name, parent) in _EXTENDED:
            self.cells[-1][self._key] = text
        self._text = []

    def _coordinates(self, parent: str, text: str) -> None:
        """The coordinates of a point, a line or a ring."""
        try:
            places = [tuple(map(float, one.split(",")[:2])) for one in text.split()]
        except ValueError:
            places = []
        sound = [(place[0], place[1]) for place in places if len(place) == 2]
        if len(sound) != len(places) or len(sound) < _LEAST.get(parent, 1):
            self._wrong = True
        elif parent == "LinearRing" and "Polygon" in self._tags:
            if sound[0] != sound[-1]:
                sound.append(sound[0])
                self.closed.add(len(self.cells))
            if len(sound) <= _LEAST[parent]:
                self._wrong = True
                return
            self._rings.append(sound)
        elif parent == "Point":
            self._parts.append(shapely.Point(sound[0]))
        elif parent in ("LineString", "LinearRing"):
            self._parts.append(shapely.LineString(sound))

    def _polygon(self) -> None:
        if self._rings:
            self._parts.append(shapely.Polygon(self._rings[0], self._rings[1:]))
        else:
            self._wrong = True

    def _finish(self) -> None:
        """End a placemark: its parts become one geometry."""
        self._inside = False
        kinds = {part.geom_type for part in self._parts}
        whole: Any = None
        if len(self._parts) == 1:
            whole = self._parts[0]
        elif len(kinds) == 1:
            whole = _MANY[kinds.pop()](self._parts)
        elif self._parts:
            whole = shapely.geometrycollections(self._parts)
        self.shapes.append(None if self._wrong else whole)
        self.unread.append(self._wrong)
