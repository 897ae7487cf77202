"""How many residents ``balanced`` serves, without who goes where: a largest flow alone.

The first aim of ``balanced`` is the fewest unserved, so that reading C needs no more than this.

Source: Ahuja, Magnanti and Orlin (1993), Network Flows, chapter 7; OR-tools.
"""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.access.nearest import service_attachments
from lifecircle.analysis.access.od_matrix import walks_within
from lifecircle.analysis.errors import UnsolvedError
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.capacity import capacity_of
from lifecircle.analysis.measures.catchments.min_cost_flow import group_alike
from lifecircle.analysis.measures.question import Question, Study, ask
from lifecircle.analysis.measures.residents import judged_persons
from lifecircle.analysis.quantities import IntArray


def share_served(study: Study, question: Question) -> float | None:
    """Reading C of all residents that a service is for: served ÷ assessed, 0-1.

    None where nobody is assessed or no facility can be offered because capacities are unknown.

    Raises
    ------
    UnknownNameError : no such service or walker, or no rule of capacity for the service.
    UnsolvedError : the flow ends without an optimum (no input is known to do that).
    """
    asked, city = ask(study, question), study.city
    service = asked.service.id
    capacity = capacity_of(city, study.policy, service)
    persons = judged_persons(study, service, capacity.group)
    known = len(capacity.facility) > 0 or len(capacity.unknown) == 0
    if not known or not persons.sum():
        return None
    at = service_attachments(city, service)
    walks = walks_within(study.costs, at, city.cells.position, capacity.facility, asked.limit_cm)
    return most_served(persons, Arcs.from_walks(walks), capacity.maximum) / int(persons.sum())


def most_served(persons: IntArray, arcs: Arcs, maximum: IntArray) -> int:
    """The most persons that centres take within their maxima.

    Parameters
    ----------
    persons : int64 (n,) of the cells. maximum : int64 (f,) of the centres.
    """
    from ortools.graph.python import max_flow

    if not len(arcs.cell):
        return 0
    first, group = group_alike(arcs)
    ways = arcs.select_cells(first)
    people = np.bincount(group, persons).astype(np.int64)
    groups, centres = len(people), len(maximum)
    source, sink = groups + centres, groups + centres + 1
    tail = np.concatenate((np.full(groups, source), ways.cell, groups + np.arange(centres)))
    head = np.concatenate(
        (np.arange(groups), groups + ways.centre.astype(np.int64), np.full(centres, sink))
    )
    room = np.concatenate((people, people[ways.cell], maximum))
    solver = max_flow.SimpleMaxFlow()
    solver.add_arcs_with_capacity(tail.astype(np.int32), head.astype(np.int32), room)
    status = solver.solve(source, sink)
    if status != solver.OPTIMAL:
        raise UnsolvedError("assignment_unsolved", status=str(status))
    return int(solver.optimal_flow())
