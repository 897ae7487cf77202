"""Keys of a reading that do not go together, each as path, message and its parameters."""

from collections.abc import Iterator, Sequence
from typing import Any

from lifecircle.analysis.policy.sections.amounts import Condition, Operand, Selectors, Test

Contradiction = tuple[tuple[str | int, ...], str, dict[str, Any]]


def one_of(record: object, *names: str) -> Iterator[Contradiction]:
    """Exactly one of some keys is to be given."""
    given = [name for name in names if getattr(record, name)]
    if len(given) != 1:
        yield (given[-1] if given else names[0],), "scorecard_one_of", {"keys": ", ".join(names)}


def units_in_scope(units: Selectors, *, within: bool) -> Iterator[Contradiction]:
    """Units count only where a reading is kept to them."""
    if units and not within:
        yield ("units",), "scorecard_without_scope", {}


def whole_conditions(where: Sequence[Condition], name: str = "where") -> Iterator[Contradiction]:
    """Each condition says one thing of its column."""
    for at, condition in enumerate(where, start=1):
        for path, key, params in one_of(condition, "words", "at_least", "at_most"):
            named = tuple("is" if part == "words" else part for part in path)
            keys = params["keys"].replace("words", "is")
            yield (name, at, *named), key, {"keys": keys}


def tested(tests: Sequence[Test], name: str, *, facility: bool = False) -> Iterator[Contradiction]:
    """Tests that say what is compared with what, of units or of facilities."""
    for at, test in enumerate(tests, start=1):
        if test.at_least and test.at_most:
            keys = {"keys": "at_least, at_most"}
            yield (name, at, "at_most"), "scorecard_one_of", keys
        if test.per and not test.by:
            yield (name, at, "by"), "policy_missing_key", {}
        for side in ("value", "by"):
            for number, operand in enumerate(getattr(test, side), start=1):
                yield from one_source(operand, (name, at, side, number), facility=facility)


def one_source(
    operand: Operand, path: tuple[str | int, ...], *, facility: bool
) -> Iterator[Contradiction]:
    """A number comes from one place, which its unit or facility has."""
    sources = operand.sources()
    allowed = ("column",) if facility else ("stat", "sum", "group", "residents")
    strange = [name for name in sources if name not in allowed]
    if len(sources) != 1 or strange:
        yield path, "scorecard_operand", {"keys": ", ".join(allowed)}
    elif (operand.sum is None) != (not operand.of):
        yield (*path, "of"), "scorecard_sum_of", {}
