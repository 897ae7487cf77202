"""Who is asking: the service asked, its areas, the language to answer in, links' root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.errors import Language, ParameterError
from lifecircle.analysis.policy.sections.profiles import WALK
from lifecircle.service import i18n
from lifecircle.service.errors import RequestError
from lifecircle.service.settings import Settings
from lifecircle.service.state import Areas, AreaState, NamedRun, Warmth


class RunOrYear(Protocol):
    """A run by its name, or the latest of a year; neither: the current one."""

    @property
    def run(self) -> str | None:
        """The name."""

    @property
    def year(self) -> int | None:
        """The year."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is asking: the service asked, its areas, the language to answer in, links' root."""

    settings: Settings
    areas: Areas
    warmth: Warmth
    lang: Language
    base: str

    def address(self, *parts: str) -> str:
        """An address of the service, as links and headers may hold it: in ASCII."""
        return "/".join((self.base, *(quote(part, safe="") for part in parts)))

    async def state(self, area: str, run: str | None = None, profile: str = WALK) -> AreaState:
        """The run asked for (the latest by default), opened in a thread where it is not yet.

        `profile`: of travelling, on whose roads the run is asked.
        """
        held = self.areas.held(area, run)
        if held is None:
            held = await run_in_threadpool(self.areas.open, area, run)
        return held if profile == WALK else await run_in_threadpool(held.by_profile, profile)

    async def state_of(self, area: str, query: RunOrYear, profile: str = WALK) -> AreaState:
        """The run that a question names, or the latest of the year it names.

        Raises
        ------
        ParameterError : it names both.
        UnknownNameError : no run of that year.
        """
        return await self.state(area, await self.run_named(area, query), profile)

    async def run_named(self, area: str, query: RunOrYear) -> str | None:
        """The name of that run; None where the question names neither. Raises as `state_of`."""
        if query.year is None:
            return query.run
        if query.run is not None:
            raise ParameterError("run_and_year")
        return await run_in_threadpool(self.areas.run_of_year, area, query.year)

    async def beside(self, state: AreaState) -> tuple[NamedRun, ...]:
        """The latest run of every other year of an area, the earliest first: opened by whoever
        looks into them."""
        names = await run_in_threadpool(self.areas.other_years, state.area, state.name)
        return tuple(NamedRun(state.area, name, self.areas) for name in names)

    def minutes(self, asked: float | None) -> float | None:
        """The minutes asked for, refused beyond what the service computes."""
        limit = self.settings.max_minutes
        if asked is not None and asked > limit:
            raise RequestError("minutes_too_many", minutes=asked, limit=limit)
        return asked


def base_url(request: Request, settings: Settings) -> str:
    """Absolute address of the service without a trailing slash."""
    return (settings.base_url or str(request.base_url)).rstrip("/")


def language_of(request: Request) -> Language:
    """The language of whoever sent a request."""
    return i18n.negotiate(
        request.query_params.get("lang"),
        request.headers.get("accept-language"),
        request.app.state.settings.language,
    )


async def reader_of(request: Request) -> Reader:
    """The reader behind a request."""
    settings: Settings = request.app.state.settings
    held = request.app.state
    return Reader(
        settings, held.areas, held.warmth, language_of(request), base_url(request, settings)
    )


ReaderNow = Annotated[Reader, Depends(reader_of)]
