"""Which facilities can be used in the evening: open by their hours and, outdoors, lit."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.measures.opening import CLOSED, OPEN, UNKNOWN, Moment, states_at
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import Int32Array, read_only


def night_moment(policy: Policy, kind: str) -> Moment | None:
    """The evening of a kind of circle (an ordinary Wednesday), None where it has none."""
    hour = policy.circles[kind].night_hour
    return None if hour is None else Moment("We", round(hour.value * 60))


def night_states(city: City, policy: Policy, moment: Moment) -> Int32Array:
    """State of every facility in the evening, int32 (f,): open, closed or unknown.

    Indoors the opening hours decide. Outdoors (services that are entered from all around) a
    place said to be unlit is closed and one said to be lit is open unless its hours say it is
    closed; where nothing is said of light the hours decide.
    """
    places = city.facilities
    states = states_at(places, moment).copy()
    outdoor = np.array(
        [
            service in policy.services and policy.services[service].attachment == "entrances"
            for service in places.service_ids
        ],
        dtype=np.bool_,
    )
    if len(outdoor):
        light, outside = places.numbers("lit"), outdoor[places.service]
        states[outside & (light == 1) & (states == UNKNOWN)] = OPEN
        states[outside & (light == 0)] = CLOSED
    read_only(states)
    return states
