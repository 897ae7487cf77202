"""What all processes share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from lifecircle.analysis.errors import Language, ParameterError

if TYPE_CHECKING:
    from lifecircle.analysis.results.store import Workspace
    from lifecircle.service.jobs.inbox import Inbox
    from lifecircle.service.state import AreaState

Tell = Callable[[str, float], None]  # key of the step under way, share done of the whole 0-1
Name = Annotated[str, Field(min_length=1, max_length=64)]
Year = Annotated[int, Field(ge=1900, le=2200)]
Minutes = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def silent(step: str, share: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a job is done: its workspace, a folder of its own, the language, who is told."""

    workspace: Path
    folder: Path
    lang: Language
    tell: Tell = silent


@dataclass(frozen=True, slots=True)
class Done:
    """What a job gave: the whole document, and the little that is told beside its state."""

    document: Mapping[str, Any]
    told: Mapping[str, Any]


class Process(BaseModel):
    """Something that can be asked for; `QUICK`: some of it within the time of a request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ID: ClassVar[str]
    QUICK: ClassVar[bool] = True

    area: Name

    def settled(self, workspace: Workspace, inbox: Inbox) -> Self:
        """The same with nothing left open that may change until it is done.

        Raises
        ------
        LifecircleError : something that it names is not there.
        """
        del workspace, inbox
        return self

    def files(self) -> tuple[str, ...]:
        """Ids of the files that it needs of the inbox."""
        return ()

    def asked(self, inbox: Inbox) -> Mapping[str, Any]:
        """What makes two orders the same, as plain values."""
        del inbox
        return self.model_dump(mode="json")

    @abstractmethod
    def work(self, bench: Bench) -> Done:
        """Do it, in a process of its own."""


class OfRun(Process):
    """Something that is asked of one run of an area; `DEAR`: in a process of its own, always."""

    DEAR: ClassVar[bool] = False

    run: Name | None = None
    year: Year | None = None

    def settled(self, workspace: Workspace, inbox: Inbox) -> Self:
        """The same of the run that is the latest now, or now of its year.

        Raises
        ------
        ParameterError : both a run and a year.
        LifecircleError : there is none.
        """
        del inbox
        run = self.run
        if self.year is not None:
            if run is not None:
                raise ParameterError("run_and_year")
            run = workspace.run_of_year(self.area, self.year)
        run = run or workspace.current(self.area)
        workspace.run_folder(self.area, run)
        return self.model_copy(update={"run": run, "year": None})

    def work(self, bench: Bench) -> Done:
        """The whole document, however long it takes."""
        from lifecircle.analysis.results.store import Workspace
        from lifecircle.service.state import AreaState

        bench.tell("job_step_open", 0.0)
        state = AreaState(Workspace(bench.workspace).open(self.area, self.opens))
        bench.tell("job_step_compute", 0.1)
        return Done(self.document(state, bench.lang, bench.tell), {"run": state.name})

    @property
    def opens(self) -> str | None:
        """The run that is opened for it."""
        return self.run

    @abstractmethod
    def document(
        self, state: AreaState, lang: Language, tell: Tell = silent, *, quick: bool = False
    ) -> Mapping[str, Any]:
        """The answer; `quick`: no more than what a request may cost, refused or cut short."""
