"""Whether the service is alive, and whether it can answer."""

from __future__ import annotations

from contextlib import suppress

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response

from lifecircle.analysis.errors import WorkspaceError
from lifecircle.service.errors import NotReadyError
from lifecircle.service.guards import check_near
from lifecircle.service.observing.metrics import CONTENT
from lifecircle.service.queries.questions import NOTHING_ELSE, TEXT_ONLY
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.responses import JSON, UNCACHED, encode

router = APIRouter(tags=["health"])


@router.get("/healthz", dependencies=[NOTHING_ELSE])
async def alive() -> Response:
    """Always 200 while the process runs."""
    return Response(encode({"status": "ok"}), media_type=JSON, headers=UNCACHED)


@router.get("/readyz", dependencies=[NOTHING_ELSE])
async def ready(reader: ReaderNow) -> Response:
    """200 once the kernels are warm and the workspace is there and can be read, else 503."""
    warmth = reader.warmth
    if not warmth.done:
        raise NotReadyError("warming")
    names = await to_thread.run_sync(_areas_now, reader, limiter=_readiness())
    document = {"status": "ready", "areas": len(names), "warm": warmth.failed is None}
    return Response(encode(document), media_type=JSON, headers=UNCACHED)


def _areas_now(reader: Reader) -> list[str]:
    root = reader.areas.workspace.root
    if not root.is_dir():
        raise WorkspaceError("workspace_missing", path=root.name)
    return reader.areas.names()


def _readiness() -> CapacityLimiter:
    """Threads of its own: whoever asks about health waits for no figure."""
    return CapacityLimiter(1)


@router.get("/metrics", dependencies=[TEXT_ONLY])
async def tell_metrics(request: Request, reader: ReaderNow) -> Response:
    """Counts of requests, seconds, memory, for Prometheus; no name of an area or a place."""
    check_near(request, reader.settings)
    held = request.app.state
    held.metrics.dear.set(held.flights.dear_held)
    held.metrics.tell_memory(held.kept_bytes())
    with suppress(WorkspaceError):
        held.metrics.areas.set(len(await to_thread.run_sync(_areas_now, reader)))
    return Response(held.metrics.text(), headers={"content-type": CONTENT, **UNCACHED})
