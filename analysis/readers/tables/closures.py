"""Closed places: points, lines and polygons where nobody walks through."""

from __future__ import annotations

from pathlib import Path

from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.coordinates.locate import locate
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations
from lifecircle.analysis.readers.records.repair import repair_shapes
from lifecircle.analysis.readers.records.tables import ClosureTable


def read_closures(path: Path, declared: Declarations = SILENT) -> ClosureTable:
    """Closures of a table or layer of any kind of geometry; `declared`: what is said of the file.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    records = read_records(path, declared)
    found = records.findings()
    located = repair_shapes(locate(records, found), found)
    found.stop_on_errors()
    return ClosureTable(records.rows, located, found.warnings())
