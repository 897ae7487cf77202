"""Titles of columns: what the user says they hold, what was taken for what, and what was left.

A title nobody knows is shown with the nearest names, so that a slip of the pen is found.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.readers.records.aliases import aliases_of, fold
from lifecircle.analysis.readers.records.columns import Column, pick_columns, pick_groups
from lifecircle.analysis.readers.records.coordinates.coordinate_columns import pick_coordinates
from lifecircle.analysis.readers.records.coordinates.locate import is_x
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.records import Records

_DBF_TITLE_BYTES: Final = 10
_ALIKE: Final = 0.7
_SHOWN: Final = 12


def apply_said_columns(records: Records) -> Records:
    """Records whose columns know the fields the user says they hold.

    Raises
    ------
    InputError
        Columns that the user names are not in the file.
    """
    if not records.said.columns:
        return records
    found = Findings(records.file)
    fields: dict[int, tuple[str, ...]] = {}
    for field, title in records.said.columns.items():
        same = [i for i, c in enumerate(records.columns) if c.title.strip() == title]
        same = same or [
            i for i, c in enumerate(records.columns)
            if fold(title) in (fold(c.title), *map(fold, c.also))
        ]  # fmt: skip
        if len(same) == 1:
            fields[same[0]] = (*fields.get(same[0], ()), field)
        elif same:
            found.add("input_column_twice", column=title)
        elif field in records.said.own_columns:
            found.add("input_mapping_column", column=title, field=field, columns=records.titles)
    found.stop_on_errors()
    columns = tuple(
        replace(column, fields=fields[place]) if place in fields else column
        for place, column in enumerate(records.columns)
    )
    return replace(records, columns=columns)


def complete_titles(
    columns: Sequence[Column], encoding: str, file: str
) -> tuple[tuple[Column, ...], tuple[Fault, ...]]:
    """Columns of a shapefile whose titles it cut off at ten bytes, with their whole names.

    A title that is the beginning of known names only of one field also goes by that name. Where
    the cut took the unit, facilities' measures are read as plain, with a warning; residents are
    not, for the unit may have been 万人.
    """
    whole: list[Column] = []
    told: list[Fault] = []
    for column in columns:
        names = _complete_title(column.title, encoding)
        if not names and (plain := _drop_half_a_unit(column.title)):
            params = {"whole": plain}
            told.append(Fault("input_title_unit_cut", file, None, column.title, params, "warning"))
            whole.append(replace(column, also=(*column.also, plain)))
            continue
        whole.append(replace(column, also=(*column.also, *names)) if names else column)
        if names:
            params = {"whole": names[0]}
            told.append(Fault("input_title_cut", file, None, column.title, params, severity="note"))
    return tuple(whole), tuple(told)


def _drop_half_a_unit(title: str) -> str | None:
    """A facility's title without the beginning of a unit: ``建筑面积(`` is ``建筑面积``."""
    plain, bracket, rest = unicodedata.normalize("NFKC", title).partition("(")
    names = {fold(alias) for aliases in aliases_of("facilities").values() for alias in aliases}
    return plain if bracket and ")" not in rest and fold(plain) in names else None


def _complete_title(title: str, encoding: str) -> tuple[str, ...]:
    """Known names that, cut at ten bytes, give a title; () where several fields claim it."""
    size = len(title.encode(encoding, "ignore"))
    if not _DBF_TITLE_BYTES - 3 <= size <= _DBF_TITLE_BYTES:
        return ()
    found: dict[str, str] = {}
    for kind in ("facilities", "units", "population", "coordinates"):
        claims: dict[str, str] = {}
        for field, aliases in aliases_of(kind).items():
            for alias in aliases:
                if alias == title:
                    return ()
                raw = alias.encode(encoding, "ignore")
                cut = raw[:_DBF_TITLE_BYTES].decode(encoding, "ignore")
                if len(raw) > _DBF_TITLE_BYTES and cut == title:
                    claims.setdefault(field, alias)
        if len(claims) == 1:
            found |= {alias: alias for alias in claims.values()}
    return tuple(found)


def describe_columns(records: Records, kind: str) -> tuple[Fault, ...]:
    """Notes on a table: how it was opened, which column was taken for what, which was left."""
    quiet = Findings(records.file)
    taken = pick_columns(records.columns, kind, quiet)
    if records.geometry is None:
        taken |= pick_coordinates(records.columns, records.said, quiet)
    if kind != "facilities":
        taken |= pick_groups(records.columns, taken, quiet)
    if records.said.x_is_north and {"lon", "lat"} <= set(taken):
        lon, lat = taken["lon"], taken["lat"]
        if is_x(lon) and is_x(lat):
            taken |= {"lon": lat, "lat": lon}
    titles = {column.title for column in taken.values()}
    pairs = ", ".join(f"{column.title} → {field}" for field, column in taken.items())
    left = [column.title for column in records.columns if column.title not in titles]
    told = [note for note in records.remarks if note.severity == "note"]
    if pairs:
        told.append(_make_note(records, "input_columns_taken", pairs=pairs))
    placed = {"lon", "lat"} <= set(taken) or {"place", "wkt"} & set(taken)
    axes = () if placed else ("lon", "lat")
    missing = [field for field in (*aliases_of(kind), *axes) if field not in taken]
    near = [(title, name) for title in left if (name := _find_nearest(title, kind, missing))]
    for title, name in near:
        told.append(
            Fault("input_column_near", records.file, None, title, {"near": name}, "warning")
        )
    plain = [title for title in left if title not in dict(near)]
    if plain:
        more = " ..." if len(plain) > _SHOWN else ""
        shown = ", ".join(plain[:_SHOWN]) + more
        told.append(_make_note(records, "input_columns_left", columns=shown))
    return tuple(told)


def _make_note(records: Records, key: str, **params: object) -> Fault:
    return Fault(key, records.file, params=params, severity="note")


def _find_nearest(title: str, kind: str, missing: Sequence[str]) -> str | None:
    """The name of a field still missing that a title nearly is."""
    names = {
        fold(alias): f"{alias} ({field})"
        for source in (kind, "coordinates")
        for field, aliases in aliases_of(source).items()
        for alias in aliases
        if field in missing and len(fold(alias)) > 2
    }
    near = get_close_matches(fold(title), names, n=1, cutoff=_ALIKE)
    return names[near[0]] if near else None
