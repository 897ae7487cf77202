"""Exchange files: GeoJSON, GeoPackage, CSV and Excel, written aside and renamed."""

from __future__ import annotations

import errno
import io
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.shapes import anchor_xy
from lifecircle.analysis.errors import Language, ParameterError, WorkspaceError, say
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.results.columns import COVERAGE_COLUMNS, Column
from lifecircle.analysis.results.export_blocks import (
    Blocks,
    frame_blocks,
    write_geopackage,
    write_geoparquet,
)
from lifecircle.analysis.results.layers.layers import METRIC_CRS, layer_columns, layer_frame
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.workbooks import add_sheet, new_workbook, or_none
from lifecircle.analysis.texts import MESSAGES, Title, group_title
from lifecircle.analysis.writing import has_no_room

SUFFIXES: Final = (".geojson", ".gpkg", ".parquet", ".csv", ".xlsx")
TABLE_SUFFIXES: Final = (".csv", ".xlsx")
DEGREE_DIGITS: Final = 7  # about a centimetre
EXCEL_ROWS: Final = 1_048_575  # what a sheet holds below its header
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")

_LABELS: Final = {
    "run": "word_run",
    "service": "word_service",
    "minutes": "word_minutes",
    "walker": "word_walker",
    "group": "word_group",
    "by": "word_level",
}
_LON = Column("lon", "number", "°", "column_lon", "null_no_geometry")
_LAT = Column("lat", "number", "°", "column_lat", "null_no_geometry")


def export_layer(run: Run, layer: str, path: Path, lang: Language = "zh") -> None:
    """Write a layer of a run, in the format of the suffix, EPSG:4326.

    Tables get ``lon`` and ``lat`` (of cells where their walks start: the centroid, or a point
    inside where that lies outside; of other shapes the same) in place of the geometry; an
    Excel sheet is titled in `lang`, a CSV has the machine names. A failed write leaves what
    was there.

    Raises
    ------
    UnknownNameError : no such layer.
    ParameterError : another suffix, or more rows than a sheet holds.
    WorkspaceError : the file cannot be written.
    """
    _checked(path, SUFFIXES)
    export_frame(layer_frame(run, layer), layer_columns(run, layer), path, layer, lang)


def export_frame(
    frame: gpd.GeoDataFrame,
    columns: Sequence[Column],
    path: Path,
    name: str,
    lang: Language = "zh",
) -> None:
    """Write a frame of a layer (all of it or a selection); `name` titles layer and sheet."""
    suffix = _checked(path, SUFFIXES)
    if suffix == ".geojson":
        _aside(path, lambda to: _vector(frame, to, "GeoJSON", name))
    elif suffix == ".gpkg":
        _aside(path, lambda to: _vector(frame, to, "GPKG", name))
    elif suffix == ".parquet":
        _aside(path, lambda to: _geoparquet(frame, columns, to))
    else:
        tables = map(_flat, frame_blocks(frame))
        _tables(tables, len(frame), (*columns, _LON, _LAT), path, name, lang)


def export_blocks(
    blocks: Blocks, columns: Sequence[Column], path: Path, name: str, lang: Language = "zh"
) -> None:
    """`export_frame` of a long layer, some rows at a time; no ``.geojson``."""
    suffix = _checked(path, SUFFIXES[1:])
    if suffix == ".gpkg":
        _aside(path, lambda to: write_geopackage(blocks, columns, to, name))
    elif suffix == ".parquet":
        _aside(path, lambda to: write_geoparquet(blocks, columns, to, _geoparquet))
    else:
        tables = map(_flat, blocks.make())
        _tables(tables, blocks.rows, (*columns, _LON, _LAT), path, name, lang)


def export_coverage(
    block: Mapping[str, Any], path: Path, lang: Language = "zh", policy: Policy | None = None
) -> None:
    """Write the coverage of one service (a block of the document) as ``.csv`` or ``.xlsx``.

    The total comes first; parameters and remarks go to a second sheet, where with the `policy`
    service and walker have their titles.
    """
    asked = {name: block[name] for name in _LABELS if name != "run"}
    lines = (
        *asked_lines(asked, lang, policy),
        *((say("word_remark", lang), warning["text"]) for warning in block["warnings"]),
    )
    rows = (block["total"], *block["units"])
    export_rows(rows, COVERAGE_COLUMNS, path, block["service"], lang, lines)


def write_table(
    table: pd.DataFrame,
    columns: Sequence[Column],
    path: Path,
    name: str,
    lang: Language = "zh",
    suffixes: Sequence[str] = TABLE_SUFFIXES,
    lines: tuple[tuple[str, str], ...] = (),
) -> None:
    """Write a table without geometry as ``.csv`` or ``.xlsx``; `name` titles the sheet.

    `lines` go to a second sheet of the latter.
    """
    _checked(path, suffixes)
    _tables([table], len(table), columns, path, name, lang, lines)


def export_rows(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    path: Path,
    name: str,
    lang: Language = "zh",
    lines: tuple[tuple[str, str], ...] = (),
) -> None:
    """The same for plain rows."""
    kinds = {"integer": "Int64", "number": "Float64", "boolean": "boolean"}
    table = pd.DataFrame(
        {
            column.name: pd.Series(
                [row[column.name] for row in rows], dtype=kinds.get(column.dtype, "object")
            )
            for column in columns
        }
    )
    write_table(table, columns, path, name, lang, lines=lines)


def asked_lines(
    asked: Mapping[str, Any], lang: Language, policy: Policy | None = None
) -> tuple[tuple[str, str], ...]:
    """The parameters of a question with their names, as lines for a sheet about a table.

    With a `policy` services, walkers and unit levels have their titles, else their ids.
    """
    titles: dict[str, Mapping[str, Title]] = {}
    if policy is not None:
        titles = {
            "service": {one.id: one.title for one in policy.services.values()},
            "walker": {one.id: one.title for one in policy.walkers.values()},
            "by": policy.unit_levels,
        }

    def told(name: str, value: Any) -> str:
        if name == "group":
            return group_title(str(value)).text(lang)
        title = titles.get(name, {}).get(str(value))
        return str(value) if title is None else title.text(lang)

    return tuple((say(_LABELS[name], lang), told(name, value)) for name, value in asked.items())


def _checked(path: Path, suffixes: Sequence[str]) -> str:
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        raise ParameterError("export_suffix", name=path.name, known=" ".join(suffixes))
    return suffix


def _aside(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file beside `path`, then put it in its place by one rename."""
    aside = path.with_name(f".{path.stem}-{secrets.token_hex(6)}{path.suffix.lower()}")
    try:
        write(aside)
        aside.replace(path)
    except (OSError, RuntimeError) as fault:
        reason = _reason(fault, path.parent)
        raise WorkspaceError("export_failed", name=path.name, reason=reason) from fault
    finally:
        aside.unlink(missing_ok=True)


def _reason(fault: OSError | RuntimeError, folder: Path) -> str:
    """What the system says; GDAL says what it was about, not that the disk is full."""
    full = not isinstance(fault, OSError) and has_no_room(folder)
    return os.strerror(errno.ENOSPC) if full else getattr(fault, "strerror", None) or str(fault)


def _vector(frame: gpd.GeoDataFrame, path: Path, driver: str, name: str) -> None:
    options: Mapping[str, Any] = (
        {"COORDINATE_PRECISION": DEGREE_DIGITS, "ID_FIELD": "id", "RFC7946": "YES"}
        if driver == "GeoJSON"
        else {"GEOMETRY_NAME": "geometry", "FID": "fid"}
    )
    frame.to_file(path, driver=driver, layer=name, engine="pyogrio", **options)


def _geoparquet(
    frame: gpd.GeoDataFrame, columns: Sequence[Column], path: Path | io.BytesIO
) -> None:
    """GeoParquet 1.1 in EPSG:4326, with a box for each shape so that readers can skip.

    Every text is of the type of texts, also where all of a column is null.
    """
    texts = {column.name for column in columns if column.dtype == "text"} & set(frame.columns)
    frame.astype(dict.fromkeys(texts, "string")).to_parquet(
        path, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=True
    )


def _flat(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """The columns without the geometry; lon and lat of where walks start, which is found in metres.

    A frame from elsewhere does not say its metric CRS: then it is found in degrees.
    """
    crs = frame.attrs.get(METRIC_CRS)
    shapes = (frame.geometry if crs is None else frame.geometry.to_crs(crs)).to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    lonlat = np.full((len(frame), 2), np.nan)
    anchors = anchor_xy(shapes[there])
    lonlat[there] = anchors if crs is None else to_lonlat(anchors, crs)
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    table["lon"], table["lat"] = np.round(lonlat, DEGREE_DIGITS).T
    return table


def _tables(
    tables: Iterable[pd.DataFrame],
    rows: int,
    columns: Sequence[Column],
    path: Path,
    name: str,
    lang: Language,
    notes: Sequence[tuple[str, str]] = (),
) -> None:
    """Write tables of so many rows in all below each other."""
    if path.suffix.lower() == ".csv":
        _aside(path, lambda to: _csv(tables, columns, to))
        return
    if rows > EXCEL_ROWS:
        raise ParameterError("export_too_long", name=path.name, rows=rows, most=EXCEL_ROWS)
    _aside(path, lambda to: _excel(tables, columns, to, name, lang, notes))


def csv_blocks(frame: gpd.GeoDataFrame, columns: Sequence[Column], rows: int) -> Iterator[bytes]:
    """The bytes of a frame's CSV file (`export_frame`), `rows` lines at a time."""
    return _csv_bytes(map(_flat, frame_blocks(frame, rows)), (*columns, _LON, _LAT))


def _csv(tables: Iterable[pd.DataFrame], columns: Sequence[Column], path: Path) -> None:
    with path.open("wb") as handle:
        handle.writelines(_csv_bytes(tables, columns))


def _csv_bytes(tables: Iterable[pd.DataFrame], columns: Sequence[Column]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, so that Excel reads Chinese."""
    for k, table in enumerate(tables):
        yield _csv_text(table, columns, first=k == 0).encode("utf-8" if k else "utf-8-sig")


def _csv_text(table: pd.DataFrame, columns: Sequence[Column], *, first: bool) -> str:
    """Lines of CSV, below a heading where they are the first; texts cannot be formulas."""
    safe = table[[column.name for column in columns]].copy()
    for column in columns:
        if column.dtype == "text":
            safe[column.name] = pd.Series(
                [_no_formula(value) for value in table[column.name]],
                dtype=object,
                index=table.index,
            )
    lines: str = safe.to_csv(None, index=False, header=first, lineterminator="\r\n")
    return lines


def _no_formula(value: Any) -> Any:
    text = or_none(value)
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA_SIGNS) else text


def _excel(
    tables: Iterable[pd.DataFrame],
    columns: Sequence[Column],
    path: Path,
    name: str,
    lang: Language,
    notes: Sequence[tuple[str, str]],
) -> None:
    with path.open("wb") as handle, new_workbook(handle) as book:
        titles = [_titled(column, lang) for column in columns]
        add_sheet(book, name[:31], titles, _rows_of(tables, columns))
        heads = [say(f"export_{key}", lang) for key in ("column", "title", "unit", "null")]
        about = [
            (column.name, column.title.text(lang), column.unit, column.null.text(lang))
            for column in columns
        ]
        add_sheet(book, say("export_about", lang), heads, [*about, *notes])


def _rows_of(
    tables: Iterable[pd.DataFrame], columns: Sequence[Column]
) -> Iterator[tuple[Any, ...]]:
    for table in tables:
        parts = [table[column.name].astype(object).to_numpy() for column in columns]
        yield from zip(*parts, strict=True)


def _titled(column: Column, lang: Language) -> str:
    title = column.title.text(lang)
    if not column.unit:
        return title
    named = f"unit_{column.unit}"
    unit = say(named, lang) if MESSAGES.has(named) else column.unit
    return say("word_with_unit", lang, title=Title(title, title), unit=unit)
