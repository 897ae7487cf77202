"""What a build noticed about its inputs and kept beside the figures, to be read and undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from lifecircle.analysis.readers.rasters.population import RasterShare

__all__ = [
    "NO_NOTES",
    "BuildNotes",
    "Calibrated",
    "NotOpen",
    "RasterShare",
    "Rule",
    "SamePlace",
    "Spread",
    "UnitRow",
]

Rule = Literal["same_name", "like_name", "nameless", "told"]


@dataclass(frozen=True, slots=True)
class SamePlace:
    """Two rows that are one place (`state` ``merged``), or may be (``suspected``).

    `kept`, `other`: ids; of ``merged`` rows the first won. `likeness` of the names 0-1, None
    where one has none. `filled`: attributes the kept row lacked and took from the other.
    `x_m`, `y_m`: where the kept row lies.
    """

    state: Literal["merged", "suspected"]
    service: str
    kept: str
    kept_name: str | None
    kept_source: str
    other: str
    other_name: str | None
    other_source: str
    rule: Rule
    distance_m: float
    likeness: float | None
    filled: tuple[str, ...]
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True)
class UnitRow:
    """How a facility's row found its unit: `way` of `analysis.city.units.unit_match.WAYS`.

    `named`: what the row says. `placed`: it had no coordinates and stands at its unit.
    """

    facility: str
    service: str
    named: str
    way: str
    unit_code: str | None
    placed: bool


@dataclass(frozen=True, slots=True)
class Spread:
    """How a unit's residents were spread, and by how much another way would differ.

    `method`: ``buildings``, ``land``, ``unit``; `other` the second way, None where there is none.
    `moved`: residents whom the two ways put into different squares; None where unknown.
    """

    unit_code: str
    level: str
    residents: int
    method: str
    other: str | None
    moved: int | None


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A unit whose cells were scaled: `before` persons as their file has them, `total` its own."""

    unit_code: str
    level: str
    before: float
    total: int


@dataclass(frozen=True, slots=True)
class NotOpen:
    """A place that an input names and that is no facility, for it is not open to people.

    `state`: ``gone`` (closed, in ruins, pulled down) or ``planned`` (planned or being built: it may
    be a candidate of siting). `why`: what says so, as the input writes it. `x_m`, `y_m`: where.
    """

    id: str
    service: str
    name: str | None
    source: str
    state: Literal["gone", "planned"]
    why: str
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True)
class BuildNotes:
    """Everything a build noticed; empty for areas from before there were notes."""

    same_places: tuple[SamePlace, ...] = ()
    unit_rows: tuple[UnitRow, ...] = ()
    spread: tuple[Spread, ...] = ()
    rasters: tuple[RasterShare, ...] = ()
    not_open: tuple[NotOpen, ...] = ()
    calibrated: tuple[Calibrated, ...] = ()


NO_NOTES: Final = BuildNotes()
