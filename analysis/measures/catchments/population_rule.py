"""The rule 3万–10万: one government-run centre in each 街道, or one per 30,000 to 100,000.

Reading **A** of a street: it has at least one government-run centre. Reading **B**: streets
without one join the street whose centre serves most of their residents when everyone walks to
the nearest government-run centre; the group meets B when its residents over its centres lie in
the range. The rule is met when A **or** B. Unknown ownership leaves a street NOT_ASSESSED unless
a known government-run centre settles it.

Source: 昆政办〔2022〕77号 三(二)4; the numbers are ``[services.<id>.capacity]`` of the policy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from lifecircle.analysis.access.nearest import service_attachments
from lifecircle.analysis.access.od_matrix import nearest_walks, service_facilities
from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.catchments.rule_result import STATES, RuleResult, RuleRow, State
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.measures.residents import sums_by, unknown_units
from lifecircle.analysis.policy.sections.capacity import PopulationRule
from lifecircle.analysis.quantities import NOBODY, BoolArray, Counts, Int32Array, IntArray


def needed_centres(residents: int, minimum: int, maximum: int) -> tuple[int, int | None]:
    """Fewest and most centres the rule asks for: max(1, ⌈P/max⌉) to max(1, ⌊P/min⌋).

    Where the rule has no minimum (0) there is no most (None): no number of centres is too many.
    """
    fewest = max(1, -(-residents // maximum))
    return fewest, max(1, residents // minimum) if minimum else None


def population_rule(study: Study) -> RuleResult | None:
    """The rule for every street and the area; None where the policy or the area has none.

    None: the policy states no such rule, or no unit of its levels exists here.
    """
    city, policy = study.city, study.policy
    rule = policy.capacities.population_rule
    if rule is None:
        return None
    capacity = policy.services[rule.service].capacity
    levels = [level for level in rule.levels if level in city.units.levels]
    streets = np.concatenate(
        [np.zeros(0, np.int32), *(city.units.of_level(level) for level in levels)]
    )
    if capacity is None or len(streets) == 0:
        return None
    low, high = int(capacity.minimum.value), int(capacity.maximum.value)
    return _Count.of(study, rule, levels, streets).result(rule, low, high)


@dataclass(frozen=True, slots=True)
class _Count:
    """Residents and centres of every unit (k,), and where streets would join."""

    city: City
    streets: Int32Array
    residents: Counts
    government: IntArray
    private: IntArray
    unknown: IntArray
    joins: Int32Array
    assessed: BoolArray

    @classmethod
    def of(
        cls, study: Study, rule: PopulationRule, levels: list[str], streets: Int32Array
    ) -> _Count:
        city, costs = study.city, study.costs
        size = len(city.units.code)
        centres = _centres(city, rule)
        street = np.full(len(centres), NOBODY, dtype=np.int32)
        of_cell = np.full(len(city.cells), NOBODY, dtype=np.int32)
        unknown_people = np.zeros(size, dtype=np.bool_)
        for level in levels:
            held = city.facilities.unit[level][centres]
            street = np.where(held >= 0, held, street).astype(np.int32)
            inside = city.cells.unit[level]
            of_cell = np.where(inside >= 0, inside, of_cell).astype(np.int32)
            unknown_people |= unknown_units(city, level)
        summed = sums_by(of_cell, size, city.cells.residents)
        residents = Counts.of(summed, ~unknown_people)
        owner = _owners(city, centres)
        known = np.array([one in rule.ownership for one in owner], dtype=np.bool_)
        none = np.array([one is None for one in owner], dtype=np.bool_)

        def count(chosen: BoolArray) -> IntArray:
            inside = street[chosen & (street >= 0)]
            return np.bincount(inside, minlength=size).astype(np.int64)

        run = known & (street >= 0)
        joins = _joins(city, costs, rule.service, centres[run], street[run], of_cell)
        return cls(
            city, streets, residents, count(known), count(~known & ~none), count(none), joins,
            study.judged(rule.service).unit & city.assessed(rule.service),
        )  # fmt: skip

    def result(self, rule: PopulationRule, low: int, high: int) -> RuleResult:
        """All rows and the figures of the area."""
        rows = tuple(self._row(int(unit), low, high) for unit in self.streets)
        judged = [row for row in rows if self.assessed[row.unit]] or rows
        known = [row for row in judged if row.residents is not None]
        residents = sum(row.residents or 0 for row in known)
        run = sum(row.government for row in judged)
        needed = needed_centres(residents, low, high)
        decided = [row for row in rows if row.met is not None]
        met = sum(bool(row.met) for row in decided)
        states = Counter(row.state for row in rows)
        undecided = len(rows) - len(decided)
        warnings = []
        if not self.city.assessed(rule.service):
            warnings.append(Warn("rule_not_assessed", {"service": rule.service}))
        elif states["NOT_ASSESSED"]:
            warnings.append(Warn("rule_undecided", {"count": states["NOT_ASSESSED"]}))
        return RuleResult(
            service=rule.service,
            levels=rule.levels,
            minimum=low,
            maximum=high,
            rows=rows,
            residents=residents,
            government=run,
            private=sum(row.private for row in rows),
            unknown=sum(row.unknown for row in rows),
            per_centre=residents / run if run else None,
            states=MappingProxyType({state: states[state] for state in STATES}),
            share_a=_share([row.reading_a for row in rows]),
            share_b=_share([row.reading_b for row in rows]),
            share_met=met / len(decided) if decided else None,
            share_met_lower=met / len(rows) if decided else None,
            share_met_upper=(met + undecided) / len(rows) if decided else None,
            needed_from=needed[0],
            needed_to=needed[1],
            needed_by_unit_from=sum(row.needed_from or 0 for row in known),
            needed_by_unit_to=sum(row.needed_to or 0 for row in known) if low else None,
            warnings=tuple(warnings),
        )

    def _row(self, unit: int, low: int, high: int) -> RuleRow:
        units = self.city.units
        people = self.residents.at(unit)
        run, loose = int(self.government[unit]), int(self.unknown[unit])
        group = self._group(unit)
        reading_a, reading_b = self._reading_a(unit), None
        if reading_a is not None:
            reading_b = self._reading_b(group, low, high)
        met = True if reading_a else reading_b
        span = (None, None) if people is None else needed_centres(people, low, high)
        whole = self._sums(group)
        return RuleRow(
            unit=unit,
            code=str(units.code[unit]),
            name=str(units.name[unit]),
            name_en=units.name_en[unit],
            residents=people,
            government=run,
            private=int(self.private[unit]),
            unknown=loose,
            per_centre=people / run if run and people is not None else None,
            reading_a=reading_a,
            reading_b=reading_b,
            met=met,
            state=_state(met, people, run, self._too_full(unit, group, high), low),
            group=tuple(str(units.code[one]) for one in group),
            group_residents=whole[0],
            group_centres=whole[1],
            group_per_centre=whole[0] / whole[1] if whole[0] is not None and whole[1] else None,
            needed_from=span[0],
            needed_to=span[1],
            notes=self._notes(unit, group, low, high),
            missing=self._missing(unit, met),
        )

    def _reading_a(self, unit: int) -> bool | None:
        """Whether a street has a government-run centre; None where that is not known."""
        if not self.assessed[unit]:
            return None
        return True if self.government[unit] else None if self.unknown[unit] else False

    def _group(self, unit: int) -> list[int]:
        """Streets that stand together with this one, itself first; those undecided left out."""
        head = unit if self.government[unit] else int(self.joins[unit])
        if head == NOBODY:
            return [unit]
        joined = [
            int(one)
            for one in self.streets
            if one != head and self.joins[one] == head and self._joins_others(int(one))
        ]
        return [unit, *(one for one in (head, *joined) if one != unit)]

    def _joins_others(self, unit: int) -> bool:
        settled = self.government[unit] == 0 and self.unknown[unit] == 0
        return bool(settled and self.assessed[unit])

    def _sums(self, group: list[int]) -> tuple[int | None, int]:
        people, centres = self.residents.take(group), int(self.government[group].sum())
        return int(people.value.sum()) if people.known.all() else None, centres

    def _reading_b(self, group: list[int], low: int, high: int) -> bool | None:
        """Whether the group lies in the range; None where unknown owners or residents decide."""
        people, centres = self._sums(group)
        if people is None:
            return None
        if not centres:
            return False
        head = next(one for one in group if self.government[one])
        might_join = self.residents.take(self._might_join(head))
        if not might_join.known.all():
            return None
        fewest = people / (centres + int(self.unknown[group].sum()))
        most = (people + int(might_join.value.sum())) / centres
        if low <= fewest and most <= high:
            return True
        return False if most < low or fewest > high or fewest == most else None

    def _might_join(self, head: int) -> list[int]:
        """Streets that would stand with `head`, had they surely no government-run centre."""
        return [
            int(one)
            for one in self.streets
            if self.joins[one] == head
            and not self.government[one]
            and (self.unknown[one] or not self.assessed[one])
        ]

    def _too_full(self, unit: int, group: list[int], high: int) -> bool:
        """Whether more than `high` residents come to a centre, of the street or of its group."""
        alone = bool(self.government[unit]) and _over(self._sums([unit]), high)
        return alone or _over(self._sums(group), high)

    def _notes(self, unit: int, group: list[int], low: int, high: int) -> tuple[Warn, ...]:
        people, run = self.residents.at(unit), int(self.government[unit])
        notes = []
        if people is None:
            notes.append(Warn("rule_residents_unknown"))
        elif run == 1 and people < low:
            wan = f"{low / 10_000:g}"
            notes.append(
                Warn("rule_below_minimum", {"residents": people, "minimum": low, "wan": wan})
            )
        if run and people is not None and _over((people, run), high):
            notes.append(Warn("rule_more_needed", _crowd((people, run), high)))
        if run and len(group) > 1 and _over(whole := self._sums(group), high):
            notes.append(Warn("rule_group_more_needed", _crowd(whole, high)))
        elif run and (loose := self._might_join(unit)):
            largest = self._sums([*group, *loose])
            if _over(largest, high):
                told = _crowd(largest, high) | {"count": len(loose)}
                notes.append(Warn("rule_group_undecided", told))
        if run and self.unknown[unit]:
            notes.append(Warn("rule_more_unknown", {"count": int(self.unknown[unit])}))
        if not run and not self.unknown[unit] and self.private[unit]:
            notes.append(Warn("rule_private_only"))
        return tuple(notes)

    def _missing(self, unit: int, met: bool | None) -> tuple[str, ...]:
        if not self.assessed[unit]:
            return ("facilities",)
        lacking = []
        if not self.residents.known[unit]:
            lacking.append("residents")
        elif met is None:
            lacking.append("ownership")
        return tuple(lacking)


def _over(sums: tuple[int | None, int], high: int) -> bool:
    """Whether known residents over centres (residents, centres) exceed `high`."""
    people, centres = sums
    return people is not None and people > high * centres


def _crowd(sums: tuple[int | None, int], high: int) -> dict[str, int]:
    """Residents a centre (rounded up), and how many centres more bring them to `high`."""
    people, centres = sums[0] or 0, sums[1]
    return {
        "per_centre": -(-people // centres), "maximum": high, "count": -(-people // high) - centres,
    }  # fmt: skip


def _state(met: bool | None, people: int | None, run: int, too_full: bool, low: int) -> State:
    if met is None:
        return "NOT_ASSESSED"
    if not met:
        return "缺口"
    if too_full:
        return "达标但超载"
    if people is None:
        return "达标"
    return "富余" if low and run > max(1, people // low) else "达标"


def _share(answers: Sequence[bool | None]) -> float | None:
    """Streets that meet a reading over streets where it is known."""
    known = [answer for answer in answers if answer is not None]
    return sum(known) / len(known) if known else None


def _centres(city: City, rule: PopulationRule) -> Int32Array:
    """Facilities of the service that are centres, not stations or hospitals by their level."""
    found = service_facilities(city, rule.service)
    kind = city.facilities.texts("level")
    keep = [str(kind[i]).strip() not in rule.other_kinds for i in found]
    return found[np.array(keep, dtype=np.bool_)] if len(found) else found


def _owners(city: City, centres: Int32Array) -> list[Any]:
    return list(city.facilities.texts("ownership")[centres])


def _joins(
    city: City, costs: WalkCosts, service: str, centres: Int32Array, street: Int32Array,
    of_cell: Int32Array,
) -> Int32Array:  # fmt: skip
    """The street whose government-run centre is nearest to most residents of each unit (k,)."""
    size = len(city.units.code)
    joins = np.full(size, NOBODY, dtype=np.int32)
    if len(centres) == 0:
        return joins
    at = service_attachments(city, service)
    near = nearest_walks(costs, at, city.cells.position, centres, 1)
    home, to = of_cell[near.position], street[near.facility]
    persons = city.cells.residents[near.position]
    inside = (home >= 0) & (persons > 0)
    keys, row = np.unique(home[inside].astype(np.int64) * size + to[inside], return_inverse=True)
    served = np.bincount(row.ravel(), persons[inside])
    order = np.lexsort((keys % size, -served, keys // size))
    owner, first = np.unique(keys[order] // size, return_index=True)
    joins[owner] = keys[order][first] % size
    return joins
