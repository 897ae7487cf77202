"""What makes a policy untrustworthy: bare numbers, unknown keys, contradictions.

Every fault is a message key with the file and the path of the key it is about, so that one check
serves Chinese and English.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from lifecircle.analysis.errors import Language, PolicyError, say
from lifecircle.analysis.policy.capacity import capacity_faults
from lifecircle.analysis.policy.tables import CitedTable, PolicyFile
from lifecircle.analysis.policy.word_lists import spell_out

Content = dict[str, Any]
KeyPath = tuple[str, ...]
Writers = dict[KeyPath, str]  # which file wrote a key

ID = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """One fault: a message key and its parameters (``file`` and ``path`` among them)."""

    key: str
    params: Mapping[str, Any]

    def text(self, lang: Language = "en") -> str:
        """The fault as a sentence: file, path of the key, what is wrong, the mend."""
        return say(self.key, lang, **self.params)


class PolicyFileError(PolicyError):
    """Everything wrong in a policy's files; `key` and `params` are those of the first fault."""

    def __init__(self, faults: list[PolicyFault]) -> None:
        super().__init__(faults[0].key, **faults[0].params)
        self.faults = tuple(faults)

    def text(self, lang: Language = "en") -> str:
        """All faults, one a line."""
        return "\n".join(fault.text(lang) for fault in self.faults)


def check(content: Content, top: str, writers: Writers) -> PolicyFile:
    """The joined content as a model.

    Parameters
    ----------
    content : all tables of the policy, ``extends`` already resolved.
    top : name of the file asked for; it is blamed for what no file wrote.
    writers : the file that wrote each key.

    Raises
    ------
    PolicyFileError
        With every fault of form; when the form is right, with every contradiction.
    """
    blame = _Blame(top, writers)
    bare = [*_numbers(content, blame, ()), *spell_out(content, blame.fault)]
    seen = {fault.params["path"] for fault in bare}
    form = [*bare, *(f for f in _form(content, blame) if f.params["path"] not in seen)]
    if form:
        raise PolicyFileError(form)
    policy = PolicyFile.model_validate(content)
    against = [*_bounds(policy, blame), *_references(policy, blame), *_names(policy, blame)]
    against += capacity_faults(policy, blame.fault)
    if against:
        raise PolicyFileError(against)
    return policy


@dataclass(frozen=True, slots=True)
class _Blame:
    """Finds the file that wrote a key."""

    top: str
    writers: Writers

    def fault(self, key: str, path: tuple[str | int, ...], /, **params: Any) -> PolicyFault:
        words = tuple(str(p) for p in path)
        return PolicyFault(key, {"file": self.file(words), "path": ".".join(words), **params})

    def file(self, path: KeyPath) -> str:
        """The file that wrote a key; of a joined table, the file asked for if it wrote in it."""
        within = (file for key, file in self.writers.items() if key[: len(path)] == path)
        if self.top in within:
            return self.top
        above = (path[:n] for n in range(len(path), 0, -1))
        return next((self.writers[p] for p in above if p in self.writers), self.top)


def _numbers(node: Any, blame: _Blame, path: tuple[str | int, ...]) -> Iterator[PolicyFault]:
    """Every number that is not the finite `value` of a table."""
    if isinstance(node, dict):
        for key, below in node.items():
            yield from _numbers(below, blame, (*path, key))
    elif isinstance(node, list):
        for i, below in enumerate(node, start=1):
            yield from _numbers(below, blame, (*path, i))
    elif isinstance(node, int | float) and not isinstance(node, bool):
        if path[-1] != "value":
            yield blame.fault("policy_bare_number", path, value=node)
        elif not math.isfinite(node):
            yield blame.fault("policy_not_finite", path, value=node)


_CITATION = ("source", "clause", "confidence")


def _form(content: Content, blame: _Blame) -> Iterator[PolicyFault]:
    """What the models find: unknown and missing keys, values of a wrong kind."""
    try:
        PolicyFile.model_validate(content)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            path = tuple(p + 1 if isinstance(p, int) else p for p in one["loc"])
            kind = one["type"]
            if kind == "extra_forbidden":
                yield blame.fault("policy_unknown_key", path)
            elif kind == "missing" and path[-1] in _CITATION:
                yield blame.fault("policy_no_citation", path[:-1], missing=path[-1])
            elif kind == "missing":
                yield blame.fault("policy_missing_key", path)
            elif kind == "literal_error":
                allowed = one["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
                yield blame.fault("policy_bad_choice", path, value=one["input"], allowed=allowed)
            else:
                yield blame.fault("policy_bad_value", path, value=one["input"])


def _cited(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], CitedTable]]:
    if isinstance(node, CitedTable):
        yield path, node
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _cited(getattr(node, name), (*path, name))
    elif isinstance(node, dict):
        for name, below in node.items():
            yield from _cited(below, (*path, name))


def _bounds(policy: PolicyFile, blame: _Blame) -> Iterator[PolicyFault]:
    for path, number in _cited(policy):
        if path[-1] == "target":
            if not 0 <= number.value <= 1:
                yield blame.fault("policy_target_range", path, value=number.value)
        elif number.value <= 0:
            yield blame.fault("policy_not_positive", path, value=number.value)
        if path[-1] in {"required", "default_levels"} and number.value != int(number.value):
            yield blame.fault("policy_not_whole", path, value=number.value)
    pairs: list[tuple[tuple[str, ...], CitedTable, CitedTable]] = [
        (("services", i, "capacity"), s.capacity.minimum, s.capacity.maximum)
        for i, s in policy.services.items()
        if s.capacity
    ]
    spread = policy.spread
    pairs.append((("spread",), spread.min_floor_m2_per_resident, spread.max_floor_m2_per_resident))
    for path, low, high in pairs:
        if low.value > high.value:
            yield blame.fault("policy_min_over_max", path, minimum=low.value, maximum=high.value)


def _references(policy: PolicyFile, blame: _Blame) -> Iterator[PolicyFault]:
    known = ", ".join(policy.sources)
    quoted = [*((p, c.source) for p, c in _cited(policy)), (("walk",), policy.walk.source)]
    quoted.append((("barriers",), policy.barriers.source))
    quoted += [(("lists", name), words.source) for name, words in policy.lists.items()]
    quoted.append((("life_cycle",), policy.life_cycle.source))
    for path, source in quoted:
        if source not in policy.sources:
            yield blame.fault(
                "policy_unknown_source", (*path, "source"), source=source, known=known
            )
    for name, circle in policy.circles.items():
        at = ("circles", name, "services")
        for service in (*circle.services, *circle.upgraded):
            if service not in policy.services:
                yield blame.fault("policy_unknown_service", at, service=service)
        counted = (*circle.services, *circle.upgraded)
        if len(set(counted)) < len(counted):
            yield blame.fault("policy_repeated", at)
        if circle.required and circle.required.value > len(circle.services):
            yield blame.fault(
                "policy_required_too_many",
                ("circles", name, "required"),
                required=circle.required.value,
                count=len(circle.services),
            )
    both = sorted(set(policy.walk.foot_no) & set(policy.walk.foot_yes))
    if both:
        yield blame.fault("policy_foot_both", ("walk", "foot_yes"), words=", ".join(both))


def _names(policy: PolicyFile, blame: _Blame) -> Iterator[PolicyFault]:
    """Ids of one alphabet; no word that names two services."""
    if not ID.fullmatch(policy.id):
        yield blame.fault("policy_bad_id", ("id",))
    rooms = ("services", "walkers", "circles", "unit_levels")
    for room in rooms:
        for name in getattr(policy, room):
            if not ID.fullmatch(name):
                yield blame.fault("policy_bad_id", (room, name))
    taken: dict[str, str] = {}
    # what the file asked for says comes last: the fault is told there, not in the base
    own_last = sorted(policy.services, key=lambda n: blame.file(("services", n)) == blame.top)
    for name in own_last:
        service = policy.services[name]
        words = [name, service.zh, service.en, *service.aliases]
        for word in words:
            other = taken.setdefault(_folded(word), name)
            if other != name:
                path = ("services", name, "aliases")
                yield blame.fault("policy_alias_twice", path, alias=word, other=other)


def _folded(word: str) -> str:
    """A name as tables compare it: half width, small letters, no spaces, ``_``, ``-`` or ``.``."""
    return re.sub(r"[\s_\-.]+", "", unicodedata.normalize("NFKC", word).casefold())
