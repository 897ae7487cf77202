"""Building an area in a browser: the page, and the files sent for it.

The service writes what is sent to disk and never opens it: checks read it in the jail, builds in
the process of their job.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from lifecircle.analysis.policy import default_policy, load_policy, policy_ids
from lifecircle.analysis.readers.records.coordinates.datums import DATUMS
from lifecircle.service.apart.jail import CHECK
from lifecircle.service.errors import ForbiddenError, RequestError
from lifecircle.service.guards import PLANNER, RoleFirst, writer_of
from lifecircle.service.jobs.desk import Jobs
from lifecircle.service.jobs.inbox import STREETS, TABLES, Inbox, Upload
from lifecircle.service.jobs.records import owner_of
from lifecircle.service.pages import page
from lifecircle.service.queries.questions import NOTHING_ELSE, PAGE_ONLY, Asked, Name
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.request_origin import key_of
from lifecircle.service.responses import JSON, READER_LEFT, UNCACHED, encode
from lifecircle.service.routes.checks import HERE
from lifecircle.service.routes.jailed import in_jail
from lifecircle.service.routes.problems import respond

router = APIRouter(tags=["processes"], route_class=RoleFirst)
_CREATED: Final[dict[int | str, dict[str, Any]]] = {201: {}}
SHOWN_FAULTS: Final = 200
ROLES: Final = (
    ("streets", STREETS, False), ("population", TABLES, False), ("units", TABLES, True),
    ("facilities", TABLES, True), ("statistics", TABLES, True), ("closures", TABLES, True),
    ("elevation", (".tif", ".tiff"), False),
)  # fmt: skip


OneOfSeveral = Annotated[str, Field(min_length=1, max_length=200)]  # sheets or layers of a file


class UploadQuery(Asked):
    """What sending a file takes: its name."""

    name: str = Field(min_length=1, max_length=1_000)


class CheckBody(BaseModel):
    """What is said of a file that is checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["facilities", "population", "units", "statistics"] | None = None
    datum: Literal["wgs84", "gcj02", "bd09", "cgcs2000"] | None = None
    crs: Annotated[str, Field(max_length=40)] | None = None
    x_north: bool = False
    sheet: OneOfSeveral | None = None
    layer: OneOfSeveral | None = None
    service: Name | None = None
    other_types: Literal["refuse", "skip"] = "refuse"
    policy: Name | None = None


@router.get("/build", dependencies=[HERE, PAGE_ONLY])
async def show_build_page(request: Request, reader: ReaderNow) -> Response:
    """The page on which an area is built from files."""
    policy = load_policy()
    shown = page(
        request,
        "build.html",
        reader.lang,
        roles=[(role, ",".join(kinds), several) for role, kinds, several in ROLES],
        datums=DATUMS,
        services=[(one.id, one.title.text(reader.lang)) for one in policy.services.values()],
        policies=policy_ids(),
        policy=default_policy(),
        megabytes=f"{reader.settings.upload_bytes / 1e6:,.0f}",
    )
    shown.headers.update(UNCACHED)
    return shown


@router.get("/uploads", dependencies=[PLANNER, NOTHING_ELSE])
async def list_uploads(request: Request, reader: ReaderNow) -> Response:
    """The files that lie here."""
    found = await run_in_threadpool(_inbox(request).all)
    return _told({"uploads": [_document(one, reader) for one in found]})


@router.post("/uploads", dependencies=[PLANNER], responses=_CREATED)
async def take_upload(
    request: Request, reader: ReaderNow, query: Annotated[UploadQuery, Query()]
) -> Response:
    """Take a file, sent as the body itself; it is kept for a day or until a build has used it."""
    writer = writer_of(request, "planner")
    try:
        made = await _inbox(request).take(query.name, owner_of(writer), request.stream())
    except ClientDisconnect:
        return Response(status_code=READER_LEFT)
    document = _document(made, reader)
    answer = _told(document, 201)
    answer.headers["location"] = document["links"][0]["href"]
    return answer


@router.get("/uploads/{upload}", dependencies=[PLANNER, NOTHING_ELSE])
async def show_upload(request: Request, reader: ReaderNow, upload: Name) -> Response:
    """Name, size and digest of a file; never what is in it."""
    return _told(_document(await run_in_threadpool(_inbox(request).one, upload), reader))


@router.delete("/uploads/{upload}", dependencies=[PLANNER, NOTHING_ELSE])
async def remove_upload(request: Request, upload: Name) -> Response:
    """Remove a file."""
    inbox = _inbox(request)
    found = await run_in_threadpool(inbox.one, upload)
    key = key_of(request)
    if key is not None and key.id != found.owner and not key.may("admin"):
        raise ForbiddenError("upload_not_yours", name=found.name)
    await run_in_threadpool(inbox.remove, upload)
    return Response(status_code=204, headers=UNCACHED)


@router.post("/uploads/{upload}/check", dependencies=[PLANNER, NOTHING_ELSE])
async def check_sent(
    request: Request, reader: ReaderNow, upload: Name, body: CheckBody
) -> Response:
    """What ``lifecircle check`` says of a file; it is read in a process of its own."""
    inbox = _inbox(request)
    found = await run_in_threadpool(inbox.one, upload)
    path = await run_in_threadpool(inbox.path, upload)
    if path.suffix.lower() not in TABLES:
        raise RequestError("upload_no_table", name=found.name)
    policy = body.policy or default_policy()
    if policy not in policy_ids():
        known = ", ".join(policy_ids())
        raise RequestError("check_value", field="policy", value=policy, known=known)
    told = {
        **body.model_dump(),
        "policy": policy,
        "every_row": False,
        "name": found.name,
        "path": str(path),
        "lang": reader.lang,
        "max_unpacked_bytes": reader.settings.max_unpacked_bytes,
    }
    said = await in_jail(request, CHECK, lambda _: orjson.dumps(told))
    if said is None:
        return Response(status_code=READER_LEFT)
    answer = orjson.loads(said)
    if "problem" in answer:
        return respond(request, answer["problem"], reader.lang)
    document = answer["document"]
    shown = {name: document[name] for name in ("kind", "rows", "errors", "warnings", "usable")}
    return _told({**shown, "faults": answer["grouped"][:SHOWN_FAULTS], "notes": document["notes"]})


def _document(one: Upload, reader: Reader) -> dict[str, Any]:
    came = datetime.fromtimestamp(one.came, UTC).isoformat(timespec="seconds")
    href = f"{reader.base}/uploads/{one.id}"
    plain = {name: value for name, value in asdict(one).items() if name != "owner"}
    links = [{"rel": "self", "href": href, "type": JSON}]
    return {**plain, "came": came, "suffix": Path(one.name).suffix.lower(), "links": links}


def _inbox(request: Request) -> Inbox:
    jobs: Jobs = request.app.state.jobs
    return jobs.inbox


def _told(document: Any, status: int = 200) -> Response:
    return Response(encode(document), status_code=status, media_type=JSON, headers=UNCACHED)
