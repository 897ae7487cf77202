"""Attributes of facilities as edits give them, read by the words that tables are read by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.edits.model import MOST_TEXT
from lifecircle.analysis.policy.attributes import attributes
from lifecircle.analysis.readers.records.aliases import (
    fields_of,
    fold,
    known_values,
    strip_brackets,
)
from lifecircle.analysis.readers.records.attributes import (
    FILLED,
    PLACED,
    AttributeArray,
    attribute_kind,
    flag_words,
    is_text,
    unknown_attribute,
)
from lifecircle.analysis.unknown_names import unknown

STATUS: Final = "status"
_WORDS: Final = {"ownership": "ownership", "level": "facility_level", STATUS: STATUS}
_NOT_GIVEN: Final = (FILLED, PLACED, "unit_code", "id", "name", "type", "service", "kind")
_OPEN: Final = "open"
_MOST: Final = 40
_LARGEST: Final = 1e9


def is_attribute(name: str) -> bool:
    """Whether a name is an attribute that tables of facilities may have."""
    known = {*attributes()["facility"], *fields_of("facilities")}
    return name in known and name not in _NOT_GIVEN


def checked_attributes(city: City, given: Any) -> dict[str, Any]:
    """Attributes by name: numbers, flags as 1 and 0, texts in the words of tables, None.

    Raises
    ------
    ParameterError : no object, or a value that the attribute does not take.
    UnknownNameError : no such attribute.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping) or len(given) > _MOST:
        raise ParameterError("edit_field_object", field="attributes")
    held = {name for name in city.facilities.attributes if name not in _NOT_GIVEN}
    found = {}
    for name, value in given.items():
        if not isinstance(name, str) or not (is_attribute(name) or name in held):
            known = sorted({*held, *attributes()["facility"]} - set(_NOT_GIVEN))
            raise unknown("edit_unknown_attribute", str(name)[:MOST_TEXT], known)
        found[name] = None if value is None else _checked(name, value)
    return found


def _checked(name: str, value: Any) -> Any:
    kind = attribute_kind(name)
    if kind in ("number", "count"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not 0 <= value <= _LARGEST:
            raise ParameterError("edit_attribute_number", name=name, value=repr(value)[:60])
        return float(value)
    if kind == "flag":
        said = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else str(value)
        word = flag_words(name).get(fold(str(said)))
        if word is None:
            raise ParameterError("edit_attribute_flag", name=name, value=repr(value)[:60])
        return 1.0 if word == "yes" else 0.0
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise ParameterError("edit_field_text", field=name, most=MOST_TEXT)
    words = known_values(_WORDS.get(name, name))
    return value if name == STATUS else words.get(fold(value), value)


def is_open(held: Mapping[str, Any]) -> bool:
    """Whether a status leaves a place open to people, by the words that tables are read by."""
    said = held.get(STATUS)
    if said is None:
        return True
    words = known_values(STATUS)
    state = words.get(fold(str(said))) or words.get(fold(strip_brackets(str(said))))
    return state in (None, _OPEN)


def column_of(
    old: AttributeArray | None, name: str, size: int, rows: Iterable[int], values: Iterable[Any]
) -> AttributeArray:
    """A column (size,) with other values in some rows; None makes one unknown."""
    column = unknown_attribute(name, size) if old is None else np.array(old)
    text = is_text(name)
    for row, value in zip(rows, values, strict=True):
        column[row] = value if text or value is not None else np.nan
    column.setflags(write=False)
    return column
