"""Evaluator of reading C: residents served once every facility's capacity is respected."""

from __future__ import annotations

from functools import partial

import numpy as np

from lifecircle.analysis.access.od_matrix import walk_matrix
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.catchments.assignment import balanced_assignment
from lifecircle.analysis.measures.catchments.capacity import capacity_of
from lifecircle.analysis.measures.catchments.catchments import Own
from lifecircle.analysis.measures.catchments.ties import Ranks
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.residents import judged_persons
from lifecircle.analysis.measures.scorecard.context import Ground
from lifecircle.analysis.measures.scorecard.result import NO, UNKNOWN, YES, Atoms, Outcome, nothing
from lifecircle.analysis.policy.readings import Capacity
from lifecircle.analysis.quantities import UNREACHED_CM, FloatArray, Int32Array, IntArray


def capacity(ground: Ground, reading: Capacity) -> Outcome:
    """Residents served in the balanced catchments ÷ residents (0-1), at the minutes of P.

    The capacity of a facility is its own column, else what catchments make of its area, or the
    same `maximum` for all. Facilities of
    which it is unknown whether they qualify, or how many they take, leave a range: they serve
    nobody (lower) or everybody near (upper); those in between are not assessed.
    """
    service = reading.service
    closed = ground.word(reading.borders) == "closed"
    missing = ground.no_services((service,))
    persons = judged_persons(ground.study, service, TOTAL)
    whole = ground.city.cells.residents
    if missing or int(persons.sum()) == 0:
        return nothing(*missing)
    shut = ground.policy.capacities.closed_levels
    if closed and not {*shut} & {*ground.city.units.levels}:
        return nothing(*(ground.no_units(level) for level in shut))
    rows, state, lacking = ground.qualifying((service,), reading.where)
    lacking = (*lacking, *ground.part_lists((service,)))
    said: tuple[Warn, ...] = ()
    if reading.column is not None:
        takes, said = _takes(ground, service, ground.number_column(reading.column), rows)
        blank = int(np.count_nonzero(np.isnan(takes)))
        if blank:
            lacking = (*lacking, ground.no_column(reading.column, (service,), blank, len(rows)))
    else:
        assert reading.maximum is not None
        takes = np.full(len(rows), ground.amount(reading.maximum))
    sure = (state == YES) & np.isfinite(takes)
    maybe = (state != NO) & ~sure
    if len(rows) and not sure.any() and maybe.any():
        return nothing(*lacking)
    everyone = int(persons.sum())
    bound = np.where(np.isfinite(takes), takes, everyone)
    served, unserved = _served(ground, reading, rows[sure], bound[sure].astype(np.int64))
    most = served
    if maybe.any():
        chosen = sure | maybe
        most, _ = _served(ground, reading, rows[chosen], bound[chosen].astype(np.int64))
    cells = np.arange(len(persons), dtype=np.int32)
    part = (persons - unserved).astype(np.float64)
    atoms = Atoms(
        "cell",
        cells,
        np.where(persons < whole, UNKNOWN, np.where(unserved == 0, YES, NO)).astype(np.int8),
        part,
        whole.astype(np.float64),
    )
    if closed:
        said = (*said, Warn("scorecard_catchment", {"choice": "closed"}))
    settled, area = everyone - (most - served), int(whole.sum())
    return Outcome(
        value=served / settled if settled else None,
        lower=served / area,
        upper=(most + area - everyone) / area,
        assessed_share=settled / area,
        have=float(served),
        of=float(settled),
        atoms=atoms,
        missing=tuple(lacking),
        warnings=said,
    )


def _takes(
    ground: Ground, service: str, column: FloatArray, rows: Int32Array
) -> tuple[FloatArray, tuple[Warn, ...]]:
    """How many persons facilities take, NaN unknown: their own column, else as in catchments.

    The second is what the policy makes of their area, so that C is one figure everywhere.
    """
    takes = column[rows].copy()
    blank = np.isnan(takes)
    if not blank.any() or service not in ground.policy.capacity_services:
        return takes, ()
    held = capacity_of(ground.city, ground.policy, service)
    most = dict(zip(held.facility.tolist(), held.maximum.tolist(), strict=True))
    takes[blank] = [most.get(int(row), np.nan) for row in rows[blank]]
    return takes, held.warnings if np.isfinite(takes[blank]).any() else ()


def _served(
    ground: Ground, reading: Capacity, rows: Int32Array, bound: IntArray
) -> tuple[int, IntArray]:
    """Residents served, and those unserved of every cell."""
    persons = judged_persons(ground.study, reading.service, TOTAL)
    if len(rows) == 0:
        return 0, persons
    own = ground.policy.services[reading.service].minutes.value
    minutes = own if reading.minutes is None else ground.amount(reading.minutes)
    cost = walk_matrix(
        ground.costs,
        ground.attachments(rows),
        ground.city.cells.position,
        rows,
        ground.limit_cm(minutes),
    )
    if ground.word(reading.borders) == "closed":
        home = Own.of(ground.city, ground.policy, rows)
        cost = np.where(home.cell[None, :] == home.facility[:, None], cost, UNREACHED_CM)
    city = ground.city
    ranks = partial(Ranks.from_ids, city.cells.id, city.facilities.id[rows])
    found = balanced_assignment(persons, cost, np.zeros(len(rows), np.int64), bound, ranks)
    return int(persons.sum()) - found.total_unserved, found.unserved
