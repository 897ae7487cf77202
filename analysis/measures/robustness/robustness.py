"""How firm every answer about a city stands: one assumption at a time, then all together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.residents import need_residents
from lifecircle.analysis.measures.robustness.beside import NOTHING, Beside
from lifecircle.analysis.measures.robustness.figures import Asking, Figures, asking_of
from lifecircle.analysis.measures.robustness.list_tries import try_lists
from lifecircle.analysis.measures.robustness.parameters import (
    Parameter,
    Trial,
    joint_draws,
    parameters_of,
    trials_of,
    unmoved_of,
)
from lifecircle.analysis.measures.robustness.result import (
    Band,
    CircleBand,
    Flip,
    ListFlip,
    Robustness,
    RowBand,
    ServiceBand,
    Swing,
    UnitBand,
)
from lifecircle.analysis.measures.robustness.world import Assumptions
from lifecircle.analysis.measures.scorecard.result import Status
from lifecircle.analysis.policy.sections.robustness import ranges
from lifecircle.analysis.quantities import FloatArray, read_only

MOST_DRAWS = 10_000
Tried = Sequence[tuple[Trial, Figures]]


def robustness(
    study: Study,
    question: Question,
    *,
    beside: Beside = NOTHING,
    draws: int | None = None,
    seed: int = 0,
    lists: bool = True,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Robustness:
    """How firm coverage, circles and the verdicts of the scorecard stand.

    Parameters
    ----------
    question : service (None = all), walker and level; its other parts do not count.
    beside : runs of the same files with another answer to the rule of barriers or to who lives
        where, which are then moved too; those that are another city are left out.
    draws : joint draws, None = the packaged number.
    lists : whether each list alone is tried for the share from which a verdict flips.
    workers : threads that work beside each other; the answer is the same with any number.
    progress : called with tries done and tries in all.

    Raises
    ------
    UnknownNameError : no such service, walker or level.
    ParameterError : draws below 2 or above 10,000, or residents nobody has counted.

    Examples
    --------
    >>> import lifecircle as lc
    >>> found = lc.robustness(lc.tiny_town().study, lc.Question("pharmacy"), draws=20, lists=False)
    >>> found.services[0].P.usual
    1.0
    """
    need_residents(study.city)
    told, count = ranges(), draws_asked(draws, seed)
    fitting = beside.usable(study)
    asking = asking_of(study, question, fitting)
    parameters = parameters_of(study, fitting)
    doubts = asking.worlds.doubts
    trials = trials_of(parameters, doubts, seed)
    given = joint_draws(parameters, doubts, count, seed)
    asking.worlds.prepare((*(one.given for one in trials), *given))
    base = asking.figures(Assumptions())
    every = [*(one.given for one in trials), *given]
    done = list(_run(asking, every, workers, progress))
    tried = list(zip(trials, done[: len(trials)], strict=True))
    joint = done[len(trials) :]
    flips: dict[str, list[ListFlip]] = {}
    for row, flip in try_lists(asking, base, seed) if lists else ():
        flips.setdefault(row, []).append(flip)
    return Robustness(
        draws=count,
        seed=seed,
        walker=asking.walker,
        by=asking.level,
        band=(told.band_low.value, told.band_high.value),
        parameters=parameters,
        unmoved=unmoved_of(study, fitting),
        lists=tuple(doubts.values()),
        services=tuple(_services(asking, base, tried, joint)),
        circles=tuple(_circles(base, tried, joint)),
        rows=tuple(_rows(base, tried, joint, flips, _levers(parameters, given))),
        lists_tried=lists,
    )


def draws_asked(draws: int | None, seed: int) -> int:
    """How many joint draws are asked for.

    Raises
    ------
    ParameterError : fewer than 2 or more than 10,000, or a seed below 0.
    """
    count = int(ranges().draws.value) if draws is None else draws
    if not 2 <= count <= MOST_DRAWS:
        raise ParameterError("robustness_draws", draws=count, least=2, most=MOST_DRAWS)
    if seed < 0:
        raise ParameterError("robustness_seed", seed=seed)
    return count


def _run(
    asking: Asking,
    given: Sequence[Assumptions],
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Figures]:
    """The figures of every try, in order."""
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        for done, figures in enumerate(pool.map(asking.figures, given), start=1):
            if progress is not None:
                progress(done, len(given))
            yield figures


def band_of(usual: float | None, drawn: Sequence[float | None] | FloatArray) -> Band:
    """A figure and where most draws put it; draws that know nothing are left out."""
    told = ranges()
    values = np.array([np.nan if one is None else one for one in drawn], dtype=np.float64)
    values = values[~np.isnan(values)]
    if usual is None or np.isnan(usual) or not len(values):
        return Band(None, None, None)
    low, high = np.quantile(values, (told.band_low.value, told.band_high.value))
    return Band(float(usual), float(low), float(high))


def _swings(usual: float | None, tried: Sequence[tuple[str, float | None]]) -> tuple[Swing, ...]:
    """Between what a figure moves by each assumption, the widest first."""
    if usual is None or np.isnan(usual):
        return ()
    held: dict[str, list[float]] = {}
    for parameter, value in tried:
        moved = held.setdefault(parameter, [usual])
        if value is not None and not np.isnan(value):
            moved.append(value)
    swings = (Swing(name, float(min(v)), float(max(v))) for name, v in held.items())
    moving = [one for one in swings if one.width > 0]
    return tuple(sorted(moving, key=lambda one: (-one.width, one.parameter)))


def _services(
    asking: Asking, base: Figures, tried: Tried, joint: Sequence[Figures]
) -> Iterator[ServiceBand]:
    study = asking.worlds.study
    units, persons = study.city.units, study.city.cells.residents
    rows = units.of_level(asking.level).tolist()
    drawn = np.stack([one.unit_P for one in joint])
    for s, service in enumerate(asking.services):
        told = [(trial.parameter, float(one.P[s])) for trial, one in tried]
        P = band_of(float(base.P[s]), [float(one.P[s]) for one in joint])
        judged = study.judged(service).cell
        known = study.city.assessed(service) and P.usual is not None
        share: FloatArray = np.mean([one.near[s] for one in joint], axis=0)
        share[~judged] = np.nan
        if not known:
            share[:] = np.nan
        read_only(share)
        yield ServiceBand(
            service=service,
            P=P,
            C=band_of(float(base.C[s]), [float(one.C[s]) for one in joint]),
            units=tuple(
                UnitBand(
                    str(units.code[i]),
                    str(units.name[i]),
                    units.name_en[i],
                    band_of(float(base.unit_P[s, i]), drawn[:, s, i]),
                )
                for i in rows
            ),
            swings=_swings(P.usual, told),
            always=int(persons[share == 1].sum()) if known else None,
            sometimes=int(persons[(share > 0) & (share < 1)].sum()) if known else None,
            never=int(persons[share == 0].sum()) if known else None,
            not_assessed=int(persons[~judged].sum()) if known else None,
            share=share,
        )


def _circles(base: Figures, tried: Tried, joint: Sequence[Figures]) -> Iterator[CircleBand]:
    for kind, usual in base.circles.items():
        band = band_of(usual, [one.circles[kind] for one in joint])
        told = [(trial.parameter, one.circles[kind]) for trial, one in tried]
        yield CircleBand(kind, band, _swings(usual, told))


def _rows(
    base: Figures,
    tried: Tried,
    joint: Sequence[Figures],
    list_flips: Mapping[str, Sequence[ListFlip]],
    levers: Mapping[str, FloatArray],
) -> Iterator[RowBand]:
    for row, status in base.status.items():
        drawn = [one.status[row] for one in joint]
        assessed = status != "NOT_ASSESSED"
        others: Counter[Status] = Counter(one for one in drawn if one != status)
        flips: dict[tuple[str, object, Status], Flip] = {}
        for trial, one in tried:
            if one.status[row] != status:
                flip = Flip(trial.parameter, trial.value, one.status[row])
                flips.setdefault((flip.parameter, flip.value, flip.status), flip)
        fell = np.array([one != status for one in drawn], dtype=np.float64)
        yield RowBand(
            row=row,
            status=status,
            value=band_of(base.value[row], [one.value[row] for one in joint]),
            holds=drawn.count(status) if assessed else None,
            others=dict(others) if assessed else {},
            flips=tuple(flips.values()) if assessed else (),
            list_flips=tuple(list_flips.get(row, ())),
            driver=_driver(fell, levers, [one.parameter for one in flips.values()])
            if assessed
            else None,
        )


def _levers(
    parameters: Sequence[Parameter], given: Sequence[Assumptions]
) -> Mapping[str, FloatArray]:
    """Where each assumption stood in each joint draw, as a number (n,)."""
    ways: Mapping[str, Callable[[Assumptions], float]] = {
        "speed": lambda one: one.speed,
        "minutes": lambda one: float(one.minutes),
        "inner_ring": lambda one: float(one.core),
        "access_leg": lambda one: one.leg_m or 0.0,
        "slope": lambda one: float(one.flat),
        "barriers": lambda one: float(one.other_barriers),
        "residents_source": lambda one: float(one.population is not None),
        "spread": lambda one: float(one.even),
        "missed": lambda one: float(np.mean(list(one.missed.values()) or [0.0])),
        "wrong": lambda one: float(np.mean(list(one.wrong.values()) or [0.0])),
    }
    levers = {}
    for parameter in parameters:
        if parameter.id in ways:
            levers[parameter.id] = np.array([ways[parameter.id](one) for one in given])
        elif parameter.setting is not None:
            told = [one.answers.get(parameter.setting) for one in given]
            order = {value: i for i, value in enumerate(dict.fromkeys((None, *told)))}
            plain = parameter.kind == "range"
            values = [float(v or 0.0) if plain else float(order[v] > 0) for v in told]
            levers[parameter.id] = np.array(values)
    return levers


def _driver(fell: FloatArray, levers: Mapping[str, FloatArray], alone: Sequence[str]) -> str | None:
    """The assumption that goes with the flips in the draws most closely.

    By correlation; where some assumption flips the row alone, it is one of those.
    """
    among = [name for name in levers if name in alone] or list(levers)
    strength = {}
    for name in among:
        lever = levers[name]
        if fell.std() > 0 and lever.std() > 0:
            strength[name] = abs(float(np.corrcoef(fell, lever)[0, 1]))
    if strength:
        return max(strength, key=lambda name: strength[name])
    return alone[0] if alone else None
