"""What a reader may ask: one small model per question."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final, Literal

from fastapi import Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from lifecircle.analysis.errors import Language, ParameterError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.travelling import mover_of
from lifecircle.analysis.policy.sections.profiles import WALK
from lifecircle.service.errors import RequestError
from lifecircle.service.settings import Settings

Minutes = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Pair = Annotated[str, Field(max_length=200)]  # a setting: name=value
MOST_SETTINGS: Final = 100
AreaName = Annotated[str, Path(min_length=1, max_length=64)]


At = Annotated[str | None, Field(max_length=32)]


class Asked(BaseModel):
    """What every question takes; a parameter that nobody reads is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lang: Language | None = None


class PlainQuery(Asked):
    """What a document takes that has no other form: programs name it everywhere."""

    f: Literal["json"] | None = None


class GeoJsonQuery(Asked):
    """What a document in GeoJSON takes that has no other form."""

    f: Literal["json", "geojson"] | None = None


class PageOnlyQuery(Asked):
    """What a page takes that is no document."""

    f: Literal["html"] | None = None


class OfRun(Asked):
    """A question about one run of an area."""

    run: Name | None = None


class OfYear(OfRun):
    """A question about one run, named or by its year: wherever residents count.

    Not of what is about all years (`/growth`) or takes a year for another thing (`/scorecard`).
    """

    year: int | None = Field(default=None, ge=1900, le=2200)


class OfProfile(OfYear):
    """A question about one run, asked of whoever travels: on foot, or by a profile."""

    profile: Name = WALK


class OfWalker(Asked):
    """A question about walks; `question` is what the catalog takes."""

    minutes: Minutes | None = None
    walker: Name = "adult"

    @property
    def question(self) -> Question:
        """What is asked of the study."""
        named = ("service", "minutes", "walker", "group", "by", "at")
        asked = Question(**{name: getattr(self, name) for name in named if hasattr(self, name)})
        return replace(asked, walker=mover_of(self.walker, getattr(self, "profile", WALK)))


class OfService(OfWalker):
    """A question about the walks to one service or all."""

    service: Name | None = None


class OfUnits(OfWalker):
    """A question whose answer has a row for each unit."""

    by: Name | None = None


class OfPeople(OfService, OfUnits):
    """A question about the walks of some residents, by unit."""

    group: Name = "total"


class AreaQuery(OfYear):
    """What the summary of an area takes."""

    f: Literal["json", "html"] | None = None


class CoverageQuery(OfPeople, OfProfile, PlainQuery):
    """What `/coverage` takes."""

    at: At = None


class GrowthQuery(OfRun, PlainQuery):
    """What `/growth` takes."""

    by: Name | None = None
    group: Name = "total"


class EquityQuery(OfPeople, OfProfile, PlainQuery):
    """What `/equity` takes; the minutes are the floor of sufficiency."""


class CompareQuery(OfPeople, PlainQuery):
    """What `/compare` takes."""

    from_: Name | None = Field(default=None, alias="from")
    to: Name | None = None


class ReportQuery(OfYear):
    """What `/report` takes."""

    f: Literal["json", "html", "xlsx"] | None = None
    pages: Literal["zh", "en", "both"] | None = None
    set_: list[Pair] = Field(default=[], alias="set", max_length=MOST_SETTINGS)


class GapsQuery(OfPeople, OfProfile, GeoJsonQuery):
    """What `/gaps` takes; `by` may be ``none``: regions that are not cut at borders of units."""

    min_residents: int = Field(default=0, ge=0, le=2**53)
    at: At = None


class RobustnessQuery(OfYear):
    """What `/robustness` takes: no more draws than one request may cost."""

    service: Name | None = None
    walker: Name = "adult"
    by: Name | None = None
    draws: int = Field(default=50, ge=2, le=100)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    lists: bool = False
    propose: int | None = Field(default=None, ge=1, le=10)
    f: Literal["json", "html", "xlsx"] | None = None


class CirclesQuery(OfUnits, OfProfile, PlainQuery):
    """What `/circles` takes."""

    kind: Name | None = None
    at: At = None


class PointQuery(OfWalker, OfProfile, PlainQuery):
    """What `/point` takes."""

    lon: Longitude = Field()
    lat: Latitude = Field()


class IsochroneQuery(OfProfile, GeoJsonQuery):
    """What `/isochrone` takes."""

    lon: Longitude = Field()
    lat: Latitude = Field()
    minutes: str | None = Field(
        default=None,
        max_length=100,
    )
    walker: Name = "adult"
    direction: Literal["from", "to"] = "from"


class RunQuery(OfYear, PlainQuery):
    """What a question about nothing but a run takes."""


class RouteQuery(OfProfile, GeoJsonQuery):
    """What `/route` takes: `service`, or `to_lon` with `to_lat`."""

    lon: Longitude = Field()
    lat: Latitude = Field()
    service: Name | None = None
    to_lon: Longitude | None = None
    to_lat: Latitude | None = None
    walker: Name = "adult"

    @property
    def to_place(self) -> tuple[float, float] | None:
        """The other place; None where none is given.

        Raises
        ------
        ParameterError : one of its degrees is missing.
        """
        if self.to_lon is None and self.to_lat is None:
            return None
        if self.to_lon is None or self.to_lat is None:
            raise ParameterError("route_where_to")
        return self.to_lon, self.to_lat


class SearchQuery(OfYear, PlainQuery):
    """What `/search` takes."""

    q: Name = Field()


class MapQuery(OfService, OfUnits, OfProfile, PageOnlyQuery):
    """What a map page takes; a form sends what was left open as an empty text.

    A form sends its walker beside the profile, too: on the roads of a profile it does not count.
    """

    kind: Name | None = None
    variant: Literal["own", "all_at", "upgraded", "with_optional", "night"] | None = Field(
        default=None
    )
    from_: Name | None = Field(default=None, alias="from")

    solution: Name | None = None
    pass_by: bool | None = None
    scenario: Name | None = None

    @property
    def question(self) -> Question:
        """What is asked of the study."""
        asked = Question(self.service, self.minutes, self.walker, by=self.by)
        return asked if self.profile == WALK else replace(asked, walker=self.profile)

    @field_validator(
        "service", "minutes", "by", "run", "year", "kind", "variant", "from_", "solution",
        "scenario", "pass_by", mode="before",
    )  # fmt: skip
    @classmethod
    def _left_open(cls, given: object) -> object:
        return None if given == "" else given


class PieceQuery(OfProfile):
    """What a piece of a map page takes."""


class PageQuery(Asked):
    """What a page or document about the service itself takes."""

    f: Literal["json", "html"] | None = None


class TextQuery(Asked):
    """What a text takes that has no other form."""


async def plain_query(query: Annotated[PlainQuery, Query()]) -> PlainQuery:
    """The parameters of a document that takes none of its own, checked."""
    return query


async def page_only_query(query: Annotated[PageOnlyQuery, Query()]) -> PageOnlyQuery:
    """The parameters of a page that is no document, checked."""
    return query


async def text_query(query: Annotated[TextQuery, Query()]) -> TextQuery:
    """The parameters of a text, checked."""
    return query


async def page_query(query: Annotated[PageQuery, Query()]) -> PageQuery:
    """The parameters of a page that takes none of its own, checked."""
    return query


NOTHING_ELSE = Depends(plain_query)
PAGE_ELSE = Depends(page_query)
PAGE_ONLY = Depends(page_only_query)
TEXT_ONLY = Depends(text_query)


def minute_list(text: str | None, settings: Settings) -> list[float] | None:
    """The limits of isochrones, ascending and without repeats.

    Raises
    ------
    RequestError
        Not numbers, not positive, too many or too large.
    """
    if text is None:
        return None
    try:
        limits = sorted({float(part) for part in text.split(",")})
    except ValueError:
        raise RequestError("minutes_not_numbers", minutes=text) from None
    if not all(0 < limit <= settings.max_minutes for limit in limits):
        raise RequestError("minutes_too_many", minutes=text, limit=settings.max_minutes)
    if len(limits) > settings.max_isochrones:
        raise RequestError("too_many_isochrones", limit=settings.max_isochrones)
    return limits
