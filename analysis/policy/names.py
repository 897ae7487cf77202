"""Names of places and the words in them, whatever the language and the way of writing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_OPEN: Final = "*"  # at an end of a word: the word may go on there
_LETTERS: Final = str.maketrans({"ħ": "h", "ł": "l", "ø": "o", "đ": "d", "ı": "i"})
_NAME: Final = re.compile(
    r"(?:(?:official|alt|short)_)?name(?::[a-z]{2,3}(?:[-_][A-Za-z]+)*)?", re.ASCII
)
_WORD: Final = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")  # Latin letters stand by themselves


def names_of(tags: Mapping[str, str]) -> str:
    """The names of a place, one a line, folded.

    Names are ``name``, ``official_name``, ``alt_name``, ``short_name`` and those by language
    (``name:zh``; not ``name:etymology``, ``old_name``, ``operator``).
    """
    named = [key for key in tags if "name" in key and _NAME.fullmatch(key)]
    return "\n".join([f" {folded(tags[key])} " for key in named])


def has_word(names: str, words: tuple[str, ...]) -> bool:
    """Whether one of some words stands in names (as `names_of` gives them).

    Case, accents, full width and signs between words make no difference. A word of Latin letters
    stands by itself (``bar`` is not in ``Barbara``) unless a ``*`` leaves an end open (``dent*``);
    any other, as Chinese has no spaces, is found anywhere.
    """
    if names and words:
        for word in _needles(words):  # asked a million times a city: no generator
            if word in names:
                return True
    return False


@lru_cache(maxsize=16_384)
def folded(text: str) -> str:
    """A text as names are compared: small letters without accents, words by single spaces."""
    if text.isascii():
        bare = text.casefold()
    else:
        plain = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
        bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(_WORD.findall(bare))


@lru_cache(maxsize=1_024)
def _needles(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_needle, words)))


def _needle(word: str) -> str:
    plain = folded(word)
    if not plain.replace(" ", "").isascii():
        return plain
    before = "" if word.startswith(_OPEN) else " "
    after = "" if word.endswith(_OPEN) else " "
    return before + plain + after
