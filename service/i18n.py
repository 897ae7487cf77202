"""What the service says to people, in Chinese and in English, and which of the two a reader wants.

The texts stand in ``service/messages``, over those of the analysis: one store, one way to say.
"""

from __future__ import annotations

import math
from typing import Any, Final

from lifecircle.analysis.texts import LANGUAGES, MESSAGES, Language, Medium, Texts

TEXTS: Final = Texts("lifecircle.service", under=MESSAGES)


def text(key: str, lang: Language, medium: Medium = "command", /, **params: Any) -> str:
    """The text `key` in a language with its parameters filled in (long ones cut)."""
    return TEXTS.say(key, lang, medium, **params)


def negotiate(asked: str | None, accept: str | None, fallback: Language = "zh") -> Language:
    """The language of a reader: ``?lang=`` first, then ``Accept-Language``, then `fallback`."""
    for lang in LANGUAGES:
        if asked == lang:
            return lang
    best: tuple[float, Language] | None = None
    for tag, weight in weighted(accept):
        primary = tag.split("-")[0]
        for lang in LANGUAGES:
            if primary == lang and weight > 0 and (best is None or weight > best[0]):
                best = (weight, lang)
    return best[1] if best else fallback


def weighted(header: str | None) -> list[tuple[str, float]]:
    """The values of an ``Accept...`` header in small letters, as they stand, each with its weight:
    the one reading of weights (RFC 9110, 12.4.2).

    A weight is 0 to 1, 1 where none is told; one that is no number counts as 0 (not wanted).
    Other parameters of a value (``version=3.0``) are left out.
    """
    found = []
    for part in (header or "").lower().split(","):
        value, *parameters = (piece.strip() for piece in part.split(";"))
        if value:
            told = [text for name, _, text in map(_parted, parameters) if name == "q"]
            found.append((value, _number(told[0]) if told else 1.0))
    return found


def _parted(parameter: str) -> tuple[str, str, str]:
    name, sign, text = parameter.partition("=")
    return name.strip(), sign, text.strip()


def _number(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return min(max(weight, 0.0), 1.0) if math.isfinite(weight) else 0.0
