"""Catchments as tables: on the terminal, as CSV and as Excel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.columns import CENTRE_COLUMNS, RULE_COLUMNS
from lifecircle.analysis.results.export import export_rows
from lifecircle.service import i18n
from lifecircle.service.terminal import print_table, say


def show_catchments(document: Mapping[str, Any], lang: Language) -> None:
    """Centres with both loads, who is unserved, and the rule by street."""

    def text(key: str, **params: Any) -> str:
        return i18n.text(f"cli_{key}", lang, **params)

    limit = document["minutes"]
    reach = text("no_limit") if limit is None else text("minutes_limit", n=f"{limit:g}")
    table = Table(title=f"{document['title'][lang]} · {reach} · {document['walker']}")
    table.add_column(text("centre"))
    for key in ("natural", "balanced", "min", "max"):
        table.add_column(text(key), justify="right")
    table.add_column(text("state_natural"))
    table.add_column(text("state_balanced"))
    pairs = zip(document["natural"]["centres"], document["balanced"]["centres"], strict=True)
    for natural, balanced in pairs:
        table.add_row(
            _name(natural, lang),
            f"{natural['load']:,}",
            f"{balanced['load']:,}",
            f"{natural['min']:,}",
            f"{natural['max']:,}" + ("*" if natural["estimated"] else ""),
            text(f"load_{natural['state']}"),
            text(f"load_{balanced['state']}"),
        )
    print_table(table)
    for key in ("natural", "balanced"):
        solution = document[key]
        if not document["assessed"]:
            say(f"{text(key)}: {text('not_assessed')}")
            continue
        say(
            f"{text(key)}: "
            + text(
                "solution",
                served=f"{solution['served']:,}",
                full=f"{solution['unserved']['reachable_full']:,}",
                cut=f"{solution['unserved']['unreachable']:,}",
                minutes=f"{solution['person_minutes']:,.0f}",
                bound=f"{solution['bound']:,.0f}",
                split=f"{solution['split_cells']:,}",
            )
        )
    if document["rule"] is not None:
        print_table(_rule_table(document, lang))
    for warning in document["warnings"]:
        say("· " + warning["text"])


def _rule_table(document: Mapping[str, Any], lang: Language) -> Table:
    rule = document["rule"]
    title = i18n.text("cli_rule", lang, low=f"{rule['minimum']:,}", high=f"{rule['maximum']:,}")
    table = Table(title=title)
    for key in ("code", "unit"):
        table.add_column(i18n.text(f"cli_{key}", lang))
    for key in ("residents", "government", "needed"):
        table.add_column(i18n.text(f"cli_{key}", lang), justify="right")
    for key in ("A", "B", "state", "notes"):
        table.add_column(i18n.text(f"cli_{key}", lang))
    for row in document["units"]:
        if row["state"] is None:
            continue
        unknown = i18n.text("cli_not_assessed", lang)
        table.add_row(
            row["code"],
            _name(row, lang),
            unknown if row["residents"] is None else f"{row['residents']:,}",
            str(row["government"]),
            f"{row['needed_from']}–{row['needed_to']}",
            *(_truth(row[key]) for key in ("A", "B")),
            i18n.text(f"cli_rule_{_STATE_KEYS[row['state']]}", lang),
            " ".join(note["text"] for note in row["notes"]),
        )
    return table


_STATE_KEYS = {
    "达标": "met",
    "达标但超载": "overloaded",
    "缺口": "gap",
    "富余": "surplus",
    "NOT_ASSESSED": "unknown",
}


def _truth(answer: bool | None) -> str:
    return "?" if answer is None else "✓" if answer else "✗"


def _name(row: Mapping[str, Any], lang: Language) -> str:
    english = row.get("name_en")
    return str((english if lang == "en" and english else row["name"]) or "—")


def write_catchments(document: Mapping[str, Any], path: Path, table: str, lang: Language) -> None:
    """Write the centres of both solutions, or the units, as ``.csv`` or ``.xlsx``."""
    lines = [
        (key, str(document[key])) for key in ("service", "minutes", "walker", "closed", "whole")
    ]
    lines += [("!", warning["text"]) for warning in document["warnings"]]
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
