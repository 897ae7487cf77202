"""What readings are made of: amounts, words a setting may choose, units, sources, comparisons.

In a file an amount is the text of one of the row's numbers, the id of a ``[figures]`` entry, or
``"$setting"``; a word that a setting chooses is the word itself or ``"$setting"``.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationInfo
from pydantic_core import PydanticCustomError

from lifecircle.analysis.policy.cited import Cited
from lifecircle.analysis.policy.fields import (
    SOME,
    After,
    Before,
    ColumnId,
    Flag,
    LevelId,
    Number,
    Record,
    Services,
    StatisticId,
    Text,
    Texts,
    Written,
    nobody_called,
    refused,
)

SETTING: Final = "$"  # begins what a setting gives


@dataclass(frozen=True, slots=True)
class Amount(Record):
    """A number of a reading and where it comes from: the plan's words or a cited figure.

    `value` is None where a setting gives it (`setting`).
    """

    value: Number | None
    clause: str
    source: str
    confidence: str
    setting: str | None = None

    @classmethod
    def of(cls, cited: Cited) -> Self:
        """A cited number as an amount."""
        return cls(cited.value, cited.clause, cited.source, cited.confidence)


def _looked_up(name: Any, info: ValidationInfo) -> Any:
    """What a name of an amount stands for."""
    if info.context is None:
        return name
    written: Written = info.context
    figures, settings, row = (written.more[key] for key in ("figures", "settings", "row"))
    if not isinstance(name, str):
        raise _no_amount(name, written)
    if name.startswith(SETTING):
        setting = name.removeprefix(SETTING)
        if setting not in settings:
            raise nobody_called(name, [SETTING + one for one in settings])
        if "amount" not in settings[setting]:
            raise refused("scorecard_no_amount", value=name)
        return Amount(None, name, "", "", setting)
    for number in row["numbers"]:
        if number["text"] == name:
            return Amount(float(number["value"]), name, row["source"], "verified")
    if name not in figures:
        raise _no_amount(name, written)
    return Amount.of(figures[name])


def _no_amount(name: Any, written: Written) -> PydanticCustomError:
    more = written.more
    known = [*(number["text"] for number in more["row"]["numbers"]), *more["figures"]]
    known += [SETTING + one for one, table in more["settings"].items() if "amount" in table]
    return refused("scorecard_amount", value=name, known=tuple(known))


Given = Annotated[Amount, Before(_looked_up)]


def chosen(*words: str) -> After:
    """A text that is one of some words, or the setting whose choices are among them."""

    def check(word: str, info: ValidationInfo) -> str:
        if info.context is None or word in words:
            return word
        settings = info.context.more["settings"]
        if not word.startswith(SETTING):
            raise refused("policy_bad_choice", value=word, allowed=", ".join(words), known=words)
        setting = word.removeprefix(SETTING)
        if setting not in settings:
            raise nobody_called(word, [SETTING + one for one in settings])
        choices = settings[setting].get("choices", {})
        strange = [one for one in choices if one not in words]
        if strange or not choices:
            told = ", ".join(strange) or "-"
            raise refused(
                "scorecard_setting_words", value=word, choices=told, allowed=", ".join(words)
            )
        return word

    return After(check)


@dataclass(frozen=True, slots=True)
class Selector(Record):
    """Units of one level; `unit_class` urban, rural or None for both."""

    level: LevelId
    unit_class: Annotated[Literal["urban", "rural"] | None, Field(alias="class")] = None


Selectors = tuple[Selector, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand(Record):
    """One source of a number.

    `stat`: a unit's statistic. `column`: a facility's own column. `sum`: that column summed over
    the facilities of the services `of` in the unit. `group`: residents of a group in the unit's
    cells. `residents`: residents of the unit. Multiplied by `times` and divided by `over`.
    """

    stat: StatisticId | None = None
    column: ColumnId | None = None
    sum: ColumnId | None = None
    of: Services = ()
    group: Text | None = None
    residents: Flag = False
    times: Given | None = None
    over: Given | None = None

    def sources(self) -> list[str]:
        """The keys that say where the number comes from; there must be one."""
        names = ("stat", "column", "sum", "group", "residents")
        return [name for name in names if getattr(self, name)]


Operands = tuple[Operand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Test(Record):
    """`value` (divided by `by`, times `per`) is at least or at most so much; neither: is yes.

    Each side lists sources in order: the first that is known counts.
    """

    value: Annotated[Operands, SOME]
    by: Operands = ()
    per: Given | None = None
    at_least: Given | None = None
    at_most: Given | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(Record):
    """A facility's column is one of `words`, or at least `at_least`, or at most `at_most`."""

    attribute: ColumnId
    words: Annotated[Texts, Field(alias="is")] = ()
    at_least: Given | None = None
    at_most: Given | None = None


def settings_in(record: object) -> Iterator[str]:
    """The settings that a record of a scorecard asks, in the order of its keys."""
    if isinstance(record, Amount):
        if record.setting is not None:
            yield record.setting
    elif isinstance(record, tuple):
        for part in record:
            yield from settings_in(part)
    elif isinstance(record, str):
        if record.startswith(SETTING):
            yield record.removeprefix(SETTING)
    elif isinstance(record, Mapping):
        for part in record.values():
            yield from settings_in(part)
    elif dataclasses.is_dataclass(record):
        for field in dataclasses.fields(record):
            if field.name not in ("zh", "en"):
                yield from settings_in(getattr(record, field.name))
