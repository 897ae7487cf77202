"""The checker of one file: everything a reader would refuse or remark, and more, row by row.

A reader stops at what it cannot use; the checker is for the person who has to mend the table, so
every fault is told for its own row and cell, and nothing is only counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.quantities import FloatArray, IntArray, ObjectArray
from lifecircle.analysis.readers.checker import row_checks
from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.rasters.population import check_population_raster
from lifecircle.analysis.readers.records.cells import read_texts, show_value
from lifecircle.analysis.readers.records.columns import Column, pick_columns
from lifecircle.analysis.readers.records.coordinates.coordinate_columns import pick_coordinates
from lifecircle.analysis.readers.records.coordinates.datums import FEWEST, in_shifted_area
from lifecircle.analysis.readers.records.coordinates.locate import locate
from lifecircle.analysis.readers.records.coordinates.located import DEGREES
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations
from lifecircle.analysis.readers.records.files import RASTER_SUFFIXES
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.records.table_kinds import Kind
from lifecircle.analysis.readers.records.tables import FacilityTable
from lifecircle.analysis.readers.records.titles import describe_columns
from lifecircle.analysis.readers.services.osm_export import read_export
from lifecircle.analysis.readers.services.served import read_served
from lifecircle.analysis.readers.tables.population_and_facilities import guess_kind, table_of
from lifecircle.analysis.texts import say_both

EVERY: Final = 1_000_000  # faults listed one by one

# Remarks of readers about several rows that a checker tells row by row, under ``<key>_row``.
ROW_BY_ROW: Final = frozenset(
    {
        "input_measure_unknown",
        "input_cells_dated",
        "input_flag_unknown",
        "input_facility_twice",
        "input_service_unknown",
        "input_service_listed",
        "input_facility_name_blank",
        "input_households_more",
        "input_units_unknown",
        "input_class_unknown",
        "input_level_blank",
        "input_geometry_repaired",
        "input_datum_abroad",
    }
)
# Of two faults of one cell the first says why, the second only that.
_DEEPER: Final = (
    "input_cell_error",
    "input_cell_formula",
    "input_cell_date",
    "input_cell_percent",
    "check_code_damaged",
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: the kind of the table, its records (None if it could not be opened).

    `notes`: how it was opened, and which column was taken for what.
    """

    file: str
    kind: Kind | None
    records: Records | None
    faults: tuple[Fault, ...]
    notes: tuple[Fault, ...] = ()

    @property
    def errors(self) -> int:
        """Faults that keep the file from being used."""
        return sum(fault.severity == "error" for fault in self.faults)

    @property
    def warnings(self) -> int:
        """Faults that do not."""
        return sum(fault.severity == "warning" for fault in self.faults)


def check_file(
    path: Path,
    kind: Kind | None = None,
    policy: Policy | None = None,
    declared: Declarations = SILENT,
) -> Checked:
    """Everything wrong or remarkable in a file, without raising.

    Parameters
    ----------
    path
        Table, layer or raster.
    kind
        What it holds; None = guessed by its columns.
    policy
        Names the services; None = the default policy.
    declared
        What is said of the file: datum, CRS, sheet, columns.
    """
    path = Path(path)
    try:
        if path.suffix.lower() in RASTER_SUFFIXES:
            faults, notes = check_population_raster(path)
            return Checked(path.name, "population", None, faults, notes)
        records = replace(read_records(path, declared), listed=EVERY)
    except InputError as error:
        return Checked(path.name, None, None, tuple(_list_rest(error.faults)))
    return check_records(records, kind, load_policy() if policy is None else policy)


def check_records(records: Records, kind: Kind | None, policy: Policy) -> Checked:
    """The same for a file that is already open."""
    sure = kind or guess_kind(records, policy)
    if sure is None:
        fault = Fault("input_kind_unknown", records.file, params={"columns": records.titles})
        return Checked(records.file, None, records, (fault,))
    seen = kept = records
    if sure == "facilities" and (export := read_export(records, policy)) is not None:
        seen = export.records
    try:
        table = table_of(records, sure, policy, datetime.now(UTC).date())
        read = table.warnings
        if isinstance(table, FacilityTable):
            kept = seen.take(np.isin(records.rows, table.rows))
    except InputError as error:
        read = (*error.faults, *error.remarks)
        if sure == "facilities":
            kept = _drop_left_out(records, policy)
    found = Findings(records.file, kept.rows, EVERY)
    picked = pick_columns(kept.columns, sure, Findings(records.file))
    row_checks.check_cells(kept, found)
    row_checks.check_codes(picked.get("unit_code") or picked.get("code"), found)
    if sure == "facilities":
        row_checks.check_words(picked, found)
        row_checks.check_hours(picked.get("opening_hours"), found)
        row_checks.check_measures(picked, found)
    elif sure != "statistics":
        row_checks.check_groups(picked, found)
    unsure: tuple[Fault, ...] = ()
    if sure in ("population", "facilities"):
        unsure = _check_where(kept, sure, picked, found)
    faults = (*_tell_by_row(read, records), *found.warnings(), *found.errors())
    described = describe_columns(seen, sure)
    if seen is not records:  # tags: nobody meant a column of theirs to be one of ours
        described = tuple(note for note in described if note.severity == "note")
    guessed = () if kind else (_tell_guess(sure, records.file),)
    every = (*unsure, *guessed, *described, *faults)
    notes = tuple(fault for fault in every if fault.severity == "note")
    told = [fault for fault in every if fault.severity != "note"]
    return Checked(records.file, sure, records, _put_in_order(_drop_repeated(told)), notes)


def _tell_guess(kind: Kind, file: str) -> Fault:
    """The note that nobody said what a file holds, and how to say it."""
    return Fault("check_kind_guessed", file, params={"kind": say_both(f"check_kind_{kind}")},
                 severity="note")  # fmt: skip


def _list_rest(faults: Iterable[Fault]) -> Iterator[Fault]:
    """Faults of an opening; rows that are only counted are listed like the one before them."""
    last: Fault | None = None
    for fault in faults:
        if fault.key == "input_more" and last is not None and fault.rows:
            yield from (replace(last, row=row) for row in fault.rows)
        else:
            yield fault
        last = fault


def _drop_left_out(records: Records, policy: Policy) -> Records:
    """The rows of faulty facilities, without those that are read as none."""
    export = read_export(records, policy)
    if export is not None:
        return export.records.take(np.unique(export.open.row))
    picked = pick_columns(records.columns, "facilities", Findings(records.file))
    every = np.ones(len(records), np.bool_)
    quiet = Findings(records.file, records.rows)
    return records.take(read_served(picked, records, policy, quiet, every).kept)


def _check_where(
    records: Records, kind: Kind, picked: dict[str, Column], found: Findings
) -> tuple[Fault, ...]:
    """Doubts about places, once they can be read at all; the note that they are too few."""
    quiet = Findings(records.file, records.rows, EVERY)
    columns = pick_coordinates(records.columns, records.said, quiet)
    said = replace(records, said=records.said.or_datum("wgs84"))
    located = locate(said, quiet)
    title = ", ".join(columns[name].title for name in ("lon", "lat") if name in columns)
    names = read_texts(picked["name"].values) if "name" in picked else None
    kinds = read_texts(picked["service"].values) if "service" in picked else None
    there = ~shapely.is_missing(located.shapes)
    if all(reading.crs == DEGREES for reading in located.readings):
        row_checks.check_precision(columns, there, found)
    kinds = kinds if kind == "facilities" else None
    places = located.centres()
    row_checks.check_places(places, names, kinds, title, found)
    return _tell_few(places, names, records.rows, records.file) if kind == "facilities" else ()


def _tell_few(
    places: FloatArray, names: ObjectArray | None, rows: IntArray, file: str
) -> tuple[Fault, ...]:
    """The note that a build cannot tell by its streets whether so few places of China have another
    datum, with the place to look up; `places` (n, 2) in degrees of WGS84, NaN where there is none.
    """
    there = np.flatnonzero(np.isfinite(places).all(axis=1))
    if not 0 < len(there) < FEWEST or not in_shifted_area(places[there]).all():
        return ()
    first = int(there[0])
    name = None if names is None else names[first]
    lon, lat = (f"{degrees:.5f}" for degrees in places[first])
    params = {"count": len(there), "fewest": FEWEST, "lon": lon, "lat": lat}
    if name:
        told = {**params, "name": name}
        return (Fault("check_datum_few", file, params=told, severity="note"),)
    told = {**params, "place_row": int(rows[first])}
    return (Fault("check_datum_few_row", file, params=told, severity="note"),)


def _tell_by_row(faults: Iterable[Fault], records: Records) -> list[Fault]:
    """Remarks about several rows, told for each row with its value."""
    at = {int(row): i for i, row in enumerate(records.rows)}
    cells = {column.title: column.values for column in records.columns}
    out = []
    for fault in faults:
        if fault.key not in ROW_BY_ROW or not fault.rows:
            out.append(fault)
            continue
        for row in fault.rows:
            params = {**fault.params, "value": _find_cell(cells, fault.column, at.get(row))}
            out.append(replace(fault, key=f"{fault.key}_row", row=row, params=params, rows=()))
    return out


def _find_cell(cells: dict[str, ObjectArray], column: str | None, at: int | None) -> object:
    if column is None or column not in cells or at is None:
        return ""
    return show_value(cells[column][at])


def _drop_repeated(faults: Sequence[Fault]) -> list[Fault]:
    """Each fault once; of a cell whose deeper fault is known only that one."""
    deep = {(f.row, f.column) for f in faults if f.key in _DEEPER}
    seen: set[tuple[str, int | None, str | None]] = set()
    out = []
    for fault in faults:
        key = (fault.key, fault.row, fault.column)
        covered = (fault.row, fault.column) in deep and fault.key not in _DEEPER
        if covered or (key in seen and fault.row is not None):
            continue
        seen.add(key)
        out.append(fault)
    return out


def _put_in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Of the whole file first, then by row; errors before warnings."""
    return tuple(
        sorted(faults, key=lambda f: (f.row is not None, f.row or 0, f.severity != "error"))
    )
