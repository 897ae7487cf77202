"""Whether proposed sites stay the best ones under other assumptions: siting asked in every draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import numpy as np

from lifecircle.analysis.access.sites import SiteWalks, walks_to_sites
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Question, Study, ask, covered, walks_to
from lifecircle.analysis.measures.residents import judged_persons, need_residents
from lifecircle.analysis.measures.robustness.beside import NOTHING, Beside
from lifecircle.analysis.measures.robustness.figures import asking_of
from lifecircle.analysis.measures.robustness.parameters import joint_draws, parameters_of
from lifecircle.analysis.measures.robustness.result import Band
from lifecircle.analysis.measures.robustness.robustness import band_of, draws_asked
from lifecircle.analysis.measures.robustness.world import Assumptions, Worlds
from lifecircle.analysis.measures.siting.candidates import Sites, siting_rules
from lifecircle.analysis.measures.siting.exact import best_sites
from lifecircle.analysis.measures.siting.problem import SiteProblem, pose_maximal_covering
from lifecircle.analysis.measures.siting.search import Chosen
from lifecircle.analysis.policy.sections.robustness import ranges

_NO_BAND: Final = Band(None, None, None)
_WORKERS: Final = 2  # threads that work beside each other; the answer is the same with any number


@dataclass(frozen=True, slots=True)
class FirmSite:
    """A candidate: in how many draws the best choice holds it (`chosen`), or one by it (`near`).

    `near`: a candidate within the policy's spacing of generated sites, itself included.
    `rank`: its place among the proposals, None where it is none. `new`: residents whom it covers
    and those before it do not, today and in the draws; of proposals alone.
    """

    site: int
    rank: int | None
    chosen: int
    near: int
    new: Band | None


@dataclass(frozen=True, slots=True)
class FirmProposals:
    """How firm the best `add` sites of a service stand.

    `sites`: the proposals in the order of what each adds, then the candidates that are chosen in
    their place, the most often first, as many again. `stays`: draws in which no choice of as many
    was found to cover more; `proven`: those of them in which none can. `share`: what the
    proposals cover of what the best choice of a draw does, between what most draws lie.
    """

    service: str
    draws: int
    seed: int
    candidates: int
    sites: tuple[FirmSite, ...]
    stays: int
    proven: int
    share: Band
    spacing_m: float


@dataclass(frozen=True, slots=True)
class _Tried:
    """One draw: what the proposals gain, each of them in turn, the best found, its bound."""

    mine: int
    each: tuple[int, ...]
    best: int
    bound: int
    chosen: tuple[int, ...]


def firm_proposals(
    study: Study,
    question: Question,
    sites: Sites,
    add: int,
    *,
    beside: Beside = NOTHING,
    draws: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> FirmProposals:
    """Whether the sites that cover most residents today do so in the joint draws as well.

    The draws are those of `robustness` with the same seed; the streets stay those of the run,
    and candidates join them where they do today. In each draw the question is asked anew, by
    greedy and interchange with their bound (the maximal covering location problem).

    Parameters
    ----------
    question : the service and walker; its other parts do not count.
    sites : the candidates, found on the run as it is.
    add : how many places.
    draws : joint draws, None = the packaged number.

    Raises
    ------
    UnknownNameError : no such service or walker.
    ParameterError : fewer than one place, draws out of range, a service nothing is known about,
        or residents nobody has counted.

    Source
    ------
    Church and ReVelle 1974; the share of the best that is kept is the robust (relative regret)
    reading of Kouvelis and Yu 1997.
    """
    need_residents(study.city)
    count = draws_asked(draws, seed)
    asked = ask(study, question)
    if walks_to(study, asked.service.id) is None:
        raise ParameterError("siting_not_assessed", title=asked.service.title)
    if add < 1:
        raise ParameterError("siting_how_many")
    fitting = beside.usable(study)
    asking = asking_of(study, Question(None, walker=asked.walker.id), fitting)
    given = [
        replace(one, other_barriers=False)
        for one in joint_draws(parameters_of(study, fitting), asking.worlds.doubts, count, seed)
    ]
    task = _Task(asking.worlds, asked.service.id, asked.walker.id, sites)
    task.prepare(given)
    spacing_m = siting_rules(study.policy).spacing_m.value
    first = best_sites(task.problem(Assumptions()), min(add, len(sites)), 0.0)
    if not len(first.sites):
        return FirmProposals(
            asked.service.id, count, seed, len(sites), (), 0, 0, _NO_BAND, spacing_m
        )
    tried = []
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        for one in pool.map(partial(task.tried, first=first), given):
            tried.append(one)
            if progress is not None:
                progress(len(tried), count)
    return _told(task, first, tried, seed)


@dataclass(frozen=True)
class _Task:
    """One service's question in many worlds; walks from the candidates are made once a street."""

    worlds: Worlds
    service: str
    walker: str
    sites: Sites
    _near: dict[object, SiteWalks] = field(default_factory=dict, repr=False, compare=False)

    def prepare(self, given: Sequence[Assumptions]) -> None:
        """Make what several draws share beforehand, so that threads only read it."""
        self.worlds.prepare(given)
        for one in (Assumptions(), *given):
            self._walks(one)

    def problem(self, given: Assumptions) -> SiteProblem:
        """Who is not covered in a world, and who would be by which candidate."""
        study = self.worlds.study_of(given, land=False)
        asked = ask(study, Question(self.service, walker=self.walker))
        walks = walks_to(study, self.service)
        assert walks is not None  # it is assessed, and places are drawn, not forgotten
        done = covered(walks.cell_cm, study.city.cells.position, asked.limit_cm)
        persons = judged_persons(study, self.service, TOTAL).astype(np.int64)
        near = self._walks(given).within(asked.limit_cm)
        return pose_maximal_covering(persons, done, near)

    def tried(self, given: Assumptions, first: Chosen) -> _Tried:
        """One draw: the proposals of today beside the best choice found there."""
        problem = self.problem(given)
        best = best_sites(problem, len(first.sites), 0.0)
        gains = [problem.value(first.sites[: k + 1]) for k in range(len(first.sites))]
        each = np.diff(gains, prepend=0)
        better = best.value > gains[-1]
        chosen = best.sites if better else first.sites
        value = max(best.value, gains[-1])
        return _Tried(
            gains[-1], tuple(each.tolist()), value, max(best.bound, value), tuple(chosen.tolist())
        )

    def _walks(self, given: Assumptions) -> SiteWalks:
        """Walks from cells to candidates, as far as anybody walks in any world."""
        key = (given.leg_m, given.flat, given.population in self.worlds.beside.residents
               and given.population)  # fmt: skip
        if key not in self._near:
            plain = Assumptions(leg_m=given.leg_m, flat=given.flat, population=given.population)
            study = self.worlds.study_of(plain, land=False)
            fast = self.worlds.study_of(Assumptions(speed=ranges().speed_high.value), land=False)
            most = ask(fast, Question(self.service, walker=self.walker)).limit_cm
            self._near[key] = walks_to_sites(
                study.costs, self.sites.attachments, len(self.sites), study.city.cells.position,
                most,
            )  # fmt: skip
        return self._near[key]


def _told(task: _Task, first: Chosen, tried: Sequence[_Tried], seed: int) -> FirmProposals:
    times = Counter(site for one in tried for site in one.chosen)
    xy_m, spacing_m = task.sites.xy_m, siting_rules(task.worlds.study.policy).spacing_m.value

    def beside(site: int) -> int:
        """Draws whose best choice has a place as near to a site as generated ones lie."""
        away = (np.hypot(*(xy_m[list(one.chosen)] - xy_m[site]).T) for one in tried)
        return sum(bool((metres <= spacing_m).any()) for metres in away)

    own = first.sites.tolist()
    listed = [
        FirmSite(
            site,
            k + 1,
            times[site],
            beside(site),
            band_of(float(first.gain[k]), [float(one.each[k]) for one in tried]),
        )
        for k, site in enumerate(own)
    ]
    others: Mapping[int, int] = {site: n for site, n in times.items() if site not in own}
    ranked = sorted(others, key=lambda site: (-others[site], site))[: len(own)]
    listed += [FirmSite(site, None, others[site], beside(site), None) for site in ranked]
    shares = [one.mine / one.best if one.best else 1.0 for one in tried]
    return FirmProposals(
        task.service,
        len(tried),
        seed,
        len(task.sites),
        tuple(listed),
        sum(one.mine == one.best for one in tried),
        sum(one.mine == one.bound for one in tried),
        band_of(1.0, shares),
        spacing_m,
    )
