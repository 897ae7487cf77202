"""Bar f: requests a second beside an empty FastAPI route, with a valid key.

The generated city at a tenth and whole; `lifecircle serve` as it runs, and an empty application
under the same server flags; 16 and 64 connections, 1 and 2 workers. Each of our questions stands
between two measurements of the empty route. Where the machine is shared, the processor time of a
request (all processes of a server together, from /proc) says more than requests a second.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path

from benchmarks.bars import SEED, Row, Skip
from benchmarks.trials.serving import Heard, Served, serve_empty, serve_workspace, with_key
from lifecircle.analysis.demo.build import build_springcity
from lifecircle.analysis.results.model import Manifest
from lifecircle.analysis.results.store import Workspace

AREA = "springcity"
WARM = 20
DONE = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("HEARD %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    e.status + e.connect + e.read + e.write + e.timeout))
end
"""
HELP = """
function other_host()  -- another address of this machine: nothing was asked there before
  local headers = {}
  for name, value in pairs(wrk.headers) do headers[name] = value end
  headers['Host'] = string.format('127.%d.%d.%d', math.random(255), math.random(255),
                                  math.random(254))
  return headers
end
function tile(west, south, east, north, z)
  local n = 2 ^ z
  local function column(lon) return (lon + 180) / 360 * n end
  local function row(lat)
    local r = math.rad(lat)
    return (1 - math.log(math.tan(r) + 1 / math.cos(r)) / math.pi) / 2 * n
  end
  local left, top = math.floor(column(west)), math.floor(row(north))
  local wide, high = math.ceil(column(east)) - left, math.ceil(row(south)) - top
  return string.format('%d', left + math.random(0, wide - 1)),
         string.format('%d', top + math.random(0, high - 1))
end
"""


@dataclass(frozen=True)
class Effort:
    """How long is asked, how often, of how many workers, by how many connections, of which."""

    seconds: float = 4.0
    rounds: int = 3
    workers: tuple[int, ...] = (1, 2)
    connections: tuple[int, ...] = (16, 64)
    only: str = ""


@dataclass(frozen=True)
class Load:
    """One kind of question: the body of wrk's ``request`` and what it has to reach.

    `share`: of the empty route's requests a second; `rate`: requests a second; `p99_ms` at 64
    connections; None where no bar is set.
    """

    name: str
    lua: str
    share: float | None = None
    rate: float | None = None
    p99_ms: float | None = None
    gzip: bool = False


def loads(manifest: Manifest) -> list[Load]:
    """The questions, in the order they are asked."""
    west, south, east, north = manifest.bbox
    home = f"/areas/{AREA}"
    place = (
        f"local lon = {west} + math.random() * {east - west}\n"
        f"local lat = {south} + math.random() * {north - south}\n"
    )
    minutes = "string.format('%.6f', 5 + math.random() * 25)"
    middle = f"local z = 14\nlocal x, y = tile({west}, {south}, {east}, {north}, z)\n"
    tile = f"'/collections/{AREA}.cells/tiles/WebMercatorQuad/'..z..'/'..y..'/'..x"

    def get(lua: str, *before: str) -> str:
        return "".join(before) + f"return wrk.format('GET', {lua})"

    table, gaps = f"'{home}/coverage?service=pharmacy", f"'{home}/gaps?service=pharmacy"
    page = f"'/maps/{AREA}/coverage?service=pharmacy'"
    return [
        Load("/point, another place each time", get(
            f"string.format('{home}/point?lon=%.6f&lat=%.6f', lon, lat)", place), share=0.45),
        Load("a coverage asked before", get(f"{table}'"), share=1.0, p99_ms=1000),
        Load("a coverage asked before, gzip", get(f"{table}'"), p99_ms=1000, gzip=True),
        Load("a new coverage", get(f"{table}&minutes='..{minutes}"), rate=200),
        Load("new gaps", get(f"{gaps}&minutes='..{minutes}"), rate=50),
        Load("a map page asked before", get(page), rate=500, p99_ms=1000),
        Load("a map page asked before, gzip", get(page), rate=500, p99_ms=1000, gzip=True),
        Load("a new tile of cells", get(f"{tile}, other_host()", middle)),
        Load("a tile of cells asked before", get(tile, middle), p99_ms=1000),
    ]  # fmt: skip


def script(load: Load, key: str) -> str:
    """The script of wrk for one kind of question, asked with a key."""
    headers = {"Authorization": f"Bearer {key}"} | (
        {"Accept-Encoding": "gzip"} if load.gzip else {}
    )
    told = "".join(f"wrk.headers['{name}'] = '{value}'\n" for name, value in headers.items())
    return f"math.randomseed({SEED})\n{told}{HELP}request = function()\n{load.lua}\nend\n{DONE}"


def empty_script(key: str) -> str:
    """The same of the empty route."""
    return script(Load("", "return wrk.format('GET', '/')"), key)


def measure() -> list[Row]:
    """The rows of bar f, of the city at a tenth and one worker: some four minutes.

    With ``LIFECIRCLE_WHOLE`` of one worker and two, and of the whole city too: half an hour.
    """
    if shutil.which("wrk") is None:
        raise Skip("wrk is not installed (Debian package wrk)")
    if os.environ.get("LIFECIRCLE_WHOLE"):
        return [row for scale in (0.1, 1.0) for row in rows_of(scale, Effort())]
    return list(rows_of(0.1, Effort(seconds=3.0, workers=(1,))))


@contextmanager
def built(scale: float, *, before: bool = False) -> Iterator[tuple[Path, Manifest]]:
    """A workspace with the generated city: the one of ``LIFECIRCLE_LOAD_<scale>``, else built.

    `before`: also as it was five years earlier, as a run of its own.
    """
    given = os.environ.get(f"LIFECIRCLE_LOAD_{scale:g}".replace(".", "_"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(given or folder)
        workspace = Workspace(root)
        if given is None:
            build_springcity(workspace, scale=scale, before=before)
        yield root, workspace.manifest(AREA, workspace.current(AREA))


def rows_of(scale: float, effort: Effort) -> Iterator[Row]:
    """The rows of the city at a scale, each as soon as it is measured."""
    with built(scale) as (root, manifest), with_key(root) as key:
        for workers in effort.workers:
            with ExitStack() as open_:
                ours = open_.enter_context(serve_workspace(root, workers))
                empty = open_.enter_context(serve_empty(workers))
                asked = [load for load in loads(manifest) if effort.only in load.name]
                for load, connections in product(asked, effort.connections):
                    heard = _in_turns(ours, empty, script(load, key), key, connections, effort)
                    yield _row(f"{scale:g}, {workers} w, {connections} c", load, *heard)


def _in_turns(
    ours: Served, empty: Served, asked: str, key: str, connections: int, effort: Effort
) -> tuple[Heard, Heard]:
    """Ours and the empty route, the median of rounds that take turns."""
    for _ in range(WARM):  # what is asked before is asked here, of each worker
        if ours.ask(asked, connections, 1).rate > connections:
            break
    rounds = [
        (
            ours.ask(asked, connections, effort.seconds),
            empty.ask(empty_script(key), connections, effort.seconds / 2),
        )
        for _ in range(effort.rounds)
    ]
    rounds.sort(key=lambda pair: pair[0].rate / pair[1].rate)
    return rounds[effort.rounds // 2]


def _row(where: str, load: Load, ours: Heard, empty: Heard) -> Row:
    share = ours.rate / empty.rate
    wanted = [
        text
        for text, bar in (
            (f">= {load.share or 0:.0%} of it", load.share),
            (f">= {load.rate}/s", load.rate),
            (f"p99 <= {load.p99_ms} ms", load.p99_ms),
        )
        if bar is not None
    ]
    met = (
        (load.share is None or share >= load.share)
        and (load.rate is None or ours.rate >= load.rate)
        and (load.p99_ms is None or ours.p99_ms <= load.p99_ms)
        and not ours.wrong
    )
    note = (
        f"p50 {ours.p50_ms:.1f} ms, p99 {ours.p99_ms:.0f} ms (empty {empty.p50_ms:.1f}, "
        f"{empty.p99_ms:.0f}); processor {ours.cpu_us:,.0f} µs a request, empty {empty.cpu_us:,.0f}"
        f": {empty.cpu_us / ours.cpu_us:.0%} of its speed; {ours.wrong} wrong"
    )  # fmt: skip
    return Row("f", f"{load.name} ({where})", f"{ours.rate:,.0f}/s", "empty FastAPI route",
               f"{empty.rate:,.0f}/s", share, ", ".join(wanted) or "-", met if wanted else None,
               note)  # fmt: skip


def main() -> int:
    """Print each row beside its bar as it is measured; 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bar_f")
    parser.add_argument("--scale", type=float, nargs="+", default=[0.1])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--connections", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--only", default="", help="part of a question's name")
    given = parser.parse_args()
    effort = Effort(
        given.seconds, given.rounds, tuple(given.workers), tuple(given.connections), given.only
    )
    missed = False
    for row in chain.from_iterable(rows_of(scale, effort) for scale in given.scale):
        share = "" if row.ratio is None else f"{row.ratio:.0%} of {row.peer_value}"
        met = {None: "", True: "met", False: "MISSED"}[row.met]
        print(f"{row.what}: {row.ours}, {share} | {row.wanted} {met} | {row.note}", flush=True)
        missed |= row.met is False
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
