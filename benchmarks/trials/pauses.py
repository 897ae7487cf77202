"""How long the service stands still while one dear question is asked, and what each costs.

``python -m benchmarks.trials.pauses [WORKSPACE [PART ...]]`` (else a tenth of the generated city;
of questions those that hold one of the parts) serves
a workspace in this process and asks one kind of question after the other, the first time and again.
A task of the same event loop looks at the clock every few milliseconds: its longest gap is what
anybody else would have waited, ``/healthz`` too. On a busy machine the gap holds what others took;
the processor time of this process within it is told beside, and the smaller of both is held to the
bar. Every route that reads is asked.
"""

from __future__ import annotations

import asyncio
import http.client
import math
import resource
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from benchmarks.bar_f import AREA, built
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.app import create_app
from lifecircle.service.serving import server_options, settled
from lifecircle.service.settings import Settings
from tests.pages.served import free_port

BAR_MS = 100.0
TICK_S = 0.002
QUESTIONS = (
    "/maps/{a}/coverage?service=pharmacy", "/maps/{a}/gaps?service=pharmacy", "/maps/{a}/circles",
    "/maps/{a}/catchments", "/maps/{a}/units", "/maps/{a}/facilities", "/maps/{a}/quality",
    "/maps/{a}/referral", "/maps/{a}/proposals",
    "/collections/{a}.cells/items?f=xlsx", "/collections/{a}.cells/items?f=csv",
    "/collections/{a}.cells/items?f=gpkg", "/collections/{a}.cells/items?f=parquet",
    "/collections/{a}.cells/items?limit=10000", "/collections/{a}.network/items?f=xlsx",
    "/areas/{a}/coverage?minutes=13", "/areas/{a}/gaps?minutes=13",
    "/areas/{a}/gaps?service=pharmacy&minutes=13", "/areas/{a}/circles", "/areas/{a}/equity",
    "/areas/{a}/catchments?minutes=20", "/areas/{a}/scorecard", "/areas/{a}/scorecard?f=xlsx",
    "/areas/{a}/scorecard?f=html", "/areas/{a}/headline", "/areas/{a}/quality",
    "/areas/{a}/report", "/areas/{a}/referral", "/areas/{a}/search?q=yi",
    "/areas/{a}/siting?service=pharmacy&add=1",
    "/areas", "/areas/{a}", "/areas/{a}?f=html", "/areas/{a}/growth", "/areas/{a}/merges?f=csv",
    "/areas/{a}/merges?f=xlsx", "/areas/{a}/accessibility?service=health_centre",
    "/areas/{a}/accessibility?service=health_centre&method=3sfca",
    "/areas/{a}/coverage?service=pharmacy&minutes=7.5",
    "/areas/{a}/coverage?service=health_centre&minutes=13",
    "/areas/{a}/coverage?service=pharmacy&at=Sa%2019:00", "/areas/{a}/circles?minutes=13",
    "/areas/{a}/point?lon={x}&lat={y}", "/areas/{a}/isochrone?lon={x}&lat={y}",
    "/areas/{a}/route?lon={x}&lat={y}&service=pharmacy", "/areas/{a}/pictures",
    "/areas/{a}/qgis", "/areas/{a}/scenario", "/areas/{a}/reviews",
    "/maps/{a}/desk", "/maps/{a}/pieces/streets", "/maps/{a}/pieces/ground",
    "/maps/{a}/coverage?service=pharmacy&minutes=13", "/maps/{a}/gaps?service=pharmacy&minutes=13",
    "/collections", "/collections/{a}.cells", "/collections/{a}.cells/queryables",
    "/collections/{a}.cells/items?filter=residents%3E50", "/collections/{a}.cells/items?f=html",
    "/collections/{a}.cells/items?sortby=-residents", "/collections/{a}.gaps/items?limit=1000",
    "/collections/{a}.cells/tiles/WebMercatorQuad/9/{row}/{column}",
    "/collections/{a}.gaps/tiles/WebMercatorQuad/9/{row}/{column}",
    "/collections/{a}.network/tiles/WebMercatorQuad/12/{row12}/{column12}",
    "/jobs", "/processes", "/metrics", "/api", "/",
)  # fmt: skip


class Watch:
    """The longest gap of an event loop: seconds, and processor seconds of the process within it."""

    def __init__(self) -> None:
        self.worst = (0.0, 0.0)
        self.looks = 0

    async def look(self) -> None:
        """Look at the clock again and again."""
        since, used = time.perf_counter(), time.process_time()
        while True:
            await asyncio.sleep(TICK_S)
            self.looks += 1
            now, then = time.perf_counter(), time.process_time()
            gap = (now - since - TICK_S, then - used)
            self.worst = max(self.worst, gap, key=min)
            since, used = now, then


def places(bbox: tuple[float, float, float, float]) -> dict[str, str]:
    """The middle of an area, and the tiles it lies in."""
    west, south, east, north = bbox
    lon, lat = (west + east) / 2, (south + north) / 2
    high = math.asinh(math.tan(math.radians(lat))) / math.pi
    told = {"a": AREA, "x": f"{lon:.6f}", "y": f"{lat:.6f}"}
    for zoom, name in ((9, ""), (12, "12")):
        told[f"row{name}"] = str(int((1 - high) / 2 * 2**zoom))
        told[f"column{name}"] = str(int((lon + 180) / 360 * 2**zoom))
    return told


def cpu_s() -> float:
    """Processor seconds of this process and of those it waited for."""
    told = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in told)


def measure(root: Path, parts: Sequence[str] = ("",)) -> bool:
    """Ask everything, or what holds one of the parts; whether no gap was longer than the bar."""
    port, watch = free_port(), Watch()
    app = settled(create_app(Settings(workspace=root, port=port, kept_file_bytes=0)))
    server = uvicorn.Server(uvicorn.Config(app, port=port, **server_options("text")))
    server.config.load()

    async def serve() -> None:
        looking = asyncio.create_task(watch.look())
        await server.serve()
        looking.cancel()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    while not (server.started and app.state.warmth.done):
        time.sleep(0.1)
    before, looks = cpu_s(), watch.looks
    time.sleep(5)
    look_s = (cpu_s() - before) / (watch.looks - looks)  # looking at the clock costs this itself
    met, workspace = True, Workspace(root)
    told = places(workspace.manifest(AREA, workspace.current(AREA)).bbox)
    for question in (one for one in QUESTIONS if any(part in one for part in parts)):
        for turn in ("first", "again"):
            path = question.format(**told)
            if turn == "again":
                path += ("&" if "?" in path else "?") + "lang=en"  # another answer, the same work
            looks = watch.looks
            watch.worst, before, began = (0.0, 0.0), cpu_s(), time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
            connection.request("GET", path)
            answer = connection.getresponse()
            size = len(answer.read())
            connection.close()
            took = time.perf_counter() - began
            gap, used = (1000 * one for one in watch.worst)
            held, here = min(gap, used), cpu_s() - before - look_s * (watch.looks - looks)
            met = met and held <= BAR_MS
            print(
                f"{answer.status} {size:>11,} B {1000 * took:>8.0f} ms, CPU here "
                f"{1000 * here:>6.0f} ms, longest gap {gap:>6.0f} ms "
                f"(CPU {used:.0f}) {'' if held <= BAR_MS else '> 100'} {turn} {path}",
                flush=True,
            )
    server.should_exit = True
    thread.join(60)
    print(f"longest gap <= {BAR_MS:.0f} ms: {'met' if met else 'NOT MET'}")
    return met


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(0 if measure(Path(sys.argv[1]), sys.argv[2:] or ("",)) else 1)
    with built(0.1) as (workspace, _):
        sys.exit(0 if measure(workspace) else 1)
