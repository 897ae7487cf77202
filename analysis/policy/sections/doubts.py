"""From where on an answer says how sure it is: packaged numbers, the same under every policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import tomli
from pydantic import TypeAdapter

from lifecircle.analysis.policy.cited import Confidence
from lifecircle.analysis.policy.fields import Number, Record, Text

DOUBTS: Final = "doubts"  # beside the policies, and none itself


@dataclass(frozen=True, slots=True)
class Threshold(Record):
    """A number with the document it comes from."""

    value: Number
    source: Text
    clause: Text
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Doubts(Record):
    """`overlap_least`: places two lists share. `interval_deviations`: half width of an interval.

    `share_serious`, `share_told`: shares 0-1. `tags_good`: precision and recall 0-1.
    `residents_per_place`: persons.
    """

    overlap_least: Threshold
    interval_deviations: Threshold
    share_serious: Threshold
    share_told: Threshold
    tags_good: Threshold
    residents_per_place: Threshold


@cache
def doubts() -> Doubts:
    """The packaged numbers."""
    file = files("lifecircle.analysis").joinpath("policies", f"{DOUBTS}.toml")
    held: Mapping[str, object] = tomli.loads(file.read_text(encoding="utf-8"))
    return TypeAdapter(Doubts).validate_python(held)
