"""Coverage in the readings U, P, L, and C where catchments are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.catchments.catchments import Catchments
from lifecircle.analysis.measures.catchments.kept import catchments_behind
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import (
    Asked,
    Question,
    Study,
    Walks,
    ask,
    covered,
    level_of,
    settle,
    walks_to,
)
from lifecircle.analysis.measures.remarks import (
    list_remarks,
    named,
    not_assessed,
    outside_units,
    resting_on,
    units_unknown,
)
from lifecircle.analysis.measures.residents import persons_of, sums_by, unknown_units
from lifecircle.analysis.measures.unsnapped import near_short_piece
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    UNREACHED_CM,
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
)
from lifecircle.analysis.texts import named_group


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """Coverage of one unit (or the area): persons and fractions 0-1, None = not computable.

    ``residents = covered + not_covered + not_assessed``, a None counting nothing; `not_assessed`
    live where the list of the service does not reach. The fractions are of those assessed.
    `unsnapped_short_piece`: of `unsnapped` those near a piece of streets too short to join, the
    others are near none. `edge_of_list`: not covered, but nearer to the edge of the list than the
    limit is far.
    """

    code: str
    name: str
    name_en: str | None
    residents: int | None
    covered: int | None
    not_covered: int | None
    not_assessed: int | None
    edge_of_list: int | None
    unsnapped: int | None
    unsnapped_short_piece: int | None
    cut_off: int | None
    U: float | None
    P: float | None
    P_core: float | None
    L: float | None
    C: float | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage of one service: the parameters, the total, one row per unit, the warnings."""

    service: str
    minutes: float
    walker: str
    group: str
    by: str
    total: CoverageRow
    units: tuple[CoverageRow, ...]
    warnings: tuple[Warn, ...]


@dataclass(frozen=True, slots=True)
class _Persons:
    """Persons per unit (k,) and in the area, by what happens to them."""

    known: IntArray
    assessed: IntArray
    covered: IntArray
    core: IntArray
    unsnapped: IntArray
    short_piece: IntArray
    cut_off: IntArray
    edge: IntArray


@dataclass(frozen=True, slots=True)
class _Figures:
    """What rows are made of, per unit (k,); None where a reading is not known for any of them."""

    persons: _Persons
    unknown: BoolArray
    having: FloatArray | None
    land: FloatArray | None
    served: IntArray | None
    has_core: bool


def coverage(study: Study, question: Question, *, capacity: bool = True) -> Coverage:
    """Coverage of one service as fractions 0-1, for the area and every unit of a level.

    C is null where the service has no rule of capacity, where catchments serve another group of
    residents, or where nothing is known of capacities (`served_within`); and without `capacity`,
    which spares whoever needs no C the catchments.

    Raises
    ------
    UnknownNameError : no such service, walker, group or level.
    ParameterError : minutes not above 0 or beyond a day.

    Examples
    --------
    >>> import lifecircle as lc
    >>> found = lc.coverage(lc.tiny_town().study, lc.Question("health_centre", minutes=10))
    >>> found.total.covered, found.total.residents
    (500, 900)

    Source
    ------
    GB 50180-2018, 3.0.4 (walking time); the readings U, P, L, C are defined in the documentation.
    """
    question = settle(study, question)
    city, policy, group = study.city, study.policy, question.group
    asked = ask(study, question)
    service = asked.service.id
    level = level_of(city, question.by)
    persons = persons_of(city.cells, group)
    walks = walks_to(study, service)
    catchments = catchments_behind(study, question) if capacity else None
    rows = city.units.of_level(level)
    size = len(city.units.code)
    index = city.cells.unit[level]
    unknown = unknown_units(city, level)

    everyone = np.zeros(len(city.cells), dtype=np.int32)
    fate = _fate(study, asked, walks)
    per_unit = _count(fate, persons, index, size)
    in_area = _count(fate, persons, everyone, 1)
    served, no_c = served_within(catchments, asked, group)
    per_c = [] if served is None else [sums_by(i, n, served, fate.judged) for i, n in (
        (index, size), (everyone, 1))]  # fmt: skip
    has_core = asked.minutes == policy.coverage.core_minutes.value
    judged = study.judged(service)
    land_unit, land_area = _land(city, walks, asked, level, judged.land)
    having = _having(city, service, judged.unit) if walks is not None else None
    figures = _Figures(
        per_unit, unknown, having, land_unit, None if served is None else per_c[0], has_core
    )
    units = tuple(
        _row(str(city.units.code[i]), str(city.units.name[i]), city.units.name_en[i], figures, i)
        for i in rows.tolist()
    )
    nobody_known = not city.cells.counted or (len(city.cells) == 0 and bool(unknown[rows].any()))
    whole = _Figures(
        in_area,
        np.array([nobody_known]),
        None if walks is None else _having_in_all(city, service, rows[judged.unit[rows]]),
        None if land_area is None else np.array([land_area]),
        None if served is None else per_c[1],
        has_core,
    )
    total = _row(TOTAL, TOTAL, None, whole, 0)
    warnings = (
        *resting_on(city),
        *_reading_remarks(policy, asked, walks, no_c if city.cells.counted else None, catchments),
        *list_remarks(study, asked.service, group, total.edge_of_list),
        *_unit_remarks(city, level, unknown, per_unit.known, persons, land_unit),
    )
    return Coverage(service, asked.minutes, asked.walker.id, group, level, total, units, warnings)


def served_within(
    catchments: Catchments | None, asked: Asked, group: str
) -> tuple[IntArray | None, Warn | None]:
    """Persons of every cell served within capacity, int64 (c,), or why that is not known."""
    if catchments is None:
        return None, Warn("coverage_no_catchments")
    if not catchments.assessed:
        return None, Warn("coverage_capacity_unknown")
    if catchments.group != group:
        return None, Warn("coverage_other_group", {"group": named_group(catchments.group)})
    same = (catchments.service, catchments.minutes, catchments.walker) == (
        asked.service.id, asked.minutes, asked.walker.id)  # fmt: skip
    if not same or catchments.closed or catchments.whole or catchments.estimates:
        return None, Warn("coverage_other_catchments")
    part = catchments.balanced.part
    served = np.zeros(len(part.unserved), dtype=np.int64)
    np.add.at(served, part.cell, part.persons)
    return served, None


@dataclass(frozen=True, slots=True)
class _Fate:
    """What happens to each cell, bool (c,): all but `judged` hold of judged cells only."""

    judged: BoolArray
    covered: BoolArray
    core: BoolArray
    off: BoolArray
    short: BoolArray
    lost: BoolArray
    edge: BoolArray


def _fate(study: Study, asked: Asked, walks: Walks | None) -> _Fate:
    """What happens to each cell; without walks none is judged, and those off the streets are."""
    position, policy = study.city.cells.position, study.policy
    off, short = position.edge == NOBODY, near_short_piece(study)
    nobody = np.zeros(len(off), dtype=np.bool_)
    if walks is None:
        return _Fate(nobody, nobody, nobody, off, short, nobody, nobody)
    judged = study.judged(asked.service.id)
    inside = judged.cell
    near = inside & covered(walks.cell_cm, position, asked.limit_cm)
    core_cm = round(policy.coverage.core_metres.value * CM_PER_M)
    return _Fate(
        inside,
        near,
        inside & covered(walks.cell_cm, position, core_cm),
        inside & off,
        inside & short,
        inside & ~off & (walks.cell_cm == UNREACHED_CM) & walks.any_facility,
        inside & ~near & (judged.edge_m * CM_PER_M < asked.limit_cm),
    )


def _count(fate: _Fate, persons: IntArray, index: Int32Array, size: int) -> _Persons:
    """Persons per unit; that they add up is checked, not assumed."""
    known = sums_by(index, size, persons)
    assessed = sums_by(index, size, persons, fate.judged)
    reached = sums_by(index, size, persons, fate.covered)
    beyond = sums_by(index, size, persons, fate.judged & ~fate.covered)
    aside = sums_by(index, size, persons, ~fate.judged)
    if not np.array_equal(known, reached + beyond + aside):
        raise ArithmeticError("known residents are not covered + not covered + not assessed")
    core, off, short, lost, edge = (
        sums_by(index, size, persons, one)
        for one in (fate.core, fate.off, fate.short, fate.lost, fate.edge)
    )
    return _Persons(known, assessed, reached, core, off, short, lost, edge)


def _land(
    city: City, walks: Walks | None, asked: Asked, level: str, judged: BoolArray
) -> tuple[FloatArray | None, float | None]:
    """Share of the judged residential land within reach, per unit (NaN without) and in all."""
    if city.land is None or walks is None or len(city.land.area_m2) == 0:
        return None, None
    area, size = city.land.area_m2, len(city.units.code)
    near = judged & covered(walks.land_cm, city.land.position, asked.limit_cm)
    index = city.land.unit[level]
    inside = judged & (index >= 0)
    whole = np.bincount(index[inside], weights=area[inside], minlength=size)
    within = np.bincount(index[inside & near], weights=area[inside & near], minlength=size)
    share = np.full(size, np.nan)
    np.divide(within, whole, out=share, where=whole > 0)
    total = float(area[judged].sum())
    return share, float(area[near].sum()) / total if total > 0 else None


def _own(city: City, service: str) -> BoolArray:
    """Whether each unit has a facility, bool (k,)."""
    own = np.zeros(len(city.units.code), dtype=np.bool_)
    mine = city.facilities.of_service(service)
    for index in city.facilities.unit.values():
        held = index[mine]
        own[held[held >= 0]] = True
    return own


def _having(city: City, service: str, judged: BoolArray) -> FloatArray:
    """The share of each unit's judged child units that have a facility (k,), NaN without any.

    A unit without child units counts itself.
    """
    own, parent = _own(city, service), city.units.parent
    size = len(own)
    child = parent >= 0
    children = np.bincount(parent[child & judged], minlength=size)
    having = np.bincount(parent[child & judged & own], minlength=size)
    lowest = np.bincount(parent[child], minlength=size) == 0
    share = np.where(lowest & judged, own, np.nan)
    np.divide(having, children, out=share, where=children > 0)
    return share


def _having_in_all(city: City, service: str, rows: Int32Array) -> FloatArray:
    """The share of some units that have a facility, float64 (1,), NaN without any unit."""
    return np.array([_own(city, service)[rows].mean() if len(rows) else np.nan])


def _row(code: str, name: str, name_en: str | None, figures: _Figures, i: int) -> CoverageRow:
    having = None if figures.having is None else _number(figures.having[i])
    land = None if figures.land is None else _number(figures.land[i])
    if figures.unknown[i]:
        return CoverageRow(code, name, name_en, *(None,) * 8, having, None, None, land, None)
    persons = figures.persons
    known, assessed = int(persons.known[i]), int(persons.assessed[i])
    reached = int(persons.covered[i])
    served = None if figures.served is None else int(figures.served[i])
    if served is not None and served > reached:
        raise ArithmeticError("more residents are served than reach a facility: C above P")
    asked = figures.having is not None
    judged = asked and (assessed > 0 or known == 0)
    return CoverageRow(
        code,
        name,
        name_en,
        residents=known,
        covered=reached if judged else None,
        not_covered=assessed - reached if judged else None,
        not_assessed=known - assessed,
        edge_of_list=int(persons.edge[i]) if judged else None,
        unsnapped=int(persons.unsnapped[i]) if judged or not asked else None,
        unsnapped_short_piece=int(persons.short_piece[i]) if judged or not asked else None,
        cut_off=int(persons.cut_off[i]) if judged else None,
        U=having,
        P=reached / assessed if assessed else None,
        P_core=int(persons.core[i]) / assessed if assessed and figures.has_core else None,
        L=land,
        C=served / assessed if assessed and served is not None else None,
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _reading_remarks(
    policy: Policy,
    asked: Asked,
    walks: Walks | None,
    no_c: Warn | None,
    catchments: Catchments | None,
) -> Iterator[Warn]:
    """Why a reading is null."""
    if walks is None:
        yield not_assessed(asked.service)
    if no_c is not None:
        yield no_c
    elif catchments is not None and catchments.not_offered:
        yield Warn("coverage_capacity_partly_unknown", {"count": len(catchments.not_offered)})
    core = policy.coverage.core_minutes.value
    if asked.minutes != core:
        yield Warn("coverage_core_minutes", {"minutes": f"{core:g}"})


def _unit_remarks(
    city: City,
    level: str,
    unknown: BoolArray,
    known: IntArray,
    persons: IntArray,
    land: FloatArray | None,
) -> Iterator[Warn]:
    """What units lack, and what the total holds that no unit shows."""
    rows = city.units.of_level(level)
    if not city.cells.counted:
        yield from _land_remarks(city, rows, land)
        return
    yield from units_unknown(city.units, rows[unknown[rows]])
    empty = rows[~unknown[rows] & (known[rows] == 0)]
    if len(empty):
        yield Warn(
            "coverage_no_residents", {"count": len(empty), "units": named(city.units, empty)}
        )
    yield from outside_units(city, level, persons)
    yield from _land_remarks(city, rows, land)


def _land_remarks(city: City, rows: Int32Array, land: FloatArray | None) -> Iterator[Warn]:
    """Where reading L is not known."""
    if city.land is None or len(city.land.area_m2) == 0:
        yield Warn("coverage_no_land")
    elif land is not None:
        bare = rows[np.isnan(land[rows])]
        if len(bare):
            yield Warn(
                "coverage_units_without_land",
                {"count": len(bare), "units": named(city.units, bare)},
            )
