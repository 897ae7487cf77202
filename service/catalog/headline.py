"""One sentence about an area: what is worst against the plan, and what would mend it most."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.errors import Language, WorkspaceError
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Question, ask, covered, walks_to
from lifecircle.analysis.measures.residents import judged_persons
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.readings import ResidentsWithin
from lifecircle.analysis.policy.scorecard_model import AT_LEAST
from lifecircle.analysis.provenance import code_version
from lifecircle.analysis.results.bands import bands_stamp
from lifecircle.analysis.results.folders import headline_file, keep_beside
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import title_of
from lifecircle.service.catalog.firm.bands import NO_SPAN, Span, kept_bands, service_bands
from lifecircle.service.catalog.rests import rests_document
from lifecircle.service.catalog.siting.siting import siting_document
from lifecircle.service.catalog.siting.task import SitingTask

WALKER: Final = "adult"
_SHARE = "fraction"
_OF_SITE = (
    "lon", "lat", "unit_code", "unit_name", "unit_name_en", "near", "near_en", "near_m",
    "residents_new",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Promised:
    """What the plan promises of a service: a share 0-1, read as residents within `minutes`."""

    target: float
    minutes: float


@dataclass(frozen=True, slots=True)
class Worst:
    """The service farthest below its promise; persons of those who can be judged."""

    service: str
    promised: Promised
    residents: int
    not_covered: int

    @property
    def short(self) -> float:
        """By how much the share of residents within reach misses the target."""
        return self.promised.target - 1.0 + self.not_covered / self.residents


def promised_services(policy: Policy) -> dict[str, Promised]:
    """Services whose promise names a share and is read, too, as residents within a walk of them.

    The minutes are the widest that the promise is read at: nobody counts as out of reach whom
    one of its readings reaches.
    """
    found: dict[str, Promised] = {}
    for row in () if policy.scorecard is None else policy.scorecard.rows.values():
        if row.target is None or row.unit != _SHARE or row.direction != AT_LEAST:
            continue
        for reading in row.readings.values():
            if not isinstance(reading, ResidentsWithin) or len(reading.any_of) != 1:
                continue
            (service,) = reading.any_of
            said = None if reading.minutes is None else reading.minutes.value
            minutes = float(policy.services[service].minutes.value if said is None else said)
            target = float(row.target.value)
            if service in found:
                target = max(target, found[service].target)
                minutes = max(minutes, found[service].minutes)
            found[service] = Promised(target, minutes)
    return found


def worst_service(run: Run) -> Worst | None:
    """The assessed service farthest below its promise; None where none is below one.

    Ties go to the earlier service of the plan.
    """
    rows = []
    for service, promised in promised_services(run.policy).items():
        walks = walks_to(run.study, service) if service in run.travel.services else None
        persons = judged_persons(run.study, service, TOTAL)
        if walks is None or not persons.sum():
            continue
        limit_cm = ask(run.study, Question(service, promised.minutes)).limit_cm
        reached = covered(walks.cell_cm, run.city.cells.position, limit_cm)
        left = int(persons[~reached].sum())
        rows.append(Worst(service, promised, int(persons.sum()), left))
    worst = max(rows, key=lambda row: row.short, default=None)
    return worst if worst is not None and worst.short > 0 else None


def _span(run: Run, worst: Worst, share: float) -> Span:
    """The band kept of the share within reach, if it is of these very minutes."""
    if kept_bands(run, WALKER) is None:
        return NO_SPAN
    question = Question(worst.service, worst.promised.minutes, WALKER)
    bands = service_bands(run, coverage(run.study, question, capacity=False))
    return NO_SPAN if bands is None else bands.span(TOTAL, share)


def kept_headline(run: Path) -> dict[str, Any] | None:
    """The sentence kept beside a run (its folder) by this version, with the bands of now.

    None where there is none, or where what lies there is no such sentence.
    """
    try:
        held = json.loads(headline_file(run).read_bytes())
        document: dict[str, Any] = held["document"]
        same = held["stamp"] == _stamp(run) and document["run"] == run.name
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return document if same else None


def headline_of(run: Run, *, lang: Language = "zh") -> dict[str, Any]:
    """The document of the headline as kept beside the run; worked out and kept where it is not.

    A workspace that cannot be written keeps none, nor does a run that lies in no folder.
    """
    document = kept_headline(run.path)
    if document is None:
        document = headline_document(run, lang=lang)
        if not run.path.name:
            return document
        content = json.dumps({"stamp": _stamp(run.path), "document": document}, ensure_ascii=False)
        with suppress(WorkspaceError):
            keep_beside(headline_file(run.path), content.encode(), run.manifest.area)
    return document


def _stamp(run: Path) -> str:
    """What the sentence rests on beside the run, which never changes."""
    return f"{code_version()} {bands_stamp(run)}"


def headline_document(run: Run, *, lang: Language = "zh") -> dict[str, Any]:
    """The worst service of an area and the one new place that would reach most residents."""
    head = {"area": run.manifest.area, "run": run.manifest.run}
    worst = worst_service(run) if run.city.cells.counted else None
    if worst is None:
        told = (
            "service", "title", "minutes", "target", "residents", "not_covered", "P", "P_low",
            "P_high", "site",
        )  # fmt: skip
        return {**head, **dict.fromkeys(told), "rests_on": [], "warnings": []}
    question = Question(worst.service, worst.promised.minutes)
    found = siting_document(run, question, SitingTask(add=1), lang=lang)
    site = next(iter(found["proposals"]), None)
    share = (worst.residents - worst.not_covered) / worst.residents
    low, high = _span(run, worst, share)
    return {
        **head,
        "service": worst.service,
        "title": title_of(run.policy.services[worst.service].title),
        "minutes": worst.promised.minutes,
        "target": worst.promised.target,
        "residents": worst.residents,
        "not_covered": worst.not_covered,
        "P": share,
        "P_low": low,
        "P_high": high,
        "site": None if site is None else {name: site[name] for name in _OF_SITE},
        "rests_on": rests_document(run.study, question),
        "warnings": [],
    }
