"""Gaps: neighbouring cells of one unit whose residents are without, for one reason."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import shapely

from lifecircle.analysis.city.model import City, StrArray
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.gaps.cells import (
    FULL,
    REASONS,
    Bridge,
    Reason,
    Without,
    not_judged,
    who_is_without,
)
from lifecircle.analysis.measures.gaps.street_names import named_street
from lifecircle.analysis.measures.outlines import outline
from lifecircle.analysis.measures.question import (
    WHOLE,
    Asked,
    Question,
    Study,
    Walks,
    ask,
    level_of,
    settle,
    walks_to,
)
from lifecircle.analysis.measures.remarks import not_assessed
from lifecircle.analysis.measures.residents import NOBODY_COUNTED, persons_of, sums_by
from lifecircle.analysis.measures.unsnapped import near_short_piece
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    UNREACHED_CM,
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
    minutes_of,
    read_only,
)

__all__ = ["REASONS", "Bridge", "Gap", "GapsFound", "Reason", "find_gaps", "gap_warnings", "gaps"]


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap; `cells` indexes ``city.cells``.

    `residents` counts the persons of the group that was asked for who are without; of
    `groups` those of whom it is known: where facilities are full only the number of the unserved
    is, and it is empty unless whole cells are. `region`: the id that the connected region has
    when it is not cut at the borders of units. `unit`: index into ``city.units``, None outside
    all, or where `units` is more than one.
    `minutes_to_nearest`: resident-weighted mean of its cells' walks to their nearest facility,
    None where no cell has a way. `nearest_facility`: index into ``city.facilities`` of the
    facility nearest to most of its residents, None when there is none. `edge_of_list`: those of its
    residents who live nearer to the edge of the service's list than the limit is far.
    `short_piece`: those who join no street, but are near a piece too short to join.
    `near`: index of the named place of any service nearest to the cell of most of its residents,
    `near_m` metres away in a straight line.
    `street`: row in ``city.street_names`` of the named street that cell joins, or the nearest.
    `geometry`: polygon(s) in the city's metric CRS.
    """

    id: str
    region: str
    service: str
    residents: int
    groups: Mapping[str, int]
    minutes_to_nearest: float | None
    nearest_facility: int | None
    near: int | None
    near_m: float | None
    street: int | None
    reason: Reason
    unit: int | None
    units: int
    unit_code: str | None
    unit_name: str | None
    edge_of_list: int
    short_piece: int
    cells: Int32Array
    geometry: shapely.Geometry


@dataclass(frozen=True, slots=True)
class GapsFound:
    """The gaps of one service and the sums they must add up to."""

    gaps: tuple[Gap, ...]
    bridge: Bridge


def gaps(
    study: Study,
    question: Question,
    *,
    min_residents: int = 0,
    drawn: dict[bytes, shapely.Geometry] | None = None,
) -> tuple[Gap, ...]:
    """Gaps of one service, most residents first; walks in minutes, polygons in the city's CRS.

    Uncovered cells with residents are linked when their attachment points lie within the
    policy's `link_m` on one component, for one reason and in one unit; cells off the streets are
    linked by their own points. Units are those of the default level and the one beside it, of
    the level ``question.by``, or none at all (``by="none"``).
    A service that is not assessed has no gaps (see `gap_warnings`). Residents in reach whom no
    facility has room for (`balanced` catchments) make gaps of their own after all others,
    `over_capacity`; a cell served in part counts with its unserved residents only.

    Parameters
    ----------
    drawn : outlines by their cells, filled here: hand the same one to all questions about one
        city under one policy, and what many services lack together is joined once.

    Raises
    ------
    UnknownNameError : no such service, walker, group or level.
    ParameterError : minutes not above 0 or beyond a day, or `min_residents` below 0.

    Examples
    --------
    >>> import lifecircle as lc
    >>> found = lc.gaps(lc.tiny_town().study, lc.Question("health_centre"))
    >>> [(gap.residents, gap.reason, gap.unit_code) for gap in found[:1]]
    [(100, 'too_far', 'E')]
    """
    return find_gaps(study, question, min_residents=min_residents, drawn=drawn).gaps


def find_gaps(
    study: Study,
    question: Question,
    *,
    min_residents: int = 0,
    drawn: dict[bytes, shapely.Geometry] | None = None,
) -> GapsFound:
    """As `gaps`, with the sums of all residents without, those of left out gaps too."""
    question = settle(study, question)
    city, group = study.city, question.group
    asked = ask(study, question)
    persons = persons_of(city.cells, group)
    if question.by not in (None, WHOLE):
        level_of(city, question.by)
    if min_residents < 0:
        raise ParameterError("min_residents_negative", value=min_residents)
    walks = walks_to(study, asked.service.id)
    if walks is None or not city.cells.counted:
        return GapsFound((), not_judged(asked, persons if city.cells.counted else None))
    without, bridge = who_is_without(study, question, walks)
    if without is None:
        return GapsFound((), bridge)
    found = _found(study, question, walks, without, min_residents, {} if drawn is None else drawn)
    return GapsFound(tuple(sorted(found, key=worst_first)), bridge)


def worst_first(gap: Gap) -> tuple[bool, int, str]:
    """Most residents first; where facilities are full comes after all others."""
    return gap.reason == FULL, -gap.residents, gap.id


def gap_warnings(study: Study, question: Question) -> tuple[Warn, ...]:
    """Why a service shows no gaps although nothing is known about it."""
    service = ask(study, question).service
    if not study.city.cells.counted:
        return (NOBODY_COUNTED,)
    return () if study.city.assessed(service.id) else (not_assessed(service),)


@dataclass(frozen=True, slots=True)
class _Sums:
    """What can be counted of all gaps at once, by label (g,)."""

    start: IntArray
    residents: IntArray
    groups: Mapping[str, IntArray]
    minutes: FloatArray
    nearest: Int32Array
    near: Int32Array
    near_m: FloatArray
    street: Int32Array
    unit: Int32Array
    units: IntArray
    edge: IntArray
    short: IntArray
    lowest: tuple[str, ...]
    region: tuple[str, ...]

    def rows(self, city: City) -> list[_Row]:
        """What is said of each gap (g,) as plain values."""
        columns = (
            self.residents.tolist(),
            map(_number, self.minutes.tolist()),
            map(_index, self.nearest.tolist()),
            map(_index, self.near.tolist()),
            map(_number, self.near_m.tolist()),
            map(_index, self.street.tolist()),
            map(_index, self.unit.tolist()),
            self.units.tolist(),
            _texts(city.units.code, self.unit),
            _texts(city.units.name, self.unit),
            self.edge.tolist(),
            self.short.tolist(),
        )
        return list(map(_Row, *columns))


class _Row(NamedTuple):
    """The sums of one gap, None where there is none."""

    residents: int
    minutes: float | None
    nearest: int | None
    near: int | None
    near_m: float | None
    street: int | None
    unit: int | None
    units: int
    unit_code: str | None
    unit_name: str | None
    edge: int
    short: int


def _sums(study: Study, asked: Asked, walks: Walks, without: Without) -> _Sums:
    """Sums, means and names of every gap; `minutes` is NaN where no cell has a way."""
    city = study.city
    cell, label = without.cell, without.label
    start = np.searchsorted(label, np.arange(int(label[-1]) + 2))
    size = len(start) - 1
    weight = without.persons[cell]
    cm = walks.cell_cm[cell]
    way = cm != UNREACHED_CM
    walked = minutes_of(cm[way], asked.walker.speed_m_per_s) * weight[way]
    walkers = sums_by(label[way], size, weight[way])
    minutes = np.full(size, np.nan)
    total = np.bincount(label[way], weights=walked, minlength=size)
    np.divide(total, walkers, out=minutes, where=walkers > 0)
    fullest = cell[np.lexsort((cell, -weight, label))[start[:-1]]]
    near, near_m = study.nearest_landmark(fullest)
    unit, units = _units_of(without.unit[cell], label, size)
    names, rank = study.cell_names
    lowest = np.minimum.reduceat(rank[cell], start[:-1])
    region = without.region[start[:-1]]
    first = np.full(int(region.max()) + 1, len(names))
    np.minimum.at(first, region, lowest)
    return _Sums(
        start,
        sums_by(label, size, weight),
        {
            name: sums_by(label, size, count.value[cell])
            for name, count in city.cells.groups.items()
        },
        minutes,
        _most(label[way], size, walks.cell_facility[cell][way], weight[way]),
        near,
        near_m,
        named_street(study, fullest),
        unit,
        units,
        sums_by(label, size, weight, _at_edge(study, asked)[cell]),
        sums_by(label, size, weight, near_short_piece(study)[cell]),
        tuple(names[lowest].tolist()),
        tuple(names[first[region]].tolist()),
    )


def _at_edge(study: Study, asked: Asked) -> BoolArray:
    """Which cells (c,) live nearer to the edge of the service's list than the limit is far."""
    at: BoolArray = study.judged(asked.service.id).edge_m * CM_PER_M < asked.limit_cm
    return at


def _units_of(unit: Int32Array, label: Int32Array, size: int) -> tuple[Int32Array, IntArray]:
    """The unit of each gap, int32 (size,), NOBODY where it is not one, and how many there are."""
    inside = unit != NOBODY
    span = int(unit.max(initial=0)) + 1
    gap, held = np.divmod(np.unique(label[inside].astype(np.int64) * span + unit[inside]), span)
    units = np.bincount(gap, minlength=size)
    one = np.full(size, NOBODY, dtype=np.int32)
    one[gap] = held
    one[units != 1] = NOBODY
    return one, units


def _found(
    study: Study,
    question: Question,
    walks: Walks,
    without: Without,
    min_residents: int,
    drawn: dict[bytes, shapely.Geometry],
) -> list[Gap]:
    """The gaps of labelled cells; what can be counted for all of them at once is."""
    city, asked = study.city, ask(study, question)
    sums = _sums(study, asked, walks, without)
    by = question.by if question.by not in (None, study.default_level) else ""
    radius_m = study.policy.gaps.disc_radius_m.value
    rows = sums.rows(city)
    groups = {name: each.tolist() for name, each in sums.groups.items()}
    id_of = _Ids(asked, question.group)
    regions: dict[str, str] = {}  # one holds many gaps
    start = sums.start.tolist()
    read_only(without.cell)
    persons = persons_of(city.cells, question.group)
    found = []
    for i in np.flatnonzero(sums.residents >= min_residents).tolist():
        cells = without.cell[start[i] : start[i + 1]]
        as_key = cells.tobytes()
        shape = drawn.get(as_key)
        if shape is None:
            shape = drawn[as_key] = outline(city.cells, cells, radius_m)
        region = regions.get(sums.region[i])
        if region is None:
            region = regions[sums.region[i]] = id_of(sums.region[i], WHOLE)
        reason = REASONS[without.reason[cells[0]]]
        whole = reason != FULL or np.array_equal(persons[cells], without.persons[cells])
        row = rows[i]
        found.append(
            Gap(
                id=id_of(sums.lowest[i], by),
                region=region,
                service=asked.service.id,
                residents=row.residents,
                groups=MappingProxyType(
                    {name: each[i] for name, each in groups.items()} if whole else {}
                ),
                minutes_to_nearest=row.minutes,
                nearest_facility=row.nearest,
                street=row.street,
                near=row.near,
                near_m=row.near_m,
                reason=reason,
                unit=row.unit,
                units=row.units,
                unit_code=row.unit_code,
                unit_name=row.unit_name,
                edge_of_list=0 if reason == FULL else row.edge,
                short_piece=row.short,
                cells=cells,
                geometry=shape,
            )
        )
    return found


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _index(value: int) -> int | None:
    return None if value == NOBODY else value


def _texts(table: StrArray, index: Int32Array) -> list[str | None]:
    """``table[index]`` as texts, None where the index is NOBODY."""
    known = [*map(str, table), None]  # NOBODY is the last
    return [known[i] for i in index.tolist()]


def _most(label: Int32Array, size: int, index: Int32Array, weight: IntArray) -> Int32Array:
    """Per group the index most persons share (the lowest on a tie), int32 (size,).

    NOBODY where that is nothing, or where a group has no member.
    """
    most = np.full(size, NOBODY, dtype=np.int32)
    if len(index) == 0:
        return most
    span = int(index.max()) - NOBODY + 1
    keys, inverse = np.unique(label.astype(np.int64) * span + (index - NOBODY), return_inverse=True)
    persons = np.bincount(inverse.ravel(), weights=weight)
    owner, value = np.divmod(keys, span)
    best = np.lexsort((value, -persons, owner))
    owners, first = np.unique(owner[best], return_index=True)
    most[owners] = value[best][first] + NOBODY
    return most


class _Ids:
    """Short names of gaps: the same question about the same cells gives the same one."""

    def __init__(self, asked: Asked, group: str) -> None:
        self._service = asked.service.id
        text = f"{asked.service.id}|{asked.walker.id}|{asked.minutes:.6f}|{group}|"
        self._asked = hashlib.sha256(text.encode())

    def __call__(self, lowest_cell: str, by: str) -> str:
        name = self._asked.copy()
        name.update((f"{lowest_cell}|{by}" if by else lowest_cell).encode())
        return f"{self._service}-{name.hexdigest()[:10]}"
