"""What people call the columns and values of their tables: data, in ``column_aliases.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from lifecircle.analysis.unknown_names import fold_name

_BRACKETS = re.compile(r"^(.+?)\(([^()]*)\)$")
_LONGEST_WORD = 64  # longer texts are hardly met twice
_KINDS = ("coordinates", "population", "facilities", "units", "statistics")


def fold(text: str) -> str:
    """A name as it is compared: half width, small letters, no spaces, ``_``, ``-`` or ``.``."""
    return _fold_word(text) if len(text) <= _LONGEST_WORD else fold_name(text)


@lru_cache(maxsize=100_000)  # a column holds the same words over and over
def _fold_word(text: str) -> str:
    return fold_name(text)


@cache
def _aliases() -> Mapping[str, Any]:
    path = files("lifecircle.analysis.readers.records").joinpath("column_aliases.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def fields_of(kind: str) -> tuple[str, ...]:
    """The fields a kind of table (``population``, ``facilities``, ``units``) may have."""
    return tuple(_aliases()[kind])


@cache
def every_field() -> tuple[str, ...]:
    """The fields of every kind of table, coordinates among them."""
    return tuple(dict.fromkeys(field for kind in _KINDS for field in _aliases()[kind]))


def aliases_of(kind: str) -> Mapping[str, Sequence[str]]:
    """Field → names people give it, for a kind of table."""
    aliases: Mapping[str, Sequence[str]] = _aliases()[kind]
    return aliases


def row_words(kind: str) -> tuple[str, ...]:
    """Folded words that begin a row of ``totals`` or of ``notes``."""
    return tuple(fold(word) for word in _aliases()["rows"][kind])


@cache
def known_values(field: str) -> Mapping[str, str]:
    """Folded word → our word, for a field with few values (``ownership``, ``unit_class``)."""
    words: Mapping[str, Sequence[str]] = _aliases()["values"].get(field, {})
    return {fold(alias): word for word, aliases in words.items() for alias in aliases}


def strip_brackets(text: str) -> str:
    """A text without what stands in brackets at its end (``已关闭（2023年）`` is ``已关闭``)."""
    match = _BRACKETS.match(fold(text))
    return match[1] if match else text


@cache
def table_kinds() -> Mapping[str, Sequence[str]]:
    """What each kind of table is called beside its own name."""
    kinds: Mapping[str, Sequence[str]] = _aliases()["table_kinds"]
    return kinds


@cache
def plain_units() -> frozenset[str]:
    """Folded units (and datums) that may stand behind a title or a number and change nothing."""
    datums = (name for names in _aliases()["datum_names"].values() for name in names)
    return frozenset(fold(unit) for unit in [*_aliases()["plain_units"], *datums])


@cache
def unit_scales() -> Mapping[str, float]:
    """Folded unit → how many persons, square metres ... it stands for."""
    return {fold(unit): float(scale) for unit, scale in _aliases()["scaled_units"].items()}


def datum_in_title(title: str) -> str | None:
    """The datum that a title names (``经度(GCJ-02)``), None if it names none."""
    key = fold(title)
    for datum, names in _aliases()["datum_names"].items():
        if any(fold(name) in key for name in names):
            return str(datum)
    return None


@cache
def _datum_words() -> Mapping[str, str]:
    """Folded word → the datum that is declared by it."""
    named, more = _aliases()["datum_names"], _aliases()["datum_words"]
    return {
        fold(word): str(datum) for datum in named for word in (datum, *named[datum], *more[datum])
    }


def datum_of(word: str) -> str | None:
    """The datum that a word declares (``GCJ-02``, ``火星坐标``), None if nobody knows it."""
    known, said = _datum_words(), fold(word)
    for ending in ("", *_aliases()["datum_words"]["endings"]):
        if said.endswith(ending) and said.removesuffix(ending) in known:
            return known[said.removesuffix(ending)]
    return None


@cache
def pair_datums() -> tuple[tuple[str, str], ...]:
    """Folded words of datums that stand beside the name of an axis, each with its datum."""
    named, more = _aliases()["datum_names"], _aliases()["datum_words"]["in_pairs"]
    words = [(fold(w), str(d)) for d in named for w in (*named[d], *more[d])]
    return tuple(sorted(words, key=lambda pair: len(pair[0]), reverse=True))


@cache
def says_lat_first(title: str) -> bool:
    """Whether a title of pairs names the latitude first."""
    return fold(title) in {fold(word) for word in _aliases()["places"]["lat_first"]}


def title_keys(title: str) -> tuple[tuple[str, float], ...]:
    """How a column title may be looked up, each with the scale its unit in brackets means."""
    whole = fold(title).strip("*★@")
    match = _BRACKETS.match(whole)
    unit = match[2].removeprefix("单位:") if match else ""
    if match and unit in plain_units():
        return (whole, 1.0), (match[1], 1.0)
    if match and unit in unit_scales():
        return (whole, 1.0), (match[1], unit_scales()[unit])
    behind = next((one for one in _aliases()["units_behind"] if whole.endswith(one)), None)
    if behind is not None and not match:
        return (whole, 1.0), (whole.removesuffix(behind).rstrip("/:"), unit_scales()[behind])
    return ((whole, 1.0),)


def is_known_title(title: str) -> bool:
    """Whether a cell is the title of a column of any kind of table.

    坐标 is none: it often stands above 经度 and 纬度, and does not make its line the header.
    """
    return any(key in _every_alias() for key, _ in title_keys(title))


@cache
def _every_alias() -> frozenset[str]:
    lists = [(f, names) for kind in _KINDS for f, names in _aliases()[kind].items()]
    return frozenset(fold(alias) for field, names in lists if field != "place" for alias in names)


@cache
def refused_groups() -> re.Pattern[str]:
    """Columns that begin with ``pop_`` and are no population group."""
    return re.compile("|".join(_aliases()["not_groups"]))
