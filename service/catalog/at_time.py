"""A run as it is at one moment: only what is open counts, what is unknown makes a range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.facility_subset import with_only
from lifecircle.analysis.measures.opening import (
    OPEN,
    UNKNOWN,
    Moment,
    hours_of,
    states_at,
    unreadable,
)
from lifecircle.analysis.quantities import Int32Array
from lifecircle.analysis.results.model import Run
from lifecircle.service.state import Streets


@dataclass(frozen=True, slots=True)
class OpenCount:
    """Facilities of one service by state, and hours given that nobody could read."""

    service: str
    facilities: int
    open: int
    closed: int
    unknown: int
    unreadable: dict[str, int]


@dataclass(frozen=True, slots=True)
class RunAt:
    """A run at a moment: `lower` with unknown places closed, `upper` with them open.

    Both hold the walks to the services asked only.
    """

    moment: Moment
    lower: Run
    upper: Run
    counts: tuple[OpenCount, ...]


def run_at(
    run: Run,
    costs: WalkCosts | None,
    moment: Moment,
    services: Sequence[str],
    states: Int32Array | None = None,
) -> RunAt:
    """A run with only what is open at a moment.

    `costs` are the run's (None: worked out); `states` of the facilities, else by their hours.
    """
    walked = Streets.of(run).costs if costs is None else costs
    by_hours = states_at(run.city.facilities, moment) if states is None else states
    counts = tuple(_count(run, by_hours, service) for service in services)
    lower = _only(run, walked, by_hours == OPEN, services)
    upper = lower
    if any(count.unknown for count in counts):
        upper = _only(run, walked, (by_hours == OPEN) | (by_hours == UNKNOWN), services)
    return RunAt(moment, lower, upper, counts)


def at_document(at: RunAt) -> dict[str, Any]:
    """The moment, and how many facilities of each service are open, closed, unknown then."""
    return {
        "at": at.moment.text,
        "facilities": [
            {
                "service": count.service,
                "facilities": count.facilities,
                "open": count.open,
                "closed": count.closed,
                "unknown": count.unknown,
                "unreadable": [
                    {"opening_hours": text, "facilities": n} for text, n in count.unreadable.items()
                ],
            }
            for count in at.counts
        ],
    }


def at_warnings(at: RunAt, service: str | None = None) -> list[Warn]:
    """What is not known about hours, of one service or of all."""
    told = []
    for count in at.counts:
        if service is not None and count.service != service:
            continue
        title = at.lower.policy.services[count.service].title
        named = {"title": title}
        if count.unknown:
            told.append(
                Warn("open_unknown", {**named, "unknown": count.unknown, "count": count.facilities})
            )
        if count.unreadable:
            texts = " | ".join(count.unreadable)
            number = sum(count.unreadable.values())
            told.append(Warn("open_unreadable", {**named, "count": number, "texts": texts}))
    return told


def _count(run: Run, states: Int32Array, service: str) -> OpenCount:
    places = run.city.facilities
    ids = places.service_ids
    mine = (
        places.service == ids.index(service)
        if service in ids
        else np.zeros(len(places), dtype=np.bool_)
    )
    state = states[mine]
    opened, unknown = int((state == OPEN).sum()), int((state == UNKNOWN).sum())
    return OpenCount(
        service,
        int(mine.sum()),
        opened,
        int(mine.sum()) - opened - unknown,
        unknown,
        unreadable(hours_of(places)[mine]),
    )


def _only(run: Run, costs: WalkCosts, keep: Any, services: Sequence[str]) -> Run:
    city, travel = with_only(run.city, costs, keep, services)
    return replace(run, city=city, travel=travel, catchments={})
