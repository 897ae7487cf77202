"""Facilities of all sources brought together: units found, rows placed, places merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from lifecircle.analysis.city.facilities.merging import merge_facilities
from lifecircle.analysis.city.facilities.rows import FacilityRows
from lifecircle.analysis.city.model import Units
from lifecircle.analysis.city.notes import SamePlace, UnitRow
from lifecircle.analysis.city.units.unit_rows import Homes, find_units
from lifecircle.analysis.errors import Fault, InputError, Warn
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.tables import FacilityTable
from lifecircle.analysis.readers.tables.merge_orders import MergeOrders

_DISTRICT_ENDS = ("省", "市", "区", "县")


def gather_facilities(
    tables: Sequence[tuple[str, FacilityTable]],
    from_osm: FacilityTable | None,
    units: Units | None,
    homes: Homes,
    crs: str,
    policy: Policy,
    orders: MergeOrders | None = None,
) -> tuple[FacilityRows, tuple[SamePlace, ...], tuple[UnitRow, ...], tuple[Warn, ...]]:
    """All facilities in a metric CRS, and what was noticed on the way.

    Parameters
    ----------
    tables : name of the file and its rows, in the order in which they win; they win over OSM.
    units : None where no units were given: then nothing is looked up.
    orders : what people decided about rows that may be one place.

    Raises
    ------
    InputError : rows that cannot be placed, of every table; decisions that name no row.
    """
    faults: list[Fault] = []
    parts: list[FacilityRows] = []
    notes: list[UnitRow] = []
    remarks: list[Warn] = []
    for file, table in _tell_apart(tables):
        try:
            if units is None:
                _refuse_unplaced(table, file)
                parts.append(FacilityRows.of(table, crs))
                continue
            found, points, mine, said = find_units(table, file, units, homes)
        except InputError as error:
            faults.extend(error.faults)
            continue
        parts.append(FacilityRows.of(found, crs, points))
        notes += mine
        remarks += said
    if faults:
        raise InputError(faults)
    if from_osm is not None:
        parts.append(FacilityRows.of(from_osm, crs))
    places = () if units is None else [n for n in units.name if str(n).endswith(_DISTRICT_ENDS)]
    merged, same_places, more = merge_facilities(parts, policy, orders, places)
    return merged, same_places, tuple(notes), (*remarks, *more)


def _tell_apart(
    tables: Sequence[tuple[str, FacilityTable]],
) -> list[tuple[str, FacilityTable]]:
    """Ids that stand in several files get the file's name in front, so that each names one row."""
    often = Counter(str(one) for _, table in tables for one in set(table.id))
    stems = Counter(Path(file).stem for file, _ in tables)
    out = []
    for number, (file, table) in enumerate(tables, start=1):
        stem = Path(file).stem
        label = stem if stems[stem] == 1 else f"{stem}({number})"
        ids = [f"{label}:{one}" if often[str(one)] > 1 else one for one in table.id]
        out.append((file, replace(table, id=object_array(ids))))
    return out


def _refuse_unplaced(table: FacilityTable, file: str) -> None:
    """Without units a row has to say where it is."""
    lost = np.flatnonzero(shapely.is_missing(table.where.shapes)).tolist()
    if lost:
        raise InputError(
            [Fault("facility_without_units", file, row=int(table.rows[i])) for i in lost]
        )
