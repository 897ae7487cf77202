"""OGC API Features, parts 1 and 2, with queryables of part 3: every layer of every area; and
Processes, part 1."""

from fastapi import APIRouter

from lifecircle.service.ogc import collections, common, items, jobs, processes

router = APIRouter()
for _room in (common, collections, items, processes, jobs):
    router.include_router(_room.router)
