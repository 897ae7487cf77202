"""Who has a whole chain 站 → 中心 → 社区医院 in springcity, by its own paths and one plain flow."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.truth.reach import DOUBT_M, METRES_PER_MINUTE, Reach, most_flow
from lifecircle.analysis.demo.truth.walking import metres_to_each, metres_to_nearest
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray

REFERRAL_MINUTES: Final = (15, 30, 60)
_CENTRE_MOST: Final = 100_000


def tell_referral(reach: Reach) -> dict[str, dict[str, Any]]:
    """By minutes of the whole chain: residents with one, without one and why, and in doubt.

    `served_most`: if every centre of unknown kind is a community hospital.
    """
    stations, centres = reach.which(["health_station"]), reach.which(["health_centre"])
    kind = [reach.places[k].attributes.get("community_hospital", "") for k in centres]
    sure = [k for k, told in zip(centres, kind, strict=True) if told == kinds.YES]
    perhaps = [k for k, told in zip(centres, kind, strict=True) if told in {kinds.YES, ""}]
    station_leg, centre_of = _nearest(reach, stations, centres)
    most_m = max(REFERRAL_MINUTES) * METRES_PER_MINUTE + DOUBT_M
    first = np.stack(
        list(
            metres_to_each(
                reach.streets, reach.footing, reach.ground.only([*stations, *centres]), most_m
            )
        ),
        axis=1,
    )
    owner = reach.ground.only([*stations, *centres]).owner
    first[reach.off] = np.inf
    to_station = first[:, [int(np.flatnonzero(owner == k)[0]) for k in stations]]
    to_centre = first[:, [int(np.flatnonzero(owner == k)[0]) for k in centres]]
    row = {k: i for i, k in enumerate(centres)}
    column = np.array([row[k] for k in centre_of.tolist()], dtype=np.int64)
    told: dict[str, dict[str, Any]] = {}
    for minutes in REFERRAL_MINUTES:
        limit = minutes * METRES_PER_MINUTE
        walks = (to_station, to_centre, station_leg, column)
        known, most = (_served(reach, walks, _onward(reach, centres, h), limit)
                       for h in (sure, perhaps))  # fmt: skip
        told[str(minutes)] = {**known, "served_most": most["served"], "doubt_most": most["doubt"]}
    return told


def _nearest(reach: Reach, here: list[int], there: list[int]) -> tuple[FloatArray, IntArray]:
    """Metres from each of some places to the nearest of others, and which it is."""
    metres, owner = metres_to_nearest(
        reach.streets, reach.ground.only(here), reach.ground.only(there)
    )
    return metres, owner


def _onward(reach: Reach, centres: list[int], hospitals: list[int]) -> FloatArray:
    """Metres from each centre to its nearest hospital; a centre that is one has none to go."""
    metres, _ = _nearest(reach, centres, hospitals)
    metres[np.isin(centres, hospitals)] = 0.0
    return metres


def _served(
    reach: Reach,
    walks: tuple[FloatArray, FloatArray, FloatArray, IntArray],
    onward: FloatArray,
    limit: float,
) -> dict[str, Any]:
    """The most residents whose chains end in time at centres with room, and why not the others."""
    to_station, to_centre, station_leg, column = walks
    people = reach.people.residents
    nearest = to_station.min(axis=1, keepdims=True)
    straight = np.where(to_centre <= nearest, to_centre + onward, np.inf)
    by_station = to_station + station_leg + onward[column]
    able = straight <= limit
    for k, centre in enumerate(column.tolist()):
        able[:, centre] |= by_station[:, k] <= limit
    near = (nearest[:, 0] <= limit) | (to_centre <= limit).any(axis=1)
    unsure = _close(by_station, limit) | _close(to_centre + onward, limit)
    unsure |= _close(to_station, limit) | _close(to_centre, limit)
    unsure |= _close(to_centre - np.where(np.isfinite(nearest), nearest, 0.0), 0.0)
    rows, group = np.unique(able, axis=0, return_inverse=True)
    demand = np.bincount(group.ravel(), weights=people).astype(np.int64)
    room = np.full(len(onward), min(_CENTRE_MOST, int(people.sum())), dtype=np.int64)
    served = most_flow(demand, rows, room)
    some = able.any(axis=1)
    return {
        "served": served,
        "unserved": {
            "no_station": int(people[~near].sum()),
            "too_far": int(people[near & ~some].sum()),
            "centre_full": int(people[some].sum()) - served,
        },
        "doubt": int(people[unsure].sum()),
    }


def _close(metres: FloatArray, limit: float) -> BoolArray:
    """Cells with a walk this near to the limit."""
    found: BoolArray = np.any(np.abs(metres - limit) <= DOUBT_M, axis=1)
    return found
