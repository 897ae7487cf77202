"""Filters in CQL2 (OGC 21-065r2), read by the library `cql2`, worked out on a layer's frame.

Logic has three values: what compares with null is unknown, and only what is true is kept.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import orjson
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from lifecircle.analysis.results.columns import Column
from lifecircle.analysis.unknown_names import unknown
from lifecircle.service.errors import RequestError
from lifecircle.service.ogc import crs
from lifecircle.service.state import LayerTable

MOST_LETTERS: Final = 4_000
DEEPEST: Final = 64  # the reader of the library itself falls over some thousand brackets
SHAPE: Final = "geometry"
COMPARED: Final[Mapping[str, Callable[[Any, Any], Any]]] = MappingProxyType({
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, ">": operator.gt,
    "<=": operator.le, ">=": operator.ge,
})  # fmt: skip
SPATIAL: Final[Mapping[str, Callable[[Any, Any], Any]]] = MappingProxyType({
    "s_intersects": shapely.intersects, "s_disjoint": shapely.disjoint,
    "s_within": shapely.within, "s_contains": shapely.contains, "s_touches": shapely.touches,
    "s_crosses": shapely.crosses, "s_overlaps": shapely.overlaps, "s_equals": shapely.equals,
})  # fmt: skip
KINDS: Final = MappingProxyType({str: "text", bool: "boolean", float: "number", int: "number"})
STORED: Final = MappingProxyType({
    "text": "string", "integer": "Int64", "number": "Float64", "boolean": "boolean",
})  # fmt: skip
CONFORMS_TO: Final = (
    *(
        f"http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/{part}"
        for part in ("filter", "features-filter")
    ),
    *(
        f"http://www.opengis.net/spec/cql2/1.0/conf/{part}"
        for part in (
            "cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators",
            "case-insensitive-comparison", "basic-spatial-functions", "spatial-functions",
        )
    ),
)  # fmt: skip


def matching_filter(
    table: LayerTable, written: str, lang: str | None, code: str | None
) -> NDArray[np.bool_]:
    """Which rows a filter keeps, bool (rows,); `code`: the system of its coordinates.

    Raises
    ------
    RequestError
        The filter cannot be read, names no column, or compares what cannot be compared.
    """
    found = _Rows(table, code).truth(read_filter(written, lang), 0)
    return np.asarray(found.to_numpy(dtype=np.bool_, na_value=False))


def read_filter(written: str, lang: str | None) -> Any:
    """A filter as CQL2 JSON.

    Raises
    ------
    RequestError
        Too long, too deep, or no CQL2.
    """
    from cql2 import Expr

    if len(written) > MOST_LETTERS:
        raise RequestError("cql_too_long", limit=MOST_LETTERS)
    if _depth(written) > DEEPEST:
        raise RequestError("cql_too_deep", limit=DEEPEST)
    try:
        told = orjson.loads(written) if lang == "cql2-json" else written
        return Expr(told).to_json()
    except Exception:  # the library raises plain exceptions
        raise RequestError("cql_not_read", given=written) from None


def _depth(written: str) -> int:
    """How deep brackets, signs and negations may nest in a text."""
    deepest = depth = 0
    for sign in written:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    signs = max((len("".join(run.split())) for run in re.findall(r"[-+\s]+", written)), default=0)
    return max(deepest, signs, len(re.findall(r"\bnot\b", written, re.IGNORECASE)))


class _Rows:
    """The rows of a layer, asked whether an expression is true of them."""

    def __init__(self, table: LayerTable, code: str | None) -> None:
        self.table = table
        self.code = code
        self.columns = {column.name: column for column in table.columns}

    def truth(self, node: Any, depth: int) -> Any:
        """True, false or unknown for each row, a pandas boolean array."""
        if depth > DEEPEST:
            raise RequestError("cql_too_deep", limit=DEEPEST)
        if isinstance(node, bool):
            return pd.array([node] * len(self.table.frame), dtype="boolean")
        name, parts = _operation(node)
        if name in ("and", "or"):
            made = [self.truth(part, depth + 1) for part in parts]
            found = made[0]
            for more in made[1:]:
                found = found & more if name == "and" else found | more
            return found
        if name == "not" and len(parts) == 1:
            return ~self.truth(parts[0], depth + 1)
        if name in SPATIAL and len(parts) == 2:
            return self._spatial(name, *parts)
        if name == "property":
            column, values, _ = self._values(node)
            _same_kind(column, "boolean", "boolean")
            return values
        return self._compared(name, parts)

    def _compared(self, name: str, parts: list[Any]) -> Any:
        if name == "isNull" and len(parts) == 1:
            return pd.array(pd.isna(self._values(parts[0])[1]), dtype="boolean")
        if name in COMPARED and list(map(_is_value, parts)) == [True, False]:
            turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
            return self._compared(turned.get(name, name), parts[::-1])
        if name in COMPARED and len(parts) == 2 and not _is_value(parts[0]):
            column, values, small = self._values(parts[0])
            return COMPARED[name](values, _literal(column, parts[1], small))
        if name == "between" and len(parts) == 3:
            column, values, small = self._values(parts[0])
            low, high = (_literal(column, part, small) for part in parts[1:])
            _same_kind(column, "number", "number")
            return (values >= low) & (values <= high)
        if name == "in" and len(parts) == 2 and isinstance(parts[1], list):
            column, values, small = self._values(parts[0])
            held = [_literal(column, part, small) for part in parts[1]]
            found = pd.array(pd.Series(values).isin(held).to_numpy(), dtype="boolean")
            found[pd.isna(values)] = pd.NA
            return found
        if name == "like" and len(parts) == 2:
            column, values, small = self._values(parts[0])
            _same_kind(column, "text", "text")
            like = _Like(_literal(column, parts[1], small))
            told = [None if pd.isna(value) else like.matches(value) for value in values]
            return pd.array(told, dtype="boolean")
        raise RequestError("cql_not_done", op=name)

    def _values(self, node: Any) -> tuple[Column, Any, bool]:
        """A column, its values, and whether capitals are to be left aside."""
        name, parts = _operation(node)
        if name == "casei" and len(parts) == 1:
            column, values, _ = self._values(parts[0])
            _same_kind(column, "text", "text")
            return column, pd.Series(values).str.casefold().array, True
        if name != "property":
            raise RequestError("cql_not_done", op=name)
        column_name = str(parts[0])
        if column_name not in self.columns:
            near = unknown("cql_no_property", column_name[:100], self.columns)
            raise RequestError("cql_no_property", **near.params)
        column = self.columns[column_name]
        held = self.table.frame[column_name]
        return column, pd.array(held.to_numpy(), dtype=STORED[column.dtype]), False

    def _spatial(self, name: str, first: Any, second: Any) -> Any:
        own = {"property": SHAPE}
        if own not in (first, second):
            raise RequestError("cql_not_done", op=name)
        asked = self._shape(second if first == own else first)
        held = self.table.geometry
        pair = (held, asked) if first == own else (asked, held)
        shapely.prepare(asked)
        return pd.array(SPATIAL[name](*pair), dtype="boolean")

    def _shape(self, node: Any) -> Any:
        """A geometry of a filter in degrees, lon first."""
        try:
            given = shapely.box(*node["bbox"]) if set(node) == {"bbox"} else shape(node)
            turned = shapely.transform(given, lambda xy: crs.to_degrees(self.code, xy))
        except (TypeError, ValueError, KeyError, AttributeError, IndexError, shapely.GEOSException):
            raise RequestError("cql_no_shape") from None
        finite = np.isfinite(shapely.get_coordinates(turned)).all()
        if turned.is_empty or not finite or not turned.is_valid:
            raise RequestError("cql_no_shape")
        return turned


def _operation(node: Any) -> tuple[str, list[Any]]:
    if isinstance(node, dict) and "property" in node:
        return "property", [node["property"]]
    if isinstance(node, dict) and isinstance(node.get("op"), str):
        parts = node.get("args")
        if isinstance(parts, list) and parts:
            return node["op"], parts
    raise RequestError("cql_not_read", given=str(node))


def _is_value(node: Any) -> bool:
    bare = isinstance(node, (str, bool, int, float))
    return bare or (isinstance(node, dict) and node.get("op") == "casei"
                    and isinstance((node.get("args") or [None])[0], str))  # fmt: skip


def _literal(column: Column, node: Any, small: bool) -> Any:
    """A value to compare a column with."""
    if isinstance(node, dict) and node.get("op") == "casei" and node.get("args"):
        value = node["args"][0]
        _same_kind(column, "text", KINDS.get(type(value), "?"))
        return value.casefold()
    _same_kind(column, KINDS.get(type(node), "?"), KINDS.get(type(node), "?"))
    return node.casefold() if small and isinstance(node, str) else node


def _same_kind(column: Column, wanted: str, given: str) -> None:
    held = "number" if column.dtype == "integer" else column.dtype
    if held != wanted:
        raise RequestError("cql_other_kind", name=column.name, kind=held, given=given)


class _Like:
    """A pattern with ``%`` (anything) and ``_`` (one sign); ``\\`` takes either as it is.

    Pieces between ``%`` are looked for one after the other, so no pattern takes long.
    """

    def __init__(self, pattern: str) -> None:
        pieces, piece = [], ""
        for escaped, sign in re.findall(r"\\(.)|(.)", pattern, re.DOTALL):
            if sign == "%":
                pieces.append(piece)
                piece = ""
            else:
                piece += "." if sign == "_" else re.escape(escaped or sign)
        self.pieces = [re.compile(each, re.DOTALL) for each in (*pieces, piece)]
        self.lengths = [len(re.sub(r"\\(.)", ".", p.pattern, flags=re.DOTALL)) for p in self.pieces]

    def matches(self, value: str) -> bool:
        """Whether a whole text fits."""
        if len(self.pieces) == 1:
            return self.pieces[0].fullmatch(value) is not None
        first, *middle, last = self.pieces
        found = first.match(value)
        end = len(value) - self.lengths[-1]
        for piece in middle:
            if found is None:
                return False
            found = piece.search(value, found.end())
        return found is not None and found.end() <= end and last.fullmatch(value, end) is not None
