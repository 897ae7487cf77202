"""How many people a facility may serve, and the 3万–10万 rule.

``[capacities.catchments.<service>]`` says who counts (`group`), which columns of the facility
table state a facility's own places, and how places follow from floor area where a cited rule
says so. ``[capacities.population_rule]`` says which units and centres the rule is about; its
numbers are the service's own ``capacity``. What is said nowhere is unknown, never guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import ValidationInfo

from lifecircle.analysis.policy.cited import Positive
from lifecircle.analysis.policy.fields import (
    SOME,
    After,
    LevelId,
    Record,
    ServiceId,
    Text,
    Texts,
    Values,
)


@dataclass(frozen=True, slots=True)
class Rung(Record):
    """From `area_m2` of floor on, a facility is taken to serve up to `persons`."""

    area_m2: Positive
    persons: Positive


def _small_first(ladder: tuple[Rung, ...], _: ValidationInfo) -> tuple[Rung, ...]:
    return tuple(sorted(ladder, key=lambda rung: rung.area_m2.value))


@dataclass(frozen=True, slots=True)
class CatchmentRule(Record):
    """Whose residents the facilities of a service serve, and where their capacity is written.

    `group`: ``total`` or a population group. `stated`: columns of the facility table with a
    facility's own places, the first known one counts. `area_columns`: columns with floor or
    ground area, m²; with `m2_per_person` they give places (an estimate), with `ladder` only
    when estimates are asked for.
    """

    group: Text = "total"
    stated: Texts = ()
    area_columns: Texts = ()
    m2_per_person: Positive | None = None
    ladder: Annotated[tuple[Rung, ...], After(_small_first)] = ()


@dataclass(frozen=True, slots=True)
class PopulationRule(Record):
    """One facility per unit, or one per so many residents (3万–10万).

    `levels`: unit levels it is about. `ownership`: whose facilities count. `other_kinds`:
    values of the facilities' ``level`` that are not such a facility (stations, hospitals).
    """

    service: ServiceId
    levels: Annotated[tuple[LevelId, ...], SOME]
    ownership: Values
    other_kinds: Texts = ()


@dataclass(frozen=True, slots=True)
class ReferralRule(Record):
    """Who refers to whom: station → centre → hospital, each to its nearest; `minutes` for all.

    A hospital is a facility of the service `hospital` whose `hospital_attribute` has one of
    `hospital_values`; without an attribute every facility of that service is one.
    """

    station: ServiceId
    centre: ServiceId
    hospital: ServiceId
    minutes: Positive
    hospital_attribute: Text | None = None
    hospital_values: Texts = ()


@dataclass(frozen=True, slots=True)
class Capacities(Record):
    """All that a policy says about capacity. `closed_levels`: whose borders close catchments."""

    closed_levels: tuple[LevelId, ...] = ()
    catchments: Mapping[ServiceId, CatchmentRule] = field(default_factory=dict)
    population_rule: PopulationRule | None = None
    referral: ReferralRule | None = None


NO_CAPACITIES: Final = Capacities()
