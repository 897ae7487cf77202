"""All cities of a batch side by side: GeoParquet, a workbook, and a page that ranks them.

::

    OUT/cities.parquet   one row a city and indicator, with every reading
    OUT/units.parquet    GeoParquet: one row a city and unit, columns by service
    OUT/summary.xlsx     the same for people: cities, coverage, scorecard, units
    OUT/index.zh.html, index.en.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson
import pandas as pd

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.workbooks import add_sheet, new_workbook, sheet_row
from lifecircle.service.batch.fetched import send
from lifecircle.service.batch.figures import COUNTS, READINGS, SPAN
from lifecircle.service.batch.page import Worst, add_worst, batch_page
from lifecircle.service.batch.records import Record, Records
from lifecircle.service.batch.units_table import UnitTables
from lifecircle.service.errors import BatchUnfinishedError
from lifecircle.service.wording import Words

COVERAGE: Final = "coverage"
ROW: Final = "scorecard"
MOST_CELLS: Final = 5_000_000  # of a sheet: Excel opens it; at 20 times as many it does not
CITIES, UNITS, WORKBOOK = "cities.parquet", "units.parquet", "summary.xlsx"
PAGES: Final[Mapping[Language, str]] = {"zh": "index.zh.html", "en": "index.en.html"}


@dataclass(frozen=True, slots=True)
class Summary:
    """Records of all cities, by name, and of those that are done what is kept of their figures.

    `figures`: as `figures.figures_of` tells them, without what is told of units; `worst`: by
    service the units with most residents who are not covered, of all cities (`page.Worst`).
    """

    records: Mapping[str, Record]
    figures: Mapping[str, Mapping[str, Any]]
    worst: Mapping[str, Worst]
    units: UnitTables


def read_summary(records: Sequence[Record], workspace: Path, scratch: Path) -> Summary:
    """The figures of every city that is done, read one city after the other.

    `scratch`: a folder where the units wait until all are known.
    """
    kept = Records(workspace)
    by_name = {record.city: record for record in sorted(records, key=lambda one: one.city)}
    figures: dict[str, Mapping[str, Any]] = {}
    worst: dict[str, Worst] = {}
    units = UnitTables(scratch)
    for name, record in by_name.items():
        if record.state != "done":
            continue
        found = orjson.loads(kept.figures(name).read_bytes())
        units.add(name, found)
        add_worst(worst, len(figures), found)
        figures[name] = _without_units(found)
    return Summary(by_name, figures, worst, units)


def _without_units(found: Mapping[str, Any]) -> Mapping[str, Any]:
    services = [
        {key: value for key, value in block.items() if key != "units"}
        for block in found["services"]
    ]
    return {**found, "services": services, "shapes": []}


def write_summary(
    records: Sequence[Record], workspace: Path, out: Path, lang: Language
) -> list[Path]:
    """Write all files of the summary, each aside and then renamed; returns them.

    Raises
    ------
    BatchUnfinishedError : the folder cannot be written.
    """
    make_out(out)
    try:
        with TemporaryDirectory(prefix=".summary-", dir=out) as scratch:
            files = _made(records, workspace, Path(scratch), lang)
            return [file.replace(out / file.name) for file in files]
    except OSError as error:
        raise _unwritable(out, error) from None


def make_out(out: Path) -> None:
    """Make the folder of a summary, so that what is wrong with it is told before any work.

    Raises
    ------
    BatchUnfinishedError : it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from None


def _unwritable(out: Path, error: OSError) -> BatchUnfinishedError:
    detail = error.strerror or str(error)
    return BatchUnfinishedError("batch_no_summary", out=out.name, detail=detail)


def send_summary(
    records: Sequence[Record], workspace: Path, address: str, lang: Language
) -> list[str]:
    """Put all files of the summary under an address (`fetched.send`); returns theirs.

    Raises
    ------
    BatchError : fsspec is not installed; the place cannot be written.
    """
    with TemporaryDirectory(prefix="lifecircle-summary-") as scratch:
        return send(_made(records, workspace, Path(scratch), lang), address)


def _made(records: Sequence[Record], workspace: Path, scratch: Path, lang: Language) -> list[Path]:
    """The files of the summary, made in a folder, the order people read them in."""
    summary = read_summary(records, workspace, scratch)
    cities_frame(summary).to_parquet(scratch / CITIES, index=False)
    write_units(summary, scratch / UNITS, scratch / WORKBOOK, lang)
    for one in PAGES:
        page = batch_page(summary.records, summary.figures, summary.worst, one)
        (scratch / PAGES[one]).write_text(page, encoding="utf-8")
    return [scratch / name for name in (CITIES, UNITS, WORKBOOK, *PAGES.values())]


def cities_frame(summary: Summary) -> pd.DataFrame:
    """One row a city and indicator: readings of each service, value and status of each row."""
    rows = [
        line
        for city, found in summary.figures.items()
        for line in (*_services(city, found), *_card(city, found))
    ]
    heads = ["city", "run", "kind", "id", "title_zh", "title_en", *COUNTS, *READINGS, *SPAN]
    heads += ["value", "status", "assessed_share", "target", "unit"]
    frame = pd.DataFrame(rows, columns=heads)
    for name in COUNTS:
        frame[name] = frame[name].astype("Int64")
    numbers = [*READINGS, *SPAN, "value", "assessed_share", "target"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def _services(city: str, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for block in found["services"]:
        title = block["title"]
        yield {
            "city": city, "run": found["run"], "kind": COVERAGE, "id": block["service"],
            "title_zh": title["zh"], "title_en": title["en"], **block["total"],
        }  # fmt: skip


def _card(city: str, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for row in found["rows"]:
        kept = {key: row[key] for key in ("value", "status", "assessed_share", "target", "unit")}
        yield {
            "city": city, "run": found["run"], "kind": ROW, "id": row["id"],
            "title_zh": row["title"]["zh"], "title_en": row["title"]["en"], **kept,
        }  # fmt: skip


def write_units(summary: Summary, parquet: Path, sheets: Path, lang: Language) -> None:
    """Write every unit as GeoParquet, and the summary for people as an Excel workbook.

    The units go into both a city at a time; where they are more than a sheet can have, its own
    tells where they lie, and that of the worst of them stands for it.
    """
    words = Words(lang, "batch")
    with sheets.open("wb") as handle, new_workbook(handle) as book:
        for name, heads, rows in _sheets(summary, words):
            add_sheet(book, words(name), heads, rows, freeze="B2")
        columns = summary.units.columns
        fits = summary.units.count * len(columns) <= MOST_CELLS
        told = words("units_too_many", count=f"{summary.units.count:,}", file=UNITS)
        sheet = add_sheet(book, words("units"), columns if fits else [told], freeze="B2")
        with summary.units.writer(parquet) as writer:
            for table in summary.units.tables():
                writer.write_table(table)
                if fits:
                    lists = [column.to_pylist() for column in table.select(columns).columns]
                    for row in zip(*lists, strict=True):
                        sheet.append(sheet_row(sheet, row))


_Sheet = tuple[str, list[Any], Iterator[Sequence[Any]]]


def _sheets(summary: Summary, words: Words) -> Iterator[_Sheet]:
    heads = ["city", "state", "residents", "run", "seconds", "peak_mb", "error"]
    yield "cities", [words(key) for key in heads], _cities(summary, words)
    for kind, column in ((COVERAGE, "P"), (ROW, "value")):
        titles = _titles(summary, kind, words)
        yield kind, [words("city"), *titles.values()], _matrix(summary, kind, column, [*titles])
    heads = ["indicator", "city", "unit", "share", "not_covered"]
    yield "worst_sheet", [words(key) for key in heads], _worst(summary, words)


def _worst(summary: Summary, words: Words) -> Iterator[Sequence[Any]]:
    """The units with most residents out of reach, by service (`page.WORST_UNITS` of each)."""
    cities, titles = [*summary.figures], _titles(summary, COVERAGE, words)
    for service, title in titles.items():
        for city, name, share, lost in summary.worst.get(service, ()):
            yield title, cities[city], name[words.lang], share, lost


def _cities(summary: Summary, words: Words) -> Iterator[Sequence[Any]]:
    for name, record in summary.records.items():
        error = None if record.error is None else record.error[words.lang]
        told = words(f"state_{record.state}")
        yield (name, told, record.residents, record.run, record.seconds, record.peak_mb, error)


def _titles(summary: Summary, kind: str, words: Words) -> dict[str, str]:
    """Titles of the indicators that any city has, by id."""
    key, id_of = ("services", "service") if kind == COVERAGE else ("rows", "id")
    found = {
        one[id_of]: one["title"][words.lang]
        for figures in summary.figures.values()
        for one in figures[key]
    }
    return dict(sorted(found.items()))


def _matrix(
    summary: Summary, kind: str, column: str, ids: Sequence[str]
) -> Iterator[Sequence[Any]]:
    for name, figures in summary.figures.items():
        if kind == COVERAGE:
            held = {one["service"]: one["total"][column] for one in figures["services"]}
        else:
            held = {one["id"]: one[column] for one in figures["rows"]}
        yield (name, *(held.get(one) for one in ids))
