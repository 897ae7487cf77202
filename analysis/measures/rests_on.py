"""What an answer about a service rests on: the few doubts that touch it, the most serious first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from lifecircle.analysis.city.placement import DATUM_DOUBTS
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.completeness import Completeness, completeness
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.remarks import ILLUSTRATIVE, list_remarks
from lifecircle.analysis.measures.residents import persons_of
from lifecircle.analysis.policy import Service
from lifecircle.analysis.policy.sections.doubts import doubts
from lifecircle.analysis.policy.sections.tag_quality import tag_quality
from lifecircle.analysis.readers.records.tables import FROM_TAGS

Severity = Literal["serious", "weighty", "minor"]

SEVERITIES: Final[tuple[Severity, ...]] = ("serious", "weighty", "minor")
FOLD: Final = 5  # lines before a fold
_SHORT: Final = ("short_piece", "residents_short_pieces")
_CUT: Final = ("osm_dropped", "osm_areas_cut", "osm_areas_broken", "osm_land_incomplete")
_GUESSED: Final = ("graph_crs_unknown",)


@dataclass(frozen=True, slots=True)
class Rest:
    """One doubt: how serious it is, and the remark that says it.

    `of_service`: it is about the service; others touch every answer about the area.
    """

    severity: Severity
    warn: Warn
    of_service: bool = True


def rests_on(study: Study, question: Question, *, edge: int | None = None) -> tuple[Rest, ...]:
    """What an answer about ``question.service`` rests on, the most serious first.

    Parameters
    ----------
    edge : residents not covered who live at the edge of the service's list, where that is known.

    Examples
    --------
    >>> import lifecircle as lc
    >>> from lifecircle.analysis.measures.rests_on import rests_on
    >>> rests_on(lc.tiny_town().study, lc.Question("health_centre"))
    ()
    """
    service = study.policy.services[str(question.service)]
    found = [
        *_list(study, service, question.group, edge),
        *(_tags(study, service) if study.city.assessed(service.id) else ()),
        *_few(study, service),
        *_incomplete(study, service),
        *_modelled(study, question.group),
        *_noticed(study),
    ]
    return tuple(sorted(found, key=lambda one: SEVERITIES.index(one.severity)))


def by_share(share: float) -> Severity:
    """How serious it is that a share of the residents, or of the places, is in doubt."""
    if share >= doubts().share_serious.value:
        return "serious"
    return "weighty" if share >= doubts().share_told.value else "minor"


def _list(study: Study, service: Service, group: str, edge: int | None) -> Iterator[Rest]:
    persons = persons_of(study.city.cells, group)
    everyone = max(1, int(persons.sum()))
    for warn in list_remarks(study, service, group, edge):
        yield Rest(by_share(warn.params["residents"] / everyone), warn)


def _tags(study: Study, service: Service) -> Iterator[Rest]:
    """A service that only tags name: which way P is wrong, and by what that is known."""
    places = study.city.facilities
    mine = places.of_service(service.id)
    count = int(mine.sum())
    declared = service.id in study.city.surveyed or service.id in study.city.extents
    if not count or declared or not np.isin(places.source[mine], FROM_TAGS).all():
        return
    told = {"title": service.title, "count": count}
    known, good = tag_quality().get(service.id), doubts().tags_good.value
    if known is None or known.precision.value is None or known.recall.value is None:
        yield Rest("serious", Warn("rest_tags_unlabelled", told))
        return
    precise, full = known.precision.value >= good, known.recall.value >= good
    told |= {"precision": known.precision.value, "recall": known.recall.value}
    bound = "lower" if precise else "upper" if full else "open"
    yield Rest("weighty" if precise and full else "serious", Warn(f"rest_tags_{bound}", told))


def _few(study: Study, service: Service) -> Iterator[Rest]:
    """Fewer places than so many residents would have, of a list that nobody declared complete."""
    city = study.city
    judged = study.judged(service.id).cell
    residents = int(city.cells.residents[judged].sum())
    count = int(city.facilities.of_service(service.id).sum())
    declared = service.id in city.surveyed or service.id in city.extents
    most = doubts().residents_per_place.value
    if service.capacity is not None:
        most = max(most, service.capacity.maximum.value)
    if not count or declared or residents <= most * count:
        return
    told = {"title": service.title, "count": count, "residents": residents}
    yield Rest("serious", Warn("rest_few", {**told, "each": residents // count}))


def _incomplete(study: Study, service: Service) -> Iterator[Rest]:
    found = completeness(study, service.id)
    if found is None:
        return
    if found.whole is None:
        told = _counted(service, found)
        yield Rest("weighty", Warn("rest_overlap_small", told))
        return
    share = found.whole.missed / max(1.0, found.whole.total)
    yield Rest(by_share(share), incomplete(service, found))


def incomplete(service: Service, found: Completeness) -> Warn:
    """The remark of an estimate; there is one (`whole`)."""
    whole = found.whole
    assert whole is not None
    missed = {
        "missed": round(whole.missed),
        "low": round(whole.low - whole.known),
        "high": round(whole.high - whole.known),
    }
    return Warn("rest_incomplete", {**_counted(service, found), **missed})


def _counted(service: Service, found: Completeness) -> dict[str, object]:
    counts = {"mapped": found.mapped, "listed": found.listed, "both": found.both}
    return {"title": service.title, **counts}


def _modelled(study: Study, group: str) -> Iterator[Rest]:
    """Residents spread by a model, and how many another way would put elsewhere."""
    cells = study.city.cells
    persons = persons_of(cells, group)
    spread, everyone = int(persons[np.asarray(cells.modelled)].sum()), int(persons.sum())
    if not spread or any(warning.key == ILLUSTRATIVE for warning in study.city.warnings):
        return  # an illustration says so itself, before all else
    rows = [row for row in study.city.notes.spread if row.moved is not None]
    compared, moved = (sum(getattr(row, n) or 0 for row in rows) for n in ("residents", "moved"))
    told = {"share": spread / everyone, "residents": spread}
    if not compared:
        yield Rest("weighty", Warn("rest_modelled", told), of_service=False)
        return
    told |= {"moved": moved, "compared": compared, "doubt": moved / compared}
    severity = by_share(moved / compared * spread / everyone)
    yield Rest(severity, Warn("rest_modelled_compared", told), of_service=False)


def _noticed(study: Study) -> Iterator[Rest]:
    """What the build noticed, as it said it then: residents reckoned from buildings, datums,
    streets cut off, short pieces."""
    everyone = max(1, int(study.city.cells.residents.sum()))
    for warn in study.city.warnings:
        key = str(warn.params.get("fault", warn.key))
        if key in (ILLUSTRATIVE, *DATUM_DOUBTS, *_GUESSED):
            yield Rest("serious", warn, of_service=False)
        elif key in _CUT:
            yield Rest("weighty", warn, of_service=False)
        elif key in _SHORT:
            residents = int(str(warn.params.get("residents", 0)))
            yield Rest(by_share(residents / everyone), warn, of_service=False)
