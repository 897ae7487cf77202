"""What the service counts about itself, told at ``/metrics`` in Prometheus' words."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

WORKERS: Final = "PROMETHEUS_MULTIPROC_DIR"  # set by `serving` where there are several
CONTENT: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0)
_ROOMS: Final = ("areas", "maps", "collections", "static", "processes", "jobs", "uploads")
_LEAVES: Final = frozenset({
    "coverage", "gaps", "circles", "equity", "compare", "report", "scorecard", "quality", "merges",
    "catchments", "referral", "point", "isochrone", "siting", "accessibility", "what-if", "items",
    "queryables", "schema",
})  # fmt: skip
_ALONE: Final = frozenset({
    "", "api", "docs", "conformance", "areas", "collections", "check", "healthz", "readyz",
    "metrics", "processes", "jobs", "uploads", "build", "login", "logout",
})  # fmt: skip
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST"})


class Metrics:
    """The counts of one application (two in a process share nothing)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "lifecircle_requests", "requests", ("method", "route", "status"),
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "lifecircle_request_seconds", "request seconds", ("route",),
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.dear = Gauge(
            "lifecircle_dear_questions", "dear questions",
            registry=self.registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self.areas = Gauge(
            "lifecircle_areas", "areas", registry=self.registry, multiprocess_mode="mostrecent"
        )
        self._kept = Gauge(
            "lifecircle_kept_bytes", "kept bytes", ("kind",),
            registry=self.registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._resident = Gauge(
            "lifecircle_worker_resident_bytes", "resident bytes",
            registry=self.registry, multiprocess_mode="liveall",
        )  # fmt: skip

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count one request; its path is told without names of areas, runs or places."""
        route = route_of(path)
        _child(self._requests, method if method in _METHODS else "other", route, str(status)).inc()
        _watch(self._seconds, route).observe(seconds)

    def tell_memory(self, kept: Mapping[str, int]) -> None:
        """Tell bytes of kept answers by kind, and what this process holds in memory."""
        for kind, size in kept.items():
            self._kept.labels(kind).set(size)
        with suppress(OSError):  # where there is no /proc
            pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
            self._resident.set(pages * os.sysconf("SC_PAGE_SIZE"))

    def text(self) -> bytes:
        """All of it, as Prometheus reads it; of several workers the sums."""
        if WORKERS not in os.environ:
            return generate_latest(self.registry)
        _forget_dead(Path(os.environ[WORKERS]))
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


@lru_cache(maxsize=4096)
def _child(counter: Counter, *labels: str) -> Counter:
    return counter.labels(*labels)


@lru_cache(maxsize=1024)
def _watch(histogram: Histogram, route: str) -> Histogram:
    return histogram.labels(route)


@lru_cache(maxsize=1024)
def route_of(path: str) -> str:
    """The kind of a path, one of few: ``/areas/*/coverage``, ``/maps``, ``other``."""
    parts = path[1:].split("/", 3)
    if len(parts) == 1:
        return f"/{parts[0]}" if parts[0] in _ALONE else "other"
    if parts[0] not in _ROOMS:
        return "other"
    if len(parts) > 2 and parts[2] in _LEAVES and parts[0] != "maps":
        return f"/{parts[0]}/*/{parts[2]}"
    return f"/{parts[0]}/*"


def _forget_dead(folder: Path) -> None:
    """Workers that ended tell nothing of what is held now (Linux)."""
    if not Path("/proc/self").exists():
        return
    told = {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*_*.db")}
    for pid in told:
        if not Path(f"/proc/{pid}").exists():
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
