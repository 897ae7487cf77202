"""Edits as they are written, JSON or GeoJSON, made edits: every fault of every edit at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.errors import Counted, Fault, InputError, LifecircleError
from lifecircle.analysis.measures.edits import shapes
from lifecircle.analysis.measures.edits.attributes import checked_attributes, is_attribute
from lifecircle.analysis.measures.edits.model import (
    MOST_EDITS,
    MOST_RESIDENTS,
    MOST_TEXT,
    OPS,
    WAY_KINDS,
    AddFacility,
    AddResidents,
    AddWay,
    ChangeFacility,
    CloseWay,
    Edit,
    RemoveFacility,
    RemoveResidents,
)
from lifecircle.analysis.measures.edits.places import rows_by_id
from lifecircle.analysis.measures.edits.shapes import Frame, ShapeError
from lifecircle.analysis.measures.names import group_words, service_of
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.measures.residents import NOBODY_COUNTED
from lifecircle.analysis.texts import Title, listed, say_both
from lifecircle.analysis.unknown_names import find_id, unknown

FILE: Final = "edits"
_FILE_BYTES: Final = 16 * 1024**2
_MARK: Final = b"\xef\xbb\xbf"  # some programs put it before the text
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "add_facility": ("service", "lon", "lat", "name", "id", "attributes"),
    "remove_facility": ("id",),
    "change_facility": ("id", "attributes"),
    "add_way": ("coordinates", "kind"),
    "close_way": ("lon", "lat", "geometry"),
    "add_residents": ("geometry", "lon", "lat", "residents", "groups", "households", "id"),
    "remove_residents": ("geometry",),
}
_GROUP: Final = "pop_"  # a property of a layer that is a group of residents
_HOUSEHOLDS: Final = "households"


class EditError(ValueError):
    """What is wrong with one edit: the key of its text, and what the text names."""

    def __init__(self, key: str, /, **params: Any) -> None:
        super().__init__(key)
        self.key = key
        self.params = params


def read_edits(study: Study, given: Any, file: str = FILE) -> tuple[Edit, ...]:
    """The edits of a parsed document: a list, ``{"edits": [...]}`` or a FeatureCollection.

    Parameters
    ----------
    study : says which services, facilities, groups and attributes there are.
    file : what the faults call the document.

    Raises
    ------
    InputError : the faults of all edits, each with the number of its edit (from 1).
    """
    listed = _listed(given, file)
    reader = _Reader(study)
    edits: list[Edit] = []
    faults: list[Fault] = []
    for number, one in enumerate(listed, start=1):
        try:
            edits.append(reader.read(one, number))
        except (EditError, ShapeError, LifecircleError) as error:
            counted: Counted = "edit_asked" if file == FILE else "edit"
            faults.append(Fault(error.key, file, number, params=error.params, counted=counted))
    if faults:
        raise InputError(faults)
    return tuple(edits)


def parse_edits(text: bytes | str, file: str = FILE) -> Any:
    """The document in a text of JSON; NaN and the like are no JSON.

    Raises
    ------
    InputError : no JSON.
    """

    def refuse(word: str) -> float:
        raise ValueError(word)

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise InputError([Fault("edit_no_json", file, params={"why": str(error)[:120]})]) from error


def read_file(path: Path) -> Any:
    """The document in a file of edits.

    Raises
    ------
    InputError : no such file, one that is too large, or no JSON.
    """
    if not path.is_file():
        raise InputError([Fault("file_missing", path.name)])
    if path.stat().st_size > _FILE_BYTES:
        told = {"most": _FILE_BYTES // 1024**2}
        raise InputError([Fault("edit_file_large", path.name, params=told)])
    return parse_edits(path.read_bytes().removeprefix(_MARK), path.name)


def _listed(given: Any, file: str) -> Sequence[Any]:
    if isinstance(given, Mapping):
        given = given.get("features") if "features" in given else given.get("edits")
    if not isinstance(given, list | tuple):
        raise InputError([Fault("edit_no_list", file)])
    if not given:
        raise InputError([Fault("edit_none", file)])
    if len(given) > MOST_EDITS:
        told = {"count": len(given), "most": MOST_EDITS}
        raise InputError([Fault("edit_too_many", file, params=told)])
    return given


class _Reader:
    """Reads edits one after another: a later one may name the place of an earlier one."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._number = 0
        self._frame = Frame.of(study)
        self._facilities = set(rows_by_id(study))
        self._new_cells: set[str] = set()
        self._makers: Mapping[str, Callable[[Mapping[str, Any]], Edit]] = {
            "add_facility": self._add_facility,
            "remove_facility": self._remove_facility,
            "change_facility": self._change_facility,
            "add_way": self._add_way,
            "close_way": self._close_way,
            "add_residents": self._add_residents,
            "remove_residents": self._remove_residents,
        }

    def read(self, given: Any, number: int) -> Edit:
        """One edit.

        Raises
        ------
        EditError, ShapeError, LifecircleError : what is wrong with it.
        """
        if not isinstance(given, Mapping):
            raise EditError("edit_no_object")
        plain = _of_feature(given) if given.get("type") == "Feature" else dict(given)
        _refuse_broken(plain)
        op = plain.pop("op", None)
        if op not in OPS:
            raise unknown("edit_unknown_op", str(op)[:MOST_TEXT], OPS)
        allowed = _FIELDS[str(op)]
        for name in plain:
            if name not in allowed:
                raise unknown("edit_unknown_field", str(name)[:MOST_TEXT], allowed)
        self._number = number
        return self._makers[str(op)](plain)

    def _add_facility(self, given: Mapping[str, Any]) -> AddFacility:
        service = service_of(self._study.policy, _text(given, "service")).id
        lon, lat = shapes.read_place(given.get("lon"), given.get("lat"), self._frame)
        name = _text(given, "name") if given.get("name") is not None else None
        own = _text(given, "id") if given.get("id") is not None else f"edit-{self._number}"
        if own in self._facilities:
            raise EditError("edit_id_taken", id=own)
        held = checked_attributes(self._study.city, given.get("attributes"))
        self._facilities.add(own)
        return AddFacility(service, lon, lat, own, name, held)

    def _known(self, given: Mapping[str, Any]) -> str:
        one = _text(given, "id")
        if one not in self._facilities:
            if one in rows_by_id(self._study):
                raise EditError("edit_id_gone", id=one)
            raise EditError("edit_id_unknown", id=one, near=_alike(one, self._facilities))
        return one

    def _remove_facility(self, given: Mapping[str, Any]) -> RemoveFacility:
        one = self._known(given)
        self._facilities.discard(one)
        return RemoveFacility(one)

    def _change_facility(self, given: Mapping[str, Any]) -> ChangeFacility:
        one = self._known(given)
        held = checked_attributes(self._study.city, given.get("attributes"))
        if not held:
            raise EditError("edit_changes_nothing", id=one)
        return ChangeFacility(one, held)

    def _add_way(self, given: Mapping[str, Any]) -> AddWay:
        kind = given.get("kind")
        if kind not in WAY_KINDS:
            raise unknown("edit_unknown_kind", str(kind)[:MOST_TEXT], WAY_KINDS)
        return AddWay(shapes.read_line(given.get("coordinates"), self._frame), kind)

    def _close_way(self, given: Mapping[str, Any]) -> CloseWay:
        return CloseWay(self._shape(given, shapes.ANY))

    def _add_residents(self, given: Mapping[str, Any]) -> AddResidents:
        if not self._study.city.cells.counted:
            raise EditError(NOBODY_COUNTED.key)
        shape = self._shape(given, shapes.HOME)
        people = _whole(given.get("residents"), "residents")
        groups = self._groups(given, people)
        own = _text(given, "id") if given.get("id") is not None else f"edit-{self._number}"
        if own in self._new_cells or (self._study.city.cells.id == own).any():
            raise EditError("edit_id_taken", id=own)
        self._new_cells.add(own)
        return AddResidents(shape, people, own, groups)

    def _remove_residents(self, given: Mapping[str, Any]) -> RemoveResidents:
        if not self._study.city.cells.counted:
            raise EditError(NOBODY_COUNTED.key)
        return RemoveResidents(self._shape(given, shapes.AREA))

    def _shape(self, given: Mapping[str, Any], kinds: Sequence[str]) -> Any:
        if given.get("geometry") is None and "lon" in given:
            place = [given.get("lon"), given.get("lat")]
            return shapes.read_geometry({"type": "Point", "coordinates": place}, kinds, self._frame)
        return shapes.read_geometry(given.get("geometry"), kinds, self._frame)

    def _groups(self, given: Mapping[str, Any], people: int) -> dict[str, int]:
        """Persons of groups that the area knows; young and old together are no more than all."""
        asked = given.get("groups")
        named = dict(_object(asked, "groups")) if asked is not None else {}
        if given.get(_HOUSEHOLDS) is not None:
            named[_HOUSEHOLDS] = given[_HOUSEHOLDS]
        cells = self._study.city.cells
        words = group_words(cells)
        found: dict[str, int] = {}
        for name, value in named.items():
            plain = str(name).removeprefix(_GROUP)
            one = plain if plain in cells.groups else find_id(str(name)[:MOST_TEXT], words)
            if one not in cells.groups:
                raise unknown("unknown_group", str(name)[:MOST_TEXT], cells.groups, words)
            count = _whole(value, str(name)[:MOST_TEXT])
            if count > people and one != _HOUSEHOLDS:
                raise EditError("edit_group_large", group=one, count=count, residents=people)
            found[str(one)] = count
        if found.get("0_3", 0) + found.get("65", 0) > people:
            both = found["0_3"] + found["65"]
            raise EditError("edit_group_large", group="0_3 + 65", count=both, residents=people)
        return found


def _of_feature(feature: Mapping[str, Any]) -> dict[str, Any]:
    """A feature as a plain edit: the shape from its geometry, empty properties left out."""
    held = _object(feature.get("properties") or {}, "properties")
    plain = {str(name): value for name, value in held.items() if value is not None}
    for name in ("attributes", "groups"):
        if isinstance(plain.get(name), str):
            try:
                plain[name] = json.loads(plain[name])
            except (ValueError, RecursionError) as error:
                raise EditError("edit_field_object", field=name) from error
    op = plain.get("op")
    if op in ("add_facility", "change_facility"):
        own = {name: plain.pop(name) for name in list(plain) if _is_loose(name, str(op))}
        if own:
            plain["attributes"] = {**_object(plain.get("attributes") or {}, "attributes"), **own}
    if op == "add_residents":
        own = {name: plain.pop(name) for name in list(plain) if name.startswith(_GROUP)}
        if own:
            plain["groups"] = {**_object(plain.get("groups") or {}, "groups"), **own}
    geometry = feature.get("geometry")
    if geometry is None or op in ("remove_facility", "change_facility"):
        return plain
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if op == "add_facility":
        plain["lon"], plain["lat"] = _pair(geometry, kind)
    elif op == "add_way":
        if kind != "LineString":
            raise ShapeError("edit_shape_kind", kind=str(kind)[:60], kinds="LineString")
        plain["coordinates"] = geometry.get("coordinates")
    else:
        plain["geometry"] = geometry
    return plain


def _refuse_broken(given: Mapping[str, Any], within: str = "") -> None:
    """Texts with half a pair of signs: no file and no answer can hold them."""
    for name, value in given.items():
        for said in (name, value):
            if isinstance(said, str) and any("\ud800" <= sign <= "\udfff" for sign in said):
                shown = str(name).encode("utf-8", "replace").decode("utf-8")
                raise EditError("edit_text_broken", field=(within + shown)[:MOST_TEXT])
        if isinstance(value, Mapping) and not within:
            _refuse_broken(value, f"{name}.")


def _is_loose(name: str, op: str) -> bool:
    """Whether a property of a feature is an attribute that stands by itself."""
    return name not in _FIELDS[op] and name != "op" and is_attribute(name)


def _pair(geometry: Mapping[str, Any], kind: Any) -> tuple[Any, Any]:
    place = geometry.get("coordinates")
    if kind != "Point" or not isinstance(place, list | tuple) or len(place) not in (2, 3):
        raise ShapeError("edit_shape_kind", kind=str(kind)[:60], kinds="Point")
    return place[0], place[1]


def _object(given: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise EditError("edit_field_object", field=name)
    return given


def _text(given: Mapping[str, Any], name: str) -> str:
    said = given.get(name)
    if not isinstance(said, str) or not said.strip() or len(said) > MOST_TEXT:
        raise EditError("edit_field_text", field=name, most=MOST_TEXT)
    return said


def _whole(value: Any, name: str) -> int:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or not 0 <= value <= MOST_RESIDENTS:
        shown = repr(value)[:60]
        raise EditError("edit_field_whole", field=name, value=shown, most=MOST_RESIDENTS)
    return int(value)


def _alike(name: str, known: Iterable[str]) -> Title:
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=5, cutoff=0.4)
    return listed(near or [say_both("word_none_alike")])
