"""OGC API Features, parts 1 and 2, with queryables of part 3: every layer of every area."""

from fastapi import APIRouter

from lifecircle.service.ogc import collections, common, items

router = APIRouter()
for _room in (common, collections, items):
    router.include_router(_room.router)
