"""Gaps: connected groups of uncovered cells."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import shapely

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.catchments.kept import catchments_behind
from lifecircle.analysis.measures.coverage import served_within
from lifecircle.analysis.measures.linking import linked_groups
from lifecircle.analysis.measures.outlines import outline
from lifecircle.analysis.measures.question import (
    Asked,
    Question,
    Study,
    Walks,
    ask,
    covered,
    home_unit,
    not_assessed,
    persons_of,
    sums_by,
    walks_to,
)
from lifecircle.analysis.quantities import (
    NOBODY,
    UNREACHED_CM,
    BoolArray,
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
    study: Study,
    question: Question,
    *,
    min_residents: int = 0,
    drawn: dict[bytes, shapely.Geometry] | None = None,
) -> tuple[Gap, ...]:
    """Gaps of one service, most residents first; walks in minutes, polygons in the city's CRS.

    Uncovered cells with residents are linked when their attachment points lie within the
    policy's `link_m` on one component; cells off the streets are linked by their own points.
    A service that is not assessed has no gaps (see `gap_warnings`). Residents in reach whom no
    facility has room for (`balanced` catchments) make gaps too, `over_capacity`; a cell served
    in part counts with its unserved residents only.

    Parameters
    ----------
    drawn : outlines by their cells, filled here: hand the same one to all questions about one
        city under one policy, and what many services lack together is joined once.

    Raises
    ------
    UnknownNameError : no such service, walker or group.
    ParameterError : minutes not above 0 or beyond a day, or `min_residents` below 0.

    Examples
    --------
    >>> import lifecircle as lc
    >>> found = lc.gaps(lc.tiny_town().study, lc.Question("health_centre"))
    >>> [(gap.residents, gap.reason, gap.unit_code) for gap in found[:1]]
    [(100, 'too_far', 'E')]
    """
    city, policy, group = study.city, study.policy, question.group
    asked = ask(study, question)
    persons = persons_of(city.cells, group)
    if min_residents < 0:
        raise ParameterError("min_residents_negative", value=min_residents)
    walks = walks_to(study, asked.service.id)
    if walks is None:
        return ()
    near = covered(walks.cell_cm, city.cells.position, asked.limit_cm)
    served, _ = served_within(catchments_behind(study, question), asked, group)
    full = near & (served < persons) if served is not None else np.zeros_like(near)
    persons = np.where(full, persons - (0 if served is None else served), persons)
    uncovered = np.flatnonzero((~near | full) & (persons > 0))
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
    without = _Without(uncovered.astype(np.int32), label, persons, full)
    found = _found(study, question, walks, without, min_residents, {} if drawn is None else drawn)
    return tuple(sorted(found, key=lambda gap: (-gap.residents, gap.id)))


def gap_warnings(study: Study, question: Question) -> tuple[Warn, ...]:
    """Why a service shows no gaps although nothing is known about it."""
    service = ask(study, question).service
    return () if study.city.assessed(service.id) else (not_assessed(service),)


def _reasons(city: City, walks: Walks, full: BoolArray) -> Int32Array:
    """Index into REASONS per cell (c,), the first that holds; too_far otherwise.

    `full`: cells in reach of a facility that has no room for all of them.
    """
    off = city.cells.position.edge == NOBODY
    none = np.full(len(off), not walks.any_facility)
    lost = walks.cell_cm == UNREACHED_CM
    too_far = REASONS.index("too_far")
    return np.select(
        [off, none, lost, full], [0, 1, 2, REASONS.index("over_capacity")], default=too_far
    ).astype(np.int32)


@dataclass(frozen=True, slots=True)
class _Without:
    """Cells with residents who are not covered.

    `cell` int32 (u,): indices; `label` int32 (u,): which of them belong together. Of all cells:
    `persons` int64 (c,) who are without, and whether facilities in reach are `full` (c,).
    """

    cell: Int32Array
    label: Int32Array
    persons: IntArray
    full: BoolArray


def _found(
    study: Study,
    question: Question,
    walks: Walks,
    without: _Without,
    min_residents: int,
    drawn: dict[bytes, shapely.Geometry],
) -> list[Gap]:
    """The gaps of labelled cells; what can be counted for all of them at once is."""
    city, policy = study.city, study.policy
    asked = ask(study, question)
    label, persons, full = without.label, without.persons, without.full
    order = np.argsort(label, kind="stable")
    label, chosen = label[order], without.cell[order]
    start = np.searchsorted(label, np.arange(int(label[-1]) + 2))
    size = len(start) - 1
    weight = persons[chosen]
    cm = walks.cell_cm[chosen]
    way = cm != UNREACHED_CM
    way_start = np.searchsorted(label[way], np.arange(size + 1))
    walkers = weight[way].astype(np.float64)
    walked = minutes_of(cm[way], asked.walker.speed_m_per_s) * walkers
    residents = sums_by(label, size, weight)
    groups = {
        name: sums_by(
            label, size, np.where(full, np.minimum(count.value, persons), count.value)[chosen]
        )
        for name, count in city.cells.groups.items()
    }
    unit = _most(label, size, home_unit(city, city.cells.unit)[chosen], weight)
    nearest = _most(label[way], size, walks.cell_facility[chosen][way], weight[way])
    reason = _most(label, size, _reasons(city, walks, full)[chosen], weight)
    ids = city.cells.id[chosen]
    found = []
    for i in np.flatnonzero(residents >= min_residents):
        mine = slice(int(start[i]), int(start[i + 1]))
        cells = chosen[mine].copy()
        read_only(cells)
        way_mine = slice(int(way_start[i]), int(way_start[i + 1]))
        shape = drawn.get(cells.tobytes())
        if shape is None:
            shape = outline(city.cells, cells, policy.gaps.disc_radius_m.value)
            drawn[cells.tobytes()] = shape
        found.append(
            Gap(
                id=_gap_id(asked, question.group, min(map(str, ids[mine]))),
                service=asked.service.id,
                residents=int(residents[i]),
                groups=MappingProxyType({name: int(sums[i]) for name, sums in groups.items()}),
                minutes_to_nearest=(
                    float(walked[way_mine].sum() / walkers[way_mine].sum())
                    if way_start[i] < way_start[i + 1]
                    else None
                ),
                nearest_facility=None if nearest[i] == NOBODY else int(nearest[i]),
                reason=REASONS[reason[i]],
                unit_code=None if unit[i] == NOBODY else str(city.units.code[unit[i]]),
                unit_name=None if unit[i] == NOBODY else str(city.units.name[unit[i]]),
                cells=cells,
                geometry=shape,
            )
        )
    return found


def _most(label: Int32Array, size: int, index: Int32Array, weight: IntArray) -> Int32Array:
    """Per group the index most persons share (the lowest on a tie), int32 (size,).

    NOBODY where that is nothing, or where a group has no member.
    """
    most = np.full(size, NOBODY, dtype=np.int32)
    if len(index) == 0:
        return most
    span = int(index.max()) - NOBODY + 1
    keys, inverse = np.unique(label.astype(np.int64) * span + (index - NOBODY), return_inverse=True)
    persons = np.bincount(inverse.ravel(), weights=weight)
    owner, value = np.divmod(keys, span)
    best = np.lexsort((value, -persons, owner))
    owners, first = np.unique(owner[best], return_index=True)
    most[owners] = value[best][first] + NOBODY
    return most


def _gap_id(asked: Asked, group: str, lowest_cell: str) -> str:
    """A short name: the same question about the same cells gives the same one."""
    text = f"{asked.service.id}|{asked.walker.id}|{asked.minutes:.6f}|{group}|{lowest_cell}"
    return f"{asked.service.id}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
