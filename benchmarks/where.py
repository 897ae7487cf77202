"""On what machine, with which versions and under what load bars were measured."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from benchmarks.bars import SEED

PACKAGES: Final = (
    "numpy", "numba", "scipy", "shapely", "osmium", "geopandas", "osmnx", "networkx", "highspy",
    "ortools", "spopt", "fastapi", "uvicorn",
)  # fmt: skip


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, system, versions, seed, commit: what a figure hangs on."""
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        "cores": os.cpu_count(),
        "memory": _field("/proc/meminfo", "MemTotal") or "unknown",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: said for name in PACKAGES if (said := _version(name)) is not None},
        "seed": SEED,
        "commit": _commit(),
    }


def now() -> str:
    """The minute, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def load() -> float | None:
    """Processes that wanted a core in the last minute; None where the system does not say."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def _field(path: str, name: str) -> str | None:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "--short", "HEAD"],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    return done.stdout.strip() or None
