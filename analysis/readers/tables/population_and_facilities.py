"""Residents and facilities from people's tables and layers, and the kinds of tables there are.

Every reader looks at the whole file and raises `InputError` with all faults; what it lets pass
with a remark travels in the `warnings` of its table.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.quantities import IntArray, ObjectArray
from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.rasters.population import check_population_raster
from lifecircle.analysis.readers.records.aliases import fields_of, fold
from lifecircle.analysis.readers.records.attributes import (
    AttributeArray,
    attribute_kind,
    parse_flags,
    unknown_attribute,
)
from lifecircle.analysis.readers.records.cells import (
    find_repeats,
    is_absent,
    no_texts,
    object_array,
    read_numbers,
    read_texts,
)
from lifecircle.analysis.readers.records.columns import (
    Column,
    pick_columns,
    read_persons,
    refuse_strange_cells,
)
from lifecircle.analysis.readers.records.coordinates.locate import (
    has_polygons,
    locate,
    locate_stated,
)
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations
from lifecircle.analysis.readers.records.files import RASTER_SUFFIXES
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.groups import read_groups
from lifecircle.analysis.readers.records.identifiers import read_ids
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.records.repair import repair_shapes
from lifecircle.analysis.readers.records.table_kinds import Kind
from lifecircle.analysis.readers.records.tables import (
    FROM_EXPORT,
    FROM_TABLE,
    CellTable,
    FacilityTable,
    StatisticsTable,
    UnitTable,
    make_cells,
)
from lifecircle.analysis.readers.records.titles import describe_columns
from lifecircle.analysis.readers.services.osm_export import OsmExport, read_export, tell_export
from lifecircle.analysis.readers.services.served import (
    KIND_FIELDS,
    Served,
    find_kind,
    is_of_services,
    read_served,
)
from lifecircle.analysis.readers.tables.crowds import refuse_crowds
from lifecircle.analysis.readers.tables.of_year import last_year, of_year
from lifecircle.analysis.readers.tables.people_twice import remark_people_twice
from lifecircle.analysis.readers.tables.statistics import statistics_of
from lifecircle.analysis.readers.tables.status import OPEN, States, frame_not_open, read_states
from lifecircle.analysis.readers.tables.units import units_of

AnyTable = CellTable | FacilityTable | UnitTable | StatisticsTable

_LINES: Final = (1, 2, 5, 7)  # shapely type ids that are no place to live in
_WORDS: Final = {"ownership": "ownership", "level": "facility_level"}  # field: list of words
_OWN: Final = ("id", "name", "end_date", "start_date", "shut", *KIND_FIELDS)
_ALWAYS: Final = ("name_en", "ownership", "level", "opening_hours", "status", "built_area")


def read_population(
    path: Path, declared: Declarations = SILENT, year: int | None = None
) -> CellTable:
    """Residents per cell (persons) from a table or layer of points or polygons.

    Parameters
    ----------
    path
        CSV, TSV, workbook, GeoPackage, GeoJSON, KML, shapefile (zipped or not) or GeoParquet.
    declared
        What is said of the file: datum or CRS where it does not say them itself, sheet, layer,
        names of columns.
    year
        Whose residents are meant, where the columns name years (`of_year`).

    Raises
    ------
    InputError
        With every fault of the file.
    """
    return _cells_of(of_year(read_records(path, declared), year))


def read_facilities(
    path: Path,
    policy: Policy,
    declared: Declarations = SILENT,
    *,
    by_unit: bool = False,
    today: date | None = None,
) -> FacilityTable:
    """Facilities of a bureau's table or layer, their types matched with the policy's services.

    A table whose columns are OpenStreetMap tags is read by the policy's tag rules, as of the day
    `today`. With `by_unit` rows without coordinates pass, their shape None. Ownership is
    ``government``, ``private``, else as written; areas are m².

    Raises
    ------
    InputError
        With every fault of the file.
    """
    return _facilities_of(read_records(path, declared), policy, by_unit=by_unit, today=today)


def check_table(
    path: Path,
    kind: Kind | None = None,
    policy: Policy | None = None,
    declared: Declarations = SILENT,
) -> tuple[Fault, ...]:
    """Everything wrong or remarkable in a file, without raising; () when it is fine.

    First the notes: how the file was opened and which column was taken for what. Where `kind` is
    None it is guessed by the columns. `policy` None is the default policy.
    """
    told: tuple[Fault, ...] = ()
    try:
        if Path(path).suffix.lower() in RASTER_SUFFIXES:
            faults, told = check_population_raster(path)
            return (*told, *faults)
        records = read_records(path, declared)
        records = of_year(records, last_year(records))
        rules = load_policy() if policy is None else policy
        sure = kind or guess_kind(records, rules)
        if sure is None:
            return (Fault("input_kind_unknown", records.file, params={"columns": records.titles}),)
        told = describe_columns(records, sure)
        return (*told, *table_of(records, sure, rules).warnings)
    except InputError as error:
        return (*told, *error.faults)


def table_of(records: Records, kind: Kind, policy: Policy, today: date | None = None) -> AnyTable:
    """The table of a file that is already open, as of a day.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    if kind == "population":
        return _cells_of(records)
    if kind == "facilities":
        return _facilities_of(records, policy, today=today)
    if kind == "statistics":
        return statistics_of(records)
    return units_of([records], policy)


def guess_kind(records: Records, policy: Policy) -> Kind | None:
    """What a table is about, by its columns; None if they say nothing."""
    quiet = Findings(records.file)
    figures = pick_columns(records.columns, "statistics", quiet)
    if {"attribute", "value"} <= set(figures) and {"unit_code", "unit_name"} & set(figures):
        return "statistics"
    kind = find_kind(pick_columns(records.columns, "facilities", quiet), policy)
    if records.said.service is not None or (kind and is_of_services(kind, policy)):
        return "facilities"
    if read_export(records, policy) is not None:
        return "facilities"
    units = pick_columns(records.columns, "units", quiet)
    if has_polygons(records) and ("name" in units or "population" not in units):
        return "units"
    if "population" in units:
        return "population"
    return "facilities" if kind else None


def _cells_of(records: Records) -> CellTable:
    found = records.findings()
    picked = pick_columns(records.columns, "population", found)
    refuse_strange_cells(picked, found)
    located = locate(records, found)
    lines = np.isin(shapely.get_type_id(located.shapes), _LINES)
    found.each("input_population_line", lines)
    located = repair_shapes(located, found)
    ids = read_ids(picked.get("id"), records, "", found)
    persons, groups = np.zeros(len(records)), {}
    if "population" not in picked:
        found.add("input_population_missing", columns=records.titles)
    else:
        persons = read_persons(picked["population"], found, required=True)
        groups = read_groups(records, picked, persons, found)
        refuse_crowds(located, persons, picked["population"].title, found)
    found.stop_on_errors()
    remark_people_twice(located.shapes, persons, found)
    found.stop_on_errors()
    return make_cells(ids, persons, groups, located, found.warnings())


def _facilities_of(
    every: Records, policy: Policy, *, by_unit: bool = False, today: date | None = None
) -> FacilityTable:
    export = read_export(every, policy, today)
    if export is not None:
        return _facilities_of_export(export, policy, by_unit=by_unit)
    said = pick_columns(every.columns, "facilities", Findings(every.file))
    told = Findings(every.file, every.rows, every.listed)
    states = read_states(said, every, told, policy.life_cycle, today)
    is_open = states.state == OPEN
    served = read_served(said, every, policy, told, is_open)
    chosen = is_open & served.kept
    table = _read_rows(
        every if chosen.all() else every.take(chosen),
        served.service[chosen],
        told,
        by_unit=by_unit,
    )
    shut = _read_not_open(every, states, served) if states.told else None
    return replace(table, not_open=shut)


def _read_rows(
    records: Records,
    services: ObjectArray,
    told: Findings,
    *,
    by_unit: bool,
    index: IntArray | None = None,
) -> FacilityTable:
    """Rows as facilities; `index`: the row of each service, where some offer several."""
    found = records.findings()
    found.merge(told)
    picked = pick_columns(records.columns, "facilities", found)
    refuse_strange_cells(picked, found)
    located = repair_shapes((locate_stated if by_unit else locate)(records, found), found)
    ids = read_ids(picked.get("id"), records, "row/", found)
    names = _read_names(picked.get("name"), records, found)
    attributes = {
        field: _read_attribute(field, picked.get(field), records, found)
        for field in fields_of("facilities")
        if field not in _OWN and (field in picked or field in _ALWAYS)
    }
    every = np.arange(len(records)) if index is None else index
    _remark_repeats(services, names[every], located.shapes[every], found, records.rows[every])
    found.stop_on_errors()
    return FacilityTable(
        id=ids[every],
        service=services,
        name=names[every],
        source=object_array([FROM_TABLE] * len(every)),
        attributes={field: held[every] for field, held in attributes.items()},
        where=located if index is None else located.take(index),
        rows=records.rows[every],
        warnings=found.warnings(),
    )


def _facilities_of_export(export: OsmExport, policy: Policy, *, by_unit: bool) -> FacilityTable:
    """Facilities of a table of tags; what is not open stands apart, as from a file of the map."""
    every, there = export.records, export.open
    told = Findings(every.file, every.rows, every.listed)
    tell_export(export, policy, told)
    rows, index = np.unique(there.row, return_inverse=True)
    part = every.take(rows)
    table = _read_rows(part, there.service, told, by_unit=by_unit, index=index)
    table = replace(table, source=object_array([FROM_EXPORT] * len(table.source)))
    shut = every.take(export.not_open.row)
    columns = {column.title: read_texts(column.values) for column in shut.columns}
    states = export.not_open
    told_shut = {
        "id": columns["id"],
        "service": states.service,
        "name": columns["name"],
        "source": object_array([FROM_EXPORT] * len(shut)),
    }
    where = locate_stated(shut, Findings(shut.file, shut.rows))
    return replace(table, not_open=frame_not_open(told_shut, where, states.state, states.why))


def _read_not_open(every: Records, states: States, served: Served) -> gpd.GeoDataFrame:
    """Rows that are gone or planned; faults of theirs are nobody's matter."""
    chosen = (states.state != OPEN) & served.kept
    records, quiet = every.take(chosen), Findings(every.file, every.rows)
    picked = pick_columns(records.columns, "facilities", quiet)
    names = read_texts(picked["name"].values) if "name" in picked else no_texts(len(records))
    columns = {
        "id": read_ids(picked.get("id"), records, "row/", Findings(every.file, records.rows)),
        "service": served.service[chosen],
        "name": names,
        "source": object_array([FROM_TABLE] * len(records)),
    }
    located = locate_stated(records, Findings(every.file, records.rows))
    return frame_not_open(columns, located, states.state[chosen], states.why[chosen])


def _read_names(column: Column | None, records: Records, found: Findings) -> ObjectArray:
    if column is None:
        found.add("input_facility_names_missing", severity="warning")
        return no_texts(len(records))
    names = read_texts(column.values)
    found.remark("input_facility_name_blank", is_absent(names), column=column.title)
    return names


def _read_attribute(
    field: str, column: Column | None, records: Records, found: Findings
) -> AttributeArray:
    """One further column of facilities; a measure that is no number is unknown, with a warning."""
    if column is None:
        return unknown_attribute(field, len(records))
    kind = attribute_kind(field)
    if kind in ("number", "count"):
        parsed = read_numbers(column.values)
        doubtful = parsed.bad | (parsed.known & (np.nan_to_num(parsed.value) < 0))
        found.remark("input_measure_unknown", doubtful, column=column.title)
        return np.where(doubtful, np.nan, parsed.value)
    said = read_texts(column.values)
    if kind == "flag":
        flags = parse_flags(said, {**records.words("flag"), **records.words(field)})
        found.remark("input_flag_unknown", np.isnan(flags) & ~is_absent(said), column=column.title)
        return flags
    words = records.words(_WORDS.get(field, field))
    if words:
        said = object_array([None if s is None else words.get(fold(s), s) for s in said])
    return said


def _remark_repeats(
    services: ObjectArray, names: ObjectArray, shapes: ObjectArray, found: Findings, rows: IntArray
) -> None:
    """Warn about the same service of the same name at the same place."""
    wkb = shapely.to_wkb(shapes)
    keys = [
        None if shape is None or name is None else (service, name, shape)
        for service, name, shape in zip(services, names, wkb, strict=True)
    ]
    repeats, _ = find_repeats(keys)
    here = Findings(found.file, rows)
    here.remark("input_facility_twice", repeats)
    found.merge(here)
