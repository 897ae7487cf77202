"""Station and centre as one flow: who finds room on both tiers, and which tier turns others away.

::

    cell ──(whole chain, cm)──► station ──► its centre ──► everyone
      ├──(whole chain, cm)───────────────► centre
      └──► unserved

Stations refer to one centre each, so the references are a tree and the flow is whole persons.
Fewest unserved first, then least person-centimetres of whole chains. Whoever is unserved would be
served if no station had a maximum (`station_full`), or not even then (`centre_full`).

Source: Ahuja, Magnanti and Orlin (1993), Network Flows, chapters 6 and 9; OR-tools.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.min_cost_flow import run_flow
from lifecircle.analysis.quantities import Int32Array, IntArray


@dataclass(frozen=True, slots=True)
class ReferralModel:
    """Persons int64 (n,) and the chains that they may take.

    `arcs`: from cells to first contacts, the stations 0 to s - 1 and after them the centres; the
    cost is that of the whole chain. `centre_of` int32 (s,): the centre of each station, -1 none
    (no arc leads to it). `station_max` int64 (s,), `centre_max` int64 (f,): not negative.
    """

    persons: IntArray
    arcs: Arcs
    centre_of: Int32Array
    station_max: IntArray
    centre_max: IntArray


@dataclass(frozen=True, slots=True)
class ReferralFlow:
    """Persons on every arc (r,); by cell int64 (n,) those served and those turned away.

    Cells without an arc are in neither. `station_load` (s,), `centre_load` (f,): int64, those
    sent by stations counted in both. `person_cm`: along whole chains.
    """

    on_arc: IntArray
    served: IntArray
    station_full: IntArray
    centre_full: IntArray
    station_load: IntArray
    centre_load: IntArray
    person_cm: int


def solve_referral(model: ReferralModel) -> ReferralFlow:
    """The optimum of the two tiers.

    That nobody is lost and no maximum passed is checked, not assumed.

    Raises
    ------
    UnsolvedError : the flow ends without an optimum (no input is known to do that).
    """
    arcs, cells, stations = model.arcs, len(model.persons), len(model.station_max)
    able = np.where(np.diff(arcs.start) > 0, model.persons, 0)
    on_arc = np.zeros(len(arcs.cell), dtype=np.int64)
    if able.any():
        unserved = _most_served(model, able, able, model.station_max)
        on_arc = _least_walked(model, able, int(unserved.sum()))
    served = np.zeros(cells, dtype=np.int64)
    np.add.at(served, arcs.cell, on_arc)
    load = np.zeros(stations + len(model.centre_max), dtype=np.int64)
    np.add.at(load, arcs.centre, on_arc)
    station_load, centre_load = load[:stations], load[stations:].copy()
    refers = model.centre_of >= 0
    np.add.at(centre_load, model.centre_of[refers], station_load[refers])
    left = able - served
    turned_away = left
    if left.any():
        everyone = np.full(stations, able.sum(), dtype=np.int64)
        turned_away = _most_served(model, able, left, everyone)
    if (
        bool((left < 0).any())
        or bool((station_load > model.station_max).any())
        or bool((centre_load > model.centre_max).any())
    ):
        raise ArithmeticError("a cell sends more than its persons, or a maximum is passed")
    return ReferralFlow(
        on_arc,
        served,
        left - turned_away,
        turned_away,
        station_load,
        centre_load,
        int((on_arc * arcs.cost).sum()),
    )


def _network(
    model: ReferralModel, spare: IntArray, station_max: IntArray
) -> tuple[IntArray, IntArray, IntArray, int]:
    """Tails, heads and room of all arcs, and the node that takes the served.

    First the arcs of cells to contacts, then of cells to the node after that one, up to `spare`.
    """
    arcs, cells = model.arcs, len(model.persons)
    stations, centres = len(model.station_max), len(model.centre_max)
    refers = np.flatnonzero(model.centre_of >= 0)
    first_centre, sink = cells + stations, cells + stations + centres
    tail = (arcs.cell, np.arange(cells), cells + refers, first_centre + np.arange(centres))
    head = (
        cells + arcs.centre.astype(np.int64),
        np.full(cells, sink + 1),
        first_centre + model.centre_of[refers].astype(np.int64),
        np.full(centres, sink),
    )
    room = (model.persons[arcs.cell], spare, station_max[refers], model.centre_max)
    return np.concatenate(tail), np.concatenate(head), np.concatenate(room), sink


def _most_served(
    model: ReferralModel, able: IntArray, spare: IntArray, station_max: IntArray
) -> IntArray:
    """Who is unserved when the fewest are, at most `spare` of each cell, int64 (n,)."""
    begin, cells = len(model.arcs.cell), len(able)
    tail, head, room, sink = _network(model, spare, station_max)
    head[head == sink + 1] = sink
    weight = np.zeros(len(tail), dtype=np.int64)
    weight[begin : begin + cells] = 1
    flow = run_flow(tail, head, room, weight, able, {sink: int(able.sum())})
    return flow[begin : begin + cells]


def _least_walked(model: ReferralModel, able: IntArray, unserved: int) -> IntArray:
    """Persons on every arc when so many are unserved and the rest walks least."""
    begin = len(model.arcs.cell)
    tail, head, room, sink = _network(model, able, model.station_max)
    walked = np.zeros(len(tail), dtype=np.int64)
    walked[:begin] = model.arcs.cost
    demand = {sink: int(able.sum()) - unserved, sink + 1: unserved}
    return run_flow(tail, head, room, walked, able, demand)[:begin]
