"""Words in the names of places, as docs/policies.md tells ("Words in names")."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

NAMES = re.compile(r"(official_|alt_|short_)?name(:[a-z]{2,3}([-_][A-Za-z]+)*)?")
CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def names_in(said: Mapping[str, str]) -> tuple[str, ...]:
    """The names of a place: its own, by language too, not old ones or an operator's."""
    return tuple(value for key, value in said.items() if NAMES.fullmatch(key))


def stands_in(word: str, name: str) -> bool:
    """Whether a word stands in a name: Chinese anywhere, others by themselves, `*` an open end."""
    if CHINESE.search(word):
        return _close(word) in _close(name)
    return _pattern(word).search(plain(name)) is not None


@cache
def plain(text: str) -> str:
    """Small letters without accents, of half width; Maltese barred h as h."""
    folded = unicodedata.normalize("NFKD", text).casefold().replace("ħ", "h")
    return "".join(sign for sign in folded if not unicodedata.combining(sign))


@cache
def _close(text: str) -> str:
    """Letters and digits alone."""
    return re.sub(r"[\W_]", "", plain(text))


@cache
def _pattern(word: str) -> re.Pattern[str]:
    """A word between signs that are no Latin letters or digits; any signs between its parts."""
    parts = [re.escape(part) for part in re.split(r"[\W_]+", plain(word)) if part]
    before = "" if word.startswith("*") else "(?<![a-z0-9])"
    after = "" if word.endswith("*") else "(?![a-z0-9])"
    return re.compile(before + r"[\W_]+".join(parts) + after)
