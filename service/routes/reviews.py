"""Marks of reviews: reviewers write them, whoever may read reads them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.service.catalog.reviews import (
    check_reason,
    export_reviews,
    read_target,
    review_document,
    reviews_geojson,
)
from lifecircle.service.database.audit import history_of
from lifecircle.service.database.engine import Database
from lifecircle.service.database.kept import REVIEWS, Kept
from lifecircle.service.errors import MissingError
from lifecircle.service.guards import may_write, writer_of
from lifecircle.service.queries import AreaName, OfRun, Reader, ReaderNow
from lifecircle.service.queries_kept import (
    AtVersion,
    ChangedReview,
    Identity,
    NewReview,
    ReviewsQuery,
)
from lifecircle.service.responses import GEOJSON, JSON, XLSX, disposition, encode
from lifecircle.service.state import AreaState

router = APIRouter(tags=["reviews"])

UNCACHED: Final = {"cache-control": "no-store"}
_CREATED: Final[dict[int | str, dict[str, Any]]] = {201: {}}


@router.get("/areas/{area}/reviews")
async def list_reviews(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[ReviewsQuery, Query()]
) -> Response:
    """The marks of an area, matched with a run (the latest), the oldest first."""
    state = await reader.state(area, query.run)

    def produce() -> Any:
        found = [review_document(state, one) for one in _all(request, area)]
        found = [one for one in found if _wanted(one, query)]
        if query.f == "xlsx":
            return _table(found, reader)
        if query.f == "geojson":
            return reviews_geojson(found)
        return {
            "area": area,
            "run": state.name,
            "may_mark": may_write(request, "reviewer"),
            "reviews": found,
        }

    made = await run_in_threadpool(produce)
    if query.f == "xlsx":
        told = {**UNCACHED, "content-disposition": disposition(f"{area}-reviews.xlsx")}
        return Response(made, media_type=XLSX, headers=told)
    kind = GEOJSON if query.f == "geojson" else JSON
    return Response(encode(made), media_type=kind, headers=UNCACHED)


@router.get("/areas/{area}/reviews/{review}")
async def show_review(
    request: Request,
    reader: ReaderNow,
    area: AreaName,
    review: Identity,
    query: Annotated[OfRun, Query()],
) -> Response:
    """One mark with its history."""
    state = await reader.state(area, query.run)
    return _told(await run_in_threadpool(_document, request, area, state, review))


@router.post("/areas/{area}/reviews", responses=_CREATED)
async def add_review(
    request: Request, reader: ReaderNow, area: AreaName, body: NewReview
) -> Response:
    """Mark a gap, proposal, facility or unit."""
    writer = writer_of(request, "reviewer", body.author)
    check_reason(body.verdict, body.note)
    state = await reader.state(area, body.run)

    def add() -> dict[str, Any]:
        held = {
            **read_target(state, body.target.model_dump()),
            "verdict": body.verdict,
            "note": body.note,
            "author": (body.author or writer.name).strip(),
        }
        kept = REVIEWS.add(_database(request).engine(), area, held, writer)
        return _document(request, area, state, kept.id)

    document = await run_in_threadpool(add)
    answer = _told(document, 201)
    answer.headers["location"] = f"{reader.base}/areas/{document['area']}/reviews/{document['id']}"
    return answer


@router.put("/areas/{area}/reviews/{review}")
async def change_review(
    request: Request, reader: ReaderNow, area: AreaName, review: Identity, body: ChangedReview
) -> Response:
    """Change a mark, at the version that was read."""
    writer = writer_of(request, "reviewer", body.author)
    state = await reader.state(area)

    def change() -> dict[str, Any]:
        known = _at(_one(request, area, review), body.version)
        changes = body.model_dump(exclude_none=True, exclude={"version"})
        told = {**known.held, **changes}
        check_reason(told["verdict"], told["note"])
        changes["author"] = (body.author or writer.name).strip()
        REVIEWS.change(_database(request).engine(), known, changes, writer)
        return _document(request, area, state, review)

    return _told(await run_in_threadpool(change))


@router.delete("/areas/{area}/reviews/{review}")
async def delete_review(
    request: Request,
    reader: ReaderNow,
    area: AreaName,
    review: Identity,
    query: Annotated[AtVersion, Query()],
) -> Response:
    """Show a mark no longer; the audit log keeps it."""
    writer = writer_of(request, "reviewer")
    reader.areas.current(area)

    def drop() -> None:
        kept = _one(request, area, review)
        engine = _database(request).engine()
        REVIEWS.put_away(engine, kept.area, kept.id, query.version, writer)

    await run_in_threadpool(drop)
    return Response(status_code=204, headers=UNCACHED)


def _wanted(one: dict[str, Any], query: ReviewsQuery) -> bool:
    asked = (query.kind, query.service, query.verdict, query.matched)
    has = (one["target"]["kind"], one["target"]["service"], one["verdict"], one["matched"])
    return all(want is None or want == held for want, held in zip(asked, has, strict=True))


def _at(kept: Kept, version: int) -> Kept:
    """The record as whoever changes it knew it: the database refuses another version."""
    return Kept(kept.id, kept.area, version, kept.created, kept.changed, kept.held)


def _database(request: Request) -> Database:
    found: Database = request.app.state.database
    return found


def _all(request: Request, area: str) -> list[Kept]:
    database = _database(request)
    return REVIEWS.all_of(database.engine(), area) if database.there() else []


def _one(request: Request, area: str, identity: str) -> Kept:
    database = _database(request)
    if not database.there():
        raise MissingError("no_review", id=identity, area=area)
    return REVIEWS.one(database.engine(), area, identity)


def _document(request: Request, area: str, state: AreaState, identity: str) -> dict[str, Any]:
    kept = _one(request, area, identity)
    history = history_of(_database(request).engine(), REVIEWS.subject(identity))
    return review_document(state, kept, history)


def _told(document: Any, status: int = 200) -> Response:
    return Response(encode(document), status_code=status, media_type=JSON, headers=UNCACHED)


def _table(reviews: list[dict[str, Any]], reader: Reader) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.xlsx"
        export_reviews(reviews, path, reader.lang)
        return path.read_bytes()
