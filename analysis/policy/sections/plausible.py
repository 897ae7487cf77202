"""What cannot be, anywhere: numbers of residents that are a slip or a sign for no data."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from lifecircle.analysis.policy.fields import Record
from lifecircle.analysis.policy.packaged import PackagedNumber, read_packaged

PLAUSIBLE: Final = "plausible"  # beside the policies, and none itself


@dataclass(frozen=True, slots=True)
class Plausible(Record):
    """Bounds of what may be true of residents.

    `most_persons` of a cell, unit or file; `most_per_hectare` of ground, which counts as
    `smallest_hectares` at least; on less than `building_hectares` a denser polygon is doubted, on
    more it is refused. `inside_share`: of its area by which a unit lies inside another.
    `least_floor_m2`, `most_floor_m2`: floor area per resident that may be reckoned with.
    """

    most_persons: PackagedNumber
    most_per_hectare: PackagedNumber
    smallest_hectares: PackagedNumber
    building_hectares: PackagedNumber
    inside_share: PackagedNumber
    least_floor_m2: PackagedNumber
    most_floor_m2: PackagedNumber


@cache
def plausible() -> Plausible:
    """The packaged bounds."""
    return read_packaged(PLAUSIBLE, Plausible)
