"""Which columns hold the coordinates: chosen as a pair, never one by one.

A table may hold several pairs (``lng_gcj02, lat_gcj02, lng_wgs84, lat_wgs84``). Longitude and
latitude of two datums are no place, so columns are gathered into pairs by the datum their titles
name, and the pair whose datum is the declared one is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from lifecircle.analysis.readers.records.aliases import (
    aliases_of,
    datum_in_title,
    fold,
    pair_datums,
    title_keys,
)
from lifecircle.analysis.readers.records.columns import Column, pick_columns
from lifecircle.analysis.readers.records.declarations import Declaration
from lifecircle.analysis.readers.records.findings import Findings

_AXES: Final[tuple[str, ...]] = ("lon", "lat")
_SAME: Final = ("wgs84", "cgcs2000")  # they agree to decimetres
_NONE_FITS: Final = ""  # no datum: several pairs, and none of them is the declared one
_BRACKETS: Final = "()[]（）/"


@dataclass(frozen=True, slots=True)
class _Titled:
    """A column that by its title holds one axis; `order`: the place of that title in the list."""

    column: Column
    axis: str
    datum: str | None
    order: int


def pick_coordinates(
    columns: Sequence[Column], said: Declaration, found: Findings
) -> dict[str, Column]:
    """Columns of coordinates: ``lon`` and ``lat`` of one datum, or ``place`` or ``wkt`` alone.

    A lone half of a pair is handed out too, so that it can be named; two halves of different
    datums are a fault, and so are several pairs of which none is the declared one.
    """
    told = {axis: c for axis in _AXES for c in columns if axis in c.fields}
    titled = [one for column in columns if (one := _read_title(column)) is not None]
    picked = {**_pick_pair(titled, said, found), **told} if len(told) < len(_AXES) else told
    if {"lon", "lat"} <= set(picked):
        datums = {axis: _datum_of(picked[axis]) for axis in _AXES}
        if None not in datums.values() and not are_same(datums["lon"], datums["lat"]):
            found.add("input_pair_mixed", lon=picked["lon"].title, lat=picked["lat"].title)
            return {}
        return picked
    rest = [c for c in columns if not any(c is one for one in picked.values())]
    quiet = Findings(found.file)
    whole = pick_columns(rest, "coordinates", quiet)
    return {**picked, **{field: whole[field] for field in ("place", "wkt") if field in whole}}


def _pick_pair(titled: Sequence[_Titled], said: Declaration, found: Findings) -> dict[str, Column]:
    pairs = {
        datum: pair
        for datum in dict.fromkeys(one.datum for one in titled)
        if len(pair := _pair_of([one for one in titled if one.datum == datum])) == len(_AXES)
    }
    if not pairs:
        return _pair_of(titled)
    datum = _choose(tuple(pairs), said)
    if datum is _NONE_FITS:
        names = "; ".join(f"{p['lon'].title}, {p['lat'].title}" for p in pairs.values())
        found.add("input_pairs_datum", pairs=names, datum=said.datum or said.crs or "—")
        return {}
    pair = pairs[datum]
    _tell_others(pair, titled, found)
    return pair


def _pair_of(titled: Sequence[_Titled]) -> dict[str, Column]:
    """The first named column of each axis."""
    pair: dict[str, Column] = {}
    for axis in _AXES:
        named = [one for one in titled if one.axis == axis]
        if named:
            pair[axis] = min(named, key=lambda one: one.order).column
    return pair


def _choose(datums: tuple[str | None, ...], said: Declaration) -> str | None:
    """The datum of the pair to take, `_NONE_FITS` where the declaration names none of several."""
    if len(datums) == 1:
        return datums[0]
    for datum in datums:
        if datum is not None and datum == said.datum:
            return datum
    for datum in datums:
        if datum is not None and said.datum is not None and are_same(datum, said.datum):
            return datum
    if None in datums and (said.datum or said.crs):
        return None
    return _NONE_FITS


def _tell_others(pair: dict[str, Column], titled: Sequence[_Titled], found: Findings) -> None:
    """Warn of columns of the same meaning that are not used; two of one title are a fault."""
    for axis, column in pair.items():
        same = [one.column for one in titled if one.axis == axis and one.column is not column]
        if any(one.title.strip() == column.title.strip() for one in same):
            found.add("input_column_twice", column=column.title)
        others = dict.fromkeys(c.title for c in same if c.title.strip() != column.title.strip())
        if others:
            found.add("input_column_chosen", column=column.title, severity="warning",
                      others=", ".join(others))  # fmt: skip


def are_same(one: str | None, other: str | None) -> bool:
    """Whether two datums are one for walks: WGS84 and CGCS2000 agree to decimetres."""
    return one == other or {one, other} <= set(_SAME)


def _datum_of(column: Column) -> str | None:
    for title in (column.title, *column.also):
        datum = datum_in_title(title) or _split_datum(fold(title))[0]
        if datum is not None:
            return datum
    return None


def _read_title(column: Column) -> _Titled | None:
    """The axis a title says, with the datum it names before or behind it; None if it says none."""
    if column.fields:
        return None
    orders = _orders()
    for title in (column.title, *column.also):
        for key, _ in title_keys(title):
            for name in (key, _split_datum(key)[1]):
                if name in orders:
                    axis, order = orders[name]
                    return _Titled(column, axis, _datum_of(column), order)
    return None


def _split_datum(key: str) -> tuple[str | None, str]:
    """The datum at the beginning or end of a folded title, and the title without it."""
    for word, datum in pair_datums():
        for rest in (key.removeprefix(word), key.removesuffix(word), key.replace(f"({word})", "")):
            plain = rest.strip(_BRACKETS)
            if rest != key and plain in _orders():
                return datum, plain
    return None, key.strip(_BRACKETS)


@cache
def _orders() -> dict[str, tuple[str, int]]:
    """Folded title → its axis, and its place among the names of that axis."""
    aliases = aliases_of("coordinates")
    return {
        fold(alias): (axis, order)
        for axis in reversed(_AXES)
        for order, alias in enumerate(aliases[axis])
    }
