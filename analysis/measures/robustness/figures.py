"""What is looked at in every try: coverage, circles, and the verdicts of the scorecard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.measures.catchments.most_served import share_served
from lifecircle.analysis.measures.circles import circle_table
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import (
    Question,
    Study,
    ask,
    covered,
    level_of,
    walks_to,
)
from lifecircle.analysis.measures.robustness.beside import NOTHING, Beside
from lifecircle.analysis.measures.robustness.world import Assumptions, Worlds
from lifecircle.analysis.measures.scorecard.card import checked_settings, deciding, row_verdict
from lifecircle.analysis.measures.scorecard.context import Ground
from lifecircle.analysis.measures.scorecard.result import Status
from lifecircle.analysis.policy.scorecard_model import Scorecard
from lifecircle.analysis.quantities import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class Figures:
    """One try (s services, k units, c cells).

    `P`, `C` float64 (s,), `unit_P` float64 (s, k): NaN where nobody is assessed, `C` also where the
    run has no such reading. `near` bool (s, c): covered cells. `circles`: by kind the share of
    residents with a complete circle, None while it is unknown for some. `status`, `value`: by row
    of the scorecard.
    """

    P: FloatArray
    unit_P: FloatArray
    C: FloatArray
    near: BoolArray
    circles: Mapping[str, float | None]
    status: Mapping[str, Status]
    value: Mapping[str, float | None]


@dataclass(frozen=True)
class Asking:
    """What is asked in every try: services, walker, level of units, and rows of the scorecard.

    `bounded`: services that have a reading C.
    """

    worlds: Worlds
    services: tuple[str, ...]
    walker: str
    level: str
    bounded: frozenset[str] = frozenset()

    def figures(self, given: Assumptions) -> Figures:
        """The figures under some assumptions."""
        study, ground = self._looked_at(given)
        status: dict[str, Status] = {}
        value: dict[str, float | None] = {}
        if ground is not None:
            for name, row in ground.scorecard.rows.items():
                status[name], outcome = row_verdict(ground, row)
                value[name] = outcome.value
        near, P, unit_P = self._reached(study)
        homes = self.worlds.at_home(given)
        if homes is not given:  # the run's own cells, wherever else people live
            near = self._reached(self.worlds.study_of(homes, land=False))[0]
        circles = {kind: _complete(study, self.walker, kind) for kind in study.policy.circles}
        return Figures(P, unit_P, self._served(study), near, circles, status, value)

    def _served(self, study: Study) -> FloatArray:
        """Reading C of the services that have one."""
        told = np.full(len(self.services), np.nan)
        for s, service in enumerate(self.services):
            if service in self.bounded:
                share = share_served(study, Question(service, walker=self.walker))
                told[s] = np.nan if share is None else share
        return told

    def verdicts(self, given: Assumptions, rows: Iterable[str]) -> Mapping[str, Status]:
        """The status of some rows alone under some assumptions."""
        _, ground = self._looked_at(given)
        if ground is None:
            return {}
        return {name: row_verdict(ground, ground.scorecard.rows[name])[0] for name in rows}

    def _looked_at(self, given: Assumptions) -> tuple[Study, Ground | None]:
        """The study under some assumptions, and what its scorecard stands on."""
        card = self.worlds.study.policy.scorecard
        if card is None:
            return self.worlds.study_of(given, land=False), None
        answers = checked_settings(card, given.answers)
        study = self.worlds.study_of(given, land=needs_land(card, answers))
        return study, Ground(study, card, answers, self.walker, None)

    def _reached(self, study: Study) -> tuple[BoolArray, FloatArray, FloatArray]:
        """Cells covered, and coverage P in all and by unit."""
        city = study.city
        index, persons = city.cells.unit[self.level], city.cells.residents
        inside = index >= 0
        sizes = len(self.services), len(city.units.code)
        near = np.zeros((sizes[0], len(city.cells)), dtype=np.bool_)
        P, unit_P = np.full(sizes[0], np.nan), np.full(sizes, np.nan)
        for s, service in enumerate(self.services):
            walks = walks_to(study, service)
            if walks is None:
                continue
            judged = study.judged(service).cell
            limit = ask(study, Question(service, walker=self.walker)).limit_cm
            near[s] = judged & covered(walks.cell_cm, city.cells.position, limit)
            known, reached = np.where(judged, persons, 0), np.where(near[s], persons, 0)
            if known.sum():
                P[s] = int(reached.sum()) / int(known.sum())
            whole, served = (
                np.bincount(index[inside], weights=one[inside], minlength=sizes[1])
                for one in (known, reached)
            )
            np.divide(served, whole, out=unit_P[s], where=whole > 0)
        return near, P, unit_P


def needs_land(card: Scorecard, answers: Mapping[str, str | float]) -> bool:
    """Whether any verdict rests on residential land under some settings."""
    return any(
        row.readings[name].kind == "land_within"
        for row in card.rows.values()
        for name in deciding(row, answers)
    )


def asking_of(study: Study, question: Question, beside: Beside = NOTHING) -> Asking:
    """What is asked of a study in every try; `beside` as in `Worlds`, all of it usable.

    Raises
    ------
    UnknownNameError : no such service, walker or level.
    """
    every = tuple(one for one in study.policy.services if one in study.travel.services)
    asked = every if question.service is None else (ask(study, question).service.id,)
    walker = ask(study, question.about(every[0])).walker.id
    bounded = {
        one
        for one in asked
        if one in study.policy.capacity_services
        and coverage(study, Question(one, walker=walker)).total.C is not None
    }
    worlds = Worlds(study, every, beside)
    return Asking(worlds, asked, walker, level_of(study.city, question.by), frozenset(bounded))


def _complete(study: Study, walker: str, kind: str) -> float | None:
    """Residents with a complete circle ÷ residents; None while it is unknown for some."""
    table = circle_table(study, Question(walker=walker), kind=kind)
    persons = study.city.cells.residents
    whole = int(persons.sum())
    if whole == 0 or int(persons[table.state < 0].sum()):
        return None
    return int(persons[table.state == 1].sum()) / whole
