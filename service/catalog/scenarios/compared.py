"""Kept scenarios side by side: one table, a row for each indicator.

A scenario tells only what its edits may change. Where another scenario of the same run and question
tells of an indicator, its value before holds for those that leave it as it is; else it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.columns import Column, number, text
from lifecircle.analysis.results.export import export_rows
from lifecircle.analysis.texts import Title, say_both
from lifecircle.service.catalog.common import title_of
from lifecircle.service.database.kept import Kept

Key = tuple[str, str]  # an indicator, and what it is of ("" for the area)
_MOVES: Final = ("gained", "lost", "winners", "losers")  # nobody, where nothing changes
_NAMED: Final = {
    **{name: f"word_{name}" for name in ("residents", "P", "C", "gained", "lost")},
    **{name: f"column_{name}" for name in ("winners", "losers")},
}
_UNITS: Final = {"P": "fraction", "C": "fraction", "share": "fraction", "value": ""}


@dataclass(frozen=True, slots=True)
class _Value:
    """An indicator of one scenario, with its status where it is a promise of the scorecard."""

    before: Any
    after: Any
    title: Mapping[str, str]
    unit: str = "persons"
    status: tuple[Any, Any] | None = None


def compare_scenarios(scenarios: Sequence[Kept]) -> dict[str, Any]:
    """Indicators × scenarios: what each is before and after."""
    told = {one.id: dict(_values(one.held["results"])) for one in scenarios}
    bases = {one.id: _base(one) for one in scenarios}
    keys = list(dict.fromkeys(key for values in told.values() for key in values))
    rows = []
    for indicator, of in keys:
        known = {
            bases[one]: told[one][indicator, of] for one in told if (indicator, of) in told[one]
        }
        first = next(iter(known.values()))
        rows.append(
            {
                "indicator": indicator,
                "of": of or None,
                "title": dict(first.title),
                "unit": first.unit,
                "values": [
                    {
                        "scenario": one,
                        **_sides(told[one].get((indicator, of)), known.get(bases[one]), indicator),
                    }
                    for one in told
                ],
            }
        )
    return {
        "scenarios": [
            {
                "id": one.id,
                "title": one.held["title"],
                "author": one.held["author"],
                "version": one.version,
                "base": {"run": one.held["run"]},
                **one.held["asked"],
            }
            for one in scenarios
        ],
        "same_base": len(set(bases.values())) == 1,
        "rows": rows,
    }


def _base(kept: Kept) -> tuple[Any, ...]:
    asked = kept.held["asked"]
    return (kept.held["run"], *(asked[name] for name in sorted(asked)))


def _sides(own: _Value | None, other: _Value | None, indicator: str) -> dict[str, Any]:
    """Before and after: a scenario's own, else unchanged from another one's before."""
    if own is not None:
        status = own.status or (None, None)
        before, after = own.before, own.after
    elif other is None:
        before = after = None
        status = (None, None)
    else:
        before = other.before
        after = 0 if indicator in _MOVES else before
        status = (other.status or (None, None))[:1] * 2
    sides = {"before": before, "after": after}
    if indicator == "scorecard":
        sides |= {"status_before": status[0], "status_after": status[1]}
    return sides


def _values(results: Mapping[str, Any]) -> Iterator[tuple[Key, _Value]]:
    people = results["residents"]
    yield ("residents", ""), _Value(people["before"], people["after"], _word("residents"))
    for name in ("winners", "losers"):
        yield (
            (name, ""),
            _Value(None, results[name]["residents"], _word(name)),
        )
    for block in results["services"]:
        of, title = block["service"], block["title"]
        for name in ("P", "C"):
            value = _Value(block[f"{name}_before"], block[f"{name}_after"], title, _UNITS[name])
            yield (name, of), value
        for name in ("gained", "lost"):
            yield (name, of), _Value(None, block[name], title)
    for kind, block in results["circles"].items():
        total = block["total"]
        sides = (total["share_before"], total["share_after"])
        yield ("circle", kind), _Value(*sides, block["title"], _UNITS["share"])
    rule = results["rule"]
    if rule is not None:
        for state in sorted({*rule["states_before"], *rule["states_after"]}):
            sides = (rule["states_before"].get(state, 0), rule["states_after"].get(state, 0))
            yield ("rule", state), _Value(*sides, {"zh": state, "en": state}, "")
    for row in results["scorecard"]:
        status = (row["status_before"], row["status_after"])
        sides = (row["value_before"], row["value_after"])
        yield ("scorecard", row["id"]), _Value(*sides, row["title"], row["unit"] or "", status)


def _word(indicator: str) -> dict[str, str]:
    return title_of(say_both(_NAMED[indicator]))


def _named(indicator: str, lang: Language) -> str:
    return say_both(_NAMED[indicator]).text(lang) if indicator in _NAMED else indicator


def export_compared(document: Mapping[str, Any], path: Path, lang: Language = "zh") -> None:
    """Write the table as ``.csv`` or ``.xlsx``: before and after of each scenario.

    Raises
    ------
    ParameterError : another suffix.
    WorkspaceError : the file cannot be written.
    """
    columns: list[Column] = [
        text("indicator", "column_indicator"),
        text("of", "column_indicator_of", "unknown"),
        text("title", "column_indicator_title"),
        text("unit", "export_unit"),
    ]
    for k, one in enumerate(document["scenarios"], start=1):
        named = Title(f"{k} {one['title']}", f"{k} {one['title']}")
        for side in ("before", "after"):
            plain = number(f"{side}_{k}", f"column_scenario_{side}", "", "not_assessed")
            columns.append(
                Column(plain.name, plain.dtype, plain.unit, plain.titled, plain.absent, named)
            )
    rows = [
        {
            **{name: row[name] for name in ("of", "unit")},
            "indicator": _named(row["indicator"], lang),
            "title": row["title"][lang],
            **{
                f"{side}_{k}": value[side]
                for k, value in enumerate(row["values"], start=1)
                for side in ("before", "after")
            },
        }
        for row in document["rows"]
    ]
    export_rows(rows, columns, path, "scenarios", lang)
