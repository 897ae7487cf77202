"""Questions of a run that may take long: where next, catchments, edits, robustness."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field

from lifecircle.analysis.errors import Language, ParameterError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.travelling import mover_of
from lifecircle.analysis.policy.sections.profiles import WALK
from lifecircle.service.errors import RequestError
from lifecircle.service.jobs.processes.common import Minutes, Name, OfRun, Tell, Year, silent

if TYPE_CHECKING:
    from lifecircle.analysis.results.store import Workspace
    from lifecircle.service.jobs.inbox import Inbox
    from lifecircle.service.state import AreaState

QUICK_S: Final = 3.0  # for the exact solver while somebody waits
QUICK_DRAWS: Final = 100
QUICK_STAGED: Final = 4  # new places over the years
QUICK_SETS: Final = 40  # sets of sites in each year
MOST_ADDED: Final = 50
MOST_STAGES: Final = 6
HowMany = Annotated[int, Field(ge=1, le=MOST_ADDED)]
Share = Annotated[float, Field(gt=0, le=1)]
Objective = Literal["covered", "person_minutes", "all", "capacity"]
Candidates = Annotated[
    str, Field(max_length=400, pattern=r"^(all|generated|planned|places(:[^\s:]+)?)$")
]
Part = Literal["services", "catchments", "circles", "scorecard"]
PARTS: Final[tuple[Part, ...]] = ("services", "catchments", "circles", "scorecard")


class Siting(OfRun):
    """Where the next places of a service go."""

    ID: ClassVar[str] = "siting"
    DEAR: ClassVar[bool] = True

    service: Name
    add: HowMany | None = None
    target: Share | None = None
    objective: Objective = "covered"
    candidates: Candidates = "all"
    minutes: Minutes | None = None
    walker: Name = "adult"
    stages: list[Year] = Field(default=[], max_length=MOST_STAGES)
    runs: list[Name] = Field(default=[], max_length=MOST_STAGES)
    per_stage: int | None = Field(default=None, ge=1, le=MOST_ADDED)
    time_limit: float = Field(default=60.0, ge=0, le=1_800, allow_inf_nan=False)

    def document(
        self, state: AreaState, lang: Language, tell: Tell = silent, *, quick: bool = False
    ) -> Mapping[str, Any]:
        """Proposals with their proven bound; `quick`: what is found within seconds."""
        del tell
        from lifecircle.service.catalog.siting.siting import siting_document
        from lifecircle.service.catalog.siting.task import SitingTask

        limit_s = min(self.time_limit, QUICK_S) if quick else self.time_limit
        if self.stages or self.runs:
            return self._staged(state, lang, limit_s, quick=quick)
        if self.per_stage is not None:
            raise RequestError("siting_per_stage_alone")
        task = SitingTask(
            self.add, self.target, self.objective, self.candidates, time_limit_s=limit_s
        )
        question = Question(self.service, self.minutes, self.walker)
        return siting_document(state.run, question, task, lang=lang)

    def settled(self, workspace: Workspace, inbox: Inbox) -> Self:
        """The same with its run named, or with the runs of its stages."""
        if not self.stages and not self.runs:
            return super().settled(workspace, inbox)
        named = self._runs(workspace)
        for one in named:
            workspace.run_folder(self.area, one)
        return self.model_copy(update={"stages": [], "runs": named})

    @property
    def opens(self) -> str | None:
        """The run that is opened for it: of stages the last."""
        return self.runs[-1] if self.runs else self.run

    def _runs(self, workspace: Workspace) -> list[str]:
        """A run for each stage.

        Raises
        ------
        ParameterError : stages beside runs, a run or a year; one year, or one twice.
        UnknownNameError : no run of a year.
        """
        if self.run is not None or self.year is not None or (self.stages and self.runs):
            raise ParameterError("siting_stages_run")
        if len(set(self.stages)) < len(self.stages):
            raise ParameterError("siting_stages_years")
        years = sorted(self.stages)
        return list(self.runs) or [workspace.run_of_year(self.area, year) for year in years]

    def _staged(
        self, state: AreaState, lang: Language, limit_s: float, *, quick: bool
    ) -> Mapping[str, Any]:
        """Which place first, and in which year; `quick`: from a shorter list of candidates."""
        from lifecircle.analysis.results.store import Workspace
        from lifecircle.service.catalog.siting.task import SitingTask
        from lifecircle.service.catalog.years.staged import stages_document

        most = QUICK_STAGED if quick else MOST_ADDED
        if self.target is not None:
            raise RequestError("siting_stages_others")
        if self.objective != "capacity" or not 1 <= (self.add or 0) <= most:
            raise RequestError("siting_stages_limit", limit=most)
        store = Workspace(state.run.path.parents[2])
        return stages_document(
            [store.open(self.area, one) for one in self._runs(store)],
            Question(self.service, self.minutes, self.walker),
            SitingTask(self.add, None, "capacity", self.candidates, time_limit_s=limit_s),
            per_stage=self.per_stage,
            lang=lang,
            **({"most_sets": QUICK_SETS} if quick else {}),
        )


class Catchments(OfRun):
    """Who belongs to which centre."""

    ID: ClassVar[str] = "catchments"

    service: Name | None = None
    minutes: Minutes | Literal["none"] | None = None
    walker: Name = "adult"
    closed: bool = False
    whole: bool = False
    estimates: bool = False
    by: Name | None = None

    def document(
        self, state: AreaState, lang: Language, tell: Tell = silent, *, quick: bool = False
    ) -> Mapping[str, Any]:
        """Natural and balanced catchments."""
        del tell, quick
        from lifecircle.service.catalog.catchments import catchments_document

        minutes = math.inf if self.minutes == "none" else self.minutes
        question = Question(self.service, minutes, self.walker, by=self.by)
        return catchments_document(
            state.run,
            question,
            closed=self.closed,
            whole=self.whole,
            estimates=self.estimates,
            lang=lang,
        )


class Referral(OfRun):
    """Who has a whole chain station → centre → hospital."""

    ID: ClassVar[str] = "referral"
    DEAR: ClassVar[bool] = True

    minutes: Minutes | None = None
    walker: Name = "adult"
    pass_by: bool = False
    by: Name | None = None

    def document(
        self, state: AreaState, lang: Language, tell: Tell = silent, *, quick: bool = False
    ) -> Mapping[str, Any]:
        """Chains within the minutes, loads of both tiers."""
        del tell, quick
        from lifecircle.service.catalog.tiers.referral import referral_document

        question = Question(None, self.minutes, self.walker, by=self.by)
        return referral_document(state.run, question, pass_by=self.pass_by, lang=lang)


class Scenario(OfRun):
    """What edits drawn on an area change."""

    ID: ClassVar[str] = "scenario"

    edits: list[Any] | dict[str, Any]
    minutes: Minutes | None = None
    walker: Name = "adult"
    profile: Name = WALK
    by: Name | None = None
    parts: list[Part] = Field(default=list(PARTS), max_length=4)
    changed_cells: bool = False

    def document(
        self, state: AreaState, lang: Language, tell: Tell = silent, *, quick: bool = False
    ) -> Mapping[str, Any]:
        """Before and after."""
        del tell, quick
        from lifecircle.service.catalog.scenarios.scenario import scenario_document

        state = state if self.profile == WALK else state.by_profile(self.profile)
        return scenario_document(
            state,
            Question(minutes=self.minutes, walker=mover_of(self.walker, self.profile), by=self.by),
            self.edits,
            parts=self.parts,
            changed_cells=self.changed_cells,
            lang=lang,
        )


class Robustness(OfRun):
    """Whether answers survive their assumptions."""

    ID: ClassVar[str] = "robustness"
    DEAR: ClassVar[bool] = True

    service: Name | None = None
    walker: Name = "adult"
    by: Name | None = None
    draws: int | None = Field(default=None, ge=2, le=10_000)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    lists: bool = True
    propose: HowMany | None = None

    def document(
        self, state: AreaState, lang: Language, tell: Tell = silent, *, quick: bool = False
    ) -> Mapping[str, Any]:
        """Bands and verdicts; `quick`: refused beyond what a request may cost."""
        from lifecircle.service.catalog.firm.robustness import (
            BUDGET,
            RobustnessTask,
            robustness_document,
        )

        if quick and (self.draws or 0) > QUICK_DRAWS:
            raise RequestError("process_only_as_job", limit=QUICK_DRAWS)

        def advance(done: int, of: int) -> None:
            tell("job_step_draws", 0.1 + 0.9 * done / max(of, 1))

        return robustness_document(
            state.run,
            Question(self.service, walker=self.walker, by=self.by),
            RobustnessTask(
                self.draws,
                self.seed,
                self.lists,
                BUDGET if quick else None,
                keep=not quick,
                propose=self.propose,
            ),
            progress=advance,
            lang=lang,
        )
