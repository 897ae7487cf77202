"""How good the tag rules are for each service: figures of blind labels (``docs/tags.md``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Final

from pydantic import Field

from lifecircle.analysis.policy.cited import Confidence
from lifecircle.analysis.policy.fields import Number, Record, Text, Whole
from lifecircle.analysis.policy.packaged import parse_packaged, read_packaged

TAG_QUALITY: Final = "tag_quality"  # beside the policies, and none itself


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledShare(Record):
    """A share 0-1 with its interval at 95 %; `value` None: nothing was decided.

    `yes` of `n` labels said so, `unclear` more stand beside.
    """

    value: Number | None = None
    low: Number
    high: Number
    yes: Whole
    n: Whole
    unclear: Whole


@dataclass(frozen=True, slots=True)
class Places(Record):
    """What there was to draw from, in all extracts."""

    called: Whole
    nearly_called: Whole


@dataclass(frozen=True, slots=True)
class TagQuality(Record):
    """Of what the rules call a service: `precision`; of what is one and alike: `recall`.

    The labels of `recall` are those of the places nearly called.
    """

    precision: LabelledShare
    recall: LabelledShare
    places: Places


@dataclass(frozen=True, slots=True)
class _File(Record):
    source: Text
    confidence: Confidence
    rules: Text
    services: Annotated[Mapping[str, TagQuality], Field(min_length=1)]


@cache
def tag_quality() -> Mapping[str, TagQuality]:
    """The quality of the packaged tag rules by service; services never labelled are absent."""
    return read_packaged(TAG_QUALITY, _File).services


def read_tag_quality(text: str) -> Mapping[str, TagQuality]:
    """The quality by service as ``benchmarks/tags/tag_quality.py`` writes it."""
    return parse_packaged(text, _File).services
