"""Filters in CQL2 (OGC 21-065r2), read by the library `cql2`, worked out on a layer's frame.

Logic has three values: what compares with null is unknown, and only what is true is kept.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import orjson
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from lifecircle.analysis.unknown_names import unknown
from lifecircle.service.errors import RequestError
from lifecircle.service.ogc import crs
from lifecircle.service.state import LayerTable

MOST_LETTERS: Final = 4_000
DEEPEST: Final = 64  # the reader of the library itself falls over some thousand brackets
SHAPE: Final = "geometry"
ESCAPES: Final[Mapping[str, str]] = MappingProxyType({
    "'": "''", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r",
})  # fmt: skip
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
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
            "case-insensitive-comparison", "basic-spatial-functions",
            "basic-spatial-functions-plus", "spatial-functions", "property-property",
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
        told = orjson.loads(written) if lang == "cql2-json" else _text(written)
        return Expr(told).to_json()
    except Exception:  # the library raises plain exceptions
        raise RequestError("cql_not_read", given=written) from None


def _text(written: str) -> str:
    """A filter as text, its escapes read (/req/cql2-text/escaping); JSON is none.

    The library would take either, and knows ``''`` alone; ``\\%``, ``\\_`` and ``\\\\`` are left to
    `LIKE`.
    """
    if written.lstrip().startswith("{"):
        raise ValueError(written)
    return _QUOTED.sub(_literal, written)


def _literal(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else _ESCAPED.sub(_sign, found[0])


def _sign(found: re.Match[str]) -> str:
    return ESCAPES.get(found[1], found[0])


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
            side = self._side(node)
            side.must_be("boolean")
            return side.values
        return self._compared(name, parts)

    def _compared(self, name: str, parts: list[Any]) -> Any:
        if name == "isNull" and len(parts) == 1:
            return self._all(pd.isna(self._side(parts[0]).values))
        if name in COMPARED and len(parts) == 2:
            first, second = self._sides(parts)
            return self._all(COMPARED[name](first.values, second.values))
        if name == "between" and len(parts) == 3:
            value, low, high = self._sides(parts)
            value.must_be("number")
            return self._all(value.values >= low.values) & self._all(value.values <= high.values)
        if name == "in" and len(parts) == 2 and isinstance(parts[1], list):
            value, *others = self._sides([parts[0], *parts[1]])
            found = pd.array([False] * len(self.table.frame), dtype="boolean")
            for other in others:
                found = found | self._all(value.values == other.values)
            return found
        if name == "like" and len(parts) == 2:
            value, pattern = self._sides(parts)
            value.must_be("text")
            if not isinstance(pattern.values, str):
                raise RequestError("cql_not_done", op=name)
            like = _Like(pattern.values)
            if isinstance(value.values, str):
                return self._all(like.matches(value.values))
            told = [None if pd.isna(each) else like.matches(each) for each in value.values]
            return pd.array(told, dtype="boolean")
        raise RequestError("cql_not_done", op=name)

    def _all(self, found: Any) -> Any:
        """One truth for each row, also where it is the same of all."""
        if np.ndim(found) == 0:
            return pd.array([bool(found)] * len(self.table.frame), dtype="boolean")
        return pd.array(found, dtype="boolean")

    def _sides(self, nodes: list[Any]) -> list[_Side]:
        """What is compared with each other: of one kind; capitals left aside in all if in one."""
        sides = [self._side(node) for node in nodes]
        known = next((side for side in sides if side.name), sides[0])
        for side in sides:
            (side if side.name else known).must_be(known.kind, side.kind)
        small = any(side.small for side in sides)
        return [side.folded() if small and side.bare else side for side in sides]

    def _side(self, node: Any) -> _Side:
        """A column, or a value of the filter."""
        if isinstance(node, (str, bool, int, float)):
            if isinstance(node, float) and not math.isfinite(node):
                raise RequestError("cql_too_large")
            return _Side("", KINDS[type(node)], node, bare=True)
        name, parts = _operation(node)
        if name == "casei" and len(parts) == 1:
            side = self._side(parts[0])
            side.must_be("text")
            return side.folded()
        if name != "property":
            raise RequestError("cql_not_done", op=name)
        column_name = str(parts[0])
        if column_name not in self.columns:
            near = unknown("cql_no_property", column_name[:100], self.columns)
            raise RequestError("cql_no_property", **near.params)
        column = self.columns[column_name]
        dtype: Any = STORED[column.dtype]
        held = pd.array(self.table.frame[column_name].to_numpy(), dtype=dtype)
        kind: str = "number" if column.dtype == "integer" else column.dtype
        return _Side(column_name, kind, held)

    def _spatial(self, name: str, first: Any, second: Any) -> Any:
        own = {"property": SHAPE}
        pair = [self.table.geometry if one == own else self._shape(one) for one in (first, second)]
        for one in pair:
            if one is not self.table.geometry:
                shapely.prepare(one)
        return self._all(SPATIAL[name](*pair))

    def _shape(self, node: Any) -> Any:
        """A geometry of a filter in degrees, lon first."""
        try:
            _check_rings(node)
            given = shapely.box(*node["bbox"]) if set(node) == {"bbox"} else shape(node)
            turned = shapely.transform(given, lambda xy: crs.to_degrees(self.code, xy))
        except (TypeError, ValueError, KeyError, AttributeError, IndexError, shapely.GEOSException):
            raise RequestError("cql_no_shape") from None
        finite = np.isfinite(shapely.get_coordinates(turned)).all()
        if turned.is_empty or not finite or not turned.is_valid:
            raise RequestError("cql_no_shape")
        return turned


def _check_rings(node: dict[str, Any]) -> None:
    """Refuse rings that do not end where they begin, which shapely would close in silence.

    Raises
    ------
    ValueError : one of fewer than four places, or open.
    """
    for part in node.get("geometries", ()):
        _check_rings(part)
    places: Any = node.get("coordinates")
    areas: Any = {"Polygon": [places], "MultiPolygon": places}.get(str(node.get("type")), ())
    for ring in (ring for area in areas for ring in area):
        if len(ring) < 4 or list(ring[0]) != list(ring[-1]):
            raise ValueError


def _operation(node: Any) -> tuple[str, list[Any]]:
    if isinstance(node, dict) and "property" in node:
        return "property", [node["property"]]
    if isinstance(node, dict) and isinstance(node.get("op"), str):
        parts = node.get("args")
        if isinstance(parts, list) and parts:
            return node["op"], parts
    raise RequestError("cql_not_read", given=str(node))


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a comparison: a column (`name`, an array) or a value of the filter.

    `kind`: text, number or boolean. `small`: capitals are left aside in it; `bare`: a value as it
    was written.
    """

    name: str
    kind: str
    values: Any
    small: bool = False
    bare: bool = False

    def must_be(self, kind: str, given: str | None = None) -> None:
        """Refuse what is of another kind, or compared with something `given` of another."""
        wrong = given if given is not None else kind
        if self.kind != kind or (given is not None and given != self.kind):
            name = self.name or str(self.values)[:100]
            raise RequestError("cql_other_kind", name=name, kind=self.kind, given=wrong)

    def folded(self) -> _Side:
        """The same with capitals left aside."""
        held = self.values
        plain = held.casefold() if isinstance(held, str) else pd.Series(held).str.casefold().array
        return replace(self, values=plain, small=True, bare=False)


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
