"""Filters on attributes: ``?service=market&residents=120``, equality, by the column table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.columns import Column, Dtype
from lifecircle.analysis.unknown_names import unknown
from lifecircle.service.errors import RequestError
from lifecircle.service.state import LayerTable

RESERVED: Final = frozenset(
    {
        "bbox",
        "bbox-crs",
        "crs",
        "datetime",
        "f",
        "filter",
        "filter-crs",
        "filter-lang",
        "lang",
        "limit",
        "offset",
        "properties",
        "run",
        "sortby",
    }
)
SCHEMAS: Final[Mapping[Dtype, Mapping[str, str]]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "number": {"type": "number"},
}
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


def queryables(columns: Iterable[Column]) -> dict[str, Column]:
    """The columns that can be asked for, as a parameter (equality) or in a filter."""
    return {column.name: column for column in columns if column.name not in RESERVED}


def queryable_schema(columns: Iterable[Column], lang: Language) -> dict[str, Any]:
    """JSON Schema properties of the columns, with titles in the reader's language."""
    return {column.name: _told(column, lang) for column in columns}


def _told(column: Column, lang: Language) -> dict[str, Any]:
    """A column's title and type, and its words where these are a closed list."""
    words = {"enum": list(column.words)} if column.words else {}
    return {"title": column.title.text(lang), **SCHEMAS[column.dtype], **words}


def layer_schema(columns: Iterable[Column], lang: Language) -> dict[str, Any]:
    """JSON Schema of every property of a feature; any may be null, none is left out."""
    shape = {"x-ogc-role": "primary-geometry", "format": "geometry-any"}
    told: dict[str, Any] = {"geometry": shape}
    for column in columns:
        known = _told(column, lang)
        if column.unit:
            known["x-ogc-unit"] = column.unit
        told[column.name] = known | ({"x-ogc-role": "id"} if column.name == "id" else {})
    return told


def feature_schema(columns: Iterable[Column], lang: Language) -> dict[str, Any]:
    """JSON Schema of the parts of a GeoJSON feature of a layer, which GDAL takes its types from."""
    told = layer_schema(columns, lang)
    shape, identity = told.pop("geometry"), told.pop("id")
    return {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": identity,
        "geometry": shape,
        "properties": {"type": "object", "properties": told},
    }


def matching(table: LayerTable, asked: Mapping[str, str | list[str]]) -> NDArray[np.bool_]:
    """Which rows of a layer have the asked values, bool (rows,).

    Raises
    ------
    RequestError
        No such column, a value of another type, or a column asked for twice.
    """
    known = queryables(table.columns)
    keep = np.ones(len(table.frame), dtype=np.bool_)
    for name, text in asked.items():
        if name not in known:
            raise RequestError("unknown_filter", name=name, known=", ".join(known))
        if not isinstance(text, str):
            raise RequestError("filter_twice", name=name, given=", ".join(text))
        value = _value(known[name], text)
        held = table.frame[name]
        keep &= (held == value).to_numpy(dtype=np.bool_, na_value=False)
    return keep


def _value(column: Column, text: str) -> str | float | bool:
    if column.dtype == "text":
        if column.words and text not in column.words:
            near = unknown("filter_no_word", text[:100], column.words)
            raise RequestError("filter_no_word", **near.params, column=column.name)
        return text
    if column.dtype == "boolean":
        if text not in FLAGS:
            raise RequestError("filter_not_flag", name=column.name, given=text)
        return FLAGS[text]
    if column.dtype == "number":
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise RequestError("filter_not_number", name=column.name, given=text)
        return number
    try:
        return int(text)
    except ValueError:
        raise RequestError("filter_not_whole", name=column.name, given=text) from None
