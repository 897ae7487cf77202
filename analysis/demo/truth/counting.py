"""Plain counting for the truth table: who has, who has not, of whom nothing is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lifecircle.analysis.demo.truth.reach import Reached

State = bool | None
Table = dict[str, Any]


def share(states: Mapping[str, State] | Sequence[State]) -> Table:
    """Of things that have, have not or are unknown: the share of the known that have, and the
    least and the most it can be."""
    found = list(states.values()) if isinstance(states, Mapping) else list(states)
    yes, no, total = found.count(True), found.count(False), len(found)
    known = yes + no
    told: Table = {
        "value": yes / known if known else None,
        "lower": yes / total if known else None,
        "upper": (total - no) / total if known else None,
        "yes": yes,
        "no": no,
        "unknown": total - known,
        "assessed_share": known / total if known else None,
    }
    if isinstance(states, Mapping):
        told["units"] = {code: state for code, state in states.items() if state is not True}
    return told


def every(*states: State) -> State:
    """All of them: no where one is no, else unknown where one is unknown."""
    if False in states:
        return False
    return None if None in states else True


def some(*states: State) -> State:
    """At least one of them."""
    if True in states:
        return True
    return None if None in states else False


def within(sure: Reached, possible: Reached, total: int) -> Table:
    """Persons within a walk of places that qualify for certain, and of those that may."""
    unknown = possible.residents - sure.residents
    known = total - unknown
    return {
        "value": sure.residents / known if known else None,
        "lower": sure.residents / total if total else None,
        "upper": possible.residents / total if total else None,
        "residents": sure.residents,
        "possible": possible.residents,
        "of": total,
        "doubt": max(sure.doubt, possible.doubt),
        "assessed_share": known / total if total else None,
    }


def ratio(
    pairs: Iterable[tuple[float | None, float | None]], per: float = 1.0, *, part: bool = False
) -> Table:
    """The sum of what is there over the sum of what it is for, times `per`.

    `pairs`: (over, under) of every unit, None where unknown. The least it can be counts 0 for
    what is unknown; the most is unknown too, but for a part, which is never more than the whole.
    Where it is unknown what something is for, nothing bounds the whole but 0 and the whole.
    """
    found = list(pairs)
    both = [(a, b) for a, b in found if a is not None and b is not None]
    over, under = sum(a for a, _ in both), sum(b for _, b in both)
    whole = sum(b for _, b in found if b is not None)
    bounded = all(b is not None for _, b in found)
    lower: float | None
    upper: float | None
    if len(both) == len(found):
        lower = upper = over / under * per
    elif bounded:
        lower = over / whole * per
        upper = (over + whole - under) / whole * per if part else None
    else:
        lower, upper = 0.0, per if part else None
    return {
        "value": over / under * per if under else None,
        "lower": lower,
        "upper": upper,
        "over": over,
        "under": under,
        "known": len(both),
        "of": len(found),
        "assessed_share": under / whole if bounded else len(both) / len(found),
    }
