"""Questions of a run that may take long: where next, catchments, edits, robustness."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.question import Question
from lifecircle.service.jobs.processes.common import Minutes, Name, OfRun, Tell, silent

if TYPE_CHECKING:
    from lifecircle.service.state import AreaState

QUICK_S: Final = 3.0  # for the exact solver while somebody waits
QUICK_DRAWS: Final = 100
MOST_ADDED: Final = 50
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

    service: Name
    add: HowMany | None = None
    target: Share | None = None
    objective: Objective = "covered"
    candidates: Candidates = "all"
    minutes: Minutes | None = None
    walker: Name = "adult"
    time_limit: float = Field(default=60.0, ge=0, le=1_800, allow_inf_nan=False)

    def document(
        self, state: AreaState, lang: Language, tell: Tell = silent, *, quick: bool = False
    ) -> Mapping[str, Any]:
        """Proposals with their proven bound; `quick`: what is found within seconds."""
        del tell
        from lifecircle.service.catalog.siting.siting import siting_document
        from lifecircle.service.catalog.siting.task import SitingTask

        limit_s = min(self.time_limit, QUICK_S) if quick else self.time_limit
        task = SitingTask(
            self.add, self.target, self.objective, self.candidates, time_limit_s=limit_s
        )
        question = Question(self.service, self.minutes, self.walker)
        return siting_document(state.run, question, task, lang=lang)


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


class Scenario(OfRun):
    """What edits drawn on an area change."""

    ID: ClassVar[str] = "scenario"

    edits: list[Any] | dict[str, Any]
    minutes: Minutes | None = None
    walker: Name = "adult"
    by: Name | None = None
    parts: list[Part] = Field(default=list(PARTS), max_length=4)
    changed_cells: bool = False

    def document(
        self, state: AreaState, lang: Language, tell: Tell = silent, *, quick: bool = False
    ) -> Mapping[str, Any]:
        """Before and after."""
        del tell, quick
        from lifecircle.service.catalog.scenarios.scenario import scenario_document

        return scenario_document(
            state,
            Question(minutes=self.minutes, walker=self.walker, by=self.by),
            self.edits,
            parts=self.parts,
            changed_cells=self.changed_cells,
            lang=lang,
        )


class Robustness(OfRun):
    """Whether answers survive their assumptions."""

    ID: ClassVar[str] = "robustness"

    service: Name | None = None
    walker: Name = "adult"
    by: Name | None = None
    draws: int | None = Field(default=None, ge=2, le=10_000)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    lists: bool = True

    def document(
        self, state: AreaState, lang: Language, tell: Tell = silent, *, quick: bool = False
    ) -> Mapping[str, Any]:
        """Bands and verdicts; `quick`: refused beyond what a request may cost."""
        from lifecircle.service.catalog.robustness import (
            BUDGET,
            RobustnessTask,
            robustness_document,
        )
        from lifecircle.service.errors import RequestError

        if quick and (self.draws or 0) > QUICK_DRAWS:
            raise RequestError("process_only_as_job", limit=QUICK_DRAWS)

        def advance(done: int, of: int) -> None:
            tell("job_step_draws", 0.1 + 0.9 * done / max(of, 1))

        return robustness_document(
            state.run,
            Question(self.service, walker=self.walker, by=self.by),
            RobustnessTask(
                self.draws, self.seed, self.lists, BUDGET if quick else None, keep=not quick
            ),
            progress=advance,
            lang=lang,
        )
