"""The scorecard of a plan as data: rows, readings, settings (frozen records, no behaviour).

A `Reading` names one of a few evaluators by its `kind` and holds its parameters; no row has code
of its own. A record is the union of what the kinds take: what a kind does not take is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of a reading and where it comes from: the plan's words or a cited figure.

    `value` is None where a setting gives it (`setting`).
    """

    value: float | None
    text: str
    source: str
    confidence: str
    setting: str | None = None


@dataclass(frozen=True, slots=True)
class Selector:
    """Units of one level; `unit_class` urban, rural or None for both."""

    level: str
    unit_class: str | None


@dataclass(frozen=True, slots=True)
class Operand:
    """One source of a number.

    `stat`: a unit's statistic. `column`: a facility's own column. `sum`: that column summed over
    the facilities of the services `of` in the unit. `group`: residents of a group in the unit's
    cells. `residents`: residents of the unit. Multiplied by `times` and divided by `over`.
    """

    stat: str | None
    column: str | None
    sum: str | None
    of: tuple[str, ...]
    group: str | None
    residents: bool
    times: Amount | None
    over: Amount | None


@dataclass(frozen=True, slots=True)
class Test:
    """`value` (divided by `by`, times `per`) is at least `at_least`; None: is yes.

    Each side lists sources in order: the first that is known counts.
    """

    value: tuple[Operand, ...]
    by: tuple[Operand, ...]
    per: Amount | None
    at_least: Amount | None


@dataclass(frozen=True, slots=True)
class Condition:
    """A facility's column is one of `words`, or at least `at_least`."""

    attribute: str
    words: tuple[str, ...]
    at_least: Amount | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to compute a row (see docs/scorecard.md for what each kind takes)."""

    id: str
    kind: str
    zh: str
    en: str
    unit: str
    units: tuple[Selector, ...]
    any_of: tuple[str, ...]
    all_of: tuple[str, ...]
    where: tuple[Condition, ...]
    at_least: Amount | None
    tests: tuple[Test, ...]
    combine: str
    filters: tuple[Test, ...]
    each: str
    over: tuple[Operand, ...]
    under: tuple[Operand, ...]
    per: Amount | None
    share: bool
    bases: tuple[tuple[str, ...], ...]
    minutes: Amount | None
    group: str | None
    to: tuple[str, ...]
    except_in: tuple[Selector, ...]
    by: str | None
    distance: Amount | None
    circle: str | None
    all_types: bool
    optional: bool
    service: str | None
    minimum: Amount | None
    maximum: Amount | None
    column: str | None
    of: tuple[str, ...]
    within_scope: bool = False
    score: bool = False
    night: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """The plan's own words with their section."""

    section: str
    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the phrases; `role`: target, minimum, maximum, filter or year."""

    text: str
    value: float
    role: str


@dataclass(frozen=True, slots=True)
class Target:
    """The number to reach (at least) and the plan's words for it."""

    value: float
    words: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the plan says of 2020; `comparable`: it counts what the headline counts."""

    section: str
    sentence: str
    value: float
    unit: str
    year: int
    comparable: bool


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise that no map can judge: listed, not computed."""

    id: str
    zh: str
    en: str
    phrases: tuple[Phrase, ...]
    numbers: tuple[Number, ...]
    nature: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One promise of the plan and the ways to compute it.

    `headlines` (by the value of the setting that `headline` names, else under ``""``) lists the
    readings: the first is shown as headline. `judged` are held against the target; empty: the
    readings of the headline. `unquantified`: the plan says all, in words that are no number.
    """

    id: str
    zh: str
    en: str
    phrases: tuple[Phrase, ...]
    numbers: tuple[Number, ...]
    target: Target | None
    unquantified: bool
    unit: str
    nature: str | None
    scope: tuple[Selector, ...]
    stock: str | None
    baseline: Baseline | None
    headline_setting: str | None
    headlines: Mapping[str, tuple[str, ...]]
    judged: tuple[str, ...]
    note_zh: str | None
    note_en: str | None
    readings: Mapping[str, Reading]

    @property
    def section(self) -> str:
        """The sections of the plan that the phrases stand in."""
        return "; ".join(dict.fromkeys(phrase.section for phrase in self.phrases))


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to what the plan leaves open."""

    id: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What the plan leaves open: choices with a default, or an amount."""

    id: str
    zh: str
    en: str
    default: str | None
    choices: tuple[Choice, ...]
    amount: Amount | None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All rows of a plan, the settings they read, and what is only listed."""

    id: str
    source: str
    class_of_level: Mapping[str, str]
    settings: Mapping[str, Setting]
    rows: Mapping[str, Row]
    not_computed: tuple[Promise, ...]
