"""Catchments: which residents belong to which facility, as people walk and as capacity allows.

``natural``: everyone to the nearest facility, no limit. ``balanced``: maxima are hard; fewest
unserved, then least underload, then least walking. Nothing here knows what a health centre is:
who is served and how many a facility may take is policy and table (`capacity`).

Source: DEFINITIONS (Catchments); Current and Storbeck (1988) for hard maxima, Balakrishnan and
Storbeck (1991) for minima.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from lifecircle.analysis.access.nearest import service_attachments
from lifecircle.analysis.access.od_matrix import nearest_walks, walk_matrix, walks_within
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.assignment import (
    Assignment,
    balanced_assignment,
    balanced_on_arcs,
    nearest_assignment,
)
from lifecircle.analysis.measures.catchments.capacity import (
    ESTIMATES,
    Capacity,
    capacity_of,
)
from lifecircle.analysis.measures.catchments.pricing import nearest_arcs
from lifecircle.analysis.measures.catchments.ties import Ranks
from lifecircle.analysis.measures.catchments.whole_cells import whole_cells
from lifecircle.analysis.measures.question import Question, Study, ask
from lifecircle.analysis.measures.remarks import list_remarks, not_assessed, resting_on
from lifecircle.analysis.measures.residents import judged_persons, persons_of
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    SECONDS_PER_MINUTE,
    Int32Array,
    IntArray,
)
from lifecircle.analysis.texts import Named

UNLIMITED = math.inf  # minutes of a catchment whose walks have no limit
_MOST_PAIRS = 500_000_000  # cells times facilities without a limit: two gigabytes of walks
_WHOLE_ARCS = 12  # nearest centres a whole cell may go to when walks have no limit

State = Literal["within", "overload", "underload"]


@dataclass(frozen=True, slots=True)
class Centre:
    """One facility and its load, persons. `facility`: index into ``city.facilities``.

    `basis`: where its bounds come from (`Capacity.basis`); `estimated`: they are no figure of
    the facility or the plan.
    """

    facility: int
    load: int
    minimum: int
    maximum: int
    state: State
    overload: int
    underload: int
    basis: str
    estimated: bool


@dataclass(frozen=True, slots=True)
class Solution:
    """One of the two answers: its centres, who is unserved, and who goes where.

    `reachable_full`: unserved although a facility is in reach; `unreachable`: none is.
    `person_minutes` walked by those served; `bound`: what they are at least when as many are
    served with as little underload; `gap`: share above the bound, None where whole cells serve
    fewer or underload more than split ones could. `least_unserved`, `least_underload`: proven
    minima. `part`: persons by cell and centre, with ``unserved`` per cell.
    """

    centres: tuple[Centre, ...]
    served: int
    reachable_full: int
    unreachable: int
    underload: int
    person_minutes: float
    bound: float
    gap: float | None
    least_unserved: int
    least_underload: int
    split_cells: int
    part: Assignment

    @property
    def ties_open(self) -> bool:
        """Whether other optima might have been chosen: then only the three aims are compared."""
        return self.part.ties_open


@dataclass(frozen=True, slots=True)
class Catchments:
    """Both answers to one question. `minutes` is None where walks have no limit.

    `residents`: persons of `group` whom the service is assessed for; `not_assessed`: the others.
    `not_offered`: facilities (indices) whose capacity is unknown. `assessed`: at least one facility
    could be offered, or none exists and the service is declared surveyed.
    """

    service: str
    minutes: float | None
    walker: str
    group: str
    closed: bool
    whole: bool
    estimates: bool
    residents: int
    not_assessed: int
    natural: Solution
    balanced: Solution
    not_offered: tuple[int, ...]
    assessed: bool
    warnings: tuple[Warn, ...]

    def __repr__(self) -> str:
        limit = "no limit" if self.minutes is None else f"{self.minutes:g} min"
        return (
            f"<Catchments of {self.service}, {limit}: {len(self.balanced.centres)} centres, "
            f"{self.balanced.served:,} of {self.residents:,} residents served>"
        )

    @property
    def unserved(self) -> IntArray:
        """Persons of every cell who are unserved in ``balanced``, int64 (c,)."""
        return self.balanced.part.unserved


def catchments(
    study: Study,
    question: Question,
    *,
    closed: bool = False,
    whole: bool = False,
    estimates: bool = False,
) -> Catchments:
    """Catchments of one service: ``natural`` and ``balanced``.

    Parameters
    ----------
    question : its minutes are the longest walk of ``balanced``, `UNLIMITED` = none; its group
        does not count: the policy says whom a service serves.
    closed : residents are served only inside their own subdistrict or township.
    whole : no cell is split between facilities.
    estimates : capacities from floor area on the policy's ladder where no own figure is known.

    Raises
    ------
    UnknownNameError : no such service or walker, or no rule of capacity for the service.
    ParameterError : minutes not above 0 or beyond a day; `closed` without units to close; no
        limit on the walk, and more pairs of cells and facilities than memory is for.

    Examples
    --------
    >>> import lifecircle as lc
    >>> found = lc.catchments(lc.tiny_town().study, lc.Question("health_centre"))
    >>> found.balanced.served, found.natural.served
    (600, 900)
    """
    city, policy, costs = study.city, study.policy, study.costs
    minutes = question.minutes
    unlimited = minutes is not None and math.isinf(minutes) and minutes > 0
    asked = ask(study, replace(question, minutes=None) if unlimited else question)
    service = asked.service.id
    capacity = capacity_of(city, policy, service, estimates=estimates)
    persons = judged_persons(study, service, capacity.group)
    own = Own.of(city, policy, capacity.facility) if closed else None
    at = service_attachments(city, service)
    nearest = nearest_walks(costs, at, city.cells.position, capacity.facility, 1)
    natural = nearest_assignment(persons, nearest, capacity.minimum)
    limit_cm = None if unlimited else asked.limit_cm
    balanced = _balance(study, persons, at, capacity, limit_cm, own, whole=whole)
    per_minute = float(asked.walker.speed_m_per_s) * CM_PER_M * SECONDS_PER_MINUTE
    return Catchments(
        service=service,
        minutes=None if unlimited else asked.minutes,
        walker=asked.walker.id,
        group=capacity.group,
        closed=closed,
        whole=whole,
        estimates=estimates,
        residents=int(persons.sum()),
        not_assessed=int(persons_of(city.cells, capacity.group).sum() - persons.sum()),
        natural=_solution(natural, capacity, per_minute),
        balanced=_solution(balanced, capacity, per_minute),
        not_offered=tuple(capacity.unknown.tolist()),
        assessed=city.cells.counted
        and (len(capacity.facility) > 0 or (city.assessed(service) and len(capacity.unknown) == 0)),
        warnings=(
            *_remarks(city, policy, capacity, balanced, service, own),
            *list_remarks(study, asked.service, capacity.group),
        ),
    )


def _balance(
    study: Study,
    persons: IntArray,
    at: Attachments,
    capacity: Capacity,
    limit_cm: int | None,
    own: Own | None,
    *,
    whole: bool,
) -> Assignment:
    """The flow model of the question, with walks as many as it needs, and its optimum.

    `limit_cm`: the longest walk, None = no limit; `own`: borders that close. Ids settle ties.
    """
    city, costs = study.city, study.costs
    people, rows = city.cells.position, capacity.facility
    bounds = (capacity.minimum, capacity.maximum)
    ranks = partial(Ranks.from_ids, city.cells.id, city.facilities.id[rows])
    pairs = len(rows) * len(people)
    if limit_cm is None and pairs > _MOST_PAIRS:
        raise ParameterError("catchments_too_large", pairs=pairs, most=_MOST_PAIRS)
    if limit_cm is None and own is None:
        cost = walk_matrix(costs, at, people, rows)
        balanced = balanced_assignment(persons, cost, *bounds, ranks)
        if not whole:
            return balanced
        arcs = _arcs_for_whole(cost, balanced)
        return whole_cells(persons, arcs, *bounds, balanced, ranks())
    if limit_cm is None:
        arcs = Arcs.from_matrix(walk_matrix(costs, at, people, rows))
    else:
        arcs = Arcs.from_walks(walks_within(costs, at, people, rows, limit_cm))
    if own is not None:
        arcs = arcs.keep(own.cell[arcs.cell] == own.facility[arcs.centre])
    balanced = balanced_on_arcs(persons, arcs, *bounds, ranks)
    return whole_cells(persons, arcs, *bounds, balanced, ranks()) if whole else balanced


def _arcs_for_whole(cost: Int32Array, balanced: Assignment) -> Arcs:
    """The nearest centres of each cell and those it has in the split optimum."""
    near = nearest_arcs(cost, _WHOLE_ARCS)
    far = ~near.contain(balanced.cell, balanced.centre)
    return near.add(balanced.cell[far], balanced.centre[far], balanced.walk_cm[far])


@dataclass(frozen=True, slots=True)
class Own:
    """The unit whose border closes each cell (c,) and each offered facility (f,), -1 outside."""

    cell: Int32Array
    facility: Int32Array

    @classmethod
    def of(cls, city: City, policy: Policy, rows: Int32Array) -> Own:
        """Of all cells and of some facilities (rows of ``city.facilities``).

        Raises
        ------
        ParameterError : the area has no unit of the levels that close.
        """
        levels = [one for one in policy.capacities.closed_levels if one in city.units.levels]
        if not levels:
            known = ", ".join(policy.capacities.closed_levels) or "-"
            raise ParameterError("catchments_nothing_to_close", levels=known)
        cell = np.full(len(city.cells), NOBODY, dtype=np.int32)
        facility = np.full(len(rows), NOBODY - 1, dtype=np.int32)
        for level in reversed(levels):
            inside = city.cells.unit[level]
            cell = np.where(inside >= 0, inside, cell)
            held = city.facilities.unit[level][rows]
            facility = np.where(held >= 0, held, facility)
        return cls(cell, facility)


def _solution(found: Assignment, capacity: Capacity, per_minute: float) -> Solution:
    centres = tuple(
        _centre(facility, load, low, high, basis)
        for facility, load, low, high, basis in zip(
            capacity.facility.tolist(),
            found.load.tolist(),
            capacity.minimum.tolist(),
            capacity.maximum.tolist(),
            capacity.basis,
            strict=True,
        )
    )
    unserved = found.total_unserved
    cut = int(found.unserved[~found.reachable].sum())
    as_good = (unserved, found.underload) == (found.least_unserved, found.least_underload)
    gap = None
    if as_good:
        gap = found.person_cm / found.bound_cm - 1 if found.bound_cm else 0.0
    return Solution(
        centres=centres,
        served=int(found.load.sum()),
        reachable_full=unserved - cut,
        unreachable=cut,
        underload=found.underload,
        person_minutes=found.person_cm / per_minute,
        bound=found.bound_cm / per_minute,
        gap=gap,
        least_unserved=found.least_unserved,
        least_underload=found.least_underload,
        split_cells=found.split_cells,
        part=found,
    )


def _centre(facility: int, load: int, low: int, high: int, basis: str) -> Centre:
    over, under = max(0, load - high), max(0, low - load)
    state: State = "overload" if over else "underload" if under else "within"
    return Centre(facility, load, low, high, state, over, under, basis, basis in ESTIMATES)


def _remarks(
    city: City,
    policy: Policy,
    capacity: Capacity,
    balanced: Assignment,
    service: str,
    own: Own | None,
) -> Iterator[Warn]:
    """What a reader must know: facilities not offered, off the streets, floors no one can fill."""
    if not city.assessed(service):
        yield not_assessed(policy.services[service])
    yield from capacity.warnings
    attached = np.isin(capacity.facility, city.facilities.attached_facility)
    if not attached.all():
        off = capacity.facility[~attached]
        names = ", ".join(str(city.facilities.name[i] or city.facilities.id[i]) for i in off[:10])
        yield Warn("catchments_centres_off_streets", {"count": len(off), "names": names})
    residents = int(balanced.load.sum()) + balanced.total_unserved
    floors = int(capacity.minimum.sum())
    yield from resting_on(city)
    if city.cells.counted and len(capacity.facility) and residents < floors:
        yield Warn("catchments_floors_above_residents", {"residents": residents, "floors": floors})
    shut = int(np.count_nonzero(capacity.maximum == 0))
    if shut:
        yield Warn("catchments_no_capacity", {"count": shut})
    if own is not None:
        outside = int(balanced.unserved[own.cell == NOBODY].sum())
        if outside:
            yield Warn("catchments_outside_borders", {"residents": outside})
    if len(capacity.facility) == 0 and len(capacity.unknown) == 0 and city.assessed(service):
        title = policy.services[service].title
        yield Warn("catchments_no_centre", {"service": Named(title.zh, title.en, service)})
