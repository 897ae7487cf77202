"""What is measured of an area at one size, each step in a process of its own.

Seconds are of processors, which a loaded machine distorts least, and of a clock beside them;
questions are asked anew of an area opened anew, and the middle one of a few rounds counts.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import psutil

import lifecircle as lc
from benchmarks.bars import SEED
from benchmarks.million import MILLION_OSM, million_request, write_million
from benchmarks.trials.serving import serve_workspace
from lifecircle.analysis.ahead import begin_reading
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.samples import write_springcity
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.checker.check import check_file
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog.siting.siting import siting_of
from lifecircle.service.catalog.siting.task import SitingTask

Figures = dict[str, float]
Asked = Mapping[str, Callable[[], object]]

CLOCK: Final = ", s of a clock"  # ends the name of a figure whose own is seconds of processors
ROOT: Final = Path(__file__).resolve().parents[2]
FILES: Final = "files.pickle"
SERVICE: Final = "health_centre"
IDLE_S: Final = 15
ROUNDS, ROUNDS_S = 3, 30.0  # at most so many, none begun after so many seconds of processors
LOOK_S: Final = 0.5  # between two looks at the memory of a build


def all_steps(folder: str) -> Figures:
    """Everything of the area whose files lie in a folder."""
    built = take_step("build", folder, watched=True)
    return built | take_step("check", folder) | take_step("ask", folder) | _served(folder)


def take_step(*command: str, watched: bool = False) -> Figures:
    """What a step says of itself, done in a process of its own; `watched`: its memory too.

    Raises
    ------
    RuntimeError : it died: no skip, what dies of its size has missed every bar.
    """
    done = subprocess.Popen([sys.executable, "-m", "benchmarks.bar_growth", *command], cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    peak = 0.0
    while True:
        try:
            told, failed = done.communicate(timeout=LOOK_S if watched else None)
            break
        except subprocess.TimeoutExpired:
            peak = max(peak, _family_mb(done.pid))
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{failed}")
    said: Figures = json.loads(told.splitlines()[-1])
    if watched:
        said["build peak, MB"] = max(peak, said["build peak, MB"])
    print(*command[:1], said, file=sys.stderr, flush=True)
    return said


def _family_mb(pid: int) -> float:
    """What a process and its copies hold, what they share counted once."""
    held = 0.0
    with suppress(psutil.Error):
        for one in _family(pid):
            held += one.memory_full_info().pss / 1e6
    return held


def _served(folder: str) -> Figures:
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


def _write(folder: Path, scale: str) -> Figures:
    """The files of a springcity, unless they lie there."""
    if not (folder / FILES).is_file():
        files = write_springcity(folder / "files", seed=SEED, scale=float(scale))
        (folder / FILES).write_bytes(pickle.dumps(files))
    return {}


def _million_files(folder: Path) -> Figures:
    write_million(folder / "files")
    return {}


def _request(folder: Path) -> BuildRequest:
    files = folder / "files"
    if (files / MILLION_OSM).is_file():
        return million_request(files)
    return springcity_request(pickle.loads((folder / FILES).read_bytes()))


def _build(folder: Path) -> Figures:
    """The build on all cores, as the command does it once it is imported, kernels compiled."""
    lc.tiny_town()
    workspace, request = Workspace(folder / "workspace"), _request(folder)
    with _timed("build") as said:
        ahead = begin_reading(request.osm, None)
        request = replace(request, today=None if ahead is None else ahead.today)
        run = build_area(request, workspace, ahead=ahead)
        if ahead is not None:
            ahead.leave()
        gc.collect()  # copies that ended are counted with it
    size = sum(file.stat().st_size for file in run.path.rglob("*") if file.is_file())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    city = run.city
    return said | {
        "build peak, MB": peak,
        "on disk, MB": size / 1e6,
        "cells": float(len(city.cells)),
        "edges": float(len(city.network.edge_length_m)),
        "facilities": float(len(city.facilities)),
        "residents": float(city.cells.residents.sum()),
    }


def _check(folder: Path) -> Figures:
    """Its population and facilities, as ``lifecircle check`` reads them."""
    policy, request = load_policy(), _request(folder)

    def read() -> None:
        for table in (*request.people, *request.facilities):
            check_file(table, policy=policy, declared=request.declared())

    return _middle(lambda: _seconds({"check": read}))


def _ask(folder: Path) -> Figures:
    """Questions to an opened run; the kernels are loaded by the same questions to a tiny town."""
    _seconds(_questions(lc.tiny_town()))
    workspace = lc.open(folder / "workspace")
    (name,) = workspace

    def ask() -> Figures:
        with _timed("open") as opened:
            area = workspace[name]
        return opened | _seconds(_questions(area))

    return _middle(ask)


def _questions(area: lc.Area) -> Asked:
    study, question = area.study, lc.Question(SERVICE)
    west, south, east, north = area.layer("units").total_bounds
    middle = (SERVICE, (west + east) / 2, (south + north) / 2)

    def every_service() -> None:
        for service in area.services:
            lc.coverage(study, question.about(service))

    return {
        "first coverage, s": lambda: lc.coverage(study, question),
        "coverage": every_service,
        "gaps": lambda: lc.gaps(study, question),
        "circles": lambda: lc.circles(study, question, kind="convenience"),
        "catchments": lambda: lc.catchments(study, question, closed=True),
        "scorecard": lambda: lc.scorecard(study),
        "siting": lambda: siting_of(study, question, SitingTask(add=3)),
        "what-if": lambda: area.what_if(add=[middle]),
    }


def _seconds(asked: Asked) -> Figures:
    """Seconds of each, one after the other; the one under way is told, should it never end."""
    found: Figures = {}
    for name, ask in asked.items():
        print(name, file=sys.stderr, flush=True)
        with _timed(name) as said:
            ask()
        found |= said
    return found


def _middle(measure: Callable[[], Figures]) -> Figures:
    """The median of each figure over rounds, as many as there is time for."""
    started, rounds = time.process_time(), [measure()]
    while len(rounds) < ROUNDS and time.process_time() - started < ROUNDS_S:
        rounds.append(measure())
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


@contextmanager
def _timed(name: str) -> Iterator[Figures]:
    said: Figures = {}
    before, started = _processor_s(), time.perf_counter()
    yield said
    said |= {name: _processor_s() - before, name + CLOCK: time.perf_counter() - started}


def _processor_s() -> float:
    """Of this process and of its copies that ended."""
    told = os.times()
    return time.process_time() + told.children_user + told.children_system


STEPS: Final = {"write": _write, "million": _million_files, "build": _build, "check": _check,
                "ask": _ask, "serve": lambda folder: _served(str(folder))}  # fmt: skip
