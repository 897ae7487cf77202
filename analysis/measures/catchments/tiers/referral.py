"""Referral 站 → 中心 → (社区)医院: who has no whole chain within T, and do both tiers hold?

A resident goes to a station or, where no station is nearer, to a centre at once; a station refers
to its nearest centre, a centre to its nearest hospital, both fixed by walking time. The time of a
chain is the sum of its legs. Who refers to whom, and T, is policy (`ReferralRule`).

Source: 15-minute circle of the plan; Şahin and Süral (2007), A review of hierarchical facility
location models (multi-flow, nested, coherent: a station belongs to one centre).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.catchments.tiers.chains import (
    Chains,
    Contact,
    Tiers,
    by_id,
    tiers_of,
)
from lifecircle.analysis.measures.catchments.tiers.flow import solve_referral
from lifecircle.analysis.measures.names import walker_of
from lifecircle.analysis.measures.question import Question, Study, checked_minutes
from lifecircle.analysis.measures.remarks import list_remarks, not_assessed, resting_on
from lifecircle.analysis.measures.residents import judged_persons, persons_of
from lifecircle.analysis.quantities import IntArray, limit_cm

Tier = Literal["station", "centre", "hospital"]


@dataclass(frozen=True, slots=True)
class Referral:
    """Who has a whole chain within the minutes and room on both tiers; persons by cell (c,).

    `missing`: tiers whose list or kind is not known; with any of them nothing is assessed.
    `unserved`: by reason, first match: ``no_station`` (no station or centre within the minutes),
    ``too_far`` (no whole chain within them), ``station_full`` (there would be room if stations
    had no maximum), ``centre_full``. `hospital_unknown`: centres of which nobody knows whether
    they are one; `served_most`: how many are served if all of them are. `legs_cm`: person-cm of
    the served to the first contact, from station to centre, from centre to hospital.
    """

    minutes: float
    walker: str
    group: str
    pass_by: bool
    missing: tuple[Tier, ...]
    residents: int
    not_assessed: int
    served: IntArray
    unserved: dict[str, IntArray]
    hospital_unknown: int
    served_most: int
    legs_cm: tuple[int, int, int]
    stations: Contact
    centres: Contact
    warnings: tuple[Warn, ...]

    @property
    def assessed(self) -> bool:
        """Whether all three tiers are known."""
        return not self.missing


def referral(study: Study, question: Question, *, pass_by: bool = False) -> Referral:
    """Chains station → centre → hospital within the minutes, with the maxima of both tiers.

    Parameters
    ----------
    question : its minutes are the longest whole chain, None = the policy's; its service and group
        do not count: the policy names the services, and whom a centre serves.
    pass_by : residents may pass a nearer station by and go to a centre at once. A detour by a
        station is never shorter, so nobody needs a station then.

    Raises
    ------
    UnknownNameError : no such walker.
    ParameterError : minutes not above 0 or beyond a day; the policy does not say who refers to
        whom.
    UnsolvedError : the flow ends without an optimum (no input is known to do that).
    """
    city, policy = study.city, study.policy
    rule = policy.capacities.referral
    if rule is None:
        raise ParameterError("referral_without_rule", policy=policy.id)
    walker = walker_of(policy, question.walker)
    minutes = checked_minutes(rule.minutes.value if question.minutes is None else question.minutes)
    tiers = tiers_of(city, policy, rule)
    persons = _judged(study, tiers)
    missing = _missing(city, tiers)
    chains = Chains.of(study, tiers, limit_cm(minutes, walker.speed_m_per_s), pass_by=pass_by)
    model = chains.model(persons)
    flow = solve_referral(model)
    most = int(flow.served.sum())
    if len(tiers.perhaps) and not missing:
        both = np.concatenate((tiers.hospital, tiers.perhaps))
        wide = replace(tiers, hospital=by_id(city, both))
        wider = Chains.of(study, wide, chains.limit_cm, pass_by=pass_by)
        most = int(solve_referral(wider.model(persons)).served.sum())
    return Referral(
        minutes=minutes,
        walker=walker.id,
        group=tiers.group,
        pass_by=pass_by,
        missing=missing,
        residents=int(persons.sum()),
        not_assessed=int(persons_of(city.cells, tiers.group).sum() - persons.sum()),
        served=chains.by_cell(flow.served),
        unserved=chains.unserved(persons, flow),
        hospital_unknown=len(tiers.perhaps),
        served_most=most,
        legs_cm=chains.legs_cm(model, flow),
        stations=chains.stations(flow),
        centres=chains.centres(flow),
        warnings=_remarks(study, tiers, missing),
    )


def _judged(study: Study, tiers: Tiers) -> IntArray:
    """Persons whom every list of the chain covers, int64 (c,)."""
    rule = tiers.rule
    persons = judged_persons(study, rule.centre, tiers.group)
    for service in (rule.station, rule.hospital):
        persons = np.minimum(persons, judged_persons(study, service, tiers.group))
    return persons


def _missing(city: City, tiers: Tiers) -> tuple[Tier, ...]:
    """The tiers of which too little is known for any answer."""
    rule = tiers.rule
    of_stations = tiers.station_capacity
    dumb_stations = of_stations is not None and len(of_stations.unknown) > 0
    open_tiers: dict[Tier, bool] = {
        "station": not city.assessed(rule.station) or (dumb_stations and not len(tiers.station)),
        "centre": not city.assessed(rule.centre)
        or (len(tiers.centre_capacity.unknown) > 0 and not len(tiers.centre)),
        "hospital": not city.assessed(rule.hospital)
        or (len(tiers.perhaps) > 0 and not len(tiers.hospital)),
    }
    return tuple(tier for tier, is_open in open_tiers.items() if is_open)


def _remarks(study: Study, tiers: Tiers, missing: tuple[Tier, ...]) -> tuple[Warn, ...]:
    """What a reader must know: unknown lists, capacities and kinds, lists of a part only."""
    city, policy, rule = study.city, study.policy, tiers.rule
    services = tuple(dict.fromkeys((rule.station, rule.centre, rule.hospital)))
    told = [*resting_on(city)]
    told += [not_assessed(policy.services[one]) for one in services if not city.assessed(one)]
    if len(tiers.perhaps):
        key = "referral_hospitals_unknown" if "hospital" in missing else "referral_hospitals_open"
        told.append(Warn(key, {"count": len(tiers.perhaps)}))
    for capacity in (tiers.station_capacity, tiers.centre_capacity):
        told += [] if capacity is None else capacity.warnings
    for one in services:
        told += list_remarks(study, policy.services[one], tiers.group)
    return tuple(told)
