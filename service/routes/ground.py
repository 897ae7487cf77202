"""Ground that others draw, handed on to the map pages of this service."""

from __future__ import annotations

from typing import Annotated, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response

from lifecircle.service.errors import MissingError, NotReadyError
from lifecircle.service.outside.tianditu import Layer, Tianditu
from lifecircle.service.queries.questions import plain_query

router = APIRouter(tags=["pages"])

AT_ONCE: Final = 8  # tiles asked for at the same moment; threads of their own
WAITING: Final = 128
_KEPT: Final = {"cache-control": "private, max-age=86400"}


async def room_of(request: Request) -> CapacityLimiter:
    """The threads of this service in which tiles are waited for."""
    state = request.app.state
    if not hasattr(state, "tile_room"):
        state.tile_room = CapacityLimiter(AT_ONCE)
    room: CapacityLimiter = state.tile_room
    return room


@router.get(
    "/ground/tianditu/{layer}/{z}/{y}/{x}",
    include_in_schema=False,
    dependencies=[Depends(plain_query)],
)
async def show_tile(
    request: Request,
    room: Annotated[CapacityLimiter, Depends(room_of)],
    layer: Layer,
    z: int,
    y: int,
    x: int,
) -> Response:
    """One tile of Tianditu, where this service has a key for it."""
    tianditu: Tianditu | None = request.app.state.tianditu
    if tianditu is None:
        raise MissingError("tianditu_off")
    if room.statistics().tasks_waiting >= WAITING:
        raise NotReadyError("tianditu_busy")
    tile = await to_thread.run_sync(tianditu.tile, layer, z, y, x, limiter=room)
    return Response(tile.body, media_type=tile.media_type, headers=_KEPT)
