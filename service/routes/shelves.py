"""What routes of kept records share: where they lie, one or all of an area, how they are told."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.service.database.audit import Writer, history_of
from lifecircle.service.database.engine import Database
from lifecircle.service.database.kept import Kept, Shelf
from lifecircle.service.responses import JSON, UNCACHED, encode

CREATED: Final[dict[int | str, dict[str, Any]]] = {201: {}}


def database_of(request: Request) -> Database:
    """The database of the service."""
    found: Database = request.app.state.database
    return found


def all_kept(request: Request, shelf: Shelf, area: str) -> list[Kept]:
    """The records of an area, the oldest first; none where nobody ever wrote."""
    database = database_of(request)
    return shelf.all_of(database.engine(), area) if database.there() else []


def one_kept(request: Request, shelf: Shelf, area: str, identity: str) -> Kept:
    """One record.

    Raises
    ------
    MissingError : none of that id in the area.
    """
    database = database_of(request)
    if not database.there():
        raise shelf.missing(area, identity)
    return shelf.one(database.engine(), area, identity)


def history_kept(request: Request, shelf: Shelf, identity: str) -> list[dict[str, Any]]:
    """What the audit log tells of one record."""
    return history_of(database_of(request).engine(), shelf.subject(identity))


async def put_away(
    request: Request, shelf: Shelf, kept: tuple[str, str], version: int | None, writer: Writer
) -> Response:
    """Show a record (its area and id) no longer; the audit log keeps it."""

    def drop() -> None:
        found = one_kept(request, shelf, *kept)
        shelf.put_away(database_of(request).engine(), found.area, found.id, version, writer)

    await run_in_threadpool(drop)
    return Response(status_code=204, headers=UNCACHED)


def told(document: Any) -> Response:
    """A document that nobody keeps."""
    return Response(encode(document), media_type=JSON, headers=UNCACHED)


def told_made(document: dict[str, Any], location: str) -> Response:
    """The document of a record that was made, and where it is found (`Reader.address`)."""
    headers = {**UNCACHED, "location": location}
    return Response(encode(document), status_code=201, media_type=JSON, headers=headers)
