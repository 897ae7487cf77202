"""What is said of how firm an answer stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lifecircle.analysis.measures.robustness.lists import ListDoubt
from lifecircle.analysis.measures.robustness.parameters import Parameter, Unmoved, Value
from lifecircle.analysis.measures.scorecard.result import Status
from lifecircle.analysis.quantities import FloatArray


@dataclass(frozen=True, slots=True)
class Band:
    """A figure as the run has it and where most draws put it; None: not assessed."""

    usual: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Swing:
    """Between what a figure moves when one assumption moves alone."""

    parameter: str
    low: float
    high: float

    @property
    def width(self) -> float:
        """How far it moves."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class UnitBand:
    """Coverage P of one unit with its band."""

    code: str
    name: str
    name_en: str | None
    P: Band


@dataclass(frozen=True, slots=True)
class ServiceBand:
    """Coverage P of one service, and C within capacity. `swings`: of P, the widest first.

    `share` float64 (c,): of the draws in which a cell is covered, NaN where it is not assessed;
    `always`, `sometimes`, `never`: residents whose cells are covered in all, some, none of them.
    """

    service: str
    P: Band
    C: Band
    units: tuple[UnitBand, ...]
    swings: tuple[Swing, ...]
    always: int | None
    sometimes: int | None
    never: int | None
    not_assessed: int | None
    share: FloatArray


@dataclass(frozen=True, slots=True)
class CircleBand:
    """The share of residents with a complete circle of one kind."""

    kind: str
    complete: Band
    swings: tuple[Swing, ...]


@dataclass(frozen=True, slots=True)
class Flip:
    """A row's status when one assumption moves alone to a value (None: in some draw)."""

    parameter: str
    value: Value | None
    status: Status


@dataclass(frozen=True, slots=True)
class ListFlip:
    """A row's status once this share of a list is ``missed`` or ``wrong``; the least one found."""

    service: str
    kind: str
    share: float
    status: Status


@dataclass(frozen=True, slots=True)
class RowBand:
    """One row of the scorecard: in how many draws its status holds.

    `holds` is None where the row is not assessed. `others`: draws by other status. `driver`: the
    assumption on which the status hangs most in the draws, None where it never changes.
    """

    row: str
    status: Status
    value: Band
    holds: int | None
    others: Mapping[Status, int]
    flips: tuple[Flip, ...]
    list_flips: tuple[ListFlip, ...]
    driver: str | None


@dataclass(frozen=True, slots=True)
class Robustness:
    """How firm every answer about a city stands."""

    draws: int
    seed: int
    walker: str
    by: str
    band: tuple[float, float]
    parameters: tuple[Parameter, ...]
    unmoved: tuple[Unmoved, ...]
    lists: tuple[ListDoubt, ...]
    services: tuple[ServiceBand, ...]
    circles: tuple[CircleBand, ...]
    rows: tuple[RowBand, ...]
    lists_tried: bool
