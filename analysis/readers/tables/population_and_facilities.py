"""Residents and facilities from people's tables and layers, and the checker of such files.

Every reader looks at the whole file and raises `InputError` with all faults; what it lets pass
with a remark travels in `Table.warnings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.rasters.population import read_population_raster
from lifecircle.analysis.readers.records.columns import (
    Column,
    counts,
    duplicates,
    fields_of,
    folded,
    numbers,
    objects,
    pick,
    texts,
)
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations
from lifecircle.analysis.readers.records.files import RASTER_SUFFIXES
from lifecircle.analysis.readers.records.findings import (
    Findings,
    ObjectArray,
    Table,
    absent,
    frame_of,
    kept,
)
from lifecircle.analysis.readers.records.locate import has_polygons, locate, repaired
from lifecircle.analysis.readers.records.population_groups import group_columns
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.records.titles import mapping_told
from lifecircle.analysis.readers.records.without_coordinates import locate_where_told
from lifecircle.analysis.readers.tables.statistics import StatisticsTable, statistics_of
from lifecircle.analysis.readers.tables.units import units_of

Kind = Literal["population", "facilities", "units", "statistics"]

SOURCE: Final = "table"  # what the column `source` of a facility says

_LINES: Final = (1, 2, 5, 7)  # shapely type ids that are no place to live in
_MEASURED: Final = frozenset(
    {"built_area", "indoor_area", "outdoor_area", "activity_area", "capacity", "beds", "places",
     "effective_area", "daily_hours"}
)  # fmt: skip
_FLAGS: Final = frozenset(
    {"inclusive", "standardised", "lit", "age_friendly", "child_friendly", "barrier_free"}
)
_WORDS: Final = {"ownership": "ownership", "level": "facility_level"}  # field: list of words
_ALWAYS: Final = ("name_en", "ownership", "level", "opening_hours", "status", "built_area")
_NAMES_OFFERED: Final = 5
_ALIKE: Final = 0.4


def read_population(path: Path, datum: str | None = None, declared: Declarations = SILENT) -> Table:
    """Residents per cell (persons) from a table or layer of points or polygons.

    Parameters
    ----------
    path
        CSV, TSV, workbook, GeoPackage, GeoJSON, KML, shapefile (zipped or not) or GeoParquet.
    datum
        Of bare coordinates: wgs84, gcj02, bd09 or cgcs2000. A layer's own CRS needs none.
    declared
        What else the user says (CRS, sheet, names of columns); its datum goes before `datum`.

    Returns
    -------
    Table
        EPSG:4326; `id` str, `residents` int64, the groups the file has (``pop_0_3``, ``pop_65``,
        other ``pop_*``, ``households``) as nullable Int64, `geometry`.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    return _population(read_records(path, declared), datum)


def read_facilities(
    path: Path,
    datum: str | None,
    policy: Policy,
    declared: Declarations = SILENT,
    *,
    by_unit: bool = False,
) -> Table:
    """Facilities of a bureau's table or layer, their types matched with the policy's services.

    With `by_unit` rows without coordinates pass, their geometry None and their row in ``_row``.

    Returns
    -------
    Table
        EPSG:4326; `id`, `service` (id of the policy), `name`, `geometry`, `source` ``"table"``,
        `name_en`, `ownership` (``government``, ``private``, else as written), `level`,
        `opening_hours`, `status`, `built_area` (m²) and what else the file has; None = unknown.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    return _facilities(read_records(path, declared), datum, policy, by_unit=by_unit)


def check_table(
    path: Path,
    kind: Kind | None = None,
    datum: str | None = None,
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
            return read_population_raster(path).warnings
        records = read_records(path, declared)
        rules = load_policy() if policy is None else policy
        sure = kind or guess_kind(records, rules)
        if sure is None:
            return (Fault("input_kind_unknown", records.file, params={"columns": records.titles}),)
        told = mapping_told(records, sure)
        return (*told, *table_of(records, sure, datum, rules).warnings)
    except InputError as error:
        return (*told, *error.faults)


def table_of(
    records: Records, kind: Kind, datum: str | None, policy: Policy
) -> Table | StatisticsTable:
    """The table of a file that is already open.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    if kind == "population":
        return _population(records, datum)
    if kind == "facilities":
        return _facilities(records, datum, policy)
    if kind == "statistics":
        return statistics_of(records)
    return units_of([records], datum, policy)


def guess_kind(records: Records, policy: Policy) -> Kind | None:
    """What a table is about, by its columns; None if they say nothing."""
    quiet = Findings(records.file)
    figures = pick(records.columns, "statistics", quiet)
    if {"attribute", "value"} <= set(figures) and {"unit_code", "unit_name"} & set(figures):
        return "statistics"
    service = pick(records.columns, "facilities", quiet).get("service")
    names = _service_names(policy)
    if service and any(t is not None and folded(t) in names for t in texts(service.values)):
        return "facilities"
    units = pick(records.columns, "units", quiet)
    if has_polygons(records) and ("name" in units or "population" not in units):
        return "units"
    if "population" in units:
        return "population"
    return "facilities" if service else None


def _population(records: Records, datum: str | None) -> Table:
    found = records.findings()
    picked = pick(records.columns, "population", found)
    geometry = locate(records, datum, found)
    found.each("input_population_line", np.isin(shapely.get_type_id(geometry), _LINES))
    geometry = repaired(geometry, found)
    columns: dict[str, Any] = {"id": _ids(picked.get("id"), records, "", found)}
    if "population" not in picked:
        found.add("input_population_missing", columns=records.titles)
    else:
        residents, known = counts(picked["population"], found, required=True)
        columns["residents"] = residents.astype(np.int64)
        columns |= group_columns(records, picked, residents, known, found)
    return found.table(_frame(columns, geometry))


def _facilities(
    records: Records, datum: str | None, policy: Policy, *, by_unit: bool = False
) -> Table:
    found = records.findings()
    picked = pick(records.columns, "facilities", found)
    geometry = repaired((locate_where_told if by_unit else locate)(records, datum, found), found)
    columns: dict[str, Any] = {
        "id": _ids(picked.get("id"), records, "row/", found),
        "service": _services(picked.get("service"), records, policy, found),
        "name": _names(picked.get("name"), records, found),
        "source": objects([SOURCE] * len(records)),
    }
    others = [f for f in fields_of("facilities") if f not in ("id", "service", "name")]
    for field in others:
        if field in picked or field in _ALWAYS:
            columns[field] = _attribute(field, picked.get(field), records, found)
    _remark_repeats(columns, geometry, found)
    if by_unit:
        columns["_row"] = records.rows
    return found.table(_frame(columns, geometry))


def _frame(columns: dict[str, Any], geometry: ObjectArray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(frame_of(columns), geometry=list(geometry), crs="EPSG:4326")


def _ids(column: Column | None, records: Records, label: str, found: Findings) -> ObjectArray:
    """Ids of the records: their column (blank or twice is a fault), else the row number."""
    if column is None:
        return objects([f"{label}{row}" for row in records.rows])
    ids = texts(column.values)
    found.each("input_id_blank", absent(ids), column=column.title)
    repeats, earlier = duplicates(ids)
    for index in np.flatnonzero(repeats):
        first = int(records.rows[earlier[int(index)]])
        row = int(records.rows[index])
        found.add("input_id_twice", row=row, column=column.title, value=ids[index], first_row=first)
    return ids


def _names(column: Column | None, records: Records, found: Findings) -> ObjectArray:
    if column is None:
        found.add("input_facility_names_missing", severity="warning")
        return objects([None] * len(records))
    names = texts(column.values)
    found.remark("input_facility_name_blank", absent(names), column=column.title)
    return names


def _service_names(policy: Policy) -> dict[str, str]:
    """Folded name → service id: ids first, then titles, then aliases; the first claim holds."""
    names: dict[str, str] = {}
    services = policy.services.values()
    claims: list[tuple[str, str]] = [(s.id, s.id) for s in services]
    claims += [(title, s.id) for s in services for title in (s.title.zh, s.title.en)]
    claims += [(alias, s.id) for s in services for alias in s.aliases]
    for name, service in claims:
        names.setdefault(folded(name), service)
    return names


def _services(
    column: Column | None, records: Records, policy: Policy, found: Findings
) -> ObjectArray:
    """Service ids of a column of types; an unknown type is a fault that offers the nearest."""
    if column is None:
        found.add("input_service_missing", columns=records.titles)
        return objects([None] * len(records))
    names = _service_names(policy)
    for word, ours in records.words("service").items():
        if folded(ours) in names:
            names[word] = names[folded(ours)]
        else:
            near = ", ".join(_nearest(ours, policy))
            found.add("input_mapping_service", value=ours, near=near)
    said = texts(column.values)
    blank = absent(said)
    services = objects([None if s is None else names.get(folded(s)) for s in said])
    found.each("input_service_blank", blank, column=column.title)
    for word in dict.fromkeys(s for s, service in zip(said, services, strict=True)
                              if s is not None and service is None):  # fmt: skip
        near = ", ".join(_nearest(word, policy))
        found.each("input_service_unknown", np.equal(said, word), column=column.title,
                   values=column.values, near=near)  # fmt: skip
    return services


def _nearest(word: str, policy: Policy) -> Sequence[str]:
    """The policy's names most like a word, as ``title (id)``."""
    names: dict[str, str] = {}
    for service in policy.services.values():
        for name in (service.id, service.title.zh, service.title.en, *service.aliases):
            names.setdefault(folded(name), f"{service.title.zh} ({service.id})")
    key = folded(word)
    near = get_close_matches(key, names, n=_NAMES_OFFERED * 2, cutoff=_ALIKE)
    near += [name for name in names if len(key) > 1 and (key in name or name in key)]
    near = near or list(names)
    return list(dict.fromkeys(names[name] for name in near))[:_NAMES_OFFERED]


def _attribute(field: str, column: Column | None, records: Records, found: Findings) -> ObjectArray:
    """One further column of facilities; a measure that is no number is unknown, with a warning."""
    if column is None:
        return objects([None] * len(records))
    if field in _MEASURED:
        parsed = numbers(column.values)
        doubtful = parsed.bad | (parsed.known & (np.nan_to_num(parsed.value) < 0))
        found.remark("input_measure_unknown", doubtful, column=column.title)
        return kept(parsed.value.astype(object), parsed.known & ~doubtful)
    said = texts(column.values)
    if field in _FLAGS:
        words = records.words("flag") | records.words(field)
        flags = objects([None if s is None else words.get(folded(s)) for s in said])
        found.remark("input_flag_unknown", absent(flags) & ~absent(said), column=column.title)
        return flags
    words = records.words(_WORDS.get(field, field))
    if words:
        said = objects([None if s is None else words.get(folded(s), s) for s in said])
    return said


def _remark_repeats(columns: dict[str, Any], geometry: ObjectArray, found: Findings) -> None:
    """Warn about the same service of the same name at the same place."""
    keys = [
        None if shape is None or name is None else (service, name, shapely.to_wkb(shape))
        for service, name, shape in zip(columns["service"], columns["name"], geometry, strict=True)
    ]
    repeats, _ = duplicates(objects(keys))
    found.remark("input_facility_twice", repeats)
