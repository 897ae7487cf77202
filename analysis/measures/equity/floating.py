"""Access with competition: the floating catchments 2SFCA, E2SFCA and 3SFCA on walking times.

Every facility shares its supply among the residents within its catchment; every resident adds up
the shares within theirs. Nearer residents count more in E2SFCA and 3SFCA; in 3SFCA a resident
near many facilities asks less of each.

Source: Radke and Mu (2000), Luo and Wang (2003); Luo and Qi (2009); Wan, Zou and Sternberg (2012).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from lifecircle.analysis.access.nearest import service_attachments
from lifecircle.analysis.access.od_matrix import service_facilities, walks_within
from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Asked, Question, Study, ask, level_of, settle
from lifecircle.analysis.measures.remarks import (
    list_remarks,
    not_assessed,
    resting_on,
    units_unknown,
)
from lifecircle.analysis.measures.residents import (
    judged_persons,
    need_residents,
    persons_of,
    sums_by,
    unknown_units,
)
from lifecircle.analysis.policy import FloatingRules
from lifecircle.analysis.quantities import BoolArray, FloatArray, Int32Array, IntArray, read_only
from lifecircle.analysis.texts import Named, say_both

Method = Literal["2sfca", "e2sfca", "3sfca"]
METHODS: Final[tuple[str, ...]] = get_args(Method)
COUNT: Final = "count"
SUPPLIES: Final = (COUNT, "places", "beds", "capacity", "built_area")


@dataclass(frozen=True, slots=True)
class Shares:
    """`access` float64 (c,): supply per person of every cell. `ratio`, `demand` float64 (f,):
    supply per person asking, NaN where nobody asks, and how many ask (weighed)."""

    access: FloatArray
    ratio: FloatArray
    demand: FloatArray


@dataclass(frozen=True, slots=True)
class FloatingRow:
    """One unit or the area: mean supply per person (weighed by residents), who has none at all.

    `access` is None where nobody lives or nothing is known; `none` counts persons without any
    facility within the catchment; `not_assessed` those whom the service's list does not cover.
    """

    code: str
    name: str
    name_en: str | None
    residents: int | None
    not_assessed: int | None
    access: float | None
    none: int | None


@dataclass(frozen=True, slots=True)
class Floating:
    """Access of one service: `access` float64 (c,) per person and cell, None if not assessed.

    It is NaN where the service's list does not go, whose people ask nothing of the facilities.

    `supply` is the sum over facilities that someone can reach, `idle` that of the others.
    """

    asked: Asked
    method: Method
    group: str
    by: str
    supply_of: str
    supply: float
    idle: float
    access: FloatArray | None
    total: FloatingRow
    units: tuple[FloatingRow, ...]
    warnings: tuple[Warn, ...]


def shared_out(
    cell: Int32Array,
    place: Int32Array,
    weight: FloatArray,
    demand: IntArray,
    supply: FloatArray,
    method: Method,
) -> Shares:
    """Supply per person (c,), from pairs of cell and place within the catchment (a,).

    Parameters
    ----------
    weight : float64 (a,), above 0: what distance leaves of a pair; all 1 for 2SFCA.
    demand : int64 (c,), persons. supply : float64 (f,).
    """
    share = np.ones(len(weight)) if method == "2sfca" else weight.astype(np.float64)
    if method == "3sfca":
        together = np.bincount(cell, weights=weight, minlength=len(demand))
        share = weight * (weight / together[cell])
    asking = np.bincount(place, weights=share * demand[cell], minlength=len(supply))
    ratio = np.full(len(supply), np.nan)
    np.divide(supply, asking, out=ratio, where=asking > 0)
    given = share * np.nan_to_num(ratio)[place]
    access: FloatArray = np.bincount(cell, weights=given, minlength=len(demand)).astype(np.float64)
    return Shares(access, ratio, asking.astype(np.float64))


def zone_weights(cm: Int32Array, limit_cm: int, rules: FloatingRules) -> FloatArray:
    """The policy's weight of every walk: that of the first zone which holds it; 0 beyond all."""
    edges = [int(np.floor(zone.share.value * limit_cm + 0.5)) for zone in rules.zones]
    weights = np.array([*(zone.weight.value for zone in rules.zones), 0.0])
    found: FloatArray = weights[np.searchsorted(edges, cm, side="left")]
    return found


def floating(
    study: Study, question: Question, *, method: Method = "e2sfca", supply: str = COUNT
) -> Floating:
    """Supply within reach per person, for every cell, unit and the area.

    Parameters
    ----------
    question : its minutes are the catchment.
    supply : ``count`` (1 per facility) or a measured attribute of the facilities; what is
        unknown supplies nothing, with a warning.

    Raises
    ------
    UnknownNameError : no such service, walker, group or level.
    ParameterError : impossible minutes, method or supply, or a run without the policy's rules.

    Examples
    --------
    >>> import lifecircle as lc
    >>> found = lc.floating(lc.tiny_town().study, lc.Question("pharmacy"))
    >>> found.supply
    2.0
    """
    need_residents(study.city)
    if method not in METHODS:
        raise ParameterError("floating_method", name=method, known=", ".join(METHODS))
    if supply not in SUPPLIES:
        raise ParameterError("floating_supply", name=supply, known=", ".join(SUPPLIES))
    question = settle(study, question)
    city, rules, group = study.city, study.policy.floating, question.group
    if rules is None:
        raise ParameterError("floating_no_rules")
    asked = ask(study, question)
    service = asked.service.id
    level = level_of(city, question.by)
    persons, judged = judged_persons(study, service, group), study.judged(service)
    everybody = persons_of(city.cells, group)
    warnings: list[Warn] = [*resting_on(city), *list_remarks(study, asked.service, group)]
    if not city.assessed(service):
        warnings.append(not_assessed(asked.service))
        total, units = _rows(city, level, everybody, judged.cell, None)
        return Floating(
            asked, method, group, level, supply, 0.0, 0.0, None, total, units, tuple(warnings)
        )
    facilities = service_facilities(city, service)
    amount, remarks = _supply(city, facilities, supply)
    near = walks_within(
        study.costs,
        service_attachments(city, service),
        city.cells.position,
        facilities,
        asked.limit_cm,
    )
    weight = zone_weights(near.cm, asked.limit_cm, rules)
    kept = np.ones(len(weight), dtype=bool) if method == "2sfca" else weight > 0
    shares = shared_out(
        near.position[kept], near.facility[kept], weight[kept], persons, amount, method
    )
    access = np.where(judged.cell, shares.access, np.nan)
    read_only(access)
    idle = float(amount[np.isnan(shares.ratio)].sum())
    lonely = int(np.isnan(shares.ratio).sum())
    warnings += remarks
    if lonely:
        warnings.append(Warn("floating_idle", {"count": lonely}))
    total, units = _rows(city, level, everybody, judged.cell, access)
    warnings += _unknown(city, level)
    return Floating(
        asked,
        method,
        group,
        level,
        supply,
        float(amount.sum()) - idle,
        idle,
        access,
        total,
        units,
        tuple(warnings),
    )


def _supply(city: City, facilities: Int32Array, supply: str) -> tuple[FloatArray, tuple[Warn, ...]]:
    if supply == COUNT:
        return np.ones(len(facilities)), (Warn("floating_counted"),)
    values = city.facilities.numbers(supply)[facilities]
    unknown = int(np.isnan(values).sum())
    title = say_both(f"attribute_{supply}")
    told = {"count": unknown, "attribute": Named(title.zh, title.en, supply)}
    remarks = (Warn("floating_supply_partly", told),) if unknown else ()
    return np.nan_to_num(values, nan=0.0), remarks


def _rows(
    city: City, level: str, everybody: IntArray, judged: BoolArray, access: FloatArray | None
) -> tuple[FloatingRow, tuple[FloatingRow, ...]]:
    units, index = city.units, city.cells.unit[level]
    size = len(units.code)
    counted = judged if access is not None else np.zeros_like(judged)
    persons = np.where(counted, everybody, 0).astype(np.int64)
    supplied = np.zeros(len(persons)) if access is None else np.nan_to_num(access) * persons
    whole, known = sums_by(index, size, everybody), sums_by(index, size, persons)
    unknown = unknown_units(city, level)
    inside = index >= 0
    held = np.bincount(index[inside], weights=supplied[inside], minlength=size)
    lacking = np.zeros(len(persons), dtype=bool) if access is None else access == 0
    none = sums_by(index, size, persons, lacking)
    rows = []
    for i in units.of_level(level):
        blank = bool(unknown[i])
        told = access is not None and not blank and (known[i] > 0 or whole[i] == 0)
        rows.append(
            FloatingRow(
                str(units.code[i]),
                str(units.name[i]),
                units.name_en[i],
                None if blank else int(whole[i]),
                None if blank else int(whole[i] - known[i]),
                float(held[i] / known[i]) if told and known[i] > 0 else None,
                int(none[i]) if told else None,
            )
        )
    everyone, there = int(persons.sum()), int(everybody.sum())
    total = FloatingRow(
        TOTAL,
        TOTAL,
        None,
        there,
        there - everyone,
        float(supplied.sum() / everyone) if everyone else None,
        None if access is None or (there and not everyone) else int(persons[lacking].sum()),
    )
    return total, tuple(rows)


def _unknown(city: City, level: str) -> Iterator[Warn]:
    rows = city.units.of_level(level)
    yield from units_unknown(city.units, rows[unknown_units(city, level)[rows]])
