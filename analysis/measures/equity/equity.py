"""Equity: how evenly the walks to a service are spread over people, and who has the longest.

Minutes of walking are a burden: more is worse. People with no way (far from any street, cut
off, or no facility in the area) have no minutes: they stand outside Gini, Palma and the means,
are counted as beyond the floor, and come first in the worst tenth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, cast

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.equity.inequality import Spread
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import (
    Asked,
    Question,
    Study,
    Walks,
    ask,
    level_of,
    settle,
    walks_to,
)
from lifecircle.analysis.measures.remarks import (
    list_remarks,
    not_assessed,
    outside_units,
    resting_on,
    units_unknown,
)
from lifecircle.analysis.measures.residents import (
    judged_persons,
    persons_of,
    sums_by,
    unknown_units,
)
from lifecircle.analysis.policy import Walker
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    SECONDS_PER_MINUTE,
    UNREACHED_CM,
    Int32Array,
    IntArray,
    minutes_of,
)

TENTH: Final = 10
HOUSEHOLDS: Final = "households"  # counted in cells like a group, but not persons


@dataclass(frozen=True, slots=True)
class EquityRow:
    """One unit, one group or the area; persons whole, None = not computable.

    `residents` are the persons asked about, `not_assessed` those of them whom the service's list
    does not cover; the figures are of the others. `without_way` have no way.
    `gini` 0-1 and `palma` (mean walk of the tenth that walks longest ÷ mean walk of the four
    tenths that walk shortest) and `mean_minutes`, `median_minutes` are of the persons with a way.
    `sufficient`: persons within the floor; `below` all others; `below_share` of residents;
    `excess_minutes`: mean minutes beyond the floor of those below who have a way.
    """

    code: str
    name: str
    name_en: str | None
    residents: int | None
    not_assessed: int | None
    without_way: int | None
    gini: float | None
    palma: float | None
    mean_minutes: float | None
    median_minutes: float | None
    sufficient: int | None
    below: int | None
    below_share: float | None
    excess_minutes: float | None


@dataclass(frozen=True, slots=True)
class WorstUnit:
    """Persons of a unit in the area's worst tenth, and their share of the unit's persons."""

    code: str
    name: str
    name_en: str | None
    persons: int
    share: float


@dataclass(frozen=True, slots=True)
class WorstTenth:
    """The fewest cells with the longest walks that hold a tenth of the persons, ties together.

    `from_minutes`: the shortest walk among them (None when nobody among them has a way);
    `mean_minutes` of those with a way. `groups`: persons of every group (all residents first,
    as ``total``) in these cells, and their share of the group in the area. `units`: where,
    most persons first. `cells` indexes ``city.cells``, ascending.
    """

    persons: int
    without_way: int
    from_minutes: float | None
    mean_minutes: float | None
    groups: tuple[tuple[str, int, float | None], ...]
    units: tuple[WorstUnit, ...]
    cells: Int32Array


@dataclass(frozen=True, slots=True)
class Equity:
    """Equity of one service; `minutes` is the floor. `groups`: all residents and every group.

    `tenths`: mean minutes of each tenth of the persons with a way, the shortest walks first;
    empty where there is nobody.
    """

    service: str
    minutes: float
    walker: str
    group: str
    by: str
    total: EquityRow
    groups: tuple[EquityRow, ...]
    units: tuple[EquityRow, ...]
    tenths: tuple[float, ...]
    worst: WorstTenth | None
    warnings: tuple[Warn, ...]


def equity(study: Study, question: Question) -> Equity:
    """How evenly walks to one service are spread, for the area, its groups and every unit.

    Errors as in `coverage`; the minutes asked for are the floor of sufficiency.

    Examples
    --------
    >>> import lifecircle as lc
    >>> found = lc.equity(lc.tiny_town().study, lc.Question("health_centre"))
    >>> found.total.residents, found.total.sufficient
    (900, 600)

    Source
    ------
    Lorenz 1905 and Gini 1912; Palma 2011; the sufficiency share is the P of coverage turned
    round. Every sum is of whole persons and whole centimetres, so that the figures do not
    depend on the order of cells, on how people are split into cells, or on the walker's speed.
    """
    question = settle(study, question)
    city, group = study.city, question.group
    asked = ask(study, question)
    level = level_of(city, question.by)
    persons = judged_persons(study, asked.service.id, group)
    everybody = persons_of(city.cells, group)
    walks = walks_to(study, asked.service.id)
    rows = city.units.of_level(level)
    unknown = unknown_units(city, level)
    cm = None if walks is None else reached_cm(city, walks)
    members = _members(study, level)
    units = tuple(
        _row(
            *_names(city, int(i)),
            None if unknown[i] else _Walkers.of(cm, persons, everybody, members[i]),
            asked,
        )
        for i in rows
    )
    everyone = np.arange(len(city.cells))
    all_of_them = _Walkers.of(cm, persons, everybody, everyone)
    counted = city.cells.counted

    def of_group(one: str) -> _Walkers:
        if one == group:
            return all_of_them
        judged = judged_persons(study, asked.service.id, one)
        return _Walkers.of(cm, judged, persons_of(city.cells, one), everyone)

    groups = (TOTAL, *(one for one in city.cells.groups if one != HOUSEHOLDS))
    return Equity(
        asked.service.id,
        asked.minutes,
        asked.walker.id,
        group,
        level,
        _row(TOTAL, TOTAL, None, all_of_them if counted else None, asked),
        tuple(
            _row(
                one,
                one,
                None,
                of_group(one) if counted else None,
                asked,
            )
            for one in groups
        ),
        units,
        () if all_of_them.spread is None else _minutes(all_of_them.spread.tenths(), asked),
        None if cm is None else _worst(study, cm, asked, persons, all_of_them, groups, level),
        (
            *list_remarks(study, asked.service, group),
            *_remarks(city, asked, walks, all_of_them, persons, level, rows[unknown[rows]]),
        ),
    )


def reached_cm(city: City, walks: Walks) -> Int32Array:
    """Walks of the cells, ``UNREACHED_CM`` also for those off the streets, int32 (c,)."""
    off = city.cells.position.edge == NOBODY
    return np.where(off, UNREACHED_CM, walks.cell_cm).astype(np.int32)


@dataclass(frozen=True, slots=True)
class _Walkers:
    """Persons of one set of cells; `spread` of those with a way, None where not assessed.

    `persons` are assessed, `aside` are not.
    """

    persons: int
    aside: int
    without_way: int | None
    spread: Spread | None

    @classmethod
    def of(
        cls, cm: Int32Array | None, persons: IntArray, everybody: IntArray, mine: IntArray
    ) -> _Walkers:
        """Of the cells `mine`; `cm` are the walks of all cells, `persons` those assessed."""
        weight = persons[mine]
        total, known = int(weight.sum()), int(everybody[mine].sum())
        if cm is None or (known and not total):
            return cls(0, known, None, None)
        walked = cm[mine]
        way = walked != UNREACHED_CM
        spread = Spread.of(walked[way], weight[way])
        return cls(total, known - total, int(weight[~way].sum()), spread)


def _members(study: Study, level: str) -> list[IntArray]:
    """Cells of every unit of a level, ascending, found once."""
    place = ("members", level)
    if place not in study.kept:
        index = study.city.cells.unit[level]
        order = np.argsort(index, kind="stable")
        cuts = np.searchsorted(index[order], np.arange(len(study.city.units.code) + 1))
        study.kept[place] = [order[first:last] for first, last in pairwise(cuts)]
    return cast(list[IntArray], study.kept[place])


def _names(city: City, i: int) -> tuple[str, str, str | None]:
    units = city.units
    return str(units.code[i]), str(units.name[i]), units.name_en[i]


def _row(
    code: str, name: str, name_en: str | None, who: _Walkers | None, asked: Asked
) -> EquityRow:
    if who is None:
        return EquityRow(code, name, name_en, *(None,) * 11)
    if who.spread is None:
        return EquityRow(code, name, name_en, who.aside, who.aside, *(None,) * 9)
    spread = who.spread
    within = spread.persons_within(asked.limit_cm)
    below = who.persons - within
    excess = spread.excess_over(asked.limit_cm)
    return EquityRow(
        code,
        name,
        name_en,
        residents=who.persons + who.aside,
        not_assessed=who.aside,
        without_way=who.without_way,
        gini=spread.gini(),
        palma=spread.palma(),
        mean_minutes=_minute(spread.mean(), asked),
        median_minutes=_minute(spread.median(), asked),
        sufficient=within,
        below=below,
        below_share=below / who.persons if who.persons else None,
        excess_minutes=_minute(excess, asked),
    )


def _minute(cm: float | None, asked: Asked) -> float | None:
    """Minutes of so many centimetres of walking."""
    if cm is None:
        return None
    return float(cm / _cm_per_minute(asked.walker))


@lru_cache(maxsize=64)
def _cm_per_minute(walker: Walker) -> float:
    return CM_PER_M * float(walker.speed_m_per_s) * SECONDS_PER_MINUTE


def _minutes(cm: tuple[float, ...], asked: Asked) -> tuple[float, ...]:
    found = (_minute(one, asked) for one in cm)
    return tuple(one for one in found if one is not None)


def _worst(
    study: Study,
    cm: Int32Array,
    asked: Asked,
    persons: IntArray,
    everyone: _Walkers,
    groups: tuple[str, ...],
    level: str,
) -> WorstTenth | None:
    """The area's worst tenth; None where the group has nobody.

    `cm`: the walks of the cells (c,); `everyone` those of all `persons`.
    """
    city = study.city
    if everyone.spread is None or everyone.persons == 0:
        return None
    lost = everyone.without_way or 0
    least_cm = UNREACHED_CM
    if lost * TENTH < everyone.persons:
        least_cm = everyone.spread.worst_from(lost)
    chosen = np.flatnonzero((persons > 0) & (cm >= least_cm)).astype(np.int32)
    way = chosen[cm[chosen] != UNREACHED_CM]
    inside = int(persons[chosen].sum())
    spread = Spread.of(cm[way], persons[way])
    unit = city.cells.unit[level]
    size = len(city.units.code)
    there = sums_by(unit[chosen], size, persons[chosen])
    whole = sums_by(unit, size, persons)
    places = sorted(np.flatnonzero(there), key=lambda i: (-int(there[i]), str(city.units.code[i])))
    return WorstTenth(
        inside,
        inside - int(persons[way].sum()),
        float(minutes_of(cm[way], asked.walker.speed_m_per_s).min()) if len(way) else None,
        _minute(spread.mean(), asked),
        tuple(_in_group(study, asked, one, chosen) for one in groups),
        tuple(
            WorstUnit(*_names(city, int(i)), int(there[i]), int(there[i]) / int(whole[i]))
            for i in places
        ),
        chosen,
    )


def _in_group(
    study: Study, asked: Asked, group: str, cells: Int32Array
) -> tuple[str, int, float | None]:
    persons = judged_persons(study, asked.service.id, group)
    inside, whole = int(persons[cells].sum()), int(persons.sum())
    return group, inside, inside / whole if whole else None


def _remarks(
    city: City,
    asked: Asked,
    walks: Walks | None,
    everyone: _Walkers,
    persons: IntArray,
    level: str,
    missing: Int32Array,
) -> Iterator[Warn]:
    if walks is None:
        yield not_assessed(asked.service)
    if everyone.without_way:
        yield Warn("equity_without_way", {"residents": everyone.without_way})
    yield from resting_on(city)
    if not city.cells.counted:
        return
    yield from units_unknown(city.units, missing)
    yield from outside_units(city, level, persons)
