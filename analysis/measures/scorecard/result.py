"""What a row of the scorecard comes to: outcomes of its readings, what is missing, its status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.policy.scorecard_model import Row, Scorecard
from lifecircle.analysis.quantities import FloatArray, Int32Array
from lifecircle.analysis.texts import Title

Status = Literal["met", "not_met", "partly", "no_target", "NOT_ASSESSED"]
States = NDArray[np.int8]

YES: Final = 1
NO: Final = 0
UNKNOWN: Final = -1
NO_DETAIL: Final = Title("", "")


@dataclass(frozen=True, slots=True)
class Missing:
    """Something a reading needs and the area lacks, and how to supply it.

    `kind`: service, attribute (a column of facilities), statistic (of units), units (a level),
    class (urban or rural), group, land, capacity, network, earlier_run, earlier_figure. `lacking`
    of `of` lack it; None: all.
    """

    kind: str
    name: str
    title: Title
    lacking: int | None = None
    of: int | None = None
    detail: Title = NO_DETAIL

    def text(self, lang: Language) -> str:
        """What is missing and how to supply it, as a sentence."""
        params = {"name": self.name, "title": self.title, "detail": self.detail}
        said = Warn(f"scorecard_missing_{self.kind}", params).text(lang)
        if self.lacking is None or self.of is None:
            return said
        count = {"lacking": self.lacking, "of": self.of}
        key = "scorecard_missing_all" if self.lacking == self.of else "scorecard_missing_some"
        return said + Warn(key, count).text(lang)


@dataclass(frozen=True, slots=True)
class Atoms:
    """What a reading adds up, one by one (n): units, facilities, cells or land samples.

    `index` int32: rows of the city's table; the number of units stands for the whole area.
    `state` int8: 1 yes, 0 no, -1 unknown. `have`, `of` float64: what each adds to the numerator
    and the denominator where it is known.
    """

    where: Literal["unit", "facility", "cell", "sample"]
    index: Int32Array
    state: States
    have: FloatArray
    of: FloatArray


@dataclass(frozen=True, slots=True)
class Part:
    """One service of a circle or checklist: the share that reaches or has it, None unknown.

    `land`: the same for residential land, where there is any.
    """

    service: str
    value: float | None
    land: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One reading computed: value of the assessed part, what the whole may be, the share assessed.

    `value` is None where nothing can be said; then `missing` says why. `lower` and `upper` hold
    whatever the unknown may be (None: no bound is known). `have` ÷ `of` (× the reading's scale)
    is the value. `labels`: a word for each unit (states of the population rule). `parts`: the
    services that a circle or checklist is made of.
    """

    value: float | None
    lower: float | None
    upper: float | None
    assessed_share: float | None
    have: float | None = None
    of: float | None = None
    atoms: Atoms | None = None
    missing: tuple[Missing, ...] = ()
    warnings: tuple[Warn, ...] = ()
    labels: Mapping[int, str] | None = None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A unit (or a facility in it) that a promise has not reached.

    `persons` residents not reached (readings of residents), `value` the unit's own figure where
    it has one, `label` a state in words.
    """

    level: str | None
    code: str | None
    name: str | None
    name_en: str | None
    facility: str | None = None
    persons: int | None = None
    value: float | None = None
    label: str | None = None
    reading: str | None = None


@dataclass(frozen=True, slots=True)
class UnitFigure:
    """The headline within one unit of the level asked for."""

    code: str
    name: str
    name_en: str | None
    value: float | None
    have: float | None
    of: float | None
    unknown: int


@dataclass(frozen=True, slots=True)
class RowResult:
    """One promise, judged.

    `before`: the judged readings in the earlier year that an increase is held against.
    """

    row: Row
    outcomes: Mapping[str, Outcome]
    headline: str
    judged: tuple[str, ...]
    target: float | None
    status: Status
    left_out: tuple[LeftOut, ...]
    unknown: tuple[LeftOut, ...]
    by_unit: tuple[UnitFigure, ...]
    warnings: tuple[Warn, ...]
    before: Mapping[str, Outcome] | None = None

    @property
    def figure(self) -> Outcome:
        """The outcome shown as headline."""
        return self.outcomes[self.headline]

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What the judged readings and the headline lack, each once (where most lack it)."""
        found: dict[tuple[str, str], Missing] = {}
        for name in dict.fromkeys((self.headline, *self.judged)):
            for one in self.outcomes[name].missing:
                held = found.get((one.kind, one.name))
                if held is None or (one.lacking or 0) > (held.lacking or 0):
                    found[one.kind, one.name] = one
        return (*found.values(), *self._earlier_missing())

    def _earlier_missing(self) -> Iterator[Missing]:
        """What the judging of an increase lacks of the earlier year."""
        if not self.row.increase:
            return
        if self.before is None:
            yield Missing("earlier_run", self.row.id, self.row.title)
        elif any(one.value is None for one in self.before.values()):
            yield Missing("earlier_figure", self.row.id, self.row.title)


@dataclass(frozen=True, slots=True)
class ScorecardResult:
    """All rows of a plan for one area."""

    scorecard: Scorecard
    settings: Mapping[str, str | float]
    walker: str
    year: int | None
    level: str | None
    rows: tuple[RowResult, ...]


def nothing(*missing: Missing, warnings: tuple[Warn, ...] = ()) -> Outcome:
    """The outcome of a reading that cannot be computed."""
    return Outcome(None, None, None, None, missing=missing, warnings=warnings)
