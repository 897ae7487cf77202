"""The tiny city with centres that have a capacity, and a policy that knows the rule 3万–10万.

::

    y   50   c1[100] c2[200] c3[300] c4[400] c5[250] c6[150] c7[350]      c8[60] unsnapped
    x         200     900    1400    2500    3500    4400    5500          c9, c10 [100] island
    y    0   ==============================================================
    y  -20      h1@500                           h2@5000

Legs are 50 m and 20 m, so c3 walks 900 + 70 = 970 m to h1. Numbers are 1/100 of the plan's:
a centre is for 300 to 1,000 residents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from lifecircle.analysis.access.walking import WalkCosts, flat_costs
from lifecircle.analysis.city.model import City
from lifecircle.analysis.measures.catchments.catchments import Catchments, catchments
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.policy import CapacityRule, Policy
from lifecircle.analysis.policy.sections.capacity import (
    Capacities,
    CatchmentRule,
    PopulationRule,
    Rung,
)
from tests.worlds.parts import study_of
from tests.worlds.policy import drawn
from tests.worlds.tiny import TINY_CELLS, Cell, Place, tiny_city, tiny_policy

__all__ = ["Cell", "asked", "capacity_policy", "centre", "city_with", "costs_of", "loads"]

GOVERNMENT = {"ownership": "government"}


def capacity_policy(low: float = 300, high: float = 1000) -> Policy:
    """Health centres for 300 to 1,000 residents, elder care by beds, shelters by area."""
    plain = tiny_policy()
    services = dict(plain.services)
    range_ = CapacityRule(drawn(low), drawn(high))
    services["health_centre"] = replace(services["health_centre"], capacity=range_)
    ladder = (Rung(drawn(1000), drawn(400)), Rung(drawn(2000), drawn(900)))
    return replace(
        plain,
        services=MappingProxyType(services),
        capacities=Capacities(
            closed_levels=("subdistrict",),
            catchments={
                "health_centre": CatchmentRule(
                    "total", ("capacity",), ("built_area",), None, ladder
                ),
                "elder_care": CatchmentRule("65", ("beds",), (), None, ()),
                "park": CatchmentRule("total", (), ("effective_area",), drawn(2), ()),
            },
            population_rule=PopulationRule(
                "health_centre", ("subdistrict",), ("government",), ("station",)
            ),
        ),
    )


def centre(
    name: str, x: float, y: float = -20, service: str = "health_centre", **attributes: Any
) -> Place:
    """A centre on the long street, run by government unless told otherwise."""
    return Place(name, service, x, y, f"{name}中心", (), {**GOVERNMENT, **attributes})


def city_with(*places: Place, **changes: Any) -> City:
    """The tiny city with these places only."""
    return tiny_city(places=places, **changes)


def costs_of(city: City) -> WalkCosts:
    return flat_costs(city.network)


def asked(city: City, policy: Policy | None = None, **question: Any) -> Catchments:
    """Catchments of health centres, or of the service named."""
    wanted = {"service": "health_centre", **question}
    return catchments(
        study_of(city, policy or capacity_policy(), costs=costs_of(city)),
        Question(
            **{
                name: wanted.pop(name)
                for name in ("service", "minutes", "walker")
                if name in wanted
            }
        ),
        **wanted,
    )


def loads(found: Catchments, city: City, which: str = "balanced") -> Mapping[str, int]:
    """Load by id of the facility."""
    solution = getattr(found, which)
    return {str(city.facilities.id[c.facility]): c.load for c in solution.centres}


assert sum(cell.residents for cell in TINY_CELLS) == 1910
