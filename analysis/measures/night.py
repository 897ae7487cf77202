"""Which facilities can be used in the evening: open by their hours and, outdoors, lit."""

from __future__ import annotations

from typing import Final

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.measures.opening import CLOSED, OPEN, UNKNOWN, Moment, states_at
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import Int32Array, read_only

_LIT: Final = frozenset({"yes", "24/7", "automatic", "true", "1", "是", "有", "已点亮"})
_DARK: Final = frozenset({"no", "false", "0", "disused", "否", "无", "未点亮"})


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
    light = places.attributes.get("lit")
    if light is not None and len(outdoor):
        said = [None if text is None else str(text).strip().lower() for text in light]
        lit = np.array([text in _LIT for text in said], dtype=np.bool_)
        dark = np.array([text in _DARK for text in said], dtype=np.bool_)
        outside = outdoor[places.service]
        states[outside & lit & (states == UNKNOWN)] = OPEN
        states[outside & dark] = CLOSED
    read_only(states)
    return states
