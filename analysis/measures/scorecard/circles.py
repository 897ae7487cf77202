"""Evaluator of circles: residents whose circle is complete, or how much of it they reach."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.measures.circles import CircleTable, circle_table
from lifecircle.analysis.measures.opening import OPEN, night_moment, night_states
from lifecircle.analysis.measures.opening import UNKNOWN as HOURS_UNKNOWN
from lifecircle.analysis.measures.question import Question, covered
from lifecircle.analysis.measures.scorecard.context import Ground
from lifecircle.analysis.measures.scorecard.result import (
    NO,
    UNKNOWN,
    YES,
    Atoms,
    Missing,
    Outcome,
    Part,
    States,
    nothing,
)
from lifecircle.analysis.policy.readings import Circle
from lifecircle.analysis.quantities import BoolArray, FloatArray, Int32Array


def circle(ground: Ground, reading: Circle) -> Outcome:
    """Residents whose circle is complete ÷ residents (0-1), with the share of each service.

    ``score``: the mean share of the assessed types that residents reach. ``night``: only what is
    open (and, outdoors, lit) in the policy's evening; what is unknown leaves a range.
    """
    table = circle_table(
        ground.study,
        Question(
            minutes=None if reading.minutes is None else ground.amount(reading.minutes),
            walker=ground.walker,
        ),
        kind=reading.circle,
        optional=reading.optional,
        limit_of=ground.limit_cm,
    )
    missing = (*ground.no_services(table.services), *ground.part_lists(table.services))
    persons = ground.city.cells.residents.astype(np.float64)
    if not table.assessed.any() or persons.sum() == 0:
        return nothing(*missing)
    if reading.night:
        return _at_night(ground, reading, table, persons, missing)
    if reading.score:
        return _score(table, persons, missing)
    state = (table.state_all if reading.all_types else table.state).astype(np.int8)
    return _complete(ground, table, state, persons, missing)


def _complete(
    ground: Ground,
    table: CircleTable,
    state: States,
    persons: FloatArray,
    missing: tuple[Missing, ...],
) -> Outcome:
    whole, yes = float(persons.sum()), float(persons[state == YES].sum())
    open_ = float(persons[state == UNKNOWN].sum())
    settled = whole - open_
    cells = np.arange(len(state), dtype=np.int32)
    return Outcome(
        value=None if open_ else yes / whole,
        lower=yes / whole,
        upper=(yes + open_) / whole,
        assessed_share=settled / whole,
        have=yes,
        of=settled,
        atoms=Atoms("cell", cells, state, np.where(state == YES, persons, 0.0), persons),
        missing=missing,
        parts=_parts(ground, table, persons),
    )


def _parts(ground: Ground, table: CircleTable, persons: FloatArray) -> tuple[Part, ...]:
    """Residents and residential land within reach of each service, where it is assessed."""
    land = ground.city.land
    parts = []
    for k, service in enumerate(table.services):
        if not table.assessed[k]:
            parts.append(Part(service, None, None))
            continue
        near, judged = None, ground.study.judged(service)
        area = 0.0 if land is None else float(land.area_m2[judged.land].sum())
        if land is not None and area and service in ground.travel.services:
            minutes = ground.policy.services[service].minutes.value
            limit = ground.limit_cm(minutes if table.minutes is None else table.minutes)
            held = judged.land & covered(ground.reach(service).land_cm, land.position, limit)
            near = float(land.area_m2[held].sum() / area)
        of, reached = persons[judged.cell].sum(), persons[table.reach[k]].sum()
        parts.append(Part(service, float(reached / of) if of else None, near))
    return tuple(parts)


def _score(table: CircleTable, persons: FloatArray, missing: tuple[Missing, ...]) -> Outcome:
    types, whole = len(table.services), float(persons.sum())
    asked = float((persons * table.judged.sum(axis=0)).sum())
    reached = float((persons * table.reached).sum())
    return Outcome(
        value=reached / asked if asked else None,
        lower=reached / (whole * types),
        upper=(reached + whole * types - asked) / (whole * types),
        assessed_share=asked / (whole * types),
        have=reached,
        of=asked,
        missing=missing,
    )


def _at_night(
    ground: Ground,
    reading: Circle,
    table: CircleTable,
    persons: FloatArray,
    missing: tuple[Missing, ...],
) -> Outcome:
    moment = night_moment(ground.policy, table.kind)
    if moment is None:
        return nothing(*missing)
    states = night_states(ground.city, ground.policy, moment)
    sure, maybe = (np.zeros(len(persons), dtype=np.int32) for _ in range(2))
    told = False
    for service, judged in zip(table.services, table.judged, strict=True):
        maybe += ~judged
        if not judged.any():
            continue
        rows = ground.offering((service,))
        told |= bool((states[rows] != HOURS_UNKNOWN).any())
        own = ground.policy.services[service].minutes.value
        limit = ground.limit_cm(own if table.minutes is None else table.minutes)
        held = states[rows]
        sure += judged & _near(ground, rows[held == OPEN], limit)
        open_ = (held == OPEN) | (held == HOURS_UNKNOWN)
        maybe += judged & _near(ground, rows[open_], limit)
    if not told:
        hours = ground.no_column("opening_hours", table.services, None, None)
        return nothing(*missing, hours)
    needed = len(table.services) if reading.all_types else table.required
    state = np.where(sure >= needed, YES, np.where(maybe >= needed, UNKNOWN, NO)).astype(np.int8)
    found = _complete(ground, table, state, persons, missing)
    settled = found.of or 0.0
    unsure = () if settled == persons.sum() else (
        ground.no_column("opening_hours", table.services, None, None),
    )  # fmt: skip
    return Outcome(
        value=found.have / settled if found.have else (None if unsure else 0.0),
        lower=found.lower,
        upper=found.upper,
        assessed_share=found.assessed_share,
        have=found.have,
        of=found.of,
        atoms=found.atoms,
        missing=(*missing, *unsure),
    )


def _near(ground: Ground, rows: Int32Array, limit_cm: int) -> BoolArray:
    cells = ground.city.cells
    if len(rows) == 0:
        return np.zeros(len(cells), dtype=np.bool_)
    return covered(ground.reach_of(rows).cell_cm, cells.position, limit_cm)
