"""Springcity in 2020: the same streets and shops, fewer people, fewer institutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from lifecircle.analysis.demo.springcity.facts import PAST
from lifecircle.analysis.demo.springcity.places import Place
from lifecircle.analysis.demo.springcity.plan import Plan
from lifecircle.analysis.demo.springcity.residents import PER_HOUSEHOLD, People

_GROWN: Final = (0.88, 1.0)  # residents of a cell in 2020, of those in 2025
_OLDER, _CHILDREN = 0.85, 1.12


def people_before(plan: Plan, people: People) -> People:
    """The residents of the same cells in 2020; nobody's cell was empty then."""
    grown = plan.rng("past").uniform(*_GROWN, len(people.id))
    residents = np.maximum(1, np.floor(people.residents * grown)).astype(np.int64)
    older = np.minimum(residents, np.floor(people.older * _OLDER)).astype(np.int64)
    children = np.minimum(residents - older, np.round(people.children * _CHILDREN))
    households = np.maximum(1, np.round(residents / PER_HOUSEHOLD)).astype(np.int64)
    return replace(
        people,
        residents=residents,
        older=older,
        children=children.astype(np.int64),
        households=households,
    )


def places_before(places: Sequence[Place]) -> tuple[Place, ...]:
    """What had opened by 2020; the map of shops is the same in both years."""
    return tuple(place for place in places if place.opened <= PAST)
