"""What ``lifecircle robust`` prints: verdicts with what they hang on, then coverage with bands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from lifecircle.analysis.errors import Language
from lifecircle.service.catalog.firm.robustness import FirmWords
from lifecircle.service.figures import number
from lifecircle.service.terminal import print_table, say
from lifecircle.service.wording import Words


@contextmanager
def counting(area: str, lang: Language) -> Iterator[Callable[[int, int], None]]:
    """A bar of the tries done; quiet when nobody watches."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("[bold]{task.fields[area]}"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task(Words(lang, "robustness")("step"), total=1, area=area)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def show_robustness(document: Mapping[str, Any], lang: Language) -> None:
    """Every promise: its verdict, in how many draws it holds, what flips it; every service's P."""
    words = FirmWords.of(document, lang)
    if document["rows"]:
        print_table(_rows(document, words))
    print_table(_services(document, words))
    if document["proposals"] is not None:
        print_table(_proposals(document["proposals"], words))
        say(words.proposals(document["proposals"]))
    for one in document["not_moved"]:
        name, why = words.stays(one)
        say(words("stays_told", name=name, why=why))
    say(words("honest", draws=document["draws"], seed=document["seed"], **words.ends()))


def _rows(document: Mapping[str, Any], words: FirmWords) -> Table:
    table = Table(title=words.title(document["title"]), title_justify="left")
    for name in ("id", "indicator", "status", "holds", "value", "band", "driver", "flips"):
        table.add_column(words(name), justify="right" if name in ("value", "band") else "left")
    for row in document["rows"]:
        band = words.ranged_band(words.figure(row, "low"), words.figure(row, "high"))
        table.add_row(
            row["id"],
            Text(words.title(row["title"])),
            words.verdict(row["status"]),
            words.holds(row),
            words.figure(row, "value"),
            band,
            Text(words.assumption(row["driver"])),
            Text("\n".join(words.flips(row))),
        )
    return table


def _proposals(told: Mapping[str, Any], words: FirmWords) -> Table:
    table = Table(title=words("proposals"), title_justify="left")
    for name in ("rank", "place", "new", "chosen", "chosen_near"):
        table.add_column(words(name), justify="left" if name == "place" else "right")
    for one in told["sites"]:
        new = one["residents_new"]
        table.add_row(
            words("instead") if one["rank"] is None else str(one["rank"]),
            Text(words.where(one)),
            words.none if new is None else number(new["value"]) or words.none,
            words.in_draws(one["chosen"]),
            words.in_draws(one["chosen_near"]),
        )
    return table


def _services(document: Mapping[str, Any], words: FirmWords) -> Table:
    table = Table(title=words("services"), title_justify="left")
    for name in ("service", "value", "low", "high", "always", "sometimes", "never", "driver"):
        left = name in ("service", "driver")
        table.add_column(words(name), justify="left" if left else "right")
    for one in document["services"]:
        table.add_row(
            Text(words.title(one["title"])),
            *(words.share(one["P"], end) for end in ("value", "low", "high")),
            *(
                number(one["residents"][name]) or words.none
                for name in ("always", "sometimes", "never")
            ),
            Text(words.assumption(one["driver"])),
        )
    return table
