"""Kinds of places in the words of people and of map providers (``policies/kinds.toml``)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Final

from pydantic import Field

from lifecircle.analysis.policy.cited import Confidence
from lifecircle.analysis.policy.fields import Record, Text, Texts, Values
from lifecircle.analysis.policy.names import folded, has_word
from lifecircle.analysis.policy.packaged import read_packaged

KINDS: Final = "kinds"  # beside the policies, and none itself
_BETWEEN: Final = ";"  # the levels of a provider's kind
_CODE_DIGITS: Final = 6
_LEVELS_OF_A_KIND: Final = 2  # a first class alone may be anybody's word


@dataclass(frozen=True, slots=True)
class ProviderRule(Record):
    """Kinds of map providers that are one service of a policy.

    `kinds`: first levels of the names (``科教文化服务;学校;小学``). `codes`: first digits of Amap's
    codes. With `named` one of these words must be in the place's name, with `unnamed` none may be.
    """

    service: Text
    source: Text
    confidence: Confidence
    kinds: Texts = ()
    codes: Texts = ()
    named: Texts = ()
    unnamed: Texts = ()


@dataclass(frozen=True, slots=True)
class NearWord(Record):
    """A word in people's kinds that is no service, and the services nearest in meaning."""

    words: Values
    services: Texts = ()


@dataclass(frozen=True, slots=True)
class ProviderKinds:
    """What the kinds of map providers are: the first rule that fits holds."""

    rules: tuple[ProviderRule, ...]
    classes: frozenset[str]
    code_classes: frozenset[str]

    def knows(self, kind: str) -> bool:
        """Whether a kind is one of a provider's: several levels under a class of its, or a code."""
        if _is_code(kind):
            return kind[:2] in self.code_classes
        levels = _levels(kind)
        return len(levels) >= _LEVELS_OF_A_KIND and levels[0] in self.classes

    def rules_for(self, kind: str) -> tuple[ProviderRule, ...]:
        """The rules that speak of a kind, in the order of the file; names are not asked yet."""
        if _is_code(kind):
            return tuple(r for r in self.rules if kind.startswith(r.codes) and r.codes)
        levels = _levels(kind)
        return tuple(
            rule for rule in self.rules
            if any(levels[: len(said)] == said for said in map(_levels, rule.kinds))
        )  # fmt: skip


def service_of(rules: tuple[ProviderRule, ...], name: str | None) -> str | None:
    """The service of the first rule that a place of some name fits; None where none does."""
    called = "" if name is None else f" {folded(name)} "
    for rule in rules:
        if rule.named and not has_word(called, rule.named):
            continue
        if not has_word(called, rule.unnamed):
            return rule.service
    return None


@dataclass(frozen=True, slots=True)
class _File(Record):
    sources: Annotated[Mapping[str, Text], Field(min_length=1)]
    classes: Values
    code_classes: Values
    common: Values
    provider: Annotated[tuple[ProviderRule, ...], Field(min_length=1)]
    near: Annotated[tuple[NearWord, ...], Field(min_length=1)]


@cache
def _file() -> _File:
    return read_packaged(KINDS, _File)


@cache
def provider_kinds() -> ProviderKinds:
    """The packaged rules for kinds of map providers."""
    held = _file()
    return ProviderKinds(held.provider, frozenset(held.classes), frozenset(held.code_classes))


@cache
def near_words() -> tuple[NearWord, ...]:
    """Words in people's kinds, with the services that come nearest."""
    return _file().near


def common_words() -> Texts:
    """Words that names of many kinds share."""
    return _file().common


def kind_sources() -> Mapping[str, str]:
    """The documents that the rules rest on, by key."""
    return _file().sources


def each_kind(said: str) -> Iterator[str]:
    """The kinds that a provider gives one place (``a;b;c|d;e;f``)."""
    return (part.strip() for part in said.split("|") if part.strip())


def _levels(kind: str) -> tuple[str, ...]:
    return tuple(
        part.strip() for part in kind.replace("；", _BETWEEN).split(_BETWEEN) if part.strip()
    )


def _is_code(kind: str) -> bool:
    return len(kind) == _CODE_DIGITS and kind.isascii() and kind.isdigit()
