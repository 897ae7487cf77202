"""What services are called, and which come nearest to a word that is none of their names."""

from __future__ import annotations

from typing import Final

from rapidfuzz.fuzz import ratio

from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.sections.kinds import common_words, near_words
from lifecircle.analysis.readers.records.aliases import fold
from lifecircle.analysis.texts import Title, listed, say_both
from lifecircle.analysis.unknown_names import Words, names_to_ids

_OFFERED: Final = 3
_ALIKE: Final = 60.0  # percent; 饭店 and 药店 are 50, 社康中心 and 社区卫生服务中心 67
_SAME_START: Final = 15.0  # names begin with what they are about: 药点 is 药店 rather than 饭点
_SHORTEST: Final = 2  # signs of a name that may stand inside another


def service_words(policy: Policy) -> dict[str, Words]:
    """What the services of a policy are called."""
    return {one.id: Words(one.title, one.aliases) for one in policy.services.values()}


def service_names(policy: Policy) -> dict[str, str]:
    """Folded name → service id: ids first, then titles, then aliases; the first claim holds."""
    return names_to_ids(service_words(policy))


class NearServices:
    """Finds the services nearest to a word: by meaning, then by names inside, then by likeness."""

    def __init__(self, policy: Policy) -> None:
        self._names = service_names(policy)
        self._bare = {name: _told_apart(name) for name in self._names}
        self._titles = {one.id: one.title for one in policy.services.values()}
        self._meanings = [
            (fold(word), tuple(one for one in near.services if one in policy.services))
            for near in near_words()
            for word in near.words
        ]

    def ids(self, word: str) -> tuple[str, ...]:
        """Ids of the nearest services, the best first; () where nothing is like the word."""
        key = fold(word)
        inside = [name for name in self._names if len(name) >= _SHORTEST and name in key]
        meant = [(said, services) for said, services in self._meanings if said in key]
        if any(not services for _, services in meant):
            return ()
        found = [self._names[name] for name in sorted(inside, key=len, reverse=True)]
        for _, services in sorted(meant, key=lambda pair: -len(pair[0])):
            found += services
        if not found:
            word_bare = _told_apart(key)
            scored = ((_likeness(word_bare, bare), name) for name, bare in self._bare.items())
            near = sorted(((s, name) for s, name in scored if s >= _ALIKE), reverse=True)
            found = [self._names[name] for _, name in near]
        return tuple(dict.fromkeys(found))[:_OFFERED]

    def told(self, word: str) -> Title | None:
        """The nearest services for a message; None where nothing is like the word."""
        near = self.ids(word)
        if not near:
            return None
        return listed(say_both("word_named_id", title=self._titles[one], id=one) for one in near)


def _likeness(one: str, other: str) -> float:
    return float(ratio(one, other)) + _SAME_START * (one[:1] == other[:1])


def _told_apart(text: str) -> str:
    """A name without the words that names of many kinds share; itself where nothing is left."""
    bare = text
    for word in common_words():
        bare = bare.replace(word, "")
    return bare or text
