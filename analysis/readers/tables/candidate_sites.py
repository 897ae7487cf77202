"""Places where something could be built, from people's tables and layers."""

from __future__ import annotations

from pathlib import Path

from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.cells import no_texts, read_texts
from lifecircle.analysis.readers.records.columns import (
    pick_columns,
    refuse_strange_cells,
)
from lifecircle.analysis.readers.records.coordinates.locate import locate
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations
from lifecircle.analysis.readers.records.identifiers import read_ids
from lifecircle.analysis.readers.records.repair import repair_shapes
from lifecircle.analysis.readers.records.tables import SiteTable


def read_sites(path: Path, declared: Declarations = SILENT) -> SiteTable:
    """Candidate sites of a table or layer: points, or the outlines of plots and buildings.

    Parameters
    ----------
    path
        CSV, TSV, workbook, GeoPackage, GeoJSON, shapefile or GeoParquet with coordinates; an id
        (else ``row/N``) and a name are welcome, nothing else is read.
    declared
        What is said of the file: its datum or CRS where it does not say them itself, its sheet,
        layer and columns.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    records = read_records(path, declared)
    found = records.findings()
    picked = pick_columns(records.columns, "facilities", found)
    refuse_strange_cells({n: picked[n] for n in ("id", "name") if n in picked}, found)
    located = repair_shapes(locate(records, found), found)
    ids = read_ids(picked.get("id"), records, "row/", found)
    names = read_texts(picked["name"].values) if "name" in picked else no_texts(len(records))
    found.stop_on_errors()
    return SiteTable(ids, names, located, found.warnings())
