"""All cities of a batch side by side: GeoParquet, a workbook, and a page that ranks them.

::

    OUT/cities.parquet   one row a city and indicator, with every reading
    OUT/units.parquet    GeoParquet: one row a city and unit, columns by service
    OUT/summary.xlsx     the same for people: cities, coverage, scorecard, units
    OUT/index.zh.html, index.en.html
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import orjson
import pandas as pd
import shapely
from openpyxl import Workbook

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.export import sheet_row
from lifecircle.analysis.writing import write_aside
from lifecircle.service.batch.fetched import send
from lifecircle.service.batch.figures import COUNTS, READINGS
from lifecircle.service.batch.page import batch_page
from lifecircle.service.batch.records import Record, Records
from lifecircle.service.errors import BatchUnfinishedError
from lifecircle.service.wording import Words

COVERAGE: Final = "coverage"
ROW: Final = "scorecard"
_LONGEST_SHEET: Final = 1_000_000
_NO_SHAPE: Final[Mapping[str, Any]] = {"name_en": None, "wkb": None}


@dataclass(frozen=True, slots=True)
class Summary:
    """Records of all cities, by name, and the figures of those that are done."""

    records: Mapping[str, Record]
    figures: Mapping[str, Mapping[str, Any]]


def read_summary(records: Sequence[Record], workspace: Path) -> Summary:
    """The figures of every city that is done."""
    kept = Records(workspace)
    by_name = {record.city: record for record in sorted(records, key=lambda one: one.city)}
    found = {
        name: orjson.loads(kept.figures(name).read_bytes())
        for name, record in by_name.items()
        if record.state == "done"
    }
    return Summary(by_name, found)


def write_summary(summary: Summary, out: Path, lang: Language) -> list[Path]:
    """Write all files of the summary, each aside and then renamed; returns them.

    Raises
    ------
    BatchUnfinishedError : the folder cannot be written.
    """
    make_out(out)
    files = _contents(summary, lang)
    try:
        for name, content in files.items():
            write_aside(out / name, content)
    except OSError as error:
        raise _unwritable(out, error) from None
    return [out / name for name in files]


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


def send_summary(summary: Summary, address: str, lang: Language) -> list[str]:
    """Put all files of the summary under an address (`fetched.send`); returns theirs.

    Raises
    ------
    BatchError : fsspec is not installed; the place cannot be written.
    """
    return send(_contents(summary, lang), address)


def _contents(summary: Summary, lang: Language) -> dict[str, bytes]:
    units = units_frame(summary)
    return {
        "cities.parquet": _parquet(cities_frame(summary)),
        "units.parquet": _parquet(units),
        "summary.xlsx": workbook(summary, units, lang),
        "index.zh.html": batch_page(summary.records, summary.figures, "zh").encode(),
        "index.en.html": batch_page(summary.records, summary.figures, "en").encode(),
    }


def _parquet(frame: pd.DataFrame) -> bytes:
    held = io.BytesIO()
    frame.to_parquet(held, index=False)
    return held.getvalue()


def cities_frame(summary: Summary) -> pd.DataFrame:
    """One row a city and indicator: readings of each service, value and status of each row."""
    rows = [
        line
        for city, found in summary.figures.items()
        for line in (*_services(city, found), *_card(city, found))
    ]
    heads = ["city", "run", "kind", "id", "title_zh", "title_en", *COUNTS, *READINGS]
    heads += ["value", "status", "assessed_share", "target", "unit"]
    frame = pd.DataFrame(rows, columns=heads)
    for name in COUNTS:
        frame[name] = frame[name].astype("Int64")
    numbers = [*READINGS, "value", "assessed_share", "target"]
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


def units_frame(summary: Summary) -> gpd.GeoDataFrame:
    """One row a city and unit of its coverage: residents, and covered and P of every service."""
    heads = ["city", "run", "code", "name", "name_en", "level", "residents"]
    lines: list[tuple[Any, ...]] = []
    shapes_wkb: list[str | None] = []
    counts: dict[str, dict[int, int | None]] = {}
    shares: dict[str, dict[int, float | None]] = {}
    for city, found in summary.figures.items():
        shapes = {shape["code"]: shape for shape in found["shapes"]}
        at: dict[str, int] = {}
        for block in found["services"]:
            covered = counts.setdefault(f"{block['service']}_covered", {})
            share = shares.setdefault(f"{block['service']}_P", {})
            for unit in block["units"]:
                code = unit["code"]
                line = at.get(code)
                if line is None:
                    line = at[code] = len(lines)
                    shape = shapes.get(code, _NO_SHAPE)
                    told = (unit["name"], shape["name_en"], block["by"], unit["residents"])
                    lines.append((city, found["run"], code, *told))
                    shapes_wkb.append(shape["wkb"])
                covered[line], share[line] = unit["covered"], unit["P"]
    frame = pd.DataFrame(lines, columns=heads)
    columns = {
        name: pd.Series(held, index=frame.index, dtype="Int64") for name, held in counts.items()
    }
    columns |= {
        name: pd.Series(held, index=frame.index, dtype="float64") for name, held in shares.items()
    }
    frame["residents"] = frame["residents"].astype("Int64")
    frame = pd.concat(
        [frame, pd.DataFrame({name: columns[name] for name in sorted(columns)})], axis=1
    )
    return gpd.GeoDataFrame(frame, geometry=shapely.from_wkb(shapes_wkb), crs="EPSG:4326")


def workbook(summary: Summary, units: gpd.GeoDataFrame, lang: Language) -> bytes:
    """The summary for people, as an Excel workbook; `units`: its `units_frame`."""
    words = Words(lang, "batch")
    book = Workbook(write_only=True)
    for name, heads, rows in _sheets(summary, units, words):
        sheet = book.create_sheet(words(name))
        sheet.freeze_panes = "B2"
        sheet.append(sheet_row(sheet, heads, heading=True))
        for i, row in enumerate(rows):
            if i == _LONGEST_SHEET:
                break
            sheet.append(sheet_row(sheet, row))
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


_Sheet = tuple[str, list[Any], Iterator[Sequence[Any]]]


def _sheets(summary: Summary, units: gpd.GeoDataFrame, words: Words) -> Iterator[_Sheet]:
    heads = ["city", "state", "residents", "run", "seconds", "peak_mb", "error"]
    yield "cities", [words(key) for key in heads], _cities(summary, words)
    for kind, column in ((COVERAGE, "P"), (ROW, "value")):
        titles = _titles(summary, kind, words)
        yield kind, [words("city"), *titles.values()], _matrix(summary, kind, column, [*titles])
    frame = units.drop(columns="geometry").astype(object)
    frame = frame.where(frame.notna(), None)
    yield "units", [str(name) for name in frame.columns], iter(frame.to_numpy().tolist())


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
