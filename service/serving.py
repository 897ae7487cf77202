"""How the server of ``lifecircle serve`` runs: its log, its patience, its limits, its workers.

Workers are processes that share the port and, by memory maps, the runs. Each looks at the pointer
of an area at every request, so all of them answer from a new run at the same moment.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lifecircle.service.observing.logs import LogFormat, log_config, write_quickly
from lifecircle.service.observing.metrics import WORKERS
from lifecircle.service.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

KEEP_ALIVE_S: Final = 15
GRACE_S: Final = 15  # for open requests when the service is told to stop
MOST_CONNECTIONS: Final = 1_000  # beyond them 503
WORKER_S: Final = 60  # a worker that is silent for so long is ended and replaced
COLLECTED_S: Final = 60
LONGEST_LOOK_S: Final = 0.08
SELDOM: Final = 10  # times less often
TRIMMED_S: Final = 10
WARMING: Final = "lifecircle-warm"  # threads that nobody waits for
SWEEPING: Final = "lifecircle-sweep"
_MALLOC: Final = {-8: 2, -3: 2**20, -1: 2**20}  # M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD
_COLLECTED: Final = (50_000, 20, 20)  # of objects and of looks before the next, as `gc` has it
_ON_DEMAND: Final = (
    "maps.pages", "report.pictures",
    *(f"maps.scenes.{one}" for one in (
        "catchments", "circles", "compare", "coverage", "gaps", "places", "proposals", "quality",
        "referral",
    )),
)  # fmt: skip
_SERVED: Final = "LIFECIRCLE_SERVED"  # the settings, for the workers


def server_options(log: LogFormat) -> dict[str, Any]:
    """Options for uvicorn; on Windows, where there is no httptools, without our patience."""
    options: dict[str, Any] = {
        "access_log": False,  # ours has the request id
        "log_config": log_config(log),
        "server_header": False,
        "ws": "none",
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": GRACE_S,
        "limit_concurrency": MOST_CONNECTIONS,
    }
    if sys.platform != "win32":
        from lifecircle.service.edge.connection import QuickProtocol

        options["http"] = QuickProtocol
    return options


def give_memory_back() -> None:
    """Have the allocator return what is no longer used; where it is not glibc's, nothing is done.

    glibc keeps a heap for each thread, and raises the size from which an array is a mapping of its
    own to that of the largest one freed, up to 32 MB: what a table took for a moment then stays
    with the worker, in holes between what is kept. Few heaps and a fixed size give it back.
    Arrow's own allocator keeps what its threads took as well; the system's does not.
    """
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    for option, value in _MALLOC.items() if hasattr(library, "mallopt") else ():  # musl has none
        library.mallopt(option, value)


def keep_giving_back(app: FastAPI) -> None:
    """Collect young garbage every second, hand free pages back and tell what is held every ten, for
    as long as the process is.

    Kept answers come and go in all sizes: the heap grows by the holes they leave, though what is
    kept does not. And what hangs together in circles waits long for a collector that looks less:
    found young it costs 2 ms; to look at all of 90,000 objects holds everybody up for 50, so that
    is done every minute, and every ten once it took longer than a reader should wait.
    """
    from lifecircle.analysis.machine import return_freed_memory

    def give_back() -> None:
        took_s = 0.0  # of the last look at all; never `gc.get_objects`, which breaks tuples
        for second in count(1):  # that other threads are just making
            time.sleep(1)
            seldom = took_s >= LONGEST_LOOK_S
            whole = second % (COLLECTED_S * (SELDOM if seldom else 1)) == 0
            began = time.thread_time()
            gc.collect(2 if whole else 1)
            took_s = time.thread_time() - began if whole else took_s
            if second % TRIMMED_S == 0:
                return_freed_memory()
                app.state.metrics.tell_memory(app.state.kept_bytes())

    threading.Thread(target=give_back, name="lifecircle-memory", daemon=True).start()


def run_server(settings: Settings) -> None:
    """Serve until told to stop."""
    import uvicorn

    from lifecircle.service.app import create_app

    where: dict[str, Any] = {"host": settings.host, "port": settings.port}
    options = server_options(settings.log)
    give_memory_back()
    write_quickly()
    if settings.workers == 1:
        atexit.register(leave_at_once)
        uvicorn.run(settled(create_app(settings)), **where, **options)
        return
    with tempfile.TemporaryDirectory(prefix="lifecircle-counts-") as counts:
        os.environ[_SERVED], os.environ[WORKERS] = told_to_workers(settings), counts
        uvicorn.run(
            f"{__name__}:app_of_worker",
            factory=True,
            workers=settings.workers,
            timeout_worker_healthcheck=WORKER_S,
            **where,
            **options,
        )


def workers_folder() -> Path | None:
    """The folder that the workers of this service share; None where there is one alone."""
    told = os.environ.get(WORKERS)
    return None if told is None else Path(told)


def app_of_worker() -> FastAPI:
    """The application of one worker, from the settings of the process that began it."""
    from lifecircle.service.app import create_app

    atexit.register(leave_at_once)
    give_memory_back()
    write_quickly()
    end_with_parent()
    return settled(create_app(settings_of(os.environ[_SERVED])))


def settled(app: FastAPI) -> FastAPI:
    """The application, which before it is ready loads what map pages are made with, and has the
    collector of garbage look at less: either holds up everybody for 0.3 to 0.8 s later on.
    """

    from lifecircle.analysis.machine import collect_no_more
    from lifecircle.service.apart.jail import load_readers
    from lifecircle.service.apart.workshop import is_large_city

    def settle() -> None:
        for name in _ON_DEMAND:
            importlib.import_module(f"lifecircle.service.{name}")
        gc.collect()
        collect_no_more()
        gc.set_threshold(*_COLLECTED)

    def begin_processes() -> None:
        areas = app.state.areas
        if any(is_large_city(areas.manifest(area)) for area in areas.names()):
            load_readers()

    keep_giving_back(app)
    app.state.warmth.then = settle
    app.state.warmth.afterwards = begin_processes
    return app


def end_with_parent() -> None:
    """Stop this worker, as it stops when told to, once the process that began it is no more."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def told_to_workers(settings: Settings) -> str:
    """The settings as JSON, with the secret that JSON else hides."""
    secret = settings.oidc_client_secret
    plain = None if secret is None else secret.get_secret_value()
    return json.dumps({**settings.model_dump(mode="json"), "oidc_client_secret": plain})


def settings_of(told: str) -> Settings:
    """The settings that a worker was told."""
    return Settings.model_validate_json(told)


def leave_at_once() -> None:
    """End the process here if a kernel is still being compiled, which cannot be interrupted."""
    if any(one.name in (WARMING, SWEEPING) for one in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
