"""What a reader may ask of the scorecard: its settings as parameters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from lifecircle.service.queries import Name, OfRun

Metres = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]


class ScorecardQuery(OfRun):
    """What `/scorecard` takes; a form sends what was left open as an empty text."""

    f: Literal["json", "csv", "xlsx", "html"] | None = None
    level: Name | None = None
    walker: Name = "adult"
    year: int | None = Field(default=None, ge=1900, le=2200)
    rule_or: Name | None = None
    overload: Name | None = None
    adjacent_m: Metres | None = None
    adjacent_by: Name | None = None
    elder_headline: Name | None = None
    childcare_base: Name | None = None
    catchment: Name | None = None
    population: Name | None = None
    walk: Name | None = None
    missing: Name | None = None
    unquantified: Name | None = None

    @field_validator("level", "year", "run", "adjacent_m", mode="before")
    @classmethod
    def _left_open(cls, given: object) -> object:
        return None if given == "" else given

    def settings(self) -> dict[str, str | float]:
        """The answers given to what the plan leaves open."""
        others = {*OfRun.model_fields, "f", "level", "walker", "year"}
        given = self.model_dump(exclude=others, exclude_none=True)
        return {str(name): value for name, value in given.items()}
