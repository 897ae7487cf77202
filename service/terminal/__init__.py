"""What the command prints: progress bars, summary tables, faults."""

from __future__ import annotations

import math
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

from lifecircle.analysis.errors import Fault, Language, ParameterError
from lifecircle.analysis.errors import say as message
from lifecircle.analysis.measures.gap_cells import FULL
from lifecircle.analysis.results.model import Run
from lifecircle.service import i18n
from lifecircle.service.maps.wording import percent

_SHOWN_GAPS = 20
_LONGEST_UNCUT = 16  # digits and letters; longer names fold


def say(text: str) -> None:
    """One plain line."""
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


def print_table(table: Table) -> None:
    """A table in which no figure and no code is cut: on a narrow terminal only words fold."""
    console = Console(highlight=False)
    if console.measure(table).maximum >= console.width:
        table.box, table.padding = box.SIMPLE_HEAD, (0, 0, 0, 0)
    for column in table.columns:
        cells = [str(cell) for cell in column.cells]
        codes = all(cell.isascii() and " " not in cell for cell in cells)
        if column.justify == "right" or codes:
            words = (word for cell in cells for word in cell.split())
            column.min_width = min(max(map(cell_len, words), default=0), _LONGEST_UNCUT)
        column.overflow = "fold"
    needed = console.measure(table, options=console.options.update(width=10_000)).minimum
    Console(highlight=False, width=max(console.width, needed)).print(table)


def print_json(document: Mapping[str, Any]) -> None:
    """A document as HTTP gives it."""
    say(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode())


def write_text(path: Path, text: str) -> None:
    """Write aside, then rename."""
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def check_suffix(path: Path | None, known: str) -> None:
    """Refuse a name that promises another format (a page called ``.pdf``)."""
    if path is not None and path.suffix.lower() not in known.split():
        raise ParameterError("export_suffix", name=path.name, known=known)


def write_bytes(path: Path, content: bytes) -> None:
    """Write aside, then rename."""
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_bytes(content)
    aside.replace(path)


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
            key = step if step.startswith("samples_") else f"pipeline_step_{step}"
            bar.update(task, description=message(key, lang), completed=share)

        yield advance


def show_run(run: Run, lang: Language) -> None:
    """What was built: name, residents, counts, seconds, remarks."""
    manifest = run.manifest
    table = Table(title=f"{manifest.title.text(lang)} · {manifest.run}", show_header=False)
    table.add_row(i18n.text("cli_residents", lang), f"{manifest.residents:,}")
    for name in ("cells", "facilities", "units", "edges"):
        table.add_row(i18n.text(f"cli_{name}", lang), f"{manifest.counts[name]:,}")
    table.add_row("CRS", manifest.crs)
    seconds = sum(manifest.timings_s.values())
    table.add_row(i18n.text("cli_seconds", lang), f"{seconds:.1f}")
    print_table(table)
    for warning in manifest.warnings:
        say("· " + warning.text(lang))


def show_coverage(run: Run, block: Mapping[str, Any], lang: Language, *, total_only: bool) -> None:
    """Coverage of one service, a block of the document: total and units (people see percent)."""
    title = run.policy.services[block["service"]].title.text(lang)
    minutes = i18n.text("cli_minutes_limit", lang, n=f"{block['minutes']:g}")
    walker = run.policy.walkers[block["walker"]].title.text(lang)
    group = block["group"]
    people = i18n.text("cli_all_residents", lang) if group == "total" else group
    table = Table(title=f"{title} · {minutes} · {walker} · {people}")
    for key in ("cli_code", "cli_unit"):
        table.add_column(i18n.text(key, lang))
    for key in ("cli_residents", "cli_covered", "cli_U", "cli_P", "cli_L", "cli_C"):
        table.add_column(i18n.text(key, lang), justify="right")
    for row in [block["total"], *([] if total_only else block["units"])]:
        table.add_row(*_cells(row, lang))
    print_table(table)
    for warning in block["warnings"]:
        say("· " + warning["text"])


def _cells(row: Mapping[str, Any], lang: Language) -> list[str]:
    unknown = i18n.text("cli_not_assessed", lang)
    persons = [unknown if n is None else f"{n:,}" for n in (row["residents"], row["covered"])]
    shares = [percent(row[x]) or unknown for x in ("U", "P", "L", "C")]
    name = row["name_en"] if lang == "en" and row["name_en"] else row["name"]
    if row["code"] == "total":
        return ["", i18n.text("cli_total", lang), *persons, *shares]
    return [row["code"], name, *persons, *shares]


def show_gaps(document: Mapping[str, Any], run: Run, lang: Language) -> None:
    """The worst gaps as a table, those of full places as another, and the sums of a service."""
    features: Sequence[Mapping[str, Any]] = document["features"]
    for full, title in ((False, "cli_gaps"), (True, "cli_gaps_full")):
        rows = [
            feature["properties"]
            for feature in features
            if (feature["properties"]["reason"] == FULL) is full
        ]
        if rows or not full:
            print_table(_gap_table(rows, run, i18n.text(title, lang, count=len(rows)), lang))
    if document["service"] is not None:
        say(bridge_line(document["sums"][0], lang))


def bridge_line(sums: Mapping[str, Any], lang: Language) -> str:
    """How the headlines of one service hang together."""
    if sums["covered"] is None:
        return i18n.text("cli_not_assessed", lang)
    key = "cli_bridge" if sums["served"] is None else "cli_bridge_full"
    told = {name: f"{n:,}" for name, n in sums.items() if isinstance(n, int)}
    return i18n.text(key, lang, **told)


def _gap_table(rows: Sequence[Mapping[str, Any]], run: Run, title: str, lang: Language) -> Table:
    table = Table(title=title)
    for key in ("cli_service", "cli_unit", "cli_near", "cli_reason"):
        table.add_column(i18n.text(key, lang))
    for key in ("cli_residents", "cli_minutes"):
        table.add_column(i18n.text(key, lang), justify="right")
    for row in rows[:_SHOWN_GAPS]:
        minutes = row["minutes_to_nearest"]
        table.add_row(
            run.policy.services[row["service"]].title.text(lang),
            row["unit_name"] or "",
            row["near"] or "",
            i18n.text(f"cli_reason_{row['reason']}", lang),
            f"{row['residents']:,}",
            "—" if minutes is None or math.isnan(minutes) else f"{minutes:.1f}",
        )
    return table


def show_faults(faults: Sequence[Fault], name: str, lang: Language) -> None:
    """All faults of a file, or that there are none."""
    if all(fault.severity == "note" for fault in faults):
        say(i18n.text("cli_no_faults", lang, file=name))
    for fault in faults:
        mark = {"error": "✗", "warning": "!", "note": "·"}[fault.severity]
        say(f"{mark} {fault.text(lang)}")
