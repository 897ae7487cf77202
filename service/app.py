"""The web application: put together from settings and a workspace, nothing at import."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from fastapi import Depends, FastAPI
from starlette.staticfiles import StaticFiles

from lifecircle.analysis.provenance import code_version
from lifecircle.analysis.results.store import Workspace
from lifecircle.service import i18n, ogc
from lifecircle.service.apart.jail import Jail, Limits
from lifecircle.service.apart.workshop import FAULTS, OPEN_FILES, Workshop
from lifecircle.service.database.engine import Database
from lifecircle.service.database.keys import Key, any_valid, find_key
from lifecircle.service.database.sessions import find_session
from lifecircle.service.edge.front import Front, Service
from lifecircle.service.edge.headers import CommonHeaders
from lifecircle.service.edge.hosts import AllowedHosts, Names
from lifecircle.service.edge.kept import KeptAnswers, Shelf
from lifecircle.service.edge.keys import KeyGate, Known
from lifecircle.service.edge.limits import KeyLimit
from lifecircle.service.edge.methods import HeadAndOptions
from lifecircle.service.edge.requests import RequestLog
from lifecircle.service.errors import ServiceError
from lifecircle.service.flights import Flights
from lifecircle.service.guards import BodyLimit, check_texts
from lifecircle.service.jobs.desk import Jobs
from lifecircle.service.observing.metrics import Metrics
from lifecircle.service.outside.accounts import accounts_of
from lifecircle.service.outside.tianditu import tianditu_of
from lifecircle.service.routes import (
    areas,
    building,
    catchments,
    checks,
    ground,
    health,
    login,
    pages,
    problems,
    quality,
    reviews,
    robustness,
    scenario,
    scenarios,
    scorecard,
    siting,
    studies,
)
from lifecircle.service.serving import SWEEPING, WARMING, workers_folder
from lifecircle.service.settings import Settings
from lifecircle.service.state import Areas, Warmth


def create_app(settings: Settings, workspace: Workspace | None = None) -> FastAPI:
    """A service over one workspace; any number of them live in one process."""
    app = Service(
        title=i18n.text("service_title", settings.language),
        description=i18n.text("service_about", settings.language),
        version=code_version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        dependencies=[Depends(check_texts)],
    )
    app.state.settings = settings
    app.state.warmth = Warmth()
    limits = Limits(
        settings.check_memory_bytes, settings.check_seconds, settings.max_unpacked_bytes
    )
    app.state.jail = Jail(limits, settings.checks_at_once)
    app.state.metrics = Metrics()
    app.state.database = Database(settings.workspace, settings.database)
    app.state.accounts = accounts_of(settings)
    app.state.tianditu = tianditu_of(settings)
    app.state.flights = Flights(settings.dear_at_once, settings.dear_wait_seconds, workers_folder())
    app.state.areas = Areas(
        workspace or Workspace(settings.workspace), settings.open_runs, settings.cache_bytes
    )
    app.state.workshop = _workshop(settings, app.state.areas.workspace.root)
    app.state.jobs = Jobs(app.state.areas.workspace, app.state.database, settings)
    about_areas = (areas, catchments, siting, scenario, scorecard, robustness, studies, quality)
    for_people = (building, pages, ground, login, health)
    for room in (ogc, *about_areas, scenarios, reviews, checks, *for_people):
        app.include_router(room.router)
    for path, folder in static_folders():
        app.mount(path, StaticFiles(directory=folder))
    problems.install(app)
    _add_layers(app, settings)
    return app


def _workshop(settings: Settings, root: Path) -> Workshop | None:
    """Where dear answers are worked out; None: in this process."""
    if not settings.dear_apart:
        return None
    limits = Limits(
        settings.dear_memory_bytes,
        settings.dear_seconds,
        settings.job_file_bytes,
        open_files=OPEN_FILES,
        processors=os.cpu_count() or 1,
        faults=FAULTS,
    )
    kept_bytes = settings.kept_file_bytes
    return Workshop(root, limits, settings.dear_at_once, workers_folder(), kept_bytes)


def _add_layers(app: Service, settings: Settings) -> None:
    """The layers before the router, the innermost first, and the short way past them."""
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_body_bytes,
        larger={"/check": settings.max_upload_bytes, "/uploads": settings.upload_bytes},
    )
    areas: Areas = app.state.areas
    shelf = Shelf(settings.cache_bytes, lambda: areas.moved)
    app.state.kept_bytes = lambda: {"answers": areas.kept_bytes, "whole": shelf.held_bytes}
    app.add_middleware(KeptAnswers, shelf=shelf)
    app.add_middleware(HeadAndOptions)
    keys = Keys(settings, app.state.database)
    app.state.sessions = Known(keys.find_session)
    limit = KeyLimit(settings.requests_per_minute, workers_folder())
    asked_keys, names = Known(keys.find), Names(settings)
    app.add_middleware(
        KeyGate, settings=settings, keys=asked_keys, sessions=app.state.sessions, limit=limit
    )
    app.add_middleware(AllowedHosts, names=names)
    app.add_middleware(CommonHeaders)
    app.add_middleware(RequestLog, metrics=app.state.metrics)
    app.front = Front(settings, names, asked_keys, limit, shelf, app.state.areas)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Warm up and sweep beside the first requests; whoever stops the service waits for neither.

    A compiler cannot be interrupted, so both are threads that the end of the process ends
    (`serving.leave_at_once`): a kernel is kept by one rename, and a sweep can be ended anywhere.
    """
    warmth, areas = app.state.warmth, app.state.areas
    for name, work in ((WARMING, lambda: warmth.warm(areas)), (SWEEPING, areas.sweep)):
        Thread(target=work, name=name, daemon=True).start()
    starting = asyncio.create_task(asyncio.to_thread(app.state.jobs.start))
    try:
        yield
    finally:
        warmth.stopped = True
        app.state.flights.end()
        app.state.jail.end()
        await starting
        await asyncio.to_thread(app.state.jobs.stop)
        await asyncio.to_thread(app.state.database.close)


class Keys:
    """The keys of the service's database, opened when the first key is offered."""

    def __init__(self, settings: Settings, database: Database | None = None) -> None:
        self._database = database or Database(settings.workspace, settings.database)

    def find(self, written: str) -> Key | None:
        """The valid key with this written on it."""
        return find_key(self._database.engine(), written) if self._database.there() else None

    def find_session(self, token: str) -> Key | None:
        """The valid key of a browser's open session."""
        return find_session(self._database.engine(), token) if self._database.there() else None

    def any_valid(self) -> bool:
        """Whether some key opens something."""
        return self._database.there() and any_valid(self._database.engine())


def static_folders() -> tuple[tuple[str, Path], ...]:
    """Addresses and folders of files served as they are: Leaflet, Swagger UI, our own."""
    return (
        ("/static/leaflet", _package_folder("xstatic.pkg.leaflet") / "data"),
        ("/static/swagger", _package_folder("fastapi_offline") / "static"),
        ("/static", Path(str(files("lifecircle.service").joinpath("assets")))),
    )


def _package_folder(package: str) -> Path:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ServiceError("package_missing", package=package)
    return Path(found.origin).parent
