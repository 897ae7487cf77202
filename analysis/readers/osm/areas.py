"""The areas of an OpenStreetMap file: closed ways and multipolygons, as osmium assembles them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import osmium
import shapely

from lifecircle.analysis.quantities import ObjectArray
from lifecircle.analysis.readers.osm.opl import Keys, Objects, list_lines
from lifecircle.analysis.readers.osm.source import opened

#: A multipolygon of one polygon, which follows as a whole (WKB).
_OF_ONE: Final = shapely.to_wkb(shapely.MultiPolygon([shapely.box(0, 0, 1, 1)]), hex=True)[:18]


@dataclass(frozen=True, slots=True)
class Areas:
    """`id` (``way/1``, ``relation/2``) and `geometry` ((multi)polygons, degrees) of areas."""

    id: list[str]
    geometry: ObjectArray


class _Taken:
    """Takes the areas osmium makes: their ids and shapes (WKB)."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.shapes: list[bytes] = []
        self._as_wkb = osmium.geom.WKBFactory().create_multipolygon

    def area(self, area: osmium.osm.Area) -> None:
        """Keep one area; a ring without places, cut off at the extract's border, is none."""
        try:
            shape = self._as_wkb(area)
        except (RuntimeError, osmium.InvalidLocationError):
            return
        self.shapes.append(bytes.fromhex(shape.removeprefix(_OF_ONE)))
        self.numbers.append(area.id)

    def ids(self) -> list[str]:
        """The ids of what the areas were made of: osmium doubles them, and adds 1 to relations'."""
        return [
            f"{'relation' if number % 2 else 'way'}/{'-' if number < 0 else ''}{abs(number) // 2}"
            for number in self.numbers
        ]


def read_areas(path: Path, keys: Iterable[str]) -> Areas:
    """Every area with one of some keys, in the order osmium makes them.

    Raises
    ------
    RuntimeError
        osmium cannot read the file.
    """
    return read_with_areas(path, {}, keys)[1]


def read_with_areas(path: Path, keys: Keys, of_areas: Iterable[str]) -> tuple[Objects, Areas]:
    """The objects with one of some keys, and the areas `of_areas` with one of theirs, in one pass.

    Another one reads relations only.

    Raises
    ------
    RuntimeError
        osmium cannot read the file.
    """
    wanted = osmium.filter.KeyFilter(*sorted(set(of_areas)))
    maker, taken = osmium.area.AreaManager(), _Taken()
    with osmium.io.Reader(opened(path), osmium.osm.RELATION) as reader:
        osmium.apply(reader, wanted, maker.first_pass_handler())
    objects = Objects(list(list_lines(path, keys, [maker.second_pass_handler(wanted, taken)])))
    geometry = shapely.from_wkb(np.array(taken.shapes, dtype=object))
    return objects, Areas(taken.ids(), geometry)
