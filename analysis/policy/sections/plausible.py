"""What cannot be, anywhere: numbers of residents that are a slip or a sign for no data."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import tomli
from pydantic import TypeAdapter

from lifecircle.analysis.policy.cited import Confidence
from lifecircle.analysis.policy.fields import Number, Record, Text

PLAUSIBLE: Final = "plausible"  # beside the policies, and none itself


@dataclass(frozen=True, slots=True)
class Bound(Record):
    """One number with where it comes from."""

    value: Number
    source: Text
    clause: Text
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Plausible(Record):
    """Bounds of what may be true of residents.

    `most_persons` of a cell, unit or file; `most_per_hectare` of ground, which counts as
    `smallest_hectares` at least; on less than `building_hectares` a denser polygon is doubted, on
    more it is refused. `inside_share`: of its area by which a unit lies inside another.
    """

    most_persons: Bound
    most_per_hectare: Bound
    smallest_hectares: Bound
    building_hectares: Bound
    inside_share: Bound


@cache
def plausible() -> Plausible:
    """The packaged bounds."""
    file = files("lifecircle.analysis").joinpath("policies", f"{PLAUSIBLE}.toml")
    return TypeAdapter(Plausible).validate_python(tomli.loads(file.read_text(encoding="utf-8")))
