"""``python -m benchmarks.trials.soak``: mixed load while runs are swapped and workers killed.

Two workers answer for a generated city with two runs. Readers with a key ask places, tables,
gaps, maps, tiles, features and isochrones; every twenty seconds the other run becomes the current
one, and now and then a worker is killed. Each answer has to be, byte for byte, what a quiet
service says of a run that was the current one at some moment between question and answer. Only
connections to a worker just killed may break; they are asked again.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.bar_f import AREA, built
from benchmarks.trials.serving import serve_workspace, with_key
from lifecircle.analysis.results.folders import AreaFolders
from lifecircle.analysis.results.store import Workspace

SWAP_S, LATE_S = 20.0, 3.0  # a break within so long after a kill is the killed worker's own
STAMP = re.compile(rb'"timeStamp":"[^"]*",?')
NONCE = re.compile(rb"nonce[-=]\"?([\w-]{22})")


@dataclass
class Story:
    """What happened: runs pointed to (named before, and after, it was done), kills, answers."""

    pointed: list[str]
    moved: list[str]
    kills: list[float] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    broken: Counter[str] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)


class Reader:
    """One connection with a key, kept open; a broken one is opened anew."""

    def __init__(self, base: str, key: str) -> None:
        self._where = urlsplit(base)
        self._headers = {"Authorization": f"Bearer {key}"}
        self._line: http.client.HTTPConnection | None = None

    def ask(self, path: str, *, gzip: bool = False) -> tuple[int, bytes]:
        """Status and body; a gzipped body is unpacked.

        Raises
        ------
        OSError, http.client.HTTPException : the connection broke.
        """
        if self._line is None:
            self._line = http.client.HTTPConnection(str(self._where.netloc), timeout=120)
        more = {"Accept-Encoding": "gzip"} if gzip else {}
        try:
            self._line.request("GET", path, headers=self._headers | more)
            answer = self._line.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self._line.close()
            self._line = None
            raise
        if answer.getheader("content-encoding") == "gzip":
            import zlib

            body = zlib.decompress(body, 31)
        return answer.status, _without_own(body)


def _without_own(body: bytes) -> bytes:
    """The answer without what each has of its own: the nonce of a page, the time of a list."""
    body = STAMP.sub(b"", body)
    found = NONCE.search(body[:20_000])
    return body if found is None else body.replace(found[1], b"")


def questions(root: Path, chance: random.Random) -> list[str]:
    """What is asked, all kinds mixed: few questions each, so that each is known of each run."""
    workspace = Workspace(root)
    manifest = workspace.manifest(AREA, workspace.current(AREA))
    west, south, east, north = manifest.bbox
    home = f"/areas/{AREA}"

    def place() -> str:
        lon, lat = chance.uniform(west, east), chance.uniform(south, north)
        return f"lon={lon:.6f}&lat={lat:.6f}"

    asked = [f"{home}/point?{place()}" for _ in range(60)]
    for service in ("pharmacy", "park", "health_centre", "convenience_store"):
        asked += [f"{home}/coverage?service={service}&minutes={m}" for m in (7, 10, 15)]
        asked += [f"{home}/gaps?service={service}", f"/maps/{AREA}/coverage?service={service}"]
    asked += [f"{home}/isochrone?{place()}&minutes=5,10" for _ in range(8)]
    asked += [f"/collections/{AREA}.units/items?limit=50&offset={n}" for n in (0, 50)]
    asked += [home, f"{home}/circles", f"{home}/equity", f"{home}/headline"]
    return asked


def expected(
    base: str, key: str, root: Path, runs: list[str], asked: list[str]
) -> dict[tuple[str, str], bytes]:
    """What a quiet service answers of each run."""
    found, reader = {}, Reader(base, key)
    for run in runs:
        point_to(root, run)
        for path in asked:
            status, body = reader.ask(path)
            assert status == 200, (path, status, body[:300])
            found[path, run] = body
    return found


def point_to(root: Path, run: str) -> None:
    """Make a run the current one, by one rename."""
    aside = root / AREA / "current.next"
    aside.write_text(run + "\n", "utf-8")
    aside.replace(root / AREA / "current")


def read(
    story: Story, base: str, key: str, asked: list[str], known: dict[tuple[str, str], bytes],
    seed: int,
) -> None:  # fmt: skip
    """Ask until told to stop."""
    chance, reader = random.Random(seed), Reader(base, key)
    while not story.stop.is_set():
        path = chance.choice(asked)
        since, began = len(story.moved) - 1, time.monotonic()
        try:
            status, body = reader.ask(path, gzip=chance.random() < 0.5)
        except (OSError, http.client.HTTPException) as fault:
            own = any(began - LATE_S < kill < time.monotonic() + LATE_S for kill in story.kills)
            story.broken["of a killed worker" if own else f"lost: {fault!r}"] += 1
            continue
        story.asked[kind_of(path)] += 1
        told = story.pointed[since:]
        if status != 200:
            story.broken[f"status {status}"] += 1
        elif not any(known[path, run] == body for run in told):
            story.wrong.append(path)


def kind_of(path: str) -> str:
    """The kind of a question."""
    parts = urlsplit(path).path.split("/")
    return parts[3] if len(parts) > 3 else "/".join(parts[1:2])


def workers_of(pid: int) -> list[int]:
    """The processes that answer: children that hold much memory."""
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [int(one) for one in told if memory_mb(int(one)) > 150]


def memory_mb(pid: int) -> float:
    """Memory of a process by itself and its share of the rest (PSS), MB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(one.split()[1]) / 1e3 for one in lines if one.startswith("Pss:")), 0.0)


def turns(seconds: float, kills: int, chance: random.Random) -> Iterator[tuple[float, str]]:
    """When what is done: swaps, kills, and memory looked at."""
    swaps = [(SWAP_S * n, "swap") for n in range(1, int(seconds / SWAP_S))]
    ends = [(seconds * (n + chance.random()) / kills, "kill") for n in range(kills)]
    looks = [(30.0 * n, "look") for n in range(1, int(seconds / 30) + 1)]
    yield from sorted(swaps + ends + looks)


def main() -> int:
    """Ask for so long; 1 when something was wrong or lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trials.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=2022)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with built(0.1, before=True) as (root, _), with_key(root) as key:
        runs, current = AreaFolders(root).runs(AREA)[-2:], Workspace(root).current(AREA)
        asked = questions(root, chance)
        with serve_workspace(root, 2) as served:
            known = expected(served.base, key, root, runs, asked)
            differ = sum(known[path, runs[0]] != known[path, runs[1]] for path in asked)
            print(f"{len(asked)} questions, {differ} of them with other answers in the other run")
            story = Story([runs[-1]], [runs[-1]])
            threads = [
                threading.Thread(target=read, args=(story, served.base, key, asked, known, n))
                for n in range(given.readers)
            ]
            for thread in threads:
                thread.start()
            _happen(story, served.pid, root, runs, list(turns(given.seconds, given.kills, chance)))
            story.stop.set()
            for thread in threads:
                thread.join()
            found = _tell(story)
        point_to(root, current)
    return found


def _tell(story: Story) -> int:
    """Say what happened; 1 when something was wrong or lost."""
    print(f"{sum(story.asked.values()):,} answers: {dict(story.asked)}")
    print(f"swaps {len(story.moved) - 1}, kills {len(story.kills)}; wrong {len(story.wrong)} "
          f"{story.wrong[:5]}; broken {dict(story.broken)}", flush=True)  # fmt: skip
    own = story.broken["of a killed worker"]
    return 1 if story.wrong or sum(story.broken.values()) > own else 0


def _happen(
    story: Story, pid: int, root: Path, runs: list[str], plan: list[tuple[float, str]]
) -> None:
    began = time.monotonic()
    for when, what in plan:
        time.sleep(max(0.0, began + when - time.monotonic()))
        if what == "swap":
            run = runs[len(story.moved) % 2]
            story.pointed.append(run)
            point_to(root, run)
            story.moved.append(run)
        elif what == "kill" and (alive := workers_of(pid)):
            story.kills.append(time.monotonic())
            os.kill(alive[len(story.kills) % len(alive)], signal.SIGKILL)
        elif what == "look":
            held = {one: round(memory_mb(one)) for one in workers_of(pid)}
            print(f"{when:.0f} s, {sum(story.asked.values()):,} answers: MB {held}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
