"""The tables a scorecard file may hold, as pydantic models: which keys there are, of what kind.

Every key of ``analysis/policies/scorecard/<plan>.toml`` is here; one that is not is refused.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lifecircle.analysis.policy.tables import CitedTable, Text, TitleTable, Values

UnitClass = Literal["urban", "rural"]
NumberRole = Literal["target", "minimum", "maximum", "filter", "year"]
Kind = Literal[
    "unit_has",
    "unit_meets",
    "facility_meets",
    "checklist",
    "ratio",
    "count",
    "pooled",
    "residents_within",
    "land_within",
    "adjacent",
    "capacity",
    "circle",
    "rule",
    "drive",
]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SelectorTable(_Table):
    """Units of one level, of one class where it says so."""

    level: Text
    unit_class: UnitClass | None = Field(default=None, alias="class")


class OperandTable(_Table):
    """One source of a number: a statistic, a column, a sum of columns, persons."""

    stat: Text | None = None
    column: Text | None = None
    sum: Text | None = None
    of: list[Text] = []
    group: Text | None = None
    residents: bool = False
    times: Text | None = None
    over: Text | None = None


class TestTable(_Table):
    """A value (by another, per so many) is at least so much, or is yes."""

    value: Annotated[list[OperandTable], Field(min_length=1)]
    by: list[OperandTable] = []
    per: Text | None = None
    at_least: Text | None = None


class ConditionTable(_Table):
    """A column of a facility is one of some words, or at least so much."""

    attribute: Text
    is_: list[Text] = Field(default=[], alias="is")
    at_least: Text | None = None


class ReadingTable(_Table):
    """One way to compute a row; which keys a kind takes is told in docs/scorecard.md."""

    kind: Kind
    zh: Text | None = None
    en: Text | None = None
    unit: Text | None = None
    units: list[SelectorTable] | None = None
    any_of: list[Text] = []
    all_of: list[Text] = []
    where: list[ConditionTable] = []
    at_least: Text | None = None
    tests: list[TestTable] = []
    combine: Literal["all", "any"] = "all"
    filters: list[TestTable] = []
    each: Literal["unit", "facility"] = "unit"
    over: list[OperandTable] = []
    under: list[OperandTable] = []
    per: Text | None = None
    share: bool = False
    bases: list[Values] = []
    minutes: Text | None = None
    group: Text | None = None
    to: list[Text] = []
    except_in: list[SelectorTable] = []
    by: Text | None = None
    distance: Text | None = None
    circle: Text | None = None
    all_types: bool = False
    optional: bool = False
    within_scope: bool = False
    score: bool = False
    night: bool = False
    service: Text | None = None
    minimum: Text | None = None
    maximum: Text | None = None
    column: Text | None = None
    of: list[Text] = []


class PhraseTable(_Table):
    """Words of the plan with their section."""

    section: Text
    text: Text


class NumberTable(_Table):
    """A number as it stands in the phrases, its value and what it does."""

    text: Text
    value: float
    role: NumberRole = Field(alias="as")


class TargetTable(_Table):
    """The number to reach, with the plan's words for it."""

    value: float
    words: Text


class BaselineTable(_Table):
    """What 一 (发展基础) says, word for word."""

    section: Text
    sentence: Text
    value: float
    unit: Text
    year: int
    comparable: bool


class ScopeTable(_Table):
    """Which units a row is about; `stock`: new or existing residential areas."""

    units: list[SelectorTable]
    stock: Literal["新建", "已建"] | None = None


class ListedTable(TitleTable):
    """A promise of the plan: its words and numbers."""

    phrases: Annotated[list[PhraseTable], Field(min_length=1)]
    numbers: list[NumberTable]
    nature: Literal["预期性"] | None = None


class RowTable(ListedTable):
    """``[rows.<id>]``."""

    target: TargetTable | None = None
    unquantified: bool = False
    unit: Text
    scope: ScopeTable
    baseline: BaselineTable | None = None
    headline: Text
    headlines: dict[str, Values] = Field(default={})
    judged: list[Text] = Field(default=[])
    note: TitleTable | None = None
    readings: Annotated[dict[str, ReadingTable], Field(min_length=1)]


class SettingTable(TitleTable):
    """``[settings.<id>]``: choices with a default, or one amount."""

    default: Text | None = None
    choices: dict[str, TitleTable] = Field(default={})
    amount: CitedTable | None = None


class ScorecardFile(_Table):
    """A whole scorecard file."""

    sources: dict[str, Text]
    figures: dict[str, CitedTable]
    class_of_level: dict[str, UnitClass] = {}
    settings: dict[str, SettingTable]
    readings: dict[str, TitleTable]
    rows: Annotated[dict[str, RowTable], Field(min_length=1)]
    not_computed: dict[str, ListedTable] = {}
