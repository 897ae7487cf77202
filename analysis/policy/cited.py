"""Names in two languages, and numbers with the document they come from."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from lifecircle.analysis import texts
from lifecircle.analysis.policy.fields import (
    Number,
    Record,
    Said,
    Source,
    Text,
    refused,
    when_written,
)

Confidence = Literal["verified", "second_hand", "unverified", "derived", "interpretation"]


@dataclass(frozen=True, slots=True)
class Title(texts.Title, Record):
    """A name in Chinese and English, as a file gives it."""

    zh: Said
    en: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled(Record):
    """Something that has its name beside its other keys."""

    zh: Said
    en: Said

    @property
    def title(self) -> Title:
        """The name in both languages."""
        return Title(self.zh, self.en)


@dataclass(frozen=True, slots=True)
class Cited(Record):
    """One number of a policy with the document it comes from.

    In a file `source` is a key of ``[sources]``; here it is the title of the document.
    """

    value: Number
    source: Source
    clause: Text
    confidence: Confidence


def _positive(number: Cited) -> None:
    if number.value <= 0:
        raise refused("policy_not_positive", value=number.value)


def _share(number: Cited) -> None:
    if not 0 <= number.value <= 1:
        raise refused("policy_target_range", value=number.value)


def _counted(number: Cited) -> None:
    _positive(number)
    _whole(number)


def _counted_or_none(number: Cited) -> None:
    if number.value < 0:
        raise refused("policy_negative", value=number.value)
    _whole(number)


def _whole(number: Cited) -> None:
    if number.value != int(number.value):
        raise refused("policy_not_whole", value=number.value)


Positive = Annotated[Cited, when_written(_positive)]
Share = Annotated[Cited, when_written(_share)]
Counted = Annotated[Cited, when_written(_counted)]
CountedOrNone = Annotated[Cited, when_written(_counted_or_none)]

OwnTitle = Annotated[Title, Field(validation_alias="#title")]
