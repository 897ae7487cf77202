"""The chains 站 → 中心 → (社区)医院 of a city: tiers, references by walking time, whole walks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lifecircle.analysis.access.nearest import service_attachments
from lifecircle.analysis.access.od_matrix import (
    SparseODMatrix,
    nearest_walks,
    service_facilities,
    walks_within,
)
from lifecircle.analysis.city.model import City
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.capacity import Capacity, capacity_of
from lifecircle.analysis.measures.catchments.tiers.flow import ReferralFlow, ReferralModel
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.sections.capacity import ReferralRule
from lifecircle.analysis.quantities import NOBODY, UNREACHED_CM, BoolArray, Int32Array, IntArray

REASONS: Final = ("no_station", "too_far", "station_full", "centre_full")
_NO_WAY: Final = int(UNREACHED_CM)


@dataclass(frozen=True, slots=True)
class Contact:
    """A station or centre (k,), in the order of ids: what it may take, takes, and whom it sends to.

    `facility` int32: indices into ``city.facilities``. `maximum` int64, -1 = none known to the
    policy. `load` int64. `refers_to` int32: index into ``city.facilities``, -1 none.
    `leg_cm` int64: to that one. `onward_cm` int64: to the hospital; `UNREACHED_CM` without a way.
    """

    facility: Int32Array
    maximum: IntArray
    load: IntArray
    refers_to: Int32Array
    leg_cm: IntArray
    onward_cm: IntArray


@dataclass(frozen=True, slots=True)
class Tiers:
    """What a policy says of the facilities of a city, in the order of ids.

    `capacity`: of stations (None: the policy has no rule for them) and centres. `hospital`,
    `perhaps` int32: facilities that are a hospital, and those of which nobody knows.
    """

    rule: ReferralRule
    group: str
    station: Int32Array
    station_capacity: Capacity | None
    centre: Int32Array
    centre_capacity: Capacity
    hospital: Int32Array
    perhaps: Int32Array


def tiers_of(city: City, policy: Policy, rule: ReferralRule) -> Tiers:
    """The facilities of the three tiers; those of unknown capacity are not offered."""
    of_centres = capacity_of(city, policy, rule.centre)
    of_stations = None
    station = service_facilities(city, rule.station)
    if rule.station in policy.capacity_services:
        of_stations = capacity_of(city, policy, rule.station)
        station = of_stations.facility
    rows = service_facilities(city, rule.hospital)
    yes, unknown = np.ones(len(rows), dtype=np.bool_), np.zeros(len(rows), dtype=np.bool_)
    if rule.hospital_attribute is not None:
        words = city.facilities.words(rule.hospital_attribute)[rows]
        yes = np.array([word in rule.hospital_values for word in words], dtype=np.bool_)
        unknown = np.array([word is None for word in words], dtype=np.bool_)
    return Tiers(
        rule,
        of_centres.group,
        by_id(city, station),
        of_stations,
        by_id(city, of_centres.facility),
        of_centres,
        by_id(city, rows[yes]),
        by_id(city, rows[unknown]),
    )


def by_id(city: City, rows: Int32Array) -> Int32Array:
    """Facilities in the order of their ids as texts, so that no order of rows settles a tie."""
    ids = city.facilities.id
    return np.array(sorted(rows.tolist(), key=lambda row: str(ids[row])), dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Chains:
    """All chains within the limit, from the first contacts on.

    `arcs`: cells to stations (0 to s - 1) and centres, cost = the whole chain; `first_cm` int64
    (r,): their first legs. `near` bool (c,): a station or centre lies within the limit. The
    others as `Contact` has them; `centre_of` int32 (s,): rows of the centres.
    """

    tiers: Tiers
    limit_cm: int
    arcs: Arcs
    first_cm: IntArray
    near: BoolArray
    centre_of: Int32Array
    station_leg_cm: IntArray
    station_onward_cm: IntArray
    hospital_of: Int32Array
    centre_leg_cm: IntArray
    order: IntArray

    @classmethod
    def of(cls, study: Study, tiers: Tiers, limit_cm: int, *, pass_by: bool) -> Chains:
        """Of the cells of a study, in the order of ids; see `referral`."""
        city, rule = study.city, tiers.rule
        centre_of, station_leg = _nearest(study, tiers.station, rule.centre, tiers.centre)
        hospital_of, centre_leg = _nearest(study, tiers.centre, rule.hospital, tiers.hospital)
        onward = np.append(centre_leg, _NO_WAY)[centre_of]
        passed_on = (station_leg < _NO_WAY) & (onward < _NO_WAY)
        station_onward = np.where(passed_on, station_leg + onward, _NO_WAY)
        _, place = study.cell_names
        order = np.argsort(place, kind="stable")
        people = city.cells.position.take(order)
        walks = [
            walks_within(study.costs, service_attachments(city, service), people, rows, limit_cm)
            for service, rows in ((rule.station, tiers.station), (rule.centre, tiers.centre))
        ]
        first = _joined(walks, len(tiers.station))
        near = np.diff(first.start) > 0
        if not pass_by:
            first = first.keep(~_past_a_station(first, len(tiers.station)))
        whole = first.cost + np.concatenate((station_onward, centre_leg))[first.centre]
        within = whole <= limit_cm
        arcs = replace(first, cost=whole).keep(within)
        return cls(
            tiers, limit_cm, arcs, first.cost[within], near, centre_of,
            station_leg, station_onward, hospital_of, centre_leg, order,
        )  # fmt: skip

    def model(self, persons: IntArray) -> ReferralModel:
        """The flow of some persons (c,) along the chains."""
        of_stations = self.tiers.station_capacity
        everyone = np.full(len(self.tiers.station), persons.sum(), dtype=np.int64)
        most = _maxima(of_stations, self.tiers.station)
        return ReferralModel(
            persons[self.order],
            self.arcs,
            self.centre_of,
            everyone if of_stations is None else most,
            _maxima(self.tiers.centre_capacity, self.tiers.centre),
        )

    def unserved(self, persons: IntArray, flow: ReferralFlow) -> dict[str, IntArray]:
        """Persons of every cell (c,) by reason."""
        people, reach = persons[self.order], np.diff(self.arcs.start) > 0
        by_reason = {
            "no_station": np.where(self.near, 0, people),
            "too_far": np.where(self.near & ~reach, people, 0),
            "station_full": flow.station_full,
            "centre_full": flow.centre_full,
        }
        return {reason: self.by_cell(by_reason[reason]) for reason in REASONS}

    def by_cell(self, values: IntArray) -> IntArray:
        """Values in the order of ids put back to that of the cells."""
        back = np.empty_like(values)
        back[self.order] = values
        return back

    def legs_cm(self, model: ReferralModel, flow: ReferralFlow) -> tuple[int, int, int]:
        """Person-centimetres of the three legs; they add up to those of the whole chains."""
        contact, on_arc, stations = self.arcs.centre, flow.on_arc, len(self.centre_of)
        by_station = contact < stations
        second = np.append(self.station_leg_cm, 0)[np.where(by_station, contact, stations)]
        legs = (self.first_cm, second, model.arcs.cost - self.first_cm - second)
        first, middle, last = (int((on_arc * leg).sum()) for leg in legs)
        return first, middle, last

    def stations(self, flow: ReferralFlow) -> Contact:
        """The stations with their loads."""
        tiers = self.tiers
        return Contact(
            tiers.station,
            _maxima(tiers.station_capacity, tiers.station),
            flow.station_load,
            np.append(tiers.centre, NOBODY)[self.centre_of].astype(np.int32),
            self.station_leg_cm,
            self.station_onward_cm,
        )

    def centres(self, flow: ReferralFlow) -> Contact:
        """The centres with their loads."""
        tiers = self.tiers
        return Contact(
            tiers.centre,
            _maxima(tiers.centre_capacity, tiers.centre),
            flow.centre_load,
            np.append(tiers.hospital, NOBODY)[self.hospital_of].astype(np.int32),
            self.centre_leg_cm,
            self.centre_leg_cm,
        )


def _maxima(capacity: Capacity | None, rows: Int32Array) -> IntArray:
    """The maxima of some facilities, int64 (k,), -1 where the policy has none."""
    if capacity is None:
        return np.full(len(rows), -1, dtype=np.int64)
    found = dict(zip(capacity.facility.tolist(), capacity.maximum.tolist(), strict=True))
    return np.array([found[row] for row in rows.tolist()], dtype=np.int64)


def _joined(walks: list[SparseODMatrix], stations: int) -> Arcs:
    """Walks to stations and to centres, which are numbered after them."""
    of_stations, of_centres = walks
    return Arcs.from_pairs(
        len(of_stations),
        np.concatenate((of_stations.position, of_centres.position)),
        np.concatenate((of_stations.facility, of_centres.facility + np.int32(stations))),
        np.concatenate((of_stations.cm, of_centres.cm)),
    )


def _past_a_station(first: Arcs, stations: int) -> BoolArray:
    """Which walks lead to a centre although a station is nearer, bool (r,)."""
    of_station = first.centre < stations
    nearest = np.full(len(first), _NO_WAY, dtype=np.int64)
    np.minimum.at(nearest, first.cell[of_station], first.cost[of_station])
    past: BoolArray = ~of_station & (first.cost > nearest[first.cell])
    return past


def _nearest(
    study: Study, origin: Int32Array, service: str, goals: Int32Array
) -> tuple[Int32Array, IntArray]:
    """The nearest goal of each origin, int32 (k,) into `goals`, -1 none, and the walk, int64 cm.

    Of goals as near the first counts. One that is a goal itself is its own, 0 cm away. From
    wherever it is entered it is left as well.
    """
    city = study.city
    found = np.full(len(origin), NOBODY, dtype=np.int32)
    walk = np.full(len(origin), _NO_WAY, dtype=np.int64)
    row = np.full(len(city.facilities), NOBODY, dtype=np.int32)
    row[origin] = np.arange(len(origin), dtype=np.int32)
    mine = np.flatnonzero(row[city.facilities.attached_facility] >= 0)
    if len(mine) and len(goals):
        doors = city.facilities.attachment.take(mine)
        starts = replace(doors, until_m=None).followed_by(doors.ends)
        owner = np.tile(row[city.facilities.attached_facility[mine]], 2)
        at = service_attachments(city, service)
        near = nearest_walks(study.costs, at, starts, goals, 1)
        of_origin = owner[near.position]
        order = np.lexsort((near.facility, near.cm, of_origin))
        _, first = np.unique(of_origin[order], return_index=True)
        best = order[first]
        found[of_origin[best]], walk[of_origin[best]] = near.facility[best], near.cm[best]
    place = np.full(len(city.facilities), NOBODY, dtype=np.int32)
    place[goals] = np.arange(len(goals), dtype=np.int32)
    itself = place[origin] >= 0
    return (
        np.where(itself, place[origin], found).astype(np.int32),
        np.where(itself, 0, walk),
    )
