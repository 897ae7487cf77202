"""Coverage in the readings U, P, L, and C where catchments are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.catchments.catchments import Catchments
from lifecircle.analysis.measures.catchments.kept import catchments_behind, served_within
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import (
    Asked,
    Question,
    Study,
    Walks,
    ask,
    level_of,
    settle,
    walks_to,
)
from lifecircle.analysis.measures.remarks import (
    list_remarks,
    named,
    not_assessed,
    resting_on,
)
from lifecircle.analysis.measures.residents import sums_by
from lifecircle.analysis.measures.steady import Lasting, judged_land, lasting_of
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import (
    CM_PER_M,
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
)


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
class _Figures:
    """What rows are made of, per unit and of all in the last place (k + 1,).

    None where a reading is not known for any of them.
    """

    lasting: Lasting
    covered: IntArray
    edge: IntArray
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
    level = study.default_level if question.by is None else level_of(city, question.by)
    walks = walks_to(study, asked.service.id)
    catchments = catchments_behind(study, question) if capacity else None
    lasting = lasting_of(study, asked.service.id, level, group)
    near, edge = _within(study, asked, walks, lasting)
    served, no_c = served_within(catchments, asked, group)
    figures = _Figures(
        lasting,
        near,
        edge,
        _land(study, walks, asked, level),
        None if served is None else _served(lasting, served),
        asked.minutes == policy.coverage.core_minutes.value,
    )
    total, *units = _rows(city, figures)
    warnings = (
        *resting_on(city),
        *_reading_remarks(policy, asked, walks, no_c if city.cells.counted else None, catchments),
        *list_remarks(study, asked.service, group, total.edge_of_list),
        *lasting.remarks,
        *_land_remarks(city, lasting.rows, figures.land),
    )
    return Coverage(
        asked.service.id,
        asked.minutes,
        asked.walker.id,
        group,
        level,
        total,
        tuple(units),
        warnings,
    )


def _within(
    study: Study, asked: Asked, walks: Walks | None, lasting: Lasting
) -> tuple[IntArray, IntArray]:
    """Persons within the limit, and of the others those nearer to the edge of the list than it.

    That covered, not covered and not assessed add up is checked, not assumed.
    """
    sums, open_ = lasting.sums, lasting.open_
    near = open_ if walks is None else open_ & (walks.cell_cm <= asked.limit_cm)
    reached, beyond = sums.both(near), sums.both(lasting.judged & ~near)
    aside = lasting.known - lasting.assessed
    if not np.array_equal(lasting.known, reached + beyond + aside):
        raise ArithmeticError("known residents are not covered + not covered + not assessed")
    judged = study.judged(asked.service.id)
    if judged.everywhere:
        return reached, np.zeros_like(reached)
    edge = lasting.judged & ~near & (judged.edge_m * CM_PER_M < asked.limit_cm)
    return reached, sums.both(edge)


def _served(lasting: Lasting, served: IntArray) -> IntArray:
    """Persons served of the judged cells, per unit and in all."""
    per_unit = sums_by(lasting.sums.place, lasting.sums.size + 1, served, lasting.judged)[1:]
    return np.append(per_unit, served[lasting.judged].sum())


def _land(study: Study, walks: Walks | None, asked: Asked, level: str) -> FloatArray | None:
    """Share of the judged residential land within reach, per unit and in all (NaN without)."""
    city, service = study.city, asked.service.id
    if city.land is None or walks is None or len(city.land.area_m2) == 0:
        return None
    land = judged_land(study, service, level)
    near = np.flatnonzero(land.open_ & (walks.land_cm <= asked.limit_cm))
    area = land.area_m2[near]
    within = np.bincount(land.place[near], weights=area, minlength=len(land.whole) + 1)[1:]
    share = np.full(len(within) + 1, np.nan)
    np.divide(within, land.whole, out=share[:-1], where=land.whole > 0)
    if land.total > 0:
        share[-1] = float(area.sum()) / land.total
    return share


def _rows(city: City, figures: _Figures) -> list[CoverageRow]:
    """The row of the whole, then those of the units."""
    lasting = figures.lasting
    at = np.concatenate(([-1], lasting.rows))
    units, assessed = city.units, lasting.assessed[at]
    known, reached = lasting.known[at], figures.covered[at]
    if figures.served is not None and bool((figures.served > figures.covered)[at].any()):
        raise ArithmeticError("more residents are served than reach a facility: C above P")
    asked = lasting.having is not None
    told = ~lasting.unknown[at]
    judged = told & asked & ((assessed > 0) | (known == 0))
    shared = told & (assessed > 0)
    streets = judged if asked else told
    nothing = [None] * len(at)
    return [
        CoverageRow(*row)
        for row in zip(
            [TOTAL, *map(str, units.code[lasting.rows])],
            [TOTAL, *map(str, units.name[lasting.rows])],
            [None, *units.name_en[lasting.rows]],
            _where(told, known),
            _where(judged, reached),
            _where(judged, assessed - reached),
            _where(told, known - assessed),
            _where(judged, figures.edge[at]),
            _where(streets, lasting.unsnapped[at]),
            _where(streets, lasting.short_piece[at]),
            _where(judged, lasting.cut_off[at]),
            nothing if lasting.having is None else _numbers(lasting.having[at]),
            _shares(shared, reached, assessed),
            _shares(shared, lasting.core[at], assessed) if figures.has_core else nothing,
            nothing if figures.land is None else _numbers(figures.land[at]),
            nothing if figures.served is None else _shares(shared, figures.served[at], assessed),
            strict=True,
        )
    ]


def _where(known: BoolArray, value: IntArray | FloatArray) -> list[Any]:
    """The values as plain numbers, None where they are not known."""
    plain: list[Any] = value.tolist()
    if known.all():
        return plain
    return [one if there else None for one, there in zip(plain, known.tolist(), strict=True)]


def _numbers(value: FloatArray) -> list[float | None]:
    return _where(~np.isnan(value), value)


def _shares(known: BoolArray, part: IntArray, whole: IntArray) -> list[float | None]:
    return _where(known, part / np.maximum(whole, 1))


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
