"""What a reader may ask of the scorecard: its settings as parameters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from lifecircle.service.queries import Name, OfRun

Metres = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]


class ScorecardQuery(OfRun):
    """What `/scorecard` takes; a form sends what was left open as an empty text."""

    f: Literal["json", "csv", "xlsx", "html"] | None = Field(
        default=None, description="json, csv, xlsx or html"
    )
    level: Name | None = Field(default=None, description="unit level with figures of its units")
    walker: Name = Field(default="adult", description="a walker of the policy")
    year: int | None = Field(
        default=None, ge=1900, le=2200, description="no statistics of a later year"
    )
    rule_or: Name | None = Field(default=None, description="A01: either, A or B")
    overload: Name | None = Field(default=None, description="A01 overloaded: met or not_met")
    adjacent_m: Metres | None = Field(default=None, description="A04: metres; 100 by default")
    adjacent_by: Name | None = Field(default=None, description="A04: network or straight")
    elder_headline: Name | None = Field(default=None, description="A05: U, P5 or P15")
    childcare_base: Name | None = Field(
        default=None, description="A07: both, community or township"
    )
    catchment: Name | None = Field(default=None, description="reading C: open or closed")
    population: Name | None = Field(default=None, description="a unit's residents: cells or units")
    walk: Name | None = Field(default=None, description="ceiling (1,000 m) or floor (800 m)")
    missing: Name | None = Field(
        default=None, description="judging with data missing: range, known or worst"
    )
    unquantified: Name | None = Field(
        default=None, description="rows without a number: watch or judge"
    )

    @field_validator("level", "year", "run", "adjacent_m", mode="before")
    @classmethod
    def _left_open(cls, given: object) -> object:
        return None if given == "" else given

    def settings(self) -> dict[str, str | float]:
        """The answers given to what the plan leaves open."""
        others = {*OfRun.model_fields, "f", "level", "walker", "year"}
        given = self.model_dump(exclude=others, exclude_none=True)
        return {str(name): value for name, value in given.items()}
