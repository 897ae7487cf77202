"""The assumptions that are moved: what is tried of each, and how a joint draw is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.measures.robustness.beside import (
    NOTHING,
    UNIT_TOTALS,
    Beside,
    held_to_totals,
)
from lifecircle.analysis.measures.robustness.lists import ListDoubt
from lifecircle.analysis.measures.robustness.world import Assumptions
from lifecircle.analysis.policy.scorecard_model import Scorecard
from lifecircle.analysis.policy.sections.amounts import SETTING
from lifecircle.analysis.policy.sections.robustness import ranges
from lifecircle.analysis.quantities import FloatArray

Value = float | str
Kind = Literal["range", "choice", "drawn"]

SPEED: Final = "speed"
MINUTES: Final = "minutes"
RING: Final = "inner_ring"
LEG: Final = "access_leg"
SLOPE: Final = "slope"
BARRIERS: Final = "barriers"
SPREAD: Final = "spread"
SOURCE: Final = "residents_source"
NOISE: Final = "residents"
MISSED: Final = "missed"
WRONG: Final = "wrong"
_ONE: Final = 1  # streams of chance: one at a time, all together
_ALL: Final = 2


@dataclass(frozen=True, slots=True)
class Parameter:
    """One assumption. `values`: ends of a range, or choices of which the first is the run's own.

    `setting`: of the scorecard, by id; None for the others. Drawn ones have no values.
    """

    id: str
    kind: Kind
    values: tuple[Value, ...] = ()
    setting: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One assumption moved to one value (None: drawn), everything else as the run has it."""

    parameter: str
    value: Value | None
    given: Assumptions


@dataclass(frozen=True, slots=True)
class Unmoved:
    """An assumption that this run does not let one move, and the name of the reason."""

    parameter: str
    reason: str


def parameters_of(study: Study, beside: Beside = NOTHING) -> tuple[Parameter, ...]:
    """Every assumption that a run lets one move; `beside`: runs beside it, all usable."""
    return tuple(one for one in _parameters(study, beside) if isinstance(one, Parameter))


def unmoved_of(study: Study, beside: Beside = NOTHING) -> tuple[Unmoved, ...]:
    """Every assumption that it does not, and why."""
    return tuple(one for one in _parameters(study, beside) if isinstance(one, Unmoved))


def _parameters(study: Study, beside: Beside) -> Iterator[Parameter | Unmoved]:
    told, policy, city = ranges(), study.policy, study.city
    yield Parameter(SPEED, "range", (told.speed_low.value, told.speed_high.value))
    long, short = told.minutes_from.value, told.minutes_to.value
    if any(service.minutes.value == long for service in policy.services.values()):
        yield Parameter(MINUTES, "choice", (long, short))
    else:
        yield Unmoved(MINUTES, "no_such_minutes")
    ring = policy.coverage
    own = float(policy.walkers["adult"].speed_m_per_s) if "adult" in policy.walkers else None
    if own is not None:
        metres = round(own * 60 * ring.core_minutes.value)
        yield Parameter(RING, "choice", (metres, ring.core_metres.value))
    else:
        yield Unmoved(RING, "no_adult")
    leg_m = policy.attachment.max_leg_m.value
    legs = (told.leg_short_m.value, told.leg_long_m.value)
    yield Parameter(LEG, "choice", (leg_m, *(one for one in legs if one != leg_m)))
    slope = city.network.slope
    if slope is not None and (slope.extra_uv_m.any() or slope.extra_vu_m.any()):
        yield Parameter(SLOPE, "choice", ("on", "off"))
    else:
        yield Unmoved(SLOPE, "no_heights")
    if beside.rule is not None:
        yield Parameter(BARRIERS, "choice", ("as_built", "other_rule"))
    else:
        yield Unmoved(BARRIERS, "no_run_beside")
    yield _population(study, beside)
    if city.cells.modelled.any():
        yield Parameter(SPREAD, "choice", ("built", "even"))
    else:
        yield Unmoved(SPREAD, "nobody_modelled")
    yield Parameter(NOISE, "drawn")
    yield Parameter(MISSED, "drawn")
    yield Parameter(WRONG, "drawn")
    if policy.scorecard is not None:
        yield from _settings(policy.scorecard)


def _population(study: Study, beside: Beside) -> Parameter | Unmoved:
    """Another source of who lives where: the totals of the units, or runs beside."""
    scaled = held_to_totals(study.city)
    others = list(beside.residents)
    if not isinstance(scaled, str) and not any(
        one.city.notes.calibrated for one in beside.residents.values()
    ):
        others.insert(0, UNIT_TOTALS)
    if others:
        return Parameter(SOURCE, "choice", ("as_built", *others))
    return Unmoved(SOURCE, str(scaled))


def _settings(card: Scorecard) -> Iterator[Parameter]:
    """The settings of a scorecard, but that of the inner ring, which is moved for all figures."""
    ring = card.judging.walk.removeprefix(SETTING)
    for name, setting in card.settings.items():
        if name == ring:
            continue
        told = ranges()
        if setting.amount is not None:
            ends = [told.amount_low.value, told.amount_high.value]
            values = [one * setting.amount.value for one in ends]
            if setting.most is not None:
                values = [min(one, setting.most) for one in values]
            yield Parameter(name, "range", tuple(values), name)
        else:
            own = str(setting.default)
            others = (one for one in setting.choices if one != own)
            yield Parameter(name, "choice", (own, *others), name)


def moved(given: Assumptions, parameter: Parameter, value: Value) -> Assumptions:
    """Some assumptions with one of them moved; the run's own choice moves nothing."""
    if parameter.kind == "choice" and value == parameter.values[0]:
        return given
    if parameter.setting is not None:
        return replace(given, answers={**given.answers, parameter.setting: value})
    if parameter.id == SPEED:
        return replace(given, speed=float(value))
    if parameter.id == LEG:
        return replace(given, leg_m=float(value))
    if parameter.id == SOURCE:
        return replace(given, population=str(value))
    named = {
        MINUTES: "minutes",
        RING: "core",
        SLOPE: "flat",
        SPREAD: "even",
        BARRIERS: "other_barriers",
    }[parameter.id]
    return replace(given, **{named: True})  # type: ignore[arg-type]


def trials_of(
    parameters: Sequence[Parameter], doubts: Mapping[str, ListDoubt], seed: int
) -> tuple[Trial, ...]:
    """One at a time: both ends of a range, every other choice, some draws of what is drawn."""
    found = []
    for parameter in parameters:
        if parameter.kind != "drawn":
            values = parameter.values[parameter.kind == "choice" :]
            own = Assumptions()
            found += [Trial(parameter.id, one, moved(own, parameter, one)) for one in values]
            continue
        tries = int(ranges().noise_tries.value)
        u = _hypercube(tries, len(doubts), (seed, _ONE))
        for i in range(tries):
            given = Assumptions(seed=(seed, _ONE, i))
            if parameter.id == NOISE:
                given = replace(given, noise=True)
            elif parameter.id == MISSED:
                given = replace(given, missed=shares(MISSED, doubts, u[i]))
            else:
                given = replace(given, wrong=shares(WRONG, doubts, u[i]))
            found.append(Trial(parameter.id, None, given))
    return tuple(found)


def shares(
    kind: str, doubts: Mapping[str, ListDoubt], quantiles: FloatArray
) -> Mapping[str, float]:
    """The share of each list that is missed or wrong, at a quantile (0-1) of each."""
    pairs = zip(doubts.values(), quantiles.tolist(), strict=True)
    if kind == MISSED:
        return {one.service: one.missed_share(u) for one, u in pairs}
    return {one.service: one.wrong_share(u) for one, u in pairs}


def joint_draws(
    parameters: Sequence[Parameter], doubts: Mapping[str, ListDoubt], draws: int, seed: int
) -> tuple[Assumptions, ...]:
    """All together: a Latin hypercube over every assumption and every list.

    Source
    ------
    McKay, Beckman & Conover 1979, Technometrics 21(2).
    """
    plain = [one for one in parameters if one.kind != "drawn"]
    size, lists = len(plain), len(doubts)
    u = _hypercube(draws, size + 2 * lists, (seed, _ALL))
    found = []
    for i in range(draws):
        given = Assumptions(
            noise=True,
            missed=shares(MISSED, doubts, u[i, size : size + lists]),
            wrong=shares(WRONG, doubts, u[i, size + lists :]),
            seed=(seed, _ALL, i),
        )
        for parameter, chance in zip(plain, u[i, :size].tolist(), strict=True):
            given = moved(given, parameter, value_at(parameter, chance))
        found.append(given)
    return tuple(found)


def value_at(parameter: Parameter, quantile: float) -> Value:
    """The value at a quantile (0-1): along a range, or a choice, the run's own the likeliest."""
    if parameter.kind == "range":
        low, high = (float(one) for one in parameter.values)
        return low + quantile * (high - low)
    others = parameter.values[1:]
    weight = ranges().other_weight.value
    if not others or quantile < 1 - weight:
        return parameter.values[0]
    step = int((quantile - (1 - weight)) / weight * len(others))
    return others[min(step, len(others) - 1)]


def _hypercube(draws: int, size: int, seed: Sequence[int]) -> FloatArray:
    if size == 0:
        return np.zeros((draws, 0))
    from scipy.stats import qmc  # a second to load, and few commands draw

    made = qmc.LatinHypercube(size, rng=np.random.default_rng(list(seed)))
    found: FloatArray = made.random(draws)
    return found
