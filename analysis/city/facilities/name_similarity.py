"""How alike two names of facilities are, without the words that all names of their kind have.

``昆明市五华区华山街道社区卫生服务中心`` and ``华山社区卫生服务中心`` are both ``华山``; ``一心堂
(翠湖店)`` and ``一心堂(北门店)`` are two shops; ``第一小学`` and ``第二小学``, ``东街药店`` and
``西街药店`` are never alike, however many signs they share.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Final

from rapidfuzz.fuzz import ratio

_BRACKETS: Final = re.compile(r"[(\[【〔<《]([^()\[\]【】〔〕<>《》]*)[)\]】〕>》]")
_SIGNS: Final = re.compile(r"[^\w]|_")
_DIGITS: Final = re.compile(r"\d+|[零〇一二三四五六七八九十百]+")
_NUMERALS: Final = {c: str(i) for i, c in enumerate("零一二三四五六七八九")} | {"〇": "0"}
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class CoreName:
    """A name as it is compared: `core` and `branch` without signs and common words."""

    core: str
    branch: str
    numbers: tuple[str, ...]
    telling: str


class NameSimilarity:
    """Compares names of one service.

    Parameters
    ----------
    place_words : what may stand before a name without telling it apart (province, city, district).
    common_words : what all names of the service have (its titles, aliases, forms of companies).
    telling : signs that tell names apart (east and west, old and new).
    """

    def __init__(
        self, place_words: Iterable[str], common_words: Iterable[str], telling: str
    ) -> None:
        self._places = _fold_words(place_words)
        self._lengths = sorted({len(word) for word in self._places}, reverse=True)
        self._common = sorted(_fold_words(common_words), key=lambda word: (-len(word), word))
        self._telling = frozenset(telling)
        self._core = lru_cache(maxsize=200_000)(self._strip_name)

    def find_core(self, name: str | None) -> CoreName | None:
        """What is left of a name; None where there is no name or nothing is left of it."""
        if name is None:
            return None
        found = self._core(name)
        return found if found.core else None

    @staticmethod
    def compare(one: CoreName, other: CoreName) -> float:
        """0 (different) to 1 (the same): equal signs of the cores, of the branches where given."""
        if one.numbers != other.numbers or one.telling != other.telling:
            return 0.0
        if one.branch and other.branch and one.branch != other.branch:
            return min(
                _measure_ratio(one.core, other.core), _measure_ratio(one.branch, other.branch)
            )
        return _measure_ratio(one.core, other.core)

    def _strip_name(self, name: str) -> CoreName:
        text = unicodedata.normalize("NFKC", name).casefold()
        branch = _SIGNS.sub("", "".join(_BRACKETS.findall(text)))
        main = _SIGNS.sub("", _BRACKETS.sub("", text)) or branch
        main = self._drop_places(main)
        core = self._drop_common(main)
        branch = self._drop_common(branch)
        told = sorted(sign for sign in core + branch if sign in self._telling)
        return CoreName(core, branch, _list_numbers(core + "|" + branch), "".join(told))

    def _drop_places(self, text: str) -> str:
        """The text without the places it begins with, the longest first, but never without any."""
        while True:
            known = (n for n in self._lengths if n < len(text) and text[:n] in self._places)
            length = next(known, 0)
            if length == 0:
                return text
            text = text[length:]

    def _drop_common(self, text: str) -> str:
        for word in self._common:
            text = text.replace(word, "")
        return text


def block_names(names: Sequence[CoreName], least: float) -> Iterator[list[int]]:
    """Groups of names, by index, such that any two alike to at least `least` share a group.

    Names alike have the same numbers and telling signs, and of signs so many in common that each
    has one of them among its few rarest (prefix filtering). So only names of a group need to be
    compared, and names that have nothing rare in common never are.

    Source: Chaudhuri, Ganti, Kaushik, A Primitive Operator for Similarity Joins (ICDE 2006).
    """
    keyed: dict[tuple[tuple[str, ...], str], dict[str, list[int]]] = {}
    for index, name in enumerate(names):
        keyed.setdefault((name.numbers, name.telling), {}).setdefault(name.core, []).append(index)
    for by_core in keyed.values():
        if len(by_core) == 1:
            yield next(iter(by_core.values()))
            continue
        often = Counter(sign for core in by_core for sign in set(core))
        blocks: dict[tuple[str, int], list[int]] = {}
        for core, held in by_core.items():
            for sign in _list_rarest(core, often, least):
                blocks.setdefault(sign, []).extend(held)
        yield from blocks.values()


def _list_rarest(core: str, often: Mapping[str, int], least: float) -> list[tuple[str, int]]:
    """The rarest signs of a core, numbered where they repeat: as many as may lack in one alike.

    Two cores of a and b signs are alike where at least `least` * (a + b) / 2 are in common; the
    shorter holds at least that many, so it has at least `least` * a / (2 - `least`) signs.
    """
    size = len(core)
    shortest = ceil(least * size / (2 - least) - _ROUNDING)
    common = ceil(least * (size + shortest) / 2 - _ROUNDING)
    seen: Counter[str] = Counter()
    signs = []
    for sign in core:
        signs.append((sign, seen[sign]))
        seen[sign] += 1
    signs.sort(key=lambda one: (often[one[0]], *one))
    return signs[: size - common + 1]


def _fold_words(words: Iterable[str]) -> frozenset[str]:
    folded = {_SIGNS.sub("", unicodedata.normalize("NFKC", word).casefold()) for word in words}
    return frozenset(folded - {""})


def _list_numbers(text: str) -> tuple[str, ...]:
    """The numbers of a text, Chinese and Arabic alike, in name order."""
    found = Counter(_make_arabic(number) for number in _DIGITS.findall(text))
    return tuple(sorted(found.elements()))


def _make_arabic(number: str) -> str:
    if number.isdigit():
        return str(int(number)) if number.isascii() else number
    if "百" in number:
        return number
    tens, ten, ones = number.rpartition("十")
    if not ten:
        return str(int("".join(_NUMERALS[c] for c in number)))
    return str(int(_NUMERALS.get(tens, "1")) * 10 + int(_NUMERALS.get(ones, "0")))


def _measure_ratio(one: str, other: str) -> float:
    return float(ratio(one, other)) / 100
