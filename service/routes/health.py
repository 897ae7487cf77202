"""Whether the service is alive, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

from lifecircle.service.errors import NotReadyError
from lifecircle.service.queries import ReaderNow
from lifecircle.service.responses import JSON, encode

router = APIRouter(tags=["health"])
UNCACHED = {"cache-control": "no-store"}


@router.get("/healthz")
async def alive() -> Response:
    """Always 200 while the process runs."""
    return Response(encode({"status": "ok"}), media_type=JSON, headers=UNCACHED)


@router.get("/readyz")
async def ready(reader: ReaderNow) -> Response:
    """200 once the kernels are warm and the workspace can be read, else 503."""
    warmth = reader.warmth
    if not warmth.done:
        raise NotReadyError("warming")
    names = await run_in_threadpool(reader.areas.names)
    document = {"status": "ready", "areas": len(names), "warm": warmth.failed is None}
    return Response(encode(document), media_type=JSON, headers=UNCACHED)
