"""What ``lifecircle scorecard`` prints: one line per promise, then the tally."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from lifecircle.analysis.errors import Language
from lifecircle.service.terminal import print_table, say, say_uncounted, show_rests
from lifecircle.service.wording import Words

_STYLES: Final = {
    "met": "green",
    "partly": "yellow",
    "not_met": "red",
    "no_target": "blue",
    "NOT_ASSESSED": "bright_black",
}


def show_scorecard(document: Mapping[str, Any], lang: Language) -> None:
    """Every row: its name, target, value today, status and how many are left out."""
    words = Words(lang)
    table = Table(title=words.title(document["title"]), title_justify="left")
    for i, name in enumerate(("id", "indicator", "target", "value", "status", "left_out")):
        right = i in (2, 3, 5)
        table.add_column(words(name), justify="right" if right else "left", no_wrap=i != 1)
    before = document["before"]
    if before is not None:
        table.add_column(str(before["year"]), justify="right", no_wrap=True)
    for row in document["rows"]:
        status, unit = str(row["status"]), document["units"][row["unit"]]
        table.add_row(
            row["id"],
            Text(words.title(row["title"])),
            words.target(row, unit),
            words.with_unit(row["value"], unit, row["direction"]),
            Text(words.verdict(status), style=_STYLES[status]),
            str(len(row["left_out"])) if row["left_out"] else "",
            *_earlier(row, before, unit, words),
        )
    print_table(table)
    say_uncounted(document)
    counts = document["counts"].items()
    say(" · ".join(f"{words.verdict(status)} {count}" for status, count in counts))
    show_rests(document["rests_on"], lang, told=document["warnings"])


def _earlier(
    row: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    unit: Mapping[str, Any],
    words: Words,
) -> list[str]:
    """A row's figure in the run of the year before, where there is one."""
    if before is None:
        return []
    held = [one["value"] for one in row["trend"] if one["run"] == before["run"]]
    return [words.with_unit(held[0] if held else None, unit, row["direction"])]
