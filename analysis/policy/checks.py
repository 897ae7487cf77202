"""What makes a policy untrustworthy: bare numbers, contradictions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from lifecircle.analysis.policy.cited import Cited
from lifecircle.analysis.policy.faults import Blame, Content, Place, PolicyFault
from lifecircle.analysis.policy.fields import ID
from lifecircle.analysis.policy.model import Policy
from lifecircle.analysis.unknown_names import fold_name

_NAMED: Final = ("services", "walkers", "circles", "unit_levels")


def bare_numbers(node: Any, blame: Blame, path: Place = ()) -> Iterator[PolicyFault]:
    """Every number that is not the finite `value` of a table."""
    if isinstance(node, dict):
        for key, below in node.items():
            if not isinstance(below, str):
                yield from bare_numbers(below, blame, (*path, key))
    elif isinstance(node, list):
        for i, below in enumerate(node, start=1):
            if not isinstance(below, str):
                yield from bare_numbers(below, blame, (*path, i))
    elif isinstance(node, int | float) and not isinstance(node, bool):
        if path[-1] != "value":
            yield blame.fault("policy_bare_number", path, value=node)
        elif not math.isfinite(node):
            yield blame.fault("policy_not_finite", path, value=node)


def contradictions(policy: Policy, content: Content, blame: Blame) -> Iterator[PolicyFault]:
    """What a policy says against itself; `content` as it was written."""
    yield from _bounds(policy, blame)
    yield from _circles(policy, blame)
    yield from _words(policy, content, blame)
    yield from name_faults(policy, blame)
    rule = policy.capacities.population_rule
    if rule is not None and policy.services[rule.service].capacity is None:
        path = ("capacities", "population_rule")
        yield blame.fault("policy_rule_without_numbers", path, service=rule.service)


def _bounds(policy: Policy, blame: Blame) -> Iterator[PolicyFault]:
    spread = policy.spread
    pairs: list[tuple[Place, Cited, Cited]] = [
        (("services", i, "capacity"), s.capacity.minimum, s.capacity.maximum)
        for i, s in policy.services.items()
        if s.capacity
    ]
    pairs.append((("spread",), spread.min_floor_m2_per_resident, spread.max_floor_m2_per_resident))
    for path, low, high in pairs:
        if low.value > high.value:
            yield blame.fault("policy_min_over_max", path, minimum=low.value, maximum=high.value)


def _circles(policy: Policy, blame: Blame) -> Iterator[PolicyFault]:
    for name, circle in policy.circles.items():
        counted = (*circle.services, *circle.upgraded)
        if len(set(counted)) < len(counted):
            yield blame.fault("policy_repeated", ("circles", name, "services"))
        if circle.required and circle.required.value > len(circle.services):
            yield blame.fault(
                "policy_required_too_many",
                ("circles", name, "required"),
                required=circle.required.value,
                count=len(circle.services),
            )


def _words(policy: Policy, content: Content, blame: Blame) -> Iterator[PolicyFault]:
    """Tables of words are cited as a whole, and no word is both allowed and not."""
    for room in ("walk", "barriers"):
        for name in ("source", "clause", "confidence"):
            if not content[room].get(name):
                yield blame.fault("policy_no_citation", (room,), missing=name)
    both = sorted(policy.walk.foot_no & policy.walk.foot_yes)
    if both:
        yield blame.fault("policy_foot_both", ("walk", "foot_yes"), words=", ".join(both))


def name_faults(policy: Policy, blame: Blame) -> Iterator[PolicyFault]:
    """Ids of one alphabet; no word that names two services."""
    if not ID.fullmatch(policy.id):
        yield blame.fault("policy_bad_id", ("id",))
    for room in _NAMED:
        for name in getattr(policy, room):
            if not ID.fullmatch(name):
                yield blame.fault("policy_bad_id", (room, name))
    taken: dict[str, str] = {}
    # what the file asked for says comes last: the fault is told there, not in the base
    own = {path[1] for path, file in blame.writers.items() if _service_of(path, file, blame.top)}
    for name in sorted(policy.services, key=own.__contains__):
        service = policy.services[name]
        for word in (name, service.title.zh, service.title.en, *service.aliases):
            other = taken.setdefault(fold_name(word), name)
            if other != name:
                path = ("services", name, "aliases")
                yield blame.fault("policy_alias_twice", path, alias=word, other=other)


def _service_of(path: tuple[str, ...], file: str, top: str) -> bool:
    return len(path) > 1 and path[0] == "services" and file == top
