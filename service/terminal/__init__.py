"""What the command prints: progress bars, summary tables, faults."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lifecircle.analysis.errors import Fault, Language, ParameterError, WorkspaceError
from lifecircle.analysis.measures.gaps.cells import FULL
from lifecircle.analysis.measures.remarks import ABOUT_RESIDENTS
from lifecircle.analysis.readers.records.findings import unfold
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.texts import whole
from lifecircle.service import i18n
from lifecircle.service.figures import decimal, number, percent, walked
from lifecircle.service.wording import Words

_SHOWN_GAPS = 20
_LONGEST_UNCUT = 16  # digits and letters; longer names fold
_NARROWEST_WORDS = 20  # a column of words does not fold below this
_UNBOUND = 10_000


def say(text: str) -> None:
    """One plain line."""
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


def print_table(table: Table) -> None:
    """A table in which no figure and no code is cut: on a narrow terminal only words fold.

    Into a file or a pipe it goes as wide as it is.
    """
    console = Console(highlight=False)
    if console.is_terminal and _width_of(table) > console.width:
        table.box, table.padding = box.SIMPLE_HEAD, (0, 0, 0, 0)
        _fold_words(table, console.width)
    Console(highlight=False, width=max(console.width, _width_of(table))).print(table)


def _width_of(table: Table) -> int:
    """The columns of a screen that a table takes by itself."""
    console = Console(width=_UNBOUND)
    return console.measure(table).maximum


def _fold_words(table: Table, width: int) -> None:
    """Narrow the columns to their longest figure or code, those of words to what is left."""
    of_words = []
    for column in table.columns:
        cells, head = [str(cell) for cell in column.cells], str(column.header)
        column.overflow = "fold"
        codes = all(cell.isascii() and " " not in cell for cell in cells)
        if column.justify == "right" or codes:
            words = (word for text in (head, *cells) for word in text.split())
            column.max_width = min(max(map(cell_len, words), default=1), _LONGEST_UNCUT)
        else:
            of_words.append(column)
            column.max_width = min(max(map(cell_len, (head, *cells))), _NARROWEST_WORDS)
    spare = width - _width_of(table)
    for column in of_words:
        column.max_width = (column.max_width or 0) + max(spare, 0) // len(of_words)


def print_json(document: Mapping[str, Any]) -> None:
    """A document as HTTP gives it."""
    say(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode())


def check_suffix(path: Path | None, known: str) -> None:
    """Refuse a name that promises another format (a page called ``.pdf``)."""
    if path is not None and path.suffix.lower() not in known.split():
        raise ParameterError("export_suffix", name=path.name, known=known)


def check_folder(path: Path | None) -> None:
    """Refuse a file in a folder that cannot be written, by the name that was given."""
    if path is None or os.access(path.parent, os.W_OK | os.X_OK):
        return
    reason = os.strerror(errno.EACCES if path.parent.is_dir() else errno.ENOENT)
    raise WorkspaceError("export_failed", name=path.name, reason=reason)


@contextmanager
def progress_bar(area: str, lang: Language) -> Iterator[Callable[[str, float], None]]:
    """A bar with the step under way; quiet when nobody watches."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("[bold]{task.fields[area]}"),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=1.0, area=area)

        def advance(step: str, share: float) -> None:
            key = step if step.startswith(("samples_", "backup_")) else f"pipeline_step_{step}"
            bar.update(task, description=i18n.text(key, lang), completed=share)

        yield advance


def show_run(run: Run, lang: Language) -> None:
    """What was built: name, residents, counts, seconds, remarks."""
    words, manifest = Words(lang, "cli"), run.manifest
    table = Table(title=f"{manifest.title.text(lang)} · {manifest.run}", show_header=False)
    table.add_row(words("residents"), number(manifest.residents) or words.unknown)
    for name in ("cells", "facilities", "units", "edges"):
        table.add_row(words(name), number(manifest.counts[name]))
    table.add_row(words("crs"), manifest.crs)
    table.add_row(words("seconds"), decimal(sum(manifest.timings_s.values()), 1))
    print_table(table)
    for warning in manifest.warnings:
        say_remark(warning.text(lang))


def say_remark(text: str) -> None:
    """One remark, marked as such."""
    say(f"· {text}")


def say_uncounted(answer: Mapping[str, Any]) -> None:
    """The remarks of an answer on who is not counted, or only reckoned."""
    for warning in answer["warnings"]:
        if warning["key"] in ABOUT_RESIDENTS:
            say_remark(warning["text"])


def table_of(title: str, heads: Sequence[str], left: Sequence[int]) -> Table:
    """An empty table with its headings; all columns but those named stand to the right."""
    table = Table(title=title)
    for i, head in enumerate(heads):
        table.add_column(head, justify="left" if i in left else "right")
    return table


def show_coverage(run: Run, block: Mapping[str, Any], lang: Language, *, total_only: bool) -> None:
    """Coverage of one service, a block of the document: total and units (people see percent)."""
    words = Words(lang, "cli")
    title = (
        words.title(run.policy.services[block["service"]].title),
        words.limit(block["minutes"]),
        words.title(run.policy.walkers[block["walker"]].title),
        words.group(block["group"]),
    )
    rows = [block["total"], *([] if total_only else block["units"])]
    partly = block["total"]["covered"] is not None and bool(block["total"]["not_assessed"])
    persons = ["residents", "covered", *(["circle_open"] if partly else [])]
    heads = [words(key) for key in ("code", "unit", *persons, "U", "P", "L", "C")]
    table = table_of(" · ".join(title), heads, left=(0, 1))
    for row in rows:
        table.add_row(*_cells(row, words, partly=partly))
    print_table(table)
    if block["bands"] is not None:
        say(words.bands_about(block["bands"]))
    show_rests(block["rests_on"], lang, of_service=total_only)
    say_others(block)


def say_others(answer: Mapping[str, Any]) -> None:
    """The remarks of an answer that what it rests on has not said."""
    from lifecircle.service.catalog.rests import (
        told_elsewhere,
    )  # loads every document: builds print none

    known = told_elsewhere(answer["rests_on"])
    for warning in answer["warnings"]:
        if warning["text"] not in known:
            say_remark(warning["text"])


def show_rests(
    lines: Sequence[Mapping[str, Any]],
    lang: Language,
    *,
    of_service: bool = False,
    told: Sequence[Mapping[str, Any]] = (),
) -> None:
    """What an answer rests on: the most serious doubts, and how many more there are.

    `told`: remarks of the answer, of which those on who is counted were said before.
    """
    from lifecircle.service.catalog.rests import folded_rests

    said = {one["text"] for one in told if one["key"] in ABOUT_RESIDENTS}
    new = [line for line in lines if line["text"][lang] not in said]
    shown, more = folded_rests(new, lang, of_service=of_service)
    words = Words(lang, "cli")
    if shown:
        say(words("rests_on"))
    for line in shown:
        say(f"{'!' if line['severity'] == 'serious' else '·'} {line['text']}")
    if more:
        say_remark(words("rests_more", count=len(more)))


def _cells(row: Mapping[str, Any], words: Words, *, partly: bool) -> list[str]:
    unknown = words.not_assessed
    counted = ("residents", "covered", *(("not_assessed",) if partly else ()))
    persons = [number(row[key]) or unknown for key in counted]
    told = {key: percent(row[key]) or unknown for key in ("U", "P", "L", "C")}
    shares = [*(told | {"P": words.banded(told["P"], row["P_low"], row["P_high"])}).values()]
    if row["code"] == "total":
        return ["", words("total"), *persons, *shares]
    return [row["code"], words.named(row), *persons, *shares]


def show_gaps(document: Mapping[str, Any], run: Run, lang: Language) -> None:
    """The worst gaps as a table, those of full places as another, and the sums of a service."""
    words = Words(lang, "cli")
    say_uncounted(document)
    if not run.city.cells.counted:
        return
    features: Sequence[Mapping[str, Any]] = document["features"]
    for full, title in ((False, "gaps"), (True, "gaps_full")):
        rows = [
            feature["properties"]
            for feature in features
            if (feature["properties"]["reason"] == FULL) is full
        ]
        if rows or not full:
            print_table(_gap_table(rows, run, words(title, count=len(rows)), words))
    if document["service"] is not None:
        say(words.bridge(document["sums"][0]))
        show_rests(document["sums"][0]["rests_on"], lang, told=document["warnings"])


def _gap_table(rows: Sequence[Mapping[str, Any]], run: Run, title: str, words: Words) -> Table:
    heads = [words(key) for key in ("service", "unit", "near", "reason", "residents", "walk")]
    table = table_of(title, heads, left=(0, 1, 2, 3))
    for row in rows[:_SHOWN_GAPS]:
        table.add_row(
            words.title(run.policy.services[row["service"]].title),
            row["unit_name"] or "",
            words.beside(row),
            words.reason_of(row),
            number(row["residents"]),
            walked(row["minutes_to_nearest"]) or words.none,
        )
    return table


def show_faults(
    faults: Sequence[Fault], name: str, lang: Language, *, every_row: bool = False
) -> None:
    """All faults of a file, the same of many rows once; or that there are none."""
    from lifecircle.service.catalog.checks import grouped

    words = Words(lang, "cli")
    if all(fault.severity == "note" for fault in faults):
        say(words("no_faults", file=name))
    cut = not every_row and any(unfold(fault) is not fault for fault in faults)
    for fault in grouped(faults, words, every_row=every_row):
        cut |= fault["cut"]
        mark = {"error": "✗", "warning": "!", "note": "·"}[fault["severity"]]
        say(f"{mark} {_head(fault, name, words)}{fault['problem']}")
    if cut:
        say(words("check_say_all"))


def _head(fault: Mapping[str, Any], name: str, words: Words) -> str:
    """Where a fault is: the file, its row or rows, its column."""
    place = "row" if fault["row"] is not None else "rows" if fault["rows"] else ""
    told = [part for part in (place, "column" if fault["column"] else "") if part]
    parts = {part: whole(str(fault[part])) for part in told}
    return words("_".join(["errors_at", *told]), file=name, **parts)
