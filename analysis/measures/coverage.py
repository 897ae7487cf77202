"""Coverage in the readings U, P, L, and C where catchments are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.catchments.catchments import Catchments
from lifecircle.analysis.measures.catchments.kept import catchments_behind
from lifecircle.analysis.measures.question import (
    TOTAL,
    Asked,
    Question,
    Study,
    Walks,
    ask,
    covered,
    level_of,
    named,
    not_assessed,
    persons_of,
    resting_on,
    settle,
    sums_by,
    unknown_units,
    walks_to,
)
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
    """Coverage of one unit (or the area): persons and fractions 0-1, None = not computable."""

    code: str
    name: str
    name_en: str | None
    residents: int | None
    covered: int | None
    unsnapped: int | None
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
    covered: IntArray
    core: IntArray
    unsnapped: IntArray
    cut_off: IntArray


@dataclass(frozen=True, slots=True)
class _Figures:
    """What rows are made of, per unit (k,); None where a reading is not known for any of them."""

    persons: _Persons
    unknown: BoolArray
    having: FloatArray | None
    land: FloatArray | None
    served: IntArray | None
    assessed: bool
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
    per_unit = _count(city, walks, asked, policy, persons, index, size)
    in_area = _count(city, walks, asked, policy, persons, everyone, 1)
    served, no_c = served_within(catchments, asked, group)
    per_c = [] if served is None else [sums_by(i, n, served) for i, n in (
        (index, size), (everyone, 1))]  # fmt: skip
    has_core = asked.minutes == policy.coverage.core_minutes.value
    land_unit, land_area = _land(city, walks, asked, level, size)
    own, children = _having(city, service, size) if walks is not None else (None, None)

    judged = {"assessed": walks is not None, "has_core": has_core}
    figures = _Figures(
        per_unit, unknown, children, land_unit, None if served is None else per_c[0], **judged
    )
    units = tuple(
        _row(str(city.units.code[i]), str(city.units.name[i]), city.units.name_en[i], figures, i)
        for i in rows.tolist()
    )
    nobody_known = not city.cells.counted or (len(city.cells) == 0 and bool(unknown[rows].any()))
    whole = _Figures(
        in_area,
        np.array([nobody_known]),
        None if own is None or len(rows) == 0 else np.array([own[rows].mean()]),
        None if land_area is None else np.array([land_area]),
        None if served is None else per_c[1],
        **judged,
    )
    total = _row(TOTAL, TOTAL, None, whole, 0)
    warnings = (
        *resting_on(city),
        *_reading_remarks(policy, asked, walks, no_c if city.cells.counted else None, catchments),
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


def _count(
    city: City,
    walks: Walks | None,
    asked: Asked,
    policy: Policy,
    persons: IntArray,
    index: Int32Array,
    size: int,
) -> _Persons:
    """Persons per unit; known = covered + not covered is checked, not assumed."""
    off = city.cells.position.edge == NOBODY
    if walks is None:
        nothing = np.zeros(size, dtype=np.int64)
        return _Persons(
            sums_by(index, size, persons),
            nothing,
            nothing,
            sums_by(index, size, persons, off),
            nothing,
        )
    near = covered(walks.cell_cm, city.cells.position, asked.limit_cm)
    lost = ~off & (walks.cell_cm == UNREACHED_CM) & walks.any_facility
    core_cm = round(policy.coverage.core_metres.value * CM_PER_M)
    known = sums_by(index, size, persons)
    reached = sums_by(index, size, persons, near)
    if not np.array_equal(known, reached + sums_by(index, size, persons, ~near)):
        raise ArithmeticError("known residents differ from covered plus not covered")
    return _Persons(
        known,
        reached,
        sums_by(index, size, persons, covered(walks.cell_cm, city.cells.position, core_cm)),
        sums_by(index, size, persons, off),
        sums_by(index, size, persons, lost),
    )


def _land(
    city: City, walks: Walks | None, asked: Asked, level: str, size: int
) -> tuple[FloatArray | None, float | None]:
    """Share of the residential land within reach per unit (NaN without land) and in the area."""
    if city.land is None or walks is None or len(city.land.area_m2) == 0:
        return None, None
    area = city.land.area_m2
    near = covered(walks.land_cm, city.land.position, asked.limit_cm)
    inside = city.land.unit[level] >= 0
    index = city.land.unit[level]
    whole = np.bincount(index[inside], weights=area[inside], minlength=size)
    within = np.bincount(index[inside & near], weights=area[inside & near], minlength=size)
    share = np.full(size, np.nan)
    np.divide(within, whole, out=share, where=whole > 0)
    total = float(area.sum())
    return share, float(area[near].sum()) / total if total > 0 else None


def _having(city: City, service: str, size: int) -> tuple[BoolArray, FloatArray]:
    """Whether each unit has a facility (k,), and the share of its child units that have (k,).

    A unit without child units counts itself.
    """
    own = np.zeros(size, dtype=np.bool_)
    mine = city.facilities.of_service(service)
    for index in city.facilities.unit.values():
        held = index[mine]
        own[held[held >= 0]] = True
    parent = city.units.parent
    child = parent >= 0
    children = np.bincount(parent[child], minlength=size)
    having = np.bincount(parent[child & own], minlength=size)
    share = own.astype(np.float64)
    np.divide(having, children, out=share, where=children > 0)
    return own, share


def _row(code: str, name: str, name_en: str | None, figures: _Figures, i: int) -> CoverageRow:
    having = None if figures.having is None else float(figures.having[i])
    land = None if figures.land is None else _number(figures.land[i])
    served = None if figures.served is None else int(figures.served[i])
    if figures.unknown[i]:
        return CoverageRow(
            code, name, name_en, None, None, None, None, having, None, None, land, None
        )
    persons, assessed = figures.persons, figures.assessed
    known = int(persons.known[i])
    judged = assessed and known > 0
    if served is not None and served > int(persons.covered[i]):
        raise ArithmeticError("more residents are served than reach a facility: C above P")
    return CoverageRow(
        code,
        name,
        name_en,
        residents=known,
        covered=int(persons.covered[i]) if assessed else None,
        unsnapped=int(persons.unsnapped[i]),
        cut_off=int(persons.cut_off[i]) if assessed else None,
        U=having,
        P=int(persons.covered[i]) / known if judged else None,
        P_core=int(persons.core[i]) / known if judged and figures.has_core else None,
        L=land,
        C=served / known if judged and served is not None else None,
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
    missing = rows[unknown[rows]]
    if len(missing):
        yield Warn(
            "coverage_residents_unknown",
            {"count": len(missing), "units": named(city.units, missing)},
        )
    empty = rows[~unknown[rows] & (known[rows] == 0)]
    if len(empty):
        yield Warn(
            "coverage_no_residents", {"count": len(empty), "units": named(city.units, empty)}
        )
    outside = city.cells.unit[level] < 0
    if outside.any():
        yield Warn(
            "coverage_outside_units",
            {"cells": int(outside.sum()), "residents": int(persons[outside].sum())},
        )
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
