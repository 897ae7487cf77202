"""Named lists of a policy: words and tag values that many rules share, each written once.

::

    [lists.dental]
    source = "wiki"
    clause = "..."
    confidence = "interpretation"
    zh = ["口腔", "牙科"]
    en = ["dent*"]

A rule names a list by ``"@dental"`` among its own words; a list of lists says ``of = [...]``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lifecircle.analysis.policy.cited import Confidence
from lifecircle.analysis.policy.faults import Blame, Place, PolicyFault
from lifecircle.analysis.policy.fields import Record, Source, Text, Texts

LISTS: Final = "lists"
SIGN: Final = "@"
_OF: Final = "of"
_CITATION: Final = frozenset({"source", "clause", "confidence"})
_WORDS: Final = ("name_has", "name_lacks")
_TAGS: Final = ("tags", "without")
_UNKNOWN: Final = "policy_unknown_list"


@dataclass(frozen=True, slots=True)
class WordList(Record):
    """Words by language, tag values, or a list of lists (`of`), cited as a whole.

    `mt`: Maltese; `other`: any language that has no key of its own.
    """

    source: Source
    clause: Text
    confidence: Confidence
    of: Texts = ()
    values: Texts = ()
    zh: Texts = ()
    en: Texts = ()
    es: Texts = ()
    pt: Texts = ()
    it: Texts = ()
    mt: Texts = ()
    other: Texts = ()


def spell_out(content: Mapping[str, Any], blame: Blame) -> list[PolicyFault]:
    """Put the words of its lists in place of every ``"@name"`` of the content's tag rules.

    What has not the form of a rule or a list is left alone: the records tell of it.
    """
    known = content.get(LISTS, {})
    if not isinstance(known, Mapping):
        return []
    faults: list[PolicyFault] = []
    words: dict[str, list[str]] = {}
    for name in known:
        try:
            words[name] = list(dict.fromkeys(_words(known, name, ())))
        except _BadList as bad:
            faults.append(blame.fault(bad.key, (LISTS, name), **bad.params))
    for path, table, key in _written(content):
        spelled: list[Any] = []
        for value in [table[key]] if isinstance(table[key], str) else table[key]:
            named = value[1:] if isinstance(value, str) and value.startswith(SIGN) else None
            spelled += [value] if named is None else words.get(named, [value])
            if named is not None and named not in known:
                at = (*path, key)
                faults.append(blame.fault(_UNKNOWN, at, value=value, known=tuple(known)))
        table[key] = spelled
    return faults


class _BadList(Exception):
    """A list that has no words, or names itself or one that is not there."""

    def __init__(self, key: str, **params: Any) -> None:
        super().__init__(key)
        self.key = key
        self.params = params


def _words(known: Mapping[str, Any], name: str, above: tuple[str, ...]) -> Iterator[str]:
    """Every word of a list and of the lists it names."""
    if name in above:
        raise _BadList("policy_list_ring", chain=" → ".join((*above, name)))
    if name not in known:
        raise _BadList(_UNKNOWN, value=SIGN + name, known=tuple(known))
    table = known[name]
    if not isinstance(table, Mapping):
        return
    held = {key: values for key, values in table.items() if key not in _CITATION}
    if not any(held.values()):
        raise _BadList("policy_list_empty")
    for key, values in held.items():
        for word in values if isinstance(values, list) else ():
            if not isinstance(word, str):
                continue
            if key == _OF:
                yield from _words(known, word, (*above, name))
            else:
                yield word


def _written(content: Mapping[str, Any]) -> Iterator[tuple[Place, dict[str, Any], str]]:
    """Every list of words or tag values of the tag rules: its table's path, the table, its key."""
    services = content.get("services")
    for service, told in services.items() if isinstance(services, Mapping) else ():
        rules = told.get("osm") if isinstance(told, Mapping) else None
        for number, rule in enumerate(rules if isinstance(rules, list) else (), start=1):
            if not isinstance(rule, dict):
                continue
            at: Place = ("services", service, "osm", number)
            for key in _WORDS:
                if isinstance(rule.get(key), list):
                    yield at, rule, key
            for key in _TAGS:
                tags = rule.get(key)
                if isinstance(tags, dict):
                    held = (tag for tag in tags if isinstance(tags[tag], list | str))
                    yield from (((*at, key), tags, tag) for tag in held)
