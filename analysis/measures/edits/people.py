"""Residents who move in and out: rows of the cells added and taken away, whole persons all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import shapely

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.model import Cells, City, Deferred
from lifecircle.analysis.city.shapes import anchor_xy, keep_polygons
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.city.units.units import assign_units
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.edits.model import AddResidents, RemoveResidents
from lifecircle.analysis.quantities import NOBODY, Counts, Int32Array, IntArray, read_only
from lifecircle.analysis.readers.records.identifiers import order_by_code

PeopleEdit = AddResidents | RemoveResidents


def edit_people(
    city: City, edits: Sequence[tuple[int, PeopleEdit]], index: EdgeIndex, max_leg_m: float
) -> tuple[City, Int32Array, tuple[Warn, ...]]:
    """The city after some people moved, and which cell each of its cells was, -1 = a new one.

    Raises
    ------
    ParameterError : nobody would be left.
    """
    cells, said = city.cells, []
    before = np.arange(len(cells), dtype=np.int32)
    for number, edit in edits:
        if isinstance(edit, AddResidents):
            added = _cell_of(city, edit, index, max_leg_m)
            if not added.position.snapped[0]:
                told = {"edit": number, "residents": edit.residents, "metres": max_leg_m}
                said.append(Warn("edit_residents_unsnapped", told))
            cells = _joined(cells, added)
            before = np.append(before, np.int32(NOBODY))
            continue
        stays = ~_inside(cells, edit, city.crs)
        if stays.all():
            said.append(Warn("edit_nobody_there", {"edit": number}))
        if not stays.any():
            raise ParameterError("edit_nobody_left", edit=number)
        rows = np.flatnonzero(stays)
        cells, before = _taken(cells, rows), before[rows]
    order = _order(cells, before)
    if order is not None:
        cells, before = _taken(cells, order), before[order]
    read_only(before)
    return replace(city, cells=cells), before, tuple(said)


def _order(cells: Cells, before: Int32Array) -> IntArray | None:
    """The order of ids a file of residents would have, where the old cells stand in it."""
    if not (before == NOBODY).any():
        return None
    old = order_by_code(cells.id[before != NOBODY])
    if not np.array_equal(old, np.arange(len(old))):
        return None
    return order_by_code(cells.id)


def _cell_of(city: City, edit: AddResidents, index: EdgeIndex, max_leg_m: float) -> Cells:
    geometry = np.empty(1, dtype=np.object_)
    geometry[0] = shapely.transform(edit.geometry, lambda lonlat: to_metric(lonlat, city.crs))
    xy_m = anchor_xy(geometry)
    name = np.empty(1, dtype=np.object_)
    name[0] = edit.id
    groups = {group: Counts.listed([edit.groups.get(group)]) for group in city.cells.groups}
    return Cells(
        ids=Deferred.of(name),
        xy_m=xy_m,
        outline=Deferred.of(keep_polygons(geometry)),
        residents=np.array([edit.residents], dtype=np.int64),
        groups=groups,
        unit=assign_units(xy_m, city.units),
        modelled=np.zeros(1, dtype=np.bool_),
        position=index.snap(xy_m, max_leg_m),
        counted=city.cells.counted,
    )


def _inside(cells: Cells, edit: RemoveResidents, crs: str) -> np.ndarray:
    """Which cells stand inside an area (its border too), bool (c,)."""
    area = shapely.transform(edit.geometry, lambda lonlat: to_metric(lonlat, crs))
    shapely.prepare(area)
    return np.asarray(shapely.intersects_xy(area, cells.xy_m[:, 0], cells.xy_m[:, 1]))


def _joined(first: Cells, second: Cells) -> Cells:
    return Cells(
        ids=Deferred.of(np.concatenate((first.id, second.id))),
        xy_m=np.vstack((first.xy_m, second.xy_m)),
        outline=Deferred.of(np.concatenate((first.polygon, second.polygon))),
        residents=np.concatenate((first.residents, second.residents)),
        groups=MappingProxyType(
            {name: Counts.joined((held, second.groups[name]))
             for name, held in first.groups.items()}
        ),
        unit=MappingProxyType(
            {level: np.concatenate((held, second.unit[level]))
             for level, held in first.unit.items()}
        ),
        modelled=np.concatenate((first.modelled, second.modelled)),
        position=Positions.joined((first.position, second.position)),
        counted=first.counted,
    )  # fmt: skip


def _taken(cells: Cells, rows: np.ndarray) -> Cells:
    return Cells(
        ids=Deferred.of(cells.id[rows]),
        xy_m=cells.xy_m[rows],
        outline=Deferred.of(cells.polygon[rows]),
        residents=cells.residents[rows],
        groups=MappingProxyType({name: held.take(rows) for name, held in cells.groups.items()}),
        unit=MappingProxyType({level: held[rows] for level, held in cells.unit.items()}),
        modelled=cells.modelled[rows],
        position=cells.position.take(rows),
        counted=cells.counted,
    )
