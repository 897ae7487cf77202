"""Kept scenarios: planners write them, whoever may read reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.study_tables import export_scenario
from lifecircle.service.catalog.scenarios.compared import compare_scenarios, export_compared
from lifecircle.service.catalog.scenarios.kept import (
    edits_geojson,
    kept_document,
    question_of,
    rebase,
    work_out,
)
from lifecircle.service.database.kept import SCENARIOS, Kept
from lifecircle.service.encoding import disposition, file_bytes
from lifecircle.service.errors import ConflictError, RequestError
from lifecircle.service.guards import PLANNER, RoleFirst, writer_of
from lifecircle.service.queries.kept import (
    AtVersion,
    ChangedScenario,
    CompareScenarios,
    Identity,
    NewScenario,
    RebasedScenario,
    ScenarioFile,
)
from lifecircle.service.queries.questions import NOTHING_ELSE, AreaName
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.responses import GEOJSON, UNCACHED, XLSX, encode
from lifecircle.service.routes.shelves import (
    CREATED,
    all_kept,
    database_of,
    history_kept,
    one_kept,
    put_away,
    told,
    told_made,
)
from lifecircle.service.state import AreaState

router = APIRouter(tags=["scenarios"], route_class=RoleFirst)

MOST_COMPARED: Final = 10


class OneScenario(Convertor[str]):
    """The id of a scenario in a path: `compare` beside it is none, so that 405 and Allow are right.

    An id is of hexadecimal digits (`database.kept`), so no scenario is ever called that.
    """

    regex = "(?!compare$)[^/]+"

    def convert(self, value: str) -> str:
        """As it stands in the path."""
        return value

    def to_string(self, value: str) -> str:
        """As it stands in the path."""
        return value


register_url_convertor("scenario", OneScenario())


@router.get("/areas/{area}/scenarios", dependencies=[NOTHING_ELSE])
async def list_scenarios(request: Request, reader: ReaderNow, area: AreaName) -> Response:
    """All kept scenarios of an area, the oldest first, without their figures."""
    current = reader.areas.current(area)
    found = await run_in_threadpool(all_kept, request, SCENARIOS, area)
    shown = [kept_document(one, current, reader.lang) for one in found]
    return told({"area": area, "scenarios": shown})


@router.get("/areas/{area}/scenarios/compare")
async def compare_kept(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[CompareScenarios, Query()]
) -> Response:
    """Kept scenarios side by side: a row for each indicator."""
    reader.areas.current(area)
    ids = list(dict.fromkeys(one.strip() for one in query.ids.split(",") if one.strip()))
    if not 1 <= len(ids) <= MOST_COMPARED:
        raise RequestError("compare_how_many", most=MOST_COMPARED)

    def produce() -> Any:
        document = {
            "area": area,
            **compare_scenarios([one_kept(request, SCENARIOS, area, one) for one in ids]),
        }
        if query.f == "json":
            return document
        return file_bytes(
            "compared.xlsx", lambda path: export_compared(document, path, reader.lang)
        )

    made = await run_in_threadpool(produce)
    return told(made) if query.f == "json" else _file(made, f"{area}-scenarios.xlsx")


@router.get("/areas/{area}/scenarios/{scenario:scenario}")
async def show_scenario(
    request: Request,
    reader: ReaderNow,
    area: AreaName,
    scenario: Identity,
    query: Annotated[ScenarioFile, Query()],
) -> Response:
    """One kept scenario with edits, figures and history; or a file of it."""
    current = reader.areas.current(area)
    kept = await run_in_threadpool(one_kept, request, SCENARIOS, area, scenario)
    if query.f == "geojson":
        named = {"content-disposition": disposition(f"{_plain(kept)}.geojson")}
        body = encode(edits_geojson(kept.held["edits"]))
        return Response(body, media_type=GEOJSON, headers={**UNCACHED, **named})
    if query.f == "json":
        return told(await run_in_threadpool(_document, request, kept, current, reader))
    document = {**kept.held["results"], "edits": kept.held["edits"]}
    made = await run_in_threadpool(
        file_bytes, "scenario.xlsx", lambda path: export_scenario(document, path, reader.lang)
    )
    return _file(made, f"{_plain(kept)}.xlsx")


@router.post("/areas/{area}/scenarios", dependencies=[PLANNER], responses=CREATED)
async def keep_scenario(
    request: Request, reader: ReaderNow, area: AreaName, body: NewScenario
) -> Response:
    """Work out a scenario and keep it."""
    writer = writer_of(request, "planner", body.author)
    reader.minutes(body.minutes)
    state = await reader.state(area, body.run)
    question = Question(minutes=body.minutes, walker=body.walker, by=body.by)

    def keep() -> dict[str, Any]:
        held = {
            "title": body.title.strip(),
            "author": (body.author or writer.name).strip(),
            "note": body.note,
            **work_out(state, question, body.edits, lang=reader.lang),
        }
        kept = SCENARIOS.add(database_of(request).engine(), area, held, writer)
        return _document(request, kept, reader.areas.current(area), reader)

    document = await run_in_threadpool(keep)
    home = reader.address("areas", document["area"], "scenarios", document["id"])
    return told_made(document, home)


@router.put("/areas/{area}/scenarios/{scenario:scenario}", dependencies=[PLANNER])
async def change_scenario(
    request: Request, reader: ReaderNow, area: AreaName, scenario: Identity, body: ChangedScenario
) -> Response:
    """Change a kept scenario, at the version that was read."""
    writer = writer_of(request, "planner", body.author)
    reader.minutes(body.minutes)
    known = await run_in_threadpool(one_kept, request, SCENARIOS, area, scenario)
    _same(known, body.version)
    plain = ("title", "author", "note")
    given = body.model_dump(exclude_unset=True, exclude={"version"})
    changes = {name: given[name] for name in plain if given.get(name) is not None}
    again = set(given) - set(plain)
    state = await reader.state(area, body.run or known.held["run"]) if again else None

    def change() -> dict[str, Any]:
        if state is not None:
            changes.update(_worked_out(state, known, given, reader))
        kept = SCENARIOS.change(database_of(request).engine(), known, changes, writer)
        return _document(request, kept, reader.areas.current(area), reader)

    return told(await run_in_threadpool(change))


def _worked_out(
    state: AreaState, known: Kept, given: Mapping[str, Any], reader: Reader
) -> dict[str, Any]:
    """The figures of a scenario of which edits, run or question are others now."""
    asked = {**known.held["asked"]}
    asked.update({name: given[name] for name in ("minutes", "walker", "by") if name in given})
    edits = given.get("edits") or known.held["edits"]
    return work_out(state, question_of(asked), edits, lang=reader.lang)


@router.post("/areas/{area}/scenarios/{scenario}/rebase", dependencies=[PLANNER])
async def rebase_scenario(
    request: Request, reader: ReaderNow, area: AreaName, scenario: Identity, body: RebasedScenario
) -> Response:
    """Draw a kept scenario on another run; what no longer fits is named, and stops it."""
    writer = writer_of(request, "planner")
    known = await run_in_threadpool(one_kept, request, SCENARIOS, area, scenario)
    _same(known, body.version)
    state = await reader.state(area, body.run)

    def change() -> dict[str, Any]:
        found = rebase(state, known, leave_out=body.leave_out, lang=reader.lang)
        kept = known
        if found.held is not None:
            engine = database_of(request).engine()
            kept = SCENARIOS.change(engine, known, found.held, writer, "rebase")
        return {
            "run": state.run.manifest.run,
            "rebased": found.held is not None,
            "misfits": found.misfits,
            "scenario": _document(request, kept, reader.areas.current(area), reader),
        }

    return told(await run_in_threadpool(change))


@router.delete("/areas/{area}/scenarios/{scenario:scenario}", dependencies=[PLANNER])
async def delete_scenario(
    request: Request,
    reader: ReaderNow,
    area: AreaName,
    scenario: Identity,
    query: Annotated[AtVersion, Query()],
) -> Response:
    """Show a scenario no longer; the audit log keeps it."""
    writer = writer_of(request, "planner")
    reader.areas.current(area)

    return await put_away(request, SCENARIOS, (area, scenario), query.version, writer)


def _same(kept: Kept, version: int) -> None:
    """Refuse what was made from another version before anything is worked out."""
    if kept.version != version:
        raise ConflictError("changed_since", version=version, now=kept.version)


def _document(request: Request, kept: Kept, current: str, reader: Reader) -> dict[str, Any]:
    history = history_kept(request, SCENARIOS, kept.id)
    return kept_document(kept, current, reader.lang, history)


def _plain(kept: Kept) -> str:
    """The title as the name of a file."""
    return re.sub(r"[^\w -]", "_", kept.held["title"]).strip()[:80]


def _file(content: bytes, name: str) -> Response:
    named = {"content-disposition": disposition(name)}
    return Response(content, media_type=XLSX, headers={**UNCACHED, **named})
