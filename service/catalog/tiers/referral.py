"""Referral as a document: whole chains within T, both tiers with their loads, units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.catchments.tiers.chains import REASONS, Contact
from lifecircle.analysis.measures.catchments.tiers.referral import Referral, referral
from lifecircle.analysis.measures.question import Question, level_of, settle
from lifecircle.analysis.measures.residents import persons_of, sums_by, unknown_units
from lifecircle.analysis.quantities import CM_PER_M, NOBODY, SECONDS_PER_MINUTE, UNREACHED_CM
from lifecircle.analysis.results.ids import facility_ids
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import persons_in, remarks, title_of
from lifecircle.service.catalog.rests import rests_document

UNSERVED: Final = REASONS  # why residents have no whole chain, as the keys of the document
_LEGS = ("to_first", "to_centre", "to_hospital")


def without_chain(row: Mapping[str, Any]) -> int:
    """Residents of a unit's row who have no whole chain, for whatever reason; 0 where unknown."""
    return sum(row[reason] or 0 for reason in UNSERVED)


@dataclass(frozen=True, slots=True)
class ReferralAnswer:
    """What a map of referral shows: persons by cell, and the document."""

    found: Referral
    document: dict[str, Any]


def answer_referral(
    run: Run, question: Question, *, pass_by: bool = False, lang: Language = "zh"
) -> ReferralAnswer:
    """The same with the residents of every cell; see `referral_document`."""
    question = settle(run.study, question)
    level_of(run.city, question.by)
    found = referral(run.study, question, pass_by=pass_by)
    return ReferralAnswer(found, _document(run, question, found, lang))


def referral_document(
    run: Run, question: Question, *, pass_by: bool = False, lang: Language = "zh"
) -> dict[str, Any]:
    """Who has a whole chain station → centre → hospital within the minutes, and by unit.

    Figures are null where a tier is not known (``missing``) or nobody is counted.

    Raises
    ------
    UnknownNameError, ParameterError : as `measures.catchments.referral`, and no such level.
    """
    return answer_referral(run, question, pass_by=pass_by, lang=lang).document


def _document(run: Run, question: Question, found: Referral, lang: Language) -> dict[str, Any]:
    level = level_of(run.city, question.by)
    rule = run.policy.capacities.referral
    told = found.assessed and run.city.cells.counted
    served = int(found.served.sum())
    titles = {} if rule is None else {"station": rule.station, "centre": rule.centre}
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "services": {
            tier: {"service": one, "title": title_of(run.policy.services[one].title)}
            for tier, one in titles.items()
        },
        "minutes": found.minutes,
        "walker": found.walker,
        "group": found.group,
        "pass_by": found.pass_by,
        "by": level,
        "assessed": found.assessed,
        "missing": list(found.missing),
        "residents": persons_in(run, found.residents),
        "not_assessed": persons_in(run, found.not_assessed),
        "served": served if told else None,
        "served_most": found.served_most if told else None,
        "share": served / found.residents if told and found.residents else None,
        "unserved": {
            reason: int(found.unserved[reason].sum()) if told else None for reason in REASONS
        },
        "hospital_unknown": found.hospital_unknown,
        "mean_minutes": _mean_minutes(run, found, served) if told and served else None,
        "stations": _contacts(run, found, found.stations, told=told),
        "centres": _contacts(run, found, found.centres, told=told),
        "units": _units(run, found, level),
        "rests_on": [
            line
            for one in titles.values()
            for line in rests_document(run.study, Question(one, group=found.group))
        ],
        "warnings": remarks(found.warnings, lang),
    }


def _cm_per_minute(run: Run, found: Referral) -> float:
    speed = float(run.policy.walkers[found.walker].speed_m_per_s)
    return speed * CM_PER_M * SECONDS_PER_MINUTE


def _mean_minutes(run: Run, found: Referral, served: int) -> dict[str, float]:
    """What a served resident walks: each leg, and the whole chain."""
    scale = _cm_per_minute(run, found) * served
    legs = {name: cm / scale for name, cm in zip(_LEGS, found.legs_cm, strict=True)}
    return {**legs, "whole": sum(found.legs_cm) / scale}


def _contacts(run: Run, found: Referral, tier: Contact, *, told: bool) -> list[dict[str, Any]]:
    """Stations or centres; ``refers_to`` is a centre for stations, a hospital for centres."""
    ids, places = facility_ids(run), run.city.facilities
    english = places.attributes.get("name_en")
    per_minute = _cm_per_minute(run, found)

    def minutes(cm: int) -> float | None:
        return None if cm >= UNREACHED_CM or found.missing else cm / per_minute

    def names(facility: int) -> tuple[str | None, str | None]:
        if facility == NOBODY or places.name[facility] is None:
            return None, None
        return str(places.name[facility]), None if english is None else english[facility]

    rows = []
    for i, facility in enumerate(tier.facility.tolist()):
        load, most, goal = int(tier.load[i]), int(tier.maximum[i]), int(tier.refers_to[i])
        bound = None if most < 0 else most
        goal = NOBODY if found.missing else goal
        (name, name_en), (goal_name, goal_name_en) = names(facility), names(goal)
        rows.append(
            {
                "facility": ids[facility],
                "name": name,
                "name_en": name_en,
                "load": load if told else None,
                "max": bound,
                "full": load >= most if told and bound is not None else None,
                "refers_to": None if goal == NOBODY else ids[goal],
                "refers_to_name": goal_name,
                "refers_to_name_en": goal_name_en,
                "leg_minutes": minutes(int(tier.leg_cm[i])),
                "onward_minutes": minutes(int(tier.onward_cm[i])),
            }
        )
    return rows


def _units(run: Run, found: Referral, level: str) -> list[dict[str, Any]]:
    """Residents of every unit of a level, served and not, by reason."""
    city = run.city
    index, size = city.cells.unit[level], len(city.units.code)
    everyone = persons_of(city.cells, found.group)
    unserved = {reason: sums_by(index, size, found.unserved[reason]) for reason in REASONS}
    known, served = sums_by(index, size, everyone), sums_by(index, size, found.served)
    judged = served + np.sum(list(unserved.values()), axis=0)
    unknown = unknown_units(city, level)
    rows = []
    for i in city.units.of_level(level).tolist():
        told = found.assessed and not unknown[i] and bool(judged[i] or not known[i])
        rows.append(
            {
                "code": str(city.units.code[i]),
                "name": str(city.units.name[i]),
                "name_en": city.units.name_en[i],
                "residents": None if unknown[i] else int(known[i]),
                "not_assessed": None if unknown[i] else int(known[i] - judged[i]),
                "served": int(served[i]) if told else None,
                "share": int(served[i]) / int(judged[i]) if told and judged[i] else None,
                **{key: int(sums[i]) if told else None for key, sums in unserved.items()},
            }
        )
    return rows
