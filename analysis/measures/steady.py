"""What of a coverage is the same however many minutes are asked: made once, summed per unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.question import Study, covered, walks_to
from lifecircle.analysis.measures.remarks import named, outside_units, units_unknown
from lifecircle.analysis.measures.residents import persons_of, unknown_units
from lifecircle.analysis.measures.unsnapped import near_short_piece
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    UNREACHED_CM,
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
)


@dataclass(frozen=True, slots=True)
class Sums:
    """How persons of a group are summed: per unit (k,) of a level, and in the area.

    `place` int64 (c,): the unit of each cell, 1 more, 0 outside all, one array for all groups of a
    level; `persons` int64 (c,), those of the city; `weights` float64 (c,), the same as numpy sums
    them, one array for all levels.
    """

    place: IntArray
    persons: IntArray
    weights: FloatArray
    size: int

    @classmethod
    def of(cls, study: Study, level: str, group: str) -> Sums:
        """Of a level of units and a group of residents."""
        cells = study.city.cells
        persons = persons_of(cells, group)
        place = study.recent("places", 16)(level, lambda: cells.unit[level].astype(np.int64) + 1)
        weights = study.recent("weights", 16)(group, lambda: persons.astype(np.float64))
        return cls(place, persons, weights, len(study.city.units.code))

    def per_unit(self, chosen: BoolArray) -> IntArray:
        """Persons of the chosen cells per unit: exact (whole numbers below 2**53)."""
        summed = np.bincount(self.place, weights=self.weights * chosen, minlength=self.size + 1)
        return summed[1:].astype(np.int64)

    def both(self, chosen: BoolArray) -> IntArray:
        """The same per unit, and of all of them in the last place, int64 (k + 1,)."""
        return np.append(self.per_unit(chosen), self.persons[chosen].sum())


@dataclass(frozen=True, slots=True)
class Lasting:
    """What is the same however many minutes are asked: persons per unit and in all (k + 1,).

    Cells (c,) are `judged`, and of these `open_` that are on the streets; without walks none is
    judged, and `unsnapped` are all that are off the streets. `having`: reading U, None where the
    service is not assessed; `sums` by which persons are counted, `rows` of the units told.
    """

    rows: Int32Array
    sums: Sums
    judged: BoolArray
    open_: BoolArray
    known: IntArray
    assessed: IntArray
    core: IntArray
    unsnapped: IntArray
    short_piece: IntArray
    cut_off: IntArray
    unknown: BoolArray
    having: FloatArray | None
    remarks: tuple[Warn, ...]


@dataclass(frozen=True, slots=True)
class Land:
    """The residential land that is judged: `place` int32 (s,) as in `Sums`, `open_` to walks.

    `area_m2` (s,); per unit (k,) and in all, m²: `whole`, `total`.
    """

    area_m2: FloatArray
    place: Int32Array
    open_: BoolArray
    whole: FloatArray
    total: float


def lasting_of(study: Study, service: str, level: str, group: str) -> Lasting:
    """What is the same however many minutes are asked, kept for the questions asked last."""
    return study.recent("coverage", 128)(
        (service, level, group), lambda: _made(study, service, level, group)
    )


def _made(study: Study, service: str, level: str, group: str) -> Lasting:
    city, walks = study.city, walks_to(study, service)
    sums = Sums.of(study, level, group)
    position, unknown = city.cells.position, unknown_units(city, level)
    rows, counted = city.units.of_level(level), city.cells.counted
    nobody = np.zeros(len(city.cells), dtype=np.bool_)
    off, short = position.edge == NOBODY, near_short_piece(study)
    judged = open_ = core = lost = nobody
    if walks is not None:
        judged = study.judged(service).cell
        off, short, open_ = judged & off, judged & short, judged & ~off
        core_cm = round(study.policy.coverage.core_metres.value * CM_PER_M)
        core = judged & covered(walks.cell_cm, position, core_cm)
        lost = open_ & (walks.cell_cm == UNREACHED_CM) & walks.any_facility
    known = sums.both(~nobody)
    nobody_known = not counted or (len(city.cells) == 0 and bool(unknown[rows].any()))
    having = None if walks is None else _having(city, service, study.judged(service).unit, rows)
    return Lasting(
        rows=rows,
        sums=sums,
        judged=judged,
        open_=open_,
        known=known,
        assessed=sums.both(judged),
        core=sums.both(core),
        unsnapped=sums.both(off),
        short_piece=sums.both(short),
        cut_off=sums.both(lost),
        unknown=np.append(unknown, nobody_known),
        having=having,
        remarks=tuple(_unit_remarks(city, level, unknown, known, sums.persons)),
    )


def judged_land(study: Study, service: str, level: str) -> Land:
    """The land that a service is judged of, kept for the levels asked last."""
    own = None if study.judged(service).everywhere else service
    return study.recent("land", 4)((level, own), lambda: _land(study, service, level))


def _land(study: Study, service: str, level: str) -> Land:
    city, judged = study.city, study.judged(service).land
    assert city.land is not None
    area, index, size = city.land.area_m2, city.land.unit[level], len(city.units.code)
    inside = judged & (index >= 0)
    whole = np.bincount(index[inside], weights=area[inside], minlength=size).astype(np.float64)
    open_ = judged & (city.land.position.edge != NOBODY)
    place = (np.asarray(index) + 1).astype(np.int32)
    return Land(np.asarray(area), place, open_, whole, float(area[judged].sum()))


def _own(city: City, service: str) -> BoolArray:
    """Whether each unit has a facility, bool (k,)."""
    own = np.zeros(len(city.units.code), dtype=np.bool_)
    mine = city.facilities.of_service(service)
    for index in city.facilities.unit.values():
        held = index[mine]
        own[held[held >= 0]] = True
    return own


def _having(city: City, service: str, judged: BoolArray, rows: Int32Array) -> FloatArray:
    """The share of each unit's judged child units that have a facility, NaN without any; last
    that of some units (`rows`) altogether (k + 1,).

    A unit without child units counts itself.
    """
    own, parent = _own(city, service), city.units.parent
    size = len(own)
    child = parent >= 0
    children = np.bincount(parent[child & judged], minlength=size)
    having = np.bincount(parent[child & judged & own], minlength=size)
    lowest = np.bincount(parent[child], minlength=size) == 0
    share = np.full(size + 1, np.nan)
    share[:-1] = np.where(lowest & judged, own, np.nan)
    np.divide(having, children, out=share[:-1], where=children > 0)
    asked = own[rows[judged[rows]]]
    share[-1] = asked.mean() if len(asked) else np.nan
    return share


def _unit_remarks(
    city: City,
    level: str,
    unknown: BoolArray,
    known: IntArray,
    persons: IntArray,
) -> Iterator[Warn]:
    """What units lack, and what the total holds that no unit shows."""
    rows = city.units.of_level(level)
    if not city.cells.counted:
        return
    yield from units_unknown(city.units, rows[unknown[rows]])
    empty = rows[~unknown[rows] & (known[rows] == 0)]
    if len(empty):
        yield Warn(
            "coverage_no_residents", {"count": len(empty), "units": named(city.units, empty)}
        )
    yield from outside_units(city, level, persons)
