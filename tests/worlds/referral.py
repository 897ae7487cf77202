"""A street with two stations and two centres, one of them a community hospital too."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from lifecircle.analysis.city.model import City
from lifecircle.analysis.policy import Policy, Title
from lifecircle.analysis.policy.sections.capacity import CatchmentRule, ReferralRule
from tests.worlds.capacity import capacity_policy
from tests.worlds.policy import drawn
from tests.worlds.tiny import Cell, Place, Street, tiny_city

CELLS = (
    Cell("c1", 100, 50, 10),
    Cell("c2", 1650, 50, 20),
    Cell("c3", 1450, 50, 30),
    Cell("c4", 3000, 50, 40),
)
PLACES = (
    Place("s1", "health_station", 200, -20, "一站"),
    Place("s2", "health_station", 1700, -20, "二站"),
    Place("k1", "health_centre", 500, -20, "一中心", (), {"community_hospital": "no"}),
    Place("k2", "health_centre", 1500, -20, "二中心", (), {"community_hospital": "yes"}),
)


def referral_policy(*, stations: bool = False) -> Policy:
    """Centres for up to 1,000 residents, 15 minutes; `stations`: their own capacity counts."""
    plain = capacity_policy(1, 1000)
    named = Title("社区卫生服务站", "Community health station")
    like = plain.services["health_centre"]
    station = replace(like, id="health_station", title=named, aliases=(named.zh,), capacity=None)
    catchments = dict(plain.capacities.catchments)
    if stations:
        catchments["health_station"] = CatchmentRule("total", ("capacity",))
    return replace(
        plain,
        services=MappingProxyType({**plain.services, "health_station": station}),
        capacities=replace(
            plain.capacities,
            catchments=catchments,
            referral=ReferralRule(
                "health_station", "health_centre", "health_centre", drawn(15),
                "community_hospital", ("yes",),
            ),
        ),
    )  # fmt: skip


def referral_city(**changes: Any) -> City:
    """The street; the parts named are others."""
    return tiny_city(**{"streets": (Street(0),), "cells": CELLS, "places": PLACES, **changes})
