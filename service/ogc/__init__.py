"""OGC API: Features and Tiles of every layer; Processes, part 1."""

from fastapi import APIRouter

from lifecircle.service.ogc import (
    collections,
    common,
    items,
    jobs,
    processes,
    qgis_project,
    tiles,
)

router = APIRouter()
for _room in (common, collections, items, tiles, processes, jobs, qgis_project):
    router.include_router(_room.router)
