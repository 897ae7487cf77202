"""A study under a profile of travelling: the same questions asked of a car or a fire engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast

from lifecircle.analysis.access.driving import road_costs
from lifecircle.analysis.access.nearest import travel_table
from lifecircle.analysis.city.by_profile import Carried, city_by
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.roads import RoadNetwork
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.policy import Policy, Walker
from lifecircle.analysis.policy.sections.profiles import WALK, TravelProfile
from lifecircle.analysis.unknown_names import Words, find_id, unknown

_KEPT_CELLS: Final = 1_000_000  # of all studies on roads that are kept together
ADULT: Final = "adult"  # the walker of everybody who names none


def profile_of(policy: Policy, name: str) -> TravelProfile | None:
    """The profile of that id or title, None for who walks.

    Raises
    ------
    UnknownNameError : the policy has no such profile.
    """
    words = {one.id: Words(one.title) for one in policy.profiles.values()}
    found = WALK if name == WALK else find_id(name, words)
    if found is None:
        raise unknown("unknown_profile", name, (WALK, *policy.profiles), words)
    return None if found == WALK else policy.profiles[found]


def travelled_by(policy: Policy) -> TravelProfile | None:
    """The profile whose roads a run is asked on; None: its streets, on foot."""
    return next((policy.profiles[one] for one in policy.walkers if one in policy.profiles), None)


def mover_of(walker: str, profile: str) -> str:
    """Who is asked about: a walker, or a profile, which is the only walker on its own roads.

    Raises
    ------
    ParameterError : both are named.
    """
    if profile == WALK:
        return walker
    if walker != ADULT:
        raise ParameterError("profile_and_walker", walker=walker)
    return profile


def study_by(
    study: Study,
    profile: TravelProfile,
    *,
    back: bool = False,
    services: Sequence[str] | None = None,
) -> Study:
    """The study with the roads of a profile in place of the streets people walk.

    Its policy has one walker, the profile itself, at the speed of the access legs.

    Parameters
    ----------
    back : from the facilities to the residents, as a fire engine goes.
    services : those that are asked about; None = all.

    Raises
    ------
    ParameterError : the run has no roads of this profile.
    """
    wanted = tuple(study.policy.services) if services is None else tuple(services)
    most = max(1, _KEPT_CELLS // max(len(study.city.cells), 1))
    key = (profile.id, back, wanted)
    return study.recent("by_profile", most)(key, lambda: _study_by(study, profile, back, wanted))


def _study_by(study: Study, profile: TravelProfile, back: bool, wanted: tuple[str, ...]) -> Study:
    roads = study.city.roads.get(profile.id)
    if roads is None:
        raise ParameterError("profile_no_roads", profile=profile.title)
    city = _city_by(study, profile.id, roads)
    costs = road_costs(roads, profile)
    if back:
        costs = costs.reversed()
    mover = Walker(profile.id, profile.title, profile.metres, profile.seconds)
    policy = replace(study.policy, walkers={profile.id: mover})
    return Study(city, travel_table(city, costs, wanted), policy, {}, costs)


def _city_by(study: Study, profile: str, roads: RoadNetwork) -> City:
    """The city on the roads of a profile, made once; from the one before edits where there is."""
    place = ("city_by", profile)
    if place not in study.kept:
        origin = study.origin
        known = None
        if origin is not None:
            before = _city_by(origin.study, profile, roads)
            known = Carried(before, origin.cell_before, origin.facility_before)
        study.kept[place] = city_by(study.city, roads, study.policy, known)
    return cast(City, study.kept[place])
