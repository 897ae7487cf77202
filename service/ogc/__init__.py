"""OGC API Features, parts 1 to 3 as far as claimed, and Tiles: every layer of every area."""

from fastapi import APIRouter

from lifecircle.service.ogc import collections, common, items, tiles

router = APIRouter()
for _room in (common, collections, items, tiles):
    router.include_router(_room.router)
