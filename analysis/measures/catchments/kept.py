"""Catchments that a build has solved: which those are, and when they answer a question."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.catchments.capacity import capacity_of
from lifecircle.analysis.measures.catchments.catchments import Catchments, catchments
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Asked, Question, Study, settle
from lifecircle.analysis.quantities import IntArray
from lifecircle.analysis.texts import named_group


def catchments_of(
    study: Study,
    question: Question,
    *,
    closed: bool = False,
    whole: bool = False,
    estimates: bool = False,
) -> Catchments:
    """As `catchments`, those that the build has solved already where they answer the question."""
    question = settle(study, question)
    kept = study.catchments.get(str(question.service))
    if isinstance(kept, Catchments) and not (closed or whole or estimates):
        same_time = question.minutes in (None, kept.minutes)
        if kept.walker == question.walker and same_time:
            return kept
    return catchments(study, question, closed=closed, whole=whole, estimates=estimates)


def catchments_behind(study: Study, question: Question) -> Catchments | None:
    """The catchments that reading C of a question rests on; None where C does not exist for it.

    It does not where the service has no rule of capacity, nor where the area does not know the
    group of residents that is to be served. Catchments of another group than the one asked for
    say for which group C exists.
    """
    question = settle(study, question)
    service = str(question.service)
    if service not in study.policy.capacity_services or not study.catchments:
        return None
    kept = study.catchments.get(service)
    if isinstance(kept, Catchments):
        group = kept.group
    else:
        kept, group = None, capacity_of(study.city, study.policy, service).group
    if group != TOTAL and group not in study.city.cells.groups:
        return None
    if kept is not None and group != question.group:
        return kept
    return catchments_of(study, question)


def default_catchments(study: Study) -> Mapping[str, Catchments]:
    """The catchments a build keeps: every service with a capacity rule, at its own minutes.

    A service of which no facility can be offered has none, nor one for a group of residents
    that the area does not know; an area where nobody is counted has none at all.
    """
    city, policy = study.city, study.policy
    if not city.cells.counted:
        return MappingProxyType({})
    rules, known = policy.capacities.catchments, {TOTAL, *city.cells.groups}
    asked = [
        name
        for name in policy.capacity_services
        if (name not in rules or rules[name].group in known)
        and capacity_of(city, policy, name).group in known
    ]
    found = {name: catchments(study, Question(name)) for name in asked}
    return MappingProxyType({name: one for name, one in found.items() if one.assessed})


def served_within(
    catchments: Catchments | None, asked: Asked, group: str
) -> tuple[IntArray | None, Warn | None]:
    """Persons of every cell served within capacity, int64 (c,), or why that is not known."""
    if catchments is None:
        return None, Warn("coverage_no_catchments")
    if not catchments.assessed:
        return None, Warn("coverage_capacity_unknown")
    if catchments.group != group:
        return None, Warn("coverage_other_group", {"group": named_group(catchments.group)})
    same = (catchments.service, catchments.minutes, catchments.walker) == (
        asked.service.id, asked.minutes, asked.walker.id)  # fmt: skip
    if not same or catchments.closed or catchments.whole or catchments.estimates:
        return None, Warn("coverage_other_catchments")
    part = catchments.balanced.part
    served = np.zeros(len(part.unserved), dtype=np.int64)
    np.add.at(served, part.cell, part.persons)
    return served, None
