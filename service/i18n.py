"""What the service says to people, in Chinese and in English, and which of the two a reader wants.

The texts stand in ``service/messages``, over those of the analysis: one store, one way to say.
"""

from __future__ import annotations

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
