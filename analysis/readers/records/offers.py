"""Names to offer in place of a word that nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Final

from lifecircle.analysis.readers.records.aliases import fold

_ALIKE: Final = 0.4
_MOST_WORDS: Final = 200  # words with an offer of their own: each takes some milliseconds


def offer_near(names: Mapping[str, str], count: int) -> Callable[[str], list[str]]:
    """A function that offers, for a word, at most `count` names like it.

    Parameters
    ----------
    names
        Folded name → what is offered for it. Where no name is like the word, the first ones are.
    """
    offered: dict[str, list[str]] = {}

    def offer(word: str) -> list[str]:
        if word not in offered:
            key, near = fold(word), []
            if len(offered) < _MOST_WORDS:
                near = get_close_matches(key, names, n=count * 2, cutoff=_ALIKE)
                near += [one for one in names if len(key) > 1 and (key in one or one in key)]
            offered[word] = list(dict.fromkeys(names[one] for one in near or names))[:count]
        return offered[word]

    return offer
