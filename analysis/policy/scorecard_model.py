"""The scorecard of a plan as data: rows, settings, groups, units (frozen records)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationInfo, WrapValidator

from lifecircle.analysis.policy.cited import Cited, Title, Titled
from lifecircle.analysis.policy.fields import (
    BY_ID,
    SOME,
    Flag,
    GroupId,
    Id,
    LabelId,
    LevelId,
    Number,
    Record,
    Source,
    Text,
    UnitId,
    Values,
    Whole,
    Written,
)
from lifecircle.analysis.policy.readings import Reading
from lifecircle.analysis.policy.sections.amounts import SETTING, Selectors, chosen

AT_LEAST: Final = "at least"
AT_MOST: Final = "at most"
Direction = Literal["at least", "at most"]
PLAN: Final = "plan"  # the source of a row that names none
_DECIMALS: Final = {"percent": 1, "number": 2}


@dataclass(frozen=True, slots=True)
class Phrase(Record):
    """The plan's own words with their section."""

    section: Text
    text: Text


@dataclass(frozen=True, slots=True)
class PhraseNumber(Record):
    """A number of the phrases; `role`: what it does there."""

    text: Text
    value: Number
    role: Annotated[Literal["target", "minimum", "maximum", "filter", "year"], Field(alias="as")]


@dataclass(frozen=True, slots=True)
class Target(Record):
    """The number to reach (or not to exceed) and the plan's words for it."""

    value: Number
    words: Text


@dataclass(frozen=True, slots=True)
class Baseline(Record):
    """What the plan says of an earlier year; `comparable`: it counts what the headline counts."""

    section: Text
    sentence: Text
    value: Number
    unit: UnitId
    year: Whole
    comparable: Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise(Titled):
    """A promise that no map can judge: listed, not computed."""

    id: Id
    phrases: Annotated[tuple[Phrase, ...], SOME]
    numbers: tuple[PhraseNumber, ...]
    nature: LabelId | None = None


@dataclass(frozen=True, slots=True)
class Scope(Record):
    """Which units a row is about; `stock`: a label of the residential areas meant."""

    units: Selectors
    stock: LabelId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Promise):
    """One promise of the plan and the ways to compute it.

    `headline`: the reading shown, or the setting that chooses it; `headlines` then lists the
    readings of each choice, the first of which is shown. `judged` are held against the target;
    empty: the readings of the headline. `direction`: whether the target is to be reached or not
    to be exceeded. `unquantified`: the plan says all, in words that are no number. `source`: the
    document the phrases stand in, empty in runs kept from before. `increase`: what is promised is
    more than there was; the headline is held against that of an earlier year.
    """

    source: Source = ""
    target: Target | None = None
    direction: Direction = AT_LEAST
    unquantified: Flag = False
    increase: Flag = False
    unit: UnitId
    group: GroupId | None = None
    scope: Scope
    baseline: Baseline | None = None
    headline: Text
    headlines: Mapping[str, Values] = field(default_factory=dict)
    judged: tuple[Text, ...] = ()
    note: Title | None = None
    readings: Annotated[Mapping[str, Reading], Field(min_length=1), BY_ID]

    @property
    def section(self) -> str:
        """The sections of the plan that the phrases stand in."""
        return "; ".join(dict.fromkeys(phrase.section for phrase in self.phrases))

    @property
    def headline_setting(self) -> str | None:
        """The setting that chooses the headline, None where nothing is left to choose."""
        chosen_by = self.headline.startswith(SETTING)
        return self.headline.removeprefix(SETTING) if chosen_by else None

    def shown(self, settings: Mapping[str, str | float]) -> tuple[str, ...]:
        """The readings of the headline under some settings, the first is shown."""
        if self.headline_setting is None:
            return (self.headline,)
        choice = str(settings[self.headline_setting])
        return self.headlines.get(choice, (choice,))


def _row(table: Any, read: Callable[[Any], Row], info: ValidationInfo) -> Row:
    """A row of a file: its readings take titles, units and unit from around them."""
    if info.context is None or not isinstance(table, Mapping):
        return read(table)
    written: Written = info.context
    source, numbers = table.get("source", PLAN), table.get("numbers")
    written.more["row"] = {
        "source": written.sources.get(str(source), ""),
        "numbers": [n for n in numbers if _told(n)] if isinstance(numbers, list) else [],
    }
    row = read({"source": PLAN, **table, **_titled_readings(table, written)})
    return replace(row, readings={k: _completed(row, one) for k, one in row.readings.items()})


def _told(number: Any) -> bool:
    """Whether a number of the phrases can be used; what is wrong with it is told elsewhere."""
    return (
        isinstance(number, Mapping)
        and isinstance(number.get("text"), str)
        and isinstance(number.get("value"), int | float)
    )


def _titled_readings(table: Mapping[str, Any], written: Written) -> dict[str, Any]:
    """The readings, those without a title under the one that all rows share."""
    readings = table.get("readings")
    if not isinstance(readings, Mapping):
        return {}
    titles = written.more["titles"]
    named = {
        name: {**titles.get(name, {}), **one} if isinstance(one, Mapping) else one
        for name, one in readings.items()
    }
    return {"readings": named}


def _completed(row: Row, reading: Reading) -> Reading:
    """A reading with the row's units and unit where it names none."""
    taken: dict[str, Any] = {}
    if reading.of_units and getattr(reading, "units", None) == ():
        taken["units"] = row.scope.units
    if not reading.unit:
        taken["unit"] = row.unit
    return replace(reading, **taken) if taken else reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Titled):
    """One answer to what the plan leaves open."""

    id: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Titled):
    """What the plan leaves open: choices with a default, or an amount up to `most`."""

    id: Id
    default: Text | None = None
    choices: Annotated[Mapping[str, Choice], BY_ID] = field(default_factory=dict)
    amount: Cited | None = None
    most: Number | None = None


@dataclass(frozen=True, slots=True)
class Unit(Record):
    """The unit of a figure: its words (none for percent) and how the figure is shown."""

    zh: str
    en: str
    show: Literal["percent", "number"] = "number"
    decimals: Annotated[Whole | None, Field(ge=0, le=9)] = None

    @property
    def places(self) -> int:
        """Decimals that are shown, the rest is cut."""
        return _DECIMALS[self.show] if self.decimals is None else self.decimals


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Titled):
    """Rows that stand together; `about` says what they are."""

    about: Title | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section(Record):
    """What is special about a section of the plan.

    `nature`: what the figures of this section are called (expected, binding). `figure_beside`:
    its targets stand beside the words, not in them. `baselines`: earlier figures stand here.
    """

    nature: LabelId | None = None
    figure_beside: Flag = False
    baselines: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging(Record):
    """How all rows are judged: words, or ``"$setting"`` where that is left to whoever asks.

    `missing`: while some data is missing, the range decides, or the known part, or the unknown
    counts against. `walk`: the standard's longest way (by walker) or its shorter one.
    `residents`: of a unit, from the cells or from its own total. `unquantified`: rows without a
    number are watched, or judged as if the plan said all.
    """

    missing: Annotated[Text, chosen("range", "known", "worst")] = "range"
    walk: Annotated[Text, chosen("ceiling", "floor")] = "ceiling"
    residents: Annotated[Text, chosen("cells", "units")] = "cells"
    unquantified: Annotated[Text, chosen("watch", "judge")] = "watch"


@dataclass(frozen=True, slots=True)
class Scorecard(Record):
    """All rows of a plan, the settings they read, and what is only listed.

    `target_year`, `baseline_year`: what the columns of a table are headed with, where the plan
    has one of each.
    """

    id: Annotated[str, Field(validation_alias="#id")]
    source: Annotated[str, Field(validation_alias="#source")]
    rows: Annotated[Mapping[str, Annotated[Row, WrapValidator(_row)]], Field(min_length=1), BY_ID]
    class_of_level: Mapping[LevelId, Literal["urban", "rural"]] = field(default_factory=dict)
    settings: Annotated[Mapping[str, Setting], BY_ID] = field(default_factory=dict)
    not_computed: Annotated[Mapping[str, Promise], BY_ID] = field(default_factory=dict)
    judging: Judging = Judging()
    groups: Mapping[str, Group] = field(default_factory=dict)
    sections: Mapping[str, Section] = field(default_factory=dict)
    labels: Mapping[str, Title] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    target_year: Whole | None = None
    baseline_year: Whole | None = None

    @property
    def profiles(self) -> frozenset[str]:
        """The profiles of travelling that its readings ask for."""
        read = (one for row in self.rows.values() for one in row.readings.values())
        return frozenset(one.profile for one in read if one.kind == "drive" and one.profile)

    def unit(self, name: str) -> Unit:
        """A unit by its id; one that a run of before does not know is shown as it is called."""
        return self.units.get(name) or Unit(name, name)


@cache
def scorecard_reader() -> TypeAdapter[Scorecard]:
    """What reads and writes a whole scorecard."""
    return TypeAdapter(Scorecard)
