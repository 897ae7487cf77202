"""Edits drawn on an area: what they change, before and after."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.travelling import mover_of
from lifecircle.analysis.policy.sections.profiles import WALK
from lifecircle.service.catalog import prepare_scenarios, scenario_document
from lifecircle.service.guards import NEAR, RoleFirst
from lifecircle.service.queries.questions import AreaName, Minutes, Name, OfYear, PlainQuery
from lifecircle.service.queries.reader import ReaderNow
from lifecircle.service.responses import JSON, UNCACHED, encode

router = APIRouter(tags=["scenario"], route_class=RoleFirst)

_EXAMPLE: dict[str, Any] = {
    "edits": [
        {
            "op": "add_facility",
            "service": "health_centre",
            "lon": 102.72,
            "lat": 25.04,
            "attributes": {"ownership": "government"},
        },
        {
            "op": "add_way",
            "kind": "footbridge",
            "coordinates": [[102.7201, 25.0402], [102.7216, 25.0409]],
        },
    ],
    "parts": ["services", "catchments"],
}


# Read by `read_edits`, which says what is wrong with anything else.
Drawn = Annotated[
    Any, WithJsonSchema({"anyOf": [{"type": "array", "items": {}}, {"type": "object"}]})
]


class ScenarioQuery(OfYear, PlainQuery):
    """What `/scenario` takes beside its body."""


class ScenarioBody(BaseModel):
    """Edits, as a list or a GeoJSON FeatureCollection, and what is asked about them."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [_EXAMPLE]}
    )

    edits: Drawn
    minutes: Minutes | None = None
    walker: Name = "adult"
    profile: Name = WALK
    by: Name | None = None
    parts: list[Literal["services", "catchments", "circles", "scorecard"]] = Field(
        default=["services", "catchments", "circles", "scorecard"], max_length=4
    )
    changed_cells: bool = False


class ScenarioBaseQuery(OfYear, PlainQuery):
    """Of which run and question the state before any edit is worked out."""

    walker: Name = "adult"
    by: Name | None = None


@router.get("/areas/{area}/scenario", dependencies=[NEAR])
async def prepare_scenario_base(
    reader: ReaderNow,
    area: AreaName,
    query: Annotated[ScenarioBaseQuery, Query()],
) -> Response:
    """Work out and keep what scenarios are compared with, so that the first one answers soon."""
    state = await reader.state_of(area, query)
    question = Question(walker=query.walker, by=query.by)
    document = await run_in_threadpool(prepare_scenarios, state, question)
    return Response(encode(document), media_type=JSON, headers=UNCACHED)


@router.post("/areas/{area}/scenario", dependencies=[NEAR])
async def try_scenario(
    reader: ReaderNow,
    area: AreaName,
    query: Annotated[ScenarioQuery, Query()],
    body: ScenarioBody,
) -> Response:
    """Before and after of facilities, ways and residents as drawn; nothing is stored."""
    reader.minutes(body.minutes)
    walker = mover_of(body.walker, body.profile)
    state = await reader.state_of(area, query, body.profile)
    document = await run_in_threadpool(
        scenario_document,
        state,
        Question(minutes=body.minutes, walker=walker, by=body.by),
        body.edits,
        parts=body.parts,
        changed_cells=body.changed_cells,
        lang=reader.lang,
    )
    return Response(encode(document), media_type=JSON, headers=UNCACHED)
