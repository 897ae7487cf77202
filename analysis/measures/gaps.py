"""Gaps: connected groups of uncovered cells."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import shapely

from analysis.access.travel import TravelTable
from analysis.city.model import City
from analysis.errors import ParameterError, Warn
from analysis.measures.linking import linked_groups
from analysis.measures.outlines import outline
from analysis.measures.question import (
    TOTAL,
    Question,
    Walks,
    ask,
    default_level,
    not_assessed,
    persons_of,
    walks_to,
)
from analysis.policy import Policy
from analysis.quantities import (
    NOBODY,
    UNREACHED_CM,
    Int32Array,
    IntArray,
    minutes_of,
    read_only,
)

Reason = Literal["no_facility", "too_far", "over_capacity", "unsnapped", "cut_off"]

REASONS: Final[tuple[Reason, ...]] = (
    "unsnapped",
    "no_facility",
    "cut_off",
    "too_far",
    "over_capacity",
)


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap, worst (most residents) first; `cells` indexes ``city.cells``.

    `residents` counts the persons of the group that was asked for.
    `minutes_to_nearest`: resident-weighted mean of its cells' walks to their nearest facility,
    None where no cell has a way. `nearest_facility`: index into ``city.facilities`` of the
    facility nearest to most of its residents, None when there is none.
    `geometry`: polygon(s) in the city's metric CRS.
    """

    id: str
    service: str
    residents: int
    groups: Mapping[str, int]
    minutes_to_nearest: float | None
    nearest_facility: int | None
    reason: Reason
    unit_code: str | None
    unit_name: str | None
    cells: Int32Array
    geometry: shapely.Geometry


def gaps(
    city: City,
    travel: TravelTable,
    policy: Policy,
    *,
    service: str,
    minutes: float | None = None,
    walker: str = "adult",
    group: str = TOTAL,
    min_residents: int = 0,
) -> tuple[Gap, ...]:
    """Gaps of one service, most residents first; walks in minutes, polygons in the city's CRS.

    Uncovered cells with residents are linked when their attachment points lie within the
    policy's `link_m` on one component; cells off the streets are linked by their own points.
    A service that is not assessed has no gaps (see `gap_warnings`).

    Raises
    ------
    UnknownNameError : no such service, walker or group.
    ParameterError : minutes not above 0 or beyond a day, or `min_residents` below 0.
    """
    asked = ask(policy, service, minutes, walker)
    persons = persons_of(city.cells, group)
    if min_residents < 0:
        raise ParameterError("min_residents_negative", value=min_residents)
    walks = walks_to(city, travel, service)
    if walks is None:
        return ()
    off = city.cells.position.edge == NOBODY
    uncovered = np.flatnonzero((off | (walks.cell_cm > asked.limit_cm)) & (persons > 0))
    if len(uncovered) == 0:
        return ()
    edge = city.cells.position.edge[uncovered]
    component = np.where(edge == NOBODY, NOBODY, city.network.edge_component[edge])
    place = np.where(
        (edge == NOBODY)[:, None],
        city.cells.xy_m[uncovered],
        city.cells.position.xy_m[uncovered],
    )
    label = linked_groups(place, component.astype(np.int32), policy.gaps.link_m.value)
    reason = _reasons(city, walks)
    members = np.split(
        uncovered[np.argsort(label, kind="stable")],
        np.cumsum(np.bincount(label))[:-1],
    )
    found = [
        _gap(city, policy, asked, walks, group, persons, reason, cells.astype(np.int32))
        for cells in members
        if int(persons[cells].sum()) >= min_residents
    ]
    return tuple(sorted(found, key=lambda gap: (-gap.residents, gap.id)))


def gap_warnings(city: City, policy: Policy, *, service: str) -> tuple[Warn, ...]:
    """Why a service shows no gaps although nothing is known about it."""
    asked = ask(policy, service, None, next(iter(policy.walkers)))
    return () if city.assessed(service) else (not_assessed(asked.service),)


def _reasons(city: City, walks: Walks) -> Int32Array:
    """Index into REASONS per cell (c,), the first that holds; too_far otherwise."""
    off = city.cells.position.edge == NOBODY
    none = np.full(len(off), not walks.any_facility)
    lost = walks.cell_cm == UNREACHED_CM
    too_far = REASONS.index("too_far")
    return np.select([off, none, lost], [0, 1, 2], default=too_far).astype(np.int32)


def _gap(
    city: City,
    policy: Policy,
    asked: Question,
    walks: Walks,
    group: str,
    persons: IntArray,
    reason: Int32Array,
    cells: Int32Array,
) -> Gap:
    weight = persons[cells]
    cm = walks.cell_cm[cells]
    way = cm != UNREACHED_CM
    minutes = minutes_of(cm[way], asked.walker.speed_m_per_s)
    level = default_level(city)
    unit = _most(city.cells.unit[level][cells], weight)
    lowest = min(str(city.cells.id[i]) for i in cells)
    read_only(cells)
    return Gap(
        id=_gap_id(asked, group, lowest),
        service=asked.service.id,
        residents=int(weight.sum()),
        groups=MappingProxyType(
            {name: int(count[cells].sum()) for name, count in city.cells.groups.items()}
        ),
        minutes_to_nearest=float(np.average(minutes, weights=weight[way])) if way.any() else None,
        nearest_facility=_most(walks.cell_facility[cells][way], weight[way]),
        reason=REASONS[_most(reason[cells], weight) or 0],
        unit_code=None if unit is None else str(city.units.code[unit]),
        unit_name=None if unit is None else str(city.units.name[unit]),
        cells=cells,
        geometry=outline(city.cells, cells, policy.gaps.disc_radius_m.value),
    )


def _most(index: Int32Array, weight: IntArray) -> int | None:
    """The index most persons share (the lowest on a tie); None where that is nothing (-1)."""
    if len(index) == 0:
        return None
    values, inverse = np.unique(index, return_inverse=True)
    best = int(values[np.argmax(np.bincount(inverse, weights=weight))])
    return None if best == NOBODY else best


def _gap_id(asked: Question, group: str, lowest_cell: str) -> str:
    """A short name: the same question about the same cells gives the same one."""
    text = f"{asked.service.id}|{asked.walker.id}|{asked.minutes:.6f}|{group}|{lowest_cell}"
    return f"{asked.service.id}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
