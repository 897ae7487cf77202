"""What makes a scorecard untrustworthy: names nothing stands for, numbers without a role."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final, Protocol

from lifecircle.analysis.policy.attributes import AREA, attributes
from lifecircle.analysis.policy.checks import PolicyFault
from lifecircle.analysis.policy.scorecard_tables import (
    ListedTable,
    OperandTable,
    ReadingTable,
    RowTable,
    ScorecardFile,
    TestTable,
)

BOX1: Final = "专栏1"
TODAY: Final = "一"

# Digits with the decimal point, 万 or % that belong to them, and numerals that count something:
# 一个, 一支, 一法律顾问, 每百户, 每万名. The 一 of 一村(社区) counts too.
NUMERAL: Final = re.compile(
    r"\d+(?:\.\d+)?(?:万|%)?|一(?=个|支|名|村|法律顾问)|(?<=每)[百千万](?=户|名)"
)

_NEEDS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "unit_has": (("any_of", "all_of"),),
    "unit_meets": (("tests",),),
    "facility_meets": (("any_of",), ("tests",)),
    "checklist": (("all_of",),),
    "ratio": (("over",), ("under",)),
    "count": (("over",),),
    "pooled": (("of",),),
    "residents_within": (("any_of",),),
    "land_within": (("any_of",),),
    "adjacent": (("any_of",), ("to",), ("by",)),
    "capacity": (("service",), ("maximum", "column")),
    "circle": (("circle",),),
    "rule": (("service",), ("minimum",), ("maximum",)),
    "drive": (),
}
_BY: Final = ("network", "straight", "network_only", "straight_only", "parcel")


class Named(Protocol):
    """What rows may name."""

    @property
    def services(self) -> Collection[str]:
        """Ids of services."""

    @property
    def levels(self) -> Collection[str]:
        """Ids of unit levels."""

    @property
    def circles(self) -> Collection[str]:
        """Ids of circles."""


def check_scorecard(file: ScorecardFile, name: str, known: Named) -> Iterator[PolicyFault]:
    """Every fault of a scorecard whose form is right."""

    def fault(key: str, path: str, **params: object) -> PolicyFault:
        return PolicyFault(key, {"file": name, "path": path, **params})

    if "plan" not in file.sources:
        yield fault("policy_missing_key", "sources.plan")
    for figure, cited in file.figures.items():
        if cited.source not in file.sources:
            yield fault(
                "policy_unknown_source",
                f"figures.{figure}.source",
                source=cited.source,
                known=", ".join(file.sources),
            )
    for setting, table in file.settings.items():
        at = f"settings.{setting}"
        if (table.amount is None) == (not table.choices):
            yield fault("scorecard_setting", at)
        elif table.choices and table.default not in table.choices:
            yield fault("scorecard_unknown_name", f"{at}.default", value=table.default)
        elif table.amount is not None and table.amount.source not in file.sources:
            yield fault("scorecard_unknown_name", f"{at}.amount", value=table.amount.source)
    for level in file.class_of_level:
        if level not in known.levels:
            yield fault("scorecard_unknown_name", "class_of_level", value=level)
    for row_id, listed in (*file.rows.items(), *file.not_computed.items()):
        room = "rows" if row_id in file.rows else "not_computed"
        for key, path, params in _words(listed):
            yield fault(key, f"{room}.{row_id}.{path}", **params)
    for row_id, row in file.rows.items():
        for path, value in _target(row):
            yield fault("scorecard_target", f"rows.{row_id}.{path}", value=value)
        for path, value in _unknown(file, row, known):
            yield fault("scorecard_unknown_name", f"rows.{row_id}.{path}", value=value)
        for reading_id, reading in row.readings.items():
            for keys in _NEEDS[reading.kind]:
                if not any(getattr(reading, key) for key in keys):
                    path = f"rows.{row_id}.readings.{reading_id}.{keys[0]}"
                    yield fault("policy_missing_key", path)


def _words(row: ListedTable) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Numbers that stand nowhere, numerals without a role, 预期性 outside of 专栏1."""
    phrases = [phrase.text for phrase in row.phrases]
    boxed = any(phrase.section == BOX1 for phrase in row.phrases)
    if boxed != (row.nature is not None):
        yield "scorecard_nature", "nature", {}
    for i, number in enumerate(row.numbers, start=1):
        if not any(number.text in text for text in phrases) and not (
            boxed and number.role == "target"
        ):
            yield "scorecard_number_nowhere", f"numbers.{i}", {"value": number.text}
    for text in phrases:
        for found in NUMERAL.finditer(text):
            if not any(_holds(number.text, text, found) for number in row.numbers):
                yield "scorecard_number_unmapped", "numbers", {"value": found[0], "phrase": text}


def _holds(number: str, text: str, found: re.Match[str]) -> bool:
    """Whether a number's words cover a numeral where it stands."""
    at = text.find(number)
    while at >= 0:
        if at <= found.start() and found.end() <= at + len(number):
            return True
        at = text.find(number, at + 1)
    return False


def _target(row: RowTable) -> Iterator[tuple[str, object]]:
    """A target is one of the row's numbers, or the plan's words for all of them."""
    if row.target is not None:
        named = any(n.role == "target" and n.value == row.target.value for n in row.numbers)
        said = any(row.target.words in phrase.text for phrase in row.phrases)
        whole = row.target.value == 1.0 and said
        if not (named or whole):
            yield "target", row.target.value
        if row.unquantified:
            yield "unquantified", True
    if row.baseline is not None and row.baseline.section != TODAY:
        yield "baseline.section", row.baseline.section


def _unknown(file: ScorecardFile, row: RowTable, known: Named) -> Iterator[tuple[str, str]]:
    """Names of a row that nothing stands for."""
    for selector in row.scope.units:
        if selector.level not in known.levels:
            yield "scope", selector.level
    setting = row.headline.removeprefix("$")
    if not row.headline.startswith("$"):
        asked = [row.headline]
    elif setting not in file.settings:
        yield "headline", row.headline
        asked = []
    elif row.headlines:
        asked = [one for ids in row.headlines.values() for one in ids]
        for choice in set(file.settings[setting].choices) ^ set(row.headlines):
            yield "headlines", choice
    else:
        asked = list(file.settings[setting].choices)
    for one in (*asked, *row.judged):
        if one not in row.readings:
            yield "judged", one
    for name, reading in row.readings.items():
        for path, value in _in_reading(file, row, reading, known):
            yield f"readings.{name}.{path}", value
        if not (reading.zh and reading.en) and name not in file.readings:
            yield f"readings.{name}.zh", name


def _in_reading(
    file: ScorecardFile, row: RowTable, reading: ReadingTable, known: Named
) -> Iterator[tuple[str, str]]:
    services = [*reading.any_of, *reading.all_of, *reading.to]
    services += [] if reading.service is None else [reading.service]
    for service in services:
        if service not in known.services:
            yield "services", service
    for selector in (*(reading.units or ()), *reading.except_in):
        if selector.level not in known.levels:
            yield "units", selector.level
    for base in reading.bases:
        for level in base:
            if level != AREA and level not in known.levels:
                yield "bases", level
    if reading.circle is not None and reading.circle not in known.circles:
        yield "circle", reading.circle
    for one in reading.of:
        if one not in row.readings or row.readings[one].kind == "pooled":
            yield "of", one
    columns = [condition.attribute for condition in reading.where]
    columns += [] if reading.column is None else [reading.column]
    for column in columns:
        if column not in attributes()["facility"]:
            yield "where", column
    tests = [*reading.tests, *reading.filters]
    operands = [*reading.over, *reading.under, *(o for t in tests for o in (*t.value, *t.by))]
    for operand in operands:
        yield from _in_operand(operand, known)
    amounts = [
        reading.at_least, reading.per, reading.minutes, reading.distance, reading.minimum,
        reading.maximum, *(c.at_least for c in reading.where), *_amounts(tests, operands),
    ]  # fmt: skip
    for amount in amounts:
        if amount is None:
            continue
        setting = file.settings.get(amount.removeprefix("$")) if amount.startswith("$") else None
        named = amount in file.figures or any(n.text == amount for n in row.numbers)
        if not named and (setting is None or setting.amount is None):
            yield "amount", amount
    by = reading.by
    if by is not None and by not in _BY and by.removeprefix("$") not in file.settings:
        yield "by", by


def _amounts(tests: list[TestTable], operands: list[OperandTable]) -> Iterator[str | None]:
    for test in tests:
        yield from (test.per, test.at_least)
    for operand in operands:
        yield from (operand.times, operand.over)


def _in_operand(operand: OperandTable, known: Named) -> Iterator[tuple[str, str]]:
    if operand.stat is not None and operand.stat not in attributes()["unit"]:
        yield "stat", operand.stat
    for column in (operand.column, operand.sum):
        if column is not None and column not in attributes()["facility"]:
            yield "column", column
    for service in operand.of:
        if service not in known.services:
            yield "of", service
