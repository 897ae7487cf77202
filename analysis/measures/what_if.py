"""What if a place opened here, or that one closed? Before and after, nothing kept.

One use of `measures.edits`: facilities added and removed, told by service and unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from types import MappingProxyType

import numpy as np

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.facilities.ids import distinct_ids
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.edits.apply import apply_edits
from lifecircle.analysis.measures.edits.model import AddFacility, RemoveFacility
from lifecircle.analysis.measures.names import TOTAL, service_of
from lifecircle.analysis.measures.question import (
    Asked,
    Question,
    Study,
    ask,
    covered,
    level_of,
    settle,
    walks_to,
)
from lifecircle.analysis.measures.remarks import list_remarks, resting_on, units_unknown
from lifecircle.analysis.measures.residents import (
    judged_persons,
    need_residents,
    sums_by,
    unknown_units,
)
from lifecircle.analysis.quantities import UNREACHED_CM, Int32Array


@dataclass(frozen=True, slots=True)
class Addition:
    """A place to try: its service and where it joins the streets (one position, or unsnapped)."""

    service: str
    position: Positions


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One unit or the area: persons covered before and after; None where nothing is known.

    `not_assessed`: residents whom the service's list does not cover, in neither.
    """

    code: str
    name: str
    name_en: str | None
    residents: int | None
    not_assessed: int | None
    covered_before: int | None
    covered_after: int | None
    P_before: float | None
    P_after: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a change does to one service; `groups`: persons (before, after) of every group.

    `gained`, `lost`: persons newly covered, and no longer covered. `cell_cm` int32 (c,): walks
    after the change.
    """

    asked: Asked
    by: str
    gained: int
    lost: int
    groups: Mapping[str, tuple[int, int]]
    total: ChangeRow
    units: tuple[ChangeRow, ...]
    cell_cm: Int32Array
    warnings: tuple[Warn, ...]


def what_if(
    study: Study,
    question: Question,
    *,
    add: Sequence[Addition] = (),
    remove: Sequence[int] = (),
) -> tuple[Change, ...]:
    """What added and removed places do to each service they touch, in the policy's order.

    The question's own service does not count: the places say which services change.

    Parameters
    ----------
    remove : indices into ``city.facilities``.

    Raises
    ------
    UnknownNameError : no such service, walker or level.
    ParameterError : impossible minutes, or residents nobody has counted.

    Examples
    --------
    >>> import lifecircle as lc
    >>> study = lc.tiny_town().study
    >>> change, = lc.what_if(study, lc.Question(), remove=[0])
    >>> change.asked.service.id, change.lost
    ('pharmacy', 400)
    """
    city = study.city
    need_residents(city)
    places = city.facilities
    question = settle(study, question)
    add = [replace(a, service=service_of(study.policy, a.service).id) for a in add]
    touched = {a.service for a in add} | {places.service_ids[places.service[i]] for i in remove}
    for service in touched:
        ask(study, question.about(service))
    level = level_of(city, question.by)
    travel = apply_edits(study, _edits(study, add, remove)).study.travel
    return tuple(
        _change(
            study,
            ask(study, question.about(service)),
            level,
            travel.cells_to(travel.row(service))[0],
        )
        for service in study.policy.services
        if service in touched
    )


def _edits(
    study: Study, add: Sequence[Addition], remove: Sequence[int]
) -> list[AddFacility | RemoveFacility]:
    """The additions and removals as edits."""
    known = distinct_ids(study.city.facilities)
    taken, edits = set(known), []
    for one in add:
        name = next(name for k in count(1) if (name := f"what-if-{k}") not in taken)
        taken.add(name)
        lon, lat = to_lonlat(one.position.xy_m[:1], study.city.crs)[0].tolist()
        edits.append(AddFacility(one.service, lon, lat, name, position=one.position))
    return [*edits, *(RemoveFacility(known[row]) for row in dict.fromkeys(remove))]


def _change(study: Study, asked: Asked, level: str, after: Int32Array) -> Change:
    city = study.city
    walks = walks_to(study, asked.service.id)
    before = (
        np.full(len(city.cells), UNREACHED_CM, dtype=np.int32) if walks is None else walks.cell_cm
    )
    judged = study.judged(asked.service.id).cell
    was = judged & covered(before, city.cells.position, asked.limit_cm)
    now = judged & covered(after, city.cells.position, asked.limit_cm)
    persons = judged_persons(study, asked.service.id, TOTAL)
    groups = {
        name: (int(count.value[was].sum()), int(count.value[now].sum()))
        for name, count in city.cells.groups.items()
    }
    units, index = city.units, city.cells.unit[level]
    size = len(units.code)
    everybody = city.cells.residents
    whole = sums_by(index, size, everybody)
    known, first, then = (sums_by(index, size, persons, chosen) for chosen in (None, was, now))
    blank = unknown_units(city, level)
    rows = tuple(
        _row(str(units.code[i]), str(units.name[i]), units.name_en[i],
             None if blank[i] else (int(whole[i]), int(known[i]), int(first[i]), int(then[i])),
             walks is not None)
        for i in units.of_level(level)
    )  # fmt: skip
    total = tuple(int(n.sum()) for n in (everybody, persons, persons[was], persons[now]))
    missing = units.of_level(level)[blank[units.of_level(level)]]
    warnings = [*resting_on(city), *list_remarks(study, asked.service)]
    if walks is None:
        warnings.append(Warn("what_if_unassessed", {"title": asked.service.title}))
    warnings += units_unknown(units, missing)
    return Change(
        asked,
        level,
        int(persons[now & ~was].sum()),
        int(persons[was & ~now].sum()),
        MappingProxyType(groups),
        _row(TOTAL, TOTAL, None, total, walks is not None),
        rows,
        after,
        tuple(warnings),
    )


def _row(
    code: str, name: str, name_en: str | None, persons: tuple[int, ...] | None, assessed: bool
) -> ChangeRow:
    if persons is None:
        return ChangeRow(code, name, name_en, *(None,) * 6)
    whole, known, was, now = persons
    if whole and not known:
        return ChangeRow(code, name, name_en, whole, whole, *(None,) * 4)
    return ChangeRow(
        code,
        name,
        name_en,
        whole,
        whole - known,
        was if assessed else None,
        now,
        was / known if assessed and known else None,
        now / known if known else None,
    )
