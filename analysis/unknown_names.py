"""Names however they are written, and what is said of one that does not exist."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.texts import Title, listed, say_both

_NAMES_OFFERED: Final = 5
_ALIKE: Final = 0.4
_BETWEEN: Final = re.compile(r"[\s_\-.]+")


class Words(NamedTuple):
    """What a service, a walker, a level ... is called beside its id."""

    title: Title
    aliases: tuple[str, ...] = ()


def fold_name(text: str) -> str:
    """A name as it is compared: half width, small letters, no spaces, ``_``, ``-`` or ``.``."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text).casefold())


def find_id(name: str, known: Mapping[str, Words]) -> str | None:
    """The id that a name stands for: an id, a title or an alias, however written; None if none.

    Ids go before titles, and titles before aliases.

    Raises
    ------
    UnknownNameError : several have this title, or several this alias, and none has it as its id.
    """
    if name in known:
        return name
    asked = fold_name(name)
    kinds: tuple[Callable[[str], Iterable[str]], ...] = (
        lambda one: (one,),
        lambda one: (known[one].title.zh, known[one].title.en),
        lambda one: known[one].aliases,
    )
    for names_of in kinds:
        found = [one for one in known if asked in map(fold_name, names_of(one))]
        if len(found) > 1:
            raise _several(name, found, known)
        if found:
            return found[0]
    return None


def _several(name: str, found: Iterable[str], known: Mapping[str, Words]) -> UnknownNameError:
    """The error for a name that stands for more than one thing, listing them with their ids."""
    shown = (say_both("word_named_id", title=known[one].title, id=one) for one in found)
    return UnknownNameError("name_of_several", name=name, known=listed(shown))


def unknown(
    key: str, name: str, known: Iterable[str], words: Mapping[str, Words] | None = None
) -> UnknownNameError:
    """The error for a name that does not exist, listing those that do, the nearest first.

    `words`: what they are called, where they are called anything.
    """
    called = words or {}
    ids = list(known)
    nearest = _nearest(name, {one: called.get(one, Words(Title(one, one))) for one in ids})
    ordered = dict.fromkeys([*nearest, *ids])
    shown = (
        say_both("word_named_id", title=called[one].title, id=one) if one in called else one
        for one in ordered
    )
    return UnknownNameError(key, name=name, known=listed(shown))


def unknown_service(name: str, known: Mapping[str, Words]) -> UnknownNameError:
    """The error for a service that does not exist: the nearest by id, title and alias first."""
    near = [
        say_both("word_named_id", title=known[one].title, id=one) for one in _nearest(name, known)
    ]
    return UnknownNameError(
        "unknown_service",
        name=name,
        near=listed(near or [say_both("word_none_alike")]),
        known=", ".join(known),
    )


def names_to_ids(known: Mapping[str, Words]) -> dict[str, str]:
    """Folded name → id: ids first, then titles, then aliases; the first claim holds."""
    names: dict[str, str] = {}
    claims = [(one, one) for one in known]
    claims += [
        (title, one) for one, words in known.items() for title in (words.title.zh, words.title.en)
    ]
    claims += [(alias, one) for one, words in known.items() for alias in words.aliases]
    for name, one in claims:
        names.setdefault(fold_name(name), one)
    return names


def _nearest(name: str, known: Mapping[str, Words]) -> list[str]:
    names = names_to_ids(known)
    alike = get_close_matches(fold_name(name), names, n=_NAMES_OFFERED * 2, cutoff=_ALIKE)
    return list(dict.fromkeys(names[word] for word in alike))[:_NAMES_OFFERED]
