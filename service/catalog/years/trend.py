"""The scorecard over the years of an area: each promise in the latest run of every year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lifecircle.analysis.measures.scorecard.card import scorecard
from lifecircle.analysis.measures.scorecard.result import RowResult, ScorecardResult
from lifecircle.analysis.results.model import Run

Settings = Mapping[str, str | float]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run and those of other years, the earliest first, each with its scorecard."""

    run: Run
    found: ScorecardResult
    years: tuple[tuple[Run, ScorecardResult], ...]

    @property
    def before(self) -> Run | None:
        """The run of the year before, that promises of an increase are held against."""
        return _before(self.run, [run for run, _ in self.years])

    def document(self) -> dict[str, Any]:
        """The year of the run, the years there are, and the one before."""
        before = self.before
        return {
            "run_year": self.run.manifest.year,
            "years": [self._named(run) for run, _ in self.years],
            "before": None if before is None else self._named(before),
        }

    def of_row(self, found: RowResult) -> dict[str, Any]:
        """A row's headline in every year, and in the year it is held against."""
        held = found.before
        return {
            "before": None
            if held is None or self.before is None
            else {
                **self._named(self.before),
                "readings": {name: one.value for name, one in held.items()},
            },
            "trend": [
                {
                    **self._named(run),
                    "value": row.outcomes[found.headline].value,
                    "lower": row.outcomes[found.headline].lower,
                    "upper": row.outcomes[found.headline].upper,
                    "status": row.status,
                }
                for run, row in self._rows(found)
            ],
        }

    def of_unit(self, found: RowResult, code: str) -> list[dict[str, Any]]:
        """The headline within one unit in every year that has the unit."""
        return [
            {"year": run.manifest.year, "value": unit.value}
            for run, row in self._rows(found)
            for unit in row.by_unit
            if unit.code == code
        ]

    def _rows(self, found: RowResult) -> list[tuple[Run, RowResult]]:
        return [
            (run, row)
            for run, card in self.years
            for row in card.rows
            if row.row.id == found.row.id and found.headline in row.outcomes
        ]

    def _named(self, run: Run) -> dict[str, Any]:
        told = run.manifest
        same = told.policy_digest == self.run.manifest.policy_digest
        return {"year": told.year, "run": told.run, "same_policy": same}


def timeline_of(
    run: Run,
    others: Sequence[Run],
    *,
    walker: str,
    level: str | None,
    year: int | None,
    settings: Settings | None,
) -> Timeline:
    """A run's scorecard and those of runs of other years; of a year the run itself counts.

    `others`: at most one a year. Those whose policy has no scorecard, or not the walker, are left
    out; settings that they do not know keep their defaults there.

    Raises
    ------
    ParameterError : the run's policy has no scorecard; an answer that a setting does not take.
    UnknownNameError : no such walker, level or setting.
    """
    own = run.manifest.year
    beside = [
        one
        for one in others
        if one.manifest.year != own
        and one.policy.scorecard is not None
        and walker in one.policy.walkers
    ]
    runs = sorted((run, *beside), key=lambda one: one.manifest.year)

    def judged(one: Run) -> ScorecardResult:
        before = _before(one, runs)
        card = one.policy.scorecard
        given = settings or {}
        if one is not run and card is not None:
            given = {name: value for name, value in given.items() if name in card.settings}
        known = one is run or level in one.city.units.levels
        return scorecard(
            one.study,
            walker=walker,
            level=level if known else None,
            year=year,
            settings=given,
            before=None if before is None else before.study,
        )

    found = judged(run)
    years = tuple((one, found if one is run else judged(one)) for one in runs)
    return Timeline(run, found, years)


def _before(run: Run, runs: Sequence[Run]) -> Run | None:
    """The run of the latest year before that of a run."""
    earlier = [one for one in runs if one.manifest.year < run.manifest.year]
    return max(earlier, key=lambda one: one.manifest.year, default=None)
