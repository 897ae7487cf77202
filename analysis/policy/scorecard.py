"""Reads the scorecard a policy names: every row checked before any of it is believed.

``policies/scorecard/<name>.toml`` beside the policy's own file, else among the packaged ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lifecircle.analysis.errors import PolicyError
from lifecircle.analysis.policy.checks import PolicyFault, PolicyFileError
from lifecircle.analysis.policy.files import read_toml
from lifecircle.analysis.policy.scorecard_checks import check_scorecard
from lifecircle.analysis.policy.scorecard_model import (
    Amount,
    Baseline,
    Choice,
    Condition,
    Number,
    Operand,
    Phrase,
    Promise,
    Reading,
    Row,
    Scorecard,
    Selector,
    Setting,
    Target,
    Test,
)
from lifecircle.analysis.policy.scorecard_tables import (
    ConditionTable,
    ListedTable,
    OperandTable,
    ReadingTable,
    RowTable,
    ScorecardFile,
    SelectorTable,
    SettingTable,
    TestTable,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the rows of a scorecard may name: the policy's services, levels and circles."""

    services: Collection[str]
    levels: Collection[str]
    circles: Collection[str]


def read_scorecard(name: str, beside: Path | None, known: Known) -> tuple[Scorecard, str]:
    """The scorecard of that name and the SHA-256 of its content.

    Parameters
    ----------
    name : as the policy's key ``scorecard`` says.
    beside : folder of the policy's own file, None for a packaged policy.

    Raises
    ------
    PolicyError
        The file cannot be read, or does not hold: all faults of one stage at once.
    """
    file = _locate(name, beside)
    content = read_toml(file)
    try:
        table = ScorecardFile.model_validate(content)
    except ValidationError as error:
        raise PolicyFileError(list(_form(error, file.name))) from error
    faults = list(check_scorecard(table, file.name, known))
    if faults:
        raise PolicyFileError(faults)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str)
    return _scorecard(name, table), hashlib.sha256(text.encode()).hexdigest()


def _locate(name: str, beside: Path | None) -> Traversable:
    if beside is not None and (beside / "scorecard" / f"{name}.toml").is_file():
        return beside / "scorecard" / f"{name}.toml"
    packaged = files("lifecircle.analysis").joinpath("policies", "scorecard", f"{name}.toml")
    if "/" in name or "\\" in name or not packaged.is_file():
        raise PolicyError("scorecard_unknown", name=name)
    return packaged


def _form(error: ValidationError, file: str) -> Iterator[PolicyFault]:
    for one in error.errors(include_url=False):
        path = ".".join(str(part) for part in one["loc"])
        if one["type"] == "extra_forbidden":
            yield PolicyFault("policy_unknown_key", {"file": file, "path": path})
        elif one["type"] == "missing":
            yield PolicyFault("policy_missing_key", {"file": file, "path": path})
        else:
            yield PolicyFault(
                "policy_bad_value", {"file": file, "path": path, "value": one["input"]}
            )


# ---- from tables to records ------------------------------------------------------------------


def _scorecard(name: str, file: ScorecardFile) -> Scorecard:
    return Scorecard(
        id=name,
        source=file.sources["plan"],
        class_of_level=dict(file.class_of_level),
        settings={i: _setting(file, i, s) for i, s in file.settings.items()},
        rows={i: _row(file, i, row) for i, row in file.rows.items()},
        not_computed=tuple(_promise(i, row) for i, row in file.not_computed.items()),
    )


def _setting(file: ScorecardFile, name: str, table: SettingTable) -> Setting:
    amount = table.amount
    return Setting(
        id=name,
        zh=table.zh,
        en=table.en,
        default=table.default,
        choices=tuple(Choice(i, c.zh, c.en) for i, c in table.choices.items()),
        amount=None
        if amount is None
        else Amount(amount.value, amount.clause, file.sources[amount.source], amount.confidence),
    )


def _promise(name: str, table: ListedTable) -> Promise:
    return Promise(name, table.zh, table.en, _phrases(table), _numbers(table), table.nature)


def _phrases(table: ListedTable) -> tuple[Phrase, ...]:
    return tuple(Phrase(phrase.section, phrase.text) for phrase in table.phrases)


def _numbers(table: ListedTable) -> tuple[Number, ...]:
    return tuple(Number(number.text, number.value, number.role) for number in table.numbers)


def _row(file: ScorecardFile, name: str, table: RowTable) -> Row:
    base, target = table.baseline, table.target
    setting = table.headline.removeprefix("$") if table.headline.startswith("$") else None
    if setting is None:
        headlines: Mapping[str, tuple[str, ...]] = {"": (table.headline,)}
    elif table.headlines:
        headlines = {choice: tuple(ids) for choice, ids in table.headlines.items()}
    else:
        headlines = {choice: (choice,) for choice in file.settings[setting].choices}
    return Row(
        id=name,
        zh=table.zh,
        en=table.en,
        phrases=_phrases(table),
        numbers=_numbers(table),
        target=None if target is None else Target(target.value, target.words),
        unquantified=table.unquantified,
        unit=table.unit,
        nature=table.nature,
        scope=_selectors(table.scope.units),
        stock=table.scope.stock,
        baseline=None
        if base is None
        else Baseline(
            base.section, base.sentence, base.value, base.unit, base.year, base.comparable
        ),
        headline_setting=setting,
        headlines=dict(headlines),
        judged=tuple(table.judged),
        note_zh=None if table.note is None else table.note.zh,
        note_en=None if table.note is None else table.note.en,
        readings={
            i: _Maker(file, table).reading(i, reading) for i, reading in table.readings.items()
        },
    )


def _selectors(tables: list[SelectorTable]) -> tuple[Selector, ...]:
    return tuple(Selector(table.level, table.unit_class) for table in tables)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Turns the readings of one row into records, amounts looked up."""

    file: ScorecardFile
    row: RowTable

    def amount(self, name: str | None) -> Amount | None:
        """What a name of an amount stands for."""
        if name is None:
            return None
        if name.startswith("$"):
            return Amount(None, name, "", "", name.removeprefix("$"))
        for number in self.row.numbers:
            if number.text == name:
                return Amount(number.value, name, self.file.sources["plan"], "verified")
        figure = self.file.figures[name]
        return Amount(
            figure.value, figure.clause, self.file.sources[figure.source], figure.confidence
        )

    def operands(self, tables: list[OperandTable]) -> tuple[Operand, ...]:
        """Sources of a number, the first known of which counts."""
        return tuple(
            Operand(
                stat=one.stat,
                column=one.column,
                sum=one.sum,
                of=tuple(one.of),
                group=one.group,
                residents=one.residents,
                times=self.amount(one.times),
                over=self.amount(one.over),
            )
            for one in tables
        )

    def tests(self, tables: list[TestTable]) -> tuple[Test, ...]:
        """Comparisons."""
        return tuple(
            Test(
                self.operands(one.value),
                self.operands(one.by),
                self.amount(one.per),
                self.amount(one.at_least),
            )
            for one in tables
        )

    def conditions(self, tables: list[ConditionTable]) -> tuple[Condition, ...]:
        """Conditions on facilities."""
        return tuple(
            Condition(one.attribute, tuple(one.is_), self.amount(one.at_least)) for one in tables
        )

    def reading(self, name: str, table: ReadingTable) -> Reading:
        """A reading with its titles; units are the row's where it names none."""
        title = self.file.readings.get(name)
        units = self.row.scope.units if table.units is None else table.units
        taken: dict[str, Any] = {
            "zh": table.zh or (title.zh if title else name),
            "en": table.en or (title.en if title else name),
            "unit": table.unit or ("fraction" if table.kind != "ratio" else self.row.unit),
            "units": _selectors(units),
            "except_in": _selectors(table.except_in),
            "where": self.conditions(table.where),
            "tests": self.tests(table.tests),
            "filters": self.tests(table.filters),
            "over": self.operands(table.over),
            "under": self.operands(table.under),
            "bases": tuple(tuple(base) for base in table.bases),
        }
        for key in ("at_least", "per", "minutes", "distance", "minimum", "maximum"):
            taken[key] = self.amount(getattr(table, key))
        for key in ("any_of", "all_of", "to", "of"):
            taken[key] = tuple(getattr(table, key))
        plain = (
            "kind", "combine", "each", "share", "group", "by", "circle", "all_types",
            "optional", "within_scope", "score", "night", "service", "column",
        )  # fmt: skip
        return Reading(id=name, **taken, **{key: getattr(table, key) for key in plain})
