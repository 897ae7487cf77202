"""From which share of a list on a verdict is another: places missed, places not there."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from lifecircle.analysis.measures.robustness.figures import Asking, Figures
from lifecircle.analysis.measures.robustness.lists import ListDoubt
from lifecircle.analysis.measures.robustness.parameters import MISSED, WRONG
from lifecircle.analysis.measures.robustness.result import ListFlip
from lifecircle.analysis.measures.robustness.world import Assumptions
from lifecircle.analysis.measures.scorecard.card import deciding
from lifecircle.analysis.measures.scorecard.result import Status
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.scorecard_model import Row
from lifecircle.analysis.policy.sections.robustness import ranges

_LISTS = 3  # stream of chance, beside those of `parameters`


def services_of(policy: Policy, row: Row, readings: tuple[str, ...]) -> frozenset[str]:
    """The services that some readings of a row look at."""
    named: set[str] = set()
    for name in readings:
        reading = row.readings[name]
        named.update(reading.places())
        named.update(one for operand in reading.operands() for one in operand.of)
        if reading.kind == "circle":
            named.update(policy.circles[reading.circle].services)
        if reading.kind == "pooled":
            named |= services_of(policy, row, tuple(reading.of))
    return frozenset(named)


def try_lists(asking: Asking, base: Figures, seed: int) -> Iterator[tuple[str, ListFlip]]:
    """Rows that flip when one list alone is wrong, with the least share found by halving.

    The places are nested: a larger share holds those of a smaller one, drawn once by the seed.
    """
    study, card = asking.worlds.study, asking.worlds.study.policy.scorecard
    if card is None:
        return
    judged = {name for name, one in base.status.items() if one in ("met", "partly", "not_met")}
    from_row = {
        name: services_of(study.policy, card.rows[name], deciding(card.rows[name], _plain(asking)))
        for name in judged
    }
    for doubt in asking.worlds.doubts.values():
        rows = [name for name in base.status if doubt.service in from_row.get(name, ())]
        for kind in (MISSED, WRONG):
            yield from _try_list(asking, base, doubt, kind, rows, seed)


def _plain(asking: Asking) -> dict[str, str | float]:
    card = asking.worlds.study.policy.scorecard
    settings = {} if card is None else card.settings
    return {
        name: str(one.default) if one.amount is None else one.amount.value
        for name, one in settings.items()
    }


def _try_list(
    asking: Asking, base: Figures, doubt: ListDoubt, kind: str, rows: list[str], seed: int
) -> Iterator[tuple[str, ListFlip]]:
    told = ranges()
    steps = round(told.share_last.value / told.share_step.value)
    known: dict[int, dict[str, Status]] = {}

    def at(step: int) -> dict[str, Status]:
        if step not in known:
            share = MappingProxyType({doubt.service: step * told.share_step.value})
            given = Assumptions(seed=(seed, _LISTS), **{kind: share})  # type: ignore[arg-type]
            known[step] = dict(asking.verdicts(given, rows))
        return known[step]

    if not rows or not len(doubt.rows):
        return
    for row in rows:
        if at(steps)[row] == base.status[row]:
            continue
        low, high = 0, steps
        while high - low > 1:
            middle = (low + high) // 2
            if at(middle)[row] == base.status[row]:
                low = middle
            else:
                high = middle
        share = round(high * told.share_step.value, 9)
        yield row, ListFlip(doubt.service, kind, share, at(high)[row])
