"""What may be written of kept scenarios and reviews: bodies and parameters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from lifecircle.service.queries.questions import (
    Asked,
    Latitude,
    Longitude,
    Minutes,
    Name,
    OfRun,
    PlainQuery,
)

Kind = Literal["gap", "proposal", "facility", "unit"]
Verdict = Literal["confirmed", "not_a_gap", "planned", "built", "wrong_data"]
Matched = Literal["same", "moved", "gone"]

# a line with something on it; texts with line breaks; neither with signs nobody sees
_LINE = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=_LINE)]
Note = Annotated[str, Field(max_length=4_000, pattern=_TEXT)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Edits = list[Any] | dict[str, Any]
Identity = Annotated[str, Path(min_length=1, max_length=16)]


class Body(BaseModel):
    """A body; a field that nobody reads is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NewScenario(Body):
    """A scenario to keep: its edits as those of `/scenario`."""

    title: Line
    author: Line | None = None
    note: Note = ""
    run: Name | None = None
    edits: Edits
    minutes: Minutes | None = None
    walker: Name = "adult"
    by: Name | None = None


class ChangedScenario(Body):
    """What is to change of the version that was read; what is left out stays."""

    version: Version
    title: Line | None = None
    author: Line | None = None
    note: Note | None = None
    run: Name | None = None
    edits: Edits | None = None
    minutes: Minutes | None = None
    walker: Name | None = None
    by: Name | None = None


class RebasedScenario(Body):
    """On which run a scenario shall stand (the latest), and whether misfits may be left out."""

    version: Version
    run: Name | None = None
    leave_out: bool = False


class ScenarioFile(Asked):
    """What one kept scenario takes."""

    f: Literal["json", "geojson", "xlsx"] = "json"


class CompareScenarios(Asked):
    """What comparing kept scenarios takes."""

    ids: str = Field(min_length=1, max_length=400)
    f: Literal["json", "xlsx"] = "json"


class AtVersion(Asked):
    """What deleting takes: with a version, only that one."""

    version: Version | None = None


class Target(Body):
    """What a mark is on: an id of its layer, or a place where the layer need not have it."""

    kind: Kind
    id: Line
    lon: Longitude | None = None
    lat: Latitude | None = None
    service: Name | None = None


class NewReview(Body):
    """A mark."""

    target: Target
    verdict: Verdict
    note: Note = ""
    author: Line | None = None
    run: Name | None = None


class ChangedReview(Body):
    """What is to change of the version that was read; what is left out stays."""

    version: Version
    verdict: Verdict | None = None
    note: Note | None = None
    author: Line | None = None


class ReviewQuery(OfRun, PlainQuery):
    """What one mark takes."""


class ReviewsQuery(OfRun):
    """What the list of marks takes."""

    kind: Kind | None = None
    service: Name | None = None
    verdict: Verdict | None = None
    matched: Matched | None = None
    f: Literal["json", "geojson", "xlsx"] = "json"
