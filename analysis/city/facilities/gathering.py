"""Facilities of all sources brought together: units found, rows placed, places merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

from lifecircle.analysis.city.facilities.merging import MergeOrders, merge_facilities
from lifecircle.analysis.city.frames import texts
from lifecircle.analysis.city.model import Units
from lifecircle.analysis.city.notes import SamePlace, UnitRow
from lifecircle.analysis.city.units.unit_rows import ROW, Homes, find_units
from lifecircle.analysis.errors import Fault, InputError, Warn
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.readers.tables.merge_orders import read_merge_orders

_DISTRICT_ENDS = ("省", "市", "区", "县")


def gather_facilities(
    tables: Sequence[tuple[str, gpd.GeoDataFrame]],
    from_osm: gpd.GeoDataFrame | None,
    units: Units | None,
    homes: Homes,
    crs: str,
    policy: Policy,
    merges: Path | None = None,
) -> tuple[gpd.GeoDataFrame, tuple[SamePlace, ...], tuple[UnitRow, ...], tuple[Warn, ...]]:
    """All facilities in one frame (metric CRS), and what was noticed on the way.

    Parameters
    ----------
    tables : name of the file and its rows, in the order in which they win; they win over OSM.
    units : None where no units were given: then nothing is looked up.
    merges : a file of decisions (`lifecircle.analysis.readers.tables.merge_orders`).

    Raises
    ------
    InputError : rows that cannot be placed, of every table; decisions that name no row.
    """
    orders = MergeOrders()
    if merges is not None:
        same, apart = read_merge_orders(merges)
        orders = MergeOrders(Path(merges).name, same, apart)
    faults: list[Fault] = []
    frames: list[gpd.GeoDataFrame] = []
    notes: list[UnitRow] = []
    remarks: list[Warn] = []
    for file, frame in _told_apart(tables):
        try:
            found = _found(frame, file, units, homes, crs)
        except InputError as error:
            faults.extend(error.faults)
            continue
        frames.append(found[0])
        notes += found[1]
        remarks += found[2]
    if faults:
        raise InputError(faults)
    if from_osm is not None:
        frames.append(from_osm)
    places = () if units is None else [n for n in units.name if str(n).endswith(_DISTRICT_ENDS)]
    merged, same_places, more = merge_facilities(frames, crs, policy, orders, places)
    return merged, same_places, tuple(notes), (*remarks, *more)


def _told_apart(
    tables: Sequence[tuple[str, gpd.GeoDataFrame]],
) -> list[tuple[str, gpd.GeoDataFrame]]:
    """Ids that stand in several files get the file's name in front, so that each names one row."""
    often = Counter(str(one) for _, frame in tables for one in set(texts(frame["id"])))
    stems = Counter(Path(file).stem for file, _ in tables)
    out = []
    for number, (file, frame) in enumerate(tables, start=1):
        stem = Path(file).stem
        label = stem if stems[stem] == 1 else f"{stem}({number})"
        ids = [f"{label}:{one}" if often[str(one)] > 1 else one for one in texts(frame["id"])]
        out.append((file, frame.assign(id=pd.Series(ids, index=frame.index, dtype=object))))
    return out


def _found(
    frame: gpd.GeoDataFrame, file: str, units: Units | None, homes: Homes, crs: str
) -> tuple[gpd.GeoDataFrame, tuple[UnitRow, ...], tuple[Warn, ...]]:
    if units is not None:
        return find_units(frame, file, units, homes, crs)
    placeless = frame.geometry.isna()
    if placeless.any():
        raise InputError(
            [
                Fault("facility_without_units", file, row=int(row))
                for row in frame.loc[placeless, ROW]
            ]
        )
    return frame.drop(columns=ROW, errors="ignore"), (), ()
