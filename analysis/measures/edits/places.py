"""Facilities that open, close and change: rows of the city's table, in the order a build has."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, cast

import numpy as np
import shapely

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.facilities.ids import distinct_ids
from lifecircle.analysis.city.model import City, Facilities
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.city.units.units import assign_units
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.edits.attributes import column_of, is_open
from lifecircle.analysis.measures.edits.model import AddFacility, ChangeFacility, RemoveFacility
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import NOBODY, Int32Array, IntArray, read_only

PlaceEdit = AddFacility | RemoveFacility | ChangeFacility
SOURCE = "edit"
_ROWS: Final = "facility_rows_by_id"


@dataclass(frozen=True, slots=True)
class Placed:
    """The city after its facilities changed.

    `before` int32 (f,): which facility each one was, -1 = a new one. `moved`: services whose
    walks may differ; `told`: services of which only attributes changed.
    """

    city: City
    before: Int32Array
    moved: frozenset[str]
    told: frozenset[str]
    warnings: tuple[Warn, ...]


def rows_by_id(study: Study) -> Mapping[str, int]:
    """Rows of the facilities of a study by their ids, made once."""
    if _ROWS not in study.kept:
        ids = distinct_ids(study.city.facilities)
        study.kept[_ROWS] = {name: row for row, name in enumerate(ids)}
    return cast(Mapping[str, int], study.kept[_ROWS])


def edit_places(
    city: City,
    edits: Sequence[tuple[int, PlaceEdit]],
    named: Mapping[str, int],
    index: EdgeIndex,
    max_leg_m: float,
) -> Placed:
    """The city after some of its facilities opened, closed or changed.

    A service that was assessed stays so when its last place closes: that there is none is known.

    Parameters
    ----------
    named : rows of the facilities by their ids, as `rows_by_id` has them.
    """
    places = city.facilities
    added: dict[str, AddFacility] = {}
    changes: dict[str, dict[str, Any]] = {}
    gone: set[str] = set()
    said: list[Warn] = []
    for number, edit in edits:
        if isinstance(edit, AddFacility):
            added[edit.id] = edit
            changes[edit.id] = dict(edit.attributes)
        elif isinstance(edit, RemoveFacility):
            gone.add(edit.id)
        else:
            changes[edit.id] = {**changes.get(edit.id, {}), **edit.attributes}
        if not isinstance(edit, RemoveFacility) and not is_open(changes[edit.id]):
            gone.add(edit.id)
            said.append(Warn("edit_not_open", {"edit": number, "id": edit.id}))
    fresh = [one for one in added.values() if one.id not in gone]
    moved = {one.service for one in fresh}
    shut = {places.service_ids[places.service[named[one]]] for one in gone if one in named}
    told = {places.service_ids[places.service[named[one]]] for one in changes if one in named}
    keep = np.ones(len(places), dtype=np.bool_)
    keep[[named[one] for one in gone if one in named]] = False
    old = {named[one]: held for one, held in changes.items() if one in named}
    table, before = _rebuilt(city, keep, old, fresh, changes)
    known = frozenset(service for service in shut if city.assessed(service))
    table, loose = _attached(
        table, before, index, max_leg_m,
        {one.id: one.position for one in fresh if one.position is not None},
    )  # fmt: skip
    said += [Warn("edit_facility_unsnapped", {"id": one, "metres": max_leg_m}) for one in loose]
    after = replace(city, facilities=table, surveyed=city.surveyed | known)
    return Placed(after, before, frozenset(moved | shut), frozenset(told - shut), tuple(said))


def _rebuilt(
    city: City,
    keep: np.ndarray,
    changed: Mapping[int, Mapping[str, Any]],
    fresh: Sequence[AddFacility],
    attributes: Mapping[str, Mapping[str, Any]],
) -> tuple[Facilities, Int32Array]:
    """The table with rows left out, changed and set in; the new ones join no street yet."""
    places, crs = city.facilities, city.crs
    ids = places.service_ids
    ids = (*ids, *dict.fromkeys(one.service for one in fresh if one.service not in ids))
    number = {service: k for k, service in enumerate(ids)}
    lonlat = np.array([(one.lon, one.lat) for one in fresh]).reshape(-1, 2)
    xy_m = to_metric(lonlat, crs)
    rows = np.concatenate((np.flatnonzero(keep), np.full(len(fresh), NOBODY)))
    service = np.concatenate(
        (places.service[keep], np.array([number[one.service] for one in fresh], dtype=np.int32))
    ).astype(np.int32)
    called = np.concatenate((places.id[keep], _texts(one.id for one in fresh)))
    order = _order(service, called, int(keep.sum()))
    before = rows[order].astype(np.int32)
    new = np.flatnonzero(before == NOBODY).tolist()
    at = {fresh[int(order[row]) - int(keep.sum())].id: row for row in new}
    given = {at[one.id]: attributes[one.id] for one in fresh}
    for old, held in changed.items():
        given |= dict.fromkeys(np.flatnonzero(before == old).tolist(), held)
    units = assign_units(xy_m, city.units) if len(fresh) else {}

    def column(old: np.ndarray, new: Iterable[Any]) -> np.ndarray:
        return np.concatenate((old[keep], _texts(new)))[order]

    table = Facilities(
        id=called[order],
        service_ids=ids,
        service=service[order],
        name=column(places.name, (one.name for one in fresh)),
        geometry=column(places.geometry, list(map(shapely.Point, xy_m.tolist()))),
        source=column(places.source, (SOURCE for _ in fresh)),
        attributes=_Columns(places, before, given),
        unit=MappingProxyType(
            {
                level: np.concatenate((held[keep], units[level]))[order] if fresh
                else held[keep][order]
                for level, held in places.unit.items()
            }
        ),
        attached_facility=places.attached_facility,
        attachment=places.attachment,
    )  # fmt: skip
    read_only(table.service)
    read_only(before)
    return table, before


def _order(service: Int32Array, called: np.ndarray, kept: int) -> IntArray:
    """The order by service and id of rows of which the first `kept` are in it already."""
    order = list(range(kept))
    for k in range(kept, len(called)):
        key = (int(service[k]), str(called[k]))
        order.insert(bisect(order, key, key=lambda row: (int(service[row]), str(called[row]))), k)
    return np.array(order, dtype=np.int64)


class _Columns(Mapping[str, np.ndarray]):
    """Columns of attributes in the new order, with what edits say; each made when asked for."""

    def __init__(
        self, places: Facilities, before: Int32Array, given: Mapping[int, Mapping[str, Any]]
    ) -> None:
        self._held, self._before, self._given = places.attributes, before, given
        more = (name for values in given.values() for name in values)
        self._names = tuple(dict.fromkeys([*places.attributes, *more]))
        self._made: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._made:
            if name not in self._names:
                raise KeyError(name)
            self._made[name] = self._column(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _column(self, name: str) -> np.ndarray:
        size, old = len(self._before), self._before != NOBODY
        held = np.array(column_of(None, name, size, (), ()))
        if name in self._held:
            held[old] = self._held[name][self._before[old]]
        mine = {row: values[name] for row, values in self._given.items() if name in values}
        return column_of(held, name, size, mine, mine.values())


def _attached(
    table: Facilities,
    before: Int32Array,
    index: EdgeIndex,
    max_leg_m: float,
    places: Mapping[str, Positions],
) -> tuple[Facilities, list[str]]:
    """The table with the positions of its rows, and the new ones that join no street.

    `places`: where new ones join that is known already, by id.
    """
    old = before != NOBODY
    size = max(int(before.max(initial=-1)), int(table.attached_facility.max(initial=-1))) + 1
    row_of = np.full(size, NOBODY, dtype=np.int32)
    row_of[before[old]] = np.flatnonzero(old)
    owner = row_of[table.attached_facility]
    stays = np.flatnonzero(owner != NOBODY)
    rows = np.flatnonzero(~old)
    found = index.snap(shapely.get_coordinates(table.geometry[rows]), max_leg_m)
    known = [places.get(str(table.id[row])) for row in rows]
    for k, position in enumerate(known):
        if position is not None:
            found = found.replaced(np.array([k]), position)
    joins = np.flatnonzero(found.snapped)
    facility = np.concatenate((owner[stays], rows[joins])).astype(np.int32)
    position = Positions.joined((table.attachment.take(stays), found.take(joins)))
    order = np.argsort(facility, kind="stable")
    loose = [str(table.id[row]) for row in rows[~found.snapped]]
    read_only(facility)
    return (
        replace(table, attached_facility=facility[order], attachment=position.take(order)),
        loose,
    )


def _texts(values: Iterable[Any]) -> np.ndarray:
    listed = list(values)
    out = np.empty(len(listed), dtype=np.object_)
    out[:] = listed
    return out
