"""How many people a facility may serve, and the 3万–10万 rule.

``[capacities.catchments.<service>]`` says who counts (`group`), which columns of the facility
table state a facility's own places, and how places follow from floor area where a cited rule
says so. ``[capacities.population_rule]`` says which units and centres the rule is about; its
numbers are the service's own ``capacity``. What is said nowhere is unknown, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lifecircle.analysis.policy.cited import Cited
from lifecircle.analysis.policy.tables import (
    CapacitiesTable,
    CatchmentTable,
    CitedTable,
    PolicyFile,
)


@dataclass(frozen=True, slots=True)
class Rung:
    """From `area_m2` of floor on, a facility is taken to serve up to `persons`."""

    area_m2: Cited
    persons: Cited


@dataclass(frozen=True, slots=True)
class CatchmentRule:
    """Whose residents the facilities of a service serve, and where their capacity is written.

    `group`: ``total`` or a population group. `stated`: columns of the facility table with a
    facility's own places, the first known one counts. `area_columns`: columns with floor or
    ground area, m²; with `m2_per_person` they give places (an estimate), with `ladder` only
    when estimates are asked for.
    """

    group: str
    stated: tuple[str, ...]
    area_columns: tuple[str, ...]
    m2_per_person: Cited | None
    ladder: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class PopulationRule:
    """One facility per unit, or one per so many residents (3万–10万).

    `levels`: unit levels it is about. `ownership`: whose facilities count. `other_kinds`:
    values of the facilities' ``level`` that are not such a facility (stations, hospitals).
    """

    service: str
    levels: tuple[str, ...]
    ownership: tuple[str, ...]
    other_kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capacities:
    """All that a policy says about capacity. `closed_levels`: whose borders close catchments."""

    closed_levels: tuple[str, ...] = ()
    catchments: Mapping[str, CatchmentRule] = field(default_factory=dict)
    population_rule: PopulationRule | None = None


NO_CAPACITIES: Final = Capacities()


def capacities(table: CapacitiesTable, cite: Callable[[CitedTable], Cited]) -> Capacities:
    """The records of the tables, every number with the full title of its source."""
    rule = table.population_rule
    return Capacities(
        closed_levels=tuple(table.closed_levels),
        catchments={name: _catchment(one, cite) for name, one in table.catchments.items()},
        population_rule=None
        if rule is None
        else PopulationRule(
            rule.service, tuple(rule.levels), tuple(rule.ownership), tuple(rule.other_kinds)
        ),
    )


def _catchment(table: CatchmentTable, cite: Callable[[CitedTable], Cited]) -> CatchmentRule:
    rungs = tuple(Rung(cite(rung.area_m2), cite(rung.persons)) for rung in table.ladder)
    return CatchmentRule(
        group=table.group,
        stated=tuple(table.stated),
        area_columns=tuple(table.area_columns),
        m2_per_person=None if table.m2_per_person is None else cite(table.m2_per_person),
        ladder=tuple(sorted(rungs, key=lambda rung: rung.area_m2.value)),
    )


def capacity_faults(policy: PolicyFile, fault: Callable[..., Any]) -> Iterator[Any]:
    """Contradictions of ``[capacities]`` with the rest of a policy, as faults of its file.

    `fault` makes one from a message key, the path of the key and the message's parameters.
    """
    top, table = "capacities", policy.capacities
    for name in table.catchments:
        if name not in policy.services:
            yield fault("policy_no_such_service", (top, "catchments", name), service=name)
    rule = table.population_rule
    closed: tuple[str, ...] = (top, "closed_levels")
    levels = [(level, closed) for level in table.closed_levels]
    if rule is not None:
        at: tuple[str, ...] = (top, "population_rule")
        levels += [(level, (*at, "levels")) for level in rule.levels]
        service = policy.services.get(rule.service)
        if service is None:
            yield fault("policy_no_such_service", (*at, "service"), service=rule.service)
        elif service.capacity is None:
            yield fault("policy_rule_without_numbers", at, service=rule.service)
    known = ", ".join(policy.unit_levels)
    for level, path in levels:
        if level not in policy.unit_levels:
            yield fault("policy_no_such_level", path, level=level, known=known)
