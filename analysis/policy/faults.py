"""What is wrong in policy and scorecard files, told with file, key and mend.

Every fault is a message key with the file and the path of the key it is about, so that one check
serves Chinese and English.
"""

from __future__ import annotations

import dataclasses
import types
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from lifecircle.analysis.errors import Language, PolicyError, say
from lifecircle.analysis.policy.fields import HIDDEN

Content = dict[str, Any]
KeyPath = tuple[str, ...]
Place = tuple[str | int, ...]
Writers = dict[KeyPath, str]  # which file wrote a key

_CITATION: Final = ("source", "clause", "confidence")
_ALIKE: Final = 0.6
_NAMES_TOLD: Final = 40


_WANTED: Final = {
    "float_type": "policy_not_number",
    "int_type": "policy_not_number",
    "string_type": "policy_not_text",
    "bool_type": "policy_not_yes_no",
}


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """One fault: a message key and its parameters (``file`` and ``path`` among them).

    `near`: what was probably meant.
    """

    key: str
    params: Mapping[str, Any]
    near: str | None = None

    def text(self, lang: Language = "en") -> str:
        """The fault as a sentence: file, path of the key, what is wrong, the mend."""
        told = say(self.key, lang, **self.params)
        return told if self.near is None else told + say("policy_near", lang, near=self.near)


class PolicyFileError(PolicyError):
    """Everything wrong in a policy's files; `key` and `params` are those of the first fault."""

    def __init__(self, faults: list[PolicyFault]) -> None:
        super().__init__(faults[0].key, **faults[0].params)
        self.faults = tuple(faults)

    def text(self, lang: Language = "en") -> str:
        """All faults, one a line."""
        return "\n".join(fault.text(lang) for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Blame:
    """Finds the file that wrote a key; `top`, the file asked for, has what no file wrote."""

    top: str
    writers: Writers = field(default_factory=dict)

    def fault(self, key: str, path: Place, /, **params: Any) -> PolicyFault:
        """A fault of the key at a path."""
        words = tuple(str(part) for part in path)
        told = {"file": self.file(words), "path": ".".join(words), **params}
        known = told.get("known")
        if isinstance(known, str) or known is None:
            return PolicyFault(key, told)
        near = nearest(str(told.get("value", words[-1])), known)
        return PolicyFault(key, told | {"known": listed(known)}, near)

    def file(self, path: KeyPath) -> str:
        """The file that wrote a key; of a joined table, the file asked for if it wrote in it."""
        within = [file for key, file in self.writers.items() if key[: len(path)] == path]
        if self.top in within:
            return self.top
        above = (path[:n] for n in range(len(path), 0, -1))
        return next((self.writers[p] for p in above if p in self.writers), self.top)


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known word that is most like another, None where none is."""
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=_ALIKE)), None)


def listed(known: Iterable[str]) -> str:
    """Known words for a message, the first of them."""
    words = list(known)
    return (", ".join(words[:_NAMES_TOLD]) or "–") + (" …" if len(words) > _NAMES_TOLD else "")


def form_faults(
    error: ValidationError, kind: Any, blame: Blame, also: Collection[str] = ()
) -> Iterator[PolicyFault]:
    """What the records find wrong: unknown and missing keys, values of a wrong kind.

    Parameters
    ----------
    kind : the record that was read.
    also : further keys of its file, read elsewhere.
    """
    found = [(one, _follow(kind, one["loc"])) for one in error.errors(include_url=False)]
    times = Counter(place.path for _, place in found)
    for one, place in found:
        path = place.path
        match one["type"]:
            case "unexpected_keyword_argument":
                yield _unknown_key(place, blame, also if len(path) == 1 else ())
            case "missing" if path[-1] in _CITATION:
                yield blame.fault("policy_no_citation", path[:-1], missing=path[-1])
            case "missing" if place.tag is not None:
                params = {"kind": place.tag, "known": listed(place.keys)}
                yield blame.fault("policy_missing_kind_key", path, **params)
            case "missing":
                yield blame.fault("policy_missing_key", path)
            case "union_tag_not_found":
                yield blame.fault("policy_missing_key", (*path, "kind"))
            case "union_tag_invalid" | "literal_error":
                yield _bad_choice(one, path, blame)
            case custom if custom.startswith(("policy_", "scorecard_")):
                yield blame.fault(custom, path, **one.get("ctx", {}))
            case wanted if wanted in _WANTED and times[path] == 1:  # one kind alone would do
                yield blame.fault(_WANTED[wanted], path, value=one["input"])
            case _:
                yield blame.fault("policy_bad_value", path, value=one["input"])


def _unknown_key(place: _Followed, blame: Blame, also: Collection[str]) -> PolicyFault:
    known = [*place.keys, *also]
    if place.tag is None:
        return blame.fault("policy_unknown_key", place.path, known=known)
    told = {"kind": place.tag, "known": listed(known)}
    others = place.kinds_with(str(place.path[-1]))
    if others:
        return blame.fault("policy_other_kind_key", place.path, **told, others=", ".join(others))
    return blame.fault("policy_unknown_kind_key", place.path, **(told | {"known": known}))


def _bad_choice(one: ErrorDetails, path: Place, blame: Blame) -> PolicyFault:
    context = one.get("ctx", {})
    tagged = "tag" in context
    told = context["expected_tags"] if tagged else context["expected"]
    allowed = [word.strip(" '") for word in told.replace(" or ", ", ").split(",")]
    value = context["tag"] if tagged else one["input"]
    where = (*path, "kind") if tagged else path
    fault = blame.fault("policy_bad_choice", where, value=value, allowed=", ".join(allowed))
    return dataclasses.replace(fault, near=nearest(str(value), allowed))


# ---- following the path of an error through the records -------------------------------------


@dataclass(frozen=True, slots=True)
class _Followed:
    """Where an error lies as people write it, the keys of the table around it, its kind.

    `kinds`: the record of every kind it could have been.
    """

    path: Place
    keys: tuple[str, ...]
    tag: str | None
    kinds: Mapping[str, Any]

    def kinds_with(self, key: str) -> list[str]:
        """The other kinds that take a key."""
        return [name for name, kind in self.kinds.items() if key in written_keys(kind)]


def _follow(kind: Any, loc: Place) -> _Followed:
    path: list[str | int] = []
    keys: tuple[str, ...] = ()
    tag: str | None = None
    kinds: Mapping[str, Any] = {}
    for part in loc:
        kind = _bare(kind)
        members = kinds_of(kind)
        if members:
            kind, tag, kinds = members.get(str(part)), str(part), members
            continue
        if dataclasses.is_dataclass(kind):
            fields = _fields(kind)
            tag = tag if "kind" in fields else None
            keys = tuple(written_keys(kind))
            kind = fields.get(str(part))
        else:
            inner = get_args(kind)
            kind = None if not inner else inner[0] if isinstance(part, int) else inner[-1]
        if part != "[key]" and not str(part).startswith(HIDDEN):
            path.append(part + 1 if isinstance(part, int) else part)
    return _Followed(tuple(path), keys, tag, kinds)


def _bare(kind: Any) -> Any:
    """A type without its annotations and without None."""
    while True:
        origin = get_origin(kind)
        if origin is Annotated and not kinds_of(kind):
            kind = get_args(kind)[0]
        elif origin in (Union, types.UnionType):
            kind = next(one for one in get_args(kind) if one is not type(None))
        else:
            return kind


def kinds_of(kind: Any) -> dict[str, Any]:
    """The records of a union by their kind; empty for any other type."""
    if get_origin(kind) is not Annotated:
        return {}
    inner, *told = get_args(kind)
    if not any(getattr(one, "discriminator", None) for one in told):
        return {}
    return {get_args(_fields(one)["kind"])[0]: one for one in get_args(inner)}


def _fields(record: Any) -> dict[str, Any]:
    """The keys that a record is read from, with their types."""
    hints = get_type_hints(record, include_extras=True)
    found = {}
    for one in dataclasses.fields(record):
        hint = hints[one.name]
        told = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        infos = (info for info in told if isinstance(info, FieldInfo))
        names = [info.validation_alias or info.alias for info in infos]
        found[str(next((name for name in names if name), one.name))] = hint
    return found


def written_keys(record: Any) -> Iterator[str]:
    """The keys that a table of a file may have."""
    for name, kind in _fields(record).items():
        if not name.startswith(HIDDEN):
            yield name
        elif name == "#title":
            yield from _fields(_bare(kind))
