"""Which features of a layer a question selects, in which order, with which properties."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.columns import Column
from lifecircle.analysis.unknown_names import unknown
from lifecircle.service.errors import RequestError
from lifecircle.service.ogc import crs
from lifecircle.service.ogc.cql import MOST_LETTERS, matching_filter
from lifecircle.service.ogc.filters import matching
from lifecircle.service.queries.questions import Name, OfYear
from lifecircle.service.state import AreaState, LayerTable

CONFORMS_TO: Final = (
    "http://www.opengis.net/spec/ogcapi-features-6/1.0/conf/properties",
    "http://www.opengis.net/spec/ogcapi-features-6/1.0/conf/properties-features",
    "http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/sortables",
    "http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/sorting",
    "http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/features-sorting",
)
_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d))?", re.ASCII
)
_MOST_NAMES: Final = 4_000  # letters of a list of columns: all of the widest layer fit
Names = Annotated[str, Field(min_length=1, max_length=_MOST_NAMES)]


class ItemsQuery(BaseModel):
    """What `items` takes beside the filters of the layer."""

    model_config = ConfigDict(frozen=True, extra="allow")

    bbox: str | None = Field(default=None, max_length=200)
    bbox_crs: str | None = Field(default=None, alias="bbox-crs", max_length=200)
    crs: str | None = Field(default=None, max_length=200)
    datetime: str | None = Field(default=None, max_length=100)
    filter: str | None = Field(default=None, max_length=MOST_LETTERS)
    filter_lang: Literal["cql2-text", "cql2-json"] | None = Field(default=None, alias="filter-lang")
    filter_crs: str | None = Field(default=None, alias="filter-crs", max_length=200)
    sortby: Names | None = None
    properties: Names | None = None
    limit: int | None = Field(default=None, ge=1)
    offset: int = Field(default=0, ge=0)
    f: Literal["json", "geojson", "csv", "xlsx", "gpkg", "parquet", "html"] | None = None
    lang: Language | None = None
    run: Name | None = None
    year: int | None = Field(default=None, ge=1900, le=2200)


class ItemQuery(OfYear):
    """What one item takes."""

    crs: str | None = Field(default=None, max_length=200)
    properties: Names | None = None
    f: Literal["json", "geojson", "html"] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page, how many rows match in all, and the system to write them in."""

    rows: NDArray[np.intp]
    matched: int
    code: str | None


def code_of(state: AreaState, asked: str | None, parameter: str) -> str | None:
    """``EPSG:code`` of the system that a parameter asks for, None for CRS84."""
    return None if asked is None else crs.code_of(asked, state.run.manifest.crs, parameter)


def select(state: AreaState, table: LayerTable, query: ItemsQuery, limit: int | None) -> Page:
    """The rows that a question selects, in row order or as `sortby` asks.

    Raises
    ------
    RequestError
        A parameter that nobody reads, or a value that cannot be read.
    """
    box_code = code_of(state, query.bbox_crs, "bbox-crs")
    _check_time(query.datetime)
    keep = matching(table, query.model_extra or {})
    filter_code = code_of(state, query.filter_crs, "filter-crs")
    if query.filter is not None:
        keep &= matching_filter(table, query.filter, query.filter_lang, filter_code)
    rows = np.flatnonzero(keep)
    if query.bbox is not None:
        inside = table.rows_within(crs.boxes_of(query.bbox, box_code))
        rows = inside[keep[inside]]
    if query.sortby is not None:
        rows = rows[order_of(state, table, query.sortby, rows)]
    last = None if limit is None else query.offset + limit
    return Page(rows[query.offset : last], len(rows), code_of(state, query.crs, "crs"))


def sort_keys(table: LayerTable, written: str) -> list[tuple[str, bool]]:
    """The columns of ``-residents,+name`` with whether each falls.

    In an address ``+`` may arrive as a space.

    Raises
    ------
    RequestError
        Not a column, or one named twice.
    """
    keys: dict[str, bool] = {}
    for part in written.split(","):
        name = part[1:] if part[:1] in ("+", "-", " ") else part
        checked_name(table, name, "sort_no_property")
        if name in keys:
            raise RequestError("name_twice", parameter="sortby", name=name)
        keys[name] = part.startswith("-")
    return list(keys.items())


def checked_name(table: LayerTable, name: str, key: str) -> None:
    """Refuse what is no column of a layer, with the nearest first.

    Raises
    ------
    RequestError
        No such column.
    """
    known = [column.name for column in table.columns]
    if name not in known:
        near = unknown(key, name[:100], known)
        raise RequestError(key, **near.params)


def order_of(
    state: AreaState, table: LayerTable, written: str, rows: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Places in `rows` (k,), sorted by columns: null last either way, ties as they lie.

    Texts go by their code points, numbers by size, no before yes.
    """
    keys = []
    for name, falling in sort_keys(table, written):
        rank = state.derived(
            ("rank", table.name, state.mark(table.name), name), partial(_ranks, table, name)
        )[rows]
        known = rank >= 0
        keys.append(np.where(known, -rank if falling else rank, np.iinfo(np.int64).max))
    return np.lexsort(keys[::-1])


def _ranks(table: LayerTable, name: str) -> NDArray[np.int64]:
    """The rank of each row's value among all values of a column; -1 where it is null."""
    codes, _ = pd.factorize(pd.Series(table.frame[name]), sort=True)
    return np.asarray(codes, dtype=np.int64)


def chosen_columns(table: LayerTable, written: str | None) -> tuple[Column, ...]:
    """The columns of an answer in the layer's order; ``id`` always, all where none are named.

    Raises
    ------
    RequestError
        Not a column, or one named twice.
    """
    if written is None:
        return table.columns
    names = written.split(",")
    for name in names:
        checked_name(table, name, "properties_no_property")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestError("name_twice", parameter="properties", name=twice)
    return tuple(one for one in table.columns if one.name in names or one.name == "id")


def narrowed(table: LayerTable, columns: Sequence[Column]) -> LayerTable:
    """A layer with some of its columns."""
    if len(columns) == len(table.columns):
        return table
    kept = [*(column.name for column in columns), table.frame.geometry.name]
    return replace(table, columns=tuple(columns), frame=table.frame[kept])


def _check_time(text: str | None) -> None:
    """Layers have no time of their own: any instant or interval matches, nonsense does not."""
    if text is None:
        return
    ends = text.split("/")
    times = [moment_of(part) for part in ends if part not in ("", "..")]
    open_ends = len(ends) - len(times)
    if None in times or len(ends) > 2 or open_ends > len(ends) - 1:
        raise RequestError("datetime_not_read", given=text)
    first, last = times[0], times[-1]
    if first is not None and last is not None and first > last:
        raise RequestError("datetime_not_read", given=text)


def moment_of(text: str) -> datetime | None:
    """An RFC 3339 date-time, or a whole day; None where it is neither."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
