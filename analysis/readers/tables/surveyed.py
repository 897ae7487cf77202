"""What is said to be surveyed: a service everywhere, in named units, or inside a polygon.

One saying is ``SERVICE``, ``SERVICE:UNIT,UNIT`` (codes or names) or ``SERVICE:FILE`` with the
polygons; a service may be named again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.coordinates.locate import locate
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations
from lifecircle.analysis.readers.records.files import SUFFIXES
from lifecircle.analysis.readers.records.repair import repair_shapes

_AFTER_SERVICE: Final = re.compile("[:：]")
_BETWEEN: Final = re.compile("[,，、;；]")


@dataclass(frozen=True, slots=True)
class Saying:
    """One declaration: `units` and `file` are empty where the whole area is meant."""

    service: str
    units: tuple[str, ...] = ()
    file: Path | None = None

    @property
    def text(self) -> str:
        """The saying as one writes it, a file by its name."""
        told = ",".join(self.units) if self.file is None else self.file.name
        return f"{self.service}:{told}" if told else self.service


@dataclass(frozen=True, slots=True)
class ExtentTable:
    """The polygons inside which the list of a service is complete."""

    service: str
    where: Located
    warnings: tuple[Fault, ...] = ()


def split_sayings(texts: Iterable[str]) -> tuple[Saying, ...]:
    """What every text declares; a file is known by its suffix.

    >>> split_sayings(["park", "health_centre:M01，M02"])[1].units
    ('M01', 'M02')
    """
    return tuple(_split(text) for text in texts)


def _split(text: str) -> Saying:
    service, *rest = _AFTER_SERVICE.split(text, maxsplit=1)
    told = rest[0].strip() if rest else ""
    if Path(told).suffix.lower() in SUFFIXES:
        return Saying(service.strip(), file=Path(told))
    named = (name.strip() for name in _BETWEEN.split(told))
    return Saying(service.strip(), tuple(name for name in named if name))


def read_extent(service: str, path: Path, declared: Declarations = SILENT) -> ExtentTable:
    """The polygons of a layer; `declared`: what is said of the file.

    Raises
    ------
    InputError
        With every fault of the file; it holds no polygon.
    """
    records = read_records(path, declared)
    found = records.findings()
    located = repair_shapes(locate(records, found), found)
    areas = shapely.get_dimensions(located.shapes) == 2
    if not areas.any() and not found:
        found.add("surveyed_no_polygon")
    found.stop_on_errors()
    return ExtentTable(service, located.take(np.flatnonzero(areas)), found.warnings())
