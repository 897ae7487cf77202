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

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

LISTS: Final = "lists"
SIGN: Final = "@"
OF: Final = "of"
_CITATION: Final = frozenset({"source", "clause", "confidence"})
_WORDS: Final = ("name_has", "name_lacks")
_TAGS: Final = ("tags", "without")

Path = tuple[str | int, ...]
Fault = TypeVar("Fault")


def spell_out(content: Mapping[str, Any], fault: Callable[..., Fault]) -> list[Fault]:
    """Put the words of its lists in place of every ``"@name"`` of the content's tag rules.

    `fault` makes a fault of a message key, the path of a key and parameters. What has not the
    form of a rule is left alone: the models tell of it.
    """
    known = content.get(LISTS, {})
    if not isinstance(known, dict):
        return []
    faults: list[Fault] = []
    words: dict[str, list[str]] = {}
    for name in known:
        try:
            words[name] = list(dict.fromkeys(_words(known, name, ())))
        except _BadList as bad:
            faults.append(fault(bad.key, (LISTS, name), **bad.params))
    for path, values in _written(content):
        spelled: list[str] = []
        for value in values:
            if not isinstance(value, str) or not value.startswith(SIGN):
                spelled.append(value)
            elif value[1:] in words:
                spelled += words[value[1:]]
            else:
                spelled.append(value)
                if value[1:] not in known:
                    names = ", ".join(known)
                    faults.append(fault("policy_unknown_list", path, value=value, known=names))
        values[:] = spelled
    return faults


class _BadList(Exception):
    """A list that has no words, or names itself or one that is not there."""

    def __init__(self, key: str, **params: str) -> None:
        super().__init__(key)
        self.key = key
        self.params = params


def _words(known: Mapping[str, Any], name: str, above: tuple[str, ...]) -> Iterator[str]:
    """Every word of a list and of the lists it names."""
    if name in above:
        raise _BadList("policy_list_ring", chain=" → ".join((*above, name)))
    if name not in known:
        raise _BadList("policy_unknown_list", value=SIGN + name, known=", ".join(known))
    table = known[name]
    if not isinstance(table, dict):
        return
    held = [values for key, values in table.items() if key not in _CITATION]
    if not any(held):
        raise _BadList("policy_list_empty")
    for key, values in table.items():
        if key == OF:
            for other in values:
                yield from _words(known, other, (*above, name))
        elif key not in _CITATION and isinstance(values, list):
            yield from values


def _written(content: Mapping[str, Any]) -> Iterator[tuple[Path, list[Any]]]:
    """Every list of words or tag values of the tag rules, with its path."""
    services = content.get("services")
    for service, table in services.items() if isinstance(services, dict) else ():
        rules = table.get("osm") if isinstance(table, dict) else None
        for number, rule in enumerate(rules if isinstance(rules, list) else (), start=1):
            if not isinstance(rule, dict):
                continue
            at: Path = ("services", service, "osm", number)
            for key in _WORDS:
                if isinstance(rule.get(key), list):
                    yield (*at, key), rule[key]
            for key in _TAGS:
                tags = rule.get(key)
                for tag, values in tags.items() if isinstance(tags, dict) else ():
                    if isinstance(values, list):
                        yield (*at, key, tag), values
