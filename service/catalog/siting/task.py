"""What is sought: how many places, for what, and among which candidates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from lifecircle.analysis.measures.question import Question, Study, ask, walks_to
from lifecircle.analysis.measures.siting.candidates import (
    PLANNED,
    Sites,
    generated_sites,
    given_sites,
    join_sites,
    places_of_kinds,
    planned_sites,
    siting_rules,
)
from lifecircle.analysis.measures.siting.place import Objective
from lifecircle.analysis.quantities import UNREACHED_CM
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations

GENERATED: Final = "generated"
PLACES: Final = "places"
ALL: Final = "all"  # generated positions and existing public places


@dataclass(frozen=True, slots=True)
class SitingTask:
    """How many places are sought, for what, and among which.

    `add`: how many, or `target`: the share of residents with the fewest. `source`: candidates
    ``all`` (generated ones, existing public places and planned ones: no narrower choice can beat
    it), ``generated``, ``places`` (of other kinds; ``places:a,b``), ``planned`` (places of the
    service itself that are planned or under construction), or a file, of which `declared`
    says what is known. `time_limit_s`: for the exact solver.
    """

    add: int | None = None
    target: float | None = None
    objective: Objective = "covered"
    source: str | Path = ALL
    declared: Declarations = SILENT
    time_limit_s: float = 0.0


def candidates(study: Study, question: Question, task: SitingTask) -> Sites:
    """The candidate sites of a task.

    Raises
    ------
    InputError : the file cannot be used.
    UnknownNameError : no such service.
    """
    source = task.source
    city, policy = study.city, study.policy
    if isinstance(source, Path):
        from lifecircle.analysis.readers.tables.candidate_sites import read_sites

        table = read_sites(source, task.declared)
        max_leg_m = policy.attachment.max_leg_m.value
        return given_sites(table, city, study.edges, max_leg_m)
    if source == GENERATED:
        return _generated(study, question, task.objective)
    service = str(question.service)
    planned = planned_sites(city, service, study.edges, policy.attachment.max_leg_m.value)
    if source == PLANNED:
        return planned
    if source == ALL:
        generated = _generated(study, question, task.objective)
        standing = join_sites(generated, places_of_kinds(city, policy, service, ()))
        return join_sites(standing, planned)
    kinds = source.removeprefix(PLACES).removeprefix(":")
    return places_of_kinds(city, policy, service, [k for k in kinds.split(",") if k])


def _generated(study: Study, question: Question, objective: Objective) -> Sites:
    """Positions on the streets where people live."""
    city, asked = study.city, ask(study, question)
    walks = walks_to(study, asked.service.id)
    cm = np.full(len(city.cells), UNREACHED_CM) if walks is None else walks.cell_cm
    everywhere = objective in ("person_minutes", "capacity")
    return generated_sites(
        city,
        study.costs,
        siting_rules(study.policy).spacing_m.value,
        cm > asked.limit_cm,
        None if everywhere else asked.limit_cm,
    )
