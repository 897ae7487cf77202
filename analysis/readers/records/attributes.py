"""Attributes of facilities as typed columns; what an attribute is stands in one table.

The table is ``policies/scorecard/attributes.toml``: its numbers and counts are ``float64`` here,
in the unit named there, its flags ``float64`` of 1 (yes) and 0 (no), NaN where unknown. Every
other attribute is a text, None where unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lifecircle.analysis.policy.attributes import Dtype, attributes
from lifecircle.analysis.quantities import BoolArray, FloatArray, ObjectArray
from lifecircle.analysis.readers.records.aliases import fold, known_values

AttributeArray = NDArray[Any]  # float64, or texts

PLACED: Final = "placed_by_unit"  # the code of the unit at which a place without coordinates stands
FILLED: Final = "filled_from"  # which row what a row lacked was taken from

_YES: Final = {"yes": 1.0, "no": 0.0}


def attribute_kind(name: str) -> Dtype:
    """What an attribute of facilities is: ``number``, ``count``, ``flag`` or ``text``."""
    known = attributes()["facility"].get(name)
    return "text" if known is None else known.dtype


def is_text(name: str) -> bool:
    """Whether an attribute is a text."""
    return attribute_kind(name) == "text"


def unknown_attribute(name: str, size: int) -> AttributeArray:
    """A column (size,) of an attribute of which nothing is known."""
    if is_text(name):
        return np.full(size, None, dtype=np.object_)
    return np.full(size, np.nan)


def known_attribute(values: AttributeArray) -> BoolArray:
    """Where a column holds something."""
    if values.dtype == np.object_:
        return np.fromiter((value is not None for value in values), np.bool_, count=len(values))
    known: BoolArray = ~np.isnan(values.astype(np.float64, copy=False))
    return known


def flag_words(name: str) -> dict[str, str]:
    """Folded word → ``yes`` or ``no``, for a flag."""
    return {**known_values("flag"), **known_values(name)}


def parse_flags(words: Iterable[str | None], meaning: dict[str, str]) -> FloatArray:
    """Words as 1 (yes), 0 (no) or NaN (none, or not understood)."""
    seen: dict[str | None, float] = {None: np.nan}
    out = []
    for word in words:
        if word not in seen:
            seen[word] = _YES.get(meaning.get(fold(str(word)), ""), np.nan)
        out.append(seen[word])
    return np.array(out, dtype=np.float64)


def attribute_words(name: str, values: AttributeArray) -> ObjectArray:
    """A column in words, flags as ``yes`` and ``no``, None where unknown."""
    if values.dtype == np.object_:
        return values
    known = known_attribute(values)
    words = np.full(len(values), None, dtype=np.object_)
    if attribute_kind(name) == "flag":
        words[known] = np.where(values[known] > 0, "yes", "no")
    else:
        words[known] = [str(value) for value in values[known].tolist()]
    return words


def stored_attribute(name: str, values: AttributeArray) -> Any:
    """A column as files and frames hold it: flags as ``yes`` and ``no``, null where unknown."""
    import pandas as pd  # a third of a second to load, and a process that reads a map does without

    if values.dtype == np.object_ or attribute_kind(name) == "flag":
        return pd.Series(attribute_words(name, values), dtype=object)
    known = known_attribute(values)
    return pd.arrays.FloatingArray(np.where(known, values, 0.0), ~known)


def restored_attribute(name: str, values: Iterable[Any]) -> AttributeArray:
    """A column of a file (see `stored_attribute`), also of runs built before flags were numbers."""
    listed = list(values)
    if is_text(name):
        return np.fromiter(listed, np.object_, count=len(listed))
    if attribute_kind(name) == "flag":
        return parse_flags((None if v is None else str(v) for v in listed), flag_words(name))
    return np.array([np.nan if v is None else float(v) for v in listed], dtype=np.float64)
