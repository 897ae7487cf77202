"""The whole way: `lifecircle build` of Malta beside the usual osmnx + networkx + shapely script."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osmium

from benchmarks.bars import Row, Skip, repeats, shared_file
from lifecircle.analysis.policy import Policy, load_policy

ROOT = Path(__file__).resolve().parents[1]
BAR = 15.0
HELP_S = 1.0
BUILD = "from lifecircle.service.start import run; run()"  # as the installed command does


def services_json(policy: Policy) -> str:
    """Tag rules and minutes of every service, for the script."""
    rules = {
        service.id: {
            "minutes": service.minutes.value,
            "osm": [{k: list(v) for k, v in rule.tags.items()} for rule in service.osm],
        }
        for service in policy.services.values()
        if service.osm and not service.optional
    }
    return json.dumps(rules)


def split_xml(pbf: Path, policy: Policy, streets: Path, places: Path) -> None:
    """Two small XML files of what the script needs: walkable ways; tagged places."""
    keys = {k for s in policy.services.values() for rule in s.osm for k in rule.tags}
    keys |= {"building", "landuse"}
    with (
        osmium.BackReferenceWriter(str(streets), ref_src=str(pbf), overwrite=True) as ways,
        osmium.BackReferenceWriter(
            str(places), ref_src=str(pbf), overwrite=True, relation_depth=1
        ) as rest,
    ):
        things: Any = osmium.FileProcessor(str(pbf))
        for thing in things:
            if thing.is_way() and policy.walk.walkable(dict(thing.tags)):
                ways.add(thing)
            elif any(key in thing.tags for key in keys):
                rest.add(thing)


@dataclass(frozen=True)
class Taken:
    """What a process took from start to end: seconds of a clock and of processors, what it said."""

    wall_s: float
    cpu_s: float
    said: str


def seconds_of(command: list[str]) -> Taken:
    """What a process takes, its modules compiled as they are after an installation."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = os.environ | {"PYTHONPATH": path}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=env)
    wall_s = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise Skip(f"{command[1:4]} failed: {done.stderr.strip().splitlines()[-1:]}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(wall_s, cpu_s, done.stdout)


def measure() -> list[Row]:
    """The rows of the whole way: processes from start to end, imports included on both sides."""
    pbf = shared_file("malta/malta-latest.osm.pbf")
    councils = shared_file("malta/malta_local_councils_pop.gpkg")
    if not (ROOT / "service" / "cli.py").is_file():
        raise Skip("service/cli.py is not there")
    policy = load_policy()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "services.json").write_text(services_json(policy), encoding="utf-8")
        split_xml(pbf, policy, here / "streets.osm", here / "places.osm")
        build = [sys.executable, "-c", BUILD, "build", "malta", "--osm", str(pbf),
                 "--units", str(councils), "--workspace", str(here / "workspace")]  # fmt: skip
        script = [sys.executable, str(ROOT / "benchmarks" / "peers" / "usual_script.py"),
                  *(str(here / name) for name in ("services.json", "streets.osm", "places.osm")),
                  str(councils), str(here / "out")]  # fmt: skip
        seconds_of(build)  # compiles the kernels once per installation, not per build
        ours, peer = [], []
        for _ in range(repeats()):
            ours.append(seconds_of(build))
            peer.append(seconds_of(script))
    facts = json.loads(peer[-1].said.splitlines()[-1])
    a, b = (statistics.median(one.wall_s for one in taken) for taken in (ours, peer))
    c, d = (statistics.median(one.cpu_s for one in taken) for taken in (ours, peer))
    shown = statistics.median(
        seconds_of([sys.executable, "-c", BUILD, "--help"]).wall_s for _ in range(5)
    )
    return [
        Row("whole", "build of Malta, process from start to end", f"{a:.1f} s",
            "osmnx + networkx + shapely script", f"{b:.1f} s", b / a, f">= {BAR:.0f}x faster",
            b / a >= BAR,
            f"the script: {facts['services']} services, {facts['cells']} cells, "
            f"{facts['residents']} residents; its XML was made beforehand"),
        Row("whole", "the same, seconds of processors", f"{c:.1f} s",
            "the same script", f"{d:.1f} s", d / c, "-", None,
            "what a loaded machine distorts least; the script uses one core"),
        Row("whole", "lifecircle --help", f"{shown:.2f} s", "-", "-", None, f"< {HELP_S:.0f} s",
            shown < HELP_S),
    ]  # fmt: skip
