"""What a map of proposals shows: those kept last for a question, else some found at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.access.isochrone import isochrones
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.question import Asked, Question, Study, ask, settle, walks_to
from lifecircle.analysis.quantities import Int32Array
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.proposals import kept, sites_of, walks_with
from lifecircle.service.catalog.siting.siting import positions_of, shown, siting_of
from lifecircle.service.catalog.siting.task import SitingTask

_NO_WAY_DISC_M: Final = 50.0


@dataclass(frozen=True, slots=True)
class ProposalsAnswer:
    """What a map of proposals shows: the document, where the sites join the streets, the walks of
    the cells before and after, and how far one walks from each site (polygons in metres)."""

    asked: Asked
    document: dict[str, Any]
    sites: Attachments
    before: Int32Array
    after: Int32Array
    remarks: tuple[Warn, ...]
    reach: tuple[shapely.Geometry, ...]


def answer_proposals(run: Run, question: Question, add: int, lang: Language) -> ProposalsAnswer:
    """The proposals kept last for this very question, else some found at once.

    Raises
    ------
    ParameterError : as `place_sites`.
    """
    study = run.study
    question = settle(study, question)
    asked = ask(study, question)
    service = asked.service.id
    walks = walks_to(study, service)
    fitting = [
        one
        for one in kept(run, service)
        if one["minutes"] == asked.minutes and one["walker"] == asked.walker.id
    ]
    if fitting and walks is not None and service in run.travel.services:
        document = fitting[-1]
        sites = sites_of(document)
        before, after = np.asarray(walks.cell_cm), walks_with(run, study.costs, service, sites)
        remarks = tuple(Warn(w["key"], w["params"]) for w in document["warnings"])
    else:
        task = SitingTask(add=add)
        found = siting_of(study, question, task)
        document = shown(run, found, task.source, lang)
        positions = positions_of(found)
        owner = np.repeat(np.arange(len(positions), dtype=np.int32), [len(p) for p in positions])
        at = found.sites.attachments
        rows = [np.flatnonzero(at.facility == p.site) for p in found.proposals]
        chosen = np.concatenate([*rows, np.zeros(0, dtype=np.int64)]).astype(np.int64)
        sites = Attachments(owner, at.position.take(chosen))
        before, after, remarks = found.cell_cm_before, found.cell_cm_after, found.warnings
    count = len(document["proposals"])
    reach = tuple(_reach(study, sites, k, asked.limit_cm) for k in range(count))
    return ProposalsAnswer(asked, document, sites, before, after, remarks, reach)


def _reach(study: Study, sites: Attachments, k: int, limit_cm: int) -> shapely.Geometry:
    """How far one walks from a site, for the eye; a small disc where no street leads away."""
    rows = np.flatnonzero(sites.facility == k)
    first = sites.position.take(rows[:1])
    drawn = isochrones(study.city.network, study.costs, first, [limit_cm])
    if not drawn or drawn[0] is None or drawn[0].is_empty:
        return shapely.Point(first.xy_m[0]).buffer(_NO_WAY_DISC_M)
    return drawn[0]
