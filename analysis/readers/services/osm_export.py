"""Tables whose columns are OpenStreetMap tags: Overpass turbo, QuickOSM, ogr2ogr, osmnx, Geofabrik.

Their services are those of the policy's tag rules, as from an OpenStreetMap file.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import IntArray, ObjectArray
from lifecircle.analysis.readers.osm.place_rows import Place
from lifecircle.analysis.readers.osm.places import RowsOf, name_of, owner_of
from lifecircle.analysis.readers.records.cells import object_array, read_text, read_texts
from lifecircle.analysis.readers.records.columns import Column, pick_columns
from lifecircle.analysis.readers.records.coordinates.coordinate_columns import pick_coordinates
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.services.served import find_kind, is_of_services
from lifecircle.analysis.texts import listed, say_both, whole

_HSTORE: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*=>\s*"((?:[^"\\]|\\.)*)"')
_TAGS_IN_ONE: Final = ("other_tags", "all_tags", "tags", "hstore")
_CLASS: Final = "fclass"  # Geofabrik: the value of a tag without its key
_CLASS_KEYS: Final = (
    "amenity", "shop", "leisure", "healthcare", "landuse", "tourism", "office", "craft",
)  # fmt: skip
_IDS: Final = ("@id", "full_id", "osm_id", "osmid", "id")
_WAY_ID: Final = "osm_way_id"
_TYPES: Final = ("@type", "osm_type", "element_type", "element")
_ELEMENTS: Final = {
    "n": "node", "w": "way", "r": "relation", "node": "node", "way": "way", "relation": "relation",
}  # fmt: skip
_FULL_ID: Final = re.compile(r"([nwr])(\d+)")
_LINE_TEXT: Final = ("LINESTRING", "MULTILINESTRING")
_AREA_TEXT: Final = ("POLYGON", "MULTIPOLYGON")
_WORDS_SHOWN: Final = 5
_LINEAR, _AREAL = 1, 2  # dimensions


@dataclass(frozen=True, slots=True)
class Rows:
    """Records, each with a service and how it stands: arrays of one length.

    `row`: index of the record; one may offer several services. `state` and `why`: None for those
    that are open.
    """

    row: IntArray
    service: ObjectArray
    state: ObjectArray
    why: ObjectArray


@dataclass(frozen=True, slots=True)
class OsmExport:
    """An export as a table of facilities: plain columns in place of tags, and the services."""

    records: Records
    open: Rows
    not_open: Rows


def read_export(records: Records, policy: Policy, today: date | None = None) -> OsmExport | None:
    """The services of a table whose columns are tags; None where it is no such table.

    It is none where a column of kinds names services, or the user says which column that is.
    """
    rules = RowsOf(policy, today)
    titles = [column.title.strip() for column in records.columns]
    tagged = any(title.rpartition(":")[2] in rules.keys for title in titles)
    if records.said.service is not None or not (
        tagged or {*_TAGS_IN_ONE, _CLASS}.intersection(titles)
    ):
        return None
    picked = pick_columns(records.columns, "facilities", Findings(records.file))
    kind = find_kind(picked, policy)
    if kind is not None and (kind.fields or is_of_services(kind, policy)):
        return None
    tags = _read_tags(records, rules)
    here: list[tuple[int, str, str | None, str | None]] = []
    shut: list[tuple[int, str, str | None, str | None]] = []
    dimensions, nowhere = _find_dimensions(records), shapely.Point()
    for number, (one, dimension) in enumerate(zip(tags, dimensions, strict=True)):
        served, gone, _ = rules(Place(str(number), one, nowhere), dimension)
        here += [(number, service.id, None, None) for _, service in served]
        shut += [(number, row["service"], row["state"], row["why"]) for row in gone]
    if not here and not shut:
        return None
    return OsmExport(_as_facilities(records, picked, tags), _rows(here), _rows(shut))


def tell_export(export: OsmExport, policy: Policy, found: Findings) -> None:
    """What was read by tags, and which rows are none of the services, as remarks."""
    counts = Counter(export.open.service.tolist())
    shown = listed(
        say_both("word_kind_count", title=policy.services[one].title, count=count)
        for one, count in counts.most_common()
    )
    found.add("input_osm_export", severity="warning", count=counts.total(), shown=shown)
    known = np.zeros(len(export.records), np.bool_)
    known[export.open.row] = True
    known[export.not_open.row] = True
    found.remark("input_osm_export_rest", ~known)
    if len(export.not_open.row):
        by_word = Counter(export.not_open.why.tolist())
        words = [f"{word} ({count:,})" for word, count in by_word.most_common(_WORDS_SHOWN)]
        more = " …" if len(by_word) > _WORDS_SHOWN else ""
        found.add("input_osm_export_shut", severity="warning",
                  count=by_word.total(), words=whole(", ".join(words) + more))  # fmt: skip


def _rows(found: Sequence[tuple[int, str, str | None, str | None]]) -> Rows:
    columns = list(zip(*found, strict=True)) or [(), (), (), ()]
    row = np.array(columns[0], dtype=np.int64)
    return Rows(row, *(object_array(column) for column in columns[1:]))


def _read_tags(records: Records, rules: RowsOf) -> list[dict[str, str]]:
    """The tags of every record; blank cells are none."""
    tags: list[dict[str, str]] = [{} for _ in range(len(records))]
    for column in records.columns:
        title = column.title.strip()
        for held, value in zip(tags, column.values.tolist(), strict=True):
            text = read_text(value)
            if text is not None:
                held.update(_tags_of(title, text, rules))
    return [_with_area(held) for held in tags]


def _tags_of(title: str, text: str, rules: RowsOf) -> Mapping[str, str]:
    """What one cell says: its column's tag, or all that is written in it."""
    if title in _TAGS_IN_ONE:
        return _spell_out(text)
    if title != _CLASS:
        return {title: text}
    key = rules.key_of(text, _CLASS_KEYS)
    return {} if key is None else {key: text}


def _spell_out(text: str) -> Mapping[str, str]:
    """Tags written in one cell: hstore as of ogr2ogr, or JSON."""
    if text.startswith("{"):
        try:
            held = json.loads(text)
        except (json.JSONDecodeError, RecursionError):
            return {}
        return {str(k): str(v) for k, v in held.items()} if isinstance(held, dict) else {}
    return {_unquote(key): _unquote(word) for key, word in _HSTORE.findall(text)}


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _with_area(tags: dict[str, str]) -> dict[str, str]:
    """A multipolygon is an area, whether its tags say so or not."""
    return {"area": "yes", **tags} if tags.get("type") == "multipolygon" else tags


def _find_dimensions(records: Records) -> list[int]:
    """0 for points, 1 for lines, 2 for areas, of a layer or of geometries written as text."""
    if records.geometry is not None:
        return [int(one) for one in shapely.get_dimensions(records.geometry)]
    picked = pick_coordinates(records.columns, records.said, Findings(records.file))
    column = picked.get("wkt") or picked.get("place")
    if column is None:
        return [0] * len(records)
    texts = [(text or "").lstrip().upper() for text in read_texts(column.values)]
    return [
        _LINEAR if t.startswith(_LINE_TEXT) else _AREAL if t.startswith(_AREA_TEXT) else 0
        for t in texts
    ]


def _as_facilities(
    records: Records, picked: Mapping[str, Column], tags: Sequence[Mapping[str, str]]
) -> Records:
    """The records with the columns of a table of facilities, as a file of the map gives them."""
    taken = {id(column) for column in picked.values()}
    places = pick_coordinates(records.columns, records.said, Findings(records.file))
    kept = [
        c for c in records.columns if id(c) not in taken or any(c is p for p in places.values())
    ]

    def column(title: str, values: Sequence[Any]) -> Column:
        return Column(title, object_array(values), fields=(title,))

    made = (
        column("id", _read_ids(records)),
        column("name", [name_of(one) for one in tags]),
        column("name_en", [one.get("name:en") for one in tags]),
        column("ownership", [owner_of(one) for one in tags]),
        column("opening_hours", [one.get("opening_hours") for one in tags]),
        column("lit", [one.get("lit") for one in tags]),
    )
    return replace(records, columns=(*made, *(replace(one, fields=one.fields) for one in kept)))


def _read_ids(records: Records) -> list[str]:
    """``node/1``, ``way/2`` ... as exports write them; the row's number where they do not."""
    cells = {c.title.strip().casefold(): read_texts(c.values) for c in records.columns}
    named = next((cells[title] for title in _IDS if title in cells), None)
    ways, kinds = cells.get(_WAY_ID), next((cells[t] for t in _TYPES if t in cells), None)
    ids: list[str] = []
    for number, row in enumerate(records.rows.tolist()):
        said = None if named is None else named[number]
        way = None if ways is None else ways[number]
        kind = None if kinds is None else _ELEMENTS.get(str(kinds[number]).casefold())
        full = _FULL_ID.fullmatch(said or "")
        if full is not None:
            ids.append(f"{_ELEMENTS[full[1]]}/{full[2]}")
        elif said is not None:
            ids.append(said if kind is None or "/" in said else f"{kind}/{said}")
        else:
            ids.append(f"row/{row}" if way is None else f"way/{way}")
    seen: set[str] = set()
    for number, one in enumerate(ids):
        if one in seen:
            ids[number] = f"row/{int(records.rows[number])}"
        seen.add(ids[number])
    return ids
