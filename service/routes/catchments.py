"""Catchments, the rule 3万–10万 and referral of an area."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, field_validator

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.service.apart.workshop import Apart, apart_if_large
from lifecircle.service.catalog.catchments import catchments_document
from lifecircle.service.catalog.tiers.referral import referral_document
from lifecircle.service.queries.questions import AreaName, Name, OfUnits, OfYear, PlainQuery
from lifecircle.service.queries.reader import ReaderNow
from lifecircle.service.responses import answer

router = APIRouter(tags=["areas"])


class CatchmentsQuery(OfYear, PlainQuery):
    """What `/catchments` takes."""

    service: Name | None = None
    minutes: str | None = Field(
        default=None,
        max_length=32,
    )
    walker: Name = "adult"
    closed: bool = False
    whole: bool = False
    estimates: bool = False
    by: Name | None = None

    @field_validator("minutes")
    @classmethod
    def _number_or_none(cls, given: str | None) -> str | None:
        if given is None or given == "none":
            return given
        if not math.isfinite(float(given)) or float(given) <= 0:
            raise ValueError("minutes above 0, or none")
        return given

    @property
    def question(self) -> Question:
        """What is asked of the study; infinite minutes are no limit."""
        minutes = None if self.minutes is None else float(self.minutes.replace("none", "inf"))
        return Question(self.service, minutes, self.walker, by=self.by)


@router.get("/areas/{area}/catchments")
async def show_catchments(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[CatchmentsQuery, Query()]
) -> Response:
    """Natural and balanced catchments: loads, capacity, who is unserved, each 街道's state."""
    limit = query.question.minutes
    if limit is not None and math.isfinite(limit):
        reader.minutes(limit)
    state = await reader.state_of(area, query)

    named = {
        "closed": query.closed,
        "whole": query.whole,
        "estimates": query.estimates,
        "lang": reader.lang,
    }
    produce = apart_if_large(Apart(_catchments, (state,), (query.question,), named))
    return await answer(request, state, reader.lang, produce)


def _catchments(runs: list[Run], question: Question, **named: Any) -> dict[str, Any]:
    return catchments_document(runs[0], question, **named)


class ReferralQuery(OfUnits, OfYear, PlainQuery):
    """What `/referral` takes; the minutes are those of the whole chain."""

    pass_by: bool = False


@router.get("/areas/{area}/referral")
async def show_referral(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[ReferralQuery, Query()]
) -> Response:
    """Station → centre → hospital: who has a whole chain within T, loads of both tiers, units."""
    if query.minutes is not None:
        reader.minutes(query.minutes)
    state = await reader.state_of(area, query)

    named = {"pass_by": query.pass_by, "lang": reader.lang}
    produce = Apart(_chains, (state,), (query.question,), named)

    return await answer(request, state, reader.lang, produce)


def _chains(
    runs: list[Run], question: Question, *, pass_by: bool, lang: Language
) -> dict[str, Any]:
    return referral_document(runs[0], question, pass_by=pass_by, lang=lang)
