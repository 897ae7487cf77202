"""The plan's scorecard: every row in the readings the data allow, judged against its target.

No row has code of its own: its readings name evaluators (`EVALUATORS`) and their parameters,
which stand in ``analysis/policies/scorecard/``. A reading that cannot be computed says what is
missing; nothing unknown counts as 0 or no.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.names import walker_of
from lifecircle.analysis.measures.question import Study, level_of
from lifecircle.analysis.measures.scorecard.capacity import capacity
from lifecircle.analysis.measures.scorecard.circles import circle
from lifecircle.analysis.measures.scorecard.context import Ground
from lifecircle.analysis.measures.scorecard.earlier import earlier
from lifecircle.analysis.measures.scorecard.left_out import by_unit, left_out, unsettled
from lifecircle.analysis.measures.scorecard.ratios import facility_meets, ratio
from lifecircle.analysis.measures.scorecard.result import (
    Outcome,
    RowResult,
    ScorecardResult,
    Status,
)
from lifecircle.analysis.measures.scorecard.rule import rule
from lifecircle.analysis.measures.scorecard.units import (
    checklist,
    count,
    pooled,
    unit_has,
    unit_meets,
)
from lifecircle.analysis.measures.scorecard.within_reach import (
    adjacent,
    drive,
    land_within,
    residents_within,
)
from lifecircle.analysis.policy.scorecard_model import (
    AT_LEAST,
    AT_MOST,
    Direction,
    Row,
    Scorecard,
    Setting,
)
from lifecircle.analysis.unknown_names import unknown

Evaluator = Callable[[Ground, Any], Outcome]  # each takes the record of its own kind

EVALUATORS: Final[Mapping[str, Evaluator]] = MappingProxyType(
    {
        "unit_has": unit_has,
        "unit_meets": unit_meets,
        "facility_meets": facility_meets,
        "checklist": checklist,
        "ratio": ratio,
        "count": count,
        "residents_within": residents_within,
        "land_within": land_within,
        "adjacent": adjacent,
        "capacity": capacity,
        "circle": circle,
        "rule": rule,
        "drive": drive,
    }
)

ALL: Final = 1.0  # what 普遍 and 全面 come to when they are to be judged
_SAME: Final = 1e-12  # relative: sums of decimals that differ by less are the same number


def scorecard(
    study: Study,
    *,
    walker: str = "adult",
    level: str | None = None,
    year: int | None = None,
    settings: Mapping[str, str | float] | None = None,
    before: Study | None = None,
) -> ScorecardResult:
    """Every row of the policy's scorecard for a city.

    Parameters
    ----------
    walker : a walker of the policy.
    level : unit level whose units get a figure each beside the row's; None = none.
    year : no statistics of a later year are used; None = the latest of each.
    settings : answers to what the plan leaves open, by id; those left out take the default.
    before : the area in an earlier year: rows that promise an increase are held against it.

    Raises
    ------
    ParameterError : the policy has no scorecard; a setting's answer is not among its choices.
    UnknownNameError : no such walker, level or setting.

    Examples
    --------
    >>> import lifecircle as lc
    >>> found = lc.scorecard(lc.tiny_town().study)
    >>> [(row.row.id, row.status) for row in found.rows[:2]]
    [('A01', 'not_met'), ('A02', 'NOT_ASSESSED')]
    """
    city, policy = study.city, study.policy
    if policy.scorecard is None:
        raise ParameterError("scorecard_none", policy=policy.id)
    walker_of(policy, walker)
    shown = None if level is None else level_of(city, level)
    answers = checked_settings(policy.scorecard, settings or {})
    ground = Ground(study, policy.scorecard, answers, walker, year)
    old = None if before is None else Ground(before, policy.scorecard, answers, walker, year)
    rows = tuple(_row(ground, row, shown, old) for row in policy.scorecard.rows.values())
    return ScorecardResult(policy.scorecard, answers, walker, year, shown, rows)


def checked_settings(
    card: Scorecard, asked: Mapping[str, str | float]
) -> Mapping[str, str | float]:
    """Every setting with the answer asked for, else its default."""
    for name in asked:
        if name not in card.settings:
            raise unknown("scorecard_setting_unknown", name, card.settings)
    answers: dict[str, str | float] = {}
    for name, setting in card.settings.items():
        given = asked.get(name)
        if setting.amount is not None:
            answers[name] = _amount(setting, setting.amount.value, given)
            continue
        choices = list(setting.choices)
        answers[name] = str(setting.default) if given is None else str(given)
        if answers[name] not in choices:
            raise ParameterError(
                "scorecard_setting_choice", name=name, value=given, choices=", ".join(choices)
            )
    return MappingProxyType(answers)


def _amount(setting: Setting, default: float, given: str | float | None) -> float:
    if given is None:
        return default
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise ParameterError("scorecard_setting_amount", name=setting.id, value=given)
    if setting.most is not None and value > setting.most:
        most = f"{setting.most:g}"
        raise ParameterError("scorecard_setting_most", name=setting.id, value=given, most=most)
    return value


def _row(ground: Ground, row: Row, level: str | None, old: Ground | None = None) -> RowResult:
    outcomes: dict[str, Outcome] = {}
    later = [reading for reading in row.readings.values() if reading.kind == "pooled"]
    for name, reading in row.readings.items():
        if reading.kind != "pooled":
            outcomes[name] = EVALUATORS[reading.kind](ground, reading)
    for reading in later:
        outcomes[reading.id] = pooled([outcomes[name] for name in reading.of])
    outcomes = {name: outcomes[name] for name in row.readings}
    shown = row.shown(ground.settings)
    judged = row.judged or shown
    target = _target(ground, row)
    before = _before(row, judged, old)
    status = _judge(ground, row, outcomes, before)
    asked = dict.fromkeys((shown[0], *judged))
    return RowResult(
        row=row,
        outcomes=MappingProxyType(outcomes),
        headline=shown[0],
        judged=tuple(judged),
        target=target,
        status=status,
        left_out=tuple(left_out(ground, row, outcomes, judged, target)),
        unknown=tuple(unsettled(ground, outcomes, judged)),
        by_unit=() if level is None else tuple(by_unit(ground, outcomes[shown[0]], level)),
        warnings=(*_remarks(outcomes[name] for name in asked), *earlier(ground, row, asked)),
        before=before,
    )


def _before(row: Row, judged: Iterable[str], old: Ground | None) -> Mapping[str, Outcome] | None:
    """The judged readings in the earlier year, of a row that promises an increase."""
    if old is None or not row.increase:
        return None

    def compute(name: str) -> Outcome:
        reading = row.readings[name]
        if reading.kind == "pooled":
            return pooled([compute(one) for one in reading.of])
        return EVALUATORS[reading.kind](old, reading)

    return MappingProxyType({name: compute(name) for name in judged})


def row_verdict(ground: Ground, row: Row) -> tuple[Status, Outcome]:
    """A row's status and headline alone: only the readings that decide are computed."""
    outcomes: dict[str, Outcome] = {}

    def compute(name: str) -> Outcome:
        if name not in outcomes:
            reading = row.readings[name]
            if reading.kind == "pooled":
                outcomes[name] = pooled([compute(one) for one in reading.of])
            else:
                outcomes[name] = EVALUATORS[reading.kind](ground, reading)
        return outcomes[name]

    for name in deciding(row, ground.settings):
        compute(name)
    return _judge(ground, row, outcomes), outcomes[row.shown(ground.settings)[0]]


def deciding(row: Row, settings: Mapping[str, str | float]) -> tuple[str, ...]:
    """The readings of a row that its headline and status rest on, under some settings."""
    shown = row.shown(settings)
    return tuple(dict.fromkeys((shown[0], *(row.judged or shown))))


def _judge(
    ground: Ground,
    row: Row,
    outcomes: Mapping[str, Outcome],
    before: Mapping[str, Outcome] | None = None,
) -> Status:
    shown = row.shown(ground.settings)
    if row.increase:
        old = before or {}
        return _joined(
            increase_status(old.get(name), outcomes[name], row.direction)
            for name in row.judged or shown
        )
    return row_status(
        [outcomes[name] for name in row.judged or shown],
        outcomes[shown[0]],
        _target(ground, row),
        ground.word(ground.scorecard.judging.missing),
        row.direction,
    )


def _target(ground: Ground, row: Row) -> float | None:
    """What a row is judged against; an unquantified promise only where that is asked for."""
    if row.target is not None:
        return row.target.value
    judge = ground.word(ground.scorecard.judging.unquantified) == "judge"
    return ALL if row.unquantified and judge else None


def _remarks(outcomes: Iterable[Outcome]) -> Iterator[Warn]:
    """The remarks of some outcomes, each once."""
    said = []
    for outcome in outcomes:
        for warn in outcome.warnings:
            if warn not in said:
                said.append(warn)
                yield warn


def row_status(
    judged: Sequence[Outcome],
    headline: Outcome,
    target: float | None,
    missing: str,
    direction: Direction = AT_LEAST,
) -> Status:
    """What a row comes to, as DEFINITIONS has it.

    Several sub-targets: all met is met, none met is not met, some met is partly; while one is
    unknown and none is met it cannot be told. `missing`: range (the possible range decides),
    known (the assessed part), worst (the unknown counted as not having).
    """
    if target is None:
        return "NOT_ASSESSED" if headline.value is None else "no_target"
    return _joined(_status(outcome, target, missing, direction) for outcome in judged)


def _joined(statuses: Iterable[Status]) -> Status:
    """What several sub-targets come to together."""
    each = list(statuses)
    if all(one == "NOT_ASSESSED" for one in each):
        return "NOT_ASSESSED"
    if all(one == "met" for one in each):
        return "met"
    if "met" in each or "partly" in each:
        return "partly"
    return "NOT_ASSESSED" if "NOT_ASSESSED" in each else "not_met"


def increase_status(
    before: Outcome | None, now: Outcome, direction: Direction = AT_LEAST
) -> Status:
    """Whether a figure grew (of a row "at most": fell) from an earlier year.

    `partly` where the possible ranges of both years leave it open.
    """
    if before is None or before.value is None or now.value is None:
        return "NOT_ASSESSED"
    was, is_now = _range(before), _range(now)
    if direction == AT_MOST:
        was, is_now = is_now, was
    if is_now[0] > was[1]:
        return "met"
    return "not_met" if is_now[1] <= was[0] else "partly"


def _range(outcome: Outcome) -> tuple[float, float]:
    """The least and the most a figure may be."""
    lower, upper = outcome.lower, outcome.upper
    return (-math.inf if lower is None else lower, math.inf if upper is None else upper)


def _status(outcome: Outcome, target: float, missing: str, direction: Direction) -> Status:
    if outcome.value is None and (outcome.lower is None or outcome.upper is None):
        return "NOT_ASSESSED"
    worst, best = outcome.lower, outcome.upper
    if direction == AT_MOST:
        worst, best = best, worst
    if missing == "known" and outcome.value is not None:
        return "met" if reaches(outcome.value, target, direction) else "not_met"
    if missing == "worst" and worst is not None and outcome.value is not None:
        return "met" if reaches(worst, target, direction) else "not_met"
    if worst is not None and reaches(worst, target, direction):
        return "met"
    if best is not None and not reaches(best, target, direction):
        return "not_met"
    return "NOT_ASSESSED" if outcome.value is None else "partly"


def reaches(value: float, target: float, direction: Direction = AT_LEAST) -> bool:
    """Whether a figure is at least (or at most) its target; nothing is rounded in its favour."""
    if direction == AT_MOST:
        return value <= target * (1.0 + _SAME)
    return value >= target * (1.0 - _SAME)
