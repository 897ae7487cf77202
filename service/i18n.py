"""What the service says to people, in Chinese and in English.

Every ``locales/*.toml`` is read once; the language is the last part of the file's stem
(``zh.toml``, ``maps.zh.toml``), the content a flat table ``key = "text {parameter}"``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Final

from lifecircle.analysis.errors import Language

LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
LONGEST_SHOWN: Final = 200


@cache
def texts(lang: Language) -> dict[str, str]:
    """Every text of a language by its key."""
    merged: dict[str, str] = {}
    for locale in sorted(
        files("lifecircle.service").joinpath("locales").iterdir(), key=lambda f: f.name
    ):
        if locale.name == f"{lang}.toml" or locale.name.endswith(f".{lang}.toml"):
            merged |= tomllib.loads(locale.read_text(encoding="utf-8"))
    return merged


def text(key: str, lang: Language, **params: Any) -> str:
    """One text of a language with its parameters filled in (long ones cut)."""
    return texts(lang)[key].format_map({name: _shown(value) for name, value in params.items()})


def modelled(names: Iterable[str], lang: Language) -> str:
    """What of an area is modelled, in words, with the signs of the language between them."""
    words = texts(lang)
    return words["comma"].join(words.get(f"modelled_{name}", name) for name in names)


def role(name: str, lang: Language) -> str:
    """What an input file was for, in words."""
    return texts(lang).get(f"role_{name}", name)


def _shown(value: Any) -> str:
    shown = str(value)
    return shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 3] + "..."


def negotiate(asked: str | None, accept: str | None, fallback: Language = "zh") -> Language:
    """The language of a reader: ``?lang=`` first, then ``Accept-Language``, then `fallback`."""
    for lang in LANGUAGES:
        if asked == lang:
            return lang
    best: tuple[float, Language] | None = None
    for part in (accept or "").split(","):
        tag, _, rest = part.partition(";")
        primary = tag.strip().lower().split("-")[0]
        weight = _weight(rest)
        for lang in LANGUAGES:
            if primary == lang and weight > 0 and (best is None or weight > best[0]):
                best = (weight, lang)
    return best[1] if best else fallback


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
