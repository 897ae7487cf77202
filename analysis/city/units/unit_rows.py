"""Facilities that name their unit: the unit found, and a place for those without coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.analysis.city.frames import texts
from lifecircle.analysis.city.model import StrArray, Units
from lifecircle.analysis.city.notes import UnitRow
from lifecircle.analysis.city.units.unit_match import UnitIndex, UnitMatches, match_remarks
from lifecircle.analysis.errors import Fault, InputError, Warn
from lifecircle.analysis.quantities import FloatArray, Int32Array, IntArray

PLACED = "placed_by_unit"
ROW = "_row"
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Homes:
    """Where the residents of the units live: cells (c) in metres, and the unit of each by level."""

    xy_m: FloatArray
    residents: IntArray
    unit: Mapping[str, Int32Array]

    def place_in(self, units: Units, unit: int) -> shapely.Point:
        """The point that stands for a unit.

        The cell nearest to the middle of its residents; a point inside its polygon where nobody
        is known to live.
        """
        here = np.flatnonzero(self.unit[str(units.level[unit])] == unit)
        people = self.residents[here]
        if people.sum() > 0:
            middle = (self.xy_m[here] * people[:, None]).sum(axis=0) / people.sum()
            lived_in = here[people > 0]
            away = np.hypot(*(self.xy_m[lived_in] - middle).T)
            return shapely.Point(self.xy_m[lived_in[int(np.argmin(away))]])
        inside: shapely.Point = shapely.point_on_surface(units.geometry[unit])
        return inside


def find_units(
    frame: gpd.GeoDataFrame, file: str, units: Units, homes: Homes, crs: str
) -> tuple[gpd.GeoDataFrame, tuple[UnitRow, ...], tuple[Warn, ...]]:
    """A table of facilities with the unit each row names, and a place for rows without one.

    `unit_code` becomes the code of the unit found (an unknown one stays as it was); rows without
    geometry get the point that stands for their unit, and `placed_by_unit` its code.

    Parameters
    ----------
    frame : rows with `unit_code`, `unit_name`, `unit_above` or `address`, all optional; rows
        without geometry have their row number in ``_row``.
    homes, crs : where people live, and the metric CRS of it.

    Raises
    ------
    InputError : rows without coordinates whose unit is not found; every one is named.
    """
    placeless = np.array(frame.geometry.isna(), dtype=np.bool_)
    codes, names = _texts(frame, "unit_code"), _texts(frame, "unit_name")
    above, addresses = _texts(frame, "unit_above"), _texts(frame, "address")
    named = [name or upper for name, upper in zip(names, above, strict=True)]
    within = [upper if name else None for name, upper in zip(names, above, strict=True)]
    only_there = [a if p else None for a, p in zip(addresses, placeless, strict=True)]
    says = [_said(*row) for row in zip(codes, named, only_there, strict=True)]
    if not any(says) and not placeless.any():
        return frame.drop(columns=ROW, errors="ignore"), (), ()
    matches = UnitIndex.of(units).match(codes, named, within, only_there)
    _refuse_lost(frame, file, placeless & ~matches.found, says, matches)
    ids = [str(one) for one in texts(frame["id"])]
    out = frame.drop(columns=ROW, errors="ignore").copy()
    found = _objects(
        [str(units.code[u]) if u >= 0 else c for u, c in zip(matches.unit, codes, strict=True)]
    )
    out["unit_code"] = pd.Series(found, index=out.index, dtype=object)
    remarks = match_remarks(matches, ids)
    if placeless.any():
        out = _placed(out, placeless, matches, units, homes, crs)
        rows = ", ".join(one for one, is_so in zip(ids, placeless, strict=True) if is_so)
        count = int(placeless.sum())
        remarks = (*remarks, Warn("facilities_placed_by_unit", {"count": count, "ids": rows}))
    notes = tuple(
        UnitRow(
            facility=ids[i],
            service=str(frame["service"].iloc[i]),
            named=says[i],
            way=str(matches.way[i]),
            unit_code=str(units.code[matches.unit[i]]) if matches.unit[i] >= 0 else None,
            placed=bool(placeless[i]),
        )
        for i in range(len(frame))
        if says[i] or placeless[i]
    )
    return out, notes, remarks


def _placed(
    frame: gpd.GeoDataFrame,
    placeless: np.ndarray,
    matches: UnitMatches,
    units: Units,
    homes: Homes,
    crs: str,
) -> gpd.GeoDataFrame:
    where = np.flatnonzero(placeless)
    points = [homes.place_in(units, int(matches.unit[i])) for i in where]
    turned = gpd.GeoSeries(points, crs=crs).to_crs(frame.crs)
    shapes = np.array(frame.geometry, dtype=object)
    shapes[where] = np.array(turned, dtype=object)
    mark = _objects([None] * len(frame))
    mark[where] = [str(units.code[matches.unit[i]]) for i in where]
    out = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
    out[PLACED] = pd.Series(mark, index=out.index, dtype=object)
    return out


def _refuse_lost(
    frame: gpd.GeoDataFrame,
    file: str,
    lost: np.ndarray,
    says: Sequence[str],
    matches: UnitMatches,
) -> None:
    faults = [
        Fault(
            f"facility_without_place_{matches.way[i]}",
            file,
            row=int(frame[ROW].iloc[i]) if ROW in frame.columns else None,
            params={"named": says[i]},
        )
        for i in np.flatnonzero(lost).tolist()
    ]
    if faults:
        raise InputError(faults)


def _texts(frame: gpd.GeoDataFrame, column: str) -> list[str | None]:
    if column not in frame.columns:
        return [None] * len(frame)
    return list(texts(frame[column]))


def _said(*words: str | None) -> str:
    return " ".join(word for word in words if word)


def _objects(values: Sequence[str | None]) -> StrArray:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
