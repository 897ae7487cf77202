"""A study of the city as edits leave it: the same as one built from the edited files.

Streets first, then residents, then facilities; walks anew where something that they rest on has
changed, else those there were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lifecircle.analysis.access.nearest import (
    NearestFacility,
    from_positions,
    goals_of,
    travel_table,
)
from lifecircle.analysis.access.walking import walk_costs
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.catchments.kept import default_catchments
from lifecircle.analysis.measures.edits.edited_walks import EditedWalks
from lifecircle.analysis.measures.edits.model import (
    AddFacility,
    AddResidents,
    AddWay,
    ChangeFacility,
    CloseWay,
    Edit,
    RemoveFacility,
    RemoveResidents,
)
from lifecircle.analysis.measures.edits.people import edit_people
from lifecircle.analysis.measures.edits.places import Placed, edit_places, rows_by_id
from lifecircle.analysis.measures.edits.streets import edit_streets, reattach_city
from lifecircle.analysis.measures.edits.walks import travel_on, travel_to
from lifecircle.analysis.measures.question import Origin, Study
from lifecircle.analysis.quantities import NOBODY, Int32Array

_WAYS: Final = (AddWay, CloseWay)
_PEOPLE: Final = (AddResidents, RemoveResidents)
_PLACES: Final = (AddFacility, RemoveFacility, ChangeFacility)


@dataclass(frozen=True, slots=True)
class Edited:
    """A study after edits and how it hangs together with the one before.

    `cell_before` int32 (c,), `facility_before` int32 (f,): which cell and facility of the study
    before each one is, -1 = a new one. `services`: those whose figures may differ.
    """

    study: Study
    edits: tuple[Edit, ...]
    cell_before: Int32Array
    facility_before: Int32Array
    services: tuple[str, ...]
    warnings: tuple[Warn, ...]


def apply_edits(study: Study, edits: Sequence[Edit]) -> Edited:
    """The study after some edits, in their order; the study given stays as it is.

    Parameters
    ----------
    edits : as `read_edits` makes them, each checked against this study.

    Raises
    ------
    ParameterError : no street or nobody would be left.
    """
    numbered = list(enumerate(edits, start=1))
    ways = [(k, one) for k, one in numbered if isinstance(one, _WAYS)]
    moves = [(k, one) for k, one in numbered if isinstance(one, _PEOPLE)]
    shops = [(k, one) for k, one in numbered if isinstance(one, _PLACES)]
    max_leg_m = study.policy.attachment.max_leg_m.value
    base, said = _on_streets(study, ways)
    city, costs = base.city, base.costs
    cell_before = np.arange(len(city.cells), dtype=np.int32)
    if moves:
        city, cell_before, more = edit_people(city, moves, base.edges, max_leg_m)
        said += more
    placed = Placed(
        city, np.arange(len(city.facilities), dtype=np.int32), frozenset(), frozenset(), ()
    )
    if shops:
        placed = edit_places(city, shops, rows_by_id(study), base.edges, max_leg_m)
        city, said = placed.city, (*said, *placed.warnings)
    carried = _carried(base.travel, placed.before, len(base.city.facilities))
    if moves:
        carried = _with_cells(base, city, carried, cell_before, placed)
    travel = _renewed(city, base, carried, placed)
    everyone = bool(ways or moves)
    services = [
        service
        for service in study.policy.services
        if everyone or service in placed.moved or service in placed.told
    ]
    origin = Origin(study, cell_before, placed.before)
    after = Study(city, travel, study.policy, {}, costs, origin)
    return Edited(after, tuple(edits), cell_before, placed.before, tuple(services), said)


def _on_streets(
    study: Study, edits: Sequence[tuple[int, AddWay | CloseWay]]
) -> tuple[Study, tuple[Warn, ...]]:
    """The study on the streets after edits, its cells and facilities the same."""
    if not edits:
        return study, ()
    streets, said = edit_streets(study, edits)
    city = reattach_city(study, streets)
    costs = walk_costs(streets.network)
    travel = travel_on(study, streets, city, costs)
    return Study(city, travel, study.policy, {}, costs), said


def with_catchments(edited: Edited, before: Study) -> Study:
    """The study after edits with the catchments that a build would have solved for it."""
    if not before.catchments and not before.policy.capacity_services:
        return edited.study
    study = edited.study
    solved: Mapping[str, object] = default_catchments(study)
    return replace(study, catchments=solved)


def _carried(travel: NearestFacility, before: Int32Array, size: int) -> NearestFacility:
    """The walks with facilities by their new rows, -1 for those that are gone."""
    if np.array_equal(before, np.arange(size)):
        return travel
    row_of = np.full(size + 1, NOBODY, dtype=np.int32)  # the last for none
    old = np.flatnonzero(before != NOBODY)
    row_of[before[old]] = old
    return EditedWalks(travel, row_of, {})


def _with_cells(
    study: Study, city: City, travel: NearestFacility, cell_before: Int32Array, placed: Placed
) -> NearestFacility:
    """The walks of the cells as they are now: those there were, and those of new ones."""
    new = np.flatnonzero(cell_before == NOBODY)
    cell_cm, cell_facility = (
        held[:, np.where(cell_before == NOBODY, 0, cell_before)]
        for held in (travel.cell_cm, travel.cell_facility)
    )
    if len(new):
        # every service is asked on the facilities before: those that changed are renewed after
        cm, facility = from_positions(
            study.city, study.costs, study.travel, city.cells.position.take(new)
        )
        row_of = np.full(len(study.city.facilities) + 1, NOBODY, dtype=np.int32)
        old = np.flatnonzero(placed.before != NOBODY)
        row_of[placed.before[old]] = old
        cell_cm[:, new], cell_facility[:, new] = cm, row_of[facility]
    return NearestFacility(
        travel.services,
        cell_cm,
        cell_facility,
        travel.land_cm,
        travel.node_cm,
        travel.node_facility,
    )


def _renewed(city: City, study: Study, travel: NearestFacility, placed: Placed) -> NearestFacility:
    """The walks with those to services whose facilities moved as they are now."""
    travel = _with_services(city, study, travel, placed.moved - set(travel.services))
    services = [service for service in travel.services if service in placed.moved]
    if not services:
        return travel
    places = study.city.facilities
    mine = places.of_services(services)[places.attached_facility]
    rows = np.flatnonzero(mine)
    still = np.isin(np.arange(len(places)), placed.before)[places.attached_facility[rows]]
    gone = rows[~still]
    before = goals_of(
        study.costs,
        Attachments(places.attached_facility[gone], places.attachment.take(gone)),
    )
    return travel_to(city, study.costs, travel, services, before)


def _with_services(
    city: City, study: Study, travel: NearestFacility, missing: frozenset[str]
) -> NearestFacility:
    """The walks with those to services that had none."""
    if not missing:
        return travel
    more = travel_table(city, study.costs, sorted(missing))
    return NearestFacility(
        (*travel.services, *more.services),
        np.vstack((travel.cell_cm, more.cell_cm)),
        np.vstack((travel.cell_facility, more.cell_facility)),
        np.vstack((travel.land_cm, more.land_cm)),
        np.vstack((travel.node_cm, more.node_cm)),
        np.vstack((travel.node_facility, more.node_facility)),
    )
