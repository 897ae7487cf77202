"""What is said of a name that does not exist: those that do, the nearest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.texts import Title, listed, say_both

_NAMES_OFFERED: Final = 5
_ALIKE: Final = 0.4


class Words(NamedTuple):
    """What a service is called."""

    title: Title
    aliases: tuple[str, ...] = ()


def unknown(key: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that does not exist, listing those that do."""
    return UnknownNameError(key, name=name, known=", ".join(known))


def unknown_service(name: str, known: Mapping[str, Words]) -> UnknownNameError:
    """The error for a service that does not exist: the nearest by id, title and alias first."""
    names: dict[str, str] = {}
    for one, words in known.items():
        for word in (one, words.title.zh, words.title.en, *words.aliases):
            names.setdefault(word.casefold(), one)
    alike = get_close_matches(name.casefold(), names, n=_NAMES_OFFERED * 2, cutoff=_ALIKE)
    near = list(dict.fromkeys(names[word] for word in alike))[:_NAMES_OFFERED]
    return UnknownNameError(
        "unknown_service",
        name=name,
        near=listed(say_both("word_named_id", title=known[one].title, id=one) for one in near),
        known=", ".join(known),
    )
