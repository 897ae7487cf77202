"""Marks of reviews: reviewers write them, whoever may read reads them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.service.catalog.reviews import (
    check_reason,
    export_reviews,
    read_target,
    review_document,
    reviews_geojson,
)
from lifecircle.service.database.kept import REVIEWS, Kept
from lifecircle.service.encoding import disposition, file_bytes
from lifecircle.service.guards import REVIEWER, RoleFirst, may_write, writer_of
from lifecircle.service.queries.kept import (
    AtVersion,
    ChangedReview,
    Identity,
    NewReview,
    ReviewQuery,
    ReviewsQuery,
)
from lifecircle.service.queries.questions import AreaName
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.responses import GEOJSON, JSON, UNCACHED, XLSX, encode
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

router = APIRouter(tags=["reviews"], route_class=RoleFirst)


@router.get("/areas/{area}/reviews")
async def list_reviews(
    request: Request, reader: ReaderNow, area: AreaName, query: Annotated[ReviewsQuery, Query()]
) -> Response:
    """The marks of an area, matched with a run (the latest), the oldest first."""
    state = await reader.state(area, query.run)

    def produce() -> Any:
        found = [review_document(state, one) for one in all_kept(request, REVIEWS, area)]
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
        named = {**UNCACHED, "content-disposition": disposition(f"{area}-reviews.xlsx")}
        return Response(made, media_type=XLSX, headers=named)
    kind = GEOJSON if query.f == "geojson" else JSON
    return Response(encode(made), media_type=kind, headers=UNCACHED)


@router.get("/areas/{area}/reviews/{review}")
async def show_review(
    request: Request,
    reader: ReaderNow,
    area: AreaName,
    review: Identity,
    query: Annotated[ReviewQuery, Query()],
) -> Response:
    """One mark with its history."""
    state = await reader.state(area, query.run)
    return told(await run_in_threadpool(_document, request, area, state, review))


@router.post("/areas/{area}/reviews", dependencies=[REVIEWER], responses=CREATED)
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
        kept = REVIEWS.add(database_of(request).engine(), area, held, writer)
        return _document(request, area, state, kept.id)

    document = await run_in_threadpool(add)
    home = reader.address("areas", document["area"], "reviews", document["id"])
    return told_made(document, home)


@router.put("/areas/{area}/reviews/{review}", dependencies=[REVIEWER])
async def change_review(
    request: Request, reader: ReaderNow, area: AreaName, review: Identity, body: ChangedReview
) -> Response:
    """Change a mark, at the version that was read."""
    writer = writer_of(request, "reviewer", body.author)
    state = await reader.state(area)

    def change() -> dict[str, Any]:
        known = _at(one_kept(request, REVIEWS, area, review), body.version)
        changes = body.model_dump(exclude_none=True, exclude={"version"})
        now = {**known.held, **changes}
        check_reason(now["verdict"], now["note"])
        changes["author"] = (body.author or writer.name).strip()
        REVIEWS.change(database_of(request).engine(), known, changes, writer)
        return _document(request, area, state, review)

    return told(await run_in_threadpool(change))


@router.delete("/areas/{area}/reviews/{review}", dependencies=[REVIEWER])
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

    return await put_away(request, REVIEWS, (area, review), query.version, writer)


def _wanted(one: dict[str, Any], query: ReviewsQuery) -> bool:
    asked = (query.kind, query.service, query.verdict, query.matched)
    has = (one["target"]["kind"], one["target"]["service"], one["verdict"], one["matched"])
    return all(want is None or want == held for want, held in zip(asked, has, strict=True))


def _at(kept: Kept, version: int) -> Kept:
    """The record as whoever changes it knew it: the database refuses another version."""
    return Kept(kept.id, kept.area, version, kept.created, kept.changed, kept.held)


def _document(request: Request, area: str, state: AreaState, identity: str) -> dict[str, Any]:
    kept = one_kept(request, REVIEWS, area, identity)
    return review_document(state, kept, history_kept(request, REVIEWS, identity))


def _table(reviews: list[dict[str, Any]], reader: Reader) -> bytes:
    return file_bytes("reviews.xlsx", lambda path: export_reviews(reviews, path, reader.lang))
