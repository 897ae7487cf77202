"""``python -m benchmarks.trials.memory``: memory of each worker over 100,000 mixed requests.

One worker, then two, answer for the generated city to readers with a key: places, tables, gaps,
maps, tiles, features, isochrones and files, most of them asked for the first time (another place,
other minutes, another address). After every tenth of the requests the memory of each worker is
told (PSS) and what it consists of. It is flat where, without the files that others map too, the
median of the last quarter of the looks lies at most `GROWTH` above that of the second quarter: the
first quarter fills what is kept.
"""

from __future__ import annotations

import argparse
import http.client
import random
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bar_f import AREA, built
from benchmarks.trials.serving import serve_workspace, with_key
from benchmarks.trials.soak import Reader, kind_of, workers_of
from lifecircle.analysis.results.model import Manifest

GROWTH = 0.03
LOOKS = 20
SERVICES = ("pharmacy", "park", "health_centre", "convenience_store")
LAYERS = ("cells", "facilities", "units", "gaps")


@dataclass
class Told:
    """What was answered, by kind and status, and how often readers may still ask."""

    left: int
    answers: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Whether one more may be asked."""
        with self.lock:
            self.left -= 1
            return self.left >= 0


@dataclass(frozen=True)
class Look:
    """Memory of the workers at a moment, MB, by what it is."""

    asked: int
    mb: dict[int, dict[str, float]]

    @property
    def most(self) -> float:
        """What the fullest worker holds for itself: files are shared with whoever maps them."""
        return max((one["pss"] - one.get("files", 0.0) for one in self.mb.values()), default=0.0)


def question(chance: random.Random, box: tuple[float, float, float, float]) -> str:
    """One question of the mix."""
    west, south, east, north = box
    home, service = f"/areas/{AREA}", chance.choice(SERVICES)
    lon, lat = chance.uniform(west, east), chance.uniform(south, north)
    place, minutes = f"lon={lon:.6f}&lat={lat:.6f}", f"{chance.uniform(5, 30):.4f}"
    layer = chance.choice(LAYERS)
    items = f"/collections/{AREA}.{layer}/items"
    draw = chance.random()
    for share, path in (
        (0.40, f"{home}/point?{place}"),
        (0.60, f"{home}/coverage?service={service}&minutes={minutes}"),
        (0.75, f"{home}/coverage?service={service}"),
        (0.80, f"{home}/isochrone?{place}&minutes=5,10"),
        (0.85, f"{items}?limit=50&offset={chance.randrange(0, 100, 50)}"),
        (0.88, f"{items}?bbox={lon},{lat},{lon + 0.01:.6f},{lat + 0.01:.6f}"),
        (0.95, f"/collections/{AREA}.cells/tiles/WebMercatorQuad/14/"
               f"{_row(lat):d}/{int((lon + 180) / 360 * 2**14):d}"),
        (0.97, f"/maps/{AREA}/coverage?service={service}"),
        (0.985, f"{home}/gaps?service={service}"),
        (0.990, f"{home}/gaps?service={service}&minutes={chance.randrange(5, 30)}"),
        (0.994, f"/maps/{AREA}/coverage?service={service}&minutes={chance.randrange(5, 30)}"),
        (0.997, f"{items}?f=csv"),
        (1.0, f"{home}/circles"),
    ):  # fmt: skip
        if draw < share:
            return path
    return home


def _row(lat: float) -> int:
    import math

    angle = math.radians(lat)
    return int((1 - math.log(math.tan(angle) + 1 / math.cos(angle)) / math.pi) / 2 * 2**14)


def held(pid: int) -> dict[str, float]:
    """What the memory of a process consists of, MB: its share (`pss`), and of it what is its own
    (heap and anonymous), files it maps, and files that were removed since."""
    found: Counter[str] = Counter()
    kind = ""
    for line in Path(f"/proc/{pid}/smaps").read_text("utf-8", "replace").splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            name = words[5] if len(words) > 5 else ""
            kind = "gone" if words[-1] == "(deleted)" else _kind_of_mapping(name)
        elif words[0] == "Pss:":
            found[kind] += int(words[1])
            found["pss"] += int(words[1])
    return {name: kb / 1e3 for name, kb in found.items()}


def _kind_of_mapping(name: str) -> str:
    if name == "[heap]":
        return "heap"
    if "/runs/" in name:
        return "runs"
    return "files" if name.startswith("/") else "own"


def read(told: Told, base: str, key: str, manifest: Manifest, seed: int) -> None:
    """Ask until all is asked."""
    chance, reader = random.Random(seed), Reader(base, key)
    while told.take():
        path = question(chance, manifest.bbox)
        try:
            status, body = reader.ask(path, gzip=chance.random() < 0.5)
        except (OSError, http.client.HTTPException) as fault:
            told.wrong[repr(fault)] += 1
            continue
        told.answers[kind_of(path)] += 1
        if status != 200:
            said = body[:200].decode("utf-8", "replace") if status >= 400 else ""
            told.wrong[f"{status} {kind_of(path)} {said}"] += 1


def watch(root: Path, manifest: Manifest, workers: int, requests: int, readers: int) -> list[Look]:
    """Ask so often; a look at every twentieth of it."""
    looks: list[Look] = []
    with with_key(root) as key, serve_workspace(root, workers) as served:
        told = Told(requests)
        threads = [
            threading.Thread(target=read, args=(told, served.base, key, manifest, n))
            for n in range(readers)
        ]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.2)
            done = sum(told.answers.values())
            if done >= (len(looks) + 1) * requests / LOOKS:
                pids = workers_of(served.pid) if workers > 1 else [served.pid]
                looks.append(Look(done, {pid: held(pid) for pid in pids}))
                parts = "; ".join(
                    ", ".join(f"{name} {mb:.0f}" for name, mb in sorted(one.items()))
                    for one in looks[-1].mb.values()
                )
                print(f"{done:,} answers, {time.monotonic() - began:.0f} s: MB {parts}", flush=True)
    print(f"{workers} workers: {dict(told.answers)}; not 200: {dict(told.wrong)}")
    return looks


def growth(looks: list[Look]) -> float:
    """How far the last quarter lies above the second, as a share of it."""
    quarter = max(1, len(looks) // 4)
    second = statistics.median(one.most for one in looks[quarter : 2 * quarter])
    return statistics.median(one.most for one in looks[-quarter:]) / second - 1


def main() -> int:
    """Ask so often; 1 where the memory of a worker grows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trials.memory", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    missed = False
    with built(0.1) as (root, manifest):
        for workers in given.workers:
            found = growth(watch(root, manifest, workers, given.requests, given.readers))
            missed |= found > GROWTH
            met = "met" if found <= GROWTH else "MISSED"
            print(f"{workers} workers: {found:+.1%} | <= {GROWTH:.0%} {met}", flush=True)
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
