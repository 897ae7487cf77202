"""How many places two lists both miss: of tags and of the bureau, by Chapman's estimate.

Two lists made without each other share some places; the fewer they share, the more there are that
neither knows. Where one list was copied from the other, or both pass by the same places, the
estimate is too low: it is a least, and says so.

Source
------
Chapman 1951 (estimate); Seber 1970 (variance); Chao 1987, Biometrics 43(4) (log-normal interval).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely

from lifecircle.analysis.city.model import City
from lifecircle.analysis.measures.question import Study, default_level
from lifecircle.analysis.policy.sections.doubts import doubts
from lifecircle.analysis.quantities import BoolArray
from lifecircle.analysis.readers.records.tables import FROM_TAGS


@dataclass(frozen=True, slots=True)
class Estimate:
    """Places of a service that tags and a list name (`mapped`, `listed`), `both` of them.

    `total`, `low`, `high`: places there are, with the interval; `unit`: index into
    ``city.units``, None for all that both lists cover.
    """

    unit: int | None
    mapped: int
    listed: int
    both: int
    total: float
    low: float
    high: float

    @property
    def known(self) -> int:
        """Places that one list at least names."""
        return self.mapped + self.listed - self.both

    @property
    def missed(self) -> float:
        """Places that neither names, at least."""
        return self.total - self.known


@dataclass(frozen=True, slots=True)
class Completeness:
    """Of one service: all that both lists cover, and the units that share enough by themselves.

    `whole` is None where too few places are in both lists (`both`) to say anything.
    """

    service: str
    mapped: int
    listed: int
    both: int
    whole: Estimate | None
    units: tuple[Estimate, ...]


def chapman(mapped: int, listed: int, both: int, unit: int | None = None) -> Estimate:
    """Places there are, by two lists of which `both` share some.

    Examples
    --------
    >>> found = chapman(20, 30, 14)
    >>> round(found.total, 1), round(found.low, 1), round(found.high, 1)
    (42.4, 38.0, 56.5)
    """
    total = (mapped + 1) * (listed + 1) / (both + 1) - 1
    known = mapped + listed - both
    missed = total - known
    if missed <= 0:
        return Estimate(unit, mapped, listed, both, float(known), float(known), float(known))
    spread = (mapped + 1) * (listed + 1) * (mapped - both) * (listed - both)
    variance = spread / ((both + 1) ** 2 * (both + 2))
    deviations = doubts().interval_deviations.value
    wide = math.exp(deviations * math.sqrt(math.log(1 + variance / missed**2)))
    return Estimate(unit, mapped, listed, both, total, known + missed / wide, known + missed * wide)


def completeness(study: Study, service: str) -> Completeness | None:
    """What two lists of a service say of each other; None where there are no two."""
    city = study.city
    tagged, told = _lists(city, service, _covered_by_list(study, service))
    mapped, listed, both = _counts(tagged, told)
    if not mapped or not listed:
        return None
    least = int(doubts().overlap_least.value)
    if both < least:  # then no unit shares enough either
        return Completeness(service, mapped, listed, both, None, ())
    level = default_level(city)
    judged = study.judged(service).unit
    units = []
    for i in city.units.of_level(level).tolist():
        mine = city.facilities.unit[level] == i
        counts = _counts(tagged & mine, told & mine)
        if judged[i] and counts[2] >= least:
            units.append(chapman(*counts, unit=i))
    return Completeness(service, mapped, listed, both, chapman(mapped, listed, both), tuple(units))


def _covered_by_list(study: Study, service: str) -> BoolArray:
    """Facilities (f,) that lie where the list of a service is complete."""
    places, extent = study.city.facilities, study.city.extents.get(service)
    inside = np.zeros(len(places), dtype=np.bool_)
    for unit in places.unit.values():
        inside |= unit >= 0
    if extent is None:
        return inside
    shapely.prepare(extent.geometry)
    there: BoolArray = shapely.intersects(extent.geometry, places.geometry)
    return inside & there


def _lists(city: City, service: str, covered: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Which facilities (f,) the tags name, and which a list does; a place merged is in both."""
    places = city.facilities
    mine = places.of_service(service) & covered
    tagged = mine & np.isin(places.source, FROM_TAGS)
    told = mine & ~tagged
    notes = (one for one in city.notes.same_places if one.service == service)
    merged = [one for one in notes if one.state == "merged"]
    of_tags = {one.kept for one in merged if {one.kept_source, one.other_source} & {*FROM_TAGS}}
    of_list = {one.kept for one in merged if {one.kept_source, one.other_source} - {*FROM_TAGS}}
    for i in np.flatnonzero(mine).tolist():
        tagged[i] |= places.id[i] in of_tags
        told[i] |= places.id[i] in of_list
    return tagged, told


def _counts(tagged: BoolArray, told: BoolArray) -> tuple[int, int, int]:
    both = tagged & told
    return int(tagged.sum()), int(told.sum()), int(both.sum())
