"""Catchments as tables: on the terminal, as CSV and as Excel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from lifecircle.analysis.errors import Language
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.results.columns import CENTRE_COLUMNS, RULE_COLUMNS
from lifecircle.analysis.results.export import asked_lines, export_rows
from lifecircle.service.figures import number
from lifecircle.service.terminal import print_table, say, say_others, show_rests, table_of
from lifecircle.service.wording import Words


def show_catchments(document: Mapping[str, Any], policy: Policy, lang: Language) -> None:
    """Centres with both loads, who is unserved, and the rule by street."""
    words = Words(lang, "cli")
    walker = policy.walkers[document["walker"]].title
    limits = {"natural": words.limit(None), "balanced": words.limit(document["minutes"])}
    heads = [
        words("facility"),
        *(words(f"load_{key}", limit=limit) for key, limit in limits.items()),
        *(words(key) for key in ("minimum", "maximum", "state_natural", "state_balanced")),
    ]
    title = f"{words.title(document['title'])} · {words.title(walker)}"
    table = table_of(title, heads, left=(0, 5, 6))
    pairs = zip(document["natural"]["centres"], document["balanced"]["centres"], strict=True)
    for natural, balanced in pairs:
        table.add_row(
            words.named(natural) or words.none,
            number(natural["load"]),
            number(balanced["load"]),
            number(natural["min"]),
            f"{number(natural['max'])}{'*' if natural['estimated'] else ''}",
            words.load(natural["state"]),
            words.load(balanced["state"]),
        )
    print_table(table)
    for key, limit in limits.items():
        say(_solution(document, key, limit, words))
    if document["rule"] is not None:
        print_table(_rule_table(document, words))
    show_rests(document["rests_on"], lang)
    say_others(document)


def _solution(document: Mapping[str, Any], key: str, limit: str, words: Words) -> str:
    """Who is served in one solution, and how much is walked."""
    name = words(f"load_{key}", limit=limit)
    if not document["assessed"]:
        return words("solution_open", name=name)
    solution = document[key]
    return words(
        "solution",
        name=name,
        served=number(solution["served"]),
        full=number(solution["unserved"]["reachable_full"]),
        cut=number(solution["unserved"]["unreachable"]),
        minutes=number(solution["person_minutes"]),
        bound=number(solution["bound"]),
        split=number(solution["split_cells"]),
    )


def _rule_table(document: Mapping[str, Any], words: Words) -> Table:
    rule = document["rule"]
    title = words("rule", low=number(rule["minimum"]), high=number(rule["maximum"]))
    names = ("code", "unit", "residents", "government", "needed", "rule_A", "rule_B", "state",
             "note")  # fmt: skip
    table = table_of(title, [words(name) for name in names], left=(0, 1, 5, 6, 7, 8))
    for row in document["units"]:
        if row["state"] is None:
            continue
        table.add_row(
            row["code"],
            words.named(row) or words.none,
            number(row["residents"]) or words.not_assessed,
            str(row["government"]),
            _needed(row, words),
            *(_truth(row[key]) for key in ("A", "B")),
            words.rule(row["state"]),
            words.sentences(note["text"] for note in row["notes"]),
        )
    return table


def _needed(row: Mapping[str, Any], words: Words) -> str:
    """From how many centres to how many; a rule without a minimum has no most."""
    fewest, most = row["needed_from"], row["needed_to"]
    if fewest is None:
        return words.not_assessed
    return f"≥ {fewest}" if most is None else f"{fewest}–{most}"


def _truth(answer: bool | None) -> str:
    return "?" if answer is None else "✓" if answer else "✗"


def write_catchments(
    document: Mapping[str, Any], policy: Policy, path: Path, table: str, lang: Language
) -> None:
    """Write the centres of both solutions, or the units, as ``.csv`` or ``.xlsx``."""
    words = Words(lang)
    asked = {key: document[key] for key in ("service", "walker")}
    lines = [
        *asked_lines(asked, lang, policy),
        (words("word_limit"), words.limit(document["minutes"])),
    ]
    lines += [
        (words(f"catchments_{key}"), words.value(document[key])) for key in ("closed", "whole")
    ]
    lines += [(words("word_remark"), warning["text"]) for warning in document["warnings"]]
    rows: Sequence[Mapping[str, Any]]
    if table == "units":
        rows = [_flat(row) for row in document["units"]]
        export_rows(rows, RULE_COLUMNS, path, "units", lang, tuple(lines))
        return
    rows = [
        {"solution": which, **centre}
        for which in ("natural", "balanced")
        for centre in document[which]["centres"]
    ]
    export_rows(rows, CENTRE_COLUMNS, path, str(document["service"]), lang, tuple(lines))


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    readings = {key: None if row[key] is None else _truth(row[key]) for key in ("A", "B")}
    notes = " ".join(note["text"] for note in row["notes"]) or None
    return {**row, **readings, "missing": ";".join(row["missing"]) or None, "notes": notes}
