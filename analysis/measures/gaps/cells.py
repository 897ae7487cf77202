"""Who is without, why, and which neighbours belong together: what gaps are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.measures.catchments.kept import catchments_behind, served_within
from lifecircle.analysis.measures.linking import linked_groups
from lifecircle.analysis.measures.question import (
    WHOLE,
    Asked,
    Question,
    Study,
    Walks,
    ask,
    covered,
    level_of,
)
from lifecircle.analysis.measures.residents import persons_of, sums_by
from lifecircle.analysis.measures.unsnapped import near_short_piece
from lifecircle.analysis.quantities import NOBODY, UNREACHED_CM, BoolArray, Int32Array, IntArray

Reason = Literal["no_facility", "too_far", "over_capacity", "unsnapped", "cut_off"]

REASONS: Final[tuple[Reason, ...]] = (
    "unsnapped",
    "no_facility",
    "cut_off",
    "too_far",
    "over_capacity",
)
FULL: Final = "over_capacity"


@dataclass(frozen=True, slots=True)
class Bridge:
    """Who is without, in persons of the group asked for, and how the headlines hang together.

    ``known = covered + not_covered + not_assessed`` and, where catchments exist,
    ``covered = served + full``; all but `known` and `not_assessed` are None where the service is
    not assessed, these two as well where nobody is counted, `served` and `full` where there are
    no catchments for the question. `reasons`: residents by reason, ``over_capacity`` too.
    `short_piece`: of the ``unsnapped`` those near a piece of streets too short to join; the others
    are near none.
    """

    service: str
    known: int | None
    covered: int | None
    not_covered: int | None
    not_assessed: int | None
    full: int | None
    served: int | None
    reasons: Mapping[str, int]
    short_piece: int = 0


def not_judged(asked: Asked, persons: IntArray | None) -> Bridge:
    """The sums of a service that is not assessed; of an area where nobody is counted (None)."""
    nothing: Mapping[str, int] = MappingProxyType({})
    known = None if persons is None else int(persons.sum())
    return Bridge(asked.service.id, known, None, None, known, None, None, nothing)


@dataclass(frozen=True, slots=True)
class Without:
    """Cells with residents who are without, sorted by the gap they belong to.

    `cell`, `label`, `region` int32 (u,): index, gap and region of each; `persons` int64 (c,) of
    all cells who are without; `reason`, and `unit` that names a gap, int32 (c,) of all cells.
    """

    cell: Int32Array
    label: Int32Array
    region: Int32Array
    persons: IntArray
    unit: Int32Array
    reason: Int32Array


def who_is_without(study: Study, question: Question, walks: Walks) -> tuple[Without | None, Bridge]:
    """The cells that make gaps, None where nobody is without, and the sums of all residents."""
    city, group = study.city, question.group
    asked = ask(study, question)
    persons = persons_of(city.cells, group)
    inside = study.judged(asked.service.id).cell
    near = inside & covered(walks.cell_cm, city.cells.position, asked.limit_cm)
    served, _ = served_within(catchments_behind(study, question), asked, group)
    full = near & (served < persons) if served is not None else np.zeros_like(near)
    lacking = np.where(full, persons - (0 if served is None else served), persons)
    reason = _reasons(city, walks, full)
    uncovered = np.flatnonzero(inside & (~near | full) & (lacking > 0)).astype(np.int32)
    reasons = _by_reason(reason, lacking, uncovered)
    short = int(lacking[uncovered[near_short_piece(study)[uncovered]]].sum())
    bridge = replace(_bridge(asked, persons, (inside, near), served, reasons), short_piece=short)
    if len(uncovered) == 0:
        return None, bridge
    return _linked(study, question.by, uncovered, lacking, reason), bridge


def _units(study: Study, by: str | None) -> Int32Array:
    """The unit that names the gaps of a cell, int32 (c,), NOBODY outside all."""
    if by in (None, WHOLE) or by == study.default_level:
        return study.home_unit
    return study.city.cells.unit[level_of(study.city, by)]


def _reasons(city: City, walks: Walks, full: BoolArray) -> Int32Array:
    """Index into REASONS per cell (c,), the first that holds; too_far otherwise.

    `full`: cells in reach of a facility that has no room for all of them.
    """
    off = city.cells.position.edge == NOBODY
    none = np.full(len(off), not walks.any_facility)
    lost = walks.cell_cm == UNREACHED_CM
    too_far = REASONS.index("too_far")
    return np.select(
        [off, none, lost, full], [0, 1, 2, REASONS.index(FULL)], default=too_far
    ).astype(np.int32)


def _by_reason(reason: Int32Array, lacking: IntArray, uncovered: Int32Array) -> dict[str, int]:
    sums = sums_by(reason[uncovered], len(REASONS), lacking[uncovered]).tolist()
    return {name: count for name, count in zip(REASONS, sums, strict=True) if count}


def _bridge(
    asked: Asked,
    persons: IntArray,
    judged: tuple[BoolArray, BoolArray],
    served: IntArray | None,
    reasons: dict[str, int],
) -> Bridge:
    """The sums; that they hang together is checked, not assumed.

    `judged`: who is assessed, and of them who is near.
    """
    inside, near = judged
    known, reached = int(persons.sum()), int(persons[near].sum())
    aside = int(persons[~inside].sum())
    with_room = None if served is None else int(served.sum())
    full = reasons.get(FULL, 0)
    if sum(reasons.values()) - full != known - reached - aside:
        raise ArithmeticError("residents in gaps differ from those not covered")
    if with_room is not None and with_room + full != reached:
        raise ArithmeticError("served residents and those in reach of full places are not all")
    return Bridge(
        asked.service.id,
        known,
        reached,
        known - reached - aside,
        aside,
        None if with_room is None else full,
        with_room,
        MappingProxyType(reasons),
    )


def _linked(
    study: Study, by: str | None, uncovered: Int32Array, lacking: IntArray, reason: Int32Array
) -> Without:
    """Which cells belong together: as regions, and cut at the borders of units."""
    city, link_m = study.city, study.policy.gaps.link_m.value
    unit = _units(study, by)
    edge = city.cells.position.edge[uncovered]
    off = edge == NOBODY
    component = np.where(off, NOBODY, city.network.edge_component[edge]).astype(np.int64)
    place = np.where(off[:, None], city.cells.xy_m[uncovered], city.cells.position.xy_m[uncovered])
    kind = (component - NOBODY) * len(REASONS) + reason[uncovered]
    region = linked_groups(place, _numbered(kind), link_m)
    if by == WHOLE:
        label = region
    else:
        apart = kind * (len(city.units.code) + 1) + (unit[uncovered] - NOBODY)
        label = linked_groups(place, _numbered(apart), link_m)
    order = np.argsort(label, kind="stable")
    return Without(uncovered[order], label[order], region[order], lacking, unit, reason)


def _numbered(keys: IntArray) -> Int32Array:
    return np.unique(keys, return_inverse=True)[1].ravel().astype(np.int32)
