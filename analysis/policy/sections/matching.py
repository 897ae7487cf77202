"""How marks of reviews are known again in a later run: the same under every policy."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from lifecircle.analysis.policy.fields import Record
from lifecircle.analysis.policy.packaged import PackagedNumber, read_packaged

MATCHING: Final = "matching"  # beside the policies, and none itself


@dataclass(frozen=True, slots=True)
class Matching(Record):
    """Limits in metres.

    `same_place_m`: a thing stands where it was marked. `nearby_m`: a facility of the same name and
    service has moved there; how far outside an area's homes may be marked.
    """

    same_place_m: PackagedNumber
    nearby_m: PackagedNumber


@cache
def matching() -> Matching:
    """The packaged limits."""
    return read_packaged(MATCHING, Matching)
