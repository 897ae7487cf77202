"""From where on an answer says how sure it is: packaged numbers, the same under every policy."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from lifecircle.analysis.policy.fields import Record
from lifecircle.analysis.policy.packaged import PackagedNumber, read_packaged

DOUBTS: Final = "doubts"  # beside the policies, and none itself


@dataclass(frozen=True, slots=True)
class Doubts(Record):
    """`overlap_least`: places two lists share. `interval_deviations`: half width of an interval.

    `share_serious`, `share_told`: shares 0-1. `tags_good`: precision and recall 0-1.
    `residents_per_place`: persons.
    """

    overlap_least: PackagedNumber
    interval_deviations: PackagedNumber
    share_serious: PackagedNumber
    share_told: PackagedNumber
    tags_good: PackagedNumber
    residents_per_place: PackagedNumber


@cache
def doubts() -> Doubts:
    """The packaged numbers."""
    return read_packaged(DOUBTS, Doubts)
