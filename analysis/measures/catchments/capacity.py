"""How many people each facility of a service is meant for: least and most, and why.

In this order: the facility's own figure, an estimate from floor area (only when asked for), the
range the policy sets, area over the area one person needs. Where none of them is known the
facility is not assessed: it is left out and named, never guessed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lifecircle.analysis.access.od_matrix import service_facilities
from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.names import unknown_service
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.sections.capacity import CatchmentRule
from lifecircle.analysis.quantities import FloatArray, Int32Array, IntArray
from lifecircle.analysis.texts import first_of
from lifecircle.analysis.unknown_names import unknown

NAMES_SHOWN: Final = 10
BASES: Final = ("stated", "estimate", "rule", "area")
ESTIMATES: Final = frozenset({"estimate", "area"})


@dataclass(frozen=True, slots=True)
class Capacity:
    """The facilities of a service that can be offered (f,), and those that cannot.

    `facility` int32 (f,): indices into ``city.facilities``. `minimum`, `maximum` int64 (f,).
    `basis`: why, for each: ``stated`` (its own figure), ``estimate`` (floor area on a ladder),
    ``rule`` (the policy's range), ``area`` (area over area per person). `unknown` int32:
    facilities whose capacity is not known. `group`: who is to be served.
    """

    group: str
    facility: Int32Array
    minimum: IntArray
    maximum: IntArray
    basis: tuple[str, ...]
    unknown: Int32Array
    warnings: tuple[Warn, ...]


def capacity_of(city: City, policy: Policy, service: str, *, estimates: bool = False) -> Capacity:
    """The capacity of every facility of a service, in persons.

    Parameters
    ----------
    estimates : take floor area on the policy's ladder before the policy's own range.

    Raises
    ------
    UnknownNameError : the policy has no such service, or no rule of capacity for it.
    """
    if service not in policy.services:
        raise unknown_service(service, policy, policy.services)
    known = policy.capacity_services
    if service not in known:
        raise unknown("service_without_capacity", service, known)
    rule = policy.capacities.catchments.get(service) or CatchmentRule("total", (), (), None, ())
    floor = _range(policy, service)[0]
    stated = _first_known(city, rule.stated)
    area = _first_known(city, rule.area_columns)
    rows: list[tuple[int, int, int, str]] = []
    missing, lowered, off_ladder = [], [], []
    for facility in service_facilities(city, service).tolist():
        own = (float(stated[facility]), float(area[facility]))
        most, basis = _most(policy, service, rule, own, estimates=estimates)
        if most is None:
            missing.append(facility)
            continue
        if estimates and rule.ladder and basis == "rule":
            off_ladder.append(facility)
        if floor > most:
            lowered.append(facility)
        rows.append((facility, min(floor, most), most, basis))
    warnings = [
        *_remark(city, "capacity_unknown", missing),
        *_remark(city, "capacity_below_floor", lowered, floor=floor),
        *_remark(city, "capacity_not_estimated", off_ladder),
        *_remark(city, "capacity_estimated", [row[0] for row in rows if row[3] in ESTIMATES]),
    ]
    return Capacity(
        rule.group,
        np.array([row[0] for row in rows], dtype=np.int32),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        tuple(row[3] for row in rows),
        np.array(missing, dtype=np.int32),
        tuple(warnings),
    )


def _range(policy: Policy, service: str) -> tuple[int, int | None]:
    """The range the policy sets for one facility of a service."""
    rule = policy.services[service].capacity
    return (0, None) if rule is None else (int(rule.minimum.value), int(rule.maximum.value))


def _most(
    policy: Policy,
    service: str,
    rule: CatchmentRule,
    own: tuple[float, float],
    *,
    estimates: bool,
) -> tuple[int | None, str]:
    """The most persons of a facility by its `own` stated figure and area, NaN where unknown."""
    stated, area = own
    if not math.isnan(stated):
        return int(stated), "stated"
    if estimates and not math.isnan(area):
        reached = [rung for rung in rule.ladder if rung.area_m2.value <= area]
        if reached:
            return int(reached[-1].persons.value), "estimate"
    most = _range(policy, service)[1]
    if most is not None:
        return most, "rule"
    if not math.isnan(area) and rule.m2_per_person is not None:
        return int(area / rule.m2_per_person.value), "area"
    return None, "unknown"


def _first_known(city: City, columns: tuple[str, ...]) -> FloatArray:
    """The first number, not negative, in some columns of every facility (f,); NaN without any."""
    first = np.full(len(city.facilities), np.nan)
    for column in columns:
        values = city.facilities.numbers(column)
        first = np.where(np.isnan(first) & (values >= 0), values, first)
    return first


def _remark(city: City, key: str, facilities: list[int], **params: Any) -> list[Warn]:
    if not facilities:
        return []
    names = [str(city.facilities.name[i] or city.facilities.id[i]) for i in facilities]
    shown = first_of(names, NAMES_SHOWN)
    return [Warn(key, {"count": len(names), "names": shown, **params})]
