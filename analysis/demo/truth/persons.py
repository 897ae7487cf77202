"""Residents within walks, for the rows of the truth table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lifecircle.analysis.demo.springcity.places import Place
from lifecircle.analysis.demo.truth.counting import within
from lifecircle.analysis.demo.truth.expected import Ledger, Qualifies
from lifecircle.analysis.demo.truth.reach import DOUBT_M, METRES_PER_MINUTE, Reached
from lifecircle.analysis.quantities import BoolArray

Table = dict[str, Any]


def residents_within(
    book: Ledger, services: Sequence[str], minutes: float, *levels: str,
    qualifies: Qualifies | None = None, older: bool = False,
) -> Table:  # fmt: skip
    """P: persons within a walk of places that qualify; those that may are the upper bound."""
    sure = book.reach.which(services, None if qualifies is None else certain(qualifies))
    maybe = book.reach.which(services, None if qualifies is None else possible(qualifies))
    if qualifies is not None:
        first = len(book.places)
        maybe += [k for k in book.reach.which(services) if k >= first]
    here = book.inside(*levels) if levels else None
    persons = book.people.older if older else None
    count = book.people.residents if persons is None else persons
    total = int(count.sum() if here is None else count[here].sum())
    return within(
        book.reach.within(sure, minutes, here, persons),
        book.reach.within(maybe, minutes, here, persons),
        total,
    )


def certain(qualifies: Qualifies) -> Callable[[Place], bool]:
    """Whether a place qualifies for sure."""
    return lambda place: qualifies(place) is True


def possible(qualifies: Qualifies) -> Callable[[Place], bool]:
    """Whether a place may qualify, for all one knows."""
    return lambda place: qualifies(place) is not False


def complete(book: Ledger, services: Sequence[str], required: int, minutes: float | None) -> Table:
    """Residents who reach so many of the services, each within its own minutes or all at one."""
    reached = np.zeros(len(book.people.id), dtype=np.int64)
    unsure: BoolArray = np.zeros(len(book.people.id), dtype=np.bool_)
    for service in services:
        limit = (minutes or book.minutes[service]) * METRES_PER_MINUTE
        metres = book.reach.walk(book.reach.which([service]))[0]
        reached += metres <= limit
        unsure |= np.abs(metres - limit) <= DOUBT_M
    count, total = book.people.residents, book.residents
    complete = int(count[reached >= required].sum())
    share_ = complete / total
    return {"value": share_, "lower": share_, "upper": share_, "residents": complete, "of": total,
            "doubt": int(count[unsure].sum()), "assessed_share": 1.0}  # fmt: skip


def mean_share(book: Ledger, services: Sequence[str]) -> Table:
    """The share of the services that a resident reaches, the mean over all residents."""
    found = [book.reach.within(book.reach.which([s]), book.minutes[s]) for s in services]
    whole = book.residents * len(services)
    reached = sum(one.residents for one in found)
    value = reached / whole
    return {"value": value, "lower": value, "upper": value, "of": whole,
            "doubt": sum(one.doubt for one in found), "assessed_share": 1.0}  # fmt: skip


def complete_of(
    book: Ledger, services: Sequence[str], required: int, qualifies: Qualifies
) -> Table:
    """Residents who reach so many of the services by places that qualify, or that may."""
    sure, maybe = (np.zeros(len(book.people.id), dtype=np.int64) for _ in range(2))
    unsure: BoolArray = np.zeros(len(book.people.id), dtype=np.bool_)
    first = len(book.places)
    for service in services:
        limit = book.minutes[service] * METRES_PER_MINUTE
        areas = [k for k in book.reach.which([service]) if k >= first]
        for reached, which in (
            (sure, book.reach.which([service], certain(qualifies))),
            (maybe, book.reach.which([service], possible(qualifies)) + areas),
        ):
            metres = book.reach.walk(which)[0]
            np.add(reached, metres <= limit, out=reached)
            unsure |= np.abs(metres - limit) <= DOUBT_M
    count, doubt = book.people.residents, int(book.people.residents[unsure].sum())
    return within(
        Reached(int(count[sure >= required].sum()), doubt),
        Reached(int(count[maybe >= required].sum()), doubt),
        book.residents,
    )


def land_within(
    book: Ledger,
    services: Sequence[str],
    minutes: float,
    level: str | None = None,
    qualifies: Qualifies | None = None,
) -> Table:
    """L: housing land within a walk of places that qualify; those that may bound it above."""
    sure = book.reach.which(services, None if qualifies is None else certain(qualifies))
    maybe = book.reach.which(services, None if qualifies is None else possible(qualifies))
    land = book.reach.land
    here = None if level is None else land.inside(book.units, level)
    total = round(float(land.area_m2.sum() if here is None else land.area_m2[here].sum()))
    least = book.reach.land_within(sure, minutes, here)
    most = least if maybe == sure else book.reach.land_within(maybe, minutes, here)
    return within(least, most, total)
