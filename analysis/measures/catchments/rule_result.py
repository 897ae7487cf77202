"""What the rule 3万–10万 comes to: one row for each street, one result for the area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from lifecircle.analysis.errors import Warn

State = Literal["达标", "达标但超载", "缺口", "富余", "NOT_ASSESSED"]

STATES: Final[tuple[State, ...]] = ("达标", "达标但超载", "缺口", "富余", "NOT_ASSESSED")


@dataclass(frozen=True, slots=True)
class RuleRow:
    """The rule in one street.

    `unit`: index into ``city.units``. `government`, `private`, `unknown`: centres by who runs
    them (`other` words of ownership count as private). `per_centre`: residents over
    government-run centres. `group`: codes of the streets that stand together for reading B, this
    one first, and `group_residents`, `group_centres`, `group_per_centre` theirs. `reading_a`,
    `reading_b`, `met`: None = not to be decided. `needed_from`, `needed_to`: centres the rule
    asks for. `notes`: remarks; `missing`: what would decide it.
    """

    unit: int
    code: str
    name: str
    name_en: str | None
    residents: int | None
    government: int
    private: int
    unknown: int
    per_centre: float | None
    reading_a: bool | None
    reading_b: bool | None
    met: bool | None
    state: State
    group: tuple[str, ...]
    group_residents: int | None
    group_centres: int | None
    group_per_centre: float | None
    needed_from: int | None
    needed_to: int | None
    notes: tuple[Warn, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The rule for the whole area.

    `minimum`, `maximum`: the range, residents per centre. `states`: streets by state.
    `share_a`, `share_b`, `share_met`: streets that meet it over streets that are assessed,
    `share_met_lower` and `share_met_upper` with the undecided ones counted as not met and as
    met; None without any. `needed_from`, `needed_to` for all residents of the streets together,
    as if borders did not matter; `needed_by_unit_from`, `needed_by_unit_to` summed by street.
    Without a minimum (0) nothing is told of the most: `needed_to`, `needed_by_unit_to` are None.
    """

    service: str
    levels: tuple[str, ...]
    minimum: int
    maximum: int
    rows: tuple[RuleRow, ...]
    residents: int
    government: int
    private: int
    unknown: int
    per_centre: float | None
    states: Mapping[State, int]
    share_a: float | None
    share_b: float | None
    share_met: float | None
    share_met_lower: float | None
    share_met_upper: float | None
    needed_from: int
    needed_to: int | None
    needed_by_unit_from: int
    needed_by_unit_to: int | None
    warnings: tuple[Warn, ...]
