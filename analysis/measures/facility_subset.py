"""The same city with only some of its facilities, and the walks to those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from lifecircle.analysis.access.nearest import travel_table
from lifecircle.analysis.city.model import Facilities
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import NOBODY, BoolArray, Int32Array, read_only


def with_only(study: Study, keep: BoolArray, services: Sequence[str]) -> Study:
    """A study of the city with the facilities kept (bool (f,)) and the walks to the `services`.

    A service that was assessed before stays assessed, also when none of its facilities is left:
    that there is none now is known.
    """
    city, costs = study.city, study.costs
    known = frozenset(service for service in services if city.assessed(service))
    chosen = replace(city, facilities=_kept(city.facilities, keep), surveyed=city.surveyed | known)
    return Study(chosen, travel_table(chosen, costs, services), study.policy, {}, costs)


def _kept(facilities: Facilities, keep: BoolArray) -> Facilities:
    place = np.full(len(facilities), NOBODY, dtype=np.int32)
    place[keep] = np.arange(int(keep.sum()), dtype=np.int32)
    attached = place[facilities.attached_facility]
    joined = np.flatnonzero(attached != NOBODY)

    def index(values: Int32Array) -> Int32Array:
        part = np.ascontiguousarray(values)
        read_only(part)
        return part

    return Facilities(
        id=facilities.id[keep],
        service_ids=facilities.service_ids,
        service=index(facilities.service[keep]),
        name=facilities.name[keep],
        geometry=facilities.geometry[keep],
        source=facilities.source[keep],
        attributes=MappingProxyType(
            {name: values[keep] for name, values in facilities.attributes.items()}
        ),
        unit=MappingProxyType(
            {level: index(values[keep]) for level, values in facilities.unit.items()}
        ),
        attached_facility=index(attached[joined]),
        attachment=facilities.attachment.take(joined),
    )
