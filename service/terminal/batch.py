"""A batch on the terminal: a live table of its cities, and what failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from lifecircle.analysis.errors import Language
from lifecircle.service import i18n
from lifecircle.service.batch.cities import Plan
from lifecircle.service.batch.records import Record, Records
from lifecircle.service.errors import BatchUnfinishedError
from lifecircle.service.figures import decimal, number
from lifecircle.service.terminal import print_table, say, table_of
from lifecircle.service.wording import Words

_EVERY_S: Final = 0.5
_MOST_ROWS: Final = 40  # of a live table; those that wait are left out first
_Row = tuple[str, str, Record | None]
_HEADS: Final = ("city", "state", "residents", "seconds", "peak_mb")


def watched(plan: Plan, workspace: Path, records: Iterator[Record], lang: Language) -> list[Record]:
    """All records, shown while they come in; a plain table at the end where nobody watches."""
    words, console = Words(lang, "batch"), Console(stderr=True)
    steps, found = Records(workspace), dict[str, Record]()
    if console.is_terminal:
        stop = threading.Event()
        with Live(console=console, auto_refresh=False, transient=True) as live:

            def redraw() -> None:
                while not stop.wait(_EVERY_S):
                    live.update(_table(plan, found, steps, words), refresh=True)

            watcher = threading.Thread(target=redraw, daemon=True)
            watcher.start()
            try:
                for record in records:
                    found[record.city] = record
            finally:
                stop.set()
                watcher.join()
    else:
        for record in records:
            found[record.city] = record
    print_table(_table(plan, found, steps, words, every=True))
    return [found[name] for name in plan.cities if name in found]


def _table(
    plan: Plan, found: dict[str, Record], steps: Records, words: Words, *, every: bool = False
) -> Table:
    table = table_of(words("title"), [words(key) for key in _HEADS], left=(0, 1))
    working: list[_Row] = []
    waiting: list[_Row] = []
    done: list[_Row] = []
    for name in plan.cities:
        record = found.get(name)
        if record is not None:
            state = "again" if record.again else record.state
            done.append((name, words(f"state_{state}"), record))
        elif (step := steps.step(name)) is not None:
            told = i18n.text(f"pipeline_step_{step}", words.lang)
            working.append((name, words("state_working", step=told), None))
        else:
            waiting.append((name, words("state_waiting"), None))
    rows = [*working, *reversed(done), *waiting]
    if every:
        place = {name: i for i, name in enumerate(plan.cities)}
        rows = sorted(rows, key=lambda row: place[row[0]])
    for name, told, record in rows if every else rows[:_MOST_ROWS]:
        figures = (
            ("", "", "")
            if record is None
            else (
                number(record.residents) or words.unknown,
                decimal(record.seconds, 1) or "",
                decimal(record.peak_mb, 0) or "",
            )
        )
        table.add_row(name, told, *figures)
    return table


def tell_lost(times: int, lang: Language) -> None:
    """The connection to a cluster was lost so often, and is made anew."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(i18n.text("batch_connection_lost", lang, times=times), markup=False)


def show_failed(records: list[Record], lang: Language) -> None:
    """What is wrong with each city that failed.

    Raises
    ------
    BatchUnfinishedError : any failed.
    """
    failed = [record for record in records if record.state == "failed"]
    for record in failed:
        say(f"✗ {record.city}: {(record.error or {}).get(lang, '')}")
    if failed:
        raise BatchUnfinishedError("batch_some_failed", failed=len(failed), count=len(records))
