"""What ``lifecircle scorecard`` prints: one line per promise, then the tally."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lifecircle.analysis.errors import Language
from lifecircle.service import i18n
from lifecircle.service.report.scorecard import figure, target_of
from lifecircle.service.terminal import print_table

_STYLES: Final = {
    "met": "green",
    "partly": "yellow",
    "not_met": "red",
    "no_target": "blue",
    "NOT_ASSESSED": "bright_black",
}


def show_scorecard(document: Mapping[str, Any], lang: Language) -> None:
    """Every row: its name, target, value today, status and how many are left out."""
    table = Table(title=document["title"][lang], title_justify="left")
    heads = i18n.text("scorecard_command_head", lang).split(",")
    for i, head in enumerate(heads):
        table.add_column(head, justify="right" if i in (2, 3, 5) else "left", no_wrap=i != 1)
    for row in document["rows"]:
        status, unit = str(row["status"]), document["units"][row["unit"]]
        value = figure(row["value"], unit, lang, row["direction"])
        if row["value"] is not None:
            value = f"{value} {unit['title'][lang]}".strip()
        table.add_row(
            row["id"],
            Text(row["title"][lang]),
            target_of(row, unit, lang),
            value,
            Text(i18n.text(f"scorecard_{status}", lang), style=_STYLES[status]),
            str(len(row["left_out"])) if row["left_out"] else "",
        )
    console = Console(highlight=False)
    print_table(table)
    counts = document["counts"].items()
    told = (f"{i18n.text(f'scorecard_{status}', lang)} {count}" for status, count in counts)
    console.print(" · ".join(told), markup=False)
