"""How building and answering grow with an area, and whether a million cells are borne.

The generated city at several sizes (`LIFECIRCLE_SCALES`, 1 and 2 when absent; 10 takes a quarter
of an hour), each step in a process of its own, in seconds of processors, which a loaded machine
distorts least. The bar: ten times the rows cost at most fourteen times as much (n log n), that is
an exponent of 1.146. With `LIFECIRCLE_MILLION` also a drawn grid of a million cells.
`LIFECIRCLE_GROWTH_KEPT` names a file in which each finished size is kept: a run that was ended
goes on from there.
"""

from __future__ import annotations

import json
import math
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

import lifecircle as lc
from benchmarks.bars import SEED, Row, Skip, skipped
from benchmarks.million import MILLION_OSM, million_request, write_million
from benchmarks.trials.serving import serve_workspace
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.samples import write_springcity
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.checker.check import check_file
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog.siting.siting import siting_of
from lifecircle.service.catalog.siting.task import SitingTask

ROOT: Final = Path(__file__).resolve().parents[1]
MOST: Final = math.log10(14)
KEPT: Final = "LIFECIRCLE_GROWTH_KEPT"  # a file that keeps each finished size, and spares it
FILES: Final = "files.pickle"
SERVICE: Final = "health_centre"
IDLE_S: Final = 15
BARS: Final = {"build peak, MB": 6000.0, "idle worker, MB": 500.0, "ready, s": 3.0,
               "first coverage, s": 1.0}  # fmt: skip
GROWING: Final = ("build", "check", "coverage", "gaps", "circles", "catchments", "scorecard",
                  "siting", "what-if")  # fmt: skip


def measure() -> list[Row]:
    """The rows of growth: each step at the smallest and the largest size, then a million cells."""
    scales = [float(one) for one in os.environ.get("LIFECIRCLE_SCALES", "1,2").split(",")]
    if len(set(scales)) < 2:
        raise Skip("growth takes two sizes or more: LIFECIRCLE_SCALES=1,2")
    found = _found(sorted(set(scales)))
    rows = [_growth(name, found) for name in GROWING]
    rows += [
        Row("growth", f"x{scale:g}", "-", "-", "-", None, "-", False, "was not finished")
        for scale in sorted(set(scales) - set(found))
    ]
    rows += [_series(name, found) for name in next(iter(found.values())) if name not in GROWING]
    if os.environ.get("LIFECIRCLE_MILLION"):
        rows += _million()
    return rows


def _found(scales: list[float]) -> dict[float, dict[str, float]]:
    """The figures of every size, those kept by an earlier try as they are.

    What dies of its size ends the row; two sizes must be there.
    """
    kept = Path(os.environ.get(KEPT, os.devnull))
    held = kept.read_text("utf-8") if kept.exists() else ""
    lines = (json.loads(line) for line in held.splitlines())
    found = {scale: figures for scale, figures in lines if scale in scales}
    for scale in scales:
        if scale in found:
            continue
        try:
            found[scale] = _springcity(scale)
        except (RuntimeError, Skip) as died:
            print(f"x{scale:g}: {died}", file=sys.stderr, flush=True)
            if len(found) < 2:
                raise
            break
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps([scale, found[scale]]) + "\n")
    return dict(sorted(found.items()))


def _growth(name: str, found: dict[float, dict[str, float]]) -> Row:
    (small, *_, large) = found
    first, last = found[small][name], found[large][name]
    exponent = math.log(last / first) / math.log(large / small)
    return Row("growth", name, f"{last:.2f} s at x{large:g}", f"ourselves at x{small:g}",
               f"{first:.2f} s", exponent, f"exponent <= {MOST:.2f}", exponent <= MOST,
               _all(name, found))  # fmt: skip


def _series(name: str, found: dict[float, dict[str, float]]) -> Row:
    (small, *_, large) = found
    first, last = found[small][name], found[large][name]
    return Row("growth", name, f"{last:.4g} at x{large:g}", f"ourselves at x{small:g}",
               f"{first:.4g}", None, "-", None, _all(name, found))  # fmt: skip


def _all(name: str, found: dict[float, dict[str, float]]) -> str:
    return ", ".join(f"x{scale:g}: {one[name]:.4g}" for scale, one in found.items())


def _springcity(scale: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        _step("write", folder, str(scale))
        return _all_steps(folder)


def _million() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            _step("million", folder)
            found = _all_steps(folder)
        except Skip as reason:  # what took a quarter of an hour before it stays
            return [skipped("growth", "a million cells", str(reason))]
    told = [Row("growth", f"a million cells: {name}", f"{found[name]:.4g}", "-", "-", None,
                f"< {most:g}", found[name] < most) for name, most in BARS.items()]  # fmt: skip
    others = (name for name in found if name not in BARS)
    return told + [Row("growth", f"a million cells: {name}", f"{found[name]:.4g}", "-", "-", None,
                       "-", None) for name in others]  # fmt: skip


def _all_steps(folder: str) -> dict[str, float]:
    return _step("build", folder) | _step("check", folder) | _step("ask", folder) | _served(folder)


def _step(*command: str) -> dict[str, float]:
    """What a step says of itself, done in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.bar_growth", *command], cwd=ROOT,
                          capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode:  # no skip: what dies of its size has missed every bar
        raise RuntimeError(f"{command[0]} failed:\n{done.stderr}")
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(*command[:1], said, file=sys.stderr, flush=True)
    return said


def _served(folder: str) -> dict[str, float]:
    """Seconds until a service is ready, and what its largest process holds when nobody asks.

    The first start compiles what an installed package comes with compiled; the second counts.
    """
    workspace = Path(folder) / "workspace"
    with serve_workspace(workspace, 1):
        pass
    with serve_workspace(workspace, 1) as served:
        time.sleep(IDLE_S)
        held = max(_memory_mb(one) for one in _family(served.pid))
    return {
        "ready, s": served.ready_s,
        "ready, s of processors": served.ready_cpu_s,
        **dict(zip(("idle worker, MB", "idle, PSS", "idle, USS"), held, strict=True)),
    }


def _memory_mb(process: psutil.Process) -> tuple[float, ...]:
    told = process.memory_full_info()
    return tuple(size / 1e6 for size in (told.rss, told.pss, told.uss))


def _family(pid: int) -> list[psutil.Process]:
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


def _write(folder: Path, scale: str) -> dict[str, float]:
    files = write_springcity(folder / "files", seed=SEED, scale=float(scale))
    (folder / FILES).write_bytes(pickle.dumps(files))
    return {}


def _million_files(folder: Path) -> dict[str, float]:
    write_million(folder / "files")
    return {}


def _request(folder: Path) -> BuildRequest:
    files = folder / "files"
    if (files / MILLION_OSM).is_file():
        return million_request(files)
    return springcity_request(pickle.loads((folder / FILES).read_bytes()))


def _build(folder: Path) -> dict[str, float]:
    """The build, its kernels compiled as after a first one: they are asked of a tiny town."""
    lc.tiny_town()
    workspace = Workspace(folder / "workspace")
    with _timed() as said:
        run = build_area(_request(folder), workspace)
    size = sum(file.stat().st_size for file in run.path.rglob("*") if file.is_file())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    city = run.city
    return {"build": said["s"], "build, s of a clock": said["wall"], "build peak, MB": peak,
            "on disk, MB": size / 1e6, "cells": float(len(city.cells)),
            "edges": float(len(city.network.edge_length_m)),
            "facilities": float(len(city.facilities)),
            "residents": float(city.cells.residents.sum())}  # fmt: skip


def _check(folder: Path) -> dict[str, float]:
    """Its population and facilities, as ``lifecircle check`` reads them."""
    policy, request = load_policy(), _request(folder)
    with _timed() as said:
        for table in (*request.people, *request.facilities):
            check_file(table, policy=policy, declared=request.declared())
    return {"check": said["s"]}


def _ask(folder: Path) -> dict[str, float]:
    """Questions to an opened run; the kernels are loaded by the same questions to a tiny town."""
    _answers(lc.tiny_town())
    workspace = lc.open(folder / "workspace")
    (name,) = workspace
    return _answers(workspace[name])


def _answers(area: lc.Area) -> dict[str, float]:
    study, question = area.study, lc.Question(SERVICE)
    west, south, east, north = area.layer("units").total_bounds
    middle = (SERVICE, (west + east) / 2, (south + north) / 2)

    def every_service() -> None:
        for service in area.services:
            lc.coverage(study, question.about(service))

    asked: dict[str, Callable[[], object]] = {
        "first coverage, s": lambda: lc.coverage(study, question),
        "coverage": every_service,
        "gaps": lambda: lc.gaps(study, question),
        "circles": lambda: lc.circles(study, question, kind="convenience"),
        "catchments": lambda: lc.catchments(study, question, closed=True),
        "scorecard": lambda: lc.scorecard(study),
        "siting": lambda: siting_of(study, question, SitingTask(add=3)),
        "what-if": lambda: area.what_if(add=[middle]),
    }
    return {name: _seconds(ask) for name, ask in asked.items()}


def _seconds(ask: Callable[[], object]) -> float:
    with _timed() as said:
        ask()
    return said["s"]


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    said: dict[str, float] = {}
    before, started = time.process_time(), time.perf_counter()
    yield said
    said |= {"s": time.process_time() - before, "wall": time.perf_counter() - started}


STEPS: Final = {"write": _write, "million": _million_files, "build": _build, "check": _check,
                "ask": _ask, "serve": lambda folder: _served(str(folder))}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])))
